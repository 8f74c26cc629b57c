"""One question from beginning to end; read `Assistant.ask` to see the whole way."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from assistant import article_first, conversation, evidence, grounding, quoting
from assistant.answer import Answer, AnswerKind, Citation, Claim, Part, ShownNotice
from assistant.composing import Composer, Looked, Said
from assistant.evidence import Selection
from assistant.question import BRIDGES, Reading, parts, read
from assistant.safety import scope
from assistant.safety.check import Decision, SafetyCheck
from assistant.safety.notices import notice
from assistant.safety.untrusted import distrust
from assistant.wording import small_talk, wording
from index.bridge import BridgeStore
from index.errors import ModelMismatchError
from index.filters import Filter
from index.generation import Generation
from index.passage import Hit
from index.query import QueryMaker
from index.retriever import Found, Query, Retriever
from ingest.article import Article

if TYPE_CHECKING:
    from assistant.language_model import Dropped, LanguageModel
    from index.encoded import Floats

_log = logging.getLogger(__name__)

ENGINE = "quote"


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything that led to an answer, for staff.

    Attributes:
        looked: What was found for each question of the message; empty when nothing was looked for.
        dropped: What a language model wrote and was not shown, with the reasons.
        engine_note: Why the quoting engine answered though a language model is configured; else empty.
        refused: Why the message is not answered, a key of scope.toml; else empty.
        unsound: Claims that their citations did not bear out, which were not shown.
    """

    decision: Decision
    looked: tuple[Looked, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    engine_note: str = ""
    refused: str = ""
    unsound: tuple[Claim, ...] = ()

    @property
    def selection(self) -> Selection | None:
        """What was chosen for the first question, if anything was looked for."""
        return self.looked[0].selection if self.looked else None


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
        self,
        question: str,
        history: Sequence[str] = (),
        *,
        id: str = "",
        article: str = "",
        staged: bool = False,
    ) -> tuple[Answer, Trace]:
        """`ask`, and how the answer came about; `staged` also notes the way to the hits."""
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
            return turn.finish(Said("refusal", refusal.text)), Trace(decision, refused=refusal.reason)

        asked = [question] if refusal else parts(question)
        looked = self._look_up(asked, history, clock, page=self._known(article), staged=staged)
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
            tuple(looked),
            turn.dropped,
            turn.engine_note,
            refusal.reason if refusal else "",
            tuple(turn.unsound),
        )

    def over(self, generation: Generation, *, written: bool) -> Assistant:
        """One like this over another generation.

        Args:
            generation: Of the same store, or of another.
            written: Whether the language model, if there is one, writes the answers.

        Raises:
            ModelMismatchError: The generation was built with another embedding model.
        """
        encoder = self._retriever.encoder
        if generation.manifest.model_checksum != encoder.identity.checksum:
            raise ModelMismatchError(
                f"{generation.name} was built with another embedding model ({generation.manifest.model}), "
                "so it cannot be asked here."
            )
        return Assistant(
            self._retriever.over(generation, BridgeStore.of(generation).open(generation)),
            self._safety,
            QueryMaker.of(generation, encoder),
            country=self._country,
            writer=self.writer if written else None,
        )

    def vectors(self, texts: Sequence[str]) -> Floats:
        """By which texts that mean alike are found: shape (texts, dimension), each of length 1."""
        return self._retriever.encoder.encode_texts(texts)

    def search(self, text: str, top: int, within: Filter) -> tuple[ShownNotice | None, tuple[Hit, ...]]:
        """Passages as they stand, best first; none for a message that a notice has to answer."""
        shown = self.notice_for(text)
        if shown and shown.level in {"emergency_now", "same_day"}:
            return shown, ()
        return shown, self._retriever.retrieve(self._queries.make(text), top, within).hits

    def notice_for(self, text: str) -> ShownNotice | None:
        """What the safety check has to say to a text that is no question."""
        chosen = notice(self._safety.check(text, ()), self._country)
        return ShownNotice(chosen.level, chosen.category, chosen.text) if chosen else None

    def _look_up(
        self,
        asked: Sequence[str],
        history: Sequence[str],
        clock: _Clock,
        *,
        page: Article | None,
        staged: bool,
    ) -> list[Looked]:
        """Each question made to stand alone, and what is found for it; a later one may lean on an earlier."""
        looked = []
        if page:
            asked = [article_first.named(part, page) for part in asked]
            history = [page.title, *history]
        for number, part in enumerate(asked):
            before = [*history, *asked[:number]]
            standalone = conversation.standalone(part, before, self._queries.lexicon, self._subject)
            reading = read(standalone)
            query = self._queries.make(standalone, BRIDGES.get(reading.asks, ()))
            clock.lap("query")
            found = self._retriever.retrieve(query, article_first.DEPTH if page else _HITS, staged=staged)
            clock.lap("retrieve")
            looked.append(self._choose(reading, query, found, page))
            clock.lap("evidence")
        return looked

    def _choose(self, reading: Reading, query: Query, found: Found, page: Article | None) -> Looked:
        if page:
            row = self.generation.article_row(page.id)
            return article_first.preferred(reading, query, found, row, self.generation)
        return Looked(reading, query, found, evidence.select(reading, query, found, self.generation))

    def _known(self, article: str) -> Article | None:
        """The article with an id, if there is one."""
        try:
            return self.generation.article(self.generation.article_row(article))
        except KeyError:
            return None

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


_HITS = 10
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
        self.unsound: list[Claim] = []

    def urgent(self) -> Answer:
        """The notice, alone."""
        return self.finish(Said("urgent", ""))

    def finish(self, said: Said) -> Answer:
        """Check the claims against the store, and add what every answer has."""
        draft = said.draft
        claims: tuple[Claim, ...] = ()
        citations: tuple[Citation, ...] = ()
        labels: Mapping[int, str] = {}
        body, engine = "", ENGINE
        if draft and said.kind == "answer" and (writer := self._assistant.writer):
            claims, citations, body = self._written(writer, draft)
            self._clock.lap("write")
            engine = writer.name if body else ENGINE
        if draft and not body:
            claims, citations = self._grounded(draft)
            labels = draft.labels
            body = quoting.render(claims, citations, labels)
        closing = self._closing(said)
        return self._answer(
            said, [said.lead, body, closing], claims, citations, engine=engine, closing=closing, labels=labels
        )

    def finish_several(self, looked: Sequence[Looked], said: Sequence[Said]) -> Answer:
        """The questions of one message, each answered in turn under its own words."""
        claims: list[Claim] = []
        citations: list[Citation] = []
        shown: list[Part] = []
        blocks: list[str] = []
        labels: dict[int, str] = {}
        for number, (one, part) in enumerate(zip(looked, said, strict=True), start=1):
            draft = (part.draft or quoting.Draft((), ())).numbered_from(len(citations) + 1)
            kept, cited = self._grounded(draft)
            body = quoting.render(kept, cited, draft.labels)
            heading = f"{number}. {one.reading.text}"
            blocks.append("\n\n".join(text for text in (heading, part.lead, body, part.closing) if text))
            numbers = tuple(citation.number for citation in cited)
            shown.append(Part(one.reading.text, part.kind, part.lead, numbers, part.closing))
            claims += kept
            citations += cited
            labels.update(draft.labels)
        kinds = [part.kind for part in said]
        kind: AnswerKind = next((one for one in _BEST_FIRST if one in kinds), "abstention")
        whole = Said(kind, "\n\n".join(_told(number, one) for number, one in enumerate(shown, start=1)))
        closing = self._closing(whole)
        return self._answer(
            whole,
            [*blocks, closing],
            tuple(claims),
            tuple(citations),
            closing=closing,
            parts=tuple(shown),
            labels=labels,
        )

    def _grounded(self, draft: quoting.Draft) -> tuple[tuple[Claim, ...], tuple[Citation, ...]]:
        """The claims of a draft that the store bears out, and their citations."""
        kept, cited = grounding.check(draft.claims, draft.citations, self._assistant.generation)
        if len(kept) < len(draft.claims):
            self.unsound += [claim for claim in draft.claims if claim not in kept]
        return kept, cited

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
        labels: Mapping[int, str],
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
            labels=labels,
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
