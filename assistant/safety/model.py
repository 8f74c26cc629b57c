"""The fitted model that reads a conversation beside the rules, for the wordings that no list foresees.

Two readers, fitted on messages.jsonl by fit.py: a logistic regression over hashed words, parts of words and
the signs found (weights.npz), and the packaged sentence model with low-rank corrections (adapter.npz). What
they say together raises a decision; it never lowers one.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from assistant.safety.reading import visible
from assistant.safety.rules import Conclusion, Finding, Level
from assistant.safety.sentence_model import Floats, SentenceModel

HERE = Path(__file__).parent
BUCKETS = 1 << 14
# Words beyond these are not read by the word model; the rules read more.
MOST_WORDS = 400
# The three questions that the model answers, rising.
LEVELS: tuple[Level, ...] = ("soon", "same_day", "emergency_now")

# A text without a sign whose word logit of at least `soon` is below this is ordinary. None of 1791 urgent
# training messages and none of 303 urgent test messages is that.
ORDINARY = -1.5

Features = dict[int, float]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the model makes of a conversation.

    Attributes:
        level: What it would raise the decision to, or None.
        category: The most probable category, were it urgent.
        at_least: Probability 0..1 that it is at least each of LEVELS.
    """

    level: Level | None
    category: str
    at_least: tuple[float, float, float]

    def __str__(self) -> str:
        chances = ", ".join(
            f"{level} {chance:.2f}" for level, chance in zip(LEVELS, self.at_least, strict=True)
        )
        return f"model: at least {chances}; {self.category}"


def joined(turns: Sequence[str]) -> str:
    """The conversation as the readers see it."""
    return " . ".join(visible(turn) for turn in turns)


def features(text: str, findings: Iterable[Finding], conclusions: Iterable[Conclusion]) -> Features:
    """What the word model reads: bucket to weight.

    Args:
        text: From `joined`.
        findings: The signs found in it.
        conclusions: The rules that hold.
    """
    words = "".join(c if c.isalnum() or c == "'" else " " for c in text).split()[:MOST_WORDS]
    grams = [f"w {word}" for word in words]
    grams += [f"b {one} {two}" for one, two in pairwise(words)]
    for word in set(words):
        marked = f"<{word}>"
        grams += [f"c {marked[i : i + size]}" for size in (4, 5) for i in range(len(marked) - size + 1)]
    counted: Features = {}
    for gram in set(grams):
        bucket = zlib.crc32(gram.encode()) % BUCKETS
        counted[bucket] = counted.get(bucket, 0.0) + 1.0
    length = sum(value * value for value in counted.values()) ** 0.5 or 1.0
    result = {bucket: 3.0 * value / length for bucket, value in counted.items()}
    said = {f"s {finding.sign} {finding.said.value}" for finding in findings}
    held = {f"r {one.category} {one.level}" for one in conclusions} | {
        f"l {one.level}" for one in conclusions
    }
    for name in said | held:
        bucket = zlib.crc32(name.encode()) % BUCKETS
        result[bucket] = result.get(bucket, 0.0) + 0.5
    return result


_NONE = np.empty(0, np.int64)


class Model:
    """Fitted weights.

    Args:
        words: From weights.npz: `words` (3, BUCKETS + 1) with the bias last; `mix` (3, 3), for each level the
            weights of the word model's and the sentence model's logit and a bias; `thresholds` (3,),
            probabilities.
        adapter: From adapter.npz: the corrections of SentenceModel; `levels` (3, WIDTH + 1) and
            `category_weights` (n, WIDTH + 1), biases last; `categories` (n,).
    """

    def __init__(self, words: Mapping[str, Any], adapter: Mapping[str, Any]) -> None:
        self._words = words["words"].astype(np.float32)
        self._mix = words["mix"].astype(np.float32)
        self._thresholds = words["thresholds"]
        self._levels = adapter["levels"].astype(np.float32)
        self._category_weights = adapter["category_weights"].astype(np.float32)
        self._categories = [str(name) for name in adapter["categories"]]
        self._sentences = SentenceModel(
            {name: array.astype(np.float32) for name, array in adapter.items() if name[-2:] in {".A", ".B"}}
        )

    @classmethod
    def load(cls, folder: Path = HERE) -> Model:
        """The shipped weights."""
        with np.load(folder / "weights.npz") as words, np.load(folder / "adapter.npz") as adapter:
            return cls(dict(words), dict(adapter))

    def finds_ordinary(self, text: str) -> bool:
        """Whether a text in which no sign was found is plainly about nothing urgent, by its words alone."""
        return bool(word_logits(self._words, features(joined([text]), (), ()))[0] < ORDINARY)

    def opinion(
        self, turns: Sequence[str], findings: Iterable[Finding], conclusions: Iterable[Conclusion]
    ) -> Opinion:
        """What the model makes of the turns, and of what the rules found in them."""
        text = joined(turns)
        by_words = word_logits(self._words, features(text, findings, conclusions))
        vector = np.append(self._sentences.vector(text), np.float32(1))
        logits = self._mix[:, 0] * by_words + self._mix[:, 1] * (self._levels @ vector) + self._mix[:, 2]
        chances = risen(1 / (1 + np.exp(-logits)))
        # Without the first there is nothing to raise: the share of false leads was chosen by it.
        reached = np.flatnonzero(chances >= self._thresholds) if chances[0] >= self._thresholds[0] else _NONE
        category = self._categories[int((self._category_weights @ vector).argmax())]
        soon, same_day, now = map(float, chances)
        return Opinion(LEVELS[reached[-1]] if reached.size else None, category, (soon, same_day, now))


def risen(chances: Floats) -> Floats:
    """Chances (..., 3) made to agree: what is at least same_day is at least soon, though fitted apart."""
    return np.maximum.accumulate(chances[..., ::-1], axis=-1)[..., ::-1]


def word_logits(weights: Floats, found: Features) -> Floats:
    """The word model's three logits."""
    buckets = np.fromiter(found, dtype=np.int64, count=len(found))
    values = np.fromiter(found.values(), dtype=np.float32, count=len(found))
    logits: Floats = weights[:, buckets] @ values + weights[:, -1]
    return logits
