"""From hits to Evidence: the few sentences that answer this question, and how likely it is that they do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from assistant.question import Asks, Reading, is_asking
from index.encoder import Floats
from index.generation import Generation
from index.keywords import Wish, terms
from index.passage import Hit, Passage, Sentence
from index.retriever import SUBJECT, Found, Query
from index.sentences import LISTED, BlockKind
from ingest.article import Article

# At most this much is quoted in an ordinary answer; lists may be longer, since half a list misleads.
_WORDS = 120
_LIST_WORDS = 260
_SPANS = 3
# A sentence this far below the best one is not worth a reader's time (log-odds; see the answers bench).
_GAP = 3.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that might be quoted, with what speaks for it.

    Attributes:
        place: Its position among its passage's sentences.
        features: See `FEATURES`.
        score: The features joined; candidates are ordered by it.
    """

    hit: Hit
    place: int
    features: Floats
    score: float

    def feature(self, name: str) -> float:
        """One feature by its name."""
        return float(self.features[FEATURES.index(name)])

    @property
    def sentence(self) -> Sentence:
        """The sentence itself."""
        return self.hit.passage.sentences[self.place]


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
        answerable: Probability that the evidence answers the question.
        on_topic: Probability that the articles speak of its matter at all.
        subjects: Of the muscles, conditions and nerves that the question names, the share that the best
            passage or its article's title speaks of, 0..1; 1 when it names none.
        considered: Every candidate, best first, for staff.
    """

    evidence: tuple[Evidence, ...]
    answerable: float
    on_topic: float
    subjects: float
    considered: tuple[Candidate, ...]


# What speaks for a sentence. A share is of the question's wishes by weight, 0..1.
FEATURES = (
    "cosine",  # of the question and the sentence in its context
    "own",  # the share that the sentence's own words meet
    "context",  # the same with its heading and the article's title
    "leaning",  # the same with the sentence before it in its paragraph, on which it may lean
    # The weight of the heaviest wish that its whole passage and title leave unmet, against the heaviest of
    # all: near 1 when the question names a muscle that the passage never mentions.
    "missing",
    "fused",  # score of its passage among the hits
    "passage",  # cosine of the question and the passage
    "fits",  # 1 when it is of the kind that is asked for: holds a number, is a step, names a cause
    "item",  # 1 in a list
    "length",  # log of its number of words
    "stub",  # 1 below four words
    "question",  # 1 when it asks itself
)


class Model(BaseModel):
    """What was fitted by `python -m assistant.fit` on fitting_questions.jsonl.

    Attributes:
        rank: Weight of each feature in a sentence's score.
        answer: Weights and `bias` of the log-odds that the best sentence answers the question.
        topic: The same that the articles speak of its matter at all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rank: dict[str, float]
    answer: dict[str, float]
    topic: dict[str, float]

    @cached_property
    def rank_weights(self) -> Floats:
        """`rank` in the order of `FEATURES`."""
        return np.array([self.rank.get(name, 0.0) for name in FEATURES], np.float32)

    @staticmethod
    def probability(weights: dict[str, float], features: Floats) -> float:
        """The logistic of weighted features and bias: 0..1."""
        logit = weights["bias"] + sum(
            weights.get(name, 0.0) * float(value) for name, value in zip(FEATURES, features, strict=True)
        )
        return float(1 / (1 + np.exp(-logit)))


@lru_cache(maxsize=1)
def fitted() -> Model:
    """The model that is shipped."""
    return Model.model_validate_json(MODEL_FILE.read_bytes())


MODEL_FILE = Path(__file__).with_name("evidence.json")


@dataclass(frozen=True, slots=True)
class _Looking:
    """What is looked for, worked out once for all candidates."""

    reading: Reading
    wishes: tuple[Wish, ...]
    heft: Floats  # weight of each wish
    vector: Floats
    generation: Generation

    def met(self, present: frozenset[str]) -> Floats:
        """How far each wish is met by these terms: shape (wishes,), 0..1."""
        return np.array(
            [
                max((weight for names, weight in wish if present.issuperset(names)), default=0.0)
                for wish in self.wishes
            ],
            np.float32,
        )

    def share(self, met: Floats) -> float:
        """The met wishes by weight: 0..1."""
        total = float(self.heft.sum())
        return float(met @ self.heft) / total if total else 0.0

    def missing(self, met: Floats) -> float:
        """The heaviest unmet wish against the heaviest of all: 0..1."""
        heaviest = float(self.heft.max(initial=0.0))
        return float(((1 - met) * self.heft).max()) / heaviest if heaviest else 0.0


def select(
    reading: Reading, query: Query, found: Found, generation: Generation, model: Model | None = None
) -> Selection:
    """Choose the sentences that answer the question.

    Args:
        reading: The standalone question.
        query: What was searched for: its wishes are what a sentence is held against.
        found: The hits and the query's vector.
        generation: Where the hits come from.
        model: How features are joined; None for the one that is shipped.
    """
    model = model or fitted()
    looking = _Looking(reading, query.wishes, _heft(query, generation), found.vector, generation)
    considered: list[Candidate] = []
    for hit in found.hits:
        features = _features(looking, hit)
        scores = features @ model.rank_weights
        considered += [Candidate(hit, place, row, float(scores[place])) for place, row in enumerate(features)]
    if not considered:
        return Selection((), 0.0, 0.0, 0.0, ())
    considered.sort(key=lambda one: -one.score)
    best = considered[0].features
    return Selection(
        evidence=_chosen(reading, considered, generation),
        answerable=model.probability(model.answer, best),
        on_topic=model.probability(model.topic, best),
        subjects=_subjects(looking, query, considered[0].hit),
        considered=tuple(considered),
    )


def _subjects(looking: _Looking, query: Query, hit: Hit) -> float:
    words = looking.generation.passage_terms(hit.row)
    met = looking.met(words.title.union(*words.headings, *words.sentences))
    named = [share for share, salience in zip(met, query.salience, strict=True) if salience >= SUBJECT]
    return float(np.mean([share >= _SPOKEN_OF for share in named])) if named else 1.0


# An implied name, such as the iliopsoas for a hip flexor, is enough.
_SPOKEN_OF = 0.4


def _features(looking: _Looking, hit: Hit) -> Floats:
    """The features of a passage's sentences: shape (sentences, features)."""
    passage, generation = hit.passage, looking.generation
    article = generation.article(int(generation.passage_articles[hit.row]))
    words = generation.passage_terms(hit.row)
    missing = looking.missing(looking.met(words.title.union(*words.headings, *words.sentences)))
    cosines = generation.sentence_vectors(hit.row) @ looking.vector
    rows = []
    for place, sentence in enumerate(passage.sentences):
        text = article.text[sentence.start : sentence.end]
        own = words.sentences[place]
        around = own | words.headings[place] | words.title
        follows = place > 0 and passage.sentences[place - 1].block == sentence.block
        length = len(text.split())
        rows.append(
            (
                cosines[place],
                looking.share(looking.met(own)),
                looking.share(looking.met(around)),
                looking.share(looking.met(around | words.sentences[place - 1] if follows else around)),
                missing,
                hit.score,
                hit.scores["cosine"],
                _fits(looking.reading.asks, text, sentence),
                sentence.block_kind in LISTED,
                np.log(max(length, 1)),
                length < 4,
                text.endswith("?"),
            )
        )
    return np.array(rows, np.float32)


_ASKING_WEIGHT = 0.1


def _heft(query: Query, generation: Generation) -> Floats:
    """The weight of each wish: what it says in itself, times how rare it is here."""
    unknown = float(np.log1p(generation.keywords.size))
    heft = []
    for wish, salience in zip(query.wishes, query.salience, strict=True):
        names = wish[0][0]
        rarity = max((generation.keywords.rarity(term) or unknown for term in names), default=0.0)
        asking = all(is_asking(term) for term in names)
        heft.append(salience * (0.4 + 0.6 * rarity / unknown) * (_ASKING_WEIGHT if asking else 1.0))
    return np.array(heft, np.float32)


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


def _chosen(
    reading: Reading, considered: Sequence[Candidate], generation: Generation
) -> tuple[Evidence, ...]:
    best = considered[0]
    spans: list[Evidence] = []
    budget = _WORDS
    for candidate in considered[:12]:
        if spans and (candidate.score < best.score - _GAP or len(spans) == _SPANS):
            break
        evidence = _span(reading, candidate, generation)
        overlapped = [one for one in spans if _overlap(one, evidence)]
        for one in overlapped:  # a sentence already quoted, and now the one that leans on it
            evidence = _union(one, evidence)
        others = [one for one in spans if one not in overlapped]
        size = len(evidence.quote.split()) - sum(len(one.quote.split()) for one in overlapped)
        if spans and (size > budget or (not overlapped and _repeats(evidence, spans))):
            continue
        spans = [*others, evidence]
        budget -= size
    return _in_reading_order(_joined(spans))


def _overlap(one: Evidence, other: Evidence) -> bool:
    return one.article.id == other.article.id and one.start < other.end and other.start < one.end


def _union(one: Evidence, other: Evidence) -> Evidence:
    """Both spans as one: their sentences in reading order, and whatever stands between them."""
    sentences = tuple(sorted({*one.sentences, *other.sentences}))
    start, end = sentences[0][0], sentences[-1][1]
    return Evidence(one.article, one.passage, start, end, sentences, max(one.score, other.score))


def _span(reading: Reading, candidate: Candidate, generation: Generation) -> Evidence:
    """The candidate's sentence; for a list or steps the whole list with the sentence that leads into it."""
    article = generation.article(int(generation.passage_articles[candidate.hit.row]))
    every = candidate.hit.passage.sentences
    place = candidate.place
    low = high = place
    if place and _leans(article.text[candidate.sentence.start : candidate.sentence.end], every, place):
        low -= 1
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


# A sentence that begins like this says nothing without the one before it.
_LEANING = re.compile(
    r"[\"“'‘(]*(?:this|these|that|those|it|its|they|their|he|she|both|such|another|then|here|instead|however"
    r"|the (?:latter|former|same|two|other|second|third|first)|a (?:second|third)|(?:so|but|and|or)\b)\b",
    re.IGNORECASE,
)


def _leans(text: str, every: Sequence[Sentence], place: int) -> bool:
    """Whether a sentence takes its subject from the one before it in its paragraph."""
    return every[place - 1].block == every[place].block and bool(_LEANING.match(text))


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
    """Whether it says over again, in nearly the same words, what is already quoted."""
    mine = set(terms(evidence.quote))
    theirs = [set(terms(other.quote)) for other in chosen]
    return any(len(mine & other) > 0.7 * min(len(mine), len(other) or 1) for other in theirs)


def _joined(spans: Sequence[Evidence]) -> list[Evidence]:
    """Neighbouring sentences of one paragraph become one quote."""
    out: list[Evidence] = []
    for one in sorted(spans, key=lambda span: (span.article.id, span.start)):
        last = out[-1] if out else None
        if last and last.article.id == one.article.id and _adjoin(last, one):
            out[-1] = _union(last, one)
        else:
            out.append(one)
    return out


def _adjoin(one: Evidence, after: Evidence) -> bool:
    between = one.article.text[one.end : after.start]
    return not between.strip() and "\n\n" not in between


def _in_reading_order(spans: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Articles by their best sentence, and within an article as it is read."""
    best: dict[str, float] = {}
    for one in spans:
        best[one.article.id] = max(best.get(one.article.id, 0.0), one.score)
    return tuple(sorted(spans, key=lambda one: (-best[one.article.id], one.article.id, one.start)))
