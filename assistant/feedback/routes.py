"""Where the pages send a thumb, its reason, and what may be kept; and where what was kept is deleted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, model_validator
from sqlalchemy.exc import SQLAlchemyError

from assistant.answer import ShownNotice
from assistant.api.metrics import Metrics
from assistant.feedback.feedback import KEPT_DAYS, REASONS, Consented, Keeper, Verdict
from assistant.pages.assets import address
from assistant.pages.cards import human_date, templates
from assistant.pages.front import Front, Serving
from assistant.pages.notice_panel import panel
from assistant.state.database import Database

_log = logging.getLogger(__name__)

_DAY = 24 * 60 * 60  # seconds
_URGENT = {"emergency_now", "same_day"}


class Judged(BaseModel):
    """A thumb."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict


class Reasoned(Judged):
    """Why, and what may be kept: nothing may unless the visitor has just said so.

    Attributes:
        reason: One of the reasons for its verdict, or empty.
        consented: What may be kept; None keeps nothing.
    """

    reason: str = ""
    consented: Consented | None = None

    @model_validator(mode="after")
    def _known(self) -> Reasoned:
        if self.reason and self.reason not in REASONS[self.verdict]:
            raise ValueError("the reason is none of those that there are")
        return self


def router(front: Front, state: Database | None) -> APIRouter:
    """The routes of feedback.

    Args:
        front: Whose counters count, and whose safety check reads the visitor's words.
        state: Migrated; without it thumbs and reasons are counted, and nothing can be kept.
    """
    keeper = Keeper(state) if state else None
    routes = APIRouter(include_in_schema=False, lifespan=_daily(keeper.purge) if keeper else None)
    _counting(routes, front.metrics)

    @routes.post("/feedback")
    async def why(given: Reasoned) -> dict[str, Any]:
        if given.consented and not keeper:
            raise HTTPException(404, "This server keeps no feedback.")
        if given.consented and (notice := await _alarming(front.now, given.consented)):
            return {"notice": _urgent(notice, front.now.assistant.country)}
        if given.reason:
            front.metrics.reasoned(given.verdict, given.reason)
        if not given.consented or not keeper:
            return {}
        known = _known_articles(front.now, given.consented)
        receipt = await asyncio.to_thread(keeper.keep, given.verdict, given.reason, known)
        return {"code": receipt.code, "until": human_date(receipt.expires.isoformat())}

    if keeper:
        _deleting(routes, keeper)
    return routes


def _counting(routes: APIRouter, metrics: Metrics) -> None:
    @routes.post("/feedback/verdict", status_code=204)
    async def verdict(judged: Judged) -> Response:
        metrics.judged(judged.verdict)
        return Response(status_code=204)


def _deleting(routes: APIRouter, keeper: Keeper) -> None:
    def page(outcome: str = "") -> HTMLResponse:
        made = templates.get_template("feedback.html").render(
            address=address, outcome=outcome, days=KEPT_DAYS
        )
        status = 404 if outcome == "nothing" else 200
        return HTMLResponse(made, status, headers={"Cache-Control": "no-store"})

    @routes.get("/feedback")
    def ask_for_code() -> HTMLResponse:
        return page()

    # The code itself is the permission, so the form needs no other proof of who sends it.
    @routes.post("/feedback/delete")
    def delete(code: Annotated[str, Form(max_length=100)]) -> HTMLResponse:
        return page("deleted" if keeper.delete(code) else "nothing")


async def _alarming(serving: Serving, given: Consented) -> ShownNotice | None:
    """The notice that what somebody wrote calls for, when it is an urgent one: it is shown, not stored."""

    def read() -> ShownNotice | None:
        found = (serving.assistant.notice_for(text) for text in (given.words, given.question) if text)
        return next((one for one in found if one and one.level in _URGENT), None)

    return await serving.desk.work(read)


def _urgent(notice: ShownNotice, country: str) -> str:
    return templates.get_template("alarm.html").render(notice=panel(notice, country))


def _known_articles(serving: Serving, given: Consented) -> Consented:
    """The same with only those articles that there are."""
    generation = serving.assistant.generation
    known = tuple(one for one in dict.fromkeys(given.articles) if _is_known(generation.article_row, one))
    return given.model_copy(update={"articles": known})


def _is_known(row: Callable[[str], int], article: str) -> bool:
    try:
        row(article)
    except KeyError:
        return False
    return True


def _daily(purge: Callable[[], int]) -> Callable[[object], Any]:
    """A router's life in which what has expired is deleted, at its start and every day."""

    async def every_day() -> None:
        while True:
            try:
                await asyncio.to_thread(purge)
            except SQLAlchemyError as error:
                _log.warning("Expired feedback could not be deleted: %s", type(error).__name__)
            await asyncio.sleep(_DAY)

    @asynccontextmanager
    async def life(_: object) -> AsyncIterator[None]:
        task = asyncio.create_task(every_day())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    return life
