"""A small linear map that brings questions in visitors' words nearer to sentences in anatomical ones.

    python -m index.adapter

fits it anew on pairs.jsonl (a lay question and the sentence that answers it, by topic), prints recall on
topics kept apart, and writes adapter.npz, the same for the same pairs. It moves only the vectors of
questions, so no index has to be built again.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy, normalize

from index.encoder import ADAPTER_FILE, Encoder

PAIRS = Path(__file__).with_name("pairs.jsonl")

_SEED = 20261123
_RANK = 64
_EPOCHS = 10
_BATCH = 256
_RATE = 1e-3
_SHARPNESS = 20.0  # the usual scale of cosines in a contrastive loss
# Weight of staying near the question's own vector: without it lay questions gain one more point of recall and
# general retrieval (NFCorpus, SciFact) loses what it had.
_STAY = 3.0
_HELD_OUT = 6  # one topic in so many is kept apart


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Unit vectors of questions and of their sentences: shape (pairs, dimension) each; topics beside them."""

    questions: torch.Tensor
    sentences: torch.Tensor
    topics: tuple[str, ...]

    def where(self, mask: list[bool]) -> _Pairs:
        rows = [row for row, kept in enumerate(mask) if kept]
        topics = tuple(self.topics[row] for row in rows)
        return _Pairs(self.questions[rows], self.sentences[rows], topics)


class _Adapter(torch.nn.Module):
    """x + B A x + c, normalised; A is (rank, dimension), B is (dimension, rank)."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.down = torch.nn.Parameter(torch.randn(_RANK, dimension) * 0.02)
        self.up = torch.nn.Parameter(torch.zeros(dimension, _RANK))
        self.shift = torch.nn.Parameter(torch.zeros(dimension))

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        return normalize(vectors + vectors @ self.down.T @ self.up.T + self.shift, dim=-1)


def main() -> None:
    """Fit on all topics but those kept apart, say how it does on these, then fit on all and write."""
    pairs = _encoded()
    topics = sorted(set(pairs.topics))
    random.Random(_SEED).shuffle(topics)
    apart = set(topics[: len(topics) // _HELD_OUT])
    seen = pairs.where([topic not in apart for topic in pairs.topics])
    unseen = pairs.where([topic in apart for topic in pairs.topics])
    with torch.inference_mode():
        before = _recall(unseen.questions, unseen.sentences)
        after = _recall(_fit(seen)(unseen.questions), unseen.sentences)
    print(f"{len(seen.topics)} pairs seen, {len(unseen.topics)} of {len(apart)} other topics kept apart")
    print(f"recall at 1, 3, 10 on those: {before} without, {after} with the adapter")
    adapter = _fit(pairs)
    np.savez(
        ADAPTER_FILE,
        down=adapter.down.detach().numpy().astype(np.float16),
        up=adapter.up.detach().numpy().astype(np.float16),
        shift=adapter.shift.detach().numpy().astype(np.float16),
    )


def _encoded() -> _Pairs:
    records = [json.loads(line) for line in PAIRS.read_text(encoding="utf-8").splitlines()]
    encoder = Encoder(adapt=False)
    return _Pairs(
        torch.from_numpy(encoder.encode_texts([one["question"] for one in records])),
        torch.from_numpy(encoder.encode_texts([_as_indexed(one["sentence"]) for one in records])),
        tuple(one["topic"] for one in records),
    )


def _as_indexed(sentence: str) -> str:
    """A pair's "[Title] It is…" as a passage is read: the title on a line of its own."""
    return re.sub(r"^\[([^\]]+)\] ?", r"\1\n", sentence)


@torch.inference_mode(mode=False)
def _fit(pairs: _Pairs) -> _Adapter:
    """Each question nearer to its own sentence than to the others of its batch, and the other way round."""
    torch.manual_seed(_SEED)
    adapter = _Adapter(pairs.questions.shape[1])
    optimizer = torch.optim.Adam(adapter.parameters(), lr=_RATE)
    for _ in range(_EPOCHS):
        order = torch.randperm(len(pairs.topics))
        for start in range(0, len(order) - _BATCH + 1, _BATCH):
            rows = order[start : start + _BATCH]
            questions, sentences = pairs.questions[rows].clone(), pairs.sentences[rows].clone()
            moved = adapter(questions)
            logits = moved @ sentences.T * _SHARPNESS
            own = torch.arange(len(rows))
            contrast = (cross_entropy(logits, own) + cross_entropy(logits.T, own)) / 2
            stay = 1 - (moved * questions).sum(dim=1).mean()
            optimizer.zero_grad()
            (contrast + _STAY * stay).backward()
            optimizer.step()
    return adapter


def _recall(questions: torch.Tensor, sentences: torch.Tensor) -> tuple[float, float, float]:
    scores = questions @ sentences.T
    ranks = (scores > scores.diag()[:, None]).sum(dim=1)
    at = [round(float((ranks < depth).float().mean()), 3) for depth in (1, 3, 10)]
    return at[0], at[1], at[2]


if __name__ == "__main__":
    main()
