"""How well the right article and the answering sentence are found, and how fast, method by method.

The first two rows search by one score alone; every row below adds one thing, so that each part of the
retriever has to earn its place. The last row is what `referral search` does; with REFERRAL_RERANKER set, a
row more shows what the reranker gains and costs.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import ir_measures
from ir_measures import RR, R, nDCG
from matplotlib.figure import Figure
from tqdm import tqdm

from assistant import conversation, evidence
from assistant.question import BRIDGES, read
from index.encoder import Encoder
from index.generation import Built, Generation, Sourced
from index.keywords import words
from index.passage import Hit
from index.query import QueryMaker
from index.reranker import Reranker
from index.retriever import Fusion, Query, Retriever, plain_query
from index.store import Store
from ingest import sample
from ingest.article import Article, from_json
from ingest.sources import read_sources

T = TypeVar("T")
Result = TypeVar("Result")
Row = dict[str, Any]

BEIR = ("nfcorpus", "scifact", "med")
MEASURES = (nDCG @ 10, R @ 100, RR @ 10)
DEPTH = 100  # articles a query in a BEIR run
GOLDEN = Path(__file__).with_name("golden.jsonl")


@dataclass(frozen=True, slots=True)
class Method:
    """One way to search; a row of every table.

    Attributes:
        lexicon: Whether the query is made with the lexicon and the spelling correction.
        fitted: Whether the packaged weights are corrected by what was fitted for this domain.
        reranker: Whether the best hits are read again.
    """

    name: str
    fusion: Fusion
    lexicon: bool = False
    fitted: bool = False
    reranker: bool = False


def _only(score: str) -> Fusion:
    """All the weight on one score, whatever others there are."""
    return replace(Fusion(), **{one.name: float(one.name == score) for one in fields(Fusion)})


_LATE = replace(Fusion(), feedback=0.0)
_PLAIN = replace(_LATE, late=0.0)
METHODS = (
    Method("keywords", _only("bm25")),
    Method("dense", _only("cosine")),
    Method("cosine and bm25", replace(_PLAIN, sentence=0.0)),
    Method("+ sentences", _PLAIN),
    Method("+ lexicon, spelling", _PLAIN, lexicon=True),
    Method("+ fitted weights", _PLAIN, lexicon=True, fitted=True),
    Method("+ late interaction", _LATE, lexicon=True, fitted=True),
    Method("+ feedback", Fusion(), lexicon=True, fitted=True),
)
RERANKED = Method("+ reranker", Fusion(), lexicon=True, fitted=True, reranker=True)


@dataclass(frozen=True, slots=True)
class Models:
    """The embedding model without and with what was fitted, and a reranker."""

    plain: Encoder
    fitted: Encoder
    reranker: Reranker | None = None

    def methods(self) -> tuple[Method, ...]:
        """The rows of every table."""
        return (*METHODS, RERANKED) if self.reranker else METHODS

    def encoder(self, method: Method) -> Encoder:
        """The encoder of a method."""
        return self.fitted if method.fitted else self.plain


class Searcher:
    """One set of articles, searched by any method.

    Args:
        plain: Their generation by the plain weights.
        fitted: That by the corrected ones.
        models: Search both.
    """

    def __init__(self, plain: Generation, fitted: Generation, models: Models) -> None:
        self._plain = plain
        self._fitted = fitted
        self._models = models

    def retriever(self, method: Method) -> Retriever:
        """What searches by a method."""
        generation = self._fitted if method.fitted else self._plain
        reranker = self._models.reranker if method.reranker else None
        return Retriever(generation, self._models.encoder(method), method.fusion, reranker)

    @cached_property
    def maker(self) -> QueryMaker:
        """What makes queries with the lexicon; both generations have the same words."""
        return QueryMaker.of(self._fitted, self._models.fitted)

    def query(self, method: Method, question: str, bridge: Sequence[str] = ()) -> Query:
        """The query of a question."""
        return self.maker.make(question, bridge) if method.lexicon else plain_query(question)


def run(data: Path, out: Path) -> dict[str, Any]:
    """Every method on every set.

    Args:
        data: The folder of evaluation data.
        out: Stores are kept below it and used again while their articles and the model stay the same.

    Raises:
        FileNotFoundError: A file of the evaluation data is missing.
    """
    named = os.environ.get("REFERRAL_RERANKER")
    models = Models(Encoder(fitted=False), Encoder(), Reranker(named) if named else None)
    stores = out / "stores"
    result = {name: beir(data / name, stores / name, models) for name in BEIR}
    result["medquad"] = medquad(data / "medquad", stores / "medquad", models)
    result["sample"] = golden(stores / "sample", models)
    return result


def beir(folder: Path, store: Path, models: Models) -> dict[str, Any]:
    """A folder in the layout of BEIR: its test queries, by `ir-measures`."""
    qrels = [
        ir_measures.Qrel(query, article, int(score))
        for query, article, score in (line.split("\t") for line in _lines(folder / "qrels" / "test.tsv")[1:])
    ]
    judged = {one.query_id for one in qrels}
    queries = [one for one in _records(folder / "queries.jsonl") if one["_id"] in judged]
    searcher, about = _opened(store, _articles(folder / "corpus.jsonl"), models)

    def row(method: Method) -> Row:
        retriever = searcher.retriever(method)

        def search(one: Mapping[str, Any]) -> tuple[Hit, ...]:
            return retriever.retrieve_articles(searcher.query(method, one["text"]), DEPTH)

        found, times = _timed(search, queries, method.name)
        run = [
            ir_measures.ScoredDoc(query["_id"], hit.passage.article_id, -float(hit.rank))
            for query, hits in zip(queries, found, strict=True)
            for hit in hits
        ]
        quality = ir_measures.calc_aggregate(MEASURES, qrels, run)
        return {**{str(measure): quality[measure] for measure in MEASURES}, **times}

    return {
        **about,
        "queries": len(queries),
        "rows": {method.name: row(method) for method in models.methods()},
    }


def medquad(folder: Path, store: Path, models: Models) -> dict[str, Any]:
    """Questions of which each was written for one article.

    The corpus has many a disease twice, from different institutes, and nothing says which one was meant. So
    the share of questions whose first article has the right title is given too.
    """
    questions = _records(folder / "questions.jsonl")
    articles = _articles(folder / "articles.jsonl")
    searcher, about = _opened(store, articles, models)
    subjects = {one.id: _subject(one.title) for one in articles}

    def row(method: Method) -> Row:
        retriever = searcher.retriever(method)

        def search(one: Mapping[str, Any]) -> tuple[Hit, ...]:
            return retriever.retrieve_articles(searcher.query(method, one["question"]), 5)

        found, times = _timed(search, questions, method.name)
        ranks = [_rank(hits, {one["article_id"]}) for one, hits in zip(questions, found, strict=True)]
        subject = [
            subjects[hits[0].passage.article_id] == subjects[one["article_id"]]
            for one, hits in zip(questions, found, strict=True)
        ]
        return {
            "article top 1": _within(ranks, 1),
            "article top 5": _within(ranks, 5),
            "title top 1": sum(subject) / len(subject),
            **times,
        }

    return {
        **about,
        "queries": len(questions),
        "rows": {method.name: row(method) for method in models.methods()},
    }


def _subject(title: str) -> tuple[str, ...]:
    """What a title names: its words, without what stands in brackets."""
    return tuple(words(re.sub(r"\(.*?\)", "", title)))


def golden(store: Path, models: Models) -> dict[str, Any]:
    """The answerable golden questions on the sample blog: the article, and the sentence that answers.

    A follow-up is completed from its history first, as the assistant does it.
    """
    questions = [one for one in _records(GOLDEN) if "answer" in one["kinds"] and one.get("must_quote_any")]
    articles = read_sources([sample.FOLDER]).articles
    searcher, about = _opened(store, articles, models)

    def row(method: Method) -> Row:
        retriever = searcher.retriever(method)

        def search(one: Mapping[str, Any]) -> tuple[Sequence[Hit], list[str]]:
            return _considered(one, searcher, method, retriever)

        found, times = _timed(search, questions, method.name)
        firsts, sentences = [], []
        for one, (hits, texts) in zip(questions, found, strict=True):
            firsts.append(_rank(hits, {one["article"], *one.get("articles", ())}))
            sentences.append(sentence_rank(texts, one["must_quote_any"]))
        return {
            "article first": _within(firsts, 1),
            "sentence top 1": _within(sentences, 1),
            "sentence top 3": _within(sentences, 3),
            **times,
            "article missed": _ids(questions, [rank == 1 for rank in firsts]),
            "sentence missed": _ids(questions, [rank > 0 for rank in sentences]),
        }

    return {
        **about,
        "queries": len(questions),
        "rows": {method.name: row(method) for method in models.methods()},
    }


def _ids(questions: Sequence[Mapping[str, Any]], right: Sequence[bool]) -> list[str]:
    """Of the questions that did not go right, for whoever improves the retriever."""
    return [one["id"] for one, fine in zip(questions, right, strict=True) if not fine]


def _considered(
    question: Mapping[str, Any], searcher: Searcher, method: Method, retriever: Retriever
) -> tuple[Sequence[Hit], list[str]]:
    """The hits, and the three best of the sentences that evidence is chosen from."""
    standalone = conversation.standalone(
        question["question"], question.get("history", ()), searcher.maker.lexicon
    )
    reading = read(standalone)
    query = searcher.query(method, standalone, BRIDGES.get(reading.asks, ()))
    found = retriever.retrieve(query)
    selection = evidence.select(reading, query, found, retriever.generation)
    return found.hits, [_text(one) for one in selection.considered[:3]]


def _text(candidate: evidence.Candidate) -> str:
    passage, sentence = candidate.hit.passage, candidate.sentence
    return passage.text[sentence.start - passage.start : sentence.end - passage.start]


def sentence_rank(texts: Sequence[str], wanted: Sequence[str]) -> int:
    """Rank of the first sentence that holds a wanted stretch or lies within one; 0 when none does."""
    stretches = [" ".join(one.split()) for one in wanted]
    for rank, text in enumerate((" ".join(one.split()) for one in texts), start=1):
        if any(stretch in text or text in stretch for stretch in stretches):
            return rank
    return 0


def _rank(hits: Sequence[Hit], right: set[str]) -> int:
    """Rank of the first hit of a right article; 0 when there is none."""
    return next((hit.rank for hit in hits if hit.passage.article_id in right), 0)


def _within(ranks: Sequence[int], top: int) -> float:
    return sum(1 <= rank <= top for rank in ranks) / len(ranks)


def _timed(
    work: Callable[[T], Result], items: Sequence[T], label: str
) -> tuple[list[Result], dict[str, float]]:
    """What was done with each item, and how long it took; the first is done once more before, to warm up."""
    work(items[0])
    results, seconds = [], []
    for one in tqdm(items, desc=label, leave=False, disable=None):
        start = time.perf_counter()
        results.append(work(one))
        seconds.append(time.perf_counter() - start)
    ordered = sorted(seconds)
    return results, {
        "median ms": 1000 * statistics.median(ordered),
        "p95 ms": 1000 * ordered[int(0.95 * len(ordered))],
        "seconds": sum(seconds),
    }


def _opened(folder: Path, articles: Sequence[Article], models: Models) -> tuple[Searcher, dict[str, Any]]:
    """The stores of these articles, built unless they are there already, and what they hold."""
    plain, _, _ = _store(folder.with_name(f"{folder.name}-plain"), articles, models.plain)
    fitted, built, seconds = _store(folder, articles, models.fitted)
    counts = fitted.manifest.counts
    about = {
        "articles": counts.articles,
        "passages": counts.passages,
        "embedded": built.embedded if built else 0,
        "build seconds": seconds if built else None,
    }
    return Searcher(plain, fitted, models), about


def _store(
    folder: Path, articles: Sequence[Article], encoder: Encoder
) -> tuple[Generation, Built | None, float]:
    """The generation of these articles, what was built for it, and in how many seconds."""
    store = Store(folder)
    start = time.perf_counter()
    with tqdm(desc=f"indexing {folder.name}", unit=" passages", leave=False, disable=None) as bar:

        def shown(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        built = store.write([Sourced(one, "bench") for one in articles], encoder, shown)
    return store.open(encoder.identity), built, time.perf_counter() - start


def _articles(path: Path) -> list[Article]:
    """The documents of a corpus; one without a title gets its first words, one without a text is left out."""
    articles = []
    for record in _records(path):
        if record["text"].strip():
            title = record.get("title", "").strip() or record["text"].strip()[:60]
            articles.append(from_json(json.dumps({**record, "title": title}), fallback_id=""))
    return articles


def _records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _lines(path)]


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def table(result: Mapping[str, Any]) -> str:
    """One table a set, one method a line."""
    return "\n\n".join(_set_table(name, one) for name, one in result.items())


def _set_table(name: str, one: Mapping[str, Any]) -> str:
    lines = [f"{name}: {one['queries']} queries, {one['articles']} articles, {one['passages']} passages"]
    if one["build seconds"] is not None:
        lines[0] += f"; {one['embedded']} embedded in {one['build seconds']:.0f} s"
    columns = [key for key, value in next(iter(one["rows"].values())).items() if isinstance(value, float)]
    lines.append(f"{'':22}" + "".join(f"{column:>16}" for column in columns))
    for method, row in one["rows"].items():
        cells = (f"{row[column]:16.1f}" if _is_time(column) else f"{row[column]:16.4f}" for column in columns)
        lines.append(f"{method:22}" + "".join(cells))
    return "\n".join(lines)


def _is_time(column: str) -> bool:
    return column.endswith((" ms", "seconds"))


def plot(result: Mapping[str, Any], path: Path) -> None:
    """Quality (the first measure of each set) against the median time of a query, as a PNG."""
    figure = Figure(figsize=(4.2 * len(result), 4), layout="constrained")
    panels = figure.subplots(1, len(result), squeeze=False)[0]
    for panel, (name, one) in zip(panels, result.items(), strict=True):
        measure = next(iter(next(iter(one["rows"].values()))))
        for marker, (method, row) in zip("osD^vP*X", one["rows"].items(), strict=False):
            panel.scatter(row["median ms"], row[measure], marker=marker, label=method)
        panel.set(title=name, xlabel="median ms a query", ylabel=measure)
        panel.grid(alpha=0.3)
    panels[-1].legend(fontsize="small")
    figure.savefig(path, dpi=120)
