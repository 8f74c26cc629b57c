"""Nearest passages by cosine, exact while that is fast and approximate beyond: the one home of faiss."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from index.encoded import Floats

# Up to this many vectors every one is compared: 100,000 of 384 dimensions take about 9 ms on one core and
# 300,000 already 28 ms, against 2 ms by way of short codes (`referral bench scale`).
EXACT_UP_TO = 100_000

# Beyond it, each vector also has a code of 4 bits for every 2 dimensions (product quantisation), by which the
# CPU compares dozens at once; the best by codes are compared again by their 16-bit floats.
_BITS, _DIMENSIONS_A_CODE = 4, 2
_COMPARED_AGAIN = 200
# Codes lie in cells, and the cells nearest to the query are looked into: so large a share of them, since real
# questions lie far from the middle of any cell, up to a number that bounds the time.
_SHARE, _CELLS = 0.6, 768

# k-means for the cells: more points or rounds take longer and find no better cells.
_POINTS_A_CELL, _ROUNDS = 48, 6
_SEED = 20261123


class Vectors:
    """Unit vectors by row; rows are those of the generation, which is immutable, so an id is never reused."""

    def __init__(self, index: Any) -> None:
        self._index = index
        self._cells = int(_faiss().downcast_index(index.base_index).nlist) if _is_refined(index) else 0
        self.size = int(index.ntotal)

    @property
    def exact(self) -> bool:
        """Whether every vector is compared with the query."""
        return not self._cells

    @classmethod
    def build(cls, vectors: Floats, *, exact_up_to: int = EXACT_UP_TO) -> Vectors:
        """Search over vectors of shape (n, dimension): exact up to a size, by codes beyond it."""
        faiss = _faiss()
        count, dimension = vectors.shape
        vectors = np.ascontiguousarray(vectors)
        if count <= exact_up_to:
            index = faiss.IndexFlatIP(dimension)
            index.add(vectors)
            return cls(index)
        coded = _coded(vectors)
        kept = faiss.IndexScalarQuantizer(
            dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        kept.add(vectors)
        index = faiss.IndexRefine(coded, kept)
        index.own_fields = index.own_refine_index = True  # faiss is to free what Python gives up here
        coded.this.disown()
        kept.this.disown()
        return cls(index)

    @classmethod
    def load(cls, path: Path) -> Vectors:
        """Open a saved index, mapped into memory.

        Raises:
            OSError: The file is missing or is not an index.
        """
        faiss = _faiss()
        try:
            # IO_FLAG_MMAP, the older of the two flags, reads flat vectors into memory all the same
            return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC))
        except RuntimeError as error:
            raise OSError(f"{path} is not a readable vector index: {error}") from error

    def save(self, path: Path) -> None:
        """Write the index to a file.

        Raises:
            OSError: It cannot be written: the disk is full, for one.
        """
        try:
            _faiss().write_index(self._index, str(path))
        except RuntimeError as error:
            raise OSError(f"{path.name} cannot be written: {error}") from error

    def nearest(
        self, query: Floats, top: int, rows: range | NDArray[np.int64]
    ) -> tuple[Floats, NDArray[np.int64]]:
        """The `top` nearest of some rows: their cosines and their rows, best first.

        Args:
            query: Of unit length, shape (dimension,).
            top: At most so many; by cells it can be fewer.
            rows: Where to look: a range of rows, or their numbers in rising order.
        """
        top = min(top, len(rows))
        if top == 0:
            return np.zeros(0, np.float32), np.zeros(0, np.int64)
        parameters, selector = self._parameters(rows, top)  # the selector lives as long as this name does
        cosines, found = self._index.search(query[None, :], top, params=parameters)
        del selector
        there = found[0] >= 0
        return cosines[0][there], found[0][there]

    def take(self, rows: NDArray[np.int64]) -> Floats:
        """The vectors of some rows: shape (rows, dimension)."""
        if not len(rows):
            return np.zeros((0, self._index.d), np.float32)
        found: Floats = self._index.reconstruct_batch(rows)
        return found

    def _parameters(self, rows: range | NDArray[np.int64], top: int) -> tuple[Any, Any]:
        """How faiss is to search: None, its default, multiplies whole blocks, several times faster."""
        faiss = _faiss()
        selector = None if len(rows) == self.size else _selector(rows, self.size)
        if self.exact:
            return faiss.SearchParameters(sel=selector) if selector else None, selector
        # The fewer rows may be found, the more cells are looked into: about as many vectors are compared.
        cells = min(_CELLS, _SHARE * self._cells) * self.size / len(rows)
        inside = faiss.SearchParametersIVF(sel=selector, nprobe=min(self._cells, round(cells)))
        again = max(1.0, _COMPARED_AGAIN / top)
        return faiss.IndexRefineSearchParameters(k_factor=again, base_index_params=inside), selector


def _faiss() -> ModuleType:
    """Faiss, loaded by whoever first searches or builds: `referral store info` does neither."""
    import faiss  # noqa: PLC0415

    module: ModuleType = faiss
    return module


def _is_refined(index: Any) -> bool:
    return isinstance(index, _faiss().IndexRefine)


def _coded(vectors: Floats) -> Any:
    """Codes of the vectors in some 2 * sqrt(n) cells, each around a mean of k-means."""
    faiss = _faiss()
    count, dimension = vectors.shape
    cells = int(2 * count**0.5)
    pieces = dimension // _DIMENSIONS_A_CODE if dimension % _DIMENSIONS_A_CODE == 0 else dimension
    index = faiss.IndexIVFPQFastScan(
        faiss.IndexFlatIP(dimension),
        dimension,
        cells,
        pieces,
        _BITS,
        faiss.METRIC_INNER_PRODUCT,
    )
    index.cp.niter, index.cp.max_points_per_centroid, index.cp.spherical = _ROUNDS, _POINTS_A_CELL, True
    index.cp.min_points_per_centroid, index.cp.seed = 1, _SEED
    drawn = np.random.default_rng(_SEED).permutation(count)[: cells * _POINTS_A_CELL]
    index.train(vectors[np.sort(drawn)])
    index.add(vectors)
    return index


def _selector(rows: range | NDArray[np.int64], size: int) -> Any:
    faiss = _faiss()
    if isinstance(rows, range):
        return faiss.IDSelectorRange(rows.start, rows.stop)
    mask = np.zeros(size, np.bool_)
    mask[rows] = True
    return faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))
