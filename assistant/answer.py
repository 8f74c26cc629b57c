"""The Answer and its parts, and their JSON form, the same from the command line and the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

AnswerKind = Literal["answer", "related", "abstention", "refusal", "urgent", "smalltalk"]


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a quote stands.

    Attributes:
        number: The marker in the answer, from 1.
        link: The url with a text fragment that opens the page at the quote; empty when there is no url.
        kind: `text` for a span of the article's text, `byline` for its title, author and dates.
        quote: Verbatim `article.text[start:end]`; of a byline, the title.
        start: Offset into the article's text; 0 for a byline.
        end: Likewise, exclusive.
    """

    number: int
    article_id: str
    title: str
    url: str
    link: str
    author: str
    published: str | None
    kind: Literal["text", "byline"]
    quote: str
    start: int
    end: int
    passage_id: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of the answer.

    Attributes:
        text: As shown.
        citations: Numbers of the citations it rests on; never empty.
        support: 0..1; a verbatim quote is 1.
    """

    text: str
    citations: tuple[int, ...]
    support: float


@dataclass(frozen=True, slots=True)
class ShownNotice:
    """A safety notice in an answer; `safety_net` stands below the text, every other level leads."""

    level: str
    category: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """What is said to one question of a message that asks several.

    Attributes:
        question: The question that was answered, understandable alone.
        lead: Before its quotes.
        citations: Numbers of its citations.
        closing: After its quotes.
    """

    question: str
    kind: AnswerKind
    lead: str
    citations: tuple[int, ...]
    closing: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the visitor gets for one question.

    Attributes:
        standalone_question: The question that was answered, understandable without the earlier ones.
        text: Everything the visitor reads but the disclaimer, with [1] markers.
        lead: The program's own words before the quotes; part of `text`.
        closing: The program's own words after them; part of `text`.
        disclaimer: One plain line, then the blog's own disclaimer.
        suggestions: Questions, or titles, that the articles can answer.
        seconds: Time by stage; `total` is the whole.
        parts: Of a message that asks several questions, what is said to each; else empty.
        labels: By the number of a citation, what its quote speaks of where it does not say so itself: shown
            in brackets before the quote, and no part of it; in `text` likewise.
    """

    id: str
    question: str
    standalone_question: str
    kind: AnswerKind
    notice: ShownNotice | None
    text: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    disclaimer: str
    suggestions: tuple[str, ...]
    engine: str
    generation: str
    lead: str = ""
    closing: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    labels: Mapping[int, str] = field(default_factory=dict)


_NOT_IN_JSON = ("lead", "closing", "parts", "labels")


def to_json(answer: Answer) -> dict[str, Any]:
    """The answer as the contract's JSON object."""
    whole = asdict(answer)
    for name in _NOT_IN_JSON:
        del whole[name]
    return whole
