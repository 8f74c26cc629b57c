"""Questions as a bridge: written once, only searched, and of use."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from index.bridge import Bridge, BridgeStore
from index.encoder import Encoder
from index.errors import ModelMismatchError
from index.filters import Filter
from index.generation import Generation, Sourced
from index.retriever import Fusion, Retriever, plain_query
from index.store import Store
from ingest import sample
from ingest.article import Article, Comment
from ingest.sources import read_sources
from tests.tiny_model import save_tiny_model

ARTICLES = [
    Article("soleus", "Soleus", "The soleus refers to the calcaneus.", tags=("leg",)),
    Article("psoas", "Psoas", "The psoas flexes the hip.", comments=(Comment("It helped."),)),
    Article("wax", "Candles", "Bees make wax."),
]
QUESTIONS = {"Soleus": ["why does the back of my foot hurt?"], "Psoas": ["how do I lift my knee?", " "]}


class Script:
    """Writes what it was given for a title; counts how often it was asked."""

    name = "script"

    def __init__(self, questions: Mapping[str, list[str]] = QUESTIONS) -> None:
        self.questions = questions
        self.asked: list[str] = []

    def writes(self, passage: str) -> list[str]:
        self.asked.append(passage)
        return self.questions.get(passage.partition("\n")[0], [])


class DyingScript(Script):
    """Writes once."""

    def writes(self, passage: str) -> list[str]:
        if self.asked:
            raise ConnectionError
        return super().writes(passage)


@pytest.fixture
def generation(tiny_encoder: Encoder, tmp_path: Path) -> Generation:
    store = Store(tmp_path / "store")
    store.write([Sourced(one, "test") for one in ARTICLES], tiny_encoder)
    return store.open(tiny_encoder.identity)


def shown(generation: Generation) -> dict[str, tuple[str, ...]]:
    every = BridgeStore.of(generation).shown(generation)
    return {one.passage.article_id: one.questions for one in every}


def test_questions_are_written_for_articles_and_once(generation: Generation) -> None:
    store, script = BridgeStore.of(generation), Script()
    assert shown(generation) == {}
    assert store.write(generation, script) == 3  # the comment is nobody's answer
    assert sorted(text.partition("\n")[0] for text in script.asked) == ["Candles", "Psoas", "Soleus"]
    assert shown(generation) == {"soleus": (QUESTIONS["Soleus"][0],), "psoas": (QUESTIONS["Psoas"][0],)}
    assert store.write(generation, script) == 0
    assert len(script.asked) == 3


def test_what_was_written_before_an_accident_is_kept(generation: Generation) -> None:
    store, script = BridgeStore.of(generation), Script()
    with pytest.raises(ConnectionError):
        store.write(generation, DyingScript())
    with (generation.folder.parents[1] / "bridge" / "questions.jsonl").open("a") as file:
        file.write('{"passage": "cut o')
    assert store.write(generation, script) == 2
    assert len(shown(generation)) == 2


def test_a_changed_passage_is_asked_for_again(generation: Generation, tiny_encoder: Encoder) -> None:
    BridgeStore.of(generation).write(generation, Script())
    store = Store(generation.folder.parents[1])
    changed = [Article("soleus", "Soleus", "The soleus lies in the calf."), *ARTICLES[1:]]
    store.write([Sourced(one, "test") for one in changed], tiny_encoder)
    new = store.open(tiny_encoder.identity)
    script = Script()
    assert BridgeStore.of(new).write(new, script) == 1
    assert "lies in the calf" in script.asked[0]


def test_a_passage_is_found_by_its_question(generation: Generation, tiny_encoder: Encoder) -> None:
    store = BridgeStore.of(generation)
    assert store.open(generation) is None
    store.write(generation, Script())
    store.embed(tiny_encoder)
    bridge = store.open(generation)
    only = Fusion(cosine=0, bm25=0, sentence=0, late=0, feedback=0, bridge=1)
    retriever = Retriever(generation, tiny_encoder, only, bridge=bridge)
    hits = retriever.retrieve(plain_query("Why does the back of my foot hurt?")).hits
    assert hits[0].passage.article_id == "soleus"
    assert hits[0].scores["bridge"] == pytest.approx(1, abs=1e-2)
    assert hits[0].score == pytest.approx(1, abs=1e-2)
    assert next(hit for hit in hits if hit.passage.article_id == "wax").scores["bridge"] == 0
    assert {hit.passage.kind for hit in hits} == {"article"}
    assert QUESTIONS["Soleus"][0] not in " ".join(hit.passage.text for hit in hits)
    within = retriever.retrieve(plain_query("foot"), within=Filter(tags=("leg",))).hits
    assert [hit.passage.article_id for hit in within] == ["soleus"]
    comments = retriever.retrieve_comments(plain_query("x"), tiny_encoder.encode_query("x"))
    assert [hit.passage.kind for hit in comments] == ["comment"]


def test_questions_of_another_model_are_not_searched(generation: Generation, tmp_path: Path) -> None:
    save_tiny_model(tmp_path / "other", seed=2)
    store = BridgeStore.of(generation)
    store.write(generation, Script())
    store.embed(Encoder(str(tmp_path / "other")))
    with pytest.raises(ModelMismatchError, match="store bridge --write"):
        store.open(generation)


def test_questions_of_another_model_for_what_is_not_served_do_no_harm(
    generation: Generation, tiny_encoder: Encoder, tmp_path: Path
) -> None:
    save_tiny_model(tmp_path / "other", seed=2)
    store = BridgeStore.of(generation)
    store.write(generation, Script())
    store.embed(Encoder(str(tmp_path / "other")))
    Store(generation.folder.parents[1]).write(
        [Sourced(Article("oak", "Oak", "Oaks grow."), "t")], tiny_encoder
    )
    new = Store(generation.folder.parents[1]).open(tiny_encoder.identity)
    assert BridgeStore.of(new).open(new) is None


def test_a_passage_has_the_best_score_of_its_questions() -> None:
    bridge = Bridge(np.eye(4, dtype=np.float32), np.array([2, 2, 5, 9]))
    query = np.array([0.1, 0.5, 0.8, -0.3], np.float32)
    np.testing.assert_allclose(bridge.scores(query, np.array([9, 2, 3, 5])), [0, 0.5, 0, 0.8])
    assert bridge.nearest(query, 2).tolist() == [2, 5]
    assert bridge.scores(query, np.array([], np.int64)).shape == (0,)


def test_questions_of_another_file_are_taken_over_where_there_are_none(
    generation: Generation, tmp_path: Path
) -> None:
    elsewhere = BridgeStore(tmp_path / "elsewhere")
    elsewhere.write(generation, Script({"Soleus": ["another?"], "Candles": ["who makes wax?"]}))
    store = BridgeStore.within(generation.folder.parents[1])
    with pytest.raises(ConnectionError):
        store.write(generation, DyingScript())
    own = shown(generation)
    assert len(own) == 1
    store.adopt(tmp_path / "elsewhere" / "questions.jsonl")
    store.adopt(tmp_path / "elsewhere" / "questions.jsonl")
    assert shown(generation) == {"soleus": ("another?",), "wax": ("who makes wax?",)} | own


def test_the_questions_of_the_sample_blog_fit_its_passages(sample_store: Path) -> None:
    """A stale one would never be searched: whoever changes a passage writes its questions anew."""
    generation = Store(sample_store).open()
    given = [json.loads(line) for line in sample.QUESTIONS.read_text(encoding="utf-8").splitlines()]
    served = {
        value.hex() for value, row in generation.embedded().items() if row < generation.article_passages
    }
    assert {one["passage"] for one in given} == served
    assert len(given) == len(served)
    assert all(one["questions"] for one in given)


def test_every_article_of_the_sample_blog_is_reached_by_questions(sample_store: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(sample_store, store)
    BridgeStore.within(store).adopt(sample.QUESTIONS)
    generation = Store(store).open()
    every = {one.id for one in read_sources([sample.FOLDER]).articles}
    assert set(shown(generation)) == every
