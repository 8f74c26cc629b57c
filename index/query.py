"""A standalone question -> the Query that is sent to the retriever: spelling, lay words, what to look for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from index.generation import Generation
from index.keywords import STOPWORDS, Wish, Wording, stem, terms, words
from index.lexicon import Expansion, Lexicon
from index.retriever import SUBJECT, Query
from index.spelling import Spelling

if TYPE_CHECKING:
    from index.encoder import Encoder


@dataclass(frozen=True, slots=True)
class QueryMaker:
    """Makes queries for one generation, whose words are the ones that spelling is held against."""

    spelling: Spelling
    lexicon: Lexicon
    common: dict[str, int]

    @classmethod
    def of(cls, generation: Generation, encoder: Encoder) -> QueryMaker:
        """The maker for a generation and the encoder that searches it."""
        lexicon = Lexicon.load()
        common = encoder.common_words()
        return cls(Spelling(generation.word_counts(), frozenset(common), lexicon), lexicon, common)

    def make(self, question: str, bridge: Sequence[str] = ()) -> Query:
        """The query for a question that stands alone.

        Args:
            question: As it was asked.
            bridge: Other words by which articles speak of what is asked, when the question's own words are
                not theirs; one of them is enough.
        """
        corrected = self.spelling.correct(question)
        text, expansions = corrected.text, self.lexicon.expand(corrected.text)
        wishes = _wishes(text, expansions)
        salience = [self._salience(phrase) for phrase in wishes]
        wordings = [tuple(terms(one)) for one in bridge]
        if wordings:
            return Query(
                f"{text} {', '.join(bridge)}",
                (*wishes.values(), tuple((one, 1.0) for one in wordings)),
                (*salience, 1.0),
                corrected.changes,
                expansions,
            )
        return Query(text, tuple(wishes.values()), tuple(salience), corrected.changes, expansions)

    def _salience(self, phrase: str) -> float:
        kinds = {self.lexicon.kind(concept) for concept in self.lexicon.concepts(phrase)}
        if kinds & _SUBJECTS and not self.lexicon.is_description(phrase):
            return _SUBJECT_SALIENCE
        if kinds & _NAMED:
            return _NAMED_SALIENCE
        if kinds & (_SPOKEN | _SUBJECTS):
            return _SPOKEN_SALIENCE
        ranks = [self.common.get(word) for word in words(phrase) if word not in STOPWORDS]
        return max((1.0 if rank is None else _rarity(rank, len(self.common)) for rank in ranks), default=0.0)


_SUBJECT_SALIENCE, _NAMED_SALIENCE, _SPOKEN_SALIENCE = SUBJECT, 1.4, 1.2
_COMMONEST = 0.1


def _rarity(rank: int, size: int) -> float:
    """By the logarithm of the rank (Zipf's law): 0.1 up to the 300th word, 1 for the last."""
    return max(_COMMONEST, (math.log(rank) - math.log(300)) / (math.log(size) - math.log(300)))


# Kinds of concept that an answer has to speak of when a question names one.
_SUBJECTS = frozenset({"muscle", "condition", "nerve"})
_NAMED = frozenset({"joint", "bone", "technique", "tissue"})
# Kinds that say much even in everyday words: "the curve of my lower back".
_SPOKEN = frozenset({"posture", "movement", "process", "region"})


def _wishes(text: str, expansions: Sequence[Expansion]) -> dict[str, Wish]:
    """By the words of the question: a wish for each phrase of the lexicon, and for each other word."""
    wishes: dict[str, Wish] = {}
    seen: set[tuple[str, ...]] = set()
    place = 0
    for (start, end), found in groupby(expansions, key=lambda one: (one.start, one.end)):
        _add_words(wishes, seen, text[place:start])
        place = end
        own = tuple(terms(text[start:end]))
        others = [(tuple(terms(name)), one.weight) for one in found for name in one.terms]
        if own and own not in seen:
            seen.add(own)
            wishes[text[start:end]] = ((own, 1.0), *_distinct(own, others))
    _add_words(wishes, seen, text[place:])
    return wishes


def _add_words(wishes: dict[str, Wish], seen: set[tuple[str, ...]], text: str) -> None:
    for word in words(text):
        term = stem(word)
        if word not in STOPWORDS and (term,) not in seen:
            seen.add((term,))
            wishes[word] = (((term,), 1.0),)


def _distinct(own: tuple[str, ...], others: Sequence[Wording]) -> list[Wording]:
    best: dict[tuple[str, ...], float] = {}
    for names, weight in others:
        if names and names != own:
            best[names] = max(weight, best.get(names, 0.0))
    return list(best.items())
