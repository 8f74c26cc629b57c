"""Signing in and out over HTTP: cookies, forms from other sites, and what each role is let in to."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from assistant.accounts.accounts import Accounts
from assistant.accounts.roles import Role
from assistant.state.database import Database
from tests.signed_in import CHEAP, PASSWORD, add_account, csrf, sign_in, signed_in, visitor
from tests.signing_in_app import signing_in_app


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(f"sqlite:///{tmp_path / 'referral.db'}")
    made.migrate()
    return made


@pytest.fixture
def app(database: Database) -> FastAPI:
    add_account(database, "ann", Role.STAFF)
    return signing_in_app(database)


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return visitor(app)


def form(client: TestClient, **fields: str) -> dict[str, str]:
    given = {"name": "ann", "password": PASSWORD, "csrf": csrf(client.get("/login").text)}
    return given | fields


# ---------------------------------------------------------------- the way in


def test_whoever_is_not_signed_in_is_sent_to_the_login_and_back(client: TestClient) -> None:
    sent = client.get("/staff", params={"q": "a b", "next": "x&y"})
    assert sent.status_code == 303
    login = client.get(sent.headers["location"])
    wanted = re.search(r'name="next" value="([^"]*)"', login.text)
    assert wanted
    back = client.post("/login", data=form(client, next=wanted[1].replace("&amp;", "&")))
    assert back.status_code == 303
    assert back.headers["location"] == "/staff?q=a+b&next=x%26y"
    assert client.get("/staff").json()["name"] == "ann"


@pytest.mark.parametrize(
    ("role", "home"), [(Role.VISITOR, "/"), (Role.STAFF, "/staff"), (Role.MAINTAINER, "/maintain")]
)
def test_each_role_goes_to_its_own_place(app: FastAPI, database: Database, role: Role, home: str) -> None:
    client = signed_in(app, database, role)
    assert client.get("/login").headers["location"] == home
    reached = [client.get(place).status_code for place in ("/staff", "/maintain")]
    assert reached == [200 if role.may(needed) else 403 for needed in (Role.STAFF, Role.MAINTAINER)]


@pytest.mark.parametrize(
    "trap",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\n/evil",
        "http:///x",
        "//[evil",
        "",
    ],
)
def test_nobody_is_sent_to_another_site(client: TestClient, trap: str) -> None:
    done = client.post("/login", data=form(client, next=trap))
    assert (done.status_code, done.headers["location"]) == (303, "/staff")


def test_a_wrong_name_and_a_wrong_password_are_told_alike(client: TestClient) -> None:
    wrong = client.post("/login", data=form(client, password="not the password"))
    unknown = client.post("/login", data=form(client, name="nobody"))
    assert wrong.status_code == unknown.status_code == 403
    assert wrong.text.replace('value="ann"', "") == unknown.text.replace('value="nobody"', "")
    assert "set-cookie" in wrong.headers  # of the form alone:
    assert client.get("/staff").status_code == 303
    assert PASSWORD not in wrong.text


def test_a_name_is_shown_again_as_text_alone(client: TestClient) -> None:
    shown = client.post("/login", data=form(client, name='"><script>alert(1)</script>', password="wrong"))
    assert "<script" not in shown.text


def test_too_many_tries_are_told_with_the_wait(client: TestClient) -> None:
    for _ in range(6):
        client.post("/login", data=form(client, password="wrong"))
    locked = client.post("/login", data=form(client))
    assert locked.status_code == 429
    assert 1 <= int(locked.headers["retry-after"]) <= 30
    assert "Try again in" in locked.text


@pytest.mark.parametrize(
    "fields", [{"name": "x" * 10_000}, {"password": "x" * 10_000}, {"name": "\0"}, {"name": ""}]
)
def test_odd_fields_are_wrong_and_no_more(client: TestClient, fields: dict[str, str]) -> None:
    assert client.post("/login", data=form(client, **fields)).status_code == 403


# ---------------------------------------------------------------- forms of other sites


def test_a_login_form_of_another_site_is_refused(client: TestClient) -> None:
    right = form(client)
    for given in (right | {"csrf": ""}, right | {"csrf": "0" * 64}, right | {"csrf": "é"}):
        assert client.post("/login", data=given).status_code == 403
    client.cookies.clear()
    assert client.post("/login", data=right).status_code == 403  # the token of another browser
    assert client.get("/staff").status_code == 303


@pytest.mark.parametrize("given", [{}, {"csrf": ""}, {"csrf": "0" * 64}, {"csrf": "é"}])
def test_a_form_without_its_token_is_refused(client: TestClient, given: dict[str, str]) -> None:
    sign_in(client, "ann")
    refused = client.post("/staff", data={"word": "hello", **given})
    assert refused.status_code == 403
    assert "too old" in refused.text
    assert client.post("/logout", data=given).status_code == 403
    assert client.get("/staff").status_code == 200  # still signed in


def test_a_token_is_taken_from_a_field_a_file_form_or_a_header(client: TestClient) -> None:
    sign_in(client, "ann")
    token = client.get("/staff").json()["csrf"]
    assert client.post("/staff", data={"word": "hello", "csrf": token}).json() == "hello"
    filed = client.post("/staff", data={"word": "hello", "csrf": token}, files={"x": b"1"})
    assert filed.json() == "hello"
    headers = {"X-CSRF-Token": token}
    assert client.post("/staff/json", json={"a": "b"}, headers=headers).json() == {"a": "b"}
    assert client.post("/staff/json", json={"csrf": token}).status_code == 403
    assert client.post("/staff", data={"word": "hello"}, files={"csrf": token.encode()}).status_code == 403


def test_the_token_of_another_session_is_refused(app: FastAPI, client: TestClient) -> None:
    other = visitor(app)
    sign_in(other, "ann")
    sign_in(client, "ann")
    token = other.get("/staff").json()["csrf"]
    assert client.post("/staff", data={"csrf": token}).status_code == 403


# ---------------------------------------------------------------- cookies and sessions


def session_cookie(client: TestClient) -> str:
    sent = client.post("/login", data=form(client)).headers.get_list("set-cookie")
    (found,) = [line for line in sent if not line.lstrip("_Host-").startswith("referral-before")]
    return str(found)


def cookie(value: str) -> dict[str, str]:
    """Headers in place of what the browser keeps."""
    return {"Cookie": f"referral={value}"}


def test_over_https_the_cookie_is_bound_to_it(app: FastAPI) -> None:
    client = TestClient(app, base_url="https://blog.example", follow_redirects=False)
    cookie = session_cookie(client)
    name, *marks = [part.strip().lower() for part in cookie.split(";")]
    assert name.startswith("__host-referral=")
    assert {"httponly", "secure", "samesite=lax", "path=/"} <= set(marks)
    assert not any(mark.startswith("domain") for mark in marks)
    assert client.get("/staff").status_code == 200


def test_on_this_machine_plain_http_is_enough(client: TestClient) -> None:
    cookie = session_cookie(client)
    assert cookie.startswith("referral=")
    assert "httponly" in cookie.lower()
    assert "secure" not in cookie.lower()


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("http://blog.example", "127.0.0.1"),
        ("http://127.0.0.1", "192.0.2.1"),
        ("http://blog.example", "192.0.2.1"),
    ],
)
def test_over_plain_http_from_elsewhere_no_password_is_taken(app: FastAPI, address: str, client: str) -> None:
    browser = TestClient(app, base_url=address, client=(client, 50_000), follow_redirects=False)
    page = browser.get("/login")
    assert "not encrypted" in page.text
    assert 'type="password"' not in page.text
    done = browser.post("/login", data={"name": "ann", "password": PASSWORD})
    assert done.status_code == 403
    assert browser.get("/staff").status_code == 303


def test_signing_in_gives_a_new_token_and_ends_the_old(client: TestClient) -> None:
    given = form(client)
    client.post("/login", data=given)
    old = client.cookies["referral"]
    client.post("/login", data=given)
    assert client.get("/staff", headers=cookie(client.cookies["referral"])).status_code == 200
    assert client.get("/staff", headers=cookie(old)).status_code == 303


def test_a_session_cannot_be_planted_before_signing_in(client: TestClient) -> None:
    client.cookies.set("referral", "planted", domain="127.0.0.1", path="/")
    sign_in(client, "ann")
    assert "planted" not in client.cookies["referral"]


def test_signing_out_ends_the_session_for_every_copy_of_the_cookie(client: TestClient) -> None:
    sign_in(client, "ann")
    kept, token = client.cookies["referral"], client.get("/staff").json()["csrf"]
    assert client.post("/logout", data={"csrf": token}).headers["location"] == "/login"
    assert "referral" not in client.cookies
    assert client.get("/staff", headers=cookie(kept)).status_code == 303
    assert client.post("/logout").status_code == 303  # once more does no harm


def test_a_cookie_that_was_changed_opens_nothing(client: TestClient) -> None:
    sign_in(client, "ann")
    kept = client.cookies["referral"]
    assert client.get("/staff", headers=cookie(kept)).status_code == 200
    for changed in (kept[:-2], "x" + kept, kept.split(".")[0], kept[::-1], ""):
        assert client.get("/staff", headers=cookie(changed)).status_code == 303


def test_the_signature_itself_expires(database: Database) -> None:
    times = [datetime(2026, 3, 14, 9, tzinfo=UTC)]
    client = visitor(signing_in_app(database, clock=lambda: times[-1]))
    add_account(database, "ann", Role.STAFF)
    sign_in(client, "ann")
    assert client.get("/staff").status_code == 200
    times.append(times[0] + timedelta(minutes=59))
    assert client.get("/staff").status_code == 200
    times.append(times[0] + timedelta(hours=13))
    assert client.get("/staff").status_code == 303


def test_whoever_is_disabled_is_out_at_once(client: TestClient, database: Database) -> None:
    sign_in(client, "ann")
    Accounts(database, CHEAP).disable("ann")
    assert client.get("/staff").status_code == 303


# ---------------------------------------------------------------- what is told


def test_pages_are_kept_by_nobody_and_run_only_our_scripts(client: TestClient) -> None:
    for place in ("/login", "/staff"):
        headers = client.get(place).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-frame-options"] == "DENY"
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "form-action 'self'" in policy


def test_a_script_is_told_to_sign_in_instead_of_being_sent_to_a_page(client: TestClient) -> None:
    told = client.get("/staff", headers={"Sec-Fetch-Mode": "cors"})
    assert told.status_code == 401
    assert told.headers["content-type"] == "application/problem+json"


def test_the_audit_tells_who_came_went_and_was_refused(client: TestClient, database: Database) -> None:
    sign_in(client, "ann")
    assert client.get("/maintain").status_code == 403
    client.post("/logout", data={"csrf": client.get("/staff").json()["csrf"]})
    told = [(line.name, line.action, line.about) for line in Accounts(database, CHEAP).audit(3)]
    assert told == [
        ("ann", "signed out", ""),
        ("ann", "refused", "GET /maintain"),
        ("ann", "signed in", "from 127.0.0.1"),
    ]
