"""Nearest vectors against brute force."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from index.encoder import Floats
from index.vectors import Vectors

DIMENSION = 5


def unit(rows: int, seed: int = 0) -> Floats:
    drawn = np.random.default_rng(seed).normal(size=(rows, DIMENSION)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


@pytest.mark.parametrize("rows", [1, 2, 7, 1000])
@pytest.mark.parametrize("top", [1, 3, 7, 2000])
@pytest.mark.parametrize("part", [0.4, 1])
def test_the_nearest_are_those_of_brute_force(rows: int, top: int, part: float) -> None:
    vectors, query = unit(rows), unit(1, seed=9)[0]
    limit = max(1, int(rows * part))
    cosines, found = Vectors.build(vectors).nearest(query, top, limit)
    expected = np.argsort(-(vectors[:limit] @ query))[:top]
    assert found.tolist() == expected.tolist()
    np.testing.assert_allclose(cosines, vectors[expected] @ query, atol=1e-6)


def test_the_same_vector_twice_is_two_rows() -> None:
    vectors = np.repeat(unit(1), 3, axis=0)
    _, found = Vectors.build(vectors).nearest(vectors[0], 3, 3)
    assert sorted(found.tolist()) == [0, 1, 2]


def test_vectors_come_back_as_they_went_in(tmp_path: Path) -> None:
    vectors = unit(7)
    Vectors.build(vectors).save(tmp_path / "v.faiss")
    loaded = Vectors.load(tmp_path / "v.faiss")
    assert loaded.size == 7
    rows = np.array([6, 0, 0, 3])
    np.testing.assert_array_equal(loaded.take(rows), vectors[rows])
    assert loaded.take(np.array([], np.int64)).shape == (0, DIMENSION)


def test_no_vectors_at_all_can_be_kept(tmp_path: Path) -> None:
    Vectors.build(unit(0)).save(tmp_path / "v.faiss")
    assert Vectors.load(tmp_path / "v.faiss").size == 0


@pytest.mark.parametrize("content", [None, b"", b"not an index", b"\xff" * 64])
def test_what_is_not_an_index_is_an_oserror(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "v.faiss"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OSError, match=r"v\.faiss"):
        Vectors.load(path)
