"""Why an answer came out as it did: the trace of one question, laid out to be read.

The question is asked by `Assistant.explain`, the very code that answers visitors; here its record is only put
into words and brought into order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.answer import Answer
from assistant.assistant import Assistant, Trace
from assistant.choosing import Way
from assistant.composing import Looked
from assistant.evidence import Candidate, Selection, fitted
from index.generation import Generation
from index.retriever import Stage

# Sentences that are shown: the ones looked at, and a few that came after.
_WEIGHED = 24
# Stages of the search, in the order in which they come about, and what each score is.
STAGES = {
    "bm25": ("Keywords", "BM25 of the words that were looked for"),
    "cosine": ("Meaning", "cosine of the question and the passage"),
    "bridge": ("Bridge", "cosine of the question and the nearest question written for the passage"),
    "sentence": ("Best sentence", "cosine of the question and the passage's best sentence"),
    "late": ("Word by word", "late interaction: each word of the question with its nearest in the passage"),
    "feedback": ("Near the best", "cosine of the passage and the middle of the three best so far"),
    "fused": ("Joined", "the scores above, each brought to 0..1, weighted and added up"),
    "rerank": ("Read again", "the reranker's probability"),
}
# Stages of an answer's clock, and what is done in each.
TIMES = {
    "safety": "Safety",
    "query": "Understanding",
    "retrieve": "Retrieval",
    "evidence": "Evidence",
    "write": "Writing",
}


@dataclass(frozen=True, slots=True)
class Placed:
    """A passage in a stage.

    Attributes:
        score: As the stage gave it.
        share: The score between 0 and the stage's best, for a bar: 0..1.
        kept: Whether it is among the hits in the end.
    """

    passage_id: str
    article_id: str
    title: str
    heading: str
    excerpt: str
    score: float
    share: float
    kept: bool


@dataclass(frozen=True, slots=True)
class StageShown:
    """A stage of the search, its passages best first."""

    name: str
    label: str
    told: str
    placed: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Added:
    """What the lexicon added for a phrase; `weight` is how near in meaning, 0..1."""

    phrase: str
    terms: tuple[str, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class Weighed:
    """A sentence that might have been evidence.

    Attributes:
        score: By which sentences are ordered (log-odds).
        probability: That it would answer the question, were it the best one.
        why: Why it was not kept; empty when it was.
    """

    text: str
    title: str
    article_id: str
    score: float
    probability: float
    why: str

    @property
    def kept(self) -> bool:
        """Whether it is evidence."""
        return not self.why


@dataclass(frozen=True, slots=True)
class Searched:
    """What was done for one question of a message.

    Attributes:
        question: Understandable alone.
        asks: What kind of thing is asked for.
        sent: What the encoder read.
        corrections: What spelling changed: as typed, and as it is now.
        stages: The way to the hits.
        way: How evidence was chosen.
        answerable: Probability that the evidence answers the question.
        on_topic: Probability that the articles speak of its matter at all.
        subjects: Share of the muscles, conditions and nerves named that the best passage speaks of.
        weighed: Best first.
    """

    question: str
    asks: str
    sent: str
    corrections: tuple[tuple[str, str], ...]
    added: tuple[Added, ...]
    stages: tuple[StageShown, ...]
    way: str
    answerable: float
    on_topic: float
    subjects: float
    weighed: tuple[Weighed, ...]


@dataclass(frozen=True, slots=True)
class Backed:
    """A claim beside what it rests on; `shown` is false for one that was dropped, with the reasons."""

    text: str
    quotes: tuple[tuple[int, str, str], ...]  # number, title and quote of each citation
    support: float
    faults: tuple[str, ...] = ()

    @property
    def shown(self) -> bool:
        """Whether the visitor would read it."""
        return not self.faults


@dataclass(frozen=True, slots=True)
class Spent:
    """Time of a stage.

    Attributes:
        share: Of the whole, 0..1.
    """

    label: str
    seconds: float
    share: float


@dataclass(frozen=True, slots=True)
class Explained:
    """An answer and the whole way to it.

    Attributes:
        reasons: Of the safety decision: signs with their words, rules, and the model's probabilities.
        searched: One for each question of the message; empty when nothing was looked for.
        claims: Those shown, then those dropped.
        spent: By stage; the last is all that no stage has.
    """

    answer: Answer
    trace: Trace
    reasons: tuple[str, ...]
    searched: tuple[Searched, ...]
    claims: tuple[Backed, ...]
    spent: tuple[Spent, ...]


def explain(assistant: Assistant, question: str, history: Sequence[str] = (), article: str = "") -> Explained:
    """Ask a question as a visitor would, and tell the way to the answer; arguments as for `Assistant.ask`."""
    answer, trace = assistant.explain(question, history, article=article, staged=True)
    decision = trace.decision
    return Explained(
        answer,
        trace,
        (*decision.reasons, *([decision.unheard] if decision.unheard else [])),
        tuple(_searched(one, assistant.generation) for one in trace.looked),
        (*_shown(answer), *_dropped(trace)),
        tuple(_spent(answer)),
    )


def _searched(looked: Looked, generation: Generation) -> Searched:
    query, selection = looked.query, looked.selection
    kept = {hit.row for hit in looked.found.hits}
    return Searched(
        looked.reading.text,
        looked.reading.asks.name.lower().replace("_", " "),
        query.text,
        query.corrections,
        tuple(Added(one.phrase, one.terms, one.weight) for one in query.expansions),
        tuple(_stage(one, kept, generation) for one in looked.found.stages),
        selection.way.value,
        selection.answerable,
        selection.on_topic,
        selection.subjects,
        tuple(_weighed(selection, generation)),
    )


def _stage(stage: Stage, kept: set[int], generation: Generation) -> StageShown:
    label, told = STAGES[stage.name]
    best = max(stage.scores, default=1.0)
    placed = []
    for row, score in zip(stage.rows, stage.scores, strict=True):
        passage = generation.passage(row)
        title = generation.article(int(generation.passage_articles[row])).title
        excerpt = " ".join(passage.text.split())[:160]
        share = score / best
        placed.append(
            Placed(
                passage.id,
                passage.article_id,
                title,
                passage.heading,
                excerpt,
                score,
                share,
                kept=row in kept,
            )
        )
    return StageShown(stage.name, label, told, tuple(placed))


def _weighed(selection: Selection, generation: Generation) -> Iterator[Weighed]:
    chosen = {(one.article.id, *span) for one in selection.evidence for span in one.sentences}
    model = fitted()
    for number, one in enumerate(selection.considered[:_WEIGHED]):
        article = generation.article(int(generation.passage_articles[one.hit.row]))
        sentence = one.sentence
        is_kept = (article.id, sentence.start, sentence.end) in chosen
        yield Weighed(
            article.text[sentence.start : sentence.end],
            article.title,
            article.id,
            one.score,
            model.probability(model.answer, one.features),
            "" if is_kept else _why_not(selection, one, number),
        )


def _why_not(selection: Selection, candidate: Candidate, number: int) -> str:
    """Why a candidate is no evidence; `number` is its place among them, from 0."""
    if selection.way is not Way.SENTENCES:
        return f"not part of it: what was chosen is {selection.way.value}"
    own = selection.passed_over.get((candidate.hit.row, candidate.place))
    if own:
        return own
    ended = list(selection.passed_over.values())[-1:] if number else []
    return ended[0] if ended and ended[0] in {"far below the best", "enough was chosen"} else "not looked at"


def _shown(answer: Answer) -> Iterator[Backed]:
    cited = {one.number: (one.number, one.title, one.quote) for one in answer.citations}
    for claim in answer.claims:
        yield Backed(claim.text, tuple(cited[number] for number in claim.citations), claim.support)


def _dropped(trace: Trace) -> Iterator[Backed]:
    for one in trace.dropped:
        yield Backed(one.text, (), 0.0, one.faults)
    for claim in trace.unsound:
        yield Backed(claim.text, (), 0.0, ("does not stand in the store where it is cited",))


def _spent(answer: Answer) -> Iterator[Spent]:
    total = answer.seconds["total"]
    named = {name: answer.seconds[name] for name in TIMES if answer.seconds.get(name)}
    for name, seconds in named.items():
        yield Spent(TIMES[name], seconds, seconds / total)
    rest = max(0.0, total - sum(named.values()))
    yield Spent("Putting it together", rest, rest / total)
