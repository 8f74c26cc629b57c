"""Where messages come in, from the page or the API: their limits, and how many are answered at once."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from assistant.answer import Answer
from assistant.api.metrics import Metrics
from assistant.assistant import Assistant

LONGEST = 4_000  # characters of a message
TURNS = 30  # earlier messages that are read; the safety check reads no more either

# Messages that wait for a thread: two seconds' worth, at some thirty milliseconds each. A visitor who would
# wait longer is better told so at once.
WAITING = 64
PATIENCE = 60.0  # seconds until an answer is given up; a language model has limits of its own, and lower ones

_Text = Annotated[str, StringConstraints(max_length=LONGEST)]
T = TypeVar("T")


class BusyError(Exception):
    """As many messages wait as may: whoever asks now is to come again later."""


class Message(BaseModel):
    """A question, and the visitor's earlier messages, oldest first."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {"question": "Where is pain from the infraspinatus felt?"},
                {"question": "And what helps it?", "history": ["Where is pain from the infraspinatus felt?"]},
            ]
        },
    )

    question: Annotated[_Text, Field(description="What the visitor typed.")]
    history: Annotated[
        tuple[_Text, ...],
        Field(max_length=TURNS, description="The visitor's own earlier messages, oldest first."),
    ] = ()
    article: Annotated[
        str, Field(max_length=2_000, description="The id of the article that the visitor is reading, if any.")
    ] = ""


class Desk:
    """Asks the assistant, off the event loop, a few messages at a time.

    Args:
        assistant: May be asked from several threads.
        metrics: Counts the answers.
        at_once: How many; more than there are cores would only make all of them slow.
        waiting: How many more may wait for their turn.
    """

    def __init__(
        self, assistant: Assistant, metrics: Metrics, at_once: int | None = None, waiting: int = WAITING
    ) -> None:
        self.assistant = assistant
        self._metrics = metrics
        threads = at_once or max(2, os.cpu_count() or 1)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="ask")
        self._places = threading.BoundedSemaphore(threads + waiting)

    @property
    def is_full(self) -> bool:
        """Whether whoever asked now would be sent away."""
        if free := self._places.acquire(blocking=False):
            self._places.release()
        return not free

    async def ask(self, message: Message, id: str = "") -> Answer:
        """The answer to a message.

        Raises:
            BusyError: Too many wait already.
            TimeoutError: It took longer than anybody would wait.
        """
        return await self.submit(message, id)

    def submit(self, message: Message, id: str = "") -> asyncio.Task[Answer]:
        """`ask`, let in or sent away at once, and to be awaited later; errors as there."""

        def work() -> Answer:
            answer = self.assistant.ask(message.question, message.history, id=id, article=message.article)
            self._metrics.answered(answer)
            return answer

        return self.work(work)

    def work(self, work: Callable[[], T]) -> asyncio.Task[T]:
        """Something else that takes a thread for a moment; errors as for `ask`."""
        if not self._places.acquire(blocking=False):
            self._metrics.turned_away("busy")
            raise BusyError
        self._metrics.pending.inc()
        future = self._threads.submit(work)
        future.add_done_callback(self._leave)  # also of one that was given up before its turn came
        return asyncio.create_task(_patiently(future))

    def _leave(self, _: Future[T]) -> None:
        self._metrics.pending.dec()
        self._places.release()


async def _patiently(future: Future[T]) -> T:
    async with asyncio.timeout(PATIENCE):
        return await asyncio.wrap_future(future)
