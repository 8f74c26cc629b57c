"""BM25 over stemmed words: the one home of bm25s and the stemmer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import bm25s
import numpy as np
import Stemmer

from index.encoder import Floats

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


# Stands in a document without terms, since bm25s cannot index a corpus that has none; it is never found.
_NO_TERM = "\0"


class Keywords:
    """A BM25 index: rows are documents in the order in which they were given."""

    def __init__(self, index: bm25s.BM25) -> None:
        self._index = index
        # bm25s adds an empty term that has no scores
        self._vocabulary = {
            term: token for term, token in index.vocab_dict.items() if term not in {"", _NO_TERM}
        }
        self._data = index.scores["data"]
        self._rows = index.scores["indices"]
        self._starts = index.scores["indptr"]
        self.size = int(index.scores["num_docs"])

    @classmethod
    def build(cls, documents: Sequence[Sequence[str]]) -> Keywords:
        """Index documents given as their terms."""
        index = bm25s.BM25(k1=_K1, b=_B, method="lucene")
        index.index([list(one) or [_NO_TERM] for one in documents], show_progress=False)
        return cls(index)

    @classmethod
    def load(cls, folder: Path) -> Keywords:
        """Open a saved index; its arrays stay on disk and are mapped into memory.

        Raises:
            OSError: A file of it is missing.
        """
        return cls(bm25s.BM25.load(folder, mmap=True, load_vocab=True, show_progress=False))

    def save(self, folder: Path) -> None:
        """Write the index into a folder."""
        self._index.save(folder, show_progress=False)

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
