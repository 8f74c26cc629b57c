"""What the API takes and gives, as its OpenAPI description shows it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from assistant.answer import AnswerKind
from assistant.api.desk import LONGEST
from index.filters import Filter, Period
from index.passage import PassageKind

MOST_HITS = 50
MOST_ARTICLES = 200

_Name = Annotated[str, StringConstraints(max_length=200)]
_Names = Annotated[tuple[_Name, ...], Field(max_length=20)]


class Chosen(BaseModel):
    """Which articles: what is left out is not looked at."""

    tag: Annotated[_Names, Field(description="It has one of these tags.")] = ()
    author: Annotated[_Names, Field(description="It is by one of these.")] = ()
    since: Annotated[date | None, Field(description="Published on this day or later.")] = None
    until: Annotated[date | None, Field(description="Published on this day or before.")] = None
    updated_since: date | None = None
    updated_until: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for first, last in ((self.since, self.until), (self.updated_since, self.updated_until)):
            if first and last and first > last:
                raise ValueError("the first day is later than the last")
        return self

    def within(self, kind: PassageKind = "article") -> Filter:
        """The same as the retriever reads it."""
        return Filter(
            tags=self.tag,
            authors=self.author,
            published=Period(self.since, self.until),
            updated=Period(self.updated_since, self.updated_until),
            kind=kind,
        )


class SearchQuery(Chosen):
    """What to search for."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"q": "infraspinatus pain", "top": 3}]})

    q: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST, pattern=r"\S")]
    top: Annotated[int, Field(ge=1, le=MOST_HITS, description="How many passages.")] = 10
    kind: Annotated[
        PassageKind, Field(description="The articles, or their readers' comments, which nobody has checked.")
    ] = "article"


class ArticlesQuery(Chosen):
    """Which part of the list."""

    offset: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=1, le=MOST_ARTICLES)] = 50


class NoticeShown(BaseModel):
    """A safety notice. Show it whole, and before everything else unless its level is `safety_net`."""

    level: Literal["emergency_now", "same_day", "soon", "safety_net"]
    category: str | None
    text: str


class ClaimShown(BaseModel):
    """One sentence of the answer, and the citations that it rests on."""

    text: str
    citations: list[int]
    support: float


class CitationShown(BaseModel):
    """Where a quote stands: `quote` is the article's text from `start` to `end`."""

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


class AnswerShown(BaseModel):
    """What to show for one message. The disclaimer belongs to it, always."""

    id: Annotated[str, Field(description="The request's id.")]
    question: str
    standalone_question: str
    kind: AnswerKind
    notice: NoticeShown | None
    text: Annotated[str, Field(description="What the reader sees, with [1] markers.")]
    claims: list[ClaimShown]
    citations: list[CitationShown]
    disclaimer: str
    suggestions: list[str]
    engine: str
    generation: str
    seconds: dict[str, float]


class HitShown(BaseModel):
    """A passage that was found; a higher score is better, and only compares within one search."""

    rank: int
    score: float
    scores: dict[str, float]
    passage_id: str
    article_id: str
    title: str
    url: str
    link: str
    author: str
    published: str | None
    kind: PassageKind
    heading: str
    text: str
    start: int
    end: int


class SearchShown(BaseModel):
    """Passages, best first; none when the notice is an urgent one."""

    notice: NoticeShown | None
    hits: list[HitShown]
    disclaimer: str
    generation: str


class ArticleListed(BaseModel):
    """An article without its text."""

    id: str
    title: str
    url: str
    author: str
    published: str | None
    updated: str | None
    tags: list[str]


class ArticleShown(ArticleListed):
    """An article with its text; readers' comments are not part of it."""

    text: str
    disclaimer: str


class ArticlesShown(BaseModel):
    """A part of the list of articles, by id."""

    total: int
    offset: int
    articles: list[ArticleListed]
    generation: str


EXAMPLE_ANSWER: dict[str, Any] = {
    "id": "5f0c9a1e2b7d4c53",
    "question": "Where is pain from the infraspinatus felt?",
    "standalone_question": "Where is pain from the infraspinatus felt?",
    "kind": "answer",
    "notice": None,
    "text": "The articles say this directly:\n\n“It is usually felt deep in the front of the shoulder.” [1]",
    "claims": [
        {
            "text": "It is usually felt deep in the front of the shoulder.",
            "citations": [1],
            "support": 1.0,
        }
    ],
    "citations": [
        {
            "number": 1,
            "article_id": "/blogs/muscles/infraspinatus",
            "title": "Infraspinatus",
            "url": "https://blog.example/blogs/muscles/infraspinatus",
            "link": "https://blog.example/blogs/muscles/infraspinatus#:~:text=It%20is%20usually",
            "author": "A. Author",
            "published": "2021-05-04",
            "kind": "text",
            "quote": "It is usually felt deep in the front of the shoulder.",
            "start": 120,
            "end": 173,
            "passage_id": "/blogs/muscles/infraspinatus#80-260",
        }
    ],
    "disclaimer": "General information from this blog, not medical advice.",
    "suggestions": [],
    "engine": "quote",
    "generation": "20260101T000000000000Z-0a1b2c3d",
    "seconds": {"retrieve": 0.011, "total": 0.031},
}
