"""An Answer as HTML: quotes that look like quotes, the program's words around them, a card for each source.

Templates escape everything they are given; nothing of an article or a message reaches a page unescaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from assistant.answer import Answer, Citation, Claim
from assistant.pages.notice_panel import panel
from assistant.quoting import context
from assistant.wording import wording
from index.generation import Generation
from index.sentences import LISTED, Block, BlockKind, blocks
from ingest.article import Article

templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


# Kinds under which the page asks whether it was helpful.
_JUDGED = frozenset({"answer", "related", "abstention", "refusal"})


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines of a quote of one kind.

    Attributes:
        kind: `paragraph`, `item` or `step`; a heading counts as a paragraph.
        first: Number of the first line when these are steps.
    """

    kind: BlockKind
    lines: tuple[str, ...]
    first: int = 1


@dataclass(frozen=True, slots=True)
class Quoted:
    """What an answer quotes by one citation.

    Attributes:
        chunks: Empty when `said` tells it in the program's own words.
        subject: What the quote speaks of, when it does not say so itself: no part of the quote.
    """

    number: int
    title: str
    chunks: tuple[Chunk, ...]
    said: str = ""
    subject: str = ""

    @property
    def in_one_line(self) -> bool:
        """Whether it is running text, which takes quotation marks; a list does without."""
        return len(self.chunks) == 1 and len(self.chunks[0].lines) == 1


@dataclass(frozen=True, slots=True)
class Section:
    """What is said to one question: the whole of an answer, or a part of it.

    Attributes:
        question: Its heading; empty when the message asked nothing else.
        lead: Paragraphs before the quotes.
        articles: The quotes, neighbours from one article together.
        closing: Paragraphs after them.
    """

    question: str
    lead: tuple[str, ...]
    articles: tuple[tuple[Quoted, ...], ...]
    closing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A source beside the answer.

    Attributes:
        by: Author and date as far as they are known.
        before: What stands before the quote in its paragraph.
        lines: The quote, a line for each block of it; empty for a byline.
        after: What stands after it.
        link: Opens the page at the quote; empty when the article has no web address.
        page: The page's own address, for paper; empty likewise.
    """

    number: int
    title: str
    by: str
    before: str
    lines: tuple[str, ...]
    after: str
    link: str
    page: str


class Cards:
    """Shows the answers of one generation.

    Args:
        generation: Holds the articles that are cited.
        country: By which the numbers in notices were chosen.
        hosted: Web address -> path on this server, for pages that this server shows itself.
    """

    def __init__(
        self, generation: Generation, country: str = "", hosted: tuple[str, str] | None = None
    ) -> None:
        self._generation = generation
        self._country = country
        self._hosted = hosted

    def html(self, answer: Answer, turn: int) -> str:
        """What stands under a question: the notice alone, or the answer and its sources.

        Args:
            answer: Of this generation.
            turn: Number of the question on the page, from 1: makes ids unique.
        """
        notice = answer.notice and panel(answer.notice, self._country)
        template = templates.get_template("urgent.html" if answer.kind == "urgent" else "answer.html")
        plain_line, _, blogs_own = answer.disclaimer.partition("\n\n")
        return template.render(
            turn=turn,
            notice=notice,
            understood=_understood(answer),
            sections=self._sections(answer),
            cards=[self._card(citation) for citation in answer.citations],
            disclaimer=plain_line,
            blogs_own=_paragraphs(blogs_own),
            suggestions=answer.suggestions,
            judged=answer.kind in _JUDGED,
        )

    def _article(self, citation: Citation) -> Article:
        return self._generation.article(self._generation.article_row(citation.article_id))

    def _sections(self, answer: Answer) -> Iterator[Section]:
        """The answer in its parts, and below them what holds for all of it."""
        for part in answer.parts:
            cited = [one for one in answer.citations if one.number in part.citations]
            quotes = tuple(self._by_article(answer, cited))
            yield Section(part.question, _paragraphs(part.lead), quotes, _paragraphs(part.closing))
        if answer.parts:
            yield Section("", (), (), _paragraphs(answer.closing))
        else:
            quotes = tuple(self._by_article(answer, answer.citations))
            yield Section("", _paragraphs(answer.lead), quotes, _paragraphs(answer.closing))

    def _by_article(self, answer: Answer, citations: Sequence[Citation]) -> Iterator[tuple[Quoted, ...]]:
        """What is quoted by some citations, with neighbours from one article together."""
        shown = [one for one in citations if any(c.citations[0] == one.number for c in answer.claims)]
        for _, run in groupby(shown, key=lambda citation: (citation.article_id, citation.kind)):
            yield tuple(self._quoted(answer, citation) for citation in run)

    def _quoted(self, answer: Answer, citation: Citation) -> Quoted:
        claims = [claim for claim in answer.claims if citation.number in claim.citations]
        written = answer.engine.startswith("llm:")  # sentences that stand in no article as they are
        if citation.kind == "byline" or written:
            mine = [claim for claim in claims if claim.citations[0] == citation.number]
            return Quoted(citation.number, citation.title, (), " ".join(claim.text for claim in mine))
        found = chunks(self._article(citation), citation, claims)
        return Quoted(citation.number, citation.title, found, subject=answer.labels.get(citation.number, ""))

    def _card(self, citation: Citation) -> Card:
        before = after = ""
        lines: tuple[str, ...] = ()
        if citation.kind == "text":
            article = self._article(citation)
            holding = _holding(article, citation)
            before, after = _surroundings(article, citation, holding)
            spans = [(max(one.start, citation.start), min(one.end, citation.end)) for one in holding]
            lines = tuple(article.text[start:end] for start, end in spans)
        by = " · ".join(part for part in (citation.author, human_date(citation.published)) if part)
        link, page = self._link(citation), web_link(citation.url)
        return Card(citation.number, citation.title, by, before, lines, after, link, page)

    def _link(self, citation: Citation) -> str:
        return web_link(citation.link or citation.url, self._hosted)


def web_link(link: str, hosted: tuple[str, str] | None = None) -> str:
    """What a page may link to: an address of the web, or one of this server; empty for anything else.

    Args:
        link: As an article has it.
        hosted: As for `Cards`.
    """
    if urlsplit(link).scheme not in {"http", "https"}:
        return ""
    if hosted and link.startswith(hosted[0]):
        return hosted[1] + link.removeprefix(hosted[0])
    return link


def chunks(article: Article, citation: Citation, claims: Sequence[Claim]) -> tuple[Chunk, ...]:
    """The claims that rest on a citation as they stand in the article: lists stay lists, gaps are marked."""
    found = blocks(article.text)
    lines: list[tuple[Block, str]] = []
    place = citation.start
    for claim in claims:
        start = article.text.index(claim.text, place)
        block = next(one for one in found if one.start <= start < one.end)
        same = bool(lines) and lines[-1][0] == block
        gap = "… " if same and article.text[place:start].strip() else ""
        if same:
            lines[-1] = (block, f"{lines[-1][1]} {gap}{claim.text}")
        else:
            lines.append((block, claim.text))
        place = start + len(claim.text)
    return tuple(_chunked(article, lines))


def _chunked(article: Article, lines: Sequence[tuple[Block, str]]) -> Iterator[Chunk]:
    for kind, group in groupby(lines, key=lambda line: line[0].kind if line[0].kind in LISTED else None):
        run = list(group)
        listed = kind if kind and len(run) > 1 else BlockKind.PARAGRAPH  # one item alone is no list
        number = re.search(r"(\d{1,2})[.)]\s+$", article.text[: run[0][0].start][-8:])
        yield Chunk(listed, tuple(text for _, text in run), int(number[1]) if number else 1)


def _holding(article: Article, citation: Citation) -> list[Block]:
    """The blocks of an article that a quote lies in."""
    return [one for one in blocks(article.text) if one.start < citation.end and one.end > citation.start]


def _surroundings(article: Article, citation: Citation, holding: Sequence[Block]) -> tuple[str, str]:
    """A sentence on each side of a quote in its paragraph or list item, with dots where that goes on."""
    before, after = context(article, citation)
    low, high = holding[0].start, holding[-1].end
    start = max(low, citation.start - len(before))
    end = min(high, citation.end + len(after))
    before, after = article.text[start : citation.start], article.text[citation.end : end]
    return (
        f"…\N{NO-BREAK SPACE}{before}" if before and start > low else before,
        f"{after}\N{NO-BREAK SPACE}…" if after and end < high else after,
    )


def _understood(answer: Answer) -> str:
    """A line that tells which question was answered, when it is not the one that was typed.

    The parts of an answer each tell their own.
    """
    if answer.parts or _bare(answer.standalone_question) == _bare(answer.question):
        return ""
    return wording().lead.corrected.format(question=answer.standalone_question)


def _bare(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split("\n\n") if part.strip())


def human_date(published: str | None) -> str:
    """14 March 2017 for an ISO date or date and time; anything else as it stands."""
    if not published:
        return ""
    try:
        day = date.fromisoformat(published[:10])
    except ValueError:
        return published
    return f"{day.day} {day:%B} {day.year}"
