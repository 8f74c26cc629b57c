"""From hits to Evidence: the few sentences that answer this question, and how likely it is that they do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from assistant.choosing import Chooser, Evidence, Way
from assistant.question import Asks, Reading, is_asking
from assistant.section import Role, asked_role, role_of
from index.encoded import Floats, QueryVectors
from index.generation import Generation
from index.keywords import Wish
from index.passage import Hit, Sentence
from index.retriever import SUBJECT, Found, Query
from index.sentences import LISTED, BlockKind


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
class Selection:
    """What was chosen, and from what.

    Attributes:
        evidence: In the order in which it is to be read; empty when nothing was found.
        answerable: Probability that the evidence answers the question.
        on_topic: Probability that the articles speak of its matter at all.
        subjects: Of the muscles, conditions and nerves that the question names, the share that the best
            passage or its article's title speaks of, 0..1; 1 when it names none.
        considered: Every candidate, best first, for staff.
        way: How the evidence was chosen, for staff.
        passed_over: By passage row and place in it, why a candidate was not chosen, for staff.
    """

    evidence: tuple[Evidence, ...]
    answerable: float
    on_topic: float
    subjects: float
    considered: tuple[Candidate, ...]
    way: Way = Way.SENTENCES
    passed_over: Mapping[tuple[int, int], str] = field(default_factory=dict)


# What speaks for a sentence. A share is of the question's wishes by weight, 0..1.
FEATURES = (
    "cosine",  # of the question and the sentence in its context
    "late",  # their tokens held against each other, see `QueryVectors.late`
    "own",  # the share that the sentence's own words meet
    "context",  # the same with its heading and the article's title
    "leaning",  # the same with the sentence before it in its paragraph, on which it may lean
    # The weight of the heaviest wish that its whole passage and title leave unmet, against the heaviest of
    # all: near 1 when the question names a muscle that the passage never mentions.
    "missing",
    "fused",  # score of its passage among the hits
    "passage",  # cosine of the question and the passage
    "section",  # 1 when its heading announces what is asked for: causes, care, where it is felt
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
    vectors: QueryVectors
    generation: Generation
    role: Role | None  # of the section that would answer

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
    role = asked_role(reading.text, reading.asks)
    looking = _Looking(reading, query.wishes, _heft(query, generation), found.vectors, generation, role)
    considered: list[Candidate] = []
    for hit in found.hits:
        features = _features(looking, hit)
        scores = features @ model.rank_weights
        considered += [Candidate(hit, place, row, float(scores[place])) for place, row in enumerate(features)]
    if not considered:
        return Selection((), 0.0, 0.0, 0.0, ())
    considered.sort(key=lambda one: -one.score)
    best = considered[0].features
    chooser = Chooser(reading, query, considered, generation)
    return Selection(
        evidence=chooser.choose(),
        answerable=model.probability(model.answer, best),
        on_topic=model.probability(model.topic, best),
        subjects=_subjects(looking, query, considered[0].hit),
        considered=tuple(considered),
        way=chooser.way,
        passed_over=chooser.passed_over,
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
    cosines = generation.sentence_vectors(hit.row) @ looking.vectors.vector
    late = looking.vectors.late(*generation.tokens_of(hit.row))[1:]
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
                late[place],
                looking.share(looking.met(own)),
                looking.share(looking.met(around)),
                looking.share(looking.met(around | words.sentences[place - 1] if follows else around)),
                missing,
                hit.score,
                hit.scores["cosine"],
                looking.role is not None and role_of(article.text[slice(*sentence.heading)]) is looking.role,
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
        case Asks.NUMBER | Asks.TIME:
            return bool(_NUMBER.search(text))
        case Asks.CAUSE:
            return bool(_CAUSE.search(text))
        case Asks.STEPS:
            return sentence.block_kind is BlockKind.STEP
        case Asks.LIST:
            return sentence.block_kind in LISTED
        case _:
            return False
