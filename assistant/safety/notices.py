"""Puts together the fixed notice that belongs to a decision: texts of notices.toml, chosen by code."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from assistant.safety.check import Decision, Level

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Call:
    """A line to turn to: `number` is what a phone dials (may be empty), `words` what the visitor reads."""

    number: str
    words: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What stands before the visitor.

    Attributes:
        text: The whole notice, its lines parted by newlines; the first line is the opening.
        call: The lines named in it, most important first; empty for a safety net without a number.
        settled: What the visitor says when it need not stand there any longer.
    """

    level: Level
    category: str | None
    text: str
    call: tuple[Call, ...]
    settled: str


Line = Annotated[tuple[str, str], Field(min_length=2, max_length=2)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Country(_Strict):
    emergency: Line
    known: tuple[Line, ...] = ()
    known_line: str = ""
    advice: Line
    poison: Line
    crisis: tuple[Line, ...]
    abuse: tuple[Line, ...]


class _Common(_Strict):
    settled: str
    emergency_now: str
    same_day: str
    soon: str
    worse: str
    reason: str
    not_now: tuple[str, ...]
    not_today: tuple[str, ...]
    not_soon: tuple[str, ...]
    safety_net: str


class _Group(_Strict):
    categories: tuple[str, ...]
    settled: str = ""
    emergency_now: str | None = None
    same_day: str | None = None
    soon: str | None = None
    safety_net: str | None = None
    do: tuple[str, ...] = ()
    dont: Annotated[tuple[str, ...], Field(alias="not")] = ()
    press: bool = False
    alone_emergency_now: tuple[str, ...] = ()
    alone_same_day: tuple[str, ...] = ()
    alone_soon: tuple[str, ...] = ()


class _File(_Strict):
    model_config = ConfigDict(extra="ignore", frozen=True)

    country: dict[str, _Country]
    level: _Common
    group: dict[str, _Group]


@lru_cache(maxsize=1)
def _file() -> _File:
    return _File.model_validate(tomllib.loads((HERE / "notices.toml").read_text(encoding="utf-8")))


def countries() -> tuple[str, ...]:
    """The country codes that have numbers of their own, and `other`."""
    return tuple(_file().country)


def notice(decision: Decision, country: str = "other") -> Notice | None:
    """The notice for a decision, or None when it needs none.

    Args:
        decision: From SafetyCheck.
        country: ISO 3166 code of two letters; an unknown one gets texts without numbers.
    """
    if decision.level is None:
        return None
    texts = _file()
    group = _group_of(decision.category)
    numbers = texts.country.get(country.upper(), texts.country["other"])
    text = "\n".join(_with_known(_lines(decision.level, group), numbers, decision.level))
    lists = _numbers(numbers)
    named = sorted(
        (name for name in lists if "{" + name + "}" in text), key=lambda n: text.index("{" + n + "}")
    )
    calls = tuple(call for name in named for call in lists[name])
    fill = {name: "; ".join(call.words for call in lists[name]) for name in named}
    settled = group.settled or texts.level.settled
    return Notice(
        decision.level, decision.category, text.format(**fill), tuple(dict.fromkeys(calls)), settled
    )


def _numbers(country: _Country) -> dict[str, tuple[Call, ...]]:
    """What each {name} in a line stands for."""
    return {
        "emergency": (Call(*country.emergency),),
        "known": tuple(Call(*line) for line in country.known),
        "advice": (Call(*country.advice),),
        "poison": (Call(*country.poison),),
        "crisis": tuple(Call(*line) for line in country.crisis),
        "abuse": tuple(Call(*line) for line in country.abuse),
    }


def _with_known(lines: list[str], country: _Country, level: Level) -> list[str]:
    """The lines; below the first that names the emergency number of a country not known, many countries'."""
    if not country.known_line or level not in {"emergency_now", "same_day"}:
        return lines
    first = next((place for place, line in enumerate(lines) if "{emergency}" in line), None)
    return lines if first is None else [*lines[: first + 1], country.known_line, *lines[first + 1 :]]


def _group_of(category: str | None) -> _Group:
    groups = _file().group
    return next((group for group in groups.values() if category in group.categories), groups["body"])


def _lines(level: Level, group: _Group) -> list[str]:
    common = _file().level
    opening = getattr(group, level) or getattr(_file().group["body"], level)
    alone = getattr(group, f"alone_{level}", ())
    if level == "safety_net":
        return [opening if "{" in opening else f"{opening} {common.safety_net}"]
    if alone:
        return [opening, *alone]
    if level == "soon":
        return [opening, common.soon, common.worse, *common.not_soon, common.reason]
    first = [opening, common.emergency_now] if level == "emergency_now" else [opening, common.same_day]
    donts = common.not_now if level == "emergency_now" else common.not_today
    if group.press:
        donts = donts[1:]
    lines = [*first, *group.do, *group.dont, *donts]
    return [*lines, common.reason] if level == "emergency_now" else [*lines, common.worse, common.reason]
