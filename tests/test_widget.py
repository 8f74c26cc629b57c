"""The widget's page and script, without a browser: what it knows of the article that is being read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from lxml import html as lxml_html

from assistant.assistant import Assistant
from assistant.pages.assets import HERE
from assistant.pages.server import Options, create_app
from assistant.pages.session_token import Sessions
from assistant.pages.widget import accents, contrast, find, origin
from assistant.safety.check import SafetyCheck
from index.encoder import Encoder
from index.generation import Generation, Sourced
from index.query import QueryMaker
from index.retriever import Retriever
from index.store import Store
from ingest.article import Article

CALF = Article(
    id="/blogs/a/calf",
    title='The calf <script>alert("x")</script>',
    text="The calf is at the back of the leg. It lifts the heel.",
    url="https://blog.example/blogs/a/calf",
)
SHOP = "https://shop.example"
URGENT = "my chest feels crushed and my left arm is numb, sweating"


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Encoder) -> Assistant:
    folder: Path = tmp_path_factory.mktemp("widget") / "store"
    Store(folder).write([Sourced(CALF, "test")], tiny_encoder)
    retriever = Retriever(Store(folder).open(tiny_encoder.identity), tiny_encoder)
    return Assistant(retriever, SafetyCheck(), QueryMaker.of(retriever.generation, tiny_encoder))


@pytest.fixture
def generation(assistant: Assistant) -> Generation:
    return assistant.generation


@pytest.fixture(scope="module")
def client(assistant: Assistant) -> Iterator[TestClient]:
    async def make() -> FastAPI:
        return create_app(assistant, Options(asks_per_minute=0, framed_by=(SHOP,)))

    with TestClient(asyncio.run(make())) as client:
        yield client


def test_only_the_allowed_origins_may_frame_it(client: TestClient) -> None:
    headers = client.get("/widget").headers
    assert f"frame-ancestors {SHOP}" in headers["content-security-policy"]
    assert "'unsafe-eval'" not in headers["content-security-policy"]
    assert "x-frame-options" not in headers
    assert "set-cookie" not in headers
    assert "frame-ancestors 'none'" in client.get("/").headers["content-security-policy"]


def test_the_script_is_small_and_may_be_loaded_from_elsewhere(client: TestClient) -> None:
    got = client.get("/widget.js")
    assert len(got.content) < 15_000
    assert got.headers["cross-origin-resource-policy"] == "cross-origin"
    assert b"cookie" not in got.content.replace(b"no cookie", b"")
    assert client.get("/pages/frame.js").status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        "https://blog.example/blogs/a/calf",
        "https://other.example/blogs/a/calf/?utm_source=x#top",
        "https://blog.example/en-gb/blogs/a/calf",
    ],
)
def test_the_article_is_known_by_its_path(generation: Generation, url: str) -> None:
    found = find(generation, url)
    assert found
    assert found.id == CALF.id


@pytest.mark.parametrize(
    "url", ["", "https://blog.example/", "https://blog.example/blogs/a/calf-two", "nonsense"]
)
def test_another_page_is_no_article(generation: Generation, url: str) -> None:
    assert find(generation, url) is None


def test_the_page_tells_which_article_it_begins_with(client: TestClient) -> None:
    page = client.get("/widget", params={"article": CALF.url})
    tree = lxml_html.fromstring(page.text)
    assert tree.xpath("//body/@data-article") == [CALF.id]
    assert CALF.title in tree.xpath("string(//*[@class='reading'])")
    assert "alert" not in " ".join(tree.xpath("//script/text()"))
    assert "You are reading" not in client.get("/widget", params={"article": "https://x.example/y"}).text


def test_every_file_of_the_page_is_on_this_server(client: TestClient) -> None:
    tree = lxml_html.fromstring(client.get("/widget").text)
    files = tree.xpath("//script/@src | //link/@href")
    assert len(files) == 4
    for file in files:
        assert client.get(f"/{file}").status_code == 200
    assert (HERE / "frame.js").is_file()


@pytest.fixture
def session(client: TestClient) -> dict[str, str]:
    """The header with a token, as the frame takes it from its own page."""
    (token,) = lxml_html.fromstring(client.get("/widget").text).xpath("//body/@data-session")
    return {"X-Referral-Session": token}


def test_it_answers_with_the_same_safety(client: TestClient, session: dict[str, str]) -> None:
    def ask(**sent: object) -> Response:
        return client.post("/widget/ask", json=sent, headers=session)

    got = ask(question="What lifts the heel?", turn=1).json()
    assert "not medical advice" in got["html"]
    assert "not medical advice" in got["text"]
    assert ask(question=URGENT, turn=1).json()["urgent"] is True
    assert ask(question="x").status_code == 422
    onward = client.post("/widget/onward", json={"articles": [CALF.id], "asked": []}, headers=session)
    assert isinstance(onward.json(), list)


def test_nobody_asks_who_has_not_loaded_the_frame(client: TestClient, session: dict[str, str]) -> None:
    token = session["X-Referral-Session"]
    for wrong in ("", "x", token[:-1] + ("0" if token[-1] != "0" else "1"), "9" + token, token.split(".")[0]):
        headers = {"X-Referral-Session": wrong} if wrong else {}
        for path in ("ask", "onward"):
            got = client.post(f"/widget/{path}", json={"question": "x", "turn": 1}, headers=headers)
            assert got.status_code == 401
            assert got.headers["content-type"] == "application/problem+json"


def test_a_token_is_short_lived_and_of_one_server() -> None:
    now = 1_000_000.0
    sessions = Sessions(lambda: now)
    token = sessions.issue()
    assert sessions.accepts(token)
    assert sessions.issue() != token
    assert not Sessions(lambda: now).accepts(token)  # after a restart there is another key
    now += 30 * 60 - 1
    assert sessions.accepts(token)
    now += 1
    assert not sessions.accepts(token)


def test_the_host_page_is_given_nothing_secret(client: TestClient, session: dict[str, str]) -> None:
    script = client.get("/widget.js").text
    assert session["X-Referral-Session"] not in script
    assert "session" not in script.lower()
    assert (
        "access-control-allow-origin" not in client.get("/widget").headers
    )  # no other origin reads the frame


def test_the_articles_title_is_not_read_as_the_visitors_words(
    client: TestClient, session: dict[str, str]
) -> None:
    for article in (CALF.id, "nothing"):
        sent = {"question": "What lifts the heel?", "turn": 1, "article": article}
        assert client.post("/widget/ask", json=sent, headers=session).status_code == 200


@pytest.mark.parametrize("colour", ["#0b655f", "#ffcc00", "#777777", "#000000"])
def test_an_accent_is_used_only_where_it_can_be_read(colour: str) -> None:
    backs = {"light": "#fbf9f5", "dark": "#171614"}
    for theme, back in backs.items():
        assert (theme in accents(colour)) is (contrast(colour, back) >= 4.5)
    for style in accents(colour).values():
        words = style.split("--on-accent: ")[1]
        assert contrast(words, colour) >= 4.5


@pytest.mark.parametrize("colour", ["", "red", "#12345", "#0b655f; } body { display: none", "url(x)"])
def test_what_is_no_colour_is_left_out(colour: str) -> None:
    assert accents(colour) == {}


def test_an_origin_is_an_origin() -> None:
    assert origin("https://shop.example/") == "https://shop.example"
    assert origin("http://localhost:8000") == "http://localhost:8000"
    for wrong in (
        "shop.example",
        "https://shop.example/blogs",
        "https://*; script-src *",
        "javascript:x",
        "*",
    ):
        with pytest.raises(ValueError, match="origin"):
            origin(wrong)
