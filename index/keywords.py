"""BM25 over stemmed words: the one home of the stemmer."""

from __future__ import annotations

import json
import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import Stemmer
from numpy.typing import NDArray

if TYPE_CHECKING:
    from index.encoded import Floats

# Robertson's saturation and length weights, as measured best on short medical passages (see tests/bench).
_K1, _B = 0.9, 0.4

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_STEM = Stemmer.Stemmer("english")

# Words that carry no topic. Negations stay out of the list: "no fever" is about fever being absent.
STOPWORDS = frozenset(
    """
    a about after all also am an and any are as at be because been before being between both but by
    can could did do does doing down during each few for from further had has have having he her
    here hers him his how i if in into is it its itself just me more most my myself of off on once
    only or other our ours out over own same she should so some such than that the their theirs them
    then there these they this those through to too under until up very was we were what when where
    which while who whom why will with would you your yours yourself im ive whats thats theres dont
    doesnt isnt
    """.split()
)


def words(text: str) -> list[str]:
    """The words of a text, lower case, accents folded, possessives dropped."""
    folded = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return [_plain(match.group().lower()) for match in _WORD.finditer(folded)]


def _plain(word: str) -> str:
    return re.sub(r"['’]s?$|['’]", "", word)


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The Snowball stem of one lower-case word."""
    return str(_STEM.stemWord(word))


def terms(text: str) -> list[str]:
    """What is indexed of a text: the stems of its words without the stopwords."""
    return [stem(word) for word in words(text) if word not in STOPWORDS]


# One thing that a query asks for: the ways to say it, each as its terms and a weight in 0..1.
Wording = tuple[tuple[str, ...], float]
Wish = Sequence[Wording]


# Stands in a document without terms, which counts as one word long; it is never found.
_NO_TERM = "\0"

_FILES = ("data.csc.index.npy", "indices.csc.index.npy", "indptr.csc.index.npy", "counts.npy")


class Keywords:
    """A BM25 index: rows are documents in the order in which they were given.

    Scores are computed when documents come in, as bm25s does (arXiv:2407.03618), and stand by term: those of
    term t are `data[starts[t]:starts[t + 1]]`, of the documents `rows[...]`, in which it occurs `counts[...]`
    times. The counts are what another index is made of when some documents change.
    """

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        arrays: Sequence[NDArray[Any]],
        counts: NDArray[Any] | None,
        size: int,
    ) -> None:
        self._vocabulary = {term: token for term, token in vocabulary.items() if term not in {"", _NO_TERM}}
        self._every_term = vocabulary
        self._data, self._rows, self._starts = arrays
        self._counts = counts
        self.size = size

    @property
    def can_change(self) -> bool:
        """Whether it holds the counts of which a changed index is made; older files hold none."""
        return self._counts is not None

    @classmethod
    def build(cls, documents: Sequence[Sequence[str]]) -> Keywords:
        """Index documents given as their terms."""
        return cls._of(_Postings.of(dict(enumerate(documents)), {}), len(documents))

    def changed(self, places: NDArray[np.int64], fresh: Mapping[int, Sequence[str]], size: int) -> Keywords:
        """The index that `build` would make of some of these documents and others.

        Args:
            places: The new row of each document, or -1 where it is gone.
            fresh: The terms of the other documents by their rows.
            size: How many documents there are then.
        """
        vocabulary = dict(self._every_term)
        tokens = np.repeat(np.arange(len(self._starts) - 1, dtype=np.int32), np.diff(self._starts))
        rows = places[self._rows]
        stays = rows >= 0
        counts = np.asarray(self._counts)
        kept = _Postings(vocabulary, tokens[stays], rows[stays].astype(np.int32), counts[stays])
        return self._of(kept.joined(_Postings.of(fresh, vocabulary)), size)

    @classmethod
    def _of(cls, postings: _Postings, size: int) -> Keywords:
        vocabulary, tokens, rows, counts = postings.sorted(size)
        having = np.bincount(tokens, minlength=len(vocabulary))
        idf = np.log1p((size - having + 0.5) / (having + 0.5))
        lengths = np.bincount(rows, weights=counts, minlength=size)
        norms = _K1 * (1 - _B + _B * lengths / lengths.mean())
        data = np.asarray(idf[tokens] * (counts / (norms[rows] + counts)), np.float32)
        starts = np.concatenate([[0], np.cumsum(having)])
        return cls(vocabulary, (data, rows, starts), counts, size)

    @classmethod
    def load(cls, folder: Path) -> Keywords:
        """Open a saved index; its arrays stay on disk and are mapped into memory.

        Raises:
            OSError: A file of it is missing.
        """
        vocabulary = json.loads((folder / "vocab.index.json").read_bytes())
        size = int(json.loads((folder / "params.index.json").read_bytes())["num_docs"])
        arrays = [np.load(folder / name, mmap_mode="r") for name in _FILES[:3]]
        counts = folder / _FILES[3]
        return cls(vocabulary, arrays, np.load(counts, mmap_mode="r") if counts.is_file() else None, size)

    def save(self, folder: Path) -> None:
        """Write the index into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, values in zip(_FILES, (self._data, self._rows, self._starts, self._counts), strict=True):
            np.save(folder / name, np.asarray(values))
        parameters = {"k1": _K1, "b": _B, "method": "lucene", "num_docs": self.size}
        (folder / "params.index.json").write_text(json.dumps(parameters), encoding="utf-8")
        vocabulary = json.dumps(self._every_term, ensure_ascii=False)
        (folder / "vocab.index.json").write_text(vocabulary, encoding="utf-8")

    def rarity(self, term: str) -> float:
        """Inverse document frequency of a term: log(1 + N / df), 0 when no document has it."""
        found = self.document_frequency(term)
        return float(np.log1p(self.size / found)) if found else 0.0

    def document_frequency(self, term: str) -> int:
        """How many documents hold the term."""
        token = self._vocabulary.get(term)
        return 0 if token is None else int(self._starts[token + 1] - self._starts[token])

    def scores(self, wishes: Sequence[Wish]) -> Floats:
        """BM25 of every document: shape (documents,).

        A document is scored for each wish by the best of its wordings, so that naming a muscle by two names
        counts once.
        """
        total = np.zeros(self.size, np.float32)
        for wish in wishes:
            if len(wish) == 1:
                self._add(wish[0], total)
                continue
            best = np.zeros(self.size, np.float32)
            for wording in wish:
                one = np.zeros(self.size, np.float32)
                self._add(wording, one)
                np.maximum(best, one, out=best)
            total += best
        return total

    def _add(self, wording: Wording, scores: Floats) -> None:
        names, weight = wording
        for name in names:
            token = self._vocabulary.get(name)
            if token is not None:
                low, high = int(self._starts[token]), int(self._starts[token + 1])
                scores[self._rows[low:high]] += weight * self._data[low:high]


@dataclass(frozen=True, slots=True)
class _Postings:
    """Which term stands in which document, and how often: three arrays of equal length."""

    vocabulary: dict[str, int]
    tokens: NDArray[np.int32]
    rows: NDArray[np.int32]
    counts: NDArray[np.uint16]

    @classmethod
    def of(cls, documents: Mapping[int, Sequence[str]], vocabulary: dict[str, int]) -> _Postings:
        """The postings of documents by their rows; new terms are added to the vocabulary."""
        tokens, rows, counts = array("i"), array("i"), array("H")
        for row, document in documents.items():
            counted = Counter(document or (_NO_TERM,))
            tokens.extend(vocabulary.setdefault(term, len(vocabulary)) for term in counted)
            rows.extend([row] * len(counted))
            counts.extend(min(count, _MOST) for count in counted.values())
        return cls(
            vocabulary, np.array(tokens, np.int32), np.array(rows, np.int32), np.array(counts, np.uint16)
        )

    def joined(self, other: _Postings) -> _Postings:
        """Both together; they have one vocabulary."""
        return _Postings(
            self.vocabulary,
            np.concatenate([self.tokens, other.tokens]),
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.counts, other.counts]),
        )

    def sorted(
        self, size: int
    ) -> tuple[dict[str, int], NDArray[np.int64], NDArray[np.int32], NDArray[np.uint16]]:
        """By term and row, numbered without the terms that no document has any more."""
        order = np.argsort(self.tokens.astype(np.int64) * size + self.rows, kind="stable")
        used = np.bincount(self.tokens, minlength=len(self.vocabulary)) > 0
        number = np.cumsum(used) - 1
        vocabulary = {term: int(number[token]) for term, token in self.vocabulary.items() if used[token]}
        return vocabulary, number[self.tokens[order]], self.rows[order], self.counts[order]


_MOST = 65_535  # of one term in one document
