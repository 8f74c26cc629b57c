"""The best hits read once more, each together with the query: the seam for a cross-encoder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from safetensors import SafetensorError
from sentence_transformers import CrossEncoder

from index.encoded import Floats
from index.errors import ModelError


class Reranker:
    """A sentence-transformers CrossEncoder.

    Args:
        model: A folder or a hub name.
        depth: How many of the best hits it reads; each costs a pass through the model.

    Raises:
        ModelError: It cannot be loaded, or is not a model that gives a pair of texts one score.
    """

    def __init__(self, model: str, *, depth: int = 20) -> None:
        advice = (
            "Give a folder with a sentence-transformers CrossEncoder or the name of one on the hub, "
            "or unset REFERRAL_RERANKER."
        )
        try:
            self._model = CrossEncoder(model, device="cpu")
        except (OSError, ValueError, SafetensorError) as error:
            raise ModelError(f"The reranker {model!r} cannot be loaded ({error}). {advice}") from error
        if fault := _fault(self._model):
            raise ModelError(f"The reranker {model!r} {fault}. {advice}")
        self._model.eval()
        self.name = model
        self.depth = depth

    def scores(self, query: str, texts: Sequence[str]) -> Floats:
        """How well each text answers the query: shape (texts,), from 0 to 1."""
        if not texts:
            return np.zeros(0, np.float32)
        found = self._model.predict(
            [(query, text) for text in texts], activation_fn=torch.nn.Sigmoid(), show_progress_bar=False
        )
        return np.asarray(found, np.float32)


def _fault(model: CrossEncoder) -> str:
    """What keeps a loaded model from ranking; empty when nothing does.

    Any encoder loads as a CrossEncoder, with a last layer of chance weights and no more than a warning.
    """
    architectures = getattr(model.config, "architectures", None) or [""]
    if not architectures[0].endswith(("ForSequenceClassification", "ForCausalLM")):
        return f"was not trained to score pairs of texts (it is a {architectures[0] or 'bare model'})"
    if model.num_labels != 1:
        return f"gives {model.num_labels} scores to a pair instead of one"
    return ""
