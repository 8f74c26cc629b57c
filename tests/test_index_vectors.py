"""Nearest vectors against brute force."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from index.encoder import Floats
from index.retriever import Rows
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
    cosines, found = Vectors.build(vectors).nearest(query, top, range(limit))
    expected = np.argsort(-(vectors[:limit] @ query))[:top]
    assert found.tolist() == expected.tolist()
    np.testing.assert_allclose(cosines, vectors[expected] @ query, atol=1e-6)


@pytest.mark.parametrize("exact_up_to", [0, 10_000])
@pytest.mark.parametrize("kept", [1, 3, 40, 1200])
def test_only_chosen_rows_are_found_and_all_of_the_best_of_them(exact_up_to: int, kept: int) -> None:
    vectors, query = unit(1500), unit(1, seed=9)[0]
    rows = np.sort(np.random.default_rng(kept).choice(1500, kept, replace=False))
    # of so few vectors every cell is looked into
    cosines, found = Vectors.build(vectors, exact_up_to=exact_up_to).nearest(query, 10, rows)
    expected = rows[np.argsort(-(vectors[rows] @ query))[:10]]
    assert found.tolist() == expected.tolist()
    np.testing.assert_allclose(cosines, vectors[expected] @ query, atol=2e-3)


@pytest.mark.parametrize("rows", [range(0), np.array([], np.int64)])
def test_of_no_rows_none_is_near(rows: Rows) -> None:
    for exact_up_to in (0, 100):
        cosines, found = Vectors.build(unit(50), exact_up_to=exact_up_to).nearest(unit(1)[0], 3, rows)
        assert (len(cosines), len(found)) == (0, 0)


def test_beyond_a_size_the_index_is_approximate_and_nearly_as_good(tmp_path: Path) -> None:
    # twenty thousand around two hundred middles, as texts lie around their subjects
    random = np.random.default_rng(3)
    middles = random.normal(size=(200, 32))
    drawn = np.repeat(middles, 100, axis=0) + 0.5 * random.normal(size=(20_000, 32))
    vectors = np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)
    exact, built = Vectors.build(vectors), Vectors.build(vectors, exact_up_to=10_000)
    assert (exact.exact, built.exact) == (True, False)
    built.save(tmp_path / "v.faiss")
    loaded = Vectors.load(tmp_path / "v.faiss")
    assert (loaded.exact, loaded.size) == (False, 20_000)
    np.testing.assert_allclose(loaded.take(np.array([7, 0])), vectors[[7, 0]], atol=1e-3)
    hundredth = np.arange(5, 20_000, 100)
    for rows in (range(20_000), range(500, 15_000), hundredth):
        right = 0
        for query in vectors[::400]:
            wanted = exact.nearest(query, 10, rows)[1]
            found = loaded.nearest(query, 10, rows)[1]
            right += len(np.intersect1d(wanted, found))
            assert len(found) == 10
            assert np.isin(found, rows).all()
        assert right / 500 >= 0.98


def test_the_same_vector_twice_is_two_rows() -> None:
    vectors = np.repeat(unit(1), 3, axis=0)
    _, found = Vectors.build(vectors).nearest(vectors[0], 3, range(3))
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
