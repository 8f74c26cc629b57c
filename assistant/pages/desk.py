"""Where messages come in, from the page or the API: their limits, and how many are answered at once."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from assistant.answer import Answer
from assistant.assistant import Assistant

LONGEST = 4_000  # characters of a message
TURNS = 30  # earlier messages that are read; the safety check reads no more either

_Text = Annotated[str, StringConstraints(max_length=LONGEST)]


class Message(BaseModel):
    """A question, and the visitor's earlier messages, oldest first."""

    model_config = ConfigDict(frozen=True)

    question: _Text
    history: Annotated[tuple[_Text, ...], Field(max_length=TURNS)] = ()


class Desk:
    """Asks the assistant, off the event loop, a few messages at a time.

    Args:
        assistant: May be asked from several threads.
        at_once: How many; more than there are cores would only make all of them slow.
    """

    def __init__(self, assistant: Assistant, at_once: int | None = None) -> None:
        self._assistant = assistant
        self._places = asyncio.Semaphore(at_once or max(2, os.cpu_count() or 1))

    async def ask(self, message: Message) -> Answer:
        """The answer to a message."""
        async with self._places:
            return await asyncio.to_thread(self._assistant.ask, message.question, message.history)
