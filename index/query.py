"""A standalone question -> the Query that is sent to the retriever: spelling, lay words, what to look for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from index.encoder import Encoder
from index.generation import Generation
from index.keywords import Wish, Wording, terms
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
        expansions = self.lexicon.expand(text)
        return Query(text, tuple(_wishes(text, expansions)))


def _wishes(text: str, expansions: Sequence[Expansion]) -> list[Wish]:
    """One wish for each phrase that the lexicon knows, with its other names, and one for each other word."""
    wishes: dict[tuple[str, ...], Wish] = {}
    place = 0
    for one in sorted(expansions, key=lambda each: each.start):
        if one.start < place:
            continue
        _add_words(wishes, text[place : one.start])
        own = tuple(terms(one.phrase))
        others = [(tuple(terms(name)), one.weight) for name in one.terms]
        if own:
            wishes.setdefault(own, ((own, 1.0), *_distinct(own, others)))
        place = one.end
    _add_words(wishes, text[place:])
    return list(wishes.values())


def _add_words(wishes: dict[tuple[str, ...], Wish], text: str) -> None:
    for term in terms(text):
        wishes.setdefault((term,), (((term,), 1.0),))


def _distinct(own: tuple[str, ...], others: Sequence[Wording]) -> list[Wording]:
    best: dict[tuple[str, ...], float] = {}
    for names, weight in others:
        if names and names != own:
            best[names] = max(weight, best.get(names, 0.0))
    return list(best.items())
