"""Nearest passages by cosine: the one home of faiss."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from index.encoder import Floats


class Vectors:
    """Unit vectors by row; rows are those of the generation, which is immutable, so an id is never reused."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index
        self.size = int(index.ntotal)

    @classmethod
    def build(cls, vectors: Floats) -> Vectors:
        """Exact inner-product search over vectors of shape (n, dimension)."""
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors))
        return cls(index)

    @classmethod
    def load(cls, path: Path) -> Vectors:
        """Open a saved index, mapped into memory.

        Raises:
            OSError: The file is missing or is not an index.
        """
        try:
            return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP))
        except RuntimeError as error:
            raise OSError(f"{path} is not a readable vector index: {error}") from error

    def save(self, path: Path) -> None:
        """Write the index to a file."""
        faiss.write_index(self._index, str(path))

    def nearest(self, query: Floats, top: int, limit: int) -> tuple[Floats, NDArray[np.int64]]:
        """The `top` nearest among the first `limit` rows: their cosines and their rows, best first."""
        if limit == self.size:  # without a selector faiss multiplies whole blocks, several times faster
            cosines, rows = self._index.search(query[None, :], min(top, limit))
        else:
            first = faiss.IDSelectorRange(0, limit)
            inside = faiss.SearchParameters(sel=first)  # type: ignore[call-arg]
            cosines, rows = self._index.search(query[None, :], min(top, limit), params=inside)
        return cosines[0], rows[0]

    def take(self, rows: NDArray[np.int64]) -> Floats:
        """The vectors of some rows: shape (rows, dimension)."""
        if not len(rows):
            return np.zeros((0, self._index.d), np.float32)
        found: Floats = self._index.reconstruct_batch(rows)
        return found
