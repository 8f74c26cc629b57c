"""How far the sentences that are cited bear a written sentence out: 0..1."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from assistant.support.facts import Facts, Token, read, words
from assistant.support.rules import Sources, faults
from index.lexicon import Lexicon
from index.light_encoder import LightEncoder

if TYPE_CHECKING:
    from index.encoded import Floats

MODEL_FILE = Path(__file__).with_name("support.json")

FEATURES = (
    "cosine",  # of it and the nearest source
    "lowest",  # each of its words with the nearest word of the sources: mean of the three lowest cosines
    "new_aligned",  # the lowest of these among the words that stand neither in the sources nor in their title
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


_FEW = 4  # words of content


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
        self._threads = ThreadpoolController()
        self._lexicon = lexicon
        self._model = model or fitted()
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
        new = [not self._said(token, claim, sources) for token in mine.content]
        aligned, cosine = self._aligned(mine, sources)
        return np.array(
            [
                cosine,
                float(np.sort(aligned)[:3].mean()),
                float(min(aligned[new], default=1.0)),
                len(aligned) < _FEW,
            ],
            np.float32,
        )

    def _said(self, token: Token, claim: str, sources: Sources) -> bool:
        """Whether the sources or their title have a word, or one that may stand for it."""
        known = sources.tokens.keys() | sources.context_stems
        if token.stem in known or words().same.get(token.stem, frozenset()) & known:
            return True
        named = self._lexicon.concepts(claim[token.start : token.end])
        return bool(named) and named <= self._lexicon.concepts(
            " ".join((*sources.sentences, sources.context))
        )

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
        # On a busy machine the threads of numpy's matrix library wait for one another: 1.6 s against 0.1 s.
        with self._threads.limit(limits=1):
            [encoded] = self._encoder.encode_passages([text], [spans])
        return encoded.vector, encoded.sentences
