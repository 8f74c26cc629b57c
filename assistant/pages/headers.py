"""What every response tells the browser that it must not do; the pages need no other host for anything.

The chat's page carries Gradio, which compiles its components with `new Function` and writes styles into the
page: so its policy has 'unsafe-eval' and inline styles. Its inline scripts are named each by its hash.
https://www.w3.org/TR/CSP3/
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# For whatever is no page: data, scripts and style sheets.
_NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

_PAGE = (
    "default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors {framed}"
)

# The pages of those who sign in are all our own, and have no style of their own in them either.
_OFFICE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    # The pages' own addresses say nothing of what is asked, and a blog may count who comes from here.
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Permitted-Cross-Domain-Policies": "none",
}

_INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script", re.DOTALL | re.IGNORECASE)


class SecurityHeaders:
    """Middleware that adds the headers.

    Args:
        app: What is served.
        framed_by: Origins whose pages may show the widget in a frame.
    """

    def __init__(self, app: ASGIApp, framed_by: Sequence[str] = ()) -> None:
        self._app = app
        self._framed_by = " ".join(framed_by) or "'none'"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI calls it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        held: list[Message] = []

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _ALWAYS.items():
                    headers.setdefault(name, value)
                if path == "/" and headers.get("content-type", "").startswith("text/html"):
                    held.append(message)  # its policy names its scripts, which are only known from its body
                    return
                headers["Content-Security-Policy"] = self._policy(path)
                _keep_to_itself(headers, path)
            elif held:
                held.append(message)
                if message.get("more_body"):
                    return
                headers = MutableHeaders(scope=held[0])
                body = b"".join(one.get("body", b"") for one in held[1:])
                headers["Content-Security-Policy"] = gradio_policy(body)
                _keep_to_itself(headers, path)
                for one in held:
                    await send(one)
                held.clear()
                return
            await send(message)

        await self._app(scope, receive, guarded)

    def _policy(self, path: str) -> str:
        if path == "/widget":
            return _PAGE.format(scripts="", framed=self._framed_by)
        if is_office(path):
            return _OFFICE
        if path.startswith(("/sample/", "/feedback")):
            return _PAGE.format(scripts="", framed="'none'")
        return _NOTHING


def is_office(path: str) -> bool:
    """Whether it is a page of those who sign in."""
    return f"{path}/".split("/")[1] in {"login", "logout", "staff", "maintain"}


def _keep_to_itself(headers: MutableHeaders, path: str) -> None:
    """Keep other sites, and caches, from reading or holding what is not made for them."""
    if is_office(path):
        headers["Cache-Control"] = "no-store"
    if path not in {"/widget", "/widget.js"}:
        headers["X-Frame-Options"] = "DENY"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
    elif path == "/widget.js":
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"


@lru_cache(maxsize=16)
def gradio_policy(page: bytes) -> str:
    """The policy of a page that Gradio has made."""
    digests = [hashlib.sha256(script).digest() for script in _INLINE_SCRIPT.findall(page)]
    hashes = [f"'sha256-{base64.b64encode(one).decode()}'" for one in dict.fromkeys(digests)]
    return _PAGE.format(scripts=" ".join([*hashes, "'unsafe-eval'"]), framed="'none'")
