"""The routes of the API, and what says whether the server is well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from assistant.answer import to_json
from assistant.api import searching
from assistant.api.desk import Desk, Message
from assistant.api.events import stream
from assistant.api.metrics import CONTENT_TYPE, Metrics
from assistant.api.problems import MEDIA_TYPE, ProblemDetails, problem, request_id
from assistant.api.schema import (
    EXAMPLE_ANSWER,
    AnswerShown,
    ArticleShown,
    ArticlesQuery,
    ArticlesShown,
    SearchQuery,
    SearchShown,
)

EVENTS = "text/event-stream"


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    schema = ProblemDetails.model_json_schema()
    told = {413: "Too large.", 422: "Not as it must be.", 429: "Too many from one address.", 503: "Busy."}
    return {
        status: {"description": told.get(status, "Refused."), "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def router(desk: Callable[[], Desk], metrics: Metrics) -> APIRouter:
    """The routes.

    Args:
        desk: What takes questions now: asked for once a request, since it is replaced with the generation.
        metrics: Shown under /metrics.
    """
    routes = APIRouter()
    routes.include_router(_operation(desk, metrics))
    routes.include_router(_questions(desk))

    # The pages are mounted below everything, and would answer for whatever else begins like this.
    @routes.api_route("/api/{path:path}", methods=["GET", "POST", "PUT", "DELETE"], include_in_schema=False)
    async def nothing() -> None:
        raise HTTPException(404)

    return routes


def _questions(desk: Callable[[], Desk]) -> APIRouter:
    routes = APIRouter()
    refusals = _problems(413, 422, 429, 503)

    @routes.post(
        "/api/v1/ask",
        response_model=AnswerShown,
        summary="Ask a question",
        responses={
            **refusals,
            200: {
                "description": "The answer; with `Accept: text/event-stream`, as events.",
                "content": {"application/json": {"example": EXAMPLE_ANSWER}, EVENTS: {}},
            },
        },
    )
    async def ask(message: Message, request: Request) -> Response:
        answering = desk().submit(message, request_id(request))
        if EVENTS in request.headers.get("accept", ""):
            # Told to proxies that would keep the events until there are many.
            headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
            return StreamingResponse(stream(answering), media_type=EVENTS, headers=headers)
        return JSONResponse(to_json(await answering), headers={"Cache-Control": "no-store"})

    async def found(wanted: SearchQuery) -> SearchShown:
        serving = desk()
        return await serving.work(lambda: searching.search(serving.assistant, wanted))

    @routes.get("/api/v1/search", summary="Search passages", responses=refusals)
    async def search(wanted: Annotated[SearchQuery, Query()]) -> SearchShown:
        """For words that may stand in an address, and so in the logs of whatever it passes; else POST."""
        return await found(wanted)

    @routes.post("/api/v1/search", summary="Search passages, in a visitor's words", responses=refusals)
    async def search_words(wanted: SearchQuery) -> SearchShown:
        return await found(wanted)

    @routes.get("/api/v1/articles", summary="List the articles", responses=_problems(422))
    def articles(wanted: Annotated[ArticlesQuery, Query()]) -> ArticlesShown:
        return searching.articles(desk().assistant.generation, wanted)

    @routes.get("/api/v1/article", summary="Read an article", responses=_problems(404, 422))
    def article(id: Annotated[str, Query(max_length=2_000)]) -> ArticleShown:
        try:
            return searching.article(desk().assistant.generation, id)
        except KeyError as error:
            raise HTTPException(404) from error

    return routes


def _operation(desk: Callable[[], Desk], metrics: Metrics) -> APIRouter:
    routes = APIRouter()

    @routes.head("/healthz", include_in_schema=False)
    @routes.get("/healthz", summary="Whether the server runs", tags=["operation"])
    async def healthz() -> dict[str, str]:
        return {"status": "ok", "generation": desk().assistant.generation.name}

    @routes.head("/readyz", include_in_schema=False)
    @routes.get("/readyz", summary="Whether it can take a question now", tags=["operation"])
    async def readyz(request: Request) -> Response:
        serving = desk()
        if serving.is_full:
            detail = "As many questions wait as may."
            return problem(503, detail, request_id=request_id(request), headers={"Retry-After": "2"})
        return JSONResponse({"status": "ready", "generation": serving.assistant.generation.name})

    @routes.get("/metrics", include_in_schema=False)
    async def measured() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    return routes
