"""An encoder for tests of the store: vectors by the words of a text, without any model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np

from index.encoded import Floats, PassageVectors
from index.packaged import ModelIdentity

_DIMENSION = 16


class PlainEncoder:
    """Counts hashed words. Equal texts have equal vectors, and other texts most likely others."""

    identity = ModelIdentity("plain", "plain", _DIMENSION)
    window = 40

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def encode_passages(
        self,
        texts: Sequence[str],
        spans: Sequence[Sequence[tuple[int, int]]],
        *,
        progress: Callable[[int], None],
    ) -> list[PassageVectors]:
        found = []
        for text, parts in zip(texts, spans, strict=True):
            self.embedded.append(text)
            sentences = np.array([_vector(text[start:end]) for start, end in parts])
            short = np.array([_vector(text), *sentences])
            tokens = np.round(short * 127).astype(np.int8)
            counts = np.ones(len(parts) + 1, np.int64)
            found.append(PassageVectors(_vector(text), sentences, tokens, counts))
            progress(1)
        return found


def _vector(text: str) -> Floats:
    out = np.full(_DIMENSION, 1e-3, np.float32)
    for word in text.split():
        digest = hashlib.blake2b(word.encode(), digest_size=2).digest()
        out[digest[0] % _DIMENSION] += 1 if digest[1] % 2 else -1
    return np.asarray(out / np.linalg.norm(out), np.float32)
