"""Fits how evidence is chosen and when it answers, on fitting_questions.jsonl over the sample blog.

    python -m assistant.fit

writes evidence.json again, the same for the same files. The questions are the project's own, and written by
other people than the golden ones that measure the result.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from tqdm import tqdm

from assistant import conversation, evidence
from assistant.evidence import FEATURES, MODEL_FILE, Model, Selection
from assistant.question import BRIDGES, read
from index.encoded import Floats
from index.encoder import Encoder
from index.generation import Generation, Sourced
from index.query import QueryMaker
from index.retriever import Retriever
from index.store import Store
from ingest import sample
from ingest.sources import read_sources

Doubles: TypeAlias = NDArray[np.float64]

QUESTIONS = Path(__file__).with_name("fitting_questions.jsonl")

_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Example:
    """One fitting question with its candidates.

    Attributes:
        features: Of every candidate: shape (candidates, features).
        right: For each candidate, whether it answers: shape (candidates,).
        kind: The first kind that is expected.
    """

    features: Floats
    right: NDArray[np.bool_]
    kind: str


def main() -> None:
    """Fit and write."""
    with tempfile.TemporaryDirectory() as folder:
        encoder = Encoder()
        store = Store(Path(folder))
        store.write([Sourced(one, "sample") for one in read_sources([sample.FOLDER]).articles], encoder)
        retriever = Retriever(store.open(encoder.identity), encoder)
        questions = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
        examples = [one for question in tqdm(questions) if (one := _example(question, retriever))]
    MODEL_FILE.write_text(fit(examples).model_dump_json(indent=2) + "\n", encoding="utf-8")


def fit(examples: Sequence[Example]) -> Model:
    """The model for some examples."""
    weights = np.array([evidence.fitted().rank.get(name, 0.0) for name in FEATURES], np.float32)
    for _ in range(_ROUNDS):  # the order of one round tells the next which wrong sentences are the hardest
        weights = _fit_rank(examples, weights)
    best = np.array([one.features[np.argmax(one.features @ weights)] for one in examples])
    return Model(
        rank=_named(FEATURES, weights),
        answer=_fit_best(best, np.array([one.kind == "answer" for one in examples])),
        topic=_fit_best(best, np.array([one.kind != "abstention" for one in examples])),
    )


def _example(question: dict[str, Any], retriever: Retriever) -> Example | None:
    maker = _maker(retriever)
    standalone = conversation.standalone(question["question"], question.get("history", ()), maker.lexicon)
    reading = read(standalone)
    query = maker.make(standalone, BRIDGES.get(reading.asks, ()))
    selection = evidence.select(reading, query, retriever.retrieve(query), retriever.generation)
    if not selection.considered:
        return None
    wanted = [" ".join(text.split()) for text in question.get("must_quote_any", ())]
    return Example(
        np.array([candidate.features for candidate in selection.considered]),
        np.array(_right(selection, wanted, retriever.generation)),
        question["kinds"][0],
    )


@cache
def _maker(retriever: Retriever) -> QueryMaker:
    return QueryMaker.of(retriever.generation, retriever.encoder)


def _right(selection: Selection, wanted: Sequence[str], generation: Generation) -> tuple[bool, ...]:
    flags = []
    for candidate in selection.considered:
        article = generation.article(int(generation.passage_articles[candidate.hit.row]))
        text = " ".join(article.text[candidate.sentence.start : candidate.sentence.end].split())
        flags.append(any(stretch in text or text in stretch for stretch in wanted))
    return tuple(flags)


_HARDEST = 15


def _fit_rank(examples: Sequence[Example], weights: Floats) -> Floats:
    """Right sentences against the hardest wrong ones of the same question: logistic on their differences."""
    differences, shares = [], []
    for one in examples:
        if one.kind != "answer" or not one.right.any() or one.right.all():
            continue
        wrong = one.features[~one.right]
        wrong = wrong[np.argsort(-(wrong @ weights), kind="stable")[:_HARDEST]]
        for row in one.features[one.right]:
            differences.append(row - wrong)
            shares.append(np.full(len(wrong), 1 / (len(wrong) * one.right.sum())))
    rows, share = np.concatenate(differences), np.concatenate(shares)
    scale = rows.std(axis=0) + 1e-6
    rows = (rows / scale).astype(float)
    share /= share.sum()

    def loss(weights: Doubles) -> tuple[float, Doubles]:
        """Logistic loss of the differences with a small ridge, and its gradient."""
        margins = rows @ weights
        value = float(share @ np.logaddexp(0, -margins)) + _RIDGE * float(weights @ weights)
        return value, -(share * expit(-margins)) @ rows + 2 * _RIDGE * weights

    bounds = [_SIGNS.get(name, (None, None)) for name in FEATURES]
    found = minimize(loss, np.zeros(len(FEATURES)), jac=True, bounds=bounds, method="L-BFGS-B")
    return np.asarray(found.x / scale, np.float32)


_RIDGE = 1e-3
# What can only speak for a sentence, or only against it, is held to that: what the sample blog shows by
# chance to the contrary must not hurt another blog. `passage` is in `fused` already.
_SIGNS: dict[str, tuple[float | None, float | None]] = {
    "cosine": (0, None),
    "late": (0, None),
    "own": (0, None),
    "context": (0, None),
    "leaning": (0, None),
    "fused": (0, None),
    "section": (0, None),
    "fits": (0, None),
    "missing": (None, 0),
    "stub": (None, 0),
    "question": (None, 0),
    "passage": (0, 0),
}

_BEST = ("cosine", "late", "own", "context", "leaning", "missing", "passage", "fits")


def _fit_best(best: Floats, labels: NDArray[np.bool_]) -> dict[str, float]:
    """The odds by the sentence that comes first; both outcomes weigh the same, whatever their number here."""
    columns = [FEATURES.index(name) for name in _BEST]
    scale = best[:, columns].std(axis=0) + 1e-6
    rows = np.column_stack([best[:, columns] / scale, np.ones(len(best))]).astype(float)
    signs = np.where(labels, 1.0, -1.0)
    share = np.where(labels, 0.5 / labels.sum(), 0.5 / (~labels).sum())

    def loss(weights: Doubles) -> tuple[float, Doubles]:
        """Logistic loss with a small ridge, and its gradient."""
        margins = signs * (rows @ weights)
        value = float(share @ np.logaddexp(0, -margins)) + _RIDGE * float(weights[:-1] @ weights[:-1])
        ridge = 2 * _RIDGE * np.append(weights[:-1], 0.0)
        return value, -(share * signs * expit(-margins)) @ rows + ridge

    bounds = [*(_SIGNS[name] if name != "passage" else (0, None) for name in _BEST), (None, None)]
    found = minimize(loss, np.zeros(len(bounds)), jac=True, bounds=bounds, method="L-BFGS-B")
    return {**_named(_BEST, found.x[:-1] / scale), "bias": round(float(found.x[-1]), 4)}


def _named(names: Sequence[str], weights: Floats) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(names, weights, strict=True)}


if __name__ == "__main__":
    main()
