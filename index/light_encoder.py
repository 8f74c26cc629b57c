"""The packaged model in plain numpy, for a few passages: torch takes longer to load than they to encode.

A BERT encoder (Devlin and others, arXiv:1810.04805) as sentence-transformers runs it: mean of the tokens'
vectors, unit length. Its vectors are those of `index.encoder.Encoder` but for rounding (cosine above 0.999
against bfloat16).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from scipy.special import erf
from tokenizers import Encoding, Tokenizer

from index.encoded import Floats, PassageVectors, directions, read_parts, unit
from index.packaged import PACKAGED, PACKAGED_SHA256, ModelIdentity, packaged_folder, read_fitted


class LightEncoder:
    """Encodes passages with the packaged model; see `index.encoder.Encoder`, whose methods these are.

    Args:
        fitted: Whether the packaged weights are corrected by what was fitted for this domain.

    Raises:
        ModelError: The weights are missing or not the expected ones.
    """

    def __init__(self, *, fitted: bool = True) -> None:
        folder = packaged_folder()
        self._settings = json.loads((folder / "config.json").read_bytes())
        self.window = int(json.loads((folder / "sentence_bert_config.json").read_bytes())["max_seq_length"])
        dimension = int(self._settings["hidden_size"])
        self._fitted = read_fitted() if fitted else None
        checksum = self._fitted.checksum if self._fitted else PACKAGED_SHA256
        self.identity = ModelIdentity(PACKAGED, checksum, dimension)
        self._shorten = self._fitted.shorten if self._fitted else directions(dimension)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._folder = folder
        self._weights: dict[str, Floats] = {}

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without the special ones."""
        return [len(one.ids) for one in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def encode_passages(
        self,
        texts: Sequence[str],
        spans: Sequence[Sequence[tuple[int, int]]],
        *,
        progress: Callable[[int], None] = lambda _: None,
    ) -> list[PassageVectors]:
        """The vectors of each passage, its sentences and tokens; see `Encoder.encode_passages`."""
        found = []
        for row, (encoding, hidden) in enumerate(self._encoded(texts)):
            offsets = np.zeros((len(hidden), 2), np.int64)
            offsets[: len(encoding.offsets)] = encoding.offsets
            vector = unit(hidden.mean(axis=0))
            found.append(read_parts(vector, hidden, offsets, spans[row], self._shorten))
            progress(1)
        return found

    def _encoded(self, texts: Sequence[str]) -> Iterator[tuple[Encoding, Floats]]:
        """Tokens and their vectors, shape (tokens, dimension), text by text."""
        if texts and not self._weights:
            self._weights = load_file(self._folder / Path("model.safetensors"))
            for layer, change in (self._fitted.corrections if self._fitted else {}).items():
                self._weights[f"encoder.{layer}.weight"] += change
        for text in texts:
            encoding = self._tokenizer.encode(text)
            if len(encoding.ids) > self.window:
                last = encoding.ids[-1]
                encoding.truncate(self.window - 1)
                yield encoding, self._forward([*encoding.ids, last])
            else:
                yield encoding, self._forward(encoding.ids)

    def _forward(self, ids: Sequence[int]) -> Floats:
        """The last layer: shape (tokens, dimension)."""
        table = self._weights
        state = (
            table["embeddings.word_embeddings.weight"][list(ids)]
            + table["embeddings.position_embeddings.weight"][: len(ids)]
            + table["embeddings.token_type_embeddings.weight"][0]
        )
        state = self._norm(state, "embeddings.LayerNorm")
        for number in range(self._settings["num_hidden_layers"]):
            layer = f"encoder.layer.{number}"
            mixed = self._dense(
                self._attention(state, f"{layer}.attention.self"), f"{layer}.attention.output.dense"
            )
            state = self._norm(state + mixed, f"{layer}.attention.output.LayerNorm")
            wide = _gelu(self._dense(state, f"{layer}.intermediate.dense"))
            state = self._norm(
                state + self._dense(wide, f"{layer}.output.dense"), f"{layer}.output.LayerNorm"
            )
        return state

    def _attention(self, state: Floats, layer: str) -> Floats:
        """Every token looks at every other: shape (tokens, dimension) in and out."""
        tokens, dimension = state.shape
        heads = self._settings["num_attention_heads"]
        query, key, value = (
            self._dense(state, f"{layer}.{name}").reshape(tokens, heads, -1).transpose(1, 0, 2)
            for name in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / np.float32(np.sqrt(dimension // heads))
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed: Floats = (weights / weights.sum(axis=-1, keepdims=True)) @ value
        return mixed.transpose(1, 0, 2).reshape(tokens, dimension)

    def _dense(self, state: Floats, layer: str) -> Floats:
        out: Floats = state @ self._weights[f"{layer}.weight"].T + self._weights[f"{layer}.bias"]
        return out

    def _norm(self, state: Floats, layer: str) -> Floats:
        centred = state - state.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + self._settings["layer_norm_eps"])
        out: Floats = centred / spread * self._weights[f"{layer}.weight"] + self._weights[f"{layer}.bias"]
        return out


def _gelu(values: Floats) -> Floats:
    out: Floats = values * 0.5 * (1 + erf(values / np.float32(np.sqrt(2))))
    return out
