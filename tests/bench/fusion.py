"""Which weights of the fusion serve best, on questions that the other benches do not ask.

The weights are never chosen by the questions that judge them. They are chosen here, on claims about Covid-19
and the evidence on them (HealthVer), and on questions about those encyclopedia articles of SQuAD 2 that the
encoder was not fitted on.
"""

from __future__ import annotations

import json
import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from tqdm import tqdm

from index.encoded import QueryVectors
from index.encoder import Encoder
from index.generation import Sourced
from index.query import QueryMaker
from index.retriever import Fusion, Query, Retriever
from index.store import Store
from ingest.article import Article

QUESTIONS = 200  # a set
_SEED = 20261123
_TOP = 10

# Weights that are tried beside the cosine's, which stays: only their proportions count.
TRIED = {
    "bm25": (0.2, 0.3, 0.4, 0.5),
    "sentence": (0.0, 0.15),
    "late": (0.0, 0.3, 0.5, 0.7),
    "feedback": (0.0, 0.15, 0.3, 0.5),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and where its answer stands: ids of articles and offsets in their texts."""

    text: str
    answers: frozenset[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Articles and questions on them."""

    articles: tuple[Article, ...]
    questions: tuple[Asked, ...]


class _Remembering:
    """An encoder that reads each question once, however many weights are tried on it."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._vectors: dict[str, QueryVectors] = {}

    def encode_query(self, query: str) -> QueryVectors:
        if query not in self._vectors:
            self._vectors[query] = self._encoder.encode_query(query)
        return self._vectors[query]


def run(data: Path, out: Path, questions: int = QUESTIONS) -> dict[str, Any]:
    """Every pair of weights on every set.

    Args:
        data: The folder of evaluation data.
        out: Stores are kept below it.
        questions: How many of each set's questions are asked.

    Raises:
        FileNotFoundError: A file of the evaluation data is missing.
    """
    encoder = Encoder()
    grid = [
        replace(Fusion(), **dict(zip(TRIED, weights, strict=True))) for weights in product(*TRIED.values())
    ]
    tried = [Fusion(), *grid]
    sets: dict[str, list[float]] = {}
    for name, read in SETS.items():
        held = read(data)
        asked = random.Random(_SEED).sample(held.questions, min(questions, len(held.questions)))
        sets[name] = reciprocal_ranks(
            held.articles, asked, out / "stores" / f"held-back-{name}", encoder, tried
        )
    rows = [
        {**asdict(fusion), **{name: means[place] for name, means in sets.items()}}
        for place, fusion in enumerate(tried)
    ]
    for row in rows:
        row["mean"] = statistics.mean(row[name] for name in sets)
    return {"sets": list(sets), "now": rows[0], "tried": sorted(rows[1:], key=lambda row: -row["mean"])}


def reciprocal_ranks(
    articles: Sequence[Article],
    asked: Sequence[Asked],
    folder: Path,
    encoder: Encoder,
    tried: Sequence[Fusion],
) -> list[float]:
    """For each fusion the mean of 1 / rank of the first passage that holds an answer, 0 beyond the tenth."""
    store = Store(folder)
    store.write([Sourced(one, folder.name) for one in articles], encoder)
    generation = store.open(encoder.identity)
    maker = QueryMaker.of(generation, encoder)
    queries: list[tuple[Asked, Query]] = [(one, maker.make(one.text)) for one in asked]
    remembering: Any = _Remembering(encoder)
    means = []
    for fusion in tqdm(tried, desc=folder.name, leave=False, disable=None):
        retriever = Retriever(generation, remembering, fusion)
        ranks = [_rank(retriever, query, one.answers) for one, query in queries]
        means.append(statistics.mean(1 / rank if rank else 0.0 for rank in ranks))
    return means


def _rank(retriever: Retriever, query: Query, answers: frozenset[tuple[str, int]]) -> int:
    """The rank of the first hit that holds an answer; 0 when none does."""
    for hit in retriever.retrieve(query, _TOP).hits:
        passage = hit.passage
        if any(key == passage.article_id and passage.start <= at < passage.end for key, at in answers):
            return hit.rank
    return 0


def healthver(data: Path) -> HeldBack:
    """Claims, and the evidence that bears them out or speaks against them."""
    lines = (data / "healthver" / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    evidence = {
        text: f"{place:04}" for place, text in enumerate(dict.fromkeys(one["evidence"] for one in records))
    }
    answers: dict[str, set[tuple[str, int]]] = {}
    for one in records:
        if one["label"] != "Neutral":
            answers.setdefault(one["claim"], set()).add((evidence[one["evidence"]], 0))
    return HeldBack(
        tuple(Article(key, text[:60], text) for text, key in evidence.items()),
        tuple(Asked(claim, frozenset(where)) for claim, where in answers.items()),
    )


def squad(data: Path) -> HeldBack:
    """Encyclopedia articles and questions that they answer: those articles that `index.fit` leaves alone."""
    articles, questions = [], []
    for record in json.loads((data / "squad2" / "dev.json").read_text(encoding="utf-8"))["data"][1::2]:
        text = ""
        for paragraph in record["paragraphs"]:
            for one in paragraph["qas"]:
                if one["answers"]:
                    at = len(text) + one["answers"][0]["answer_start"]
                    questions.append(Asked(one["question"], frozenset({(record["title"], at)})))
            text += paragraph["context"] + "\n\n"
        articles.append(Article(record["title"], record["title"].replace("_", " "), text))
    return HeldBack(tuple(articles), tuple(questions))


SETS: dict[str, Callable[[Path], HeldBack]] = {
    "healthver": healthver,
    "squad2": squad,
}


def table(result: Mapping[str, Any], best: int = 8) -> str:
    """The weights of today, and the best of those tried."""
    columns = ["cosine", "bm25", "sentence", "late", "feedback", *result["sets"], "mean"]
    lines = [
        "mean reciprocal rank of the answering passage within the first ten",
        f"{'':8}" + "".join(f"{column:>12}" for column in columns),
    ]
    for label, row in [
        ("now", result["now"]),
        *((f"{n}.", row) for n, row in enumerate(result["tried"][:best], 1)),
    ]:
        lines.append(f"{label:8}" + "".join(f"{row[column]:12.3f}" for column in columns))
    return "\n".join(lines)
