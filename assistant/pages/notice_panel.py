"""A safety notice as lines of text and of numbers that a phone can dial."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import cast, get_args

from assistant.answer import ShownNotice
from assistant.safety.check import Decision, Level
from assistant.safety.notices import Call, notice


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words, and what they dial; `href` is empty for plain words."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a notice.

    Attributes:
        pieces: Its words.
        items: What it lists, such as several places to call; empty for most lines.
        dont: Whether it says what not to do.
    """

    pieces: tuple[Piece, ...]
    items: tuple[tuple[Piece, ...], ...] = ()
    dont: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """A notice, ready to be shown.

    Attributes:
        opening: Its first line.
        groups: The others in their order, runs of don'ts kept together.
        settled: What the visitor says when it need not stand there any longer.
    """

    level: str
    opening: Line
    groups: tuple[tuple[Line, ...], ...]
    settled: str = ""

    @property
    def gentle(self) -> bool:
        """Whether it forbids nothing: then it speaks to someone in distress, and is shown less loud."""
        return not any(line.dont for group in self.groups for line in group)


def panel(shown: ShownNotice, country: str) -> Panel:
    """The notice of an answer with its numbers made into links; not one word is changed.

    Raises:
        ValueError: The level is none that there is.
    """
    if shown.level not in get_args(Level):
        raise ValueError(f"{shown.level!r} is not a level of notices.")
    same = notice(Decision(cast(Level, shown.level), shown.category), country)
    calls = same.call if same else ()
    opening, *others = (_line(line, calls) for line in shown.text.split("\n"))
    groups = tuple(tuple(run) for _, run in groupby(others, key=lambda line: line.dont))
    return Panel(shown.level, opening, groups, same.settled if same else "")


def _line(line: str, calls: Sequence[Call]) -> Line:
    head, colon, rest = line.partition(": ")
    items = rest.split("; ")
    if len(items) > 1 and any(call.words in items for call in calls):
        linked = tuple(tuple(_linked(item, calls)) for item in items)
        return Line((Piece(head + colon.strip()),), linked)
    return Line(tuple(_linked(line, calls)), dont=line.startswith("Don't"))


# A number as people write it: 999, 116 123, 1-800-222-1222; not "35" in "if you are under 35".
_NUMBER = re.compile(r"(?<!\w)\d(?:[ -]?\d){2,}(?!\w)")


def _linked(line: str, calls: Sequence[Call]) -> Iterator[Piece]:
    """The line in pieces; only numbers that belong to one of the calls become links."""
    dialled = {
        words.start() + number.start(): (number.group(), call)
        for call in calls
        if call.number
        for words in re.finditer(rf"(?<!\w){re.escape(call.words)}(?!\w)", line)
        for number in _NUMBER.finditer(call.words)
    }
    place = 0
    for start in sorted(dialled):
        text, call = dialled[start]
        if start > place:
            yield Piece(line[place:start])
        scheme = "sms" if call.words.startswith("text ") else "tel"
        yield Piece(text, f"{scheme}:{re.sub(r'[^0-9]', '', text)}")
        place = start + len(text)
    if place < len(line):
        yield Piece(line[place:])
