"""Figures in a message: ages, temperatures, blood pressures, oxygen, pulse, how long, how far pregnant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

# Each pattern looks at " word word word"; the function beside it names the signs that the figures give.
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


_DEGREES = r"( ?°? ?(?:c|f|celsius|fahrenheit|degrees?(?: (?:c|f|celsius|fahrenheit))?))?"
_READERS = (
    (
        re.compile(
            r"(?: (?:temperature|fever|running|thermometer|reading|t|pyrexia|pyrexial|febrile)(?: \S+){0,5}?) (\d{2,3}(?:[.,]\d+)?)"
            + _DEGREES
            + r"(?!\S)"
        ),
        _temperature,
    ),
    (
        re.compile(r" (\d{2,3}(?:[.,]\d+)?)( ?°[cf]?| ?[cf]| degrees?(?: [cf])?| celsius| fahrenheit)(?!\S)"),
        _temperature,
    ),
    (
        re.compile(r" ((?:3[89]|4[01])[.,]\d)()(?! (?:weeks?|cm|kg|mm|km|miles?|percent|%|years?))(?!\S)"),
        _temperature,
    ),
    (re.compile(r" (10[0-6][.,]\d)()(?! (?:kg|km|lbs?|mm|miles?))(?!\S)"), _temperature),
    (re.compile(r" (\d{2,3})/(\d{2,3})(?!\S)"), _pressure),
    (re.compile(r" (\d{2,3}) over (\d{2,3})(?!\S)"), _pressure),
    (
        re.compile(r" (?:sats?|spo2|oxygen|saturations?|o2|oximeter|pulse ox)(?: \S+){0,4}? (\d{2})(?!\S)"),
        _oxygen,
    ),
    (re.compile(r" (?:pulse|hr|heart rate|bpm|tachycardi\S*)(?: \S+){0,3}? (\d{2,3})(?!\S)"), _pulse),
    (re.compile(r" (\d{3}) (?:bpm|beats)"), _pulse),
    (
        re.compile(r" (?:sugars?|glucose|bm|bms|bgl|blood sugars?)(?: \S+){0,4}? (\d+(?:[.,]\d+)?)(?!\S)"),
        _sugar,
    ),
    (re.compile(rf" {_N}(?:-| )?(?:years?|yrs?|yr|y)(?:-| )?(?:old|olds|o)(?!\S)"), _age),
    (
        re.compile(
            r" (?:aged?|age is|am|is|was|turned|turning|nearly|almost|hes|shes|about) (\d{1,3})(?! (?:weeks?|months?|days?|hours?|minutes?|degrees?|mins?|over|times|kg|stone|cm|mm|miles?|km|%|percent|[cf]|years? (?:ago|since|post|after|into|of))\b)(?!\S)"
        ),
        _age,
    ),
    (re.compile(r" (\d{1,2})(?: (?:yo|yof|yom|y|f|m|female|male|woman|man|lady|gentleman))(?!\S)"), _age),
    (
        re.compile(
            r" (?:dad|mum|husband|wife|father|grandmother|grandfather|sister|brother|son|daughter|uncle|aunt|partner|he|she|client|patient|f|m|male|female) (\d{1,3})(?! (?:weeks?|months?|days?|hours?|times|degrees?|minutes?|years? ago))(?!\S)"
        ),
        _age,
    ),
    (re.compile(rf" {_N} (?:years?|yr) (?:son|daughter|girl|boy|child)"), _age),
    (re.compile(rf" {_N} ?(days?|weeks?|months?|mo)(?:-| )old(?!\S)"), _months_old),
    (
        re.compile(
            rf" (?:for|since|over|past|last|about|nearly|now|after|of|been) (?:the )?(?:last |past |about |over |nearly |almost )?{_N} (minutes?|hours?|days?|nights?|weeks?|fortnight|months?|years?)"
        ),
        _how_long,
    ),
    (
        re.compile(
            rf" {_N} (minutes?|hours?|days?|nights?|weeks?|months?|years?) (?:now|ago|of|already|straight|on|running|later)"
        ),
        _how_long,
    ),
    (
        re.compile(
            rf" {_N} (?:weeks?)(?: \+ ?\d)?(?: and \S+ days?)? (?:pregnant|gone|along|gestation|expecting|preggo|today and)"
        ),
        _pregnant,
    ),
    (re.compile(rf" (?:pregnant|expecting|gestation|baby due)(?: \S+){{0,4}}? {_N} weeks?"), _pregnant),
    (
        re.compile(
            r" (?:am|is|at) (?:now |about |only |just )?(\d{1,2}) weeks?(?!\S)(?! (?:post|into|out|after|ago|old|since|from))"
        ),
        _pregnant,
    ),
    (re.compile(r" (\d{1,2})(?:[/+]40|\+\d)(?!\S)"), _pregnant),
    (re.compile(r" (\d{1,2}(?:[.,]\d)?) ?cms?(?!\S)(?: \S+){0,4}? (?:lump|mass|swelling)"), _centimetres),
    (re.compile(r" (?:lump|mass|swelling)(?: \S+){0,6}? (\d{1,2}(?:[.,]\d)?) ?cms?(?!\S)"), _centimetres),
)
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
        clause: For each word the number of its clause: a figure alone between commas ("my hip, 72") is an age.
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
