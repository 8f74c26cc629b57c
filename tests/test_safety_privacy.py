"""A visitor's words are in the reply, and nowhere else once it is sent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from assistant.assistant import Assistant
from assistant.pages.server import Options, create_app
from assistant.safety.check import SafetyCheck
from assistant.wording import wording
from index.encoder import Encoder
from index.generation import Sourced
from index.query import QueryMaker
from index.retriever import Retriever
from index.store import Store
from ingest.article import Article

MARKER = "zanzibarquux"
MESSAGES = (
    f"where does the soleus send pain, {MARKER}?",
    f"crushing chest pain going down my left arm and I'm sweating {MARKER}",
    f"how many ibuprofen for {MARKER}",
    f"{MARKER} pizza",
    f"hello {MARKER}",
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Encoder) -> Path:
    folder = tmp_path_factory.mktemp("privacy") / "store"
    text = "The soleus sends pain to the heel. It lies below the gastrocnemius."
    Store(folder).write([Sourced(Article("soleus", "The soleus", text), "test")], tiny_encoder)
    return folder


@pytest.fixture(scope="module")
def client(store: Path, tiny_encoder: Encoder) -> Iterator[TestClient]:
    retriever = Retriever(Store(store).open(tiny_encoder.identity), tiny_encoder)
    queries = QueryMaker.of(retriever.generation, tiny_encoder)
    assistant = Assistant(retriever, SafetyCheck(), queries)

    async def make() -> TestClient:
        return TestClient(create_app(assistant, Options(asks_per_minute=0)))

    with asyncio.run(make()) as client:
        yield client


@pytest.mark.parametrize("message", MESSAGES)
def test_messages_reach_no_log_and_no_file(
    client: TestClient, store: Path, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    got = client.post("/api/v1/ask", json={"question": message, "history": [f"before, {MARKER}"]})
    assert MARKER in got.json()["question"]
    assert "not medical advice" in got.json()["disclaimer"]
    assert MARKER not in caplog.text
    assert not [file for file in store.rglob("*") if file.is_file() and MARKER.encode() in file.read_bytes()]


def test_a_refused_message_is_not_logged_either(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert client.post("/api/v1/ask", json={"question": 5, "history": [MARKER]}).status_code == 422
    assert MARKER not in caplog.text


def test_the_page_asks_for_no_names_before_the_first_message(client: TestClient) -> None:
    assert "names or contact details" in wording().privacy
    assert "names or contact details" in client.get("/").text
