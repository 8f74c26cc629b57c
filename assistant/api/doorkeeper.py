"""Every request passes here: it gets a number, is counted and timed, and may be told to come back later."""

from __future__ import annotations

import ipaddress
import re
import time
import uuid

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.api.metrics import Metrics
from assistant.api.problems import problem

ASKS_PER_MINUTE = 120  # of one address: a school or an office may share one

# Routes that cost an answer or write something. Others are files, and cheap.
_COSTLY = (
    "/api/v1/ask",
    "/api/v1/search",
    "/mcp",
    "/widget/ask",
    "/feedback",
    "/feedback/verdict",
    "/feedback/delete",
    "/gradio_api/component_server/",
)
_COUNTED = frozenset(
    {*_COSTLY, "/", "/widget", "/api/v1/articles", "/api/v1/article", "/healthz", "/readyz", "/metrics"}
)
_HEADER = "x-request-id"
_USABLE = re.compile(r"[\w.-]{8,64}", re.ASCII)


class Doorkeeper:
    """Middleware around the whole server.

    Args:
        app: What is behind the door.
        metrics: Where requests are counted.
        asks_per_minute: How many questions an address may ask; 0 for any number.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, asks_per_minute: int = ASKS_PER_MINUTE) -> None:
        self._app = app
        self._metrics = metrics
        self._rate = RateLimitItemPerMinute(asks_per_minute) if asks_per_minute else None
        self._asked = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI calls it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500
        path = scope["path"]
        route = path if path in _COUNTED else "other"
        given = Headers(scope=scope).get(_HEADER, "")
        request_id = given if _USABLE.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[_HEADER] = request_id
            await send(message)

        wait = self._wait(scope, path)
        try:
            if wait:
                self._metrics.turned_away("rate")
                detail = f"Too many questions from this address in a minute. Try again in {wait} seconds."
                refusal = problem(429, detail, request_id=request_id, headers={"Retry-After": str(wait)})
                await refusal(scope, receive, named)
            else:
                await self._app(scope, receive, named)
        finally:
            self._metrics.served(route, status, time.perf_counter() - began)

    def _wait(self, scope: Scope, path: str) -> int:
        """Seconds until this address may ask again; 0 when it may now."""
        if not self._rate or path not in _COSTLY:
            return 0
        who = network(scope["client"][0]) if scope.get("client") else ""
        if self._asked.hit(self._rate, who):
            return 0
        reset = self._asked.get_window_stats(self._rate, who).reset_time
        return max(1, round(reset - time.time()))


def network(address: str) -> str:
    """The address itself, or of a long one the half that one household has."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address  # a socket's name, or a test's
    if known.version == 4:
        return address
    return str(ipaddress.ip_network(f"{address}/64", strict=False))
