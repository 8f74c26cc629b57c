"""The API: asking, streaming, searching, listing, and what it says when it refuses."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from assistant.api.desk import LONGEST, BusyError, Desk, Message
from assistant.api.metrics import Metrics
from assistant.api.schema import AnswerShown
from assistant.assistant import Assistant
from assistant.pages.server import LARGEST, Options, create_app
from assistant.safety.check import SafetyCheck
from index.encoder import Encoder
from index.generation import Sourced
from index.query import QueryMaker
from index.retriever import Retriever
from index.store import Store
from ingest.article import Article, Comment

CALF = Article(
    id="/blogs/a/calf",
    title="The calf",
    text="The calf is at the back of the leg. It lifts the heel.",
    url="https://blog.example/blogs/a/calf",
    author="Ann O'Dwyer",
    published="2017-03-04",
    tags=("leg",),
    comments=(Comment("My calf hurt for a year.", "2018-01-01"),),
)
WRIST = Article(
    id="wrist",
    title="The wrist",
    text="The wrist joins the hand to the arm.",
    author="Bo Lind",
    published="2020-01-01",
    tags=("arm", "hand"),
)
URGENT = "my chest feels crushed and my left arm is numb, sweating"
EVENTS = {"Accept": "text/event-stream"}


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Encoder) -> Assistant:
    folder = tmp_path_factory.mktemp("api") / "store"
    Store(folder).write([Sourced(one, "test") for one in (CALF, WRIST)], tiny_encoder)
    retriever = Retriever(Store(folder).open(tiny_encoder.identity), tiny_encoder)
    queries = QueryMaker.of(retriever.generation, tiny_encoder)
    return Assistant(retriever, SafetyCheck(), queries, country="GB")


@pytest.fixture(scope="module")
def client(assistant: Assistant) -> Iterator[TestClient]:
    with TestClient(made(assistant, Options(asks_per_minute=0))) as client:
        yield client


def made(assistant: Assistant, options: Options) -> FastAPI:
    """The application, made inside an event loop: outside of one, Gradio opens some and leaves them open."""

    async def make() -> FastAPI:
        return create_app(assistant, options)

    return asyncio.run(make())


def ask(client: TestClient, question: str, **more: Any) -> Any:
    return client.post("/api/v1/ask", json={"question": question, **more})


def events(text: str) -> list[tuple[str, Any]]:
    """The events of a stream, comments left out."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


# ---------------------------------------------------------------- asking


def test_an_answer_is_as_the_description_says(client: TestClient) -> None:
    got = ask(client, "What lifts the heel?")
    strict = AnswerShown.model_validate(got.json()).model_dump(mode="json")
    assert strict == got.json()  # no field is missing in the description
    assert "not medical advice" in got.json()["disclaimer"]
    assert got.headers["cache-control"] == "no-store"


def test_the_answers_id_is_the_requests(client: TestClient) -> None:
    got = ask(client, "What lifts the heel?")
    assert got.json()["id"] == got.headers["x-request-id"]
    mine = client.post("/api/v1/ask", json={"question": "hi"}, headers={"X-Request-ID": "from-the-proxy-1"})
    assert mine.json()["id"] == mine.headers["x-request-id"] == "from-the-proxy-1"
    odd = client.get("/healthz", headers={"X-Request-ID": "<script>alert(1)</script>"})
    assert odd.headers["x-request-id"].isalnum()


@pytest.mark.parametrize("question", ["What lifts the heel?", "hello", "What is the price of gold?", URGENT])
def test_every_stream_has_the_disclaimer_first_and_the_whole_last(client: TestClient, question: str) -> None:
    got = client.post("/api/v1/ask", json={"question": question}, headers=EVENTS)
    assert got.headers["content-type"].startswith("text/event-stream")
    shown = events(got.text)
    assert shown[0][0] == "disclaimer"
    assert "not medical advice" in shown[0][1]["text"]
    name, whole = shown[-1]
    assert name == "done"
    again = ask(client, question).json()
    volatile = ("id", "seconds")
    assert {k: v for k, v in whole.items() if k not in volatile} == {
        k: v for k, v in again.items() if k not in volatile
    }
    assert [data for name, data in shown if name == "claim"] == whole["claims"]
    assert [data for name, data in shown if name == "citation"] == whole["citations"]


def test_a_claim_is_streamed_after_what_it_rests_on(client: TestClient) -> None:
    got = client.post("/api/v1/ask", json={"question": "What lifts the heel?"}, headers=EVENTS)
    known: set[int] = set()
    for name, data in events(got.text):
        if name == "citation":
            known.add(data["number"])
        if name == "claim":
            assert set(data["citations"]) <= known


def test_an_urgent_notice_is_streamed_before_all_else_but_the_disclaimer(client: TestClient) -> None:
    got = client.post("/api/v1/ask", json={"question": URGENT}, headers=EVENTS)
    assert [name for name, _ in events(got.text)] == ["disclaimer", "notice", "done"]


# ---------------------------------------------------------------- searching and listing


def test_search_finds_passages_with_their_places(client: TestClient) -> None:
    got = client.get("/api/v1/search", params={"q": "calf heel", "top": 1}).json()
    (hit,) = got["hits"]
    assert hit["article_id"] == CALF.id
    assert CALF.text[hit["start"] : hit["end"]] == hit["text"]
    assert hit["link"].startswith(f"{CALF.url}#:~:text=")
    assert got["notice"] is None
    assert "not medical advice" in got["disclaimer"]
    assert client.post("/api/v1/search", json={"q": "calf heel", "top": 1}).json() == got


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"tag": ["ARM"]}, {WRIST.id}),
        ({"tag": ["arm", "leg"]}, {WRIST.id, CALF.id}),
        ({"author": ["ann o'dwyer"]}, {CALF.id}),
        ({"since": "2018-01-01"}, {WRIST.id}),
        ({"until": "2017-03-04"}, {CALF.id}),
        ({"updated_since": "2000-01-01"}, set()),
    ],
)
def test_filters_leave_out_what_is_not_wanted(
    client: TestClient, wanted: dict[str, Any], found: set[str]
) -> None:
    hits = client.get("/api/v1/search", params={"q": "the", **wanted}).json()["hits"]
    assert {hit["article_id"] for hit in hits} == found
    listed = client.get("/api/v1/articles", params=wanted).json()
    assert {one["id"] for one in listed["articles"]} == found
    assert listed["total"] == len(found)


def test_comments_are_found_only_when_asked_for_and_have_no_authors_name(client: TestClient) -> None:
    (hit,) = client.get("/api/v1/search", params={"q": "calf hurt", "kind": "comment"}).json()["hits"]
    assert (hit["kind"], hit["author"], hit["text"]) == ("comment", "", CALF.comments[0].text)
    hits = client.get("/api/v1/search", params={"q": "calf hurt"}).json()["hits"]
    assert {one["kind"] for one in hits} == {"article"}


def test_a_search_for_an_emergency_gets_the_notice_alone(client: TestClient) -> None:
    got = client.post("/api/v1/search", json={"q": URGENT}).json()
    assert got["notice"]["level"] == "emergency_now"
    assert got["hits"] == []


def test_articles_are_listed_in_parts(client: TestClient) -> None:
    first = client.get("/api/v1/articles", params={"limit": 1}).json()
    second = client.get("/api/v1/articles", params={"limit": 1, "offset": 1}).json()
    assert [one["id"] for one in first["articles"] + second["articles"]] == sorted([CALF.id, WRIST.id])
    assert first["total"] == second["total"] == 2
    assert "text" not in first["articles"][0]


def test_one_article_is_read_by_its_id(client: TestClient) -> None:
    got = client.get("/api/v1/article", params={"id": CALF.id}).json()
    assert (got["title"], got["text"], got["tags"]) == (CALF.title, CALF.text, ["leg"])
    assert "comments" not in got
    assert client.get("/api/v1/article", params={"id": "nothing"}).status_code == 404


# ---------------------------------------------------------------- refusals


def problem(got: Any, status: int) -> dict[str, Any]:
    assert got.status_code == status
    assert got.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = got.json()
    assert told["status"] == status
    assert told["request_id"] == got.headers["x-request-id"]
    assert told["title"]
    assert told["detail"]
    return told


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "body.question"),
        ({"question": 5}, "body.question"),
        ({"question": "x" * (LONGEST + 1)}, "body.question"),
        ({"question": "x", "history": ["x", 7]}, "body.history.1"),
        ({"question": "x", "history": ["x"] * 31}, "body.history"),
    ],
)
def test_a_refusal_names_the_offender_and_repeats_nothing(client: TestClient, sent: Any, field: str) -> None:
    told = problem(client.post("/api/v1/ask", json=sent), 422)
    assert [one["field"] for one in told["errors"]] == [field]
    assert "xxxx" not in json.dumps(told)


def test_what_is_no_json_and_what_is_nowhere_are_problems_too(client: TestClient) -> None:
    assert problem(client.post("/api/v1/ask", content=b"{my secret"), 422)["errors"][0]["field"] == "body"
    problem(client.get("/api/v1/ask"), 404)
    backwards = {"q": "x", "since": "2020-02-02", "until": "2020-01-01"}
    problem(client.get("/api/v1/search", params=backwards), 422)
    problem(client.get("/api/v1/search", params={"q": "x", "top": 51}), 422)
    problem(client.get("/api/v1/search", params={"q": " "}), 422)


def test_a_request_that_is_too_large_is_refused(client: TestClient) -> None:
    assert client.post("/api/v1/ask", content=b"x" * (LARGEST + 1)).status_code == 413
    longest = {"question": "\N{GRINNING FACE}" * LONGEST, "history": ["\N{GRINNING FACE}" * LONGEST] * 2}
    assert client.post("/api/v1/ask", json=longest).status_code == 200


def test_an_address_that_asks_too_often_is_told_when_to_come_again(assistant: Assistant) -> None:
    with TestClient(made(assistant, Options(asks_per_minute=3))) as client:
        got = [ask(client, "hello") for _ in range(5)]
        assert [one.status_code for one in got] == [200, 200, 200, 429, 429]
        problem(got[-1], 429)
        assert 1 <= int(got[-1].headers["retry-after"]) <= 60
        assert client.get("/healthz").status_code == 200  # whatever is cheap goes on
        assert 'referral_turned_away_total{reason="rate"} 2.0' in client.get("/metrics").text


def test_a_full_desk_sends_away_and_recovers(assistant: Assistant) -> None:
    asyncio.run(_fill(assistant))


async def _fill(assistant: Assistant) -> None:
    metrics = Metrics()
    desk = Desk(assistant, metrics, at_once=1, waiting=1)
    gate = threading.Event()
    held = [desk.work(gate.wait), desk.work(gate.wait)]
    assert desk.is_full
    with pytest.raises(BusyError):
        await desk.ask(Message(question="What lifts the heel?"))
    gate.set()
    assert await asyncio.gather(*held) == [True, True]
    assert not desk.is_full
    assert (await desk.ask(Message(question="hello"))).kind == "smalltalk"
    assert b"referral_pending 0.0" in metrics.text()


# ---------------------------------------------------------------- operation


def test_health_and_readiness(client: TestClient, assistant: Assistant) -> None:
    assert client.get("/healthz").json() == {"status": "ok", "generation": assistant.generation.name}
    assert client.get("/readyz").json()["status"] == "ready"


def test_metrics_count_and_hold_no_words(client: TestClient) -> None:
    ask(client, "What lifts the unmistakable heel?")
    client.get("/unmistakable")
    text = client.get("/metrics").text
    assert 'referral_answers_total{engine="quote"' in text
    assert 'referral_requests_total{route="/api/v1/ask",status="200"}' in text
    assert 'referral_requests_total{route="other",status="404"}' in text
    assert "unmistakable" not in text


def test_nothing_that_is_asked_is_logged(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        ask(client, "What lifts the unmistakable heel?", history=["unmistakable"])
        client.post("/api/v1/ask", json={"question": ["unmistakable"]})
        client.post("/api/v1/search", json={"q": "unmistakable"})
    assert "unmistakable" not in caplog.text


def test_the_description_is_whole_and_has_examples(client: TestClient) -> None:
    described = client.get("/api/v1/openapi.json").json()
    asking = described["paths"]["/api/v1/ask"]["post"]
    example = asking["responses"]["200"]["content"]["application/json"]["example"]
    example["notice"] = None  # FastAPI leaves out what is null
    assert AnswerShown.model_validate(example).model_dump(mode="json") == example
    assert "text/event-stream" in asking["responses"]["200"]["content"]
    for status in ("413", "422", "429", "503"):
        assert list(asking["responses"][status]["content"]) == ["application/problem+json"]
    assert described["components"]["schemas"]["Message"]["examples"]
    assert {"/api/v1/search", "/api/v1/articles", "/healthz", "/readyz"} <= set(described["paths"])


# ---------------------------------------------------------------- other assistants


def call(client: TestClient, method: str, params: dict[str, Any]) -> Any:
    """One message of the Model Context Protocol."""
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}
    got = client.post("/mcp", json=message, headers=headers)
    assert got.status_code == 200, got.text
    return got.json()["result"]


def test_other_assistants_find_two_tools_that_only_read(client: TestClient) -> None:
    tools = call(client, "tools/list", {})["tools"]
    assert {one["name"] for one in tools} == {"ask", "search"}
    assert all(one["annotations"]["readOnlyHint"] for one in tools)
    assert tools[0]["outputSchema"]


def test_other_assistants_get_the_same_answer_with_its_sources(client: TestClient) -> None:
    question = "What lifts the heel?"
    got = call(client, "tools/call", {"name": "ask", "arguments": {"question": question}})
    shown, mine = got["structuredContent"], ask(client, question).json()
    for name in ("kind", "text", "claims", "citations", "disclaimer"):
        assert shown[name] == mine[name]
    hits = call(client, "tools/call", {"name": "search", "arguments": {"query": "heel", "tag": ["leg"]}})
    assert {one["article_id"] for one in hits["structuredContent"]["hits"]} == {CALF.id}


def test_other_assistants_get_the_notice_too(client: TestClient) -> None:
    for tool, named in (("ask", "question"), ("search", "query")):
        got = call(client, "tools/call", {"name": tool, "arguments": {named: URGENT}})
        assert got["structuredContent"]["notice"]["level"] == "emergency_now"


def test_what_other_assistants_send_is_limited_and_not_logged(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        sent = {"question": "unmistakable " * LONGEST}
        assert call(client, "tools/call", {"name": "ask", "arguments": sent})["isError"]
    assert "unmistakable" not in caplog.text


# ---------------------------------------------------------------- what browsers are told


@pytest.mark.parametrize("path", ["/", "/healthz", "/pages/chat.js", "/api/v1/openapi.json", "/nothing"])
def test_every_response_has_a_policy_and_no_other_host_in_it(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "http" not in headers["content-security-policy"]
    assert "'unsafe-inline'" not in headers["content-security-policy"].split("style-src")[0]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-request-id"]


def test_only_the_page_of_gradio_may_compile_scripts(client: TestClient) -> None:
    assert "'unsafe-eval'" in client.get("/").headers["content-security-policy"]
    assert "script-src" not in client.get("/healthz").headers["content-security-policy"]
