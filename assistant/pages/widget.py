"""The widget: a script of one line for a shop's theme, and the page that it shows in a frame.

The page is the chat without Gradio, which would be a hundred times its size. Only pages of the origins that
are allowed may frame it, which the browser sees to; it sets no cookie and keeps nothing. Its questions carry
a token of the frame's own page, so that nobody asks through it who has not loaded it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Header, HTTPException
from fastapi.responses import FileResponse, HTMLResponse

from assistant.pages import turns
from assistant.pages.assets import HERE, TITLE
from assistant.pages.cards import templates
from assistant.pages.front import Front
from assistant.pages.page import page_parts
from assistant.pages.session_token import Sessions
from index.generation import Generation
from ingest.article import Article, path_id

# The page's backgrounds, light and dark, as in chat.css: an accent must be readable on them.
_BACKGROUNDS = {"light": "#fbf9f5", "dark": "#171614"}
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)
_READABLE = 4.5  # https://www.w3.org/TR/WCAG22/#contrast-minimum


def router(front: Front, starters: Sequence[str], *, keeps: bool) -> APIRouter:
    """The routes of the widget.

    Args:
        front: Answers, and shows the answers.
        starters: Questions for a page that is no article.
        keeps: Whether visitors may leave feedback to be kept.
    """
    routes = APIRouter(include_in_schema=False)
    sessions = Sessions()

    def in_session(token: Annotated[str, Header(alias="X-Referral-Session", max_length=200)] = "") -> None:
        if not sessions.accepts(token):
            raise HTTPException(401, "This chat was opened too long ago. Load it again.")

    @routes.get("/widget.js")
    def script() -> FileResponse:
        # Its address stands in a theme and never changes, so it is asked for anew each hour.
        return FileResponse(HERE / "widget.js", headers={"Cache-Control": "public, max-age=3600"})

    @routes.get("/widget")
    def page(article: str = "", theme: str = "", accent: str = "") -> HTMLResponse:
        serving = front.now
        read = find(serving.assistant.generation, article)
        # Found out when somebody opens the widget on an article for the first time, and kept.
        questions = serving.onward.of(read.id) if read else ()
        made = templates.get_template("widget.html").render(
            title=TITLE,
            theme=theme if theme in _BACKGROUNDS else "",
            accents=accents(accent),
            session=sessions.issue(),
            **page_parts(questions or starters, keeps=keeps, article=read),
        )
        return HTMLResponse(made, headers={"Cache-Control": "no-store"})

    @routes.post("/widget/ask", dependencies=[Depends(in_session)])
    async def ask(turn: turns.Turn) -> dict[str, Any]:
        return await turns.reply(front.now, turn)

    @routes.post("/widget/onward", dependencies=[Depends(in_session)])
    async def onward(answered: turns.Answered) -> list[str]:
        return await turns.onward(front.now, answered)

    return routes


def find(generation: Generation, url: str) -> Article | None:
    """The article of a page, by its address: whatever its host, its parameters and its locale."""
    path = path_id(url)
    inner = re.sub(r"^/[a-z]{2}(?:-[a-z]{2})?(?=/)", "", path, flags=re.IGNORECASE)
    for one in (path, inner):
        try:
            return generation.article(generation.article_row(one.rstrip("/")))
        except KeyError:
            continue
    return None


def accents(colour: str) -> dict[str, str]:
    """The style of each theme with an accent colour; none for a theme on which it could not be read."""
    if not _COLOUR.fullmatch(colour):
        return {}
    on = max(("#ffffff", "#0d0d0d"), key=lambda words: contrast(words, colour))
    style = f"--accent: {colour}; --on-accent: {on}"
    return {theme: style for theme, back in _BACKGROUNDS.items() if contrast(colour, back) >= _READABLE}


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast of two colours, 1..21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def origin(text: str) -> str:
    """An origin as a policy names it.

    Raises:
        ValueError: It is none: says what one looks like.
    """
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not re.fullmatch(r"[\w.:\[\]-]+", parts.netloc, re.ASCII):
        raise ValueError(f"{text!r} is not an origin such as https://shop.example")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is more than an origin: write {parts.scheme}://{parts.netloc}")
    return f"{parts.scheme}://{parts.netloc}"
