"""The seam for a cross-encoder, with a real one of random weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

from index.encoder import Encoder
from index.errors import ModelError
from index.generation import Sourced
from index.passage import embedding_text
from index.reranker import Reranker
from index.retriever import Retriever, plain_query
from index.store import Store
from ingest.article import Article
from tests.tiny_model import save_tiny_model

WORDS = ("heel", "knee", "hip", "neck", "jaw", "wrist", "elbow", "back")
ARTICLES = [Article(one, f"The {one}", f"Pain in the {one} comes and goes.") for one in WORDS]


def save_cross_encoder(folder: Path, labels: int) -> None:
    """A one-layer BERT with a head on top, in the form in which CrossEncoders are published."""
    save_tiny_model(folder.with_name(f"{folder.name}-base"))
    parts = folder.with_name(f"{folder.name}-base-parts")
    config = BertConfig.from_pretrained(parts)
    config.num_labels = labels
    torch.manual_seed(3)
    BertForSequenceClassification(config).save_pretrained(folder)
    for name in ("vocab.txt", "tokenizer_config.json"):
        shutil.copy(parts / name, folder / name)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reranker") / "tiny"
    save_cross_encoder(folder, labels=1)
    return folder


@pytest.fixture(scope="module")
def plain(tiny_encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    store = Store(tmp_path_factory.mktemp("store"))
    store.write([Sourced(one, "test") for one in ARTICLES], tiny_encoder)
    return Retriever(store.open(tiny_encoder.identity), tiny_encoder)


def reranking(plain: Retriever, reranker: Reranker) -> Retriever:
    return Retriever(plain.generation, plain.encoder, reranker=reranker)


def test_scores_are_one_a_text_and_within_0_and_1(model: Path) -> None:
    reranker = Reranker(str(model))
    scores = reranker.scores("heel pain", ["Pain in the heel.", "", "wax " * 500])
    assert scores.shape == (3,)
    assert ((scores > 0) & (scores < 1)).all()
    assert reranker.scores("heel pain", []).shape == (0,)


def test_the_best_hits_stand_in_the_rerankers_order(plain: Retriever, model: Path) -> None:
    reranker = Reranker(str(model), depth=5)
    query = plain_query("why does my heel hurt?")
    before = plain.retrieve(query, top=8).hits
    after = reranking(plain, reranker).retrieve(query, top=8).hits
    texts = [embedding_text(f"The {hit.passage.article_id}", hit.passage)[0] for hit in before[:5]]
    scores = reranker.scores(query.text, texts)
    expected = [before[place].row for place in np.argsort(-scores, kind="stable")]
    assert [hit.row for hit in after] == expected + [hit.row for hit in before[5:]]
    assert [hit.rank for hit in after] == list(range(1, 9))
    assert [hit.score for hit in after] == sorted((hit.score for hit in after), reverse=True)
    best = int(np.argmax(scores))
    assert after[0].scores["rerank"] == pytest.approx(scores[best], abs=1e-5)
    assert after[0].scores["fused"] == before[best].score
    assert all("rerank" not in hit.scores for hit in after[5:])


def test_a_hit_below_the_top_can_be_brought_up(plain: Retriever, model: Path) -> None:
    reranker = Reranker(str(model), depth=8)
    query = plain_query("jaw")
    every = reranking(plain, reranker).retrieve(query, top=8).hits
    assert reranking(plain, reranker).retrieve(query, top=2).hits == every[:2]
    run = reranking(plain, reranker).retrieve_articles(query, 3)
    assert [hit.passage.article_id for hit in run] == [hit.passage.article_id for hit in every[:3]]


def test_a_model_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="REFERRAL_RERANKER"):
        Reranker(str(tmp_path / "nothing"))


def test_an_embedding_model_is_refused_as_a_reranker(tiny_model: Path) -> None:
    with pytest.raises(ModelError, match="not trained to score pairs"):
        Reranker(str(tiny_model))


def test_a_model_of_several_labels_is_refused(tmp_path: Path) -> None:
    save_cross_encoder(tmp_path / "three", labels=3)
    with pytest.raises(ModelError, match="3 scores to a pair"):
        Reranker(str(tmp_path / "three"))
