"""A browser that is signed in, without a browser: for tests of the pages of staff and maintainers."""

from __future__ import annotations

import re

from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.testclient import TestClient

from assistant.accounts.accounts import Accounts
from assistant.accounts.passwords import Passwords
from assistant.accounts.roles import Role
from assistant.state.database import Database

PASSWORD = "a long enough passphrase"
# As cheap as Argon2 gets; the parameters stand in the hash, so the server heeds them.
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def visitor(app: FastAPI) -> TestClient:
    """A browser on this machine, where plain http is enough to sign in."""
    return TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50_000), follow_redirects=False)


def add_account(database: Database, name: str, role: Role) -> None:
    """An account with PASSWORD."""
    Accounts(database, CHEAP).add(name, role, PASSWORD)


def sign_in(client: TestClient, name: str, password: str = PASSWORD) -> None:
    """Sign in as a person does, by the form."""
    form = {"name": name, "password": password, "csrf": csrf(client.get("/login").text)}
    assert client.post("/login", data=form).status_code == 303


def signed_in(app: FastAPI, database: Database, role: Role) -> TestClient:
    """A browser in which somebody with this role, and with its name, is signed in."""
    add_account(database, role.value, role)
    client = visitor(app)
    sign_in(client, role.value)
    return client


def csrf(page: str) -> str:
    """The token of a page's first form."""
    found = re.search(r'name="csrf" value="(\w+)"', page)
    assert found, page
    return found[1]
