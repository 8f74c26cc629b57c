"""Every route of the whole application: open to all because it stands in a list here, or closed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute, Mount

from assistant.accounts.openid import Provider
from assistant.accounts.roles import Role
from assistant.assistant import Assistant
from assistant.maintainers.works import Works
from assistant.pages.server import Options, create_app
from assistant.safety.check import SafetyCheck
from assistant.state.database import Database
from index.encoder import Encoder
from index.generation import Sourced
from index.query import QueryMaker
from index.retriever import Retriever
from index.store import Store
from ingest.article import Article
from tests.signed_in import signed_in, visitor

# Whoever adds a route that everybody may use adds it here, and thinks about it meanwhile.
PUBLIC = {
    # the visitors' page, and what Gradio loads for it
    "GET /", "HEAD /", "GET /config", "GET /config/", "GET /theme.css", "GET /favicon.ico", "GET /robots.txt",
    "GET /manifest.json", "GET /pwa_icon", "GET /pwa_icon/{size}", "GET /svelte/{path:path}",
    "GET /static/{path:path}", "GET /assets/{path:path}", "POST /gradio_api/component_server/",
    "GET /pages/{name}", "GET /bodymap", "GET /bodymap/articles",
    # a visitor's own word on an answer, by consent
    "POST /feedback", "GET /feedback", "POST /feedback/verdict", "POST /feedback/delete",
    # the widget
    "GET /widget", "GET /widget.js", "POST /widget/ask", "POST /widget/onward",
    # for programs
    "GET /api/v1/openapi.json", "HEAD /api/v1/openapi.json", "POST /api/v1/ask", "GET /api/v1/search",
    "POST /api/v1/search", "GET /api/v1/articles", "GET /api/v1/article", "POST /mcp",
    "GET /healthz", "HEAD /healthz", "GET /readyz", "HEAD /readyz", "GET /metrics",
    # answer 404 to whatever is no route
    "GET /api/{path:path}", "POST /api/{path:path}", "PUT /api/{path:path}", "DELETE /api/{path:path}",
    # the way in and out
    "GET /login", "POST /login", "GET /login/openid", "GET /login/openid/back", "POST /logout",
}  # fmt: skip

CALF = Article(id="/blogs/a/calf", title="The calf", text="The calf lifts the heel. It is a muscle.")


def routes(app: FastAPI) -> list[str]:
    """Method and path of every route, those of mounted applications included."""
    return sorted(set(_routes(app.routes)))


def _routes(found: Sequence[BaseRoute], prefix: str = "") -> Iterator[str]:
    for one in iter_route_contexts(found):
        path = prefix + str(getattr(one, "path", "") or "")
        if isinstance(one.original_route, Mount):
            yield from _routes(one.original_route.routes, path.rstrip("/"))
        else:
            # A web socket has no methods; there is none, and one would be seen here.
            yield from (f"{method} {path}" for method in getattr(one, "methods", None) or ["WEBSOCKET"])


def needed(route: str) -> Role | None:
    """Whose pages a route is among, by its path."""
    place = f"{route.split()[1]}/"
    if place.startswith(("/staff/", "/staff.")):
        return Role.STAFF
    return Role.MAINTAINER if place.startswith("/maintain/") else None


def call(client: TestClient, route: str) -> tuple[int, str]:
    """The status and the place that a request without a body is sent to."""
    method, path = route.split()
    got = client.request(method, re.sub(r"\{[^}]*\}", "1", path))
    return got.status_code, got.headers.get("location", "")


def _never(*_: object) -> NoReturn:
    raise AssertionError("something was done for somebody who may not have it done")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path_factory.mktemp('doors') / 'referral.db'}")
    made.migrate()
    yield made
    made.close()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Encoder) -> Path:
    folder = tmp_path_factory.mktemp("doors") / "store"
    Store(folder).write([Sourced(CALF, "test")], tiny_encoder)
    return folder


@pytest.fixture(scope="module")
def assistant(store: Path, tiny_encoder: Encoder) -> Assistant:
    retriever = Retriever(Store(store).open(tiny_encoder.identity), tiny_encoder)
    return Assistant(retriever, SafetyCheck(), QueryMaker.of(retriever.generation, tiny_encoder))


@pytest.fixture(scope="module")
def app(assistant: Assistant, database: Database, store: Path) -> FastAPI:
    works = Works(store, _never, _never, _never, _never)
    options = Options(asks_per_minute=0, provider=Provider("http://127.0.0.1:1", "referral", "secret"))

    async def make() -> FastAPI:
        return create_app(assistant, options, database, works)

    return asyncio.run(make())


@pytest.fixture(scope="module")
def anybody(app: FastAPI) -> Iterator[TestClient]:
    with visitor(app) as client:
        yield client


@pytest.fixture(scope="module")
def closed(app: FastAPI) -> list[str]:
    return [route for route in routes(app) if route not in PUBLIC]


def test_the_list_of_public_routes_names_only_what_there_is(app: FastAPI) -> None:
    assert sorted(PUBLIC.difference(routes(app))) == []


def test_the_walk_sees_pages_of_every_kind(closed: list[str]) -> None:
    assert {needed(route) for route in closed} == {None, Role.STAFF, Role.MAINTAINER}
    assert "POST /gradio_api/queue/join" in closed
    assert "POST /gradio_api/upload" in closed
    assert not any(needed(route) for route in PUBLIC)


def test_nothing_else_answers_somebody_without_a_role(anybody: TestClient, closed: list[str]) -> None:
    answered = {route: call(anybody, route) for route in closed}
    open_ = {
        route: (status, place)
        for route, (status, place) in answered.items()
        if not (status == 303 and place.startswith("/login") if needed(route) else status == 404)
    }
    assert open_ == {}


def test_a_visitor_with_an_account_is_refused_by_all_of_them(
    app: FastAPI, database: Database, closed: list[str]
) -> None:
    client = signed_in(app, database, Role.VISITOR)
    assert {call(client, route)[0] for route in closed if needed(route)} == {403}


def test_staff_are_refused_by_all_that_is_for_maintainers(
    app: FastAPI, database: Database, closed: list[str]
) -> None:
    client = signed_in(app, database, Role.STAFF)
    assert {call(client, route)[0] for route in closed if needed(route) is Role.MAINTAINER} == {403}
    assert call(client, "GET /staff")[0] == 200


def test_a_maintainer_is_refused_whatever_changes_something_without_its_token(
    app: FastAPI, database: Database, closed: list[str]
) -> None:
    client = signed_in(app, database, Role.MAINTAINER)
    changing = [route for route in closed if needed(route) and route.split()[0] not in {"GET", "HEAD"}]
    assert len(changing) > 3
    assert {route: call(client, route)[0] for route in changing} == dict.fromkeys(changing, 403)
    assert [call(client, f"GET {place}")[0] for place in ("/staff", "/maintain")] == [200, 200]


@pytest.mark.parametrize(
    "path",
    [
        "/staff/",
        "/STAFF",
        "http://127.0.0.1//staff",
        "/./staff",
        "/x/../staff",
        "/staff/../maintain",
        "/%73taff",
        "/staff%2f",
    ],
)
def test_no_spelling_of_a_path_goes_round_the_door(anybody: TestClient, path: str) -> None:
    got = anybody.get(path)
    assert got.status_code in {303, 307, 404}
    assert "Sign out" not in got.text


def test_the_descriptions_for_programs_tell_of_no_closed_page(anybody: TestClient) -> None:
    paths = anybody.get("/api/v1/openapi.json").json()["paths"]
    assert [path for path in paths if needed(f"GET {path}") or "login" in path] == []


def test_without_a_database_there_is_nobody_to_sign_in(assistant: Assistant) -> None:
    async def make() -> FastAPI:
        return create_app(assistant, Options(asks_per_minute=0))

    with visitor(asyncio.run(make())) as client:
        assert [client.get(place).status_code for place in ("/login", "/staff", "/maintain")] == [
            405,
            404,
            404,
        ]
        assert [client.post(place).status_code for place in ("/login/", "/logout")] == [404, 405]
