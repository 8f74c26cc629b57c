"""Searching and listing what a generation holds, in the API's form."""

from __future__ import annotations

from dataclasses import asdict

from assistant.api.schema import (
    ArticleListed,
    ArticleShown,
    ArticlesQuery,
    ArticlesShown,
    HitShown,
    NoticeShown,
    SearchQuery,
    SearchShown,
)
from assistant.assistant import Assistant
from assistant.citation import deep_link
from assistant.wording import wording
from index.generation import Generation
from index.passage import Hit
from ingest.article import Article


def search(assistant: Assistant, wanted: SearchQuery) -> SearchShown:
    """Passages for a query, and the notice that it may call for."""
    notice, hits = assistant.search(wanted.q, wanted.top, wanted.within(wanted.kind))
    return SearchShown(
        notice=NoticeShown.model_validate(asdict(notice)) if notice else None,
        hits=[_hit(assistant.generation, hit) for hit in hits],
        disclaimer=wording().disclaimer,
        generation=assistant.generation.name,
    )


def articles(generation: Generation, wanted: ArticlesQuery) -> ArticlesShown:
    """A part of the list of the articles that are wanted."""
    rows = generation.facets.passing(wanted.within()).nonzero()[0].tolist()
    shown = rows[wanted.offset : wanted.offset + wanted.limit]
    return ArticlesShown(
        total=len(rows),
        offset=wanted.offset,
        articles=[ArticleListed.model_validate(_facts(generation.article(row))) for row in shown],
        generation=generation.name,
    )


def article(generation: Generation, article_id: str) -> ArticleShown:
    """One article with its text.

    Raises:
        KeyError: There is none with this id.
    """
    found = generation.article(generation.article_row(article_id))
    return ArticleShown.model_validate({**_facts(found), "text": found.text, "disclaimer": found.disclaimer})


def _facts(article: Article) -> dict[str, object]:
    return {name: getattr(article, name) for name in ArticleListed.model_fields} | {
        "tags": list(article.tags)
    }


def _hit(generation: Generation, hit: Hit) -> HitShown:
    passage = hit.passage
    source = generation.article(generation.article_row(passage.article_id))
    # A comment's place counts from its own beginning, and a link to it would mark the article's words.
    own = passage.kind == "article"
    return HitShown(
        rank=hit.rank,
        score=hit.score,
        scores=dict(hit.scores),
        passage_id=passage.id,
        article_id=source.id,
        title=source.title,
        url=source.url,
        link=deep_link(source, passage.start, passage.end) if own else source.url,
        author=source.author if own else "",
        published=source.published if own else None,
        kind=passage.kind,
        heading=passage.heading if own else "",
        text=passage.text,
        start=passage.start,
        end=passage.end,
    )
