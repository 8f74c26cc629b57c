"""How a message is read before anything is looked for in it.

Typed text is made plain (look-alike letters, hidden characters, phone spelling, typos), cut into sentences
and clauses, and every word is marked with what was said about it: denied, long past, supposed, or asked in
general. Nothing here knows any illness; signs.toml and rules.toml do.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

HERE = Path(__file__).parent

# A message is read from both ends up to this many characters: what matters is rarely buried deeper than that,
# and the time for one check stays bounded whatever is pasted in.
READ_CHARACTERS = 6000
# Words that are in no list are compared with the signs' words; a text full of them is not English.
MOST_TYPOS = 60


class Said(Enum):
    """What the writer says about a word."""

    PRESENT = "present"
    DENIED = "denied"
    PAST = "past"
    SUPPOSED = "supposed"  # hypothetical, educational, about someone imagined


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, as plain words.

    Attributes:
        words: Lower case, spelling repaired; figures stay as written.
        clause: For each word, the number of its clause in the whole message, counting up.
        denied_by: For each word, the position of the word that denies it, or -1.
        past: For each word, whether it is told as long over.
        supposed: Whether the sentence asks in general or imagines.
    """

    words: tuple[str, ...]
    clause: tuple[int, ...]
    denied_by: tuple[int, ...]
    past: tuple[bool, ...]
    supposed: bool

    def said(self, first: int, last: int, gaps: Collection[int]) -> Said:
        """What is said of the words first..last; a "not" among them denies when it stands in a gap."""
        inner = max(self.denied_by[first : last + 1])
        if self.denied_by[first] >= 0 or inner in gaps or 0 <= inner < first:
            return Said.DENIED
        if self.supposed:
            return Said.SUPPOSED
        return Said.PAST if self.past[first] and self.past[last] else Said.PRESENT


@dataclass(frozen=True, slots=True)
class Language:
    """Word lists for general reading, from language.toml and known_words.txt."""

    replace: dict[str, str]
    known: frozenset[str]
    figures: re.Pattern[str]
    denials: frozenset[str]
    not_denials: re.Pattern[str]
    turns: frozenset[str]
    subjects: frozenset[str]
    past: re.Pattern[str]
    present: re.Pattern[str]
    present_tense: re.Pattern[str]
    general: re.Pattern[str]
    muscle_question: re.Pattern[str]
    acute: re.Pattern[str]
    of_anyone: re.Pattern[str]
    imagined: re.Pattern[str]
    teaching: re.Pattern[str]
    frame: re.Pattern[str]
    own: re.Pattern[str]
    personal: re.Pattern[str]


def _any_of(patterns: list[str]) -> re.Pattern[str]:
    return re.compile(r"(?<!\S)(?:" + "|".join(patterns) + r")(?!\S)")


@lru_cache(maxsize=1)
def language() -> Language:
    """The shipped word lists, read once."""
    table = tomllib.loads((HERE / "language.toml").read_text(encoding="utf-8"))
    known = (HERE / "known_words.txt").read_text(encoding="utf-8").split("\n")
    return Language(
        replace=table["replace"],
        known=frozenset(word for word in known if word and not word.startswith("#")),
        figures=_any_of(table["figures_of_speech"]),
        denials=frozenset(table["denials"]),
        not_denials=_any_of(table["not_denials"]),
        turns=frozenset(table["turns"]),
        subjects=frozenset(table["subjects"]),
        past=_any_of(table["past"]),
        present=_any_of(table["present"]),
        present_tense=_any_of(table["present_tense"]),
        general=_any_of(table["general_question"]),
        muscle_question=_any_of(table["muscle_question"]),
        acute=_any_of(table["acute"]),
        of_anyone=_any_of(table["of_anyone"]),
        imagined=_any_of(table["imagined"]),
        teaching=_any_of(table["teaching"]),
        frame=_any_of(table["frame"]),
        own=_any_of(table["own"]),
        personal=_any_of(table["personal"]),
    )


# Letters of other alphabets that look like Latin ones, after lower-casing.
_LOOKALIKES = str.maketrans(
    {
        **dict(zip("аеорсухіјѕԁһкмтвнпԛԝɡαεορνυικτßıø", "aeopcyxijsdhkmtbhnqwgaeopvuiktsio", strict=True)),
        **dict.fromkeys("’‘‚‛´`′ʼ", "'"),
        **dict.fromkeys("“”„«»", '"'),
        **dict.fromkeys("–—‐‑‒―", "-"),
    }
)
_JOINED_APOSTROPHE = re.compile(r"([a-z])n't\b|(?<=[a-z])'(m|ve|re|ll|d|s)\b")
_ENDINGS = {"m": " am", "ve": " have", "re": " are", "ll": " will", "d": " would", "s": ""}
_IS_AFTER = re.compile(r"\b(it|he|she|that|there|what|who|here|where|how|everything|nothing)'s\b")
_SPACED_LETTERS = re.compile(r"(?<!\S)(?:[a-z] ){3,}[a-z](?!\S)")
_TOKEN = re.compile(
    r"\d+(?:[.,/:]\d+)*(?:\s?°\s?[cf]?)?|[a-z]+(?:'[a-z]+)?|[^\W\d_a-z]+|[.!?;]+|[,:()\n-]|[%&+]"
)
_HIDDEN = frozenset({"Cf", "Cc", "Mn", "Me", "Co", "Cs"})
_SENTENCE_END = re.compile(r"[.!?;]+|\n")


def visible(text: str) -> str:
    """What a reader would see, in lower case: no hidden characters, look-alike letters or accents.

    Of a text longer than twice READ_CHARACTERS only the beginning and the end.
    """
    if len(text) > 2 * READ_CHARACTERS:
        text = text[:READ_CHARACTERS] + "\n" + text[-READ_CHARACTERS:]
    text = unicodedata.normalize("NFKC", text)
    text = "".join(c for c in text if c.isascii() or unicodedata.category(c) not in _HIDDEN)
    text = unicodedata.normalize("NFKD", text.lower().translate(_LOOKALIKES))
    return "".join(c for c in text if not unicodedata.combining(c))


def plain(text: str) -> str:
    """Visible text with "n't" written "not", hyphens opened and letters typed apart joined."""
    text = visible(text)
    text = text.replace("a&e", "hospital").replace("a & e", "hospital").replace("a and e", "hospital")
    text = re.sub(r"(?<=\w)-(?=\w)", " ", text)
    text = text.replace("can't", "can not").replace("cannot", "can not").replace("won't", "will not")
    text = _IS_AFTER.sub(r"\1 is", text)
    text = _JOINED_APOSTROPHE.sub(lambda m: f"{m[1]} not" if m[1] else _ENDINGS[m[2]], text)
    return _SPACED_LETTERS.sub(lambda m: m[0].replace(" ", ""), text)


def _unstretch(word: str, known: Collection[str]) -> str:
    """Take back letters typed for emphasis: "sooooo", "paaaain"."""
    if not re.search(r"(.)\1\1", word):
        return word
    twice = re.sub(r"(.)\1{2,}", r"\1\1", word)
    return twice if twice in known else re.sub(r"(.)\1{2,}", r"\1", word)


class Speller:
    """Repairs words towards the words that signs are made of; real words are left alone.

    Args:
        vocabulary: Every whole word that a sign's wording uses; beginnings of words are no words.
    """

    def __init__(self, vocabulary: Collection[str]) -> None:
        self._known = language().known | frozenset(vocabulary)
        self._targets = sorted(word for word in vocabulary if len(word) >= 4)
        self._cache: dict[str, str] = {}

    def repair(self, word: str) -> str:
        """The word itself, or the sign word that it was probably meant to be; may be two words."""
        replace = language().replace
        if word in replace:
            return replace[word]
        if word in self._known or not 4 <= len(word) <= 25 or not word.isascii():
            return word
        found = self._cache.get(word)
        if found is None:
            if len(self._cache) > 5000:
                self._cache = {}  # another thread may still read the old one
            found = self._cache[word] = self._search(word)
        return found

    def _search(self, word: str) -> str:
        word = _unstretch(word, self._known)
        if word in self._known or self._inflected(word):
            return language().replace.get(word, word)
        for cut in range(3, len(word) - 2):
            if word[:cut] in self._known and word[cut:] in self._known and len(word) >= 7:
                return f"{word[:cut]} {word[cut:]}"
        allowed = 1 if len(word) < 8 else 2
        best = process.extractOne(
            word, self._targets, scorer=DamerauLevenshtein.distance, score_cutoff=allowed
        )
        return best[0] if (best and best[0][0] == word[0]) or (best and len(word) > 5) else word

    def _inflected(self, word: str) -> bool:
        """Whether it is a known word with a common ending."""
        for ending in ("s", "es", "ed", "d", "ing", "ly", "er", "y"):
            stem = word.removesuffix(ending)
            if stem != word and len(stem) > 2 and (stem in self._known or stem + "e" in self._known):
                return True
        return False


def _tokens(text: str, speller: Speller) -> Iterator[str]:
    typos = 0
    for raw in _TOKEN.findall(text):
        if not raw[0].isalpha():
            yield raw.replace(" ", "")
            continue
        typos += raw not in language().known
        yield from (speller.repair(raw) if typos <= MOST_TYPOS else raw).split()


def sentences(text: str, speller: Speller) -> list[Sentence]:
    """Cut a message into sentences whose words carry what is said of them."""
    tokens = list(_tokens(plain(text), speller))
    tokens = list(_without_figures(tokens))
    result: list[Sentence] = []
    clause, still_past, teaching = 0, False, False
    cut = [parts for run in _runs(tokens) if (parts := _clauses(run))]
    lines = [" ".join(word for part in parts for word in part) for parts in cut]
    framed = _is_framed(lines)
    for parts, joined in zip(cut, lines, strict=True):
        teaching = teaching or bool(language().teaching.search(joined))
        past, still_past = _past(parts, still_past)
        result.append(
            Sentence(
                words=tuple(word for part in parts for word in part),
                clause=tuple(clause + i for i, part in enumerate(parts) for _ in part),
                denied_by=tuple(_denied(parts)),
                past=past,
                supposed=_is_supposed(joined, teaching=teaching, framed=framed),
            )
        )
        clause += len(parts)
    return result


def _without_figures(tokens: list[str]) -> Iterator[str]:
    """Drop figures of speech ("this knot is killing me") so that their words mean nothing."""
    text = " ".join(tokens)
    yield from language().figures.sub(" ~ ", text).split(" ")


def _runs(tokens: list[str]) -> Iterator[list[str]]:
    run: list[str] = []
    for token in tokens:
        if _SENTENCE_END.fullmatch(token):
            yield run
            run = []
        elif token:
            run.append(token)
    yield run


def _clauses(run: list[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for place, token in enumerate(run):
        following = run[place + 1] if place + 1 < len(run) else ""
        opens = (token in language().turns and (token != "before" or following.isalnum())) or (
            token in {"and", "so", "then"} and following in language().subjects
        )
        if (token in {",", ":", "(", ")", "-", "\n"} or opens) and parts[-1]:
            parts.append([])
        if token.isalnum() or any(c.isalnum() for c in token) or token in "%&+~":
            parts[-1].append(token)
    return [part for part in parts if part]


def _denied(parts: list[list[str]]) -> Iterator[int]:
    """For each word, where the word stands that denies it.

    A denial reaches to the end of its clause, and over the commas of a list that ends in "or" or "nor".
    """
    lists_on = _lists(parts)
    start, carried = 0, -1
    for number, part in enumerate(parts):
        joined = " ".join(part)
        excused = _excused(joined, part)
        by = carried if number and lists_on[number] else -1
        for place, word in enumerate(part):
            if word in language().denials and place not in excused:
                yield by
                by = start + place
            else:
                yield by
        carried = by
        start += len(part)


def _excused(joined: str, part: list[str]) -> set[int]:
    """Places of denying words that deny nothing here: "not sure", "can not stop", "no idea why"."""
    places: set[int] = set()
    for match in language().not_denials.finditer(joined):
        before = joined[: match.start()].count(" ")
        places.update(range(before, before + match[0].count(" ") + 1))
    return {place for place in places if place < len(part)}


def _lists(parts: list[list[str]]) -> list[bool]:
    """For each clause, whether it goes on with the list that the clause before it began."""
    result = [False] * len(parts)
    for number in range(len(parts) - 1, 0, -1):
        part = parts[number]
        ends_list = part[0] in {"or", "nor"} or "or" in part[:4] or "nor" in part[:4]
        goes_on = number + 1 < len(parts) and result[number + 1]
        short = len(part) <= 4 and not language().subjects & set(part)
        result[number] = ends_list or (goes_on and short)
    listing = False
    for number, part in enumerate(parts[:-1]):
        # "Denies fever, chills, cough": clinicians' lists go on without an "or".
        listing = bool({"denies", "denied"} & set(part)) or (listing and not language().subjects & set(part))
        result[number + 1] = result[number + 1] or (
            listing and not language().subjects & set(parts[number + 1])
        )
    return result


def _past(parts: list[list[str]], still_past: bool) -> tuple[tuple[bool, ...], bool]:
    """Which words are told as long over, and whether the next sentence begins in that past."""
    marks: list[bool] = []
    for part in parts:
        joined = " ".join(part)
        if language().present.search(joined):
            still_past = False
        elif language().past.search(joined):
            still_past = True
        elif language().present_tense.search(joined):
            still_past = False
        marks.extend([still_past] * len(part))
    return tuple(marks), still_past


def _is_framed(lines: Sequence[str]) -> bool:
    """Whether study, fiction or news frames all the sentences: none beside it tells of the writer."""
    words = language()
    others = [line for line in lines if not words.frame.search(line)]
    return len(others) < len(lines) and not any(words.own.search(line) for line in others)


def tells_of_a_frame(text: str) -> bool:
    """Whether a text says that the message is about study, fiction or news, or about somebody imagined."""
    line, words = _line(text), language()
    return any(pattern.search(line) for pattern in (words.frame, words.imagined, words.teaching))


def tells_of_nobody(text: str) -> bool:
    """Whether a text has a frame, and tells of nobody who is the writer or close to the writer."""
    line, words = _line(text), language()
    return bool(words.frame.search(line) or words.imagined.search(line)) and not words.own.search(line)


def _line(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", plain(text)))


def _is_supposed(joined: str, *, teaching: bool, framed: bool) -> bool:
    """Whether a sentence asks in general, or imagines, rather than tells."""
    words = language()
    if words.imagined.search(joined) or (framed and not words.own.search(joined)):
        return True
    if words.personal.search(joined):
        return False
    if words.muscle_question.search(joined):
        of_anyone = words.of_anyone.search(joined) and not words.present.search(joined)
        return bool(of_anyone) or not words.acute.search(joined)
    return teaching or bool(words.general.search(joined))
