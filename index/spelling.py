"""Repairs the spelling of a question against the words of the articles.

A word that anyone knows is never touched: the articles' words, the lexicon's, common English, their
inflections, names and numbers. What remains is replaced only when one candidate is clearly the nearest.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from index.lexicon import Between, Lexicon, plain_word, root, shared_prefix


@dataclass(frozen=True, slots=True)
class Correction:
    """A question with its spelling repaired.

    Attributes:
        text: The question; everything that was not changed is as it was typed.
        changes: What was changed, in reading order, each as it was and as it is now.
    """

    text: str
    changes: tuple[tuple[str, str], ...]


class _Token(NamedTuple):
    """One word as typed.

    Attributes:
        text: As typed.
        plain: Lower case, without apostrophes.
        start: Offset of its first character.
        end: Offset after its last character.
        gap: What stands between it and the next word.
        name: Whether its capital says that it is a name or an abbreviation.
    """

    text: str
    plain: str
    start: int
    end: int
    gap: str
    name: bool


class _Fix(NamedTuple):
    """That `length` words from `first` on become `text`; `listed` when the lexicon says so by name."""

    first: int
    length: int
    text: str
    listed: bool


class _Candidate(NamedTuple):
    """Sorts best first: by the cost of the edits, then by how much the word is worth."""

    cost: float
    loss: float
    word: str


_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_ADDRESS = re.compile(r"\S*(?:@|://|www\.)\S*")
_TITLES = frozenset({"dr", "mr", "mrs", "ms", "prof"})
_PREFIX = re.compile(
    r"^(?:under|un|over|re|non|pre|post|anti|sub|inter|intra|hyper|hypo|micro|multi|semi|super|supra|infra|para|peri"
    r"|mid|mis|out|self|auto|bio|electro|neuro|osteo|thermo|pseudo|counter|cranio|facio)(?=[a-z]{4})"
)
_SUFFIX = re.compile(
    r"(?<=[a-z]{3})(?:like|less|ness|able|ish|ful|wise|ly|ers?|ists?|y|ments?|ity|ic|als?|ations?)$"
)
# British -> American, tried one at a time: the common words are known in one spelling only.
_VARIANTS = (
    (re.compile(r"is(?=(?:e|es|ed|er|ing|ation|ations)$)"), "iz"),
    (re.compile(r"ys(?=(?:e|es|ed|er|ing)$)"), "yz"),
    (re.compile(r"our"), "or"),
    (re.compile(r"[ao]e"), "e"),
    (re.compile(r"re$"), "er"),
    (re.compile(r"ll(?=(?:ed|ing|er)$)"), "l"),
    (re.compile(r"ence$"), "ense"),
    (re.compile(r"ogue$"), "og"),
)
_CONTRACTION = re.compile(r"['’](?:t|ll|re|ve|m|d)$", re.IGNORECASE)
_STRETCHED = re.compile(r"([a-z])\1{2,}")


class Spelling:
    """Corrects questions against one corpus.

    Args:
        vocabulary: The words of the articles, lower case, with how often they occur.
        known: Common English words, lower case.
        lexicon: Its words are right, its misspellings and its shorthand are replaced wherever they stand.
    """

    def __init__(self, vocabulary: Mapping[str, int], known: Collection[str], lexicon: Lexicon) -> None:
        self._vocabulary = vocabulary
        self._known = frozenset(known)
        self._lexicon = lexicon
        self._right = frozenset(vocabulary) | self._known | lexicon.words
        self._roots = frozenset(map(root, self._right))
        self._listed = {wrong: _nearest_name(wrong, names) for wrong, names in lexicon.misspelt.items()}
        self._listed_starts = frozenset(wrong.split(" ")[0] for wrong in self._listed if " " in wrong)
        self._between = {one.word: one for one in lexicon.shorthand_between}
        self._any = _buckets(self._right)
        self._anatomical = _buckets(lexicon.words)

    def correct(self, query: str) -> Correction:
        """The query with its misspelt words replaced; the very same text when there are none."""
        tokens = _tokens(query)
        fixes: list[_Fix] = []
        unknown = place = 0
        while place < len(tokens):
            fix = self._fix(tokens, place)
            if fix:
                fixes.append(fix)
            elif not self._is_right(tokens[place]) or not tokens[place].plain.isascii():
                unknown += 1
            place += fix.length if fix else 1
        guessed = sum(not fix.listed for fix in fixes)
        if unknown >= 2 and unknown >= guessed:  # another language, or names: better left as it is
            fixes = [fix for fix in fixes if fix.listed]
        return _applied(query, tokens, fixes)

    def _fix(self, tokens: Sequence[_Token], place: int) -> _Fix | None:
        token = tokens[place]
        if listed := self._listed_fix(tokens, place):
            return listed
        if self._is_right(token):
            return self._joined(tokens, place)
        if joined := self._joined(tokens, place):
            return joined
        text = (
            self._unstretched(token.plain)
            or self._split(token.plain, phrases=True)
            or self._nearest(tokens, place)
            or self._split(token.plain, phrases=False)
        )
        return _Fix(place, 1, text + _possessive(token.text), listed=False) if text else None

    def _listed_fix(self, tokens: Sequence[_Token], place: int) -> _Fix | None:
        """A misspelling or a shorthand that the lexicon lists."""
        token = tokens[place]
        if token.plain in self._listed_starts:
            for length in (3, 2):
                span = tokens[place : place + length]
                name = self._listed.get(" ".join([one.plain for one in span]))
                if name and all(one.gap in (" ", "-") for one in span[:-1]):
                    return _Fix(place, len(span), name, listed=True)
        if name := self._listed.get(token.plain):
            ending = "" if _possessive(name) else _possessive(token.text)
            return _Fix(place, 1, name + ending, listed=True)
        typed = token.text.lower()
        means = None if token.name else self._lexicon.shorthand.get(typed)
        if not means and (between := self._between.get(typed)) and _tells(between, tokens, place):
            means = between.means
        return _Fix(place, 1, means, listed=True) if means else None

    def _is_right(self, token: _Token) -> bool:
        word = token.plain
        if token.name or len(word) <= 3 or not (word.isalpha() and word.isascii()) or word in self._right:
            return True
        return bool(_CONTRACTION.search(token.text)) or self._is_formed(word)

    def _is_formed(self, word: str) -> bool:
        """Whether it is an inflection, a British spelling, or a prefix or suffix on a right word."""
        if root(word) in self._roots and word + "e" not in self._right:
            return True
        forms = [pattern.sub(other, word) for pattern, other in _VARIANTS]
        forms += [_PREFIX.sub("", word, count=1), _SUFFIX.sub("", word), _SUFFIX.sub("", word) + "e"]
        return any(form != word and len(form) > 3 and form in self._right for form in forms)

    def _joined(self, tokens: Sequence[_Token], place: int) -> _Fix | None:
        """Two halves of one word, at least one of which is no word: "ilio psoas"."""
        if place + 1 == len(tokens) or tokens[place].gap not in (" ", "-"):
            return None
        first, second = tokens[place], tokens[place + 1]
        whole = first.plain + second.plain
        if len(whole) < 7 or whole not in self._right or (whole in self._known and not self._is_ours(whole)):
            return None
        halves = first.plain in self._right and second.plain in self._right
        return None if halves else _Fix(place, 2, whole, listed=False)

    def _is_ours(self, word: str) -> bool:
        return word in self._vocabulary or word in self._lexicon.words

    def _unstretched(self, word: str) -> str | None:
        """A word whose letters were held down: "helppp"."""
        if not _STRETCHED.search(word):
            return None
        for times in (r"\1", r"\1\1"):
            short = _STRETCHED.sub(times, word)
            if len(short) > 1 and short in self._right:
                return self._lexicon.shorthand.get(short, short)
        return None

    def _split(self, word: str, *, phrases: bool) -> str | None:
        """Two words that lost their blank: a phrase of the lexicon, or one of its words and another."""
        least = 3 if phrases else 4
        parts = [(word[:at], word[at:]) for at in range(least, len(word) - least + 1)]
        parts = [(one, two) for one, two in parts if one in self._right and two in self._right]
        if phrases:
            return next((f"{a} {b}" for a, b in parts if self._lexicon.is_phrase(f"{a} {b}")), None)
        ours = [
            (min(self._count(a), self._count(b)), f"{a} {b}")
            for a, b in parts
            if self._lexicon.is_phrase(a) or self._lexicon.is_phrase(b)
        ]
        count, text = max(ours, default=(0, ""))
        return text if count > 1 else None

    def _count(self, word: str) -> int:
        return self._vocabulary.get(word, 0)

    def _nearest(self, tokens: Sequence[_Token], place: int) -> str | None:
        """The one word that was clearly meant, or None."""
        word = tokens[place].plain
        rated = (self._candidate(near, edits, tokens, place) for near, edits in self._near(word))
        found = sorted(one for one in rated if one)
        if not found:
            return None
        best = found[0]
        # A short word has many neighbours, so that only a far commoner one can have been meant
        margin = math.log(4 if len(word) > 5 else 30)
        for rival in found[1:]:
            close = rival.cost == best.cost and rival.loss - best.loss < margin
            if close and root(rival.word) != root(best.word):
                return None
        return best.word

    def _near(self, word: str) -> Iterable[tuple[str, int]]:
        """Words at one edit from a word, and for a long one the lexicon's at two."""
        yield from _found(word, self._any, 1)
        if len(word) > 7:
            yield from ((near, edits) for near, edits in _found(word, self._anatomical, 2) if edits > 1)

    def _candidate(self, near: str, edits: int, tokens: Sequence[_Token], place: int) -> _Candidate | None:
        """What speaks for and against one word; None when it cannot have been meant."""
        word = tokens[place].plain
        alike = len(word) > 4 and _skeleton(word) == _skeleton(near)
        if _is_derived(word, near) or not self._is_likely(tokens[place], near, edits, alike=alike):
            return None
        cost = 0.0
        if alike:
            cost -= 0.5
        elif edits == 1 and not _is_slip(word, near):
            cost += 1.5
        if word[0] != near[0]:
            cost += 0.5
        if self._makes_phrase(near, tokens, place):
            cost -= 1.0
        if cost > 0:
            return None
        worth = math.log1p(self._count(near)) + 3.0 * (near in self._lexicon.words) + (near in self._known)
        return _Candidate(edits + cost, -worth, near)

    def _is_likely(self, token: _Token, near: str, edits: int, *, alike: bool) -> bool:
        """Whether a word may be meant at all: a rare one of the lexicon rather than any other."""
        word = token.plain
        if near in self._lexicon.words:
            return edits == 1 or alike or (len(word) > 9 and near not in self._known)
        if token.text[0].isupper() and not token.text.isupper():
            return False  # with a capital it may be a name
        swapped = sorted(word) == sorted(near)
        return swapped or alike or (len(word) > 5 and near in self._vocabulary)

    def _makes_phrase(self, near: str, tokens: Sequence[_Token], place: int) -> bool:
        """Whether it makes a phrase of the lexicon with the word before or after it: "carpal tunnel"."""
        before = tokens[place - 1].plain if place else ""
        after = tokens[place + 1].plain if place + 1 < len(tokens) else ""
        phrases = [f"{before} {near}" if before else "", f"{near} {after}" if after else ""]
        return any(phrase and self._lexicon.is_phrase(phrase) for phrase in phrases)


def _tokens(query: str) -> list[_Token]:
    """The words of a query; those of addresses (web, mail) are left out."""
    addresses = [match.span() for match in _ADDRESS.finditer(query)]
    found = [
        match
        for match in _WORD.finditer(query)
        if not any(start <= match.start() < end for start, end in addresses)
    ]
    capitals = sum(match.group()[0].isupper() for match in found)
    # In capitals throughout or set like a title, only what is short may be a name
    telling = capitals * 2 <= len(found) or len(found) < 2
    shouted = query.isupper()
    tokens: list[_Token] = []
    before = "."
    for number, match in enumerate(found):
        text = match.group()
        following = found[number + 1].start() if number + 1 < len(found) else len(query)
        starts_sentence = bool(re.search(r"[.!?:\n]", before)) and not (
            tokens and tokens[-1].plain in _TITLES
        )
        name = not shouted and (
            (text[0].isupper() and (not starts_sentence if telling else len(text) < 6))
            or any(letter.isupper() for letter in text[1:])
        )
        before = query[match.end() : following]
        tokens.append(_Token(text, plain_word(text), match.start(), match.end(), before, name))
    return tokens


def _tells(between: Between, tokens: Sequence[_Token], place: int) -> bool:
    """Whether the neighbours of a shorthand show that it is one."""
    after = place + 1 < len(tokens) and tokens[place].gap == " " and tokens[place + 1].text.lower()
    before = place > 0 and tokens[place - 1].gap == " " and tokens[place - 1].text.lower()
    return after in between.before or before in between.after


def _possessive(text: str) -> str:
    return text[-2:] if text[-2:].lower() in ("'s", "’s") else ""


def _nearest_name(wrong: str, names: Iterable[str]) -> str:
    """The name that a listed misspelling stands for: the one with the fewest edits."""
    return min(names, key=lambda name: (OSA.distance(wrong, name.lower()), wrong[-1] != name[-1], len(name)))


def _applied(query: str, tokens: Sequence[_Token], fixes: Iterable[_Fix]) -> Correction:
    parts: list[str] = []
    changes: list[tuple[str, str]] = []
    place = 0
    for fix in fixes:
        start, end = tokens[fix.first].start, tokens[fix.first + fix.length - 1].end
        old = query[start:end]
        new = _cased(fix.text, old)
        parts += [query[place:start], new]
        changes.append((old, new))
        place = end
    return Correction("".join([*parts, query[place:]]), tuple(changes))


def _cased(text: str, like: str) -> str:
    if len(like) > 1 and like.isupper():
        return text.upper()
    return text[0].upper() + text[1:] if like[0].isupper() else text


_ONSETS = (
    (re.compile(r"ps|sc(?=[eiy])|c(?=[eiy])|[sxz]"), "s"),
    (re.compile(r"[kgp]n|n"), "n"),
    (re.compile(r"wr|rh|r"), "r"),
    (re.compile(r"ph|f"), "f"),
    (re.compile(r"[ckq]"), "k"),
    (re.compile(r"[aeiouy]"), "a"),
)


def _onset(word: str) -> str:
    """How a word begins by ear: misspelt words seldom get that wrong."""
    return next((sound for pattern, sound in _ONSETS if pattern.match(word)), word[0])


_KEYS = {
    letter: (column + row / 2, row)
    for row, letters in enumerate(("qwertyuiop", "asdfghjkl", "zxcvbnm"))
    for column, letter in enumerate(letters)
}
_VOWELS = frozenset("aeiouy")


def _is_slip(word: str, near: str) -> bool:
    """Whether a single edit is one that fingers or ears make.

    That is any but one letter for another that is neither beside it on the keyboard nor, as a vowel, like it.
    """
    if len(word) != len(near):
        return True
    pairs = [(a, b) for a, b in zip(word, near, strict=True) if a != b]
    if len(pairs) != 1:
        return True
    (typed, meant) = pairs[0]
    if typed in _VOWELS and meant in _VOWELS:
        return True
    (x, row), (other_x, other_row) = _KEYS[typed], _KEYS[meant]
    return abs(row - other_row) <= 1 and abs(x - other_x) <= 1


_ENDINGS = {
    *(
        "",
        "s",
        "es",
        "ed",
        "d",
        "ing",
        "ion",
        "ions",
        "ive",
        "ic",
        "ics",
        "otic",
        "osis",
        "al",
        "a",
        "ity",
        "ous",
    ),
    *("ate", "ant", "ent", "an", "ans", "n", "able", "ible", "ism", "ist", "er", "ers", "or", "ors"),
}


def _is_derived(word: str, near: str) -> bool:
    """Whether two words are one stem with two endings: predictive and prediction, both right."""
    shared = shared_prefix(word, near)
    for cut in range(max(5, shared - 2), shared + 1):
        endings = {word[cut:], near[cut:]}
        if endings <= _ENDINGS and endings not in ({"er", "or"}, {"ers", "ors"}):
            return True
    return False


_SOUNDS = (("ph", "f"), ("ck", "k"), ("sc", "s"), ("q", "k"), ("x", "ks"), ("z", "s"), ("c", "k"))
_SOFT_C = re.compile(r"c(?=[eiy])")
_SILENT = re.compile(r"[aeiouyhw]+")
_DOUBLED = re.compile(r"(.)\1+")


def _skeleton(word: str) -> str:
    """The consonants of a word by ear: equal for rhomboid and rhomboyd, trapezius and trapezious."""
    word = _SOFT_C.sub("s", word)
    for letters, sound in _SOUNDS:
        word = word.replace(letters, sound)
    return _DOUBLED.sub(r"\1", _SILENT.sub("", word))


_Buckets = Mapping[tuple[str, int], Sequence[str]]


def _found(word: str, buckets: _Buckets, limit: int) -> Iterable[tuple[str, int]]:
    """Words within `limit` edits that begin with the same sound; the first two letters may be swapped."""
    for start in {_onset(word), _onset(word[1] + word[0] + word[2:])}:
        for length in range(len(word) - limit, len(word) + limit + 1):
            bucket = buckets.get((start, length), ())
            for near, edits, _ in process.extract(
                word, bucket, scorer=OSA.distance, score_cutoff=limit, limit=None
            ):
                yield near, int(edits)


def _buckets(right: Iterable[str]) -> _Buckets:
    """The words that a correction may choose, by how they begin and how long they are."""
    found: dict[tuple[str, int], list[str]] = {}
    for word in right:
        if len(word) > 2 and word.isalpha() and word.isascii():
            found.setdefault((_onset(word), len(word)), []).append(word)
    return found
