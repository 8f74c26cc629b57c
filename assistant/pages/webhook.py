"""Where a shop tells that its blog has changed: a signed message sets off a run of indexing."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import PlainTextResponse

_LONGEST = 5_000_000  # bytes of a message; a long article is far shorter
_REMEMBERED = 1_000  # messages, by which one that is sent again is known


def create_webhook(secret: str, call: Callable[[str], None], metrics: Callable[[], str]) -> FastAPI:
    """Takes messages as Shopify signs them, and shows the counters at /metrics.

    Args:
        secret: What messages are signed with.
        call: Has a run soon, given why.
        metrics: The counters as text.
    """
    app = FastAPI(title="Referral watch", docs_url=None, redoc_url=None, openapi_url=None)
    seen: OrderedDict[str, None] = OrderedDict()

    @app.get("/metrics")
    def counters() -> PlainTextResponse:
        return PlainTextResponse(metrics())

    @app.post("/webhook", status_code=202)
    async def changed(request: Request) -> dict[str, str]:
        body = await _body(request)
        if not is_signed(secret, body, request.headers.get("X-Shopify-Hmac-Sha256", "")):
            raise HTTPException(401, "The message is not signed with the secret that was agreed on.")
        message = request.headers.get("X-Shopify-Webhook-Id", "")
        if message and message in seen:
            return {"status": "known already"}
        if message:
            seen[message] = None
            if len(seen) > _REMEMBERED:
                seen.popitem(last=False)
        topic = request.headers.get("X-Shopify-Topic", "")
        call(f"webhook {topic if topic.replace('/', '').replace('_', '').isalnum() else ''}".strip())
        return {"status": "a run will follow"}

    return app


def is_signed(secret: str, body: bytes, signature: str) -> bool:
    """Whether a message carries the base64 of the HMAC-SHA256 of its bytes."""
    expected = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())
    return hmac.compare_digest(expected, signature.encode())


async def _body(request: Request) -> bytes:
    """The message, refused as soon as it is too long."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST:
            raise HTTPException(413, "The message is too long.")
    return bytes(body)
