"""A query -> Hits: cosine and BM25 over passages, fused, and read again by a reranker if there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from index.encoded import Floats, QueryVectors
from index.filters import Filter
from index.generation import Generation
from index.keywords import Keywords, Wish, terms
from index.passage import Hit, embedding_text
from index.vectors import Vectors

if TYPE_CHECKING:
    from index.bridge import Bridge
    from index.encoder import Encoder
    from index.lexicon import Expansion
    from index.reranker import Reranker

# Salience of a muscle, a condition or a nerve that a question names: an answer has to speak of it.
SUBJECT = 1.6

# Candidates of each method that are scored by both.
_DEPTH = 200
# Of these, how many have their sentences looked at: each costs a jump into a file of vectors.
_CLOSER = 60
# The first so many are taken to be right, and what lies near them rises (pseudo-relevance feedback).
_TRUSTED = 3


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for.

    Attributes:
        text: What the encoder reads.
        wishes: What the keywords look for; see `index.keywords`.
        salience: For each wish, how much it says whatever the corpus: above 1 when it names a muscle, a
            condition or the like, 1 for a rare word, near 0 for the commonest.
        corrections: What spelling changed, each as it was typed and as it is now.
        expansions: What the lexicon added.
    """

    text: str
    wishes: tuple[Wish, ...]
    salience: tuple[float, ...]
    corrections: tuple[tuple[str, str], ...] = ()
    expansions: tuple[Expansion, ...] = ()


@dataclass(frozen=True, slots=True)
class Fusion:
    """How the scores, each brought to 0..1, are added up; the bridge's only where there is one."""

    cosine: float = 0.4
    bm25: float = 0.4
    sentence: float = 0.15
    late: float = 0.5
    feedback: float = 0.3
    bridge: float = 0.25


@dataclass(frozen=True, slots=True)
class Stage:
    """The passages in the order of one score alone, as far as that was looked at.

    Attributes:
        name: The score, as in `Hit.scores`, or `fused`.
        rows: Of the passages, best first.
        scores: Theirs; higher is better.
    """

    name: str
    rows: tuple[int, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The hits, best first, and the query's vectors, by which sentences are chosen later.

    Attributes:
        stages: The way to the hits, if it was asked for.
    """

    hits: tuple[Hit, ...]
    vectors: QueryVectors
    stages: tuple[Stage, ...] = ()


def plain_query(text: str) -> Query:
    """A query as it was typed, without the lexicon."""
    wishes = tuple((((term,), 1.0),) for term in dict.fromkeys(terms(text)))
    return Query(text, wishes, (1.0,) * len(wishes))


EVERY_ARTICLE = Filter()
_EVERY_COMMENT = Filter(kind="comment")

# Rows of passages: a whole range, or some, in rising order.
Rows = range | NDArray[np.int64]


class Retriever:
    """Searches one generation with the encoder it was built with.

    Args:
        generation: What is searched.
        encoder: Reads the queries.
        fusion: How the scores are joined.
        reranker: Reads the best hits again, if there is one.
        bridge: Finds articles' passages also by questions that were written for them, if there are any.
    """

    def __init__(
        self,
        generation: Generation,
        encoder: Encoder,
        fusion: Fusion = Fusion(),
        reranker: Reranker | None = None,
        bridge: Bridge | None = None,
    ) -> None:
        self.generation = generation
        self.encoder = encoder
        self._fusion = fusion
        self._reranker = reranker
        self._bridge = bridge
        self._rows = lru_cache(maxsize=64)(self._find_rows)

    def retrieve(
        self, query: Query, top: int = 10, within: Filter = EVERY_ARTICLE, *, staged: bool = False
    ) -> Found:
        """The best passages of those that a filter lets through: by default all of articles, no comments.

        Args:
            query: What is looked for.
            top: How many.
            within: What is let through.
            staged: Whether to note the way to them.
        """
        vectors = self.encoder.encode_query(query.text)
        rows = self._rows(within)
        stages: list[Stage] | None = [] if staged else None
        if self._reranker is None:
            return Found(self._hits(vectors, query.wishes, rows, top, stages), vectors, tuple(stages or ()))
        hits = self._hits(vectors, query.wishes, rows, max(top, self._reranker.depth), stages)
        reread = self._reread(self._reranker, query, hits)
        if stages is not None:
            first = reread[: self._reranker.depth]
            stages.append(
                _stage("rerank", [hit.row for hit in first], [hit.scores["rerank"] for hit in first])
            )
        return Found(reread[:top], vectors, tuple(stages or ()))

    def over(self, generation: Generation, bridge: Bridge | None) -> Retriever:
        """One like this over another generation, which was built with the same encoder."""
        return Retriever(generation, self.encoder, self._fusion, self._reranker, bridge)

    def retrieve_comments(self, query: Query, vectors: QueryVectors, top: int = 3) -> tuple[Hit, ...]:
        """The nearest passages of readers' comments, by BM25 and cosine."""
        return self._hits(vectors, query.wishes, self._rows(_EVERY_COMMENT), top)

    def retrieve_articles(self, query: Query, top: int, within: Filter = EVERY_ARTICLE) -> tuple[Hit, ...]:
        """The best passage of each of the best `top` articles."""
        vectors = self.encoder.encode_query(query.text)
        rows = self._rows(within)
        depth = top * 4
        while True:
            hits = self._hits(vectors, query.wishes, rows, depth)
            if len({hit.passage.article_id for hit in hits}) >= top or len(hits) < depth:
                break
            depth *= 4
        if self._reranker:
            hits = self._reread(self._reranker, query, hits)
        best: dict[str, Hit] = {}
        for hit in hits:
            best.setdefault(hit.passage.article_id, hit)
        return _numbered(list(best.values())[:top])

    def _find_rows(self, within: Filter) -> Rows:
        first_comment = self.generation.article_passages
        everything = self.generation.manifest.counts.passages
        kind = range(first_comment) if within.kind == "article" else range(first_comment, everything)
        if within.any_article:
            return kind
        passing = self.generation.facets.passing(within)
        return np.flatnonzero(passing[self.generation.passage_articles[kind.start : kind.stop]]) + kind.start

    def _hits(
        self,
        query: QueryVectors,
        wishes: Sequence[Wish],
        rows: Rows,
        top: int,
        stages: list[Stage] | None = None,
    ) -> tuple[Hit, ...]:
        if not len(rows):
            return ()
        keywords, vectors = self.generation.keywords, self.generation.vectors
        depth = max(_DEPTH, top)
        led = _among(self._bridge.nearest(query.vector, depth), rows) if self._bridge else _NONE
        found, cosine, bm25 = candidates(keywords, vectors, query.vector, wishes, rows, depth, led)
        first = self._fusion.cosine * _scaled(cosine, _SPREAD) + self._fusion.bm25 * _scaled(bm25)
        bridge = self._bridge.scores(query.vector, found) if self._bridge else None
        if bridge is not None:
            first += self._fusion.bridge * _scaled(bridge, _SPREAD)
        if stages is not None:
            wide = {"bm25": bm25, "cosine": cosine} | ({} if bridge is None else {"bridge": bridge})
            stages += [_stage(name, found, values) for name, values in wide.items()]
        closer = _top(np.asarray(first, np.float32), max(_CLOSER, top))
        found, first = found[closer], first[closer]
        scores = {
            "cosine": cosine[closer],
            "bm25": bm25[closer],
            "sentence": self.generation.best_sentences(query.vector, found.tolist()),
            "late": self.generation.late(query, found.tolist()),
        }
        if bridge is not None:
            scores["bridge"] = bridge[closer]
        fused = (
            first
            + self._fusion.sentence * _scaled(scores["sentence"], _SPREAD)
            + self._fusion.late * _scaled(scores["late"], _SPREAD)
        )
        scores["feedback"] = _near_the_best(vectors.take(found), fused)
        fused = fused + self._fusion.feedback * _scaled(scores["feedback"], _SPREAD)
        if stages is not None:
            close = {name: scores[name] for name in ("sentence", "late", "feedback")} | {"fused": fused}
            stages += [_stage(name, found, values) for name, values in close.items()]
        return tuple(
            Hit(
                passage=self.generation.passage(int(found[place])),
                row=int(found[place]),
                rank=rank,
                score=float(fused[place]),
                scores={name: float(values[place]) for name, values in scores.items()},
            )
            for rank, place in enumerate(np.lexsort((found, -fused))[:top], start=1)
        )

    def _reread(self, reranker: Reranker, query: Query, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        """The first hits in the reranker's order, and after them the others as they were.

        A reranker's score is in 0..1, and 1 more where it is the score of a hit, so that what it read stands
        above what it did not.
        """
        first = hits[: reranker.depth]
        scores = reranker.scores(query.text, [self._text(hit) for hit in first])
        reread = []
        for hit, score in zip(first, scores.tolist(), strict=True):
            named = {**hit.scores, "fused": hit.score, "rerank": score}
            reread.append(replace(hit, score=1 + score, scores=named))
        reread.sort(key=lambda hit: -hit.score)
        return _numbered([*reread, *hits[reranker.depth :]])

    def _text(self, hit: Hit) -> str:
        article = self.generation.article(int(self.generation.passage_articles[hit.row]))
        return embedding_text(article.title, hit.passage)[0]


# As many of each stage are noted as there are hits by default.
_NOTED = 10


def _stage(name: str, rows: Sequence[int] | NDArray[np.int64], scores: Sequence[float] | Floats) -> Stage:
    """The best of some passages by one score; 0 is none."""
    order = np.lexsort((np.asarray(rows), -np.asarray(scores, np.float32)))[:_NOTED]
    kept = [int(place) for place in order if scores[place] > 0]
    return Stage(name, tuple(int(rows[one]) for one in kept), tuple(float(scores[one]) for one in kept))


def _near_the_best(vectors: Floats, scores: Floats) -> Floats:
    """Cosine of each passage with the middle of the first few: shape (passages,), -1..1."""
    middle = vectors[np.argsort(-scores, kind="stable")[:_TRUSTED]].mean(axis=0)
    return np.asarray(vectors @ middle / max(float(np.linalg.norm(middle)), 1e-12), np.float32)


def _among(found: NDArray[np.int64], rows: Rows) -> NDArray[np.int64]:
    """Those of the found that are in some rows."""
    if isinstance(rows, range):
        return found[(found >= rows.start) & (found < rows.stop)]
    return np.intersect1d(found, rows)


def _numbered(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate(hits, start=1))


_NONE = np.zeros(0, np.int64)


def candidates(  # noqa: PLR0913, PLR0917 (both indexes, both forms of the query, and where to look)
    keywords: Keywords,
    vectors: Vectors,
    vector: Floats,
    wishes: Sequence[Wish],
    rows: Rows,
    depth: int,
    more: NDArray[np.int64] = _NONE,
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """The best `depth` of some rows by BM25, as many by cosine, and more, with both scores of all of them."""
    every = keywords.scores(wishes)
    best = _top_positive(every[rows.start : rows.stop] if isinstance(rows, range) else every[rows], depth)
    by_word = best + rows.start if isinstance(rows, range) else rows[best]
    near = vectors.nearest(vector, depth, rows)[1] if len(rows) > depth else np.asarray(rows, np.int64)
    found = np.unique(np.concatenate([by_word, near, more]))
    return found, vectors.take(found) @ vector, every[found]


# Scores are first compared by the best of so many beside each other, which passes over most of a million.
_BLOCK = 64


def _top_positive(scores: Floats, count: int) -> NDArray[np.int64]:
    """Positions of the highest scores above 0, in no order.

    If `count` blocks hold a score as high as some floor, no score below that floor is among the best `count`.
    """
    blocks = np.maximum.reduceat(scores, np.arange(0, len(scores), _BLOCK))
    floor = np.partition(blocks, -count)[-count] if len(blocks) > count else 0
    found = np.flatnonzero(scores >= floor) if floor > 0 else np.flatnonzero(scores > 0)
    return found[_top(scores[found], count)]


def _top(scores: Floats, count: int) -> NDArray[np.int64]:
    """Positions of the highest scores, in no order."""
    if count >= len(scores):
        return np.arange(len(scores))
    return np.argpartition(-scores, count)[:count]


# Cosines of a hundred passages differ by more than this; where they differ by less, as in a blog of a few
# passages, the difference says little, and is not blown up.
_SPREAD = 0.3


def _scaled(scores: Floats, spread: float = 0.0) -> Floats:
    """Scores brought to at most 1, the least to 0 when it is at least `spread` below the greatest."""
    high = float(scores.max())
    return np.asarray(1 - (high - scores) / (max(high - float(scores.min()), spread) or 1.0), np.float32)
