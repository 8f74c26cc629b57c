"""A query -> Hits: cosine and BM25 over passages, fused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.encoder import Encoder, Floats
from index.generation import Generation
from index.keywords import Wish, terms
from index.passage import Hit

# Salience of a muscle, a condition or a nerve that a question names: an answer has to speak of it.
SUBJECT = 1.6

# Candidates of each method that are scored by both.
_DEPTH = 200
# Of these, how many have their sentences looked at: each costs a jump into a file of vectors.
_CLOSER = 60


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for.

    Attributes:
        text: What the encoder reads.
        wishes: What the keywords look for; see `index.keywords`.
        salience: For each wish, how much it says whatever the corpus: above 1 when it names a muscle, a
            condition or the like, 1 for a rare word, near 0 for the commonest.
    """

    text: str
    wishes: tuple[Wish, ...]
    salience: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Fusion:
    """How the scores are joined; each weight is a share of the fused score."""

    cosine: float = 0.5
    bm25: float = 0.35
    sentence: float = 0.15


@dataclass(frozen=True, slots=True)
class Found:
    """The hits, best first, and the query's vector, by which sentences are chosen later."""

    hits: tuple[Hit, ...]
    vector: Floats


def plain_query(text: str) -> Query:
    """A query as it was typed, without the lexicon."""
    wishes = tuple((((term,), 1.0),) for term in dict.fromkeys(terms(text)))
    return Query(text, wishes, (1.0,) * len(wishes))


class Retriever:
    """Searches one generation with the encoder it was built with."""

    def __init__(self, generation: Generation, encoder: Encoder, fusion: Fusion = Fusion()) -> None:
        self.generation = generation
        self.encoder = encoder
        self._fusion = fusion

    def retrieve(self, query: Query, top: int = 10) -> Found:
        """The best passages of articles; comments are not searched here."""
        vector = self.encoder.encode_query(query.text)
        limit = self.generation.article_passages
        return Found(self._hits(vector, query.wishes, 0, limit, top), vector)

    def retrieve_comments(self, query: Query, vector: Floats, top: int = 3) -> tuple[Hit, ...]:
        """The nearest passages of readers' comments, by BM25 and cosine."""
        low, high = self.generation.article_passages, self.generation.manifest.counts.passages
        return self._hits(vector, query.wishes, low, high, top)

    def retrieve_articles(self, query: Query, top: int) -> tuple[Hit, ...]:
        """The best passage of each of the best `top` articles."""
        depth = top * 4
        while True:
            hits = self.retrieve(query, depth).hits
            best: dict[str, Hit] = {}
            for hit in hits:
                best.setdefault(hit.passage.article_id, hit)
            if len(best) >= top or len(hits) < depth:
                ranked = enumerate(list(best.values())[:top], start=1)
                return tuple(Hit(hit.passage, hit.row, rank, hit.score, hit.scores) for rank, hit in ranked)
            depth *= 4

    def _hits(self, vector: Floats, wishes: Sequence[Wish], low: int, high: int, top: int) -> tuple[Hit, ...]:
        if high <= low:
            return ()
        depth = max(_DEPTH, top)
        bm25 = self.generation.keywords.scores(wishes)[low:high]
        by_word = _top(bm25, depth) + low
        if low:  # comments: few, and last in the index
            near = np.arange(low, high)
        else:
            _, near = self.generation.vectors.nearest(vector, depth, high)
        rows = np.union1d(by_word[bm25[by_word - low] > 0], near)
        cosine = self.generation.vectors.take(rows) @ vector
        first = self._fusion.cosine * _scaled(cosine) + self._fusion.bm25 * _scaled(bm25[rows - low])
        kept = _top(np.asarray(first, np.float32), max(_CLOSER, top))
        rows, cosine, first = rows[kept], cosine[kept], first[kept]
        scores = {
            "cosine": cosine,
            "bm25": bm25[rows - low],
            "sentence": self.generation.best_sentences(vector, rows.tolist()),
        }
        fused = first + self._fusion.sentence * _scaled(scores["sentence"])
        order = np.lexsort((rows, -fused))[:top]
        return tuple(
            Hit(
                passage=self.generation.passage(int(rows[place])),
                row=int(rows[place]),
                rank=rank,
                score=float(fused[place]),
                scores={name: float(values[place]) for name, values in scores.items()},
            )
            for rank, place in enumerate(order, start=1)
        )


def _top(scores: Floats, count: int) -> NDArray[np.int64]:
    """Positions of the highest scores, in no order."""
    if count >= len(scores):
        return np.arange(len(scores))
    return np.argpartition(-scores, count)[:count]


def _scaled(scores: Floats) -> Floats:
    """Scores brought to 0..1 by their least and greatest."""
    low, high = float(scores.min()), float(scores.max())
    return np.asarray((scores - low) / (high - low or 1.0), np.float32)
