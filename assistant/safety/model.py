"""The small fitted model that reads a conversation beside the rules: hashed words, parts of words, and signs.

Logistic regressions over sparse features, fitted by `python -m assistant.safety.fit` on messages.jsonl. It is there
for the wordings that no list foresees.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.safety.rules import Conclusion, Finding

HERE = Path(__file__).parent
BUCKETS = 1 << 14
# Words beyond these are not read by the model; the rules read more.
MOST_WORDS = 400

Features = dict[int, float]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the model makes of a conversation.

    Attributes:
        at_least: Probability 0..1 that it is at least `soon`, `same_day`, `emergency_now`.
        category: The most probable category if it is urgent.
        category_probability: Of that category, among the urgent ones.
    """

    at_least: dict[str, float]
    category: str
    category_probability: float


def features(text: str, findings: Iterable[Finding], conclusions: Iterable[Conclusion]) -> Features:
    """Bucket to weight, of unit length apart from the signs.

    Args:
        text: Plain words of the conversation, single spaces.
        findings: The signs found in it.
        conclusions: The rules that hold.
    """
    words = text.split()[:MOST_WORDS]
    grams = [f"w {word}" for word in words]
    grams += [f"b {one} {two}" for one, two in zip(words, words[1:], strict=False)]
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
    held = {f"r {c.category} {c.level}" for c in conclusions} | {f"l {c.level}" for c in conclusions}
    for name in said | held:
        bucket = zlib.crc32(name.encode()) % BUCKETS
        result[bucket] = result.get(bucket, 0.0) + 0.5
    return result


class Model:
    """Fitted weights.

    Args:
        level_weights: float32 (3, BUCKETS + 1), for at least soon, same_day, emergency_now; the bias is last.
        category_weights: float32 (number of categories, BUCKETS + 1).
        categories: Their keys.
        thresholds: For each of the three, the probability from which the model raises a decision.
    """

    LEVELS = ("soon", "same_day", "emergency_now")

    def __init__(
        self,
        level_weights: np.ndarray,
        category_weights: np.ndarray,
        categories: Sequence[str],
        thresholds: Sequence[float],
    ) -> None:
        self._levels = level_weights
        self._categories = category_weights
        self.categories = tuple(categories)
        self.thresholds = dict(zip(self.LEVELS, thresholds, strict=True))

    @classmethod
    def load(cls, path: Path = HERE / "weights.npz") -> Model:
        """The shipped weights."""
        with np.load(path) as stored:
            return cls(
                stored["levels"].astype(np.float32),
                stored["categories_weights"].astype(np.float32),
                [str(name) for name in stored["categories"]],
                [float(value) for value in stored["thresholds"]],
            )

    def judge(self, found: Features) -> Opinion:
        """The model's opinion of features made by `features`."""
        buckets = np.fromiter(found, dtype=np.int64, count=len(found))
        values = np.fromiter(found.values(), dtype=np.float32, count=len(found))
        levels = self._levels[:, buckets] @ values + self._levels[:, -1]
        at_least = 1 / (1 + np.exp(-levels))
        scores = self._categories[:, buckets] @ values + self._categories[:, -1]
        chances = np.exp(scores - scores.max())
        chances /= chances.sum()
        best = int(chances.argmax())
        return Opinion(
            dict(zip(self.LEVELS, map(float, at_least), strict=True)), self.categories[best], float(chances[best])
        )


def plain_words(text: str) -> str:
    """Letters and figures only, single spaces; what `features` reads."""
    return " ".join(re.findall(r"[a-z']+|\d+", text))
