"""The record of every indexing run: when, of what, what changed, how long it took and what went wrong."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ValidationError

from index.gate import Score

_FILE = "runs.jsonl"
_SHOWN = 1000


class SourceRead(BaseModel):
    """How one source fared in a run.

    Attributes:
        source: As `Run.sources` names it.
        articles: How many were read from it and are fit to be served.
        held: How many were held back.
        problems: What could not be read of it.
    """

    source: str
    articles: int = 0
    held: int = 0
    problems: tuple[str, ...] = ()


class Run(BaseModel):
    """One run.

    Attributes:
        started: ISO 8601.
        seconds: How long it took.
        sources: What was read.
        trigger: What set it off: a command, the schedule, or the webhook's topic.
        outcome: `served`, `unchanged`, `held` (what was rolled away from is not served again), or `failed`.
        generation: What is served after it.
        added: How many articles, and so for `changed` and `removed`.
        embedded: How many passages.
        gate: How the golden questions fared; None without questions.
        errors: What went wrong, as it was told.
        read: How each source fared; empty when none had to be read.
    """

    started: str
    seconds: float
    sources: tuple[str, ...]
    trigger: str
    outcome: str
    generation: str = ""
    added: int = 0
    changed: int = 0
    removed: int = 0
    embedded: int = 0
    gate: Score | None = None
    errors: tuple[str, ...] = ()
    read: tuple[SourceRead, ...] = ()


def record(store: Path, run: Run) -> None:
    """Add a run to a store's record."""
    store.mkdir(parents=True, exist_ok=True)
    with (store / _FILE).open("a+b") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
        torn = file.read(1) not in {b"", b"\n"}  # a record that a killed run left unfinished
        file.write(b"\n" * torn + run.model_dump_json().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def runs(store: Path, last: int = _SHOWN) -> list[Run]:
    """The last runs, oldest first; a line that an accident cut short is passed over."""
    path = store / _FILE
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines()[-last:]:
        try:
            found.append(Run.model_validate_json(line))
        except ValidationError:
            continue
    return found
