"""The staff's pages over a real server and database: workbench, golden questions, runs, flags, coverage."""

from __future__ import annotations

import asyncio
import hashlib
import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import delete, select

from assistant.accounts.roles import Role
from assistant.accounts.tables import AuditRow
from assistant.assistant import Assistant
from assistant.feedback.tables import FeedbackRow
from assistant.pages.front import Front
from assistant.pages.server import create_app
from assistant.safety.check import SafetyCheck
from assistant.staff import exchange
from assistant.staff.golden import Golden, every, take_in
from assistant.staff.measures import MEASURES
from assistant.staff.runs import RunError, Runs
from assistant.staff.tables import FlagRow, GoldenRow, OutcomeRow, RunRow
from assistant.state.database import Database
from index.encoder import Encoder
from index.gate import GOLDEN_FILE, read_golden
from index.generation import Sourced
from index.query import QueryMaker
from index.retriever import Retriever
from index.store import Store
from ingest.article import Article
from tests.signed_in import csrf, signed_in, visitor

EVIL = "<script>alert(1)</script>"
ARTICLES = [
    Article(
        id="soleus", title="The soleus", text="The soleus lies in the calf. It lifts the heel of the foot."
    ),
    Article(id="masseter", title="The masseter", text="The masseter closes the jaw. It is very strong."),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Encoder) -> Store:
    """With two generations: the second has another article."""
    made = Store(tmp_path_factory.mktemp("staff") / "store")
    made.write([Sourced(one, "test") for one in ARTICLES], tiny_encoder)
    more = Article(id="deltoid", title="The deltoid", text="The deltoid lifts the arm at the shoulder.")
    made.write([Sourced(one, "test") for one in (*ARTICLES, more)], tiny_encoder)
    return made


@pytest.fixture(scope="module")
def front(store: Store, tiny_encoder: Encoder) -> Front:
    retriever = Retriever(store.open(tiny_encoder.identity), tiny_encoder)
    queries = QueryMaker.of(retriever.generation, tiny_encoder)
    return Front(Assistant(retriever, SafetyCheck(), queries))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path_factory.mktemp('state') / 'state.sqlite'}")
    made.migrate()
    yield made
    made.close()


@pytest.fixture(scope="module")
def app(front: Front, database: Database) -> FastAPI:
    async def make() -> FastAPI:
        return create_app(front, state=database)

    return asyncio.run(make())  # outside of a loop, Gradio opens some and leaves them open


@pytest.fixture(scope="module")
def client(app: FastAPI, database: Database) -> Iterator[TestClient]:
    """A browser of the staff."""
    with signed_in(app, database, Role.STAFF) as client:
        yield client


@pytest.fixture(autouse=True)
def clean(database: Database) -> Iterator[None]:
    yield
    with database.begin() as session:
        for table in (RunRow, GoldenRow, FeedbackRow, AuditRow):
            session.execute(delete(table))


def send(client: TestClient, path: str, **fields: object) -> str:
    """Send a form as the page does, and follow where it leads."""
    token = csrf(client.get("/staff").text)
    return client.post(path, data={"csrf": token, **fields}, follow_redirects=True).text


def noted(database: Database) -> list[str]:
    with database.begin() as session:
        return list(session.scalars(select(AuditRow.action).order_by(AuditRow.id)))


def keep(database: Database, *questions: Golden) -> list[int]:
    with database.begin() as session:
        take_in(session, questions, "ann")
        return [row.id for row in every(session)]


# ---------------------------------------------------------------- doors


ADDRESSES = ("", "/golden", "/golden/new", "/golden.csv", "/runs", "/runs/1/progress", "/flags", "/coverage")


@pytest.mark.parametrize("path", ADDRESSES)
def test_nobody_comes_in_without_signing_in(app: FastAPI, path: str) -> None:
    response = visitor(app).get(f"/staff{path}")
    assert response.status_code == 303
    assert response.headers["location"].startswith("/login?next=")


@pytest.mark.parametrize("path", ["/staff", "/staff/golden", "/staff/golden/gate", "/staff/runs"])
def test_a_form_of_another_site_is_refused(client: TestClient, path: str) -> None:
    assert client.post(path, data={"question": "q"}).status_code == 403


# ---------------------------------------------------------------- the workbench


def test_a_question_is_answered_and_explained(client: TestClient) -> None:
    page = send(client, "/staff", question=f"Where is the soleus? {EVIL}")
    for heading in ("1. Safety", "2. Query", "3. Hits", "4. Evidence", "5. Claims and support", "6. Time"):
        assert heading in page
    assert "<meter" in page
    assert EVIL not in page
    assert html.escape(EVIL) in page
    assert " style=" not in page


def test_a_question_that_cannot_be_asked_is_told(client: TestClient) -> None:
    assert "Type a question first." in send(client, "/staff", question="  ")
    assert "may have 4000 characters" in send(client, "/staff", question="x" * 4001)


def test_an_answer_becomes_a_golden_question_in_one_click(client: TestClient, database: Database) -> None:
    page = send(client, "/staff", question="Where is the soleus?", history="hello\nWhat is the masseter?")
    form = page.split('action="/staff/golden"')[1].split("</form>")[0]
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form):
        fields.setdefault(name, []).append(html.unescape(value))
    added = client.post("/staff/golden", data=fields, follow_redirects=True)
    assert "Added." in added.text
    with database.begin() as session:
        (row,) = every(session)
    assert row.question == "Where is the soleus?"
    assert row.history == ["hello", "What is the masseter?"]
    assert (row.author, noted(database)) == ("staff", ["golden added"])


# ---------------------------------------------------------------- golden questions


def test_a_golden_question_is_added_changed_and_deleted(client: TestClient, database: Database) -> None:
    send(
        client, "/staff/golden", question="Q?", kinds=["answer", "related"], must_say="one\n\n two ", name="a"
    )
    with database.begin() as session:
        (row,) = every(session)
    assert (row.kinds, row.must_say, row.name) == (["answer", "related"], ["one", "two"], "a")
    send(client, f"/staff/golden/{row.id}", question="R?", kinds="abstention", name="a", note=EVIL)
    page = client.get(f"/staff/golden/{row.id}").text
    assert "R?" in page
    assert EVIL not in page
    send(client, f"/staff/golden/{row.id}/delete")
    with database.begin() as session:
        assert every(session) == []
    assert noted(database) == ["golden added", "golden changed", "golden deleted"]
    assert "not there any more" in send(client, f"/staff/golden/{row.id}/delete")


def test_what_is_wrong_in_the_form_is_told_and_nothing_of_it_is_lost(
    client: TestClient, database: Database
) -> None:
    page = send(client, "/staff/golden", question="", kinds="answer", must_say="kept as it was")
    assert "Question:" in page
    assert "kept as it was" in page
    assert "name at least one kind" in send(client, "/staff/golden", question="Q?")
    keep(database, Golden(name="taken", question="Q?"))
    assert "Another question is named taken." in send(
        client, "/staff/golden", question="R?", name="taken", kinds="answer"
    )


def test_files_go_out_and_come_in(client: TestClient, database: Database) -> None:
    golden = [Golden(name="a", question="=1+1"), Golden(name="b", question="Zwei?", must_say=("ja",))]
    keep(database, *golden)
    written = {ending: client.get(f"/staff/golden.{ending}") for ending in ("csv", "jsonl")}
    assert client.get("/staff/golden.exe").status_code == 404
    for ending, response in written.items():
        assert response.headers["content-disposition"] == f'attachment; filename="golden.{ending}"'
        assert exchange.read(f"golden.{ending}", response.content) == golden
        page = upload(client, f"golden.{ending}", response.content.replace(b"Zwei", b"Deux"))
        assert "Taken in." in page
        with database.begin() as session:
            assert [row.question for row in every(session)] == ["=1+1", "Deux?"]


def test_of_a_file_with_a_fault_nothing_is_taken(client: TestClient, database: Database) -> None:
    page = upload(client, "golden.jsonl", b'{"question": "Fine?"}\n{"question": "x", "kinds": ["sure"]}')
    assert "Line 2, kinds" in page
    with database.begin() as session:
        assert every(session) == []


def upload(client: TestClient, name: str, content: bytes) -> str:
    token = csrf(client.get("/staff").text)
    sent = client.post(
        "/staff/golden/in", data={"csrf": token}, files={"file": (name, content)}, follow_redirects=True
    )
    return sent.text


def test_the_gate_asks_what_staff_gives_it(client: TestClient, database: Database, store: Store) -> None:
    keep(database, Golden(name="a", question="Q?", article="soleus"))
    assert "From now on the store" in send(client, "/staff/golden/gate")
    assert [one.article for one in read_golden(store.folder / GOLDEN_FILE)] == ["soleus"]
    with database.begin() as session:
        session.execute(delete(GoldenRow))
    assert "Taken in." in send(client, "/staff/golden/from-gate")
    with database.begin() as session:
        assert [row.name for row in every(session)] == ["a"]


def test_many_questions_are_found_and_paged(client: TestClient, database: Database) -> None:
    keep(database, *(Golden(question=f"Question number {number}?") for number in range(120)))
    assert "page 1 of 2" in client.get("/staff/golden").text
    assert "Question number 119?" in client.get("/staff/golden?page=2").text
    assert "1 of 120 questions" in client.get("/staff/golden?find=number 77").text


# ---------------------------------------------------------------- runs


def finished(client: TestClient, number: int) -> dict[str, object]:
    """The progress of a run once it has ended."""
    for _ in range(20_000):
        found: dict[str, object] = client.get(f"/staff/runs/{number}/progress").json()
        if not found["goes_on"]:
            return found
    raise AssertionError(found)


def run(client: TestClient, generation: str) -> int:
    """The number of a run that is done."""
    page = send(client, "/staff/runs", generation=generation, engine="quote")
    number = int(re.findall(r"<h1>Run (\d+)</h1>", page)[0])
    assert finished(client, number)["state"] == "done"
    return number


GOLDEN = (
    Golden(name="calf", question="Where is the soleus?", kinds=("answer", "related", "abstention")),
    Golden(name="never", question="Where is the masseter?", kinds=("urgent",)),
)


def test_two_generations_are_run_compared_and_reported(
    client: TestClient, database: Database, store: Store
) -> None:
    keep(database, *GOLDEN)
    older, newer = store.names()
    first, second = run(client, older), run(client, newer)
    page = client.get(f"/staff/runs/{first}").text
    assert "50.0%" in page
    assert page.index("never") < page.index("calf")  # what failed stands first
    compared = client.get(f"/staff/runs/compare?before={first}&after={second}").text
    assert older in compared
    assert newer in compared
    assert compared.count('class="change"') == 2
    listed = client.get("/staff/runs").text
    assert listed.count('<figure class="chart">') == len(MEASURES)
    assert listed.count('<circle class="dot') == 2 * 3  # passed, kind and seconds, on both generations
    report = client.get(f"/staff/runs/{second}/report?before={first}")
    assert report.headers["content-disposition"].startswith("attachment;")
    assert not re.search(r'(?:src|href|action)="', report.text)  # it needs nothing but itself
    assert "--accent" in report.text
    assert "report made" in noted(database)


def test_a_deleted_question_stays_in_its_runs(client: TestClient, database: Database, store: Store) -> None:
    ids = keep(database, *GOLDEN)
    number = run(client, store.names()[-1])
    send(client, f"/staff/golden/{ids[0]}/delete")
    with database.begin() as session:
        rows = session.execute(
            select(OutcomeRow.name, OutcomeRow.golden_id).where(OutcomeRow.run_id == number)
        ).all()
    assert dict(tuple(row) for row in rows) == {"calf": None, "never": ids[1]}


def test_a_run_that_cannot_be_started_is_told(client: TestClient, database: Database, store: Store) -> None:
    name = store.names()[0]
    assert "no golden questions" in send(client, "/staff/runs", generation=name, engine="quote")
    keep(database, *GOLDEN)
    assert "is not kept any more" in send(client, "/staff/runs", generation="../x", engine="quote")
    assert "There is no engine" in send(client, "/staff/runs", generation=name, engine="llm:gpt")
    assert client.get("/staff/runs/999/progress").status_code == 404


def test_a_run_is_cancelled_while_it_waits(client: TestClient, database: Database, store: Store) -> None:
    keep(database, *(Golden(question=f"Where is muscle {number}?") for number in range(300)))
    name = store.names()[-1]
    pages = [send(client, "/staff/runs", generation=name, engine="quote") for _ in range(2)]
    first, second = (int(re.findall(r"<h1>Run (\d+)</h1>", page)[0]) for page in pages)
    for number in (second, first):
        send(client, f"/staff/runs/{number}/cancel")
    ends = [finished(client, number) for number in (first, second)]
    assert [one["state"] for one in ends] == ["cancelled", "cancelled"]
    assert ends[1]["done"] == 0
    assert noted(database).count("run cancelled") == 2


def test_what_an_earlier_server_did_not_end_is_given_up(front: Front, database: Database) -> None:
    runs = Runs(database, front)
    now = datetime.now(UTC)
    row = RunRow(
        generation="g",
        engine="quote",
        state="running",
        total=9,
        problem="",
        measures={},
        author="a",
        started=now,
    )
    with database.begin() as session:
        session.add(row)
    runs.recover()
    found = runs.progress(row.id)
    assert found is not None
    assert (found.state.value, found.problem) == ("failed", "The server was stopped meanwhile.")
    assert not runs.cancel(row.id)
    with pytest.raises(RunError):
        runs.start("g", "quote", "a")
    runs.close()


# ---------------------------------------------------------------- flags and coverage


def flag(
    database: Database, question: str, verdict: str = "no", days: int = 30, kind: str = "abstention"
) -> int:
    now = datetime.now(UTC)
    row = FeedbackRow(
        created=now,
        expires=now + timedelta(days=days),
        verdict=verdict,
        reason="wrong",
        words=EVIL,
        question=question,
        kind=kind,
        articles=["soleus", "gone"],
        generation="g",
        deletion=hashlib.sha256(question.encode()).hexdigest(),
    )
    with database.begin() as session:
        session.add(row)
    return row.id


def test_a_flag_goes_through_the_queue(client: TestClient, database: Database) -> None:
    number = flag(database, "Is this wrong?")
    flag(database, "This one has expired", days=-1)
    flag(database, "This one was liked", verdict="yes")
    page = client.get("/staff/flags").text
    assert "Is this wrong?" in page
    assert "I think it is wrong" in page
    assert "The soleus" in page
    assert EVIL not in page
    assert "expired" not in page
    assert "was liked" not in page
    me = re.findall(r'<option value="(\d+)">staff</option>', page)[0]
    page = send(client, f"/staff/flags/{number}", state="looking", assignee=me, note="See the second part.")
    assert "Looking (1)" in page
    assert "See the second part." in page
    send(client, f"/staff/flags/{number}", state="done", assignee="987", note="See the second part.")
    assert "Is this wrong?" not in client.get("/staff/flags").text
    assert "Is this wrong?" in client.get("/staff/flags?state=done").text
    with database.begin() as session:
        assert session.get_one(FlagRow, number).assignee_id is None
    assert noted(database) == ["flag", "flag"]


def test_a_note_goes_with_the_feedback_that_it_is_about(client: TestClient, database: Database) -> None:
    number = flag(database, "Is this wrong?")
    send(client, f"/staff/flags/{number}", state="looking", note="A note.")
    with database.begin() as session:
        session.execute(delete(FeedbackRow))
    with database.begin() as session:
        assert session.get(FlagRow, number) is None
    assert "not there any more" in send(client, f"/staff/flags/{number}", state="done")


def test_what_is_missing_is_listed_from_what_was_kept(client: TestClient, database: Database) -> None:
    flag(database, "Which pillow is best?")
    flag(database, "Which pillow is the best?", verdict="yes", kind="related")
    flag(database, "This one was answered", kind="answer")
    flag(database, "This one has expired", days=-1)
    page = client.get("/staff/coverage").text
    assert "Which pillow is best?" in page
    assert "was answered" not in page
    assert "has expired" not in page
    assert "The soleus" in page


def test_a_sentence_on_top_cannot_come_from_an_address(client: TestClient) -> None:
    for path in ("/staff/golden", "/staff/runs", "/staff/flags"):
        assert "Call this number" not in client.get(path, params={"said": "Call this number"}).text
