"""Feedback: counted always, kept only by consent, redacted, for a month, and deleted when asked."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from lxml import html as lxml_html
from sqlalchemy import delete

from assistant.api.doorkeeper import Doorkeeper
from assistant.assistant import Assistant
from assistant.feedback.feedback import KEPT_DAYS, REASONS, Consented, Keeper, kept
from assistant.feedback.routes import router
from assistant.feedback.tables import FeedbackRow
from assistant.pages.cards import templates
from assistant.pages.front import Front
from assistant.pages.page import page_parts
from assistant.pages.server import Options, create_app
from assistant.safety.check import SafetyCheck
from assistant.state.database import Database
from index.encoder import Encoder
from index.generation import Sourced
from index.query import QueryMaker
from index.retriever import Retriever
from index.store import Store
from ingest.article import Article

CALF = Article(
    id="/blogs/a/calf", title="The calf", text="The calf is at the back of the leg. It lifts the heel."
)
# Telling marks, so that a file or a log can be searched for them.
QUESTION = "My name is Zebulon Quartzwick, does my calf zinkify after running?"
WORDS = "Write to me at zebulon@quartz.example, it did not help my zonkle"
MARKS = (b"zinkify", b"zonkle", b"ebulon", b"uartzwick")
URGENT = "my chest feels crushed and my left arm is numb, sweating"
START = datetime(2030, 1, 31, 12, tzinfo=UTC)


def consented(**changes: Any) -> dict[str, Any]:
    told = {
        "question": QUESTION,
        "words": WORDS,
        "kind": "answer",
        "articles": [CALF.id, "/blogs/a/never-written"],
        "generation": "g1",
    }
    return {**told, **changes}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(f"sqlite:///{tmp_path / 'state.db'}")) as database:
        database.migrate()
        yield database


def rows(database: Database) -> list[FeedbackRow]:
    with database.begin() as session:
        return list(kept(session, datetime(2000, 1, 1, tzinfo=UTC)))


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


# ---------------------------------------------------------------- keeping


class _Clock:
    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


def test_what_is_kept_is_redacted(database: Database, clock: _Clock) -> None:
    Keeper(database, clock).keep("no", "part", Consented.model_validate(consented()))
    (row,) = rows(database)
    assert row.question == "My name is [name], does my calf zinkify after running?"
    assert row.words == "Write to me at [email], it did not help my zonkle"
    assert (row.verdict, row.reason, row.kind, row.generation) == ("no", "part", "answer", "g1")
    assert row.created == START


def test_it_expires_after_a_month_and_is_deleted_then(database: Database, clock: _Clock) -> None:
    keeper = Keeper(database, clock)
    receipt = keeper.keep("yes", "", Consented.model_validate(consented()))
    assert receipt.expires == START + timedelta(days=KEPT_DAYS) <= START + timedelta(days=30)
    clock.moment = receipt.expires - timedelta(seconds=1)
    assert keeper.purge() == 0
    clock.moment = receipt.expires
    with database.begin() as session:
        assert list(kept(session, clock.moment)) == []  # nobody reads it from that very moment on
    assert keeper.purge() == 1
    assert rows(database) == []


def test_what_is_deleted_is_gone_from_the_files(database: Database, tmp_path: Path) -> None:
    keeper = Keeper(database)
    mine = keeper.keep("no", "", Consented.model_validate(consented()))
    keeper.keep("no", "", Consented.model_validate(consented(question="what is a soleus?", words="")))
    assert b"zinkify" in on_disk(tmp_path)
    assert keeper.delete(mine.code.upper().replace("-", " "))
    assert b"zinkify" not in on_disk(tmp_path)
    assert [row.question for row in rows(database)] == ["what is a soleus?"]
    assert not keeper.delete(mine.code)


def test_a_code_is_long_unlike_any_other_and_not_in_the_database(database: Database, tmp_path: Path) -> None:
    keeper = Keeper(database)
    codes = {keeper.keep("yes", "", Consented.model_validate(consented())).code for _ in range(20)}
    assert len(codes) == 20
    assert all(re.fullmatch(r"(?:[a-z2-7]{4}-){4}[a-z2-7]{4}", code) for code in codes)
    assert not [code for code in codes if code.encode() in on_disk(tmp_path)]
    for wrong in ("", "----", "aaaa-aaaa-aaaa-aaaa-aaaa", "%"):
        assert not keeper.delete(wrong)
    assert len(rows(database)) == 20


# ---------------------------------------------------------------- the routes


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Encoder) -> Assistant:
    folder: Path = tmp_path_factory.mktemp("feedback") / "store"
    Store(folder).write([Sourced(CALF, "test")], tiny_encoder)
    retriever = Retriever(Store(folder).open(tiny_encoder.identity), tiny_encoder)
    return Assistant(
        retriever, SafetyCheck(), QueryMaker.of(retriever.generation, tiny_encoder), country="GB"
    )


def alone(assistant: Assistant, database: Database | None, asks_per_minute: int = 0) -> TestClient:
    """The routes of feedback behind the doorkeeper, without the other pages."""
    front, app = Front(assistant), FastAPI()
    app.include_router(router(front, database))
    app.add_middleware(Doorkeeper, front.metrics, asks_per_minute)
    return TestClient(app)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the whole server keeps its database."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def whole(assistant: Assistant, folder: Path) -> Iterator[tuple[TestClient, Database]]:
    async def make(state: Database) -> FastAPI:
        return create_app(assistant, Options(asks_per_minute=0), state)

    with closing(Database(f"sqlite:///{folder / 'state.db'}")) as state:
        state.migrate()
        with TestClient(asyncio.run(make(state))) as client:
            yield client, state


@pytest.fixture
def client(whole: tuple[TestClient, Database]) -> TestClient:
    return whole[0]


@pytest.fixture
def state(whole: tuple[TestClient, Database]) -> Database:
    """The whole server's, without anything that another test has left."""
    with whole[1].begin() as session:
        session.execute(delete(FeedbackRow))
    return whole[1]


def test_a_thumb_and_a_reason_only_count(
    client: TestClient, state: Database, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asked = client.post("/api/v1/ask", json={"question": QUESTION})
    assert asked.status_code == 200
    assert client.post("/feedback/verdict", json={"verdict": "no"}).status_code == 204
    assert client.post("/feedback", json={"verdict": "no", "reason": "part"}).json() == {}
    assert rows(state) == []
    told = client.get("/metrics").text
    assert 'referral_feedback_total{verdict="no"} 1.0' in told
    assert 'referral_feedback_reasons_total{reason="part",verdict="no"} 1.0' in told
    for mark in MARKS:
        assert mark not in on_disk(folder)
        assert mark.decode() not in caplog.text
        assert mark.decode() not in told


def test_with_consent_it_is_kept_and_its_code_deletes_it(
    client: TestClient, state: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sent = {"verdict": "no", "reason": "wrong", "consented": consented()}
    got = client.post("/feedback", json=sent).json()
    (row,) = rows(state)
    assert row.articles == [CALF.id]  # one that there is not is not kept
    assert str(row.expires.day) in got["until"]
    assert "ebulon" not in row.question + row.words
    gone = client.post("/feedback/delete", data={"code": got["code"]})
    assert gone.status_code == 200
    assert "It is deleted" in gone.text
    assert rows(state) == []
    again = client.post("/feedback/delete", data={"code": got["code"]})
    assert again.status_code == 404
    assert "Nothing is kept under this code" in again.text
    assert not [mark for mark in MARKS if mark.decode() in caplog.text]


@pytest.mark.parametrize(
    "wrong",
    [
        {"verdict": "maybe"},
        {"verdict": "yes", "reason": "wrong"},
        {"verdict": "no", "words": "kept without a tick"},
        {"verdict": "no", "consented": consented(words="x" * 601)},
        {"verdict": "no", "consented": consented(kind="nonsense")},
        {"verdict": "no", "consented": consented(name="Zebulon")},
        {"verdict": "no", "consented": {**consented(), "question": ""}},
    ],
)
def test_what_the_form_cannot_send_is_refused(
    client: TestClient, state: Database, wrong: dict[str, Any]
) -> None:
    got = client.post("/feedback", json=wrong)
    assert got.status_code == 422
    assert rows(state) == []
    assert "zonkle" not in got.text


@pytest.mark.parametrize("field", ["words", "question"])
def test_a_cry_for_help_is_answered_and_not_stored(client: TestClient, state: Database, field: str) -> None:
    sent = {"verdict": "no", "consented": consented(**{field: URGENT})}
    got = client.post("/feedback", json=sent).json()
    alert = lxml_html.fromstring(got["notice"])
    assert alert.xpath("//@href[. = 'tel:999']")
    assert "code" not in got
    assert rows(state) == []


def test_the_page_for_deleting_needs_no_script(client: TestClient) -> None:
    got = client.get("/feedback")
    assert "frame-ancestors 'none'" in got.headers["content-security-policy"]
    assert "style-src 'self'" in got.headers["content-security-policy"]
    tree = lxml_html.fromstring(got.text)
    (form,) = tree.xpath("//form")
    assert (form.get("method"), form.get("action")) == ("post", "/feedback/delete")
    assert tree.xpath("//label/@for") == tree.xpath("//input/@id")
    for file in tree.xpath("//script/@src | //link/@href"):
        assert client.get(file).status_code == 200


def test_the_address_that_keeps_sends_too_many_away(assistant: Assistant, database: Database) -> None:
    with alone(assistant, database, asks_per_minute=2) as client:
        statuses = [client.post("/feedback/verdict", json={"verdict": "yes"}).status_code for _ in range(3)]
    assert statuses == [204, 204, 429]


def test_what_expired_is_deleted_when_the_server_starts(assistant: Assistant, database: Database) -> None:
    long_ago = Keeper(database, lambda: datetime(2020, 1, 1, tzinfo=UTC))
    long_ago.keep("yes", "", Consented.model_validate(consented()))
    with alone(assistant, database) as client:
        for _ in range(1000):
            if not rows(database):
                break
            client.get("/feedback")
    assert rows(database) == []


def test_without_a_database_thumbs_only_count(assistant: Assistant) -> None:
    with alone(assistant, None) as client:
        assert client.post("/feedback/verdict", json={"verdict": "yes"}).status_code == 204
        assert client.post("/feedback", json={"verdict": "yes", "reason": "clear"}).status_code == 200
        sent = {"verdict": "yes", "consented": consented()}
        assert client.post("/feedback", json=sent).status_code == 404
        assert client.get("/feedback").status_code == 405
    page = templates.get_template("page.html").render(page_parts((), keeps=False))
    assert 'name="reason"' in page
    assert 'name="consent"' not in page


def test_the_page_offers_every_reason_and_an_unticked_box(client: TestClient) -> None:
    tree = lxml_html.fromstring(client.get("/widget").text)
    for verdict, reasons in REASONS.items():
        given = tree.xpath(f"//fieldset[@data-for='{verdict}']//input/@value")
        assert given == list(reasons)
    (box,) = tree.xpath("//input[@name='consent']")
    assert box.get("checked") is None
