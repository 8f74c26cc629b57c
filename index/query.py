"""A standalone question -> the Query that is sent to the retriever: spelling, lay words, what to look for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from index.encoder import Encoder
from index.generation import Generation
from index.keywords import STOPWORDS, Wish, Wording, stem, terms, words
from index.lexicon import Expansion, Lexicon
from index.retriever import Query
from index.spelling import Spelling


@dataclass(frozen=True, slots=True)
class QueryMaker:
    """Makes queries for one generation, whose words are the ones that spelling is held against."""

    spelling: Spelling
    lexicon: Lexicon

    @classmethod
    def of(cls, generation: Generation, encoder: Encoder) -> QueryMaker:
        """The maker for a generation and the encoder that searches it."""
        lexicon = Lexicon.load()
        return cls(Spelling(generation.word_counts(), encoder.known_words(), lexicon), lexicon)

    def make(self, question: str) -> Query:
        """The query for a question that stands alone."""
        text = self.spelling.correct(question).text
        wishes = _wishes(text, self.lexicon.expand(text))
        named = tuple(self._names_something(wish) for wish in wishes)
        return Query(text, tuple(wishes.values()), named)

    def _names_something(self, phrase: str) -> bool:
        return any(self.lexicon.kind(concept) in _NAMED for concept in self.lexicon.concepts(phrase))


# Kinds of concept that an answer has to speak of when a question names one.
_NAMED = frozenset({"muscle", "condition", "nerve", "joint", "bone", "technique", "tissue"})


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
