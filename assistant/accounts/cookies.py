"""Cookies that only this server can have made, and only lately. The only module that knows itsdangerous."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import urlsplit

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import Response

Clock = Callable[[], datetime]


def now() -> datetime:
    """What time it is."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Cookie:
    """A kind of cookie: its name, and for how many seconds it holds."""

    name: str
    seconds: int


class Cookies:
    """Puts signed cookies on responses, and reads them.

    Args:
        key: What they are signed with.
        clock: Tells the time.
    """

    def __init__(self, key: str, clock: Clock = now) -> None:
        self._key = key
        self._clock = clock

    def put(self, request: Request, response: Response, kind: Cookie, value: object) -> None:
        """Have the browser keep a value, which may be anything that JSON has."""
        signed = str(self._serializer(kind).dumps(value))
        secure = is_secure(request)
        response.set_cookie(
            _name(kind, secure=secure),
            signed,
            max_age=kind.seconds,
            path="/",
            httponly=True,
            samesite="lax",
            secure=secure,
        )

    def read(self, request: Request, kind: Cookie) -> object:
        """What the browser kept; None when there is nothing, or it is too old or not ours."""
        signed = request.cookies.get(_name(kind, secure=is_secure(request)), "")
        try:
            value: object = self._serializer(kind).loads(signed, max_age=kind.seconds)
        except BadData:
            return None
        return value

    def drop(self, request: Request, response: Response, kind: Cookie) -> None:
        """Have the browser forget it."""
        secure = is_secure(request)
        response.delete_cookie(
            _name(kind, secure=secure), path="/", httponly=True, samesite="lax", secure=secure
        )

    def proof(self, purpose: str, token: str) -> str:
        """What only this server can make of a token: stands in a form beside a cookie that has the token."""
        return hmac.new(self._key.encode(), f"{purpose}\n{token}".encode(), sha256).hexdigest()

    def proves(self, given: str, purpose: str, token: str) -> bool:
        """Whether a form's proof is of this token."""
        return hmac.compare_digest(given.encode(), self.proof(purpose, token).encode())

    def _serializer(self, kind: Cookie) -> URLSafeTimedSerializer:
        clock = self._clock

        class Signer(TimestampSigner):
            def get_timestamp(self) -> int:
                return int(clock().timestamp())

        options = {"key_derivation": "hmac", "digest_method": sha256}
        return URLSafeTimedSerializer(self._key, salt=kind.name, signer=Signer, signer_kwargs=options)


def _name(kind: Cookie, *, secure: bool) -> str:
    """With the prefix, a browser takes it only over https, from this very host, for all of it."""
    return f"__Host-{kind.name}" if secure else kind.name


def is_secure(request: Request) -> bool:
    """Whether the browser came over https, to this server or to a proxy that it trusts.

    Uvicorn takes X-Forwarded-Proto from 127.0.0.1 or what FORWARDED_ALLOW_IPS names, and from nobody else.
    """
    return request.url.scheme == "https"


def is_private(request: Request) -> bool:
    """Whether nobody can listen on the way: https, or this machine alone on both ends."""
    if is_secure(request):
        return True
    asked = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    client = request.client.host if request.client else ""
    return (asked == "localhost" or _is_loopback(asked)) and _is_loopback(client)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
