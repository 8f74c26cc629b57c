"""Signing in by a provider of OpenID Connect: the code flow with PKCE. The only module that knows Authlib.

https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ValidationError

# A provider's keys are public, so a token signed with a shared secret would be signed with what all can read.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_SECONDS = 10  # for each request to the provider
_KEPT_SECONDS = 3600  # what the provider says of itself, and its keys, which it may exchange
_LEEWAY = 60  # seconds by which two clocks may differ


class OpenIdError(Exception):
    """Nobody has signed in; the message tells why, and has nothing that the browser or the provider sent."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Where people sign in, and as what this server is known there."""

    issuer: str
    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Begun:
    """What has to come back: kept in the browser, signed, while the person is at the provider."""

    state: str
    nonce: str
    verifier: str
    wanted: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who the provider says it is; `email` is empty unless the provider has verified it."""

    subject: str
    email: str


class _Metadata(BaseModel):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


@dataclass(frozen=True, slots=True)
class _Known:
    metadata: _Metadata
    keys: KeySet
    until: float


class OpenId:
    """A provider.

    Args:
        provider: Which.

    Raises:
        ValueError: The issuer is no address that can be trusted.
    """

    def __init__(self, provider: Provider) -> None:
        if not _is_safe(provider.issuer):
            raise ValueError(f"the issuer {provider.issuer!r} must begin with https://")
        self.provider = provider
        self._known: _Known | None = None
        self._lock = threading.Lock()

    def begin(self, back: str, wanted: str) -> tuple[str, Begun]:
        """Where to send the browser, and what to keep meanwhile.

        Args:
            back: This server's address for the answer, as the provider knows it.
            wanted: The page to go to at the end.

        Raises:
            OpenIdError: The provider cannot be reached.
        """
        state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
        metadata = self._ask().metadata
        with self._client(back) as client:
            address, _ = client.create_authorization_url(
                metadata.authorization_endpoint,
                state=state,
                nonce=nonce,
                code_verifier=verifier,
            )
        return str(address), Begun(state, nonce, verifier, wanted)

    def finish(self, answer: str, back: str, begun: Begun) -> Claimed:
        """Who has signed in.

        Args:
            answer: The whole address by which the browser came back.
            back: As for `begin`.
            begun: What this browser had kept.

        Raises:
            OpenIdError: Nobody, or somebody pretends.
        """
        given = parse_qs(urlsplit(answer).query)
        if not hmac.compare_digest(given.get("state", [""])[0].encode(), begun.state.encode()):
            raise OpenIdError("the state is another one")
        known = self._ask()
        if given.get("iss", [known.metadata.issuer])[0] != known.metadata.issuer:  # RFC 9207
            raise OpenIdError("the answer is from another provider")
        if "code" not in given:
            raise OpenIdError("the provider refused, or the person did")
        try:
            with self._client(back) as client:
                token = client.fetch_token(
                    known.metadata.token_endpoint,
                    authorization_response=answer,
                    state=begun.state,
                    code_verifier=begun.verifier,
                )
        except (AuthlibBaseError, httpx2.HTTPError, ValueError) as error:
            raise OpenIdError(f"the code was not taken ({type(error).__name__})") from error
        return self._claimed(known, token, begun.nonce)

    def _claimed(self, known: _Known, token: dict[str, object], nonce: str) -> Claimed:
        """What a token says, once it is sure that it is the provider's, for this server and this browser."""
        options = {
            "iss": {"essential": True, "value": known.metadata.issuer},
            "aud": {"essential": True, "value": self.provider.client_id},
        }
        params = {
            "nonce": nonce,
            "client_id": self.provider.client_id,
            "access_token": token.get("access_token"),
        }
        try:
            read = jwt.decode(str(token.get("id_token", "")), known.keys, algorithms=_ALGORITHMS)
            claims = CodeIDToken(read.claims, read.header, options, params)
            claims.validate(leeway=_LEEWAY)
        except (JoseError, ValueError) as error:
            with self._lock:
                self._known = None  # the provider may have exchanged its keys: the next try asks anew
            raise OpenIdError(f"the token is not right ({type(error).__name__})") from error
        email = str(claims.get("email", "")) if claims.get("email_verified") is True else ""
        return Claimed(str(claims["sub"]), email)

    def _client(self, back: str) -> OAuth2Client:
        return OAuth2Client(
            self.provider.client_id,
            self.provider.secret,
            scope="openid email",
            redirect_uri=back,
            code_challenge_method="S256",
            timeout=_SECONDS,
        )

    def _ask(self) -> _Known:
        """What the provider says of itself.

        Raises:
            OpenIdError: It says nothing, or nothing that can be trusted.
        """
        with self._lock:
            if self._known is None or self._known.until < time.monotonic():
                try:
                    self._known = self._discovered()
                except (httpx2.HTTPError, ValidationError, JoseError, ValueError) as error:
                    why = type(error).__name__
                    raise OpenIdError(f"the provider cannot be asked ({why})") from error
            return self._known

    def _discovered(self) -> _Known:
        """https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig."""
        issuer = self.provider.issuer
        with httpx2.Client(timeout=_SECONDS) as client:
            said = client.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration").raise_for_status()
            metadata = _Metadata.model_validate_json(said.content)
            addresses = (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri)
            if metadata.issuer != issuer or not all(map(_is_safe, addresses)):
                raise ValueError("it is another provider, or has addresses without https")
            keys = client.get(metadata.jwks_uri).raise_for_status().json()
        return _Known(metadata, KeySet.import_key_set(keys), time.monotonic() + _KEPT_SECONDS)


def _is_safe(address: str) -> bool:
    """Whether nobody can listen on the way, or it is on this machine."""
    parts = urlsplit(address)
    if parts.scheme == "https":
        return bool(parts.hostname)
    try:
        return parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
