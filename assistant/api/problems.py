"""What went wrong, as problem details (RFC 9457): which part of the request, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from assistant.api.desk import BusyError

MEDIA_TYPE = "application/problem+json"
RETRY = 2  # seconds, after which whoever met a full desk may try again


# A part of the request that is not as it must be: its `field`, and the `reason`.
Offender = dict[Literal["field", "reason"], str]


class ProblemDetails(BaseModel):
    """A refusal; `title` is the status in words, `detail` what to do about it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str = ""
    errors: list[Offender] = []


def problem(
    status: int,
    detail: str,
    *,
    request_id: str = "",
    errors: Sequence[Offender] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A response that tells a problem."""
    told = ProblemDetails(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        request_id=request_id,
        errors=list(errors),
    )
    body = told.model_dump(exclude=None if errors else {"errors"})
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def busy(request_id: str = "") -> JSONResponse:
    """The desk is full."""
    detail = f"Too many questions at this moment. Try again in {RETRY} seconds."
    return problem(503, detail, request_id=request_id, headers={"Retry-After": str(RETRY)})


def install(app: FastAPI) -> None:
    """Tell every error of an application's own routes as a problem."""

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> JSONResponse:
        detail = _DETAILS.get(error.status_code, str(error.detail))
        return problem(error.status_code, detail, request_id=request_id(request), headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        offenders = [_offender(one) for one in error.errors()]
        detail = "; ".join(f"{one['field']}: {one['reason']}" for one in offenders)
        return problem(422, detail, request_id=request_id(request), errors=offenders)

    @app.exception_handler(BusyError)
    async def full(request: Request, _: BusyError) -> JSONResponse:
        return busy(request_id(request))

    @app.exception_handler(TimeoutError)
    async def late(request: Request, _: TimeoutError) -> JSONResponse:
        detail = "The answer took too long and was given up. Try again later."
        return problem(504, detail, request_id=request_id(request), headers={"Retry-After": str(RETRY)})

    @app.exception_handler(Exception)
    async def broken(request: Request, _: Exception) -> JSONResponse:
        detail = "Something went wrong on our side. Try again, and report the request's id if it goes on."
        return problem(500, detail, request_id=request_id(request))


_DETAILS = {
    404: "There is nothing at this address, or not with this method.",
    405: "This address does not take this method.",
    413: "The request is too large. Send a shorter message, or fewer earlier ones.",
}


def _offender(error: Mapping[str, Any]) -> Offender:
    """Where, and why; what was sent is not repeated, since it may be a visitor's message."""
    where = [str(part) for part in error["loc"]]
    if error["type"] == "json_invalid":
        return {"field": "body", "reason": "is not JSON"}
    reason = "is missing" if error["type"] == "missing" else str(error["msg"])
    return {"field": ".".join(where), "reason": reason}


def request_id(request: Request) -> str:
    """What the doorkeeper called the request."""
    return str(request.scope.get("state", {}).get("request_id", ""))
