"""One question from beginning to end; read `Assistant.ask` to see the whole way."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from assistant import conversation, evidence, grounding, quoting
from assistant.answer import Answer, AnswerKind, Citation, Claim, ShownNotice
from assistant.evidence import Selection
from assistant.question import BRIDGES, Asks, Reading, read
from assistant.safety import scope
from assistant.safety.check import Decision, SafetyCheck
from assistant.safety.notices import notice
from assistant.wording import small_talk, wording
from index.passage import Hit
from index.query import QueryMaker
from index.retriever import Found, Query, Retriever
from ingest.article import Article

_log = logging.getLogger(__name__)

ENGINE = "quote"


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything that led to an answer, for staff."""

    decision: Decision
    reading: Reading | None = None
    query: Query | None = None
    found: Found | None = None
    selection: Selection | None = None
    dropped: tuple[Claim, ...] = ()


class Assistant:
    """Answers from one generation.

    Args:
        retriever: Searches the generation.
        safety: Reads every message first.
        queries: Makes queries of questions.
        country: Two letters; chooses the numbers to call. Empty: "your local emergency number".
    """

    def __init__(
        self, retriever: Retriever, safety: SafetyCheck, queries: QueryMaker, *, country: str = ""
    ) -> None:
        self._retriever = retriever
        self._safety = safety
        self._queries = queries
        self._country = country
        self.generation = retriever.generation

    def ask(self, question: str, history: Sequence[str] = (), *, id: str = "") -> Answer:
        """Answer one message.

        Args:
            question: What the visitor typed, of any length.
            history: The visitor's earlier messages, oldest first.
            id: Returned with the answer.
        """
        return self.explain(question, history, id=id)[0]

    def explain(self, question: str, history: Sequence[str] = (), *, id: str = "") -> tuple[Answer, Trace]:
        """`ask`, and how the answer came about."""
        clock = _Clock()
        decision = self._safety.check(question, history)
        clock.lap("safety")
        turn = _Turn(self, id, question, decision, clock)
        if decision.level in {"emergency_now", "same_day"}:
            return turn.urgent(), Trace(decision)
        if talk := small_talk(question):
            return turn.finish("smalltalk", lead=talk.reply), Trace(decision)
        refusal = scope.refusal(question, history)
        if refusal and not refusal.may_quote:
            return turn.finish("refusal", lead=refusal.text), Trace(decision)

        standalone = conversation.standalone(question, history, self._queries.lexicon)
        reading = read(standalone)
        query = self._queries.make(standalone, BRIDGES.get(reading.asks, ()))
        found = self._retriever.retrieve(query)
        clock.lap("retrieve")
        selection = evidence.select(reading, query, found, self.generation)
        clock.lap("evidence")
        turn.standalone = standalone
        if refusal:
            answer = turn.refusal(refusal.text, selection)
        else:
            answer = turn.answer(reading, query, found, selection)
        _log.info(
            "kind=%s engine=%s level=%s total=%.1fms",
            answer.kind,
            answer.engine,
            decision.level,
            answer.seconds["total"] * 1000,
        )
        return answer, Trace(decision, reading, query, found, selection)

    @cached_property
    def blog_disclaimer(self) -> str:
        """The disclaimer that stands in most articles, or empty."""
        rows = range(self.generation.manifest.counts.articles)
        counted = Counter(self.generation.article(row).disclaimer for row in rows[:2000])
        counted.pop("", None)
        return counted.most_common(1)[0][0] if counted else ""

    @property
    def country(self) -> str:
        """The setting by which numbers to call are chosen."""
        return self._country

    def comment_hit(self, query: Query, found: Found) -> Hit | None:
        """The reader's comment that touches the question best, if any does."""
        hits = self._retriever.retrieve_comments(query, found.vector, 1)
        return next((hit for hit in hits if hit.scores["bm25"] > 0 and hit.scores["sentence"] >= 0.45), None)


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self.seconds: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = now - self._last
        self._last = now

    def total(self) -> dict[str, float]:
        return {"retrieve": 0.0, **self.seconds, "total": time.perf_counter() - self._start}


# Below the first the articles do not speak of the matter; from the second on they say it.
_RELATED, _ANSWER = 0.25, 0.40
# The share of what was asked about, by weight, below which a yes or no cannot have been said.
_HALF = 0.45


class _Turn:
    """Puts the answer of one turn together; every path ends in `finish`, which adds the disclaimer."""

    def __init__(
        self, assistant: Assistant, id_: str, question: str, decision: Decision, clock: _Clock
    ) -> None:
        self._assistant = assistant
        self._id = id_
        self._question = question
        self._decision = decision
        self._clock = clock
        self._texts = wording()
        self.standalone = question

    def urgent(self) -> Answer:
        """The notice, alone."""
        return self.finish("urgent")

    def refusal(self, text: str, selection: Selection) -> Answer:
        """A kind no, and what an article says about what the thing is."""
        if selection.answerable < _ANSWER:
            return self.finish("refusal", lead=text)
        draft = quoting.quote(selection.evidence[:1])
        return self.finish("refusal", draft, lead=f"{text}\n\n{self._texts.lead.refusal}")

    def answer(self, reading: Reading, query: Query, found: Found, selection: Selection) -> Answer:
        """An answer, what is related, or an abstention."""
        if reading.asks in {Asks.AUTHOR, Asks.DATE} and found.hits and selection.on_topic >= _ANSWER:
            article = self._article(found.hits[0])
            if draft := quoting.byline(article, reading.asks):
                return self.finish("answer", draft, lead=self._texts.lead.byline)
        if reading.asks is Asks.READERS:
            return self._readers(query, found, selection)
        kind: AnswerKind = "answer"
        if selection.subjects == 0:
            return self._abstention(query, found)
        if selection.answerable < _ANSWER or self._says_only_half(reading, selection):
            kind = (
                "related"
                if selection.answerable >= _RELATED and selection.on_topic >= _RELATED
                else "abstention"
            )
        if kind == "abstention":
            return self._abstention(query, found)
        lead = self._texts.lead.related if kind == "related" else self._lead(reading.asks)
        closing = [*self._texts.cautions(self._question)]
        if scope.asks_personal_diagnosis(self._question):
            closing.append(scope.personal_diagnosis_line())
        return self.finish(kind, quoting.quote(selection.evidence), lead=lead, closing=" ".join(closing))

    @staticmethod
    def _says_only_half(reading: Reading, selection: Selection) -> bool:
        """Whether the best passage leaves out something asked about: a subject, or most of a yes-or-no."""
        hardly = selection.considered[0].feature("leaning") < _HALF
        return selection.subjects < 1 or (reading.asks is Asks.YES_NO and hardly)

    def _readers(self, query: Query, found: Found, selection: Selection) -> Answer:
        """What other readers have been through: no article answers that, and no comment may."""
        comment = self._assistant.comment_hit(query, found)
        if not comment or selection.on_topic < _RELATED:
            return self._abstention(query, found)
        lead = self._texts.lead.comment.format(title=self._article(comment).title)
        draft = quoting.quote(selection.evidence)
        closing = " ".join(self._texts.cautions(self._question))
        return self.finish("related", draft, lead=f"{lead} {self._texts.lead.nearest}", closing=closing)

    def _abstention(self, query: Query, found: Found) -> Answer:
        comment = self._assistant.comment_hit(query, found)
        texts = self._texts
        lead = texts.lead.abstention
        if comment:
            lead += " " + texts.lead.comment.format(title=self._article(comment).title)
        titles = list(dict.fromkeys(self._article(hit).title for hit in found.hits))[:2]
        closing = (
            [texts.closing.nearest.format(titles="; ".join(f"“{one}”" for one in titles))] if titles else []
        )
        closing += [texts.closing.who, *texts.cautions(self._question)]
        return self.finish("abstention", lead=lead, closing=" ".join(closing))

    def _lead(self, asks: Asks) -> str:
        leads = {
            Asks.YES_NO: self._texts.lead.yes_no,
            Asks.LIST: self._texts.lead.list,
            Asks.STEPS: self._texts.lead.steps,
            Asks.COMPARISON: self._texts.lead.comparison,
        }
        return leads.get(asks, self._texts.lead.answer)

    def _article(self, hit: Hit) -> Article:
        generation = self._assistant.generation
        return generation.article(int(generation.passage_articles[hit.row]))

    def finish(
        self, kind: AnswerKind, draft: quoting.Draft | None = None, *, lead: str = "", closing: str = ""
    ) -> Answer:
        """Check the claims against the store, and add what every answer has."""
        claims: tuple[Claim, ...] = ()
        citations: tuple[Citation, ...] = ()
        if draft:
            claims, citations = grounding.check(draft.claims, draft.citations, self._assistant.generation)
        shown = self._notice()
        body = quoting.render(claims, citations)
        parts = [lead, body, closing]
        if shown:
            parts = [*parts, shown.text] if shown.level == "safety_net" else [shown.text, *parts]
        blog = self._assistant.blog_disclaimer
        return Answer(
            id=self._id,
            question=self._question,
            standalone_question=self.standalone,
            kind=kind,
            notice=shown,
            text="\n\n".join(part for part in parts if part),
            claims=claims,
            citations=citations,
            disclaimer="\n\n".join(part for part in (self._texts.disclaimer, blog) if part),
            suggestions=(),
            engine=ENGINE,
            generation=self._assistant.generation.name,
            lead=lead,
            closing=closing,
            seconds=self._clock.total(),
        )

    def _notice(self) -> ShownNotice | None:
        chosen = notice(self._decision, self._assistant.country)
        return ShownNotice(chosen.level, chosen.category, chosen.text) if chosen else None
