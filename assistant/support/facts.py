"""What a sentence states, read by finite rules: words with polarity and certainty, and figures."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from index.keywords import STOPWORDS, stem

WORDS_FILE = Path(__file__).with_name("words.toml")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Opposites(_Strict):
    """Two sides that must not be exchanged."""

    one: tuple[str, ...]
    other: tuple[str, ...]


class _File(_Strict):
    negators: tuple[str, ...]
    not_negators: tuple[str, ...]
    denied_before: tuple[str, ...]
    hedges: tuple[str, ...]
    soft_hedges: tuple[str, ...]
    certain: tuple[str, ...]
    same: tuple[tuple[str, ...], ...]
    extent: dict[str, tuple[str, ...]]
    cause: dict[str, tuple[str, ...]]
    opposites: tuple[Opposites, ...]


Phrases = frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Words:
    """The word lists, by stems.

    Attributes:
        extents: The phrases of each degree, from rarely to always.
        same: For each stem, the stems that may stand for it.
        opposites: For each pair, the stems of one side and of the other.
    """

    negators: Phrases
    not_negators: Phrases
    denied_before: Phrases
    hedges: Phrases
    soft_hedges: Phrases
    certain: Phrases
    extents: tuple[Phrases, ...]
    causal: Phrases
    associated: Phrases
    loosely_causal: Phrases
    same: Mapping[str, frozenset[str]]
    opposites: tuple[tuple[frozenset[str], frozenset[str]], ...]


@lru_cache(maxsize=1)
def words() -> Words:
    """The lists of words.toml.

    Raises:
        pydantic.ValidationError: A list is missing or unknown; the error names it.
    """
    file = _File.model_validate(tomllib.loads(WORDS_FILE.read_text(encoding="utf-8")))
    return Words(
        negators=_phrases(file.negators),
        not_negators=_phrases(file.not_negators),
        denied_before=_phrases(file.denied_before),
        hedges=_phrases(file.hedges),
        soft_hedges=_phrases(file.soft_hedges),
        certain=_phrases(file.certain),
        extents=tuple(_phrases(file.extent[name]) for name in ("none", "few", "some", "many", "most", "all")),
        causal=_phrases(file.cause["causal"]),
        associated=_phrases(file.cause["associated"]),
        loosely_causal=_phrases((*file.cause["causal"], *file.cause["loose"])),
        same=_same(file.same),
        opposites=tuple(
            (frozenset(map(stem, pair.one)), frozenset(map(stem, pair.other))) for pair in file.opposites
        ),
    )


def _same(rows: Sequence[Sequence[str]]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for row in rows:
        stems = frozenset(stem(word) for word in row if " " not in word)
        for one in stems:
            found[one] = found.get(one, frozenset()) | stems
    return found


def _phrases(listed: Sequence[str]) -> Phrases:
    return frozenset(tuple(stem(word) for word in phrase.split()) for phrase in listed)


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a sentence.

    Attributes:
        stem: What is compared.
        start: Offset in the sentence.
        end: Likewise, exclusive.
        clause: Number of the clause that it stands in, from 0.
        content: Whether it carries meaning of its own.
        negated: Whether a negator in its clause stands before it.
        denied_first: Whether it is the first word of content that the negator reaches, or after a noun's
            negator ("no clear benefit") the second.
        hedged: Whether its clause says it only as possible, or of some.
        soft: Whether "can", "often" or the like stands before it in its clause.
    """

    stem: str
    start: int
    end: int
    clause: int
    content: bool
    negated: bool
    denied_first: bool
    hedged: bool
    soft: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """A number or a range with what it counts.

    Attributes:
        low: The number; of a share, 0..1; of a time, in seconds.
        high: The end of a range; equal to `low` for a single number.
        unit: "share", "second", or the stem of the next word; empty when it stands alone.
        bound: "<" for "less than" and "up to", ">" for "more than" and "at least", else empty.
        start: Offset in the sentence.
    """

    low: float
    high: float
    unit: str
    bound: str
    start: int


@dataclass(frozen=True, slots=True)
class Facts:
    """A sentence, read."""

    text: str
    tokens: tuple[Token, ...]
    figures: tuple[Figure, ...]

    @property
    def content(self) -> tuple[Token, ...]:
        """The words that carry meaning of their own."""
        return tuple(token for token in self.tokens if token.content)

    @property
    def stems(self) -> tuple[str, ...]:
        """Of every word, in order."""
        return tuple(token.stem for token in self.tokens)

    def holds(self, phrases: Phrases) -> bool:
        """Whether one of these phrases stands in it."""
        return bool(self.held(phrases))

    def held(self, phrases: Phrases) -> frozenset[tuple[str, ...]]:
        """Which of these phrases stand in it."""
        stems = self.stems
        found = (_phrase_at(stems, place, phrases) for place in range(len(stems)))
        return frozenset(one for one in found if one)


@lru_cache(maxsize=4096)
def read(text: str) -> Facts:
    """Read one sentence."""
    return Facts(text, tuple(_tokens(text)), tuple(_figures(text)))


_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_CLAUSE_MARK = re.compile(r"[.;:!?()\[\]–—]|\s-\s")
_CLAUSE_WORDS = frozenset(
    "but although though however because while whereas which unless except yet since".split()
)
# After a comma these open a clause of their own when a subject follows, and go on with a list otherwise.
_JOINERS = frozenset({"and", "or", "so"})
_SUBJECTS = frozenset(
    "it its that this these those they their he she the you your we some most many there one few a an".split()
)
# Stop words that turn a statement round or limit it, and so count as content.
_TELLING = frozenset("before after above below up down more most only off under over out".split())
_LIGHT = frozenset(
    """
    not no may might could would should also however therefore thus often usually typically many much
    well even still yet like use used using one ones thing way make made get got including include includes
    according article author say says said mention mentions state states describe described note noted
    called help people person someone something such within per via etc e.g i.e than among us
    """.split()
)


def _tokens(text: str) -> list[Token]:
    """Clause by clause: a negator denies what follows it, a hedge covers the whole clause."""
    found = [(match, _plain(match.group())) for match in _WORD.finditer(text)]
    parts = [(match, word) for match, word in found if word]
    stems = tuple(stem(word) for _, word in parts)
    out: list[Token] = []
    for clause, (low, high) in enumerate(_clauses(text, parts)):
        denied, first = _denied(text, parts, stems, low, high)
        hedged = _any_phrase(stems, low, high, words().hedges)
        soft = _any_phrase(stems, low, high, words().soft_hedges)
        for place in range(low, high):
            match, word = parts[place]
            out.append(
                Token(
                    stem=stems[place],
                    start=match.start(),
                    end=match.end(),
                    clause=clause,
                    content=_is_content(word),
                    negated=denied[place - low],
                    denied_first=first[place - low],
                    hedged=hedged,
                    soft=soft,
                )
            )
    return out


Parts = Sequence[tuple[re.Match[str], str]]


def _clauses(text: str, parts: Parts) -> list[tuple[int, int]]:
    """First place and the place after the last of each clause."""
    cuts = [0]
    for place in range(1, len(parts)):
        before, (match, word) = parts[place - 1][0], parts[place]
        between = text[before.end() : match.start()]
        joined = "," in between and word in _JOINERS and _opens_clause(parts, place + 1)
        following = parts[place + 1][1] if place + 1 < len(parts) else ""
        opened = word in _CLAUSE_WORDS and not following.endswith("ing")  # "while walking" opens no clause
        if _CLAUSE_MARK.search(between) or opened or joined:
            cuts.append(place)
    return list(zip(cuts, [*cuts[1:], len(parts)], strict=True))


def _opens_clause(parts: Parts, place: int) -> bool:
    return place < len(parts) and parts[place][1] in _SUBJECTS


def _denied(
    text: str, parts: Parts, stems: Sequence[str], low: int, high: int
) -> tuple[list[bool], list[bool]]:
    """Of each word of a clause: whether it is denied, and whether it is what the denial is about."""
    lists = words()
    out: list[bool] = []
    first: list[bool] = []
    reach = heads = 0
    for place in range(low, high):
        between = text[parts[place - 1][0].end() : parts[place][0].start()] if place > low else ""
        if "," in between and not _listing(stems[:high], place):
            reach = 0
        negator = bool(
            _phrase_at(stems, place, lists.negators) and not _phrase_at(stems, place, lists.not_negators)
        )
        out.append(reach > 0 and not negator)
        content = _is_content(parts[place][1])
        first.append(out[-1] and heads > 0 and content)
        heads -= first[-1]
        if negator:
            noun = stems[place] in _NOUN_NEGATORS
            reach, heads = (_NOUN_REACH, 2) if noun else (_REACH, 1)
        else:
            reach -= 1
        if _phrase_at(stems, place, lists.denied_before):
            out = [True] * (len(out) - 1) + [out[-1]]
    return out, first


# So many words a negator reaches: a verb's ("does not") further than a noun's ("no clear benefit").
_REACH, _NOUN_REACH = 6, 4
_NOUN_NEGATORS = frozenset({"no", "without", "lack", "absenc", "free", "hard"})


def _any_phrase(stems: Sequence[str], low: int, high: int, phrases: Phrases) -> bool:
    return any(_phrase_at(stems[:high], place, phrases) for place in range(low, high))


def _plain(word: str) -> str:
    return re.sub(r"['’]s?$|['’]", "", word.lower())


def _is_content(word: str) -> bool:
    return (word not in STOPWORDS or word in _TELLING) and word not in _LIGHT and not _is_number(word)


def _is_number(word: str) -> bool:
    return word[0].isdigit() or word in _SPELT or word in _FRACTIONS or word in {"percent", "between"}


def _listing(stems: Sequence[str], place: int) -> bool:
    """Whether a comma before this word only divides a list: "no pain, numbness or tingling"."""
    return any(word in {"or", "nor"} for word in stems[place : place + 5])


def _phrase_at(stems: Sequence[str], place: int, phrases: Phrases) -> tuple[str, ...] | None:
    for length in (3, 2, 1):
        span = tuple(stems[place : place + length])
        if len(span) == length and span in phrases:
            return span
    return None


# ---------------------------------------------------------------- figures

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SPELT: Mapping[str, float] = dict(
    [
        *((word, float(value)) for value, word in enumerate(_UNITS)),
        *((word, 10.0 * value) for value, word in enumerate(_TENS, start=2)),
        ("hundred", 100.0),
        ("dozen", 12.0),
    ]
)
_SPELT_NUMBER = "|".join(_SPELT)
_NUMBER = rf"(?:\d+(?:[.,]\d+)*|(?:(?:{'|'.join(_TENS)})[- ])?(?:{_SPELT_NUMBER})\b)"
_FRACTIONS: Mapping[str, float] = {
    "half": 1 / 2,
    "third": 1 / 3,
    "thirds": 1 / 3,
    "quarter": 1 / 4,
    "quarters": 1 / 4,
    "fifth": 1 / 5,
    "fifths": 1 / 5,
    "tenth": 1 / 10,
    "tenths": 1 / 10,
}
_SECONDS: Mapping[str, float] = {
    **dict.fromkeys(("second", "sec", "s"), 1.0),
    **dict.fromkeys(("minut", "min"), 60.0),
    **dict.fromkeys(("hour", "hr", "h"), 3600.0),
    **dict.fromkeys(("day",), 86400.0),
    **dict.fromkeys(("week", "wk"), 604800.0),
    "month": 2629800.0,
    "year": 31557600.0,
}
_FIGURE = re.compile(
    rf"""
    (?P<bound>(?:less|fewer|more|greater)\sthan\s|up\sto\s|at\s(?:least|most)\s|(?:over|under)\s)?
    (?:about\s|around\s|roughly\s|some\s)?
    (?:
        (?P<of>{_NUMBER})\s(?:in|of|out\sof)\s(?:every\s)?(?P<whole>{_NUMBER})
      | (?P<parts>{_NUMBER}\s|an?\s|one[- ]|two[- ]|three[- ])?(?P<fraction>{"|".join(_FRACTIONS)})\b
        (?:\s(?:an?\s)?(?P<piece>hours?|days?|years?|minutes?))?
      | an?\s(?P<one>seconds?|minute|hour|day|week|month|year|time)\sor\s(?P<more>two|three|so)\b
      | (?P<low>(?<![\w.])(?<![^\W\d_]-){_NUMBER})\s?(?P<percent1>%|percent|per\scent)?
        (?:\s?(?:[-–—]|to|or|and)\s?(?P<high>{_NUMBER}))?
        \s?-?(?:(?P<percent>%|percent|per\scent)|(?P<unit>[^\W\d_]+))?
      | (?P<times>once|twice)\b
    )
    """,
    re.IGNORECASE | re.VERBOSE,
)
# "one" is a figure only when something is counted; "one of the", "no one", "this one" count nothing.
_COUNTED_BY_ONE = frozenset(
    "second minut hour day week month year time session side third quarter percent inch cm".split()
)
_NO_UNIT = frozenset(
    "of the a an and or to in on at for with is are was were that which who have has had but by from".split()
)


def _figures(text: str) -> Iterator[Figure]:
    for match in _FIGURE.finditer(re.sub(r"^\s*\d{1,2}[.)]\s", lambda mark: " " * len(mark.group()), text)):
        figure = _figure(match)
        if figure:
            yield figure


def _figure(match: re.Match[str]) -> Figure | None:
    bound = _bound(match["bound"])
    if match["whole"]:
        whole = _value(match["whole"])
        share = _value(match["of"]) / whole if whole else 0.0
        return Figure(share, share, "share", bound, match.start())
    if match["fraction"]:
        if not match["parts"] and match["fraction"].lower() != "half":
            return None  # "the third exercise", "a quarter" is caught by its article
        share = _value(match["parts"]) * _FRACTIONS[match["fraction"].lower()]
        if match["piece"]:
            time = share * _SECONDS[stem(match["piece"].lower())]
            return Figure(time, time, "second", bound, match.start())
        return Figure(share, share, "share", bound, match.start())
    if match["one"]:
        high = 1.0 if match["more"].lower() == "so" else _value(match["more"])
        scale = _SECONDS.get(stem(match["one"].lower()), 0.0)
        return Figure(
            scale or 1.0, high * (scale or 1.0), "second" if scale else "time", bound, match.start()
        )
    if match["times"]:
        value = 1.0 if match["times"].lower() == "once" else 2.0
        return Figure(value, value, "time", bound, match.start()) if value > 1 else None
    return _counted(match, bound)


def is_time(token: Token) -> bool:
    """Whether a word is a unit of time."""
    return token.stem in _SECONDS and len(token.stem) > 1


def _counted(match: re.Match[str], bound: str) -> Figure | None:
    low = _value(match["low"])
    high = _value(match["high"]) if match["high"] else low
    if match["percent"] or match["percent1"]:
        return Figure(low / 100, high / 100, "share", bound, match.start())
    word = (match["unit"] or "").lower()
    unit = "" if word in _NO_UNIT else stem(word)
    if match["low"].lower() in {"one", "zero"} and not match["high"] and unit not in _COUNTED_BY_ONE:
        return None
    if unit in _SECONDS:
        scale = _SECONDS[unit]
        return Figure(low * scale, high * scale, "second", bound, match.start())
    return Figure(low, high, unit, bound, match.start())


def _bound(words_before: str | None) -> str:
    plain = (words_before or "").strip().lower()
    if plain in {"less than", "fewer than", "up to", "at most", "under"}:
        return "<"
    return ">" if plain else ""


def _value(text: str | None) -> float:
    plain = (text or "one").strip().lower().rstrip("-")
    if plain in {"a", "an", ""}:
        return 1.0
    if plain[0].isdigit():
        digits = re.sub(r",(?=\d{3}\b)", "", plain).replace(",", ".")
        head, _, tail = digits.partition(".")
        return float(f"{head}.{tail.replace('.', '')}") if tail else float(head)
    return sum(_SPELT.get(word, 0.0) for word in re.split(r"[- ]", plain))
