"""Killed at any instant, a store serves one whole generation; a server answers through every swap."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from assistant.assistant import Assistant
from assistant.pages.front import Front
from assistant.pages.server import LOGGING, Options, create_app, listen
from assistant.safety.check import SafetyCheck
from index.encoder import Encoder
from index.generation import Sourced
from index.query import QueryMaker
from index.retriever import Retriever
from index.store import Store
from ingest.article import Article
from tests.conftest import ROOT
from tests.plain_encoder import PlainEncoder
from tests.store_writer import corpus, turn_of


@pytest.mark.parametrize(
    "kills", [6, pytest.param(200, marks=[pytest.mark.stress, pytest.mark.timeout(3600)])]
)
def test_killed_at_random_instants_a_whole_generation_is_served(tmp_path: Path, kills: int) -> None:
    folder, chance, turn = tmp_path / "store", random.Random(1), 0
    Store(folder).write(corpus(turn), PlainEncoder())
    for _ in range(kills):
        reached = kill_a_writer(folder, turn, chance)
        store = Store(folder)
        assert store.check() == []
        generation = store.open()
        served = [generation.article(row) for row in range(len(generation.ids))]
        turn = turn_of(served[0])
        # Nothing that was said to be served is lost, and nothing is mixed.
        assert turn >= reached
        assert served == [one.article for one in corpus(turn)]
    assert Store(folder).write(corpus(turn + 1), PlainEncoder()) is not None
    assert list((folder / "generations").glob(".building-*")) == []


def kill_a_writer(folder: Path, turn: int, chance: random.Random) -> int:
    """Start a writer, and kill it at some instant after its second generation; the last that it told."""
    command = [sys.executable, "-m", "tests.store_writer", str(folder), str(turn)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        started = time.perf_counter()
        reached = int(writer.stdout.readline())
        second = writer.stdout.readline()
        reached, once = int(second), time.perf_counter() - started
        time.sleep(chance.random() * once / 4)
        writer.kill()
        rest = writer.stdout.read().split()
    return max(reached, *map(int, rest)) if rest else reached


def blog(turn: int) -> list[Sourced]:
    texts = {
        "soleus": f"The soleus refers pain to the heel in edition {turn}. It is strong in edition {turn}.",
        "psoas": f"The psoas bends the hip in edition {turn}. It lies deep in edition {turn}.",
    }
    return [Sourced(Article(name, f"The {name}", text), "export") for name, text in texts.items()]


@pytest.mark.parametrize(
    "swaps", [3, pytest.param(20, marks=[pytest.mark.stress, pytest.mark.timeout(1800)])]
)
def test_a_server_answers_through_every_swap(tmp_path: Path, tiny_encoder: Encoder, swaps: int) -> None:
    store, safety = Store(tmp_path / "store"), SafetyCheck()

    def assistant() -> Assistant:
        generation = store.open(tiny_encoder.identity)
        return Assistant(Retriever(generation, tiny_encoder), safety, QueryMaker.of(generation, tiny_encoder))

    def renew(served: str) -> Assistant | None:
        return None if store.current_name() == served else assistant()

    editions: dict[str, int] = {}

    def publish(turn: int) -> None:
        store.write(blog(turn), tiny_encoder)
        editions[store.current_name()] = turn

    publish(0)
    front, stop, answers = Front(assistant()), threading.Event(), [0]
    follower = threading.Thread(target=front.follow, args=(renew, stop, 0.01))
    follower.start()
    with serving(front) as address, ThreadPoolExecutor(8) as clients:
        asking = [clients.submit(ask_until, stop, address, answers) for _ in range(8)]
        for turn in range(1, swaps + 1):
            publish(turn)
            seen = len(answers)
            while front.now.assistant.generation.name != store.current_name() or len(answers) < seen + 16:
                if any(one.done() for one in asking):
                    break
                stop.wait(0.01)
        stop.set()
        found = [answer for one in asking for answer in one.result()]
    follower.join()
    assert {one["generation"] for one in found} == set(editions)
    for one in found:
        edition = f"in edition {editions[one['generation']]}."
        assert one["kind"] == "answer"
        assert one["citations"]
        assert all(edition in citation["quote"] for citation in one["citations"])


def ask_until(stop: threading.Event, address: str, answers: list[int]) -> list[dict[str, Any]]:
    """What one client is answered until it is told to stop; `answers` grows with each."""
    found = []
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        while not stop.is_set():
            answered = client.post("/api/v1/ask", json={"question": "Where does the soleus refer pain?"})
            found.append(answered.raise_for_status().json())
            answers.append(1)
    return found


@contextmanager
def serving(front: Front) -> Iterator[str]:
    """A server on a free port; its address."""

    async def made() -> FastAPI:
        return create_app(
            front, Options(asks_per_minute=0)
        )  # Gradio opens event loops of its own outside of one

    with listen("127.0.0.1", 0) as listening:
        server = uvicorn.Server(uvicorn.Config(asyncio.run(made()), log_config=LOGGING, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
