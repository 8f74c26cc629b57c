"""How far the sentences that are cited bear a written sentence out: 0..1, in a few milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from assistant.support.facts import Facts, Token, read, words
from assistant.support.rules import Sources, faults
from index.lexicon import Lexicon
from index.light_encoder import LightEncoder
from index.packaged import packaged_folder

if TYPE_CHECKING:
    from index.encoded import Floats

MODEL_FILE = Path(__file__).with_name("support.json")

FEATURES = (
    "coverage",  # share of its words, by rarity, that stand in the sources or their title
    "one_source",  # the same in the best single sentence
    "new",  # log of 1 + the number of words that do not
    "rarest",  # rarity of the rarest of these, against the mean of all words
    "pairs",  # share of its neighbouring words that stand near one another in a source
    "order",  # share of its words that a source has in the same order
    "run",  # the longest run of words that it copies, as a share
    "cosine",  # of it and the nearest source
    "aligned",  # each of its words with the nearest word of the sources: mean cosine, by rarity
    "lowest",  # the mean of the three lowest of these
    "new_aligned",  # the lowest of these among the words that are new
    "longer",  # log of its length against that of the sources, if above 0
    "soft",  # 1 when "can", "often" and the like of the sources are missing
    "turned",  # words whose polarity or certainty differs, as a share
    "extra_cause",  # 1 when it tells of a cause and the sources do not
    "short",  # 1 below four words of content
)


class Model(BaseModel):
    """What was fitted by `python -m assistant.support.fit`.

    Attributes:
        weights: Of each feature in the log-odds.
        bias: Added to them.
        threshold: The support below which a sentence is not shown.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    weights: dict[str, float]
    bias: float
    threshold: float

    def probability(self, features: Floats) -> float:
        """The logistic of weighted features and bias: 0..1."""
        row = np.array([self.weights.get(name, 0.0) for name in FEATURES])
        return float(1 / (1 + np.exp(-(self.bias + float(row @ features)))))


@lru_cache(maxsize=1)
def fitted() -> Model:
    """The model that is shipped."""
    return Model.model_validate_json(MODEL_FILE.read_bytes())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check makes of one written sentence.

    Attributes:
        support: The probability that the sources bear it out; 0 when a rule is broken.
        faults: The rules that it breaks.
        passed: Whether it may be shown.
    """

    support: float
    faults: tuple[str, ...]
    passed: bool


class Judge:
    """Judges written sentences by the sentences that they cite, and by nothing else.

    Word and sentence vectors come from a copy of the packaged model of its own, which the weights were fitted
    to: a setting that swaps the index's encoder leaves this one alone.

    Args:
        lexicon: Knows names.
        model: None for the one that is shipped.
    """

    def __init__(self, lexicon: Lexicon, model: Model | None = None) -> None:
        self._encoder = LightEncoder(fitted=False)
        self._lexicon = lexicon
        self._model = model or fitted()
        self._rarity = _ranks()
        self._vectors = lru_cache(maxsize=4096)(self._encode)

    def judge(self, claim: str, sources: Sources) -> Verdict:
        """Judge one sentence."""
        if not read(claim).content or not sources.sentences:
            return Verdict(0.0, ("empty",), passed=False)
        if claim in sources.sentences:
            return Verdict(1.0, (), passed=True)
        if broken := faults(claim, sources, self._lexicon):
            return Verdict(0.0, broken, passed=False)
        support = self._model.probability(self.features(claim, sources))
        return Verdict(support, (), support >= self._model.threshold)

    def features(self, claim: str, sources: Sources) -> Floats:
        """The features of a sentence that has words of content: shape (features,); see `FEATURES`."""
        mine = read(claim)
        heft = np.array([self._heft(claim[token.start : token.end]) for token in mine.content], np.float32)
        heft /= heft.sum()
        said = [self._said_as(token, claim, sources) for token in mine.content]
        new = [one is None for one in said]
        stems = [token.stem if one is None else one for one, token in zip(said, mine.content, strict=True)]
        told = [stem for stem in stems if stem] or stems  # the title lends a name, and has no order
        theirs = [[token.stem for token in facts.content] for facts in sources.facts]
        aligned, cosine = self._aligned(mine, sources)
        lists = words()
        return np.array(
            [
                float(heft @ np.logical_not(new)),
                max(float(heft @ [not stem or stem in one for stem in stems]) for one in theirs),
                np.log1p(sum(new)),
                float(max(heft[new], default=0.0)) * len(stems),
                max(_pairs(told, one) for one in theirs),
                max(_in_order(told, one) for one in theirs) / len(told),
                max(_longest_run(told, one) for one in theirs) / len(told),
                cosine,
                float(aligned @ heft),
                float(np.sort(aligned)[:3].mean()),
                float(min(aligned[new], default=1.0)),
                max(0.0, float(np.log((len(told) + 1) / (sum(map(len, theirs)) + 1)))),
                _lacks_soft(mine, sources),
                _turned(mine, sources),
                mine.holds(lists.causal) and not any(facts.holds(lists.causal) for facts in sources.facts),
                len(stems) < 4,
            ],
            np.float32,
        )

    def _said_as(self, token: Token, claim: str, sources: Sources) -> str | None:
        """The stem by which the sources say a word; empty: only their title does, None: nothing does."""
        if token.stem in sources.tokens:
            return token.stem
        same = words().same.get(token.stem, frozenset())
        if found := sorted(same & sources.tokens.keys()):
            return found[0]
        if {token.stem, *same} & sources.context_stems:
            return ""
        named = self._lexicon.concepts(claim[token.start : token.end])
        known = self._lexicon.concepts(" ".join((*sources.sentences, sources.context)))
        return "" if named and named <= known else None

    def _heft(self, word: str) -> float:
        """How much a word tells: 0.2..1 by its rank among common words."""
        rank = self._rarity.get(word.lower(), len(self._rarity))
        return 0.2 + 0.8 * float(np.log(rank) / np.log(len(self._rarity)))

    def _aligned(self, mine: Facts, sources: Sources) -> tuple[Floats, float]:
        """For each word of content its best cosine with a source's word, and the best cosine of sentences."""
        whole, own = self._vectors(mine.text)
        pairs = [self._vectors(sentence) for sentence in sources.sentences]
        title = [self._vectors(sources.context)[1]] if read(sources.context).content else []
        theirs = np.concatenate([*(rows for _, rows in pairs), *title])
        best = (own @ theirs.T).max(axis=1) if len(theirs) else np.zeros(len(own), np.float32)
        return best, max(float(whole @ other) for other, _ in pairs)

    def _encode(self, text: str) -> tuple[Floats, Floats]:
        """The vector of a sentence and those of its words of content."""
        spans = [(token.start, token.end) for token in read(text).content]
        [encoded] = self._encoder.encode_passages([text], [spans])
        return encoded.vector, encoded.sentences


def _ranks() -> dict[str, int]:
    """Whole words of the packaged vocabulary, which is written in the order of frequency, by rank from 1."""
    lines = (packaged_folder() / "vocab.txt").read_text(encoding="utf-8").splitlines()
    return {word: rank for rank, word in enumerate(filter(str.isalpha, lines), start=1)}


_WINDOW = 5


def _pairs(stems: Sequence[str], source: Sequence[str]) -> float:
    """The share of neighbours in the claim that stand within a few words of one another in a source."""
    places: dict[str, list[int]] = {}
    for place, one in enumerate(source):
        places.setdefault(one, []).append(place)
    neighbours = list(pairwise(stems))
    near = [
        any(abs(low - high) <= _WINDOW for low in places.get(one, ()) for high in places.get(other, ()))
        for one, other in neighbours
    ]
    return sum(near) / len(near) if near else float(bool(set(stems) & set(source)))


def _in_order(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(other) + 1)
    for mine in one:
        before = 0
        for place, theirs in enumerate(other, start=1):
            before, row[place] = row[place], before + 1 if mine == theirs else max(row[place], row[place - 1])
    return row[-1]


def _longest_run(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common run."""
    best, row = 0, [0] * (len(other) + 1)
    for mine in one:
        row = [0, *(row[place] + 1 if mine == theirs else 0 for place, theirs in enumerate(other))]
        best = max(best, *row)
    return best


def _lacks_soft(mine: Facts, sources: Sources) -> bool:
    shared = [token for token in mine.content if token.stem in sources.tokens]
    return any(
        not (token.soft or token.hedged)
        and all(other.soft or other.hedged for other in sources.tokens[token.stem])
        for token in shared
    )


def _turned(mine: Facts, sources: Sources) -> float:
    """The share of its known words of which no source has the same polarity and certainty."""
    shared = [token for token in mine.content if token.stem in sources.tokens]
    turned = sum(
        not any(
            (one.negated, one.hedged) == (token.negated, token.hedged) for one in sources.tokens[token.stem]
        )
        for token in shared
    )
    return turned / len(shared) if shared else 0.0
