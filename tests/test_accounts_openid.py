"""Signing in by OpenID Connect, at a small provider of the test's own that can be told to misbehave."""

from __future__ import annotations

import base64
import hmac
import http.server
import json
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import typer
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import RSAKey

import app
from assistant.accounts.accounts import Accounts
from assistant.accounts.openid import OpenId, Provider
from assistant.accounts.roles import Role
from assistant.state.database import Database
from tests.signed_in import CHEAP, visitor
from tests.signing_in_app import signing_in_app

CLIENT, SECRET = "referral", "a secret of the two"


class FakeProvider(http.server.ThreadingHTTPServer):
    """Knows one person. `claims` and `key` say what its next token holds and is signed with."""

    def __init__(self, key: RSAKey) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.issuer = f"http://127.0.0.1:{self.server_address[1]}"
        self.metadata = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        self.key = self.shown = key
        self.sign_with = b""  # a secret for HS256 in place of the key
        self.algorithm = "RS256"
        self.claims: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}

    def sign_in(self, address: str) -> str:
        """What the provider's pages would do: the address that the browser is sent back to."""
        asked = {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?code={code}&state={asked['state']}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, str] | None:
        asked = self.codes.pop(form.get("code", ""), None)
        expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if asked is None or authorization != f"Basic {expected}":
            return None
        digest = base64.urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest())
        assert digest.decode().rstrip("=") == asked["code_challenge"]
        assert form["redirect_uri"] == asked["redirect_uri"]
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "1234",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "email": "Ann@blog.example",
            "email_verified": True,
        }
        header = {"alg": self.algorithm, "kid": "one"}
        told = {key: value for key, value in (claims | self.claims).items() if value is not None}
        signed = jwt.encode(header, told, self.key, algorithms=[self.algorithm])
        if self.sign_with:
            signed = by_hand(told, self.sign_with)
        return {"access_token": "opaque", "token_type": "Bearer", "id_token": signed}


def by_hand(claims: dict[str, Any], secret: bytes) -> str:
    """A token signed with HS256."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "kid": "one"}, claims)]
    body = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = base64.urlsafe_b64encode(hmac.digest(secret, body, "sha256")).rstrip(b"=")
    return (body + b"." + signature).decode()


class _Answers(http.server.BaseHTTPRequestHandler):
    server: FakeProvider

    def do_GET(self) -> None:
        if self.path == "/.well-known/openid-configuration":
            self._send(self.server.metadata)
        elif self.path == "/keys":
            self._send({"keys": [self.server.shown.as_dict(private=False)]})
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {key: values[0] for key, values in parse_qs(body).items()}
        token = self.server.token(form, self.headers.get("Authorization", ""))
        self._send(token or {"error": "invalid_grant"}, 200 if token else 400)

    def _send(self, value: object, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "one"})


@pytest.fixture(scope="module")
def another_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "one"})


@pytest.fixture
def provider(key: RSAKey) -> Iterator[FakeProvider]:
    with FakeProvider(key) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    database = Database(f"sqlite:///{tmp_path / 'referral.db'}")
    database.migrate()
    made = Accounts(database, CHEAP)
    made.add("ann", Role.STAFF, None, "ann@blog.example")
    return made


@pytest.fixture
def client(provider: FakeProvider, accounts: Accounts, tmp_path: Path) -> TestClient:
    database = Database(f"sqlite:///{tmp_path / 'referral.db'}")
    return visitor(signing_in_app(database, Provider(provider.issuer, CLIENT, SECRET)))


def go(client: TestClient, provider: FakeProvider) -> tuple[str, int, bool]:
    """Sign in there; the address that the browser came back to, what it got, and whether it is signed in."""
    begun = client.get("/login/openid", params={"next": "/staff?a=b"})
    assert begun.status_code == 303
    back = provider.sign_in(begun.headers["location"])
    done = client.get(back)
    return back, done.status_code, client.get("/staff").status_code == 200


def last_about(accounts: Accounts) -> str:
    return accounts.audit(1)[0].about


# ---------------------------------------------------------------- as it should be


def test_the_page_offers_it_and_it_signs_in(
    client: TestClient, provider: FakeProvider, accounts: Accounts
) -> None:
    page = client.get("/login", params={"next": "/staff?a=b"}).text
    assert 'href="/login/openid?next=/staff%3Fa%3Db"' in page
    begun = client.get("/login/openid", params={"next": "/staff?a=b"})
    done = client.get(provider.sign_in(begun.headers["location"]))
    assert done.headers["location"] == "/staff?a=b"
    assert client.get("/staff").json()["name"] == "ann"
    assert SECRET not in str(begun.headers) + str(done.headers)
    assert last_about(accounts) == f"by {provider.issuer}; from 127.0.0.1"


def test_from_then_on_the_subject_decides_and_the_address_does_not(
    client: TestClient, provider: FakeProvider
) -> None:
    assert go(client, provider)[1:] == (303, True)
    client.cookies.clear()
    provider.claims = {"email": "ann.new@blog.example"}
    assert go(client, provider)[1:] == (303, True)
    client.cookies.clear()
    provider.claims = {"sub": "somebody else, who was given the old address"}
    assert go(client, provider)[1:] == (403, False)


def test_an_account_can_be_mapped_to_a_subject(
    client: TestClient, provider: FakeProvider, accounts: Accounts
) -> None:
    provider.claims = {"email": None}
    assert go(client, provider)[1:] == (403, False)
    accounts.set_identity("ann", "", f"{provider.issuer} 1234")
    assert go(client, provider)[1:] == (303, True)


def test_keys_may_be_exchanged(client: TestClient, provider: FakeProvider, another_key: RSAKey) -> None:
    assert go(client, provider)[1:] == (303, True)
    client.cookies.clear()
    provider.key = provider.shown = another_key
    assert go(client, provider)[1:] == (403, False)  # once; the keys are asked for again after that
    assert go(client, provider)[1:] == (303, True)


# ---------------------------------------------------------------- as it must not be


def test_nobody_without_an_account_gets_in(client: TestClient, provider: FakeProvider) -> None:
    provider.claims = {"email": "stranger@blog.example"}
    assert go(client, provider)[1:] == (403, False)


def test_an_address_that_nobody_has_verified_is_not_believed(
    client: TestClient, provider: FakeProvider
) -> None:
    for unverified in (False, None, "true"):
        provider.claims = {"email_verified": unverified}
        assert go(client, provider)[1:] == (403, False)


def test_whoever_is_disabled_does_not_get_in(
    client: TestClient, provider: FakeProvider, accounts: Accounts
) -> None:
    accounts.disable("ann")
    assert go(client, provider)[1:] == (403, False)


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://evil.example"},
        {"aud": "another client"},
        {"aud": None},
        {"aud": [CLIENT, "another client"], "azp": "another client"},
        {"exp": 1_000_000},
        {"exp": None},
        {"iat": 4_000_000_000},
        {"sub": None},
        {"at_hash": "of another access token"},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_this_sign_in_is_refused(
    client: TestClient, provider: FakeProvider, accounts: Accounts, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    assert go(client, provider)[1:] == (403, False)
    assert "the token is not right" in last_about(accounts)


def test_a_token_signed_by_somebody_else_is_refused(
    client: TestClient, provider: FakeProvider, another_key: RSAKey
) -> None:
    provider.key = another_key
    assert go(client, provider)[1:] == (403, False)


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(
    client: TestClient, provider: FakeProvider
) -> None:
    # The library would not make a key of it; so the token is signed by hand.
    provider.sign_with = provider.shown.as_pem(private=False)
    assert go(client, provider)[1:] == (403, False)


def test_an_unsigned_token_is_refused(client: TestClient, provider: FakeProvider) -> None:
    provider.algorithm = "none"
    assert go(client, provider)[1:] == (403, False)


@pytest.mark.parametrize("change", ["state=another", "state=", ""])
def test_another_state_is_refused(
    client: TestClient, provider: FakeProvider, accounts: Accounts, change: str
) -> None:
    begun = client.get("/login/openid")
    back = provider.sign_in(begun.headers["location"])
    assert client.get(f"{back.partition('&state=')[0]}&{change}").status_code == 403
    assert "the state is another one" in last_about(accounts)
    assert client.get("/staff").status_code == 303
    assert provider.codes  # the code was not even tried


def test_an_answer_in_another_browser_is_refused(client: TestClient, provider: FakeProvider) -> None:
    begun = client.get("/login/openid")
    back = provider.sign_in(begun.headers["location"])
    client.cookies.clear()
    assert client.get(back).status_code == 403
    assert client.get("/staff").status_code == 303


def test_an_answer_is_taken_once(client: TestClient, provider: FakeProvider) -> None:
    back, status, is_in = go(client, provider)
    assert (status, is_in) == (303, True)
    client.cookies.delete("referral")
    assert client.get(back).status_code == 403
    assert client.get("/staff").status_code == 303


def test_an_answer_of_another_provider_is_refused(client: TestClient, provider: FakeProvider) -> None:
    begun = client.get("/login/openid")
    back = provider.sign_in(begun.headers["location"])
    assert client.get(f"{back}&iss=https%3A%2F%2Fevil.example").status_code == 403


def test_somebody_who_changes_their_mind_is_told_so(
    client: TestClient, provider: FakeProvider, accounts: Accounts
) -> None:
    begun = client.get("/login/openid")
    state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
    done = client.get(f"/login/openid/back?error=access_denied&state={state}")
    assert (done.status_code, "not finished" in done.text) == (403, True)
    assert "refused" in last_about(accounts)


def test_a_provider_that_speaks_for_another_issuer_is_not_used(
    client: TestClient, provider: FakeProvider
) -> None:
    provider.metadata["issuer"] = "https://other.example"
    assert client.get("/login/openid").status_code == 503


def test_a_provider_that_would_take_the_secret_over_plain_http_is_not_used(
    client: TestClient, provider: FakeProvider
) -> None:
    provider.metadata["token_endpoint"] = "http://id.example/token"
    assert client.get("/login/openid").status_code == 503


# ---------------------------------------------------------------- settings


def test_an_issuer_must_be_https_or_on_this_machine() -> None:
    with pytest.raises(ValueError, match="https"):
        OpenId(Provider("http://id.example", CLIENT, SECRET))


def test_the_secret_is_not_shown_with_the_provider() -> None:
    assert SECRET not in repr(Provider("https://id.example", CLIENT, SECRET))


def test_half_of_the_settings_is_an_error_that_names_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    half = app.Settings(oidc_issuer="https://id.example", oidc_client_id=CLIENT)
    with pytest.raises(typer.BadParameter, match="REFERRAL_OIDC_SECRET_ENV"):
        app._provider(half)
    whole = app.Settings(
        oidc_issuer="https://id.example", oidc_client_id=CLIENT, oidc_secret_env="THE_SECRET"
    )
    monkeypatch.delenv("THE_SECRET", raising=False)
    with pytest.raises(typer.BadParameter, match="names THE_SECRET"):
        app._provider(whole)
    monkeypatch.setenv("THE_SECRET", SECRET)
    assert app._provider(whole) == Provider("https://id.example", CLIENT, SECRET)
    assert app._provider(app.Settings()) is None
