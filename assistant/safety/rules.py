"""Knowledge applied: finds the signs of signs.toml in a message, and what rules.toml concludes from them.

The wording of a sign is written the way a reviewer would say it:

    chest (pain|ache)     one word after the other, one of several
    vomit*                any ending
    sudden .. headache    up to 4 words between;  ... up to 9
    [really] bad          may be left out;  lips?  its last letter may be
    @belly                a list of words from the [words] table
    cold & sweat*         both, in either order, within 9 words
    what is the point $   the sentence ends here

A rule says when: names of signs with & (and), | (or), ( ), `2 of (a, b, c)`, `a ~ b` (in the same or the next
sentence), and `!a` (not said). Several turns of a conversation are read together.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from assistant.safety.measures import SIGNS as MEASURED
from assistant.safety.measures import measured
from assistant.safety.reading import Said, Sentence, Speller, sentences

HERE = Path(__file__).parent
TOPIC = "topic:"  # a sign that only names an illness
UNWELL = "unwell"  # the rules for illness that fits no category
Level = Literal["emergency_now", "same_day", "soon", "safety_net"]
LEVELS = get_args(Level)[::-1]  # rising


@dataclass(frozen=True, slots=True)
class Finding:
    """A sign seen in the conversation: where (turn, sentence), in which words, and what was said of it."""

    sign: str
    turn: int
    sentence: int
    words: str
    said: Said


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A rule that holds: its level and category, and the findings that made it hold."""

    level: Level
    category: str
    findings: tuple[Finding, ...]


# ---------------------------------------------------------------------------------------------- wordings


@dataclass(frozen=True, slots=True)
class Wording:
    """One way of saying a sign, ready to be looked for in " word word word"."""

    sign: str
    find: re.Pattern[str]


_PIECE = re.compile(r"\.\.\.|\.\.|[()\[\]|]|@\w+|[^\s()\[\]|@.]+(?:\.\d+)?")
# Gaps are groups, so that a "not" inside one can be told from a "not" that the wording asks for.
_GAP = {"..": r"((?: \S+){0,4}?)", "...": r"((?: \S+){0,9}?)"}


class _WordingParser:
    """Turns one wording into a regular expression, the words it may begin with, and all words it uses."""

    def __init__(self, text: str, groups: dict[str, list[str]]) -> None:
        self._pieces = _PIECE.findall(text)
        self._at = 0
        self._groups = groups
        self.words: set[str] = set()

    def whole(self) -> tuple[str, set[str]]:
        pattern, first, _ = self._sequence()
        if self._at != len(self._pieces):
            raise ValueError(f"unbalanced wording: {' '.join(self._pieces)!r}")
        return pattern, first

    def _sequence(self) -> tuple[str, set[str], bool]:
        """Regex, possible first words (with * for prefixes), and whether it may match nothing."""
        pattern, first, empty = "", set[str](), True
        while self._at < len(self._pieces) and self._pieces[self._at] not in {")", "]", "|"}:
            piece, begins, may_be_empty = self._item()
            pattern += piece
            if empty:
                first |= begins
            empty = empty and may_be_empty
        return pattern, first, empty

    def _item(self) -> tuple[str, set[str], bool]:
        piece = self._pieces[self._at]
        self._at += 1
        if piece in _GAP:
            return _GAP[piece], set(), True
        if piece == "$":
            return "(?! )", set(), True
        if piece in {"(", "["}:
            return self._alternatives("]" if piece == "[" else ")", optional=piece == "[")
        if piece.startswith("@"):
            inner = _WordingParser(" | ".join(self._groups[piece[1:]]), self._groups)
            result = inner._alternatives("", optional=False)
            self.words |= inner.words
            return result
        stem, any_ending = piece.rstrip("*"), piece.endswith("*")
        spellings = {stem.replace("?", ""), re.sub(r".\?", "", stem)}
        self.words |= set() if any_ending else spellings
        ending = r"\S*" if any_ending else r"(?!\S)"
        return f" {stem}{ending}", {spelling + "*" * any_ending for spelling in spellings}, False

    def _alternatives(self, end: str, *, optional: bool) -> tuple[str, set[str], bool]:
        branches, first, empty = [], set[str](), optional
        while True:
            pattern, begins, may_be_empty = self._sequence()
            branches.append(pattern)
            first |= begins
            empty = empty or may_be_empty
            separator = self._pieces[self._at] if self._at < len(self._pieces) else ""
            self._at += 1
            if separator == end:
                break
            if separator != "|":
                raise ValueError(f"unbalanced wording: {' '.join(self._pieces)!r}")
        return f"(?:{'|'.join(branches)})" + ("?" if optional else ""), first, empty


def _parse_wording(text: str, groups: dict[str, list[str]]) -> tuple[str, set[str], set[str]]:
    """Regex source, first words, all words. `a & b` is either order."""
    halves = [half.strip() for half in text.split(" & ")]
    parsed = []
    words: set[str] = set()
    for half in halves:
        parser = _WordingParser(half, groups)
        parsed.append(parser.whole())
        words |= parser.words
    if len(parsed) == 1:
        return (*parsed[0], words)
    (one, first_one), (two, first_two) = parsed
    gap = _GAP["..."]
    return f"(?:{one}{gap}{two}|{two}{gap}{one})", first_one | first_two, words


class Signs:
    """All signs, indexed by the words that their wordings may begin with.

    Args:
        groups: The lists of words that a wording may name with @.
        table: Sign to wordings.
    """

    def __init__(self, groups: dict[str, list[str]], table: dict[str, list[str]]) -> None:
        self.names = tuple(table)
        self._exact: dict[str, list[Wording]] = {}
        self._prefix: dict[str, list[Wording]] = {}
        vocabulary: set[str] = set()
        for sign, wordings in table.items():
            for text in wordings:
                source, first, words = _parse_wording(text, groups)
                vocabulary |= words
                wording = Wording(sign, re.compile(source))
                for word in first:
                    index = self._prefix if word.endswith("*") else self._exact
                    index.setdefault(word.rstrip("*"), []).append(wording)
        self._prefix_lengths = sorted({len(prefix) for prefix in self._prefix})
        self.speller = Speller(vocabulary)

    def find(self, text: str, turn: int = 0) -> list[Finding]:
        """Every sign that the message's words or figures say, each once per sentence and way of saying."""
        found: dict[tuple[str, int, Said], Finding] = {}
        for number, sentence in enumerate(sentences(text, self.speller)):
            for sign, first, last, gaps in self._matches(sentence):
                said = sentence.said(first, last, gaps)
                words = " ".join(sentence.words[first : last + 1])
                found.setdefault((sign, number, said), Finding(sign, turn, number, words, said))
        return list(found.values())

    def _matches(self, sentence: Sentence) -> Iterable[tuple[str, int, int, frozenset[int]]]:
        """Sign, first and last word, and the words in the wording's gaps."""
        line = " " + " ".join(sentence.words)
        for wording in self._candidates(sentence.words):
            for match in wording.find.finditer(line):
                first = line.count(" ", 0, match.start() + 1) - 1
                last = line.count(" ", 0, match.end()) - 1
                spans = (match.span(group) for group in range(1, (match.lastindex or 0) + 1))
                gaps = frozenset(
                    place
                    for start, end in spans
                    if start >= 0
                    for place in range(line.count(" ", 0, start), line.count(" ", 0, end))
                )
                yield wording.sign, first, last, gaps
        for sign, first, last in measured(sentence.words, sentence.clause):
            yield sign, first, last, frozenset()

    def _candidates(self, words: Iterable[str]) -> Iterable[Wording]:
        seen: dict[int, Wording] = {}
        for word in set(words):
            for wording in self._exact.get(word, ()):
                seen[id(wording)] = wording
            for length in self._prefix_lengths:
                if length > len(word):
                    break
                for wording in self._prefix.get(word[:length], ()):
                    seen[id(wording)] = wording
        return seen.values()


# ------------------------------------------------------------------------------------------------- rules

Seen = dict[str, list[Finding]]
Holds = Callable[[Seen], tuple[Finding, ...] | None]
_RULE_PIECE = re.compile(r"\d+ of|[()&|~!,]|\w+")


class _RuleParser:
    """Turns a rule's `when` into a function from the signs seen to the findings that satisfy it, or None."""

    def __init__(self, text: str, names: Iterable[str], shorthands: dict[str, str]) -> None:
        self._pieces = _RULE_PIECE.findall(text)
        self._at = 0
        self._names = frozenset(names)
        self._shorthands = shorthands
        self._text = text

    def whole(self) -> Holds:
        result = self._either()
        if self._at != len(self._pieces):
            raise ValueError(f"cannot read the rule {self._text!r} after piece {self._at}")
        return result

    def _next(self) -> str:
        return self._pieces[self._at] if self._at < len(self._pieces) else ""

    def _take(self, piece: str) -> bool:
        if self._next() == piece:
            self._at += 1
            return True
        return False

    def _either(self) -> Holds:
        parts = [self._both()]
        while self._take("|"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else _at_least(1, parts)

    def _both(self) -> Holds:
        parts = [self._near()]
        while self._take("&"):
            parts.append(self._near())
        return parts[0] if len(parts) == 1 else _at_least(len(parts), parts)

    def _near(self) -> Holds:
        left = self._one()
        while self._take("~"):
            left = _close(left, self._one())
        return left

    def _one(self) -> Holds:
        piece = self._next()
        self._at += 1
        if piece == "!":
            return _absent(self._one())
        if piece == "(":
            inner = self._either()
            self._expect(")")
            return inner
        if piece.endswith(" of"):
            return _at_least(int(piece.split()[0]), self._listed())
        if piece in self._shorthands:
            return _RuleParser(self._shorthands[piece], self._names, self._shorthands).whole()
        if piece not in self._names:
            raise ValueError(f"the rule {self._text!r} names the unknown sign {piece!r}")
        return lambda seen: tuple(seen[piece]) if piece in seen else None

    def _listed(self) -> list[Holds]:
        self._expect("(")
        parts = [self._either()]
        while self._take(","):
            parts.append(self._either())
        self._expect(")")
        return parts

    def _expect(self, piece: str) -> None:
        if not self._take(piece):
            raise ValueError(f"the rule {self._text!r} lacks a {piece!r}")


def _at_least(count: int, parts: Sequence[Holds]) -> Holds:
    def holds(seen: Seen) -> tuple[Finding, ...] | None:
        results = [result for part in parts if (result := part(seen)) is not None]
        return tuple(f for result in results for f in result) if len(results) >= count else None

    return holds


def _absent(part: Holds) -> Holds:
    return lambda seen: () if part(seen) is None else None


def _close(left: Holds, right: Holds) -> Holds:
    def holds(seen: Seen) -> tuple[Finding, ...] | None:
        one, two = left(seen), right(seen)
        if one is None or two is None:
            return None
        pairs = [(a, b) for a in one for b in two if a.turn == b.turn and abs(a.sentence - b.sentence) <= 1]
        return tuple(dict.fromkeys(f for pair in pairs for f in pair)) or None

    return holds


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of rules.toml."""

    level: Level
    category: str
    holds: Holds


class Rules:
    """signs.toml and rules.toml, read and joined.

    Raises:
        ValueError: A rule names a sign, or a wording a word list, that is not there.
    """

    def __init__(self, folder: Path = HERE) -> None:
        table = tomllib.loads((folder / "rules.toml").read_text(encoding="utf-8"))
        signs = tomllib.loads((folder / "signs.toml").read_text(encoding="utf-8"))
        topics = {TOPIC + category: wordings for category, wordings in table["topics"].items()}
        self.signs = Signs(signs["words"], signs["signs"] | topics)
        names = (*self.signs.names, *MEASURED)
        self.rules = tuple(
            Rule(row["level"], category, _RuleParser(row["when"], names, table["short"]).whole())
            for category, rows in table["rules"].items()
            for row in rows
        )

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """Every category that a rule can conclude, in the order of the file."""
        return tuple(dict.fromkeys(rule.category for rule in self.rules))

    def conclude(
        self, findings: Iterable[Finding], *, counted: Iterable[Said] = (Said.PRESENT,)
    ) -> list[Conclusion]:
        """The rules that hold, most urgent first; in the file's order when equally urgent."""
        allowed = frozenset(counted)
        seen: Seen = {}
        for finding in findings:
            if finding.said in allowed:
                seen.setdefault(finding.sign, []).append(finding)
        held = [
            Conclusion(rule.level, rule.category, result)
            for rule in self.rules
            if (result := rule.holds(seen)) is not None
        ]
        return sorted(held, key=lambda c: -LEVELS.index(c.level))
