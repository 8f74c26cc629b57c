"""Choosing the sentence, knowing when there is none, and follow-ups, on public data of other domains.

Each question of WikiQA and SQuAD 2 is asked of its own article, so that only the choice of the sentence, and
the judgement whether it answers, are measured. CAsT 2019 comes with questions alone: what is compared is what
our standalone question finds with what the question as people rewrote it finds, among those same articles.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from assistant import conversation, evidence
from assistant.evidence import Selection
from assistant.question import BRIDGES, read
from index.encoder import Encoder
from index.filters import Filter
from index.generation import Sourced
from index.query import QueryMaker
from index.retriever import Retriever
from index.store import Store
from ingest.article import Article

# (probability shown, whether it was right to answer)
Shown = tuple[float, bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of one article.

    Attributes:
        article: Its id, which is also its only tag.
        right: Spans of the article's text that answer; empty when nothing does.
        spans: The sentences to rank, where the data parts them; else empty.
    """

    question: str
    article: str
    right: tuple[tuple[int, int], ...]
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Searcher:
    """A store of articles, ready to be asked."""

    retriever: Retriever
    maker: QueryMaker

    @classmethod
    def over(cls, articles: Sequence[Article], folder: Path, encoder: Encoder) -> Searcher:
        """A store of exactly these articles."""
        store = Store(folder)
        store.write([Sourced(one, "bench") for one in articles], encoder)
        retriever = Retriever(store.open(encoder.identity), encoder)
        return cls(retriever, QueryMaker.of(retriever.generation, encoder))

    def select(self, question: str, article: str) -> Selection:
        """What is chosen from one article."""
        reading = read(question)
        query = self.maker.make(question, BRIDGES.get(reading.asks, ()))
        found = self.retriever.retrieve(query, within=Filter(tags=(article,)))
        return evidence.select(reading, query, found, self.retriever.generation)

    def articles(self, question: str, top: int = 10) -> list[str]:
        """Ids of the best articles."""
        hits = self.retriever.retrieve_articles(self.maker.make(question), top)
        return [hit.passage.article_id for hit in hits]


def wikiqa(path: Path, limit: int) -> tuple[list[Article], list[Asked]]:
    """Questions with at least one right sentence, as is usual, each with an article of its candidates."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        rows.setdefault(row["qid"], []).append(row)
    articles: list[Article] = []
    asked: list[Asked] = []
    for qid, candidates in list(rows.items()):
        labels = [row["label"] for row in candidates]
        if not 0 < sum(labels) < len(labels) or len(asked) == limit:
            continue
        id_ = f"wikiqa-{path.stem}-{qid}"
        text, spans = _joined([row["answer"] for row in candidates])
        right = tuple(span for span, label in zip(spans, labels, strict=True) if label)
        articles.append(Article(id=id_, title="Encyclopedia", text=text, tags=(id_,)))
        asked.append(Asked(candidates[0]["question"], id_, right, tuple(spans)))
    return articles, asked


def _joined(sentences: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Sentences as paragraphs of one text, and the span of each."""
    text, spans = "", []
    for sentence in sentences:
        spans.append((len(text), len(text) + len(sentence)))
        text += sentence + "\n\n"
    return text, spans


def squad(path: Path, limit: int) -> tuple[list[Article], list[Asked]]:
    """Paragraphs of SQuAD 2 and a sample of their questions, as many without an answer as with one."""
    articles: dict[str, Article] = {}
    by_kind: dict[bool, list[Asked]] = {True: [], False: []}
    for topic in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for number, paragraph in enumerate(topic["paragraphs"]):
            id_ = f"squad-{topic['title']}-{number}"
            title = topic["title"].replace("_", " ")
            articles[id_] = Article(id=id_, title=title, text=paragraph["context"], tags=(id_,))
            for one in paragraph["qas"]:
                spans = {
                    (each["answer_start"], each["answer_start"] + len(each["text"]))
                    for each in one["answers"]
                }
                right = () if one["is_impossible"] else tuple(sorted(spans))
                by_kind[bool(right)].append(Asked(one["question"], id_, right))
    chosen = [one for kind in (True, False) for one in random.Random(0).sample(by_kind[kind], limit // 2)]
    return [articles[id_] for id_ in dict.fromkeys(one.article for one in chosen)], chosen


def sentence_ranking(searcher: Searcher, asked: Sequence[Asked]) -> dict[str, float]:
    """Mean average precision and mean reciprocal rank of the right sentences."""
    precisions, reciprocal = [], []
    for one in tqdm(asked, desc="ranking"):
        selection = searcher.select(one.question, one.article)
        best: dict[tuple[int, int], float] = {}
        for candidate in selection.considered:
            start = candidate.sentence.start
            span = next((span for span in one.spans if span[0] <= start < span[1]), None)
            if span:
                best[span] = max(best.get(span, -np.inf), candidate.score)
        order = sorted(one.spans, key=lambda span: (-best.get(span, -np.inf), span))
        places = [place for place, span in enumerate(order, start=1) if span in one.right]
        precisions.append(float(np.mean([count / place for count, place in enumerate(places, start=1)])))
        reciprocal.append(1 / places[0])
    return {
        "questions": len(asked),
        "MAP": float(np.mean(precisions)),
        "MRR": float(np.mean(reciprocal)),
    }


def answerability(searcher: Searcher, asked: Sequence[Asked]) -> tuple[dict[str, float], list[Shown]]:
    """Whether the first sentence answers, and how well the probability parts what can be answered."""
    shown: list[Shown] = []
    right, quoted = [], []
    for one in tqdm(asked, desc="answerability"):
        selection = searcher.select(one.question, one.article)
        shown.append((selection.answerable, bool(one.right)))
        if not one.right:
            continue
        first = selection.considered[0].sentence if selection.considered else None
        right.append(bool(first) and _holds(first.start, first.end, one) if first else False)
        quoted.append(any(_holds(span.start, span.end, one) for span in selection.evidence))
    return {
        "questions": len(asked),
        "first sentence": float(np.mean(right)),
        "quoted": float(np.mean(quoted)),
        "AUC": float(roc_auc_score([label for _, label in shown], [value for value, _ in shown])),
    }, shown


def _holds(start: int, end: int, one: Asked) -> bool:
    return any(start <= low and high <= end for low, high in one.right)


def follow_ups(path: Path, searcher: Searcher, limit: int) -> dict[str, float]:
    """How much of what the rewritten question finds is found as typed, joined with the first, and by ours."""
    overlaps: dict[str, list[float]] = {"as typed": [], "with the first question": [], "standalone": []}
    same = []
    for one in tqdm(list(_turns(path))[:limit], desc="follow-ups"):
        standalone = conversation.standalone(one["raw"], one["history"], searcher.maker.lexicon)
        wanted = set(searcher.articles(one["resolved"]))
        asked = {
            "as typed": one["raw"],
            "with the first question": f"{one['history'][0]} {one['raw']}",
            "standalone": standalone,
        }
        same.append(_plain(standalone) == _plain(one["resolved"]))
        for name, question in asked.items():
            overlaps[name].append(len(wanted & set(searcher.articles(question))) / len(wanted))
    return {
        "questions": len(same),
        **{f"overlap of 10, {name}": float(np.mean(values)) for name, values in overlaps.items()},
        "the very same question": float(np.mean(same)),
    }


def _turns(path: Path) -> Iterator[dict[str, Any]]:
    """The turns that people had to rewrite."""
    for line in path.read_text(encoding="utf-8").splitlines():
        one = json.loads(line)
        if one["history"] and _plain(one["raw"]) != _plain(one["resolved"]):
            yield one


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("?", " ").replace(".", " ").split())


def reliability(shown: Sequence[Shown], bins: int = 10) -> dict[str, Any]:
    """How often it was right to answer, by the probability shown; the expected error of that probability.

    The error is the mean distance of both over equal bins, by their number of questions (Naeini et al. 2015).
    """
    rows = []
    for low in np.linspace(0, 1, bins, endpoint=False):
        inside = [(value, label) for value, label in shown if low <= value < low + 1 / bins + (low > 0.89)]
        if inside:
            values, labels = zip(*inside, strict=True)
            rows.append([len(inside), float(np.mean(values)), float(np.mean(labels))])
    error = sum(count * abs(said - true) for count, said, true in rows) / max(1, len(shown))
    return {"expected_error": float(error), "bins": rows}


def plot(curves: dict[str, dict[str, Any]], path: Path) -> None:
    """The probability shown against how often it was right."""
    from matplotlib.figure import Figure  # noqa: PLC0415 (of the extra packages; the figures need it not)

    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    for name, curve in curves.items():
        _, said, true = zip(*curve["bins"], strict=True)
        axes.plot(said, true, "o-", label=f"{name}, error {curve['expected_error']:.2f}")
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability shown", ylabel="share that can be answered")
    axes.legend()
    figure.savefig(path, dpi=120)
