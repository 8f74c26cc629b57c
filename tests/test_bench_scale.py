"""The bench of growing corpora, on a small one."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from index.encoder import Encoder
from index.store import Store
from tests.bench import scale


def test_a_size_is_built_and_searched(sample_store: Path, tmp_path: Path) -> None:
    shutil.copytree(sample_store, tmp_path / "stores" / "sample")
    result = scale.run(tmp_path, [1200])
    row = result["rows"]["1200"]
    assert result["vectors of"] == "sample"
    assert row["exact"]
    assert (row["all recall@10"], row["filtered recall@10"]) == (1, 1)
    assert 0 < row["all median ms"] <= row["all p95 ms"]
    assert 0 < row["own MB"] <= row["resident MB"]
    assert [path.name for path in tmp_path.iterdir()] == ["stores"]  # what was built is gone
    text = scale.table(result)
    assert "vectors made of those of sample" in text
    assert all(column in text for column in row if column != "exact")


def test_synthetic_vectors_lie_near_real_ones(sample_store: Path, encoder: Encoder) -> None:
    generation = Store(sample_store).open(encoder.identity)
    made = scale.synthetic(generation, 500, np.random.default_rng(1))
    real = np.concatenate([generation.sentence_vectors(row) for row in range(generation.article_passages)])
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
    nearest = (made @ real.T).max(axis=1)
    assert 0.8 < nearest.mean() < 0.99
    assert len(np.unique(made.round(4), axis=0)) == 500


def test_memory_is_counted_in_megabytes() -> None:
    before = scale.memory()["own"]
    held = np.ones(50_000_000 // 8)
    assert scale.memory()["own"] - before == pytest.approx(held.nbytes / 2**20, abs=20)
