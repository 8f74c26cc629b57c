"""The body map as the page shows it: a drawing, a list beside it, and the articles of what is chosen.

It is made once for each generation, in a thread of its own, so that no question waits for it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from assistant.bodymap.body_map import BodyMap
from assistant.pages.cards import human_date, templates, web_link
from index.generation import Generation
from index.lexicon import Lexicon
from index.sentences import BlockKind, blocks, sentences
from ingest.article import Article

_LISTED = 30  # articles; whoever has more asks a question
_FIRST_WORDS = 180  # characters


@dataclass(frozen=True, slots=True)
class Listed:
    """An article in the list of what was chosen."""

    id: str
    title: str
    link: str
    day: str
    first_words: str


class Browsing:
    """The body map of one generation.

    Args:
        generation: Whose articles are browsed.
        hosted: Web address -> path on this server, as for `Cards`.
    """

    def __init__(self, generation: Generation, hosted: tuple[str, str] | None = None) -> None:
        self._generation = generation
        self._hosted = hosted
        worker = ThreadPoolExecutor(1, thread_name_prefix="body-map")
        self._made = worker.submit(self._make)
        worker.shutdown(wait=False)  # ends when it is made

    async def html(self) -> str:
        """The drawing and the list; empty when no article is about a part of the body."""
        return (await asyncio.wrap_future(self._made))[1]

    async def articles_html(self, region: str, muscle: str) -> str:
        """The articles of a region, or of a muscle in it."""
        body_map, _ = await asyncio.wrap_future(self._made)
        rows = body_map.articles(region, muscle)
        return await asyncio.to_thread(self._list, rows)

    def _make(self) -> tuple[BodyMap, str]:
        body_map = BodyMap.of(self._generation, Lexicon.load())
        if not any(one.articles for one in body_map.regions):
            return body_map, ""
        return body_map, templates.get_template("bodymap.html").render(regions=body_map.regions)

    def _list(self, rows: tuple[int, ...]) -> str:
        shown = [self._listed(self._generation.article(row)) for row in rows[:_LISTED]]
        return templates.get_template("bodymap_articles.html").render(
            articles=shown, more=max(0, len(rows) - _LISTED)
        )

    def _listed(self, article: Article) -> Listed:
        link = web_link(article.url, self._hosted)
        return Listed(article.id, article.title, link, human_date(article.published), first_words(article))


def first_words(article: Article) -> str:
    """How an article begins: whole sentences if short ones, else words and dots."""
    found = blocks(article.text)
    block = next((one for one in found if one.kind is BlockKind.PARAGRAPH), found[0] if found else None)
    if block is None:
        return ""
    text = article.text[block.start : block.end]
    ends = [end for _, end in sentences(text, 0, len(text)) if end <= _FIRST_WORDS]
    if ends:
        return " ".join(text[: ends[-1]].split())
    cut = " ".join(text[:_FIRST_WORDS].split())
    return re.sub(r"\W*\s\S*$", "…", cut)


def router(browsing: Callable[[], Browsing], generation: Callable[[], str]) -> APIRouter:
    """The routes of the body map.

    Args:
        browsing: What is browsed now.
        generation: Its name, by which a browser knows whether what it has is still right.
    """
    routes = APIRouter(include_in_schema=False)

    @routes.get("/bodymap")
    async def whole(request: Request) -> Response:
        headers = {"ETag": f'"{generation()}"', "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return HTMLResponse(await browsing().html(), headers=headers)

    @routes.get("/bodymap/articles")
    async def articles(
        region: Annotated[str, Query(max_length=40)], muscle: Annotated[str, Query(max_length=80)] = ""
    ) -> HTMLResponse:
        made = await browsing().articles_html(region, muscle)
        return HTMLResponse(made, headers={"Cache-Control": "no-store"})

    return routes
