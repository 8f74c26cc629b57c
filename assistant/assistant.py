"""One question from beginning to end; read `Assistant.ask` to see the whole way."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from assistant import conversation, evidence, grounding, quoting
from assistant.answer import Answer, AnswerKind, Citation, Claim, Part, ShownNotice
from assistant.composing import Composer, Looked, Said
from assistant.evidence import Selection
from assistant.question import BRIDGES, Reading, parts, read
from assistant.safety import scope
from assistant.safety.check import Decision, SafetyCheck
from assistant.safety.notices import notice
from assistant.safety.untrusted import distrust
from assistant.wording import small_talk, wording
from index.filters import Filter
from index.passage import Hit
from index.query import QueryMaker
from index.retriever import Found, Query, Retriever

if TYPE_CHECKING:
    from assistant.language_model import Dropped, LanguageModel

_log = logging.getLogger(__name__)

ENGINE = "quote"


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything that led to an answer, for staff.

    Attributes:
        dropped: What a language model wrote and was not shown, with the reasons.
        engine_note: Why the quoting engine answered though a language model is configured; else empty.
    """

    decision: Decision
    reading: Reading | None = None
    query: Query | None = None
    found: Found | None = None
    selection: Selection | None = None
    dropped: tuple[Dropped, ...] = ()
    engine_note: str = ""


class Assistant:
    """Answers from one generation.

    Args:
        retriever: Searches the generation.
        safety: Reads every message first.
        queries: Makes queries of questions.
        country: Two letters; chooses the numbers to call. Empty: "your local emergency number".
        writer: A language model that writes answers from the evidence; None quotes it.
    """

    def __init__(
        self,
        retriever: Retriever,
        safety: SafetyCheck,
        queries: QueryMaker,
        *,
        country: str = "",
        writer: LanguageModel | None = None,
    ) -> None:
        self._retriever = retriever
        self._safety = safety
        self._queries = queries
        self._country = country
        self.writer = writer
        self.generation = retriever.generation
        self._composer = Composer(retriever.generation, self.comment_hit)

    def ask(self, question: str, history: Sequence[str] = (), *, id: str = "", article: str = "") -> Answer:
        """Answer one message.

        Args:
            question: What the visitor typed, of any length.
            history: The visitor's earlier messages, oldest first.
            id: Returned with the answer.
            article: The id of the article that the visitor is reading: what "it" means, if nothing else is.
        """
        return self.explain(question, history, id=id, article=article)[0]

    def explain(
        self, question: str, history: Sequence[str] = (), *, id: str = "", article: str = ""
    ) -> tuple[Answer, Trace]:
        """`ask`, and how the answer came about."""
        clock = _Clock()
        decision = self._safety.check(question, history)
        clock.lap("safety")
        turn = _Turn(self, id, question, decision, clock)
        if decision.level in {"emergency_now", "same_day"}:
            return turn.urgent(), Trace(decision)
        if talk := small_talk(question):
            return turn.finish(Said("smalltalk", talk.reply)), Trace(decision)
        refusal = scope.refusal(question, history)
        if refusal and not refusal.may_quote:
            return turn.finish(Said("refusal", refusal.text)), Trace(decision)

        asked = [question] if refusal else parts(question)
        looked = self._look_up(asked, [*self._titles(article), *history], clock)
        turn.standalone = " ".join(one.reading.text for one in looked)
        first = looked[0]
        if refusal:
            answer = turn.finish(self._composer.refusal(refusal.text, first))
        elif len(looked) == 1:
            answer = turn.finish(self._composer.answer(first))
        else:
            answer = turn.finish_several(looked, [self._composer.answer(one) for one in looked])
        _log.info(
            "kind=%s engine=%s level=%s total=%.1fms",
            answer.kind,
            answer.engine,
            decision.level,
            answer.seconds["total"] * 1000,
        )
        return answer, Trace(
            decision,
            first.reading,
            first.query,
            first.found,
            first.selection,
            turn.dropped,
            turn.engine_note,
        )

    def search(self, text: str, top: int, within: Filter) -> tuple[ShownNotice | None, tuple[Hit, ...]]:
        """Passages as they stand, best first; none for a message that a notice has to answer."""
        decision = self._safety.check(text, ())
        chosen = notice(decision, self._country)
        shown = ShownNotice(chosen.level, chosen.category, chosen.text) if chosen else None
        if decision.level in {"emergency_now", "same_day"}:
            return shown, ()
        return shown, self._retriever.retrieve(self._queries.make(text), top, within).hits

    def _look_up(self, asked: Sequence[str], history: Sequence[str], clock: _Clock) -> list[Looked]:
        """Each question made to stand alone, and what is found for it; a later one may lean on an earlier."""
        looked = []
        for number, part in enumerate(asked):
            before = [*history, *asked[:number]]
            standalone = conversation.standalone(part, before, self._queries.lexicon, self._subject)
            reading = read(standalone)
            query = self._queries.make(standalone, BRIDGES.get(reading.asks, ()))
            found = self._retriever.retrieve(query)
            clock.lap("retrieve")
            selection = evidence.select(reading, query, found, self.generation)
            clock.lap("evidence")
            looked.append(Looked(reading, query, found, selection))
        return looked

    def _titles(self, article: str) -> list[str]:
        """The title of an article, if there is one with this id."""
        try:
            return [self.generation.article(self.generation.article_row(article)).title]
        except KeyError:
            return []

    def _subject(self, question: str) -> str:
        """The muscle or condition in the title of the article that a question leads to, or empty."""
        query = self._queries.make(question)
        hits = self._retriever.retrieve(query, top=1).hits
        if not hits:
            return ""
        article = self.generation.article(int(self.generation.passage_articles[hits[0].row]))
        phrase = self._queries.lexicon.first_phrase(article.title)
        return f"the {phrase.lower()}" if phrase else ""

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
        """The reader's comment that touches the question best, if any does that one may be pointed to."""
        hits = self._retriever.retrieve_comments(query, found.vectors, _COMMENTS)
        touching = (hit for hit in hits if hit.scores["bm25"] > 0 and hit.scores["sentence"] >= 0.45)
        return next((hit for hit in touching if not distrust(hit.passage.text, self._safety)), None)


# Comments that are looked at for one that touches the question and may be pointed to.
_COMMENTS = 3


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self.seconds: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now

    def total(self) -> dict[str, float]:
        return {"retrieve": 0.0, **self.seconds, "total": time.perf_counter() - self._start}


# Of a message with several questions: the best that could be said to any of them.
_BEST_FIRST: tuple[AnswerKind, ...] = ("answer", "related", "abstention")


def _told(number: int, part: Part) -> str:
    """One line on what is said to a question of several, for pages that show all quotes together."""
    markers = " ".join(f"[{one}]" for one in part.citations)
    return " ".join(text for text in (f"{number}. {part.question}", part.lead, markers, part.closing) if text)


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
        self.dropped: tuple[Dropped, ...] = ()
        self.engine_note = ""

    def urgent(self) -> Answer:
        """The notice, alone."""
        return self.finish(Said("urgent", ""))

    def finish(self, said: Said) -> Answer:
        """Check the claims against the store, and add what every answer has."""
        draft = said.draft
        claims: tuple[Claim, ...] = ()
        citations: tuple[Citation, ...] = ()
        body, engine = "", ENGINE
        if draft and said.kind == "answer" and (writer := self._assistant.writer):
            claims, citations, body = self._written(writer, draft)
            self._clock.lap("write")
            engine = writer.name if body else ENGINE
        if draft and not body:
            claims, citations = grounding.check(draft.claims, draft.citations, self._assistant.generation)
            body = quoting.render(claims, citations, draft.labels)
        closing = self._closing(said)
        return self._answer(
            said, [said.lead, body, closing], claims, citations, engine=engine, closing=closing
        )

    def finish_several(self, looked: Sequence[Looked], said: Sequence[Said]) -> Answer:
        """The questions of one message, each answered in turn under its own words."""
        claims: list[Claim] = []
        citations: list[Citation] = []
        shown: list[Part] = []
        blocks: list[str] = []
        for number, (one, part) in enumerate(zip(looked, said, strict=True), start=1):
            draft = (part.draft or quoting.Draft((), ())).numbered_from(len(citations) + 1)
            kept, cited = grounding.check(draft.claims, draft.citations, self._assistant.generation)
            body = quoting.render(kept, cited, draft.labels)
            heading = f"{number}. {one.reading.text}"
            blocks.append("\n\n".join(text for text in (heading, part.lead, body, part.closing) if text))
            numbers = tuple(citation.number for citation in cited)
            shown.append(Part(one.reading.text, part.kind, part.lead, numbers, part.closing))
            claims += kept
            citations += cited
        kinds = [part.kind for part in said]
        kind: AnswerKind = next((one for one in _BEST_FIRST if one in kinds), "abstention")
        whole = Said(kind, "\n\n".join(_told(number, one) for number, one in enumerate(shown, start=1)))
        closing = self._closing(whole)
        return self._answer(
            whole, [*blocks, closing], tuple(claims), tuple(citations), closing=closing, parts=tuple(shown)
        )

    def _closing(self, said: Said) -> str:
        """What stands below an answer: its own closing, and the cautions that the message calls for."""
        if said.kind not in {"answer", "related", "abstention"}:
            return said.closing
        lines = [said.closing, *self._texts.cautions(self._question)]
        if said.kind != "abstention" and scope.asks_personal_diagnosis(self._question):
            lines.append(scope.personal_diagnosis_line())
        return " ".join(line for line in lines if line)

    def _answer(  # noqa: PLR0913 (the parts of an answer)
        self,
        said: Said,
        blocks: Sequence[str],
        claims: tuple[Claim, ...],
        citations: tuple[Citation, ...],
        *,
        closing: str,
        engine: str = ENGINE,
        parts: tuple[Part, ...] = (),
    ) -> Answer:
        shown = self._notice()
        texts = list(blocks)
        if shown:
            texts = [*texts, shown.text] if shown.level == "safety_net" else [shown.text, *texts]
        blog = self._assistant.blog_disclaimer
        return Answer(
            id=self._id,
            question=self._question,
            standalone_question=self.standalone,
            kind=said.kind,
            notice=shown,
            text="\n\n".join(text for text in texts if text),
            claims=claims,
            citations=citations,
            disclaimer="\n\n".join(part for part in (self._texts.disclaimer, blog) if part),
            suggestions=(),
            engine=engine,
            generation=self._assistant.generation.name,
            lead=said.lead,
            closing=closing,
            parts=parts,
            seconds=self._clock.total(),
        )

    def _written(
        self, writer: LanguageModel, draft: quoting.Draft
    ) -> tuple[tuple[Claim, ...], tuple[Citation, ...], str]:
        """What a language model makes of the evidence, checked once more against the store; or nothing."""
        written = writer.write(self.standalone, draft.citations)
        self.dropped, self.engine_note = written.dropped, written.reason
        claims, citations = grounding.check(
            written.claims, written.citations, self._assistant.generation, writer.judge
        )
        return claims, citations, writer.render(claims)

    def _notice(self) -> ShownNotice | None:
        chosen = notice(self._decision, self._assistant.country)
        return ShownNotice(chosen.level, chosen.category, chosen.text) if chosen else None
