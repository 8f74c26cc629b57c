"""The retrieval bench on sets whose figures are known beforehand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from index.encoder import Encoder
from tests.bench.run import BenchError, run_benches, settings

pytest.importorskip("ir_measures", reason="needs the bench extra")
pytest.importorskip("matplotlib", reason="needs the bench extra")

from tests.bench import retrieval

DOCUMENTS = {
    "heel": "A trigger point in the calf is felt as pain in the heel.",
    "wax": "Bees make wax. Candles of wax burn slowly.",
    "shoulder": "The infraspinatus sends pain deep into the front of the shoulder.",
}


def lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="module")
def models(encoder: Encoder) -> retrieval.Models:
    return retrieval.Models(plain=encoder, fitted=encoder)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set in the layout of BEIR: one query with its right document, and one judged wrongly on purpose."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "qrels").mkdir()
    lines(
        folder / "corpus.jsonl", [{"_id": key, "title": "", "text": text} for key, text in DOCUMENTS.items()]
    )
    queries = {"1": "candles of wax", "2": "pain in the heel", "3": "not judged"}
    lines(folder / "queries.jsonl", [{"_id": key, "text": text} for key, text in queries.items()])
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\twax\t1\n2\tnowhere\t1\n")
    return folder


@pytest.fixture(scope="module")
def result(small: Path, models: retrieval.Models) -> dict[str, Any]:
    return retrieval.beir(small, small / "store", models)


def test_beir_figures_are_those_of_the_judgements(result: dict[str, Any]) -> None:
    assert (result["queries"], result["articles"], result["embedded"]) == (2, 3, 3)
    for method in retrieval.METHODS:
        row = result["rows"][method.name]
        # the first query is right, and the second cannot be
        assert (row["nDCG@10"], row["R@100"], row["RR@10"]) == (0.5, 0.5, 0.5)
        assert 0 < row["median ms"] <= row["p95 ms"] <= 1000 * row["seconds"]


def test_a_store_is_built_once(small: Path, result: dict[str, Any], models: retrieval.Models) -> None:
    again = retrieval.beir(small, small / "store", models)
    assert result["build seconds"] > 0
    assert again["build seconds"] is None


def test_medquad_counts_the_article_that_a_question_was_written_for(
    tmp_path: Path, models: retrieval.Models
) -> None:
    titles = {**{key: key for key in DOCUMENTS}, "other-wax": "Wax (again)"}
    lines(
        tmp_path / "articles.jsonl",
        [{"id": key, "title": title, "text": DOCUMENTS.get(key, "Soap.")} for key, title in titles.items()],
    )
    questions = [
        ("Why does my heel hurt?", "heel"),
        ("What do bees make?", "other-wax"),
        ("Candles of wax", "shoulder"),
    ]
    lines(
        tmp_path / "questions.jsonl",
        [{"id": article, "question": text, "article_id": article} for text, article in questions],
    )
    result = retrieval.medquad(tmp_path, tmp_path / "store", models)
    for row in result["rows"].values():
        assert (row["article top 1"], row["article top 5"], row["title top 1"]) == (1 / 3, 1.0, 2 / 3)


def test_table_and_plot_show_every_set_and_method(result: dict[str, Any], tmp_path: Path) -> None:
    text = retrieval.table({"small": result})
    assert "small: 2 queries, 3 articles, 3 passages" in text
    assert all(method.name in text for method in retrieval.METHODS)
    retrieval.plot({"small": result}, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("texts", "rank"),
    [
        (["It bends\nthe hip, as all know.", "Other."], 1),
        (["Other.", "It bends the"], 2),
        (["Other."], 0),
        ([], 0),
    ],
)
def test_a_sentence_is_right_when_it_holds_the_wanted_stretch_or_lies_in_it(
    texts: list[str], rank: int
) -> None:
    assert retrieval.sentence_rank(texts, ["It bends the hip"]) == rank


def test_an_unknown_bench_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"no bench 'speeed'.*retrieval"):
        run_benches(["retrieval", "speeed"], tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_missing_data_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="--data"):
        run_benches(["retrieval"], tmp_path / "nothing", tmp_path / "out")
    with pytest.raises(BenchError, match=r"nfcorpus.*--data"):
        run_benches(["retrieval"], tmp_path, tmp_path / "out")


def test_settings_say_what_a_result_hangs_on() -> None:
    found = settings()
    assert found["model"]["checksum"] == Encoder().identity.checksum
    assert {"cosine", "bm25"} <= found["fusion"].keys()
    assert found["versions"]["torch"]
    assert found["cpu"]
    assert json.loads(json.dumps(found)) == found
