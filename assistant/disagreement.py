"""Whether two articles contradict each other: told only when it is plain.

Two sentences contradict each other when they speak of the same thing in mostly the same words, and one says
no where the other says yes, or they give figures of the same unit that do not meet.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from index.keywords import stem, terms
from index.sentences import sentences

if TYPE_CHECKING:
    from assistant.choosing import Evidence

# Of the words of both sentences, the share that both have.
_SAME_MATTER = 0.6
_FEWEST = 4  # words in common; fewer say too little

_NO = re.compile(
    r"\b(?:not|no|never|none|neither|nor|without|cannot|hardly|rarely|seldom|unlikely|\w+n['’]t)\b",
    re.IGNORECASE,
)
# "May" and "may not" are both true at once, and so are "often" and "not always".
_HEDGED = re.compile(
    r"\b(?:may|might|can|could|some|sometimes|often|usually|perhaps|possibly|probably|not (?:always"
    r"|only|just)"
    r"|most|many|few|seems?|appears?|suggests?|unclear|mixed|thin|slight)\b",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    r"(?P<low>\d+(?:[.,]\d+)?)(?:\s*(?:to|-|–|and|or)\s*(?P<high>\d+(?:[.,]\d+)?))?\s*-?(?P<unit>%"
    r"|[a-z]{2,})",
    re.IGNORECASE,
)
_IN_DAYS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.4, "year": 365.0}


def disagreeing(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Two spans of different articles that contradict each other, newest first; empty when none do."""
    for one, other in combinations(evidence, 2):
        if one.article.id != other.article.id and contradict(one.quote, other.quote):
            return tuple(sorted((one, other), key=lambda span: span.article.published or "", reverse=True))
    return ()


def contradict(one: str, other: str) -> bool:
    """Whether a sentence of each plainly says the opposite, or another amount, of the same matter."""
    return any(
        _opposed(one[slice(*first)], other[slice(*second)])
        for first in sentences(one)
        for second in sentences(other)
    )


def _opposed(one: str, other: str) -> bool:
    first, second = _matter(one), _matter(other)
    common = first & second
    if len(common) < max(_FEWEST, _SAME_MATTER * len(first | second)):
        return False
    if _amounts_differ(one, other):
        return True
    hedged = _HEDGED.search(one) or _HEDGED.search(other)
    return not hedged and len(_NO.findall(one)) % 2 != len(_NO.findall(other)) % 2


def _matter(text: str) -> set[str]:
    """The stems that say what a text is about: neither its amounts nor its negations."""
    return {
        term
        for term in terms(text)
        if not term[0].isdigit() and term not in _IN_DAYS and not _NO.fullmatch(term)
    }


def _amounts_differ(one: str, other: str) -> bool:
    """Whether both give one amount of the same unit, and the amounts do not meet."""
    first, second = _amounts(one), _amounts(other)
    shared = [unit for unit in first if unit in second]
    return bool(shared) and all(
        len(first[unit]) == len(second[unit]) == 1 and not _meet(first[unit][0], second[unit][0])
        for unit in shared
    )


def _amounts(text: str) -> dict[str, list[tuple[float, float]]]:
    """Ranges by unit; times are in days."""
    found: dict[str, list[tuple[float, float]]] = {}
    for match in _AMOUNT.finditer(text):
        low = float(match["low"].replace(",", "."))
        high = float(match["high"].replace(",", ".")) if match["high"] else low
        unit = stem(match["unit"].lower())
        name = "percent" if unit == "%" else unit
        factor = _IN_DAYS.get(name, 1.0)
        found.setdefault("time" if name in _IN_DAYS else name, []).append((low * factor, high * factor))
    return found


def _meet(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] <= other[1] * 1.1 and other[0] <= one[1] * 1.1
