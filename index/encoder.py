"""Texts -> vectors: the one home of torch and sentence-transformers.

The default model's weights come inside an installed package, so nothing is downloaded; any other
sentence-transformers model is one setting, by folder or by hub name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from sentence_transformers import SentenceTransformer
from torch.nn import functional
from transformers.utils import logging as transformers_logging

from index.encoded import Floats, PassageVectors, QueryVectors, directions, read_parts, unit
from index.errors import ModelError
from index.packaged import (
    PACKAGED,
    PACKAGED_SHA256,
    ModelIdentity,
    packaged_folder,
    prompts_digest,
    read_fitted,
    sha256,
    weight_files,
)

__all__ = ["PACKAGED", "Encoder", "Floats", "ModelIdentity", "packaged_folder"]

# Loading takes a fraction of a second: its bar would only break ours.
transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]

# A passage is at most so many tokens, whatever the model could read.
_WINDOW = 256
# Under which of these names models keep what they want before a passage.
_DOCUMENT_PROMPTS = ("document", "passage", "corpus")


class Encoder:
    """A sentence-transformers model that also gives vectors to the sentences and tokens of a passage.

    Args:
        model: `packaged`, a folder, or a hub name.
        fitted: Whether the packaged weights are corrected by what was fitted for this domain.

    Attributes:
        window: Tokens that a passage may have, beside the prompt that the model wants before it.

    Raises:
        ModelError: The weights are missing or not the expected ones.
    """

    def __init__(self, model: str = PACKAGED, *, fitted: bool = True) -> None:
        source = str(packaged_folder()) if model == PACKAGED else model
        try:
            self._model = SentenceTransformer(source, device="cpu")
        except (OSError, ValueError, SafetensorError) as error:
            raise ModelError(
                f"The embedding model {model!r} cannot be loaded ({error}). "
                "Give a folder with a sentence-transformers model, the name of one on the hub, "
                f"or {PACKAGED!r} for the built-in one."
            ) from error
        self._model.eval()
        torch.set_num_threads(1)
        dimension = int(self._model.get_embedding_dimension() or 0)
        found = read_fitted() if fitted and model == PACKAGED else None
        self._shorten = found.shorten if found else directions(dimension)
        self._weigh = found.weigh if found else np.zeros(dimension + 1, np.float32)
        if found:
            _correct(self._model, found.corrections)
        if model == PACKAGED:  # other models keep the precision that they were published in
            self._model.to(_fast_dtype())
        for module in list(self._model)[1:]:
            module.float()  # pooling in bfloat16 would cost a third decimal of the cosine
        self._quick: Callable[[list[str]], tuple[Floats, Floats, NDArray[np.int64]]] | None = None
        prompt = sum(self.count_tokens([self._prompt(*_DOCUMENT_PROMPTS)]))
        # a passage of thousands of tokens would fit some models, and answer nothing
        self._longest = min(int(self._model.max_seq_length or _WINDOW), _WINDOW + prompt)
        self.window = self._longest - prompt
        if model == PACKAGED:
            self._quick = _Quick(self._model, self._longest).read
        self.identity = ModelIdentity(
            name=model,
            checksum=(
                found.checksum
                if found
                else PACKAGED_SHA256
                if model == PACKAGED
                else _weights_checksum(self._model, source)
            ),
            dimension=dimension,
        )

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without the special ones."""
        if not texts:
            return []
        encoded = self._model.tokenizer(
            list(texts), add_special_tokens=False, truncation=False, verbose=False
        )
        return [len(ids) for ids in encoded["input_ids"]]

    def common_words(self) -> dict[str, int]:
        """The whole words of the model's vocabulary by rank, the commonest first, from 1.

        A WordPiece vocabulary is written in the order of frequency, so this is a list of some twenty
        thousand common English words that says how common each is.
        """
        vocabulary: dict[str, int] = self._model.tokenizer.get_vocab()
        plain = (token for token in sorted(vocabulary, key=vocabulary.__getitem__) if token.isalpha())
        return {word: rank for rank, word in enumerate((one for one in plain if one.isascii()), start=1)}

    def encode_query(self, query: str) -> QueryVectors:
        """The vectors of a query."""
        prompt = self._prompt("query")
        pooled, hidden, offsets = (self._quick or self._forward)([prompt + query])
        real = (offsets[0, :, 1] > offsets[0, :, 0]) & (offsets[0, :, 0] >= len(prompt))
        real |= not real.any()  # an empty query still has the special tokens
        weights = np.logaddexp(0, hidden[0, real] @ self._weigh[:-1] + self._weigh[-1])
        return QueryVectors(
            vector=pooled[0],
            tokens=unit(hidden[0, real] @ self._shorten),
            weights=np.asarray(weights / weights.sum(), np.float32),
        )

    def encode_texts(self, texts: Sequence[str], *, batch: int = 32) -> Floats:
        """The vectors of texts as they are: shape (n, dimension), unit length."""
        out = np.zeros((len(texts), self.identity.dimension), np.float32)
        with _all_cores():
            for rows in _batches(texts, batch):
                out[rows] = self._pooled([texts[row] for row in rows])
        return out

    def encode_passages(
        self,
        texts: Sequence[str],
        spans: Sequence[Sequence[tuple[int, int]]],
        *,
        batch: int = 32,
        progress: Callable[[int], None] = lambda _: None,
    ) -> list[PassageVectors]:
        """One pass over each passage gives its vector, one for every sentence in it, and its tokens.

        A sentence's vector is the mean of its tokens' vectors as the model saw them in the passage, so "About
        one in twenty has it." carries what "it" is, at no further cost (late chunking, arXiv:2409.04701).

        Args:
            texts: What the model reads for each passage.
            spans: For each passage, its sentences as (start, end) in that text.
            batch: Passages per forward pass.
            progress: Called with the number of passages just done.

        Returns:
            One for each passage, in their order.
        """
        prompt = self._prompt(*_DOCUMENT_PROMPTS)
        found: dict[int, PassageVectors] = {}
        with _all_cores():
            for rows in _batches(texts, batch):
                pooled, hidden, offsets = self._forward([prompt + texts[row] for row in rows])
                for place, row in enumerate(rows):
                    # tokens of the prompt get places below 0, which are in no sentence
                    moved = np.where(offsets[place] > len(prompt), offsets[place] - len(prompt), 0)
                    moved[offsets[place, :, 0] == len(prompt), 0] = 0
                    found[row] = read_parts(pooled[place], hidden[place], moved, spans[row], self._shorten)
                progress(len(rows))
        return [found[row] for row in range(len(texts))]

    def _prompt(self, *names: str) -> str:
        """The first prompt that the model has by one of these names, else its default; most have none."""
        named: dict[str, str | None] = self._model.prompts or {}
        either = (named.get(name) for name in (*names, self._model.default_prompt_name or ""))
        return next(filter(None, either), "")

    def _pooled(self, texts: list[str]) -> Floats:
        pooled: Floats = self._forward(texts)[0]
        return pooled

    @torch.inference_mode()
    def _forward(self, texts: list[str]) -> tuple[Floats, Floats, NDArray[np.int64]]:
        """Pooled vectors (n, d), token vectors (n, tokens, d), character offsets of tokens (n, tokens, 2)."""
        features: dict[str, Any] = self._model.tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=self._longest,
            return_tensors="pt",
            return_offsets_mapping=True,
        )
        offsets = features.pop("offset_mapping").numpy()
        modules = list(self._model)
        features = modules[0](dict(features))
        features["token_embeddings"] = features["token_embeddings"].float()
        for module in modules[1:]:
            features = module(features)
        pooled = unit(features["sentence_embedding"].numpy())
        return pooled, features["token_embeddings"].numpy(), offsets


@contextmanager
def _all_cores() -> Iterator[None]:
    """Batches use every core.

    A question does not: its few tokens are not worth the wait for other threads, and under load that wait is
    most of the time (measured 214 ms against 34 ms with both cores busy).
    """
    torch.set_num_threads(os.cpu_count() or 1)
    try:
        yield
    finally:
        torch.set_num_threads(1)


def _weights_checksum(model: SentenceTransformer, source: str) -> str:
    """The hash of a folder's weight files; for a hub model, of the loaded weights themselves.

    The prompts go into it: a model that reads something else before a text makes other vectors of it.
    """
    digest = prompts_digest(model.prompts or {})
    if files := weight_files(Path(source)):
        for file in files:
            digest.update(sha256(file).encode())
        return digest.hexdigest()
    for name, weights in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(weights.float().numpy().tobytes())
    return digest.hexdigest()


def _fast_dtype() -> torch.dtype:
    """Bfloat16 where the processor multiplies it in hardware (2.0-2.2 times faster), else float32."""
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    fast = capabilities.get("avx512_bf16") or capabilities.get("amx_bf16")
    return torch.bfloat16 if fast and os.environ.get("REFERRAL_FLOAT32") != "1" else torch.float32


def _batches(texts: Sequence[str], size: int) -> Iterator[list[int]]:
    """Rows of texts of about equal length together, longest first: padding costs as much as words."""
    order = sorted(range(len(texts)), key=lambda row: -len(texts[row]))
    for start in range(0, len(order), size):
        yield order[start : start + size]


@torch.no_grad()
def _correct(model: SentenceTransformer, corrections: Mapping[str, Floats]) -> None:
    layers = dict(model.named_modules())
    for name, change in corrections.items():
        [layer] = [layer for path, layer in layers.items() if path.endswith(name)]
        layer.weight += torch.from_numpy(change)


class _Quick:
    """The packaged model for one short text, without what `transformers` does around it: half of the time.

    Args:
        model: Its weights are shared, not copied.
        longest: Tokens that are read, with the special ones.
    """

    def __init__(self, model: SentenceTransformer, longest: int) -> None:
        self._tokenizer = model.tokenizer
        self._longest = longest
        self._weights = {
            re.sub(r"^.*?(?=embeddings\.|encoder\.)", "", name): weights.detach()
            for name, weights in model.state_dict().items()
        }
        settings: Any = next(module.config for module in model.modules() if hasattr(module, "config"))
        self._layers: int = settings.num_hidden_layers
        self._heads: int = settings.num_attention_heads
        self._tiny: float = settings.layer_norm_eps

    @torch.inference_mode()
    def read(self, texts: list[str]) -> tuple[Floats, Floats, NDArray[np.int64]]:
        """What `Encoder._forward` gives for one text."""
        read = self._tokenizer(
            texts[0], truncation=True, max_length=self._longest, return_offsets_mapping=True
        )
        hidden = self._hidden(torch.tensor(read["input_ids"])).float().numpy()
        return unit(hidden.mean(axis=0, keepdims=True)), hidden[None], np.array([read["offset_mapping"]])

    def _hidden(self, ids: torch.Tensor) -> torch.Tensor:
        """The last layer (Devlin and others, arXiv:1810.04805): shape (tokens, dimension)."""
        table = self._weights
        state = table["embeddings.word_embeddings.weight"][ids]
        state = state + table["embeddings.position_embeddings.weight"][: len(ids)]
        state = self._norm(
            state + table["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm"
        )
        for number in range(self._layers):
            layer = f"encoder.layer.{number}"
            query, key, value = (
                self._dense(state, f"{layer}.attention.self.{name}")
                .view(1, len(ids), self._heads, -1)
                .transpose(1, 2)
                for name in ("query", "key", "value")
            )
            mixed = functional.scaled_dot_product_attention(query, key, value)
            mixed = mixed.transpose(1, 2).reshape(len(ids), -1)
            mixed = self._dense(mixed, f"{layer}.attention.output.dense")
            state = self._norm(state + mixed, f"{layer}.attention.output.LayerNorm")
            wide = functional.gelu(self._dense(state, f"{layer}.intermediate.dense"))
            state = self._norm(
                state + self._dense(wide, f"{layer}.output.dense"), f"{layer}.output.LayerNorm"
            )
        return state

    def _dense(self, state: torch.Tensor, layer: str) -> torch.Tensor:
        return functional.linear(state, self._weights[f"{layer}.weight"], self._weights[f"{layer}.bias"])

    def _norm(self, state: torch.Tensor, layer: str) -> torch.Tensor:
        weight, bias = self._weights[f"{layer}.weight"], self._weights[f"{layer}.bias"]
        return functional.layer_norm(state, weight.shape, weight, bias, self._tiny)
