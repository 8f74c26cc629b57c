"""From hits to Evidence: the few sentences that answer this question, and how likely it is that they do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from assistant.question import Asks, Reading
from index.encoder import Floats
from index.generation import Generation
from index.keywords import Wish, terms
from index.passage import Hit, Passage, Sentence
from index.retriever import Found, Query
from index.sentences import LISTED, BlockKind
from ingest.article import Article

# At most this much is quoted in an ordinary answer; lists may be longer, since half a list misleads.
_WORDS = 120
_LIST_WORDS = 260
_SPANS = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that might be quoted, with what speaks for it.

    Attributes:
        cosine: Of the question and the sentence in its context.
        own: Share of the question's wishes that the sentence's own words meet, by rarity, 0..1.
        context: The same with its heading and the article's title added, 0..1.
        fused: Score of its passage among the hits, 0..1.
        fits: Whether it is of the kind that is asked for: holds a number, is a step, names a cause.
        score: All of these joined; candidates are ordered by it.
    """

    hit: Hit
    sentence: Sentence
    cosine: float
    own: float
    context: float
    fused: float
    fits: bool
    score: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span of an article that is quoted, in one piece.

    Attributes:
        start: Offset in `article.text`.
        end: Likewise, exclusive.
        sentences: The sentences inside it, each to become one claim.
    """

    article: Article
    passage: Passage
    start: int
    end: int
    sentences: tuple[tuple[int, int], ...]
    score: float

    @property
    def quote(self) -> str:
        """The verbatim span."""
        return self.article.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Selection:
    """What was chosen, and from what.

    Attributes:
        evidence: In the order in which it is to be read; empty when nothing was found.
        answerable: 0..1, how likely it is that the evidence answers the question.
        on_topic: 0..1, how far the best passage speaks of what the question is about.
        considered: Every candidate, best first, for staff.
    """

    evidence: tuple[Evidence, ...]
    answerable: float
    on_topic: float
    considered: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """How a sentence's features are joined into its score."""

    cosine: float = 0.45
    own: float = 0.15
    context: float = 0.25
    fused: float = 0.15
    fits: float = 0.08
    stub: float = -0.25
    question: float = -0.15


def select(
    reading: Reading, query: Query, found: Found, generation: Generation, weights: Weights = Weights()
) -> Selection:
    """Choose the sentences that answer the question.

    Args:
        reading: The standalone question.
        query: What was searched for: its wishes are what a sentence is held against.
        found: The hits and the query's vector.
        generation: Where the hits come from.
        weights: How features are joined.
    """
    considered = sorted(
        (
            one
            for hit in found.hits
            for one in _candidates(reading, query, hit, found.vector, generation, weights)
        ),
        key=lambda one: -one.score,
    )
    if not considered:
        return Selection((), 0.0, 0.0, ())
    best = considered[0]
    chosen = _chosen(reading, considered, generation)
    on_topic = max(_topic(query.wishes, hit, generation) for hit in found.hits)
    return Selection(chosen, _answerable(best), on_topic, tuple(considered))


def _candidates(
    reading: Reading, query: Query, hit: Hit, vector: Floats, generation: Generation, weights: Weights
) -> Iterable[Candidate]:
    passage = hit.passage
    article = generation.article(int(generation.passage_articles[hit.row]))
    rarity = _rarities(query.wishes, generation)
    title = set(terms(article.title))
    cosines = generation.sentence_vectors(hit.row) @ vector
    for sentence, cosine in zip(passage.sentences, cosines, strict=True):
        text = article.text[sentence.start : sentence.end]
        own = set(terms(text))
        heading = set(terms(article.text[slice(*sentence.heading)]))
        own_share = _met(query.wishes, rarity, own)
        context_share = _met(query.wishes, rarity, own | heading | title)
        fits = _fits(reading.asks, text, sentence)
        score = (
            weights.cosine * float(cosine)
            + weights.own * own_share
            + weights.context * context_share
            + weights.fused * hit.score
            + weights.fits * fits
            + weights.stub * (len(text.split()) < 4)
            + weights.question * text.endswith("?")
        )
        yield Candidate(hit, sentence, float(cosine), own_share, context_share, hit.score, fits, score)


def _rarities(wishes: Sequence[Wish], generation: Generation) -> Floats:
    """The weight of each wish: that of its own rarest word; an unknown word is the rarest of all."""
    unknown = float(np.log1p(generation.keywords.size))
    return np.array(
        [
            max((generation.keywords.rarity(term) or unknown for term in wish[0][0]), default=0.0)
            for wish in wishes
        ],
        np.float32,
    )


def _met(wishes: Sequence[Wish], rarity: Floats, present: set[str]) -> float:
    """The share of the wishes that these terms meet, by rarity: 0..1."""
    if not wishes:
        return 0.0
    met = [
        max((weight for wording, weight in wish if wording and present.issuperset(wording)), default=0.0)
        for wish in wishes
    ]
    return float(np.dot(met, rarity) / (rarity.sum() or 1.0))


def _topic(wishes: Sequence[Wish], hit: Hit, generation: Generation) -> float:
    article = generation.article(int(generation.passage_articles[hit.row]))
    present = {*terms(article.title), *terms(hit.passage.heading), *terms(hit.passage.text)}
    return _met(wishes, _rarities(wishes, generation), present)


_NUMBER = re.compile(
    r"\d|%|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|half|third|quarter|dozen|most|percent)\b",
    re.IGNORECASE,
)
_CAUSE = re.compile(
    r"\b(?:caus|because|due to|result|lead|trigger|provok|overus|from |after |when |brought on|sets? )",
    re.IGNORECASE,
)


def _fits(asks: Asks, text: str, sentence: Sentence) -> bool:
    match asks:
        case Asks.NUMBER:
            return bool(_NUMBER.search(text))
        case Asks.CAUSE:
            return bool(_CAUSE.search(text))
        case Asks.STEPS:
            return sentence.block_kind is BlockKind.STEP
        case Asks.LIST:
            return sentence.block_kind in LISTED
        case _:
            return False


def _answerable(best: Candidate) -> float:
    """Rises with meaning and with how much of the question the sentence and its title cover."""
    return float(1 / (1 + np.exp(-(9.0 * best.cosine + 5.0 * best.context - 7.2))))


def _chosen(
    reading: Reading, considered: Sequence[Candidate], generation: Generation
) -> tuple[Evidence, ...]:
    best = considered[0]
    spans: list[Evidence] = []
    budget = _WORDS
    for candidate in considered[:12]:
        if spans and candidate.score < best.score - 0.12:
            break
        evidence = _span(reading, candidate, generation)
        size = len(evidence.quote.split())
        if spans and (size > budget or _repeats(evidence, spans)):
            continue
        spans.append(evidence)
        budget -= size
        if len(spans) == _SPANS:
            break
    return _in_reading_order(_joined(spans))


def _span(reading: Reading, candidate: Candidate, generation: Generation) -> Evidence:
    """The candidate's sentence; for a list or steps the whole list with the sentence that leads into it."""
    article = generation.article(int(generation.passage_articles[candidate.hit.row]))
    every = candidate.hit.passage.sentences
    place = every.index(candidate.sentence)
    low = high = place
    wants_list = reading.asks in {Asks.LIST, Asks.STEPS, Asks.CAUSE}
    leads_in = article.text[candidate.sentence.start : candidate.sentence.end].endswith(":")
    if leads_in:
        while high + 1 < len(every) and every[high + 1].block_kind in LISTED:
            high += 1
    elif wants_list and candidate.sentence.block_kind in LISTED:
        low, high = _list_around(every, place)
        if low and article.text[every[low - 1].start : every[low - 1].end].endswith(":"):
            low -= 1
    while high > place and len(article.text[every[low].start : every[high].end].split()) > _LIST_WORDS:
        high -= 1
    inside = tuple((one.start, one.end) for one in every[low : high + 1])
    return Evidence(article, candidate.hit.passage, inside[0][0], inside[-1][1], inside, candidate.score)


def _list_around(every: Sequence[Sentence], place: int) -> tuple[int, int]:
    """First and last position of the run of list items, under one heading, that holds this one."""
    low = high = place
    kind, heading = every[place].block_kind, every[place].heading
    while low and every[low - 1].block_kind is kind and every[low - 1].heading == heading:
        low -= 1
    while high + 1 < len(every) and every[high + 1].block_kind is kind and every[high + 1].heading == heading:
        high += 1
    return low, high


def _repeats(evidence: Evidence, chosen: Sequence[Evidence]) -> bool:
    """Whether it says over again what is already quoted: the same place, or nearly the same words."""
    mine = set(terms(evidence.quote))
    for other in chosen:
        if (
            other.article.id == evidence.article.id
            and evidence.start < other.end
            and other.start < evidence.end
        ):
            return True
        theirs = set(terms(other.quote))
        if len(mine & theirs) > 0.7 * min(len(mine), len(theirs) or 1):
            return True
    return False


def _joined(spans: Sequence[Evidence]) -> list[Evidence]:
    """Neighbouring sentences of one paragraph become one quote."""
    out: list[Evidence] = []
    for one in sorted(spans, key=lambda span: (span.article.id, span.start)):
        last = out[-1] if out else None
        if (
            last
            and last.article.id == one.article.id
            and not one.article.text[last.end : one.start].strip()
            and "\n\n" not in one.article.text[last.end : one.start]
        ):
            out[-1] = Evidence(
                last.article,
                last.passage,
                last.start,
                one.end,
                last.sentences + one.sentences,
                max(last.score, one.score),
            )
        else:
            out.append(one)
    return out


def _in_reading_order(spans: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Articles by their best sentence, and within an article as it is read."""
    best: dict[str, float] = {}
    for one in spans:
        best[one.article.id] = max(best.get(one.article.id, 0.0), one.score)
    return tuple(sorted(spans, key=lambda one: (-best[one.article.id], one.article.id, one.start)))
