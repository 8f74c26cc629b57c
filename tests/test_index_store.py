"""Indexing again and again: what changes, what is reused, and what an accident leaves behind."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from index.encoder import Encoder
from index.errors import GenerationError, ModelMismatchError, NoStoreError, StoreError
from index.generation import Sourced
from index.passage import split
from index.store import Store
from ingest.article import Article, Comment
from tests.tiny_model import save_tiny_model

PSOAS = Article(
    "psoas",
    "The psoas",
    "## Where\n\nIt lies deep in the belly. It bends the hip.\n\n## Relief\n\n- Rest\n- Warmth\n\n"
    + "It aches. " * 40,
    tags=("hip", "back"),
    published="2024-05-01",
    comments=(Comment("It helped me.", "2024-06-01"),),
)
SOLEUS = Article("soleus", "The soleus", "Pain in the heel comes from the calf. Stairs make it worse.")
BASICS = Article("basics", "Überblick: trigger points", "A trigger point is a tender spot — in a taut band.")
FILES = (
    "articles.jsonl",
    "catalogue.json",
    "offsets.npy",
    "passages.npy",
    "sentences.npy",
    "sentences.f16.npy",
    "tokens.i8.npy",
    "passages.faiss",
    "keywords/params.index.json",
    "keywords/vocab.index.json",
    "keywords/data.csc.index.npy",
    "keywords/indices.csc.index.npy",
    "keywords/indptr.csc.index.npy",
    "keywords/counts.npy",
    "facets.json",
    "words.json",
)


def sourced(*articles: Article) -> list[Sourced]:
    return [Sourced(article, f"{article.id}.html") for article in articles]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Encoder) -> Path:
    made = Store(tmp_path_factory.mktemp("pristine") / "store")
    made.write(sourced(PSOAS, SOLEUS), tiny_encoder)
    return made.folder


@pytest.fixture
def store(pristine: Path, tmp_path: Path) -> Store:
    """A store of its own for each test, which serves two articles."""
    return Store(shutil.copytree(pristine, tmp_path / "store"))


def served(store: Store) -> list[Article]:
    generation = store.open()
    return [generation.article(row) for row in range(len(generation.ids))]


def folder(store: Store) -> Path:
    return store.open().folder


# ---------------------------------------------------------------- what a generation gives back


def test_articles_come_back_as_they_went_in(store: Store) -> None:
    assert served(store) == [PSOAS, SOLEUS]
    generation = store.open()
    assert generation.ids == ("psoas", "soleus")
    assert generation.sources == ("psoas.html", "soleus.html")
    assert generation.article_row("soleus") == 1
    with pytest.raises(KeyError):
        generation.article_row("nothing")


def test_passages_come_back_as_they_were_cut(store: Store, tiny_encoder: Encoder) -> None:
    generation = store.open()
    cut = [
        passage
        for article in (PSOAS, SOLEUS)
        for passage in split(article, tiny_encoder.count_tokens, tiny_encoder.window)
    ]
    expected = sorted(cut, key=lambda one: one.kind == "comment")
    assert [generation.passage(row) for row in range(len(cut))] == expected
    counts = generation.manifest.counts
    assert (counts.articles, counts.passages, counts.comment_passages) == (2, len(cut), 1)
    assert counts.sentences == sum(len(one.sentences) for one in cut)
    own = [row for row, one in enumerate(expected) if one.article_id == "soleus"]
    assert generation.passages_of(1) == own


def test_vectors_are_those_of_the_encoder(store: Store, tiny_encoder: Encoder) -> None:
    generation = store.open()
    row = generation.passages_of(1)[0]
    text = f"{SOLEUS.title}\n{SOLEUS.text}"
    lead = len(SOLEUS.title) + 1
    spans = [(one.start + lead, one.end + lead) for one in generation.passage(row).sentences]
    [read] = tiny_encoder.encode_passages([text], [spans])
    np.testing.assert_allclose(generation.vectors.take(np.array([row]))[0], read.vector, atol=1e-5)
    np.testing.assert_allclose(generation.sentence_vectors(row), read.sentences, atol=1e-3)
    tokens, starts = generation.tokens_of(row)
    np.testing.assert_array_equal(tokens, read.tokens)
    np.testing.assert_array_equal(np.diff([*starts, len(tokens)]), read.counts)


def test_late_interaction_with_passages_is_that_of_brute_force(store: Store, tiny_encoder: Encoder) -> None:
    generation = store.open()
    query = tiny_encoder.encode_query("heel pain")
    rows = list(reversed(range(generation.manifest.counts.passages)))
    expected = [
        (generation.tokens_of(row)[0] / 127.0 @ query.tokens.T).max(axis=0) @ query.weights for row in rows
    ]
    np.testing.assert_allclose(generation.late(query, rows), expected, atol=1e-5)


def test_the_best_sentence_of_each_passage_is_that_of_brute_force(
    store: Store, tiny_encoder: Encoder
) -> None:
    generation = store.open()
    query = tiny_encoder.encode_query("heel").vector
    rows = list(reversed(range(generation.manifest.counts.passages)))
    expected = [float((generation.sentence_vectors(row) @ query).max()) for row in rows]
    np.testing.assert_allclose(generation.best_sentences(query, rows), expected, atol=1e-6)


def test_the_manifest_says_what_it_was_built_with(store: Store, tiny_encoder: Encoder) -> None:
    manifest = store.open(tiny_encoder.identity).manifest
    assert manifest.model_checksum == tiny_encoder.identity.checksum
    assert manifest.dimension == tiny_encoder.identity.dimension
    assert manifest.window == tiny_encoder.window
    assert set(manifest.files) == set(FILES)


# ---------------------------------------------------------------- indexing again


def test_indexing_twice_changes_nothing(store: Store, tiny_encoder: Encoder) -> None:
    before = store.current_name()
    assert store.write(sourced(SOLEUS, PSOAS), tiny_encoder) is None
    assert store.names() == [before]


def test_a_new_article_is_added_and_only_it_is_embedded(store: Store, tiny_encoder: Encoder) -> None:
    told: list[tuple[int, int]] = []
    passages = store.open().manifest.counts.passages
    built = store.write(sourced(PSOAS, SOLEUS, BASICS), tiny_encoder, lambda *done: told.append(done))
    assert built is not None
    assert (built.embedded, built.reused) == (1, passages)
    assert told == [(1, 1)]
    assert served(store) == [BASICS, PSOAS, SOLEUS]
    assert store.check() == []


def test_only_the_changed_passage_is_embedded(store: Store, tiny_encoder: Encoder) -> None:
    passages = store.open().manifest.counts.passages
    changed = replace(PSOAS, comments=(Comment("It did not help me."),))
    built = store.write(sourced(changed, SOLEUS), tiny_encoder)
    assert built is not None
    assert (built.embedded, built.reused) == (1, passages - 1)
    assert served(store) == [changed, SOLEUS]


def test_a_change_that_no_passage_shows_embeds_nothing(store: Store, tiny_encoder: Encoder) -> None:
    built = store.write(sourced(replace(PSOAS, tags=("hip",)), SOLEUS), tiny_encoder)
    assert built is not None
    assert built.embedded == 0
    assert served(store)[0].tags == ("hip",)


def test_a_removed_article_is_gone(store: Store, tiny_encoder: Encoder) -> None:
    store.write(sourced(SOLEUS), tiny_encoder)
    assert served(store) == [SOLEUS]
    generation = store.open()
    texts = {generation.passage(row).article_id for row in range(generation.manifest.counts.passages)}
    assert texts == {"soleus"}


def test_reused_vectors_are_those_of_building_anew(
    store: Store, tiny_encoder: Encoder, tmp_path: Path
) -> None:
    store.write(sourced(BASICS, SOLEUS, PSOAS), tiny_encoder)
    anew = Store(tmp_path / "anew")
    anew.write(sourced(BASICS, SOLEUS, PSOAS), tiny_encoder)
    one, other = store.open(), anew.open()
    rows = np.arange(one.manifest.counts.passages)
    np.testing.assert_allclose(one.vectors.take(rows), other.vectors.take(rows), atol=1e-5)
    for row in rows:
        np.testing.assert_allclose(one.sentence_vectors(row), other.sentence_vectors(row), atol=1e-3)


def test_the_same_text_in_two_articles_is_two_passages(tmp_path: Path, tiny_encoder: Encoder) -> None:
    store = Store(tmp_path)
    store.write(sourced(SOLEUS, replace(SOLEUS, id="copy")), tiny_encoder)
    store.write(sourced(SOLEUS, replace(SOLEUS, id="copy"), BASICS), tiny_encoder)
    generation = store.open()
    assert [generation.passage(row).article_id for row in range(3)] == ["basics", "copy", "soleus"]


def never(_source: str, _id: str) -> bool:
    return False


def test_a_plan_says_what_would_change(store: Store) -> None:
    changed = replace(SOLEUS, text="Other words.")
    plan, corpus = store.plan(sourced(changed, BASICS), covered=lambda source, _: source == "psoas.html")
    assert (plan.added, plan.changed, plan.removed, plan.unchanged) == (
        ("basics",),
        ("soleus",),
        ("psoas",),
        0,
    )
    assert not plan.changes_nothing
    assert {one.article.id for one in corpus} == {"basics", "soleus"}


def test_what_other_sources_brought_is_kept(store: Store) -> None:
    plan, corpus = store.plan(sourced(BASICS), never)
    assert (plan.added, plan.removed, plan.unchanged) == (("basics",), (), 2)
    assert {one.article.id for one in corpus} == {"basics", "psoas", "soleus"}


def test_a_plan_of_the_same_articles_changes_nothing(store: Store) -> None:
    plan, _ = store.plan(sourced(PSOAS, SOLEUS), covered=lambda *_: True)
    assert plan.changes_nothing
    assert plan.unchanged == 2


def test_everything_is_new_to_an_empty_store(tmp_path: Path) -> None:
    plan, _ = Store(tmp_path / "none").plan(sourced(PSOAS), covered=lambda *_: True)
    assert plan.added == ("psoas",)


@pytest.mark.parametrize("text", ["## Only a heading", "- ", "...", "\u200b"])
def test_an_article_without_words_does_not_stop_a_build(
    store: Store, tiny_encoder: Encoder, text: str
) -> None:
    store.write(sourced(Article("a", "A title", text), SOLEUS), tiny_encoder)
    assert store.open().ids == ("a", "soleus")
    assert store.check() == []


def test_a_corpus_without_a_sentence_never_replaces_a_served_one(store: Store, tiny_encoder: Encoder) -> None:
    with pytest.raises(StoreError, match="None of the articles has a sentence"):
        store.write(sourced(Article("a", "A title", "## Only a heading")), tiny_encoder)
    assert served(store) == [PSOAS, SOLEUS]


# ---------------------------------------------------------------- other models


def test_another_model_is_refused_with_what_to_do(store: Store, tmp_path: Path) -> None:
    save_tiny_model(tmp_path / "other", seed=2)
    other = Encoder(str(tmp_path / "other"))
    with pytest.raises(ModelMismatchError, match=r"Set the model back to .*tiny.* or run `referral index`"):
        store.open(other.identity)


def test_indexing_with_another_model_embeds_everything_anew(store: Store, tmp_path: Path) -> None:
    save_tiny_model(tmp_path / "other", seed=2)
    other = Encoder(str(tmp_path / "other"))
    built = store.write(sourced(PSOAS, SOLEUS), other)
    assert built is not None
    assert (built.embedded, built.reused) == (built.manifest.counts.passages, 0)
    assert store.open(other.identity).manifest.model == str(tmp_path / "other")


# ---------------------------------------------------------------- accidents


class AccidentError(Exception):
    """Stands for whatever stops a build."""


@pytest.mark.parametrize("kind", [AccidentError, KeyboardInterrupt])
def test_a_build_that_is_stopped_leaves_the_served_generation(
    store: Store, tiny_encoder: Encoder, kind: type[BaseException]
) -> None:
    before = store.current_name()

    def stop(done: int, total: int) -> None:
        raise kind

    with pytest.raises(kind):
        store.write(sourced(PSOAS, SOLEUS, BASICS), tiny_encoder, stop)
    assert store.current_name() == before
    assert served(store) == [PSOAS, SOLEUS]
    assert [path.name for path in (store.folder / "generations").iterdir()] == [before]
    assert store.write(sourced(PSOAS, SOLEUS, BASICS), tiny_encoder) is not None


def test_what_a_killed_build_left_is_cleared_by_the_next(store: Store, tiny_encoder: Encoder) -> None:
    left = store.folder / "generations" / ".building-killed"
    left.mkdir()
    (left / "articles.jsonl").write_text("half")
    assert store.names() == [store.current_name()]
    store.write(sourced(SOLEUS), tiny_encoder)
    assert not left.exists()


def test_a_second_writer_is_refused_and_the_first_one_is_not_disturbed(
    store: Store, tiny_encoder: Encoder
) -> None:
    refused: list[str] = []

    def write_too(done: int, total: int) -> None:
        for attempt in (lambda: Store(store.folder).write(sourced(SOLEUS), tiny_encoder), store.rollback):
            with pytest.raises(StoreError, match="Another command is writing") as caught:
                attempt()
            refused.append(str(caught.value))

    store.write(sourced(PSOAS, SOLEUS, BASICS), tiny_encoder, write_too)
    assert len(refused) == 2
    assert served(store) == [BASICS, PSOAS, SOLEUS]


def test_a_lock_held_by_another_process_is_respected(store: Store, tiny_encoder: Encoder) -> None:
    with FileLock(store.folder / ".lock"), pytest.raises(StoreError, match="Wait until it has finished"):
        store.write(sourced(BASICS), tiny_encoder)


def test_readers_keep_what_they_opened_while_a_build_replaces_it(store: Store, tiny_encoder: Encoder) -> None:
    opened = store.open()
    store.write(sourced(BASICS), tiny_encoder)
    assert opened.article(0) == PSOAS
    assert opened.passage(0).article_id == "psoas"
    assert store.open().ids == ("basics",)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["cut", "longer", "absent"])
def test_a_file_that_is_not_whole_is_told_at_once(store: Store, name: str, damage: str) -> None:
    path = folder(store) / name
    content = path.read_bytes()
    if damage == "absent":
        path.unlink()
    else:
        path.write_bytes(content[:-1] if damage == "cut" else content + b"\0")
    with pytest.raises(GenerationError, match=r"missing or not of its recorded size.*rollback"):
        store.open()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("place", [0, 0.5, 1])
def test_a_flipped_bit_is_told_by_check_and_never_a_traceback(store: Store, name: str, place: float) -> None:
    path = folder(store) / name
    content = bytearray(path.read_bytes())
    content[int(place * (len(content) - 1))] ^= 4
    path.write_bytes(content)
    assert store.check() == [f"{name} is not as it was written"]
    try:
        store.open()
    except GenerationError as error:
        assert "rollback" in str(error)  # noqa: PT017 (opening may succeed: it does not read every byte)


@pytest.mark.parametrize("content", [None, "", "{", "{}", '{"format": 1}'])
def test_an_unreadable_manifest_is_told(store: Store, content: str | None) -> None:
    path = folder(store) / "manifest.json"
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(GenerationError, match="no readable manifest"):
        store.open()
    with pytest.raises(GenerationError, match="no readable manifest"):
        store.check()


def test_another_format_is_told_and_built_anew(store: Store, tiny_encoder: Encoder) -> None:
    path = folder(store) / "manifest.json"
    path.write_text(path.read_text().replace('"format": ', '"format": 9'))
    with pytest.raises(GenerationError, match=r"written in format 9\d+.*referral index"):
        store.open()
    built = store.write(sourced(PSOAS, SOLEUS), tiny_encoder)
    assert built is not None
    assert built.reused == 0
    assert served(store) == [PSOAS, SOLEUS]


def test_a_damaged_store_is_mended_by_indexing_again(store: Store, tiny_encoder: Encoder) -> None:
    (folder(store) / "passages.faiss").unlink()
    assert store.write(sourced(PSOAS, SOLEUS), tiny_encoder) is not None
    assert store.check() == []
    assert served(store) == [PSOAS, SOLEUS]


def test_a_generation_that_the_pointer_names_but_is_gone_is_told(store: Store) -> None:
    shutil.rmtree(folder(store))
    with pytest.raises(GenerationError, match="no readable manifest"):
        store.open()


def test_nothing_indexed_is_an_error_that_says_how_to_index(tmp_path: Path) -> None:
    store = Store(tmp_path / "none")
    assert not store.exists()
    assert store.names() == []
    for attempt in (store.open, store.check, store.rollback, store.current_name):
        with pytest.raises(NoStoreError, match="referral index"):
            attempt()
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("empty", [[], ()])
def test_an_empty_corpus_never_replaces_a_served_one(
    store: Store, tiny_encoder: Encoder, empty: Sequence[Sourced]
) -> None:
    with pytest.raises(StoreError, match="no article to index"):
        store.write(empty, tiny_encoder)
    assert served(store) == [PSOAS, SOLEUS]


# ---------------------------------------------------------------- generations


def test_rollback_serves_the_generation_before(store: Store, tiny_encoder: Encoder) -> None:
    first = store.current_name()
    store.write(sourced(BASICS), tiny_encoder)
    assert store.rollback() == first
    assert served(store) == [PSOAS, SOLEUS]
    assert store.check() == []
    with pytest.raises(StoreError, match="oldest generation"):
        store.rollback()


def test_a_damaged_generation_is_not_rolled_back_to(store: Store, tiny_encoder: Encoder) -> None:
    (folder(store) / "offsets.npy").unlink()
    store.write(sourced(BASICS), tiny_encoder)
    with pytest.raises(GenerationError):
        store.rollback()
    assert served(store) == [BASICS]


def test_a_damaged_generation_can_be_rolled_back_from(store: Store, tiny_encoder: Encoder) -> None:
    store.write(sourced(BASICS), tiny_encoder)
    (folder(store) / "manifest.json").unlink()
    store.rollback()
    assert served(store) == [PSOAS, SOLEUS]


def test_after_a_rollback_indexing_goes_on(store: Store, tiny_encoder: Encoder) -> None:
    store.write(sourced(BASICS), tiny_encoder)
    store.rollback()
    assert store.write(sourced(BASICS), tiny_encoder) is not None
    assert served(store) == [BASICS]
    assert store.names()[-1] == store.current_name()


def test_five_generations_are_kept(store: Store, tiny_encoder: Encoder) -> None:
    made = [store.current_name()]
    for number in range(6):
        store.write(sourced(replace(SOLEUS, title=f"Soleus {number}")), tiny_encoder)
        made.append(store.current_name())
    assert store.names() == made[-5:]
    assert served(store)[0].title == "Soleus 5"


def test_others_than_the_owner_may_read_a_store(store: Store) -> None:
    ordinary = (store.folder / "generations").stat().st_mode
    assert stat.S_IMODE(folder(store).stat().st_mode) == stat.S_IMODE(ordinary)
