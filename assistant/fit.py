"""Fits how evidence is chosen and when it answers, on fitting_questions.jsonl over the sample blog.

    python -m assistant.fit

writes evidence.json again, the same for the same files. The questions are the project's own, and other people's
than the golden ones that measure the result.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from assistant import conversation, evidence
from assistant.evidence import FEATURES, MODEL_FILE, Model, Selection
from assistant.question import read
from index.encoder import Encoder, Floats
from index.generation import Generation, Sourced
from index.query import QueryMaker
from index.retriever import Retriever
from index.store import Store
from ingest import sample
from ingest.sources import read_sources

QUESTIONS = Path(__file__).with_name("fitting_questions.jsonl")

_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Example:
    """One fitting question with its candidates.

    Attributes:
        selection: What was considered, in the order of the model of the round before.
        right: For each candidate, whether it answers.
        kind: The first kind that is expected.
    """

    selection: Selection
    right: tuple[bool, ...]
    kind: str


def main() -> None:
    """Fit and write."""
    with tempfile.TemporaryDirectory() as folder:
        encoder = Encoder()
        store = Store(Path(folder))
        store.write([Sourced(one, "sample") for one in read_sources([sample.FOLDER]).articles], encoder)
        retriever = Retriever(store.open(encoder.identity), encoder)
        questions = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
        model = evidence.fitted()
        for _ in range(_ROUNDS):  # which sentence comes first decides what the second and third fit see
            examples = _examples(questions, retriever, model)
            model = fit(examples)
    MODEL_FILE.write_text(model.model_dump_json(indent=2) + "\n", encoding="utf-8")


def fit(examples: Sequence[Example]) -> Model:
    """The model for some examples."""
    return Model(rank=_fit_rank(examples), answer=_fit_answer(examples), topic=_fit_topic(examples))


def _examples(questions: Sequence[dict[str, Any]], retriever: Retriever, model: Model) -> list[Example]:
    maker = QueryMaker.of(retriever.generation, retriever.encoder)
    examples = []
    for one in questions:
        query = maker.make(conversation.standalone(one["question"], one.get("history", ()), maker.lexicon))
        found = retriever.retrieve(query)
        selection = evidence.select(read(query.text), query, found, retriever.generation, model)
        wanted = [" ".join(text.split()) for text in one.get("must_quote_any", ())]
        examples.append(
            Example(selection, _right(selection, wanted, retriever.generation), one["kinds"][0])
        )
    return examples


def _right(selection: Selection, wanted: Sequence[str], generation: Generation) -> tuple[bool, ...]:
    flags = []
    for candidate in selection.considered:
        article = generation.article(int(generation.passage_articles[candidate.hit.row]))
        text = " ".join(article.text[candidate.sentence.start : candidate.sentence.end].split())
        flags.append(any(stretch in text or text in stretch for stretch in wanted))
    return tuple(flags)


def _fit_rank(examples: Sequence[Example]) -> dict[str, float]:
    """Right sentences against the wrong ones of the same question, each pair's difference an example."""
    differences = []
    for one in examples:
        rows = np.array([candidate.features for candidate in one.selection.considered])
        right = np.array(one.right, bool)
        if one.kind != "answer" or not right.any() or right.all():
            continue
        wrong = rows[~right][:15]  # the hardest: they came first
        for row in rows[right]:
            differences.append((row - wrong) / np.sqrt(len(wrong) * right.sum()))
    stacked = np.concatenate(differences)
    both = np.concatenate([stacked, -stacked])
    labels = np.concatenate([np.ones(len(stacked)), np.zeros(len(stacked))])
    weights = _logistic(both, labels, intercept=False)
    return {name: round(float(value), 4) for name, value in zip(FEATURES, weights, strict=True)}


def _fit_answer(examples: Sequence[Example]) -> dict[str, float]:
    """Whether what comes first answers: not when nothing could, and not when it is the wrong sentence's place."""
    rows = [one for one in examples if one.selection.considered]
    labels = np.array([one.kind == "answer" for one in rows], float)
    return _fit_best(rows, labels)


def _fit_topic(examples: Sequence[Example]) -> dict[str, float]:
    rows = [one for one in examples if one.selection.considered]
    return _fit_best(rows, np.array([one.kind != "abstention" for one in rows], float))


_BEST = ("cosine", "own", "context", "leaning", "missing", "passage")


def _fit_best(examples: Sequence[Example], labels: Floats) -> dict[str, float]:
    rows = np.array([one.selection.considered[0].features for one in examples])
    columns = [FEATURES.index(name) for name in _BEST]
    model = LogisticRegression(C=10.0, max_iter=2000).fit(rows[:, columns], labels)
    fitted = {name: round(float(value), 4) for name, value in zip(_BEST, model.coef_[0], strict=True)}
    return {**fitted, "bias": round(float(model.intercept_[0]), 4)}


def _logistic(rows: Floats, labels: Floats, *, intercept: bool) -> Floats:
    scale = rows.std(axis=0) + 1e-6
    model = LogisticRegression(C=1.0, fit_intercept=intercept, max_iter=2000).fit(rows / scale, labels)
    return np.asarray(model.coef_[0] / scale, np.float32)


if __name__ == "__main__":
    main()
