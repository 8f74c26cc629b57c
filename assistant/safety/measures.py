"""Figures in a message: ages, temperatures, blood pressures, oxygen, pulse, how long, how far pregnant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

_Reader: TypeAlias = Callable[[re.Match[str]], Iterator[str]]

_NUMBER_WORDS = {
    word: number
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
} | {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
_NUMBERS = frozenset(_NUMBER_WORDS) | {"a", "an", "few", "several", "couple", "half"}
_N = r"(\d+(?:[.,]\d+)?|" + "|".join(_NUMBER_WORDS) + r"|a|an|a few|few|several|couple of|half an?)"


def _number(text: str) -> float:
    if text in _NUMBER_WORDS:
        return float(_NUMBER_WORDS[text])
    if text[0].isdigit():
        return float(text.replace(",", "."))
    return {"a": 1.0, "an": 1.0}.get(text, 3.0)


def _temperature(match: re.Match[str]) -> Iterator[str]:
    value, unit = _number(match[1]), (match[2] or "").strip(" °")
    if unit.startswith("f") or 94 <= value <= 110:
        value = (value - 32) / 1.8
    if 38 <= value <= 43:
        yield "fever"
    if 39.5 <= value <= 43:
        yield "high_fever"
    if 30 <= value < 35.6:
        yield "too_cold"


def _pressure(match: re.Match[str]) -> Iterator[str]:
    upper, lower = float(match[1]), float(match[2])
    if not (60 <= upper <= 280 and 30 <= lower <= 160 and upper > lower + 10):
        return
    if upper >= 180 or lower >= 120:
        yield "very_high_pressure"
    if upper >= 140 or lower >= 90:
        yield "raised_pressure"
    if upper < 95:
        yield "low_pressure"


def _oxygen(match: re.Match[str]) -> Iterator[str]:
    if 50 <= _number(match[1]) <= 93:
        yield "low_oxygen"


def _pulse(match: re.Match[str]) -> Iterator[str]:
    if 120 <= _number(match[1]) <= 260:
        yield "racing_heart"


def _sugar(match: re.Match[str]) -> Iterator[str]:
    value = _number(match[1])
    if value < 3.5:
        yield "low_sugar"
    if 14 <= value <= 45 or value >= 300:
        yield "high_sugar"
    if 46 <= value <= 60:
        yield "low_sugar"


def _age_signs(years: float) -> Iterator[str]:
    if years < 16:
        yield "child"
    if 8 <= years <= 19:
        yield "teenager"
    if years <= 3:
        yield "small_child"
    if years >= 50:
        yield "over_50"
    if years >= 60:
        yield "over_60"
    if years >= 65:
        yield "old"


def _age(match: re.Match[str]) -> Iterator[str]:
    years = _number(match[1])
    if years <= 110:
        yield from _age_signs(years)


def _months_old(match: re.Match[str]) -> Iterator[str]:
    number, unit = _number(match[1]), match[2]
    yield from ("child", "small_child")
    if unit.startswith(("d", "w")) or number <= 12:
        yield "baby"
    if (
        unit.startswith("d")
        or (unit.startswith("w") and number <= 13)
        or (unit.startswith("m") and number < 3)
    ):
        yield "newborn"


def _how_long(match: re.Match[str]) -> Iterator[str]:
    number, unit = _number(match[1]), match[2]
    days = (
        number * {"mi": 0.001, "ho": 0.04, "da": 1, "ni": 1, "we": 7, "fo": 14, "mo": 30, "ye": 365}[unit[:2]]
    )
    if days < 3:
        yield "recent"
    if days >= 7:
        yield "a_week_or_more"
    if days >= 20:
        yield "weeks_on_end"


def _pregnant(match: re.Match[str]) -> Iterator[str]:
    weeks = _number(match[1])
    if 3 <= weeks <= 43:
        yield "pregnant"
    if 20 <= weeks <= 43:
        yield "late_pregnancy"
    if 3 <= weeks <= 12:
        yield "early_pregnancy"


def _centimetres(match: re.Match[str]) -> Iterator[str]:
    if _number(match[1]) >= 5:
        yield "big_lump"


# Parts of the patterns below: <n> a number in figures or words, <x> a figure, <end> the end of a word.
_PARTS = {
    "<n>": _N,
    "<x>": r"(\d{1,3}(?:[.,]\d+)?)",
    "<age>": r"(\d{1,3})",
    "<end>": r"(?!\S)",
    "<span>": r"(minutes?|hours?|days?|nights?|weeks?|fortnight|months?|years?)",
    "<degrees>": r"( ?°[cf]?| ?[cf]| degrees?(?: [cf])?| celsius| fahrenheit)",
    "<relative>": (
        "(?:dad|mum|husband|wife|father|grandmother|grandfather|sister|brother|son|daughter|uncle|aunt|partner"
        "|he|she|client|patient|f|m|male|female)"
    ),
    "<not a measure>": (
        "(?! (?:weeks?|months?|days?|hours?|minutes?|mins?|degrees?|over|times|kg|stone|cm|mm|miles?|km|%"
        r"|percent|[cf]|years? (?:ago|since|post|after|into|of))(?!\S))"
    ),
    "<some words>": r"(?: \S+){0,5}?",
}
_PATTERNS: tuple[tuple[_Reader, tuple[str, ...]], ...] = (
    (
        _temperature,
        (
            " (?:temperature|fever|running|thermometer|t|pyrexia|febrile)<some words> <x><degrees>?<end>",
            " <x><degrees><end>",
            r" ((?:3[89]|4[01])[.,]\d)()<not a measure><end>",
            r" (10[0-6][.,]\d)()(?! (?:kg|km|lbs?|mm|miles?)<end>)<end>",
        ),
    ),
    (_pressure, (r" (\d{2,3})/(\d{2,3})<end>", r" (\d{2,3}) over (\d{2,3})<end>")),
    (
        _oxygen,
        (r" (?:sats?|spo2|oxygen|saturations?|o2|oximeter|pulse ox)<some words> (\d{2})<end>",),
    ),
    (
        _pulse,
        (
            r" (?:pulse|hr|heart rate|bpm|tachycardi\S*)<some words> (\d{2,3})<end>",
            r" (\d{3}) (?:bpm|beats)",
        ),
    ),
    (_sugar, (" (?:sugars?|glucose|bm|bms|bgl|ketones?)<some words> <x><end>",)),
    (
        _age,
        (
            " <n> (?:years?|yrs?|yr|y) (?:old|olds|o)<end>",
            " (?:aged?|age is|am|is|was|turned|turning|nearly|almost|about) <age><not a measure><end>",
            " <relative> <age><not a measure><end>",
            r" (\d{1,2}) (?:yo|yof|yom|y|f|m|female|male|woman|man|lady|gentleman)<end>",
            " <n> (?:years?|yr) (?:son|daughter|girl|boy|child)",
        ),
    ),
    (_months_old, (" <n> ?(days?|weeks?|months?|mo) old<end>",)),
    (
        _how_long,
        (
            " (?:for|since|over|past|last|about|nearly|now|after|of|been) "
            "(?:the )?(?:last |past |about |over |nearly |almost )?<n> <span>",
            " <n> <span> (?:now|ago|of|already|straight|on|running|later)",
        ),
    ),
    (
        _pregnant,
        (
            r" <n> weeks?(?: \+ ?\d)?(?: and \S+ days?)? (?:pregnant|gone|along|gestation|expecting|preggo)",
            " (?:pregnant|expecting|gestation|baby due)<some words> <n> weeks?",
            r" (?:am|is|at) (?:now |about |only |just )?(\d{1,2}) weeks?<end>"
            "(?! (?:post|into|out|after|ago|old|since|from))",
            r" (\d{1,2})(?:[/+]40|\+\d)<end>",
        ),
    ),
    (
        _centimetres,
        (
            r" (\d{1,2}(?:[.,]\d)?) ?cms?<end><some words> (?:lump|mass|swelling)",
            r" (?:lump|mass|swelling)<some words> (\d{1,2}(?:[.,]\d)?) ?cms?<end>",
        ),
    ),
)


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub("<[a-z ]+>", lambda part: _PARTS[part[0]], pattern))


_READERS = tuple((_compiled(pattern), read) for read, patterns in _PATTERNS for pattern in patterns)
SIGNS = (
    "fever",
    "high_fever",
    "too_cold",
    "very_high_pressure",
    "raised_pressure",
    "low_pressure",
    "low_oxygen",
    "racing_heart",
    "low_sugar",
    "high_sugar",
    "child",
    "teenager",
    "small_child",
    "baby",
    "newborn",
    "over_50",
    "over_60",
    "old",
    "recent",
    "a_week_or_more",
    "weeks_on_end",
    "pregnant",
    "late_pregnancy",
    "early_pregnancy",
    "big_lump",
)


def measured(words: Sequence[str], clause: Sequence[int]) -> Iterator[tuple[str, int, int]]:
    """Signs that figures give, each with its first and last word.

    Args:
        words: Of one sentence.
        clause: For each word the number of its clause: a figure alone between commas ("hip, 72") is an age.
    """
    if not any(word[0].isdigit() or word in _NUMBERS for word in words):
        return
    for place, word in enumerate(words):
        alone = clause.count(clause[place]) == 1
        if alone and word.isdigit() and len(word) == 2 and len(words) > 1:
            yield from ((sign, place, place) for sign in _age_signs(float(word)))
    line = " " + " ".join(words)
    for pattern, read in _READERS:
        for match in pattern.finditer(line):
            first = line.count(" ", 0, match.start() + 1) - 1
            last = line.count(" ", 0, match.end()) - 1
            for sign in read(match):
                yield sign, first, last
