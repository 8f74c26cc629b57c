"""What the encoder gives and a generation keeps: the vectors of queries, passages, sentences and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]

# Numbers in the short vector of a token.
TOKEN_WIDTH = 64
# Short vectors are kept as whole numbers of at most this much.
INT8 = 127.0


@dataclass(frozen=True, slots=True)
class QueryVectors:
    """What a query is searched by.

    Attributes:
        vector: Shape (dimension,), unit length.
        tokens: Its tokens' short vectors: shape (tokens, TOKEN_WIDTH), unit length.
        weights: How much each token says: shape (tokens,), adding up to 1.
    """

    vector: Floats
    tokens: Floats
    weights: Floats

    def late(self, tokens: NDArray[np.int8], starts: NDArray[np.int64]) -> Floats:
        """Late interaction: for each group of tokens the weighted mean of each query token's best cosine.

        Args:
            tokens: Shape (n, TOKEN_WIDTH), as `PassageVectors.tokens`.
            starts: Where each group starts; no group is empty.

        Returns:
            Shape (groups,), -1..1 (MaxSim of ColBERT, arXiv:2004.12832, as a mean).
        """
        cosines = (tokens.astype(np.float32) @ self.tokens.T) / INT8
        with np.errstate(invalid="ignore"):  # numpy now and then reports one here, though all are finite
            best = np.maximum.reduceat(cosines, starts, axis=0)
        return np.asarray(best @ self.weights, np.float32)


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """What one pass over a passage gives.

    Attributes:
        vector: Shape (dimension,), unit length.
        sentences: Shape (sentences, dimension), unit length.
        tokens: The short vectors of its tokens, times 127: shape (tokens, TOKEN_WIDTH). First those of what
            stands before the first sentence (title and heading), then each sentence's.
        counts: How many tokens each of these groups has, at least 1: shape (1 + sentences,).
    """

    vector: Floats
    sentences: Floats
    tokens: NDArray[np.int8]
    counts: NDArray[np.int64]


def read_parts(
    vector: Floats,
    hidden: Floats,
    offsets: NDArray[np.int64],
    spans: Sequence[tuple[int, int]],
    shorten: Floats,
) -> PassageVectors:
    """What is kept of a passage that a model has read.

    Args:
        vector: The passage's own, shape (dimension,).
        hidden: Its tokens as the last layer has them: shape (tokens, dimension).
        offsets: Where each token stands in the text: shape (tokens, 2); alike at both ends for special ones.
        spans: Its sentences as (start, end) in the text. One beyond the window gets the mean of all tokens.
        shorten: The directions by which tokens are shortened: shape (dimension, TOKEN_WIDTH).
    """
    starts, ends = offsets[:, 0], offsets[:, 1]
    real = ends > starts
    lead = spans[0][0] if spans else int(ends.max(initial=0))
    groups = [real & (starts >= start) & (ends <= end) for start, end in [(0, lead), *spans]]
    everything = hidden[real].mean(axis=0, keepdims=True) if real.any() else hidden[:1]
    tokens = [hidden[inside] if inside.any() else everything for inside in groups]
    means = [one.mean(axis=0) for one in tokens[1:]]
    short = unit(np.concatenate(tokens) @ shorten)
    return PassageVectors(
        vector=vector,
        sentences=unit(np.array(means)) if means else np.zeros((0, len(vector)), np.float32),
        tokens=np.round(short * INT8).astype(np.int8),
        counts=np.array([len(one) for one in tokens], np.int64),
    )


def directions(width: int) -> Floats:
    """Orthonormal directions by which tokens of a model without fitted ones are shortened."""
    drawn = np.random.default_rng(0).standard_normal((width, min(TOKEN_WIDTH, width)))
    return np.asarray(np.linalg.qr(drawn)[0], np.float32)


def unit(vectors: Floats) -> Floats:
    """Vectors at unit length: shape (..., dimension) in and out."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), np.float32)
