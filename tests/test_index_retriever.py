"""What is found, in which order, and what is never found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from index.encoder import Encoder
from index.generation import Sourced
from index.retriever import Fusion, Retriever, plain_query
from index.store import Store
from ingest.article import Article, Comment

ARTICLES = [
    Article(
        "psoas",
        "The psoas",
        "## What it does\n\nThe psoas bends the hip and steadies the lower back.\n\n"
        "## Trigger points\n\nIts trigger points send pain up and down along the lower back, and to the "
        "front of the thigh. " + "Sitting for hours keeps the muscle short. " * 30 + "\n\n"
        "## Relief\n\nLie on your back and let one leg hang over the edge of the bed. " * 10,
        comments=(Comment("My son had a terrible stomach ache and it was his psoas."), Comment("Thank you!")),
    ),
    Article(
        "infraspinatus",
        "The infraspinatus",
        "This muscle turns the arm outwards. Pain deep in the front of the shoulder often comes from it.",
    ),
    Article(
        "soleus",
        "The soleus",
        "A trigger point in the calf can be felt as pain in the heel. Stairs make it worse.",
    ),
    Article("wax", "Candles", "Bees make wax. Candles of wax burn slowly."),
]


@pytest.fixture(scope="module")
def retriever(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    store = Store(tmp_path_factory.mktemp("store"))
    store.write([Sourced(one, "test") for one in ARTICLES], encoder)
    return Retriever(store.open(encoder.identity), encoder)


@pytest.mark.parametrize(
    ("question", "article"),
    [
        ("Why does my heel hurt?", "soleus"),
        ("pain in the front of the shoulder", "infraspinatus"),
        ("sitting all day shortens it", "psoas"),
        ("wax", "wax"),
    ],
)
def test_the_right_article_comes_first(retriever: Retriever, question: str, article: str) -> None:
    assert retriever.retrieve(plain_query(question)).hits[0].passage.article_id == article


def test_hits_are_ranked_by_their_score(retriever: Retriever) -> None:
    hits = retriever.retrieve(plain_query("pain from a trigger point")).hits
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert len({hit.row for hit in hits}) == len(hits)


def test_the_score_is_the_weighted_sum_of_the_scaled_scores(retriever: Retriever) -> None:
    fusion = Fusion(cosine=0.4, bm25=0.3, sentence=0.1, late=0.2, feedback=0.25)
    weighted = Retriever(retriever.generation, retriever.encoder, fusion)
    hits = weighted.retrieve(plain_query("pain in the lower back"), top=100).hits
    assert len(hits) == retriever.generation.article_passages
    expected = np.zeros(len(hits))
    weights = {"cosine": 0.4, "bm25": 0.3, "sentence": 0.1, "late": 0.2, "feedback": 0.25}
    for name, weight in weights.items():
        values = np.array([hit.scores[name] for hit in hits])
        # what lies close together is not blown up, see `index.retriever`
        apart = max(values.max() - values.min(), 0.0 if name == "bm25" else 0.3)
        expected += weight * (values - values.min()) / apart
    np.testing.assert_allclose([hit.score for hit in hits], expected, atol=1e-5)


def test_named_scores_are_what_their_names_say(retriever: Retriever) -> None:
    query = plain_query("pain in the heel")
    found = retriever.retrieve(query, top=100)
    bm25 = retriever.generation.keywords.scores(query.wishes)
    for hit in found.hits:
        passage = retriever.generation.vectors.take(np.array([hit.row]))[0]
        assert hit.scores["cosine"] == pytest.approx(float(passage @ found.vectors.vector), abs=1e-5)
        assert hit.scores["bm25"] == pytest.approx(float(bm25[hit.row]), abs=1e-5)
        sentences = retriever.generation.sentence_vectors(hit.row) @ found.vectors.vector
        assert hit.scores["sentence"] == pytest.approx(float(sentences.max()), abs=1e-5)
        tokens, _ = retriever.generation.tokens_of(hit.row)
        near = (tokens / 127.0 @ found.vectors.tokens.T).max(axis=0)
        assert hit.scores["late"] == pytest.approx(float(near @ found.vectors.weights), abs=1e-5)


def test_what_lies_near_the_first_three_rises(retriever: Retriever) -> None:
    alone = Retriever(retriever.generation, retriever.encoder, Fusion(feedback=0.0))
    query = plain_query("pain in the heel")
    first = [hit.row for hit in alone.retrieve(query, top=3).hits]
    middle = retriever.generation.vectors.take(np.array(first)).mean(axis=0)
    for hit in retriever.retrieve(query, top=100).hits:
        vector = retriever.generation.vectors.take(np.array([hit.row]))[0]
        near = float(vector @ middle) / float(np.linalg.norm(middle))
        assert hit.scores["feedback"] == pytest.approx(near, abs=1e-5)


@pytest.mark.parametrize("question", ["My son had a terrible stomach ache", "Thank you!", "psoas"])
def test_a_comment_is_never_among_the_hits(retriever: Retriever, question: str) -> None:
    hits = retriever.retrieve(plain_query(question), top=1000).hits
    assert {hit.passage.kind for hit in hits} == {"article"}
    assert len(hits) == retriever.generation.article_passages


def test_comments_are_found_when_they_are_asked_for(retriever: Retriever) -> None:
    query = plain_query("can the psoas cause a stomach ache?")
    vectors = retriever.retrieve(query).vectors
    hits = retriever.retrieve_comments(query, vectors)
    assert [hit.passage.kind for hit in hits] == ["comment", "comment"]
    assert hits[0].passage.text == ARTICLES[0].comments[0].text


def test_a_corpus_without_comments_has_none_to_find(encoder: Encoder, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write([Sourced(ARTICLES[2], "test")], encoder)
    lone = Retriever(store.open(encoder.identity), encoder)
    query = plain_query("heel")
    found = lone.retrieve(query)
    assert [hit.passage.article_id for hit in found.hits] == ["soleus"]
    assert lone.retrieve_comments(query, found.vectors) == ()


def test_a_corpus_with_nothing_but_comments_has_no_hits(encoder: Encoder, tmp_path: Path) -> None:
    store = Store(tmp_path)
    article = Article("a", "Psoas", "## Only a heading", comments=(Comment("It helped me."),))
    store.write([Sourced(article, "test")], encoder)
    lone = Retriever(store.open(encoder.identity), encoder)
    assert lone.retrieve(plain_query("psoas")).hits == ()
    assert lone.retrieve_articles(plain_query("psoas"), 10) == ()


def test_a_run_has_the_best_passage_of_each_article_once(retriever: Retriever) -> None:
    query = plain_query("pain in the lower back")
    hits = retriever.retrieve(query, top=1000).hits
    run = retriever.retrieve_articles(query, 3)
    assert [hit.rank for hit in run] == [1, 2, 3]
    assert len({hit.passage.article_id for hit in run}) == 3
    for one in run:
        best = next(hit for hit in hits if hit.passage.article_id == one.passage.article_id)
        assert one.row == best.row
    assert [one.row for one in run] == sorted((one.row for one in run), key=[hit.row for hit in hits].index)


def test_a_run_deeper_than_the_corpus_has_every_article(retriever: Retriever) -> None:
    run = retriever.retrieve_articles(plain_query("pain"), 100)
    assert {hit.passage.article_id for hit in run} == {article.id for article in ARTICLES}


@pytest.mark.parametrize(
    "question", ["", "?!", "the of and", "qqqqq zzzzz", "pain " * 2000, "\x00 \U0001f600"]
)
def test_any_text_is_a_query(retriever: Retriever, question: str) -> None:
    hits = retriever.retrieve(plain_query(question), top=3).hits
    assert len(hits) == 3
    assert np.isfinite([hit.score for hit in hits]).all()


def test_the_same_query_finds_the_same(retriever: Retriever) -> None:
    first, second = (retriever.retrieve(plain_query("pain in the hip")).hits for _ in range(2))
    assert first == second
