"""The packaged sentence model, taught by low-rank corrections to tell urgent messages.

all-MiniLM-L6-v2 reads a conversation. What fitting changed is small enough to ship beside the code: for each
weight matrix W a correction B @ A of rank RANK (low-rank adaptation, arXiv:2106.09685), in adapter.npz. The
index's encoder is another copy of the same weights, without corrections; a setting that swaps that one leaves
this one alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from tokenizers import Tokenizer as WordPiece
from torch import Tensor
from torch.nn import functional

from index.packaged import packaged_folder

Floats: TypeAlias = NDArray[np.float32]

LAYERS, WIDTH, HEADS = 6, 384, 12
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


class Tokenizer:
    """The packaged model's own, for texts of any length."""

    def __init__(self) -> None:
        self._pieces = WordPiece.from_file(str(packaged_folder() / "tokenizer.json"))
        self._pieces.no_truncation()
        self._pieces.no_padding()

    def ids(self, text: str) -> list[int]:
        """Ids with [CLS] and [SEP]; of a long text those of its beginning and its end, MOST_TOKENS in all."""
        ids = self._pieces.encode(text).ids
        half = MOST_TOKENS // 2
        return ids if len(ids) <= MOST_TOKENS else ids[:half] + ids[-half:]


@dataclass(frozen=True, slots=True)
class _Affine:
    """A weight (out, in) or (out,) and a bias (out,)."""

    weight: Tensor
    bias: Tensor

    def linear(self, rows: Tensor) -> Tensor:
        return functional.linear(rows, self.weight, self.bias)

    def norm(self, rows: Tensor) -> Tensor:
        return functional.layer_norm(rows, (WIDTH,), self.weight, self.bias, 1e-12)


@dataclass(frozen=True, slots=True)
class _Layer:
    query_key_value: _Affine  # side by side: one product instead of three
    mixed: _Affine
    mixed_norm: _Affine
    widen: _Affine
    narrow: _Affine
    narrow_norm: _Affine

    def __call__(self, hidden: Tensor) -> Tensor:
        size = len(hidden)
        heads = self.query_key_value.linear(hidden).view(size, 3, HEADS, WIDTH // HEADS)
        query, key, value = heads.permute(1, 2, 0, 3).unsqueeze(1)
        attended = functional.scaled_dot_product_attention(query, key, value)[0]
        hidden = self.mixed_norm.norm(
            self.mixed.linear(attended.transpose(0, 1).reshape(size, WIDTH)) + hidden
        )
        inner = functional.gelu(self.widen.linear(hidden))
        return self.narrow_norm.norm(self.narrow.linear(inner) + hidden)


class SentenceModel:
    """Text to one vector.

    Args:
        corrections: `<matrix name>.A` (RANK, in) and `.B` (out, RANK), or empty for the model as packaged.
    """

    def __init__(self, corrections: Mapping[str, Floats]) -> None:
        self.tokenizer = Tokenizer()
        weights = load_file(packaged_folder() / "model.safetensors")
        for name in {name[:-2] for name in corrections}:
            low_rank = torch.from_numpy(corrections[f"{name}.B"] @ corrections[f"{name}.A"])
            weights[f"{name}.weight"] = weights[f"{name}.weight"] + low_rank
        kind = weights["embeddings.token_type_embeddings.weight"][0]
        dtype = _fast_dtype()
        self._words = weights["embeddings.word_embeddings.weight"].to(dtype)
        self._places = (weights["embeddings.position_embeddings.weight"][:MOST_TOKENS] + kind).to(dtype)
        self._norm = _affine(weights, dtype, "embeddings.LayerNorm")
        self._layers = [_layer(weights, dtype, f"encoder.layer.{number}.") for number in range(LAYERS)]

    def vector(self, text: str) -> Floats:
        """Mean of the token vectors: shape (WIDTH,), not normalised."""
        ids = self.tokenizer.ids(text)
        with torch.inference_mode():
            hidden = self._norm.norm(self._words[ids] + self._places[: len(ids)])
            for layer in self._layers:
                hidden = layer(hidden)
            mean: Floats = hidden.float().mean(0).numpy()
        return mean


def _affine(weights: Mapping[str, Tensor], dtype: torch.dtype, *names: str) -> _Affine:
    """The parameters of these names, one below the other."""
    return _Affine(
        torch.cat([weights[f"{name}.weight"] for name in names]).to(dtype),
        torch.cat([weights[f"{name}.bias"] for name in names]).to(dtype),
    )


def _layer(weights: Mapping[str, Tensor], dtype: torch.dtype, name: str) -> _Layer:
    return _Layer(
        _affine(weights, dtype, *(f"{name}attention.self.{part}" for part in ("query", "key", "value"))),
        _affine(weights, dtype, f"{name}attention.output.dense"),
        _affine(weights, dtype, f"{name}attention.output.LayerNorm"),
        _affine(weights, dtype, f"{name}intermediate.dense"),
        _affine(weights, dtype, f"{name}output.dense"),
        _affine(weights, dtype, f"{name}output.LayerNorm"),
    )


def _fast_dtype() -> torch.dtype:
    """Bfloat16 where the processor multiplies it in hardware, which halves the time; else float32."""
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    fast = capabilities.get("avx512_bf16") or capabilities.get("amx_bf16")
    return torch.bfloat16 if fast else torch.float32
