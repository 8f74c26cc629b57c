"""The words that the program goes by, and where to change them: shown and searched, not changed here."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from assistant.accounts.doors import SignedIn
from assistant.maintainers.room import Room
from assistant.pages.starters import starters
from assistant.safety.notices import HERE
from index.bridge import BridgeStore
from index.lexicon import LEXICON_FILE

_PROJECT = Path(__file__).parents[2]
_FILES = {
    "lexicon": LEXICON_FILE,
    "notices": HERE / "notices.toml",
    "wording": _PROJECT / "assistant" / "wording.toml",
}
_SHOWN = 60
_BEGINS = re.compile(r"(\[.*\]|\w+(?=\s*=))")

Of = Literal["lexicon", "notices", "wording", "starters", "bridge"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that can be looked up.

    Attributes:
        heading: What it stands under, as its file writes it.
        fields: Each a name and its words.
        line: Where in the file, from 1; 0 when it is in none.
    """

    heading: str
    fields: tuple[tuple[str, tuple[str, ...]], ...]
    line: int = 0

    def has(self, sought: str) -> bool:
        """Whether the words that are looked for stand anywhere in it."""
        return any(sought in one.casefold() for one in (self.heading, *self._words()))

    def _words(self) -> Iterator[str]:
        for _, words in self.fields:
            yield from words


def add(routes: APIRouter, room: Room) -> None:
    """Add the page."""

    @routes.get("/words")
    def words(
        who: Annotated[SignedIn, Depends(room.office.doors.maintainer)], of: Of = "lexicon", q: str = ""
    ) -> HTMLResponse:
        sought = " ".join(q.split()).casefold()[:200]
        found = [one for one in _entries(room, of) if one.has(sought)]
        return room.page(
            who, "words", of=of, q=q[:200], where=_where(room, of), entries=found[:_SHOWN], count=len(found)
        )


def _where(room: Room, of: Of) -> str:
    """The file that holds them; empty when they are made of the articles."""
    if of == "starters":
        return ""
    if of == "bridge":
        return str(room.works.store / "bridge" / "questions.jsonl")
    return _FILES[of].relative_to(_PROJECT).as_posix()


def _entries(room: Room, of: Of) -> Sequence[Entry]:
    generation = room.office.front.now.assistant.generation
    if of == "starters":
        return [Entry(one, ()) for one in starters(room.office.front.now.assistant)]
    if of == "bridge":
        shown = BridgeStore.of(generation).shown(generation)
        return [Entry(one.passage.id, (("", one.questions),)) for one in shown]
    return entries_of(_FILES[of])


@lru_cache(maxsize=4)
def entries_of(path: Path) -> tuple[Entry, ...]:
    """The entries of a file of words, in its order: its tables of the second level, and what stands above."""
    text = path.read_text(encoding="utf-8")
    lines = {
        found[1].strip("[]").replace('"', ""): number
        for number, line in reversed(list(enumerate(text.split("\n"), start=1)))
        if (found := _BEGINS.match(line))
    }
    return tuple(_of_table(tomllib.loads(text), lines))


def _of_table(table: dict[str, Any], lines: dict[str, int]) -> Iterator[Entry]:
    for name, below in table.items():
        if not isinstance(below, dict):
            yield Entry(name, (("", tuple(_strings(below))),), lines.get(name, 0))
        elif any(isinstance(one, dict) for one in below.values()):
            for each, fields in below.items():
                heading = f"{name}.{each}"
                if isinstance(fields, dict):
                    yield Entry(heading, _fields(fields), lines.get(heading, 0))
                else:
                    yield Entry(heading, (("", tuple(_strings(fields))),), lines.get(name, 0))
        else:
            yield Entry(name, _fields(below), lines.get(name, 0))


def _fields(table: dict[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((name, tuple(_strings(value))) for name, value in table.items())


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from (f"{name}: {text}" for text in _strings(one))
    elif isinstance(value, list):
        if value and all(isinstance(one, str) for one in value):
            yield from value
        else:
            yield from (" – ".join(_strings(one)) for one in value)
    else:
        yield str(value)
