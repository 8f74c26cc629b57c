"""The lexicon: which words of visitors and of articles mean the same, and what a text speaks of.

Its content is `lexicon.toml`, which says at its top what each field means. This module only matches it:
phrases are compared word by word in their uninflected form, and the longest that begins at a word wins.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from index.errors import UnusableError
from index.keywords import stem

Kind = Literal[
    "muscle",
    "region",
    "joint",
    "bone",
    "nerve",
    "tissue",
    "movement",
    "posture",
    "condition",
    "symptom",
    "process",
    "technique",
    "thing",
    "person",
    "direction",
    "aspect",
]
Side = Literal["left", "right", "both", "other"]

# What a question is about, most telling kinds first; within a row the order in the text decides.
_TOPICS: tuple[frozenset[Kind], ...] = (
    frozenset({"muscle", "condition", "nerve"}),
    frozenset({"region", "joint", "bone", "tissue", "posture", "process"}),
    frozenset({"symptom", "movement", "technique", "thing", "person"}),
)
_BODY: frozenset[Kind] = frozenset({"muscle", "region", "joint", "bone", "nerve", "tissue"})
# A lay phrase of so many words describes; a shorter one names ("tennis elbow").
_DESCRIPTION = 3
# "Causes", "treatment", "front", "muscle": what is asked about a topic, or said of any; never one itself.
_NO_TOPIC: frozenset[Kind] = frozenset({"direction", "aspect"})

_SAME, _IMPLIED = 0.9, 0.5

LEXICON_FILE = Path(__file__).with_name("lexicon.toml")


class LexiconError(UnusableError):
    """The lexicon's file cannot be used; the message names the entries to put right."""


_Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
_STRICT = ConfigDict(extra="forbid", frozen=True)


class _Entry(BaseModel):
    """One concept as the file has it."""

    model_config = _STRICT
    same: tuple[_Phrase, ...] = ()
    parts: tuple[_Phrase, ...] = ()
    short: tuple[_Phrase, ...] = ()
    lay: tuple[_Phrase, ...] = ()
    implies: tuple[_Phrase, ...] = ()
    misspelt: tuple[_Phrase, ...] = ()


class Between(BaseModel):
    """Chat shorthand that is also a number or another word, so that its neighbours must tell.

    Attributes:
        word: As typed, lower case.
        means: What it stands for.
        before: It is shorthand when one of these follows it.
        after: It is shorthand when one of these stands in front of it.
    """

    model_config = _STRICT
    word: _Phrase
    means: _Phrase
    before: frozenset[_Phrase] = frozenset()
    after: frozenset[_Phrase] = frozenset()


class _Ignored(BaseModel):
    model_config = _STRICT
    phrases: tuple[_Phrase, ...] = ()


class _File(BaseModel):
    """The whole file: a table of entries for each kind, and the tables that are not about concepts."""

    model_config = _STRICT
    entries: dict[Kind, dict[_Phrase, _Entry]]
    spelling: dict[_Phrase, _Phrase] = {}
    shorthand: dict[_Phrase, _Phrase] = {}
    shorthand_between: tuple[Between, ...] = ()
    ignore: _Ignored = _Ignored()


@dataclass(frozen=True, slots=True)
class Expansion:
    """A phrase of a text, and other ways to say it.

    Attributes:
        phrase: As it stands in the text: `text[start:end]`.
        start: Offset of its first character.
        end: Offset after its last character.
        terms: The other ways, each in its usual spelling.
        weight: How near they are in meaning: 0.9 the same, 0.5 implied.
    """

    phrase: str
    start: int
    end: int
    terms: tuple[str, ...]
    weight: float


class Word(NamedTuple):
    """One word of a text, or a mark that ends a phrase.

    Attributes:
        root: The form that is compared; see `root`.
        plain: Lower case, without apostrophes.
        start: Offset of its first character.
        end: Offset after its last character.
        led: Whether an article or a possessive stands directly in front of it.
        glued: Whether a hyphen joins it to the next word.
    """

    root: str
    plain: str
    start: int
    end: int
    led: bool
    glued: bool


class _Meaning(NamedTuple):
    """What a phrase names and what it leads to, each with a weight; an ignored phrase names nothing."""

    concepts: tuple[str, ...]
    leads: tuple[tuple[tuple[str, ...], float], ...]


class _Claim(NamedTuple):
    """That one entry claims a phrase. `concept` is empty for a mere variant of spelling."""

    phrase: str
    field: str
    concept: str
    same: tuple[str, ...]
    implied: tuple[str, ...]


class _Match(NamedTuple):
    first: int
    length: int
    meaning: _Meaning


_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[.,;:!?()\[\]/|\"“”]|\n\s*\n")
_APOSTROPHE = re.compile(r"['’]s?$|['’]")
_LEADERS = frozenset("a an the my your ur yer his her its our their this that these those one's".split())
_PLACES = frozenset({"in", "on", "at"})  # "the curve in, of, at my back" is one phrase
_HYPHENS = "-\u2010\u2011"


def plain_word(word: str) -> str:
    """A word in lower case, without possessive and apostrophe."""
    return _APOSTROPHE.sub("", word.lower())


def words(text: str) -> list[Word]:
    """The words of a text, and the punctuation that no phrase may cross.

    Articles and possessives are no words of their own; they only mark the word after them as led.
    """
    found: list[Word] = []
    led = False
    for match in _TOKEN.finditer(text):
        plain = plain_word(match.group())
        if plain in _LEADERS:
            led = True
            continue
        start, end = match.span()
        glued = text[end : end + 1] in _HYPHENS and text[end + 1 : end + 2].isalnum()
        found.append(Word(root(plain), plain, start, end, led, glued))
        led = False
    return found


def shared_prefix(one: str, other: str) -> int:
    """How many letters two words have in common from the start."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


_INFLECTED = re.compile(r"[a-z]?(?:ed|ings?)|e?s?|ies|ied|y")


@lru_cache(maxsize=100_000)
def root(word: str) -> str:
    """One form for the inflections of a lower-case word: hips and hip, bending and bend.

    Derived words stay apart, which a stem alone would join: lateral is not later, extensor not extension.
    """
    if word in _PLACES:
        return "of"
    stemmed = stem(word)
    shared = shared_prefix(word, stemmed)
    if stemmed[shared:] in ("", "i", "e") and _INFLECTED.fullmatch(word[shared:]):
        return stemmed
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return root(word[:-1])
    # The stem goes further than the inflection: mobil, from mobilised
    for ending, instead in (("ed", "e"), ("ing", "e")):
        base = word.removesuffix(ending) + instead
        if word.endswith(ending) and stem(base) == stemmed:
            return base
    return word


@lru_cache(maxsize=20_000)
def _key(phrase: str) -> str:
    found = words(phrase)
    lead = "the " if found and found[0].led else ""
    return lead + " ".join([word.root for word in found])


def _exact_key(phrase: str) -> str:
    return " ".join([word.plain for word in words(phrase)])


def _spelt(phrase: str) -> str:
    return " ".join([plain_word(token) for token in _TOKEN.findall(phrase)])


class Lexicon:
    """The entries of a lexicon file, matched in texts."""

    def __init__(self, file: _File) -> None:
        claims = list(_claims(file))
        problems = [*_repeated_keys(file), *_conflicts(claims), *_lost(file, claims)]
        if problems:
            raise LexiconError("The lexicon contradicts itself. " + " ".join(problems))
        self._kinds = {key: kind for kind, entries in file.entries.items() for key in entries}
        exact = _by_key((claim for claim in claims if claim.field == "short"), _exact_key)
        rooted = _by_key((claim for claim in claims if claim.field != "short"), _key)
        self._exact = {key: _meaning(found) for key, found in exact.items()}
        self._rooted = {key: _meaning(found) for key, found in rooted.items()}
        self._rooted.update({_key(phrase): _Meaning((), ()) for phrase in file.ignore.phrases})
        self._lengths = _lengths(self._rooted, self._exact)
        self._related = _related(file)
        self._descriptions = {
            _key(claim.phrase)
            for claim in claims
            if claim.field == "lay" and len(words(claim.phrase)) >= _DESCRIPTION
        }
        self.misspelt = _misspelt(file)
        self.words = _right_words(file, claims)
        self.shorthand: Mapping[str, str] = file.shorthand
        self.shorthand_between: Sequence[Between] = file.shorthand_between

    @classmethod
    def load(cls, path: Path = LEXICON_FILE) -> Lexicon:
        """Read a lexicon file and check it.

        Raises:
            LexiconError: The file is not well formed, or its entries contradict each other.
        """
        return cls.parse(path.read_text(encoding="utf-8"))

    @classmethod
    def parse(cls, text: str) -> Lexicon:
        """The lexicon of a file's text; errors as for `load`."""
        try:
            tables = tomllib.loads(text)
            apart = {name: tables.pop(name) for name in _File.model_fields if name in tables}
            return cls(_File.model_validate({"entries": tables, **apart}))
        except tomllib.TOMLDecodeError as error:
            raise LexiconError(f"The lexicon is not valid TOML: {error}.") from error
        except ValidationError as error:
            places = "; ".join(f"{_place(one['loc'])}: {one['msg']}" for one in error.errors())
            raise LexiconError(f"Put these entries of the lexicon right. {places}") from error

    def expand(self, text: str) -> tuple[Expansion, ...]:
        """Other ways to say the phrases of a text, in reading order.

        A phrase has up to two expansions with the same span: first the names that mean the same, then the
        words that are implied.
        """
        found = words(text)
        return tuple(
            Expansion(text[start:end], start, end, terms, weight)
            for match in self._matches(found)
            for start, end in [_span(found, match)]
            for terms, weight in match.meaning.leads
        )

    def concepts(self, text: str) -> frozenset[str]:
        """The concepts that a text names, by their keys in the file.

        What is merely asked about a concept (causes, treatment) and directions are left out.
        """
        named = {concept for match in self._matches(words(text)) for concept in match.meaning.concepts}
        return frozenset(concept for concept in named if self._kinds[concept] not in _NO_TOPIC)

    def is_description(self, phrase: str) -> bool:
        """Whether a phrase tells of a concept in several everyday words ("pain in the arch").

        Whoever says so need not mean the concept, so an answer need not name it.
        """
        return _key(phrase) in self._descriptions

    def first_phrase(self, text: str) -> str:
        """What a text is about, in its own words; empty when it names no concept.

        That is the first muscle, condition or nerve, else the first part of the body, else the first else. A
        word such as "strains" or "cramps" right after "what" or "which" is a verb, and counts last.
        """
        found = words(text)
        matches = sorted(self._matches(found), key=lambda match: _is_verb(found, match))
        for kinds in _TOPICS:
            for match in matches:
                if any(self._kinds[concept] in kinds for concept in match.meaning.concepts):
                    start, end = _span(found, match)
                    return text[start:end]
        return ""

    def kind(self, concept: str) -> Kind:
        """What a concept is.

        Raises:
            KeyError: There is no such concept.
        """
        return self._kinds[concept]

    def related(self, concept: str) -> frozenset[str]:
        """The concepts that an entry implies: the parts of a group, the muscles of a region.

        Raises:
            KeyError: There is no such concept.
        """
        return self._related[concept]

    def is_phrase(self, text: str) -> bool:
        """Whether a text as a whole is a phrase of the lexicon."""
        return _key(text) in self._rooted or _exact_key(text) in self._exact

    def sides(self, text: str) -> frozenset[Side]:
        """The sides of the body that a text speaks of; "the right exercise" and "what is left" are none."""
        found = words(text)
        named: set[Side] = set()
        body: set[int] = set()
        for match in self._matches(found):
            if "bilateral" in match.meaning.concepts:
                named.add("both")
            if "contralateral" in match.meaning.concepts:
                named.add("other")
            if any(self._kinds[concept] in _BODY for concept in match.meaning.concepts):
                body.add(match.first)
        for place, word in enumerate(found):
            side = _SIDES.get(word.plain)
            if side and (
                _before_body(found, place, body) or (side in ("left", "right") and _alone(found, place))
            ):
                named.add(side)
        return frozenset(named)

    def _matches(self, found: Sequence[Word]) -> Iterator[_Match]:
        place = 0
        while place < len(found):
            match = self._longest(found, place)
            if match:
                yield match
            place += match.length if match else 1

    def _longest(self, found: Sequence[Word], place: int) -> _Match | None:
        for length in self._lengths.get(found[place].root, ()):
            if length == 1 and (joined := self._joined(found, place)):
                return joined
            meaning = self._meaning_of(found[place : place + length])
            if meaning and place + length <= len(found):
                return _Match(place, length, meaning)
        return self._joined(found, place)

    def _meaning_of(self, span: Sequence[Word]) -> _Meaning | None:
        key = " ".join([word.root for word in span])
        led = self._rooted.get("the " + key) if span[0].led else None
        return led or self._rooted.get(key) or self._exact.get(" ".join([word.plain for word in span]))

    def _joined(self, found: Sequence[Word], place: int) -> _Match | None:
        """A name that is written with a hyphen: "ilio-psoas"."""
        if not found[place].glued:
            return None
        meaning = self._rooted.get(root(found[place].plain + found[place + 1].plain))
        return _Match(place, 2, meaning) if meaning else None


def _is_verb(found: Sequence[Word], match: _Match) -> bool:
    """Whether a match stands where a verb does: "what strains the scalenes"."""
    one = match.length == 1 and found[match.first].plain.endswith("s")
    before = found[match.first - 1].plain if match.first else ""
    return one and not found[match.first].led and before in {"what", "which", "who", "that"}


def _place(location: tuple[int | str, ...]) -> str:
    """Where in the file an error is: "[muscle.psoas major.same]"."""
    return f"[{'.'.join(str(part) for part in location if part not in ('entries', '[key]'))}]"


def _span(found: Sequence[Word], match: _Match) -> tuple[int, int]:
    return found[match.first].start, found[match.first + match.length - 1].end


# ------------------------------------------------------------------------------------------------ sides

_SIDES: Mapping[str, Side] = {
    "left": "left",
    "right": "right",
    "both": "both",
    "other": "other",
    "opposite": "other",
}
_SIDE_NOUNS = frozenset({"side", "sided", "sides"})
# What may stand between a side and a part of the body: "the left and right hips", "both of my upper arms".
_LINKS = frozenset("and or of upper lower inner outer front back big little left right whole entire".split())
_CLOSERS = frozenset(
    "and or but than when while is was as then more worse only too because hurts aches".split()
)


def _before_body(found: Sequence[Word], place: int, body: set[int]) -> bool:
    for at in range(place + 1, min(place + 4, len(found))):
        if at in body or found[at].plain in _SIDE_NOUNS:
            return True
        if found[at].plain not in _LINKS and found[at].root != "of":
            return False
    return False


def _alone(found: Sequence[Word], place: int) -> bool:
    """Whether a side stands without a noun: "...on the left", "turn to the right and..."."""
    led = found[place].led and place > 0 and (found[place - 1].root == "of" or found[place - 1].plain == "to")
    after = found[place + 1].plain if place + 1 < len(found) else "."
    return led and (not after[0].isalnum() or after in _CLOSERS)


# ------------------------------------------------------------------------------------- building the tables


def _claims(file: _File) -> Iterator[_Claim]:
    for entries in file.entries.values():
        for concept, entry in entries.items():
            yield from _entry_claims(concept, entry)
    for british, american in file.spelling.items():
        yield _Claim(british, "same", "", (american,), ())
        yield _Claim(american, "same", "", (british,), ())


def _entry_claims(concept: str, entry: _Entry) -> Iterator[_Claim]:
    names = (concept, *entry.same)
    # An abbreviation in capitals is used by articles too; a clipped name ("traps") would find "trapped"
    strong = (*names, *(short for short in entry.short if short != short.lower()))
    weak = (*entry.parts, *entry.implies)
    fields: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("same", names),
        ("short", entry.short),
        ("lay", entry.lay),
        ("misspelt", entry.misspelt),
    )
    for field, phrases in fields:
        for phrase in phrases:
            same = _others(strong, phrase)
            yield _Claim(phrase, field, concept, same, _others(weak, phrase, same))
    for part in entry.parts:
        yield _Claim(part, "parts", concept, (), _others(names, part))


def _others(terms: Sequence[str], phrase: str, said: Sequence[str] = ()) -> tuple[str, ...]:
    """The terms that say more than the phrase and what is said already, none twice in another inflection.

    A longer name that contains the phrase ("iliopsoas muscle") would only add common words.
    """
    own, seen = f" {_key(phrase)} ", {_key(one) for one in said}
    kept = []
    for term in terms:
        key = _key(term)
        if key not in seen and own not in f" {key} ":
            kept.append(term)
            seen.add(key)
    return tuple(kept)


def _by_key(claims: Iterable[_Claim], key: Callable[[str], str]) -> dict[str, dict[str, _Claim]]:
    """The claims of each phrase, one an entry."""
    found: dict[str, dict[str, _Claim]] = {}
    for claim in claims:
        found.setdefault(key(claim.phrase), {}).setdefault(claim.concept, claim)
    return found


def _meaning(claims: Mapping[str, _Claim]) -> _Meaning:
    concepts = tuple(concept for concept in claims if concept)
    if len(claims) > 1:  # a lay phrase of several entries: none of them can be taken for certain
        return _Meaning(concepts, ((_others(concepts, next(iter(claims.values())).phrase), _IMPLIED),))
    (claim,) = claims.values()
    leads = ((claim.same, _SAME), (claim.implied, _IMPLIED))
    return _Meaning(concepts, tuple((terms, weight) for terms, weight in leads if terms))


def _lengths(rooted: Iterable[str], exact: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """By the root of their first word: how many words the phrases have, longest first."""
    found: dict[str, set[int]] = {}
    for key in rooted:
        parts = key.removeprefix("the ").split(" ")
        found.setdefault(parts[0], set()).add(len(parts))
    for key in exact:
        parts = key.split(" ")
        found.setdefault(root(parts[0]), set()).add(len(parts))
    return {first: tuple(sorted(counts, reverse=True)) for first, counts in found.items()}


def _related(file: _File) -> dict[str, frozenset[str]]:
    owner: dict[str, str] = {}
    for entries in file.entries.values():
        for concept, entry in entries.items():
            owner.update({_key(name): concept for name in (concept, *entry.same, *entry.parts)})
    return {
        concept: frozenset(owner[key] for key in map(_key, entry.implies) if key in owner) - {concept}
        for entries in file.entries.values()
        for concept, entry in entries.items()
    }


def _misspelt(file: _File) -> dict[str, tuple[str, ...]]:
    """A wrong spelling, lower case, -> the right names it may stand for."""
    return {
        _spelt(wrong): (concept, *entry.same, *entry.parts, *entry.short, *entry.lay)
        for entries in file.entries.values()
        for concept, entry in entries.items()
        for wrong in entry.misspelt
    }


def _right_words(file: _File, claims: Sequence[_Claim]) -> frozenset[str]:
    """Every single word that the file holds as right, lower case, without apostrophes."""
    phrases = {claim.phrase for claim in claims if claim.field != "misspelt"}
    phrases.update(term for claim in claims for term in claim.implied)
    phrases.update(file.shorthand.values())
    return frozenset(word.plain for phrase in phrases for word in words(phrase) if word.plain.isalpha())


# --------------------------------------------------------------------------------------------- checking


def _repeated_keys(file: _File) -> Iterator[str]:
    seen: dict[str, str] = {}
    for kind, entries in file.entries.items():
        for concept in entries:
            if concept in seen:
                yield f'"{concept}" is an entry of {seen[concept]} and of {kind}.'
            seen[concept] = kind


def _conflicts(claims: Sequence[_Claim]) -> Iterator[str]:
    """Phrases that two entries claim, unless both do so as lay words; misspellings that are right words."""
    owners: dict[str, _Claim] = {}
    for claim in claims:
        key = "=" + _exact_key(claim.phrase) if claim.field == "short" else _key(claim.phrase)
        other = owners.setdefault(key, claim)
        if other.concept != claim.concept and not claim.field == other.field == "lay":
            both = f'"{other.concept}" ({other.field}) and "{claim.concept}" ({claim.field})'
            yield f'"{claim.phrase}" is claimed by {both}.'
    right = {_spelt(claim.phrase) for claim in claims if claim.field != "misspelt"}
    for claim in claims:
        if claim.field == "misspelt" and _spelt(claim.phrase) in right:
            yield f'"{claim.phrase}" of "{claim.concept}" is listed as right and as misspelt.'


def _lost(file: _File, claims: Iterable[_Claim]) -> Iterator[str]:
    claimed = {_key(claim.phrase): claim for claim in claims}
    for phrase in file.ignore.phrases:
        if claim := claimed.get(_key(phrase)):
            yield f'"{phrase}" is to be ignored, but "{claim.concept}" has it as "{claim.phrase}".'
