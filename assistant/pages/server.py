"""The server: the chat, the API and the sample blog's pages as one application, and running it."""

from __future__ import annotations

import logging
import socket
import threading
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, Response

from assistant.accounts import routes as account_routes
from assistant.accounts.openid import OpenId, Provider
from assistant.api import problems, routes
from assistant.api.doorkeeper import ASKS_PER_MINUTE, Doorkeeper
from assistant.api.mcp_endpoint import mcp_app
from assistant.assistant import Assistant
from assistant.feedback import routes as feedback_routes
from assistant.maintainers import routes as maintainer_routes
from assistant.maintainers.works import Works
from assistant.pages import assets, browse, chat, sample_pages, widget
from assistant.pages.front import Front, Renew
from assistant.pages.headers import SecurityHeaders
from assistant.pages.office import Office
from assistant.pages.starters import starters
from assistant.staff import routes as staff_routes
from assistant.state.database import Database
from index.errors import UnusableError

ABOUT = (
    "Answers from a blog's own articles: quoted, cited, and safe. General information, not medical advice."
)
# Bytes of a request: a message and thirty earlier ones at their longest, each character escaped.
LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """What a server allows.

    Attributes:
        asks_per_minute: Questions of one address; 0 for any number.
        framed_by: Origins whose pages may show the widget.
        provider: Of OpenID Connect, by which staff may sign in; None for passwords alone.
    """

    asks_per_minute: int = ASKS_PER_MINUTE
    framed_by: tuple[str, ...] = ()
    provider: Provider | None = None


class AddressError(UnusableError):
    """The server cannot listen where it was told to."""


def create_app(
    assistant: Assistant | Front,
    options: Options = Options(),
    state: Database | None = None,
    works: Works | None = None,
) -> FastAPI:
    """Everything that is served.

    Args:
        assistant: What answers, or a front that holds what answers at the time.
        options: What the server allows.
        state: Migrated; without it there are no pages to sign in to.
        works: What maintainers can have done; without it they have no pages.
    """
    front = assistant if isinstance(assistant, Front) else Front(assistant)
    others = mcp_app(lambda: front.now.desk)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        async with others.router.lifespan_context(others):
            yield

    app = FastAPI(
        title="Referral",
        description=ABOUT,
        # The usual documentation pages load their scripts from another host.
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        max_body_size=LARGEST,
        lifespan=life,
    )
    problems.install(app)
    app.include_router(routes.router(lambda: front.now.desk, front.metrics))
    app.router.routes.extend(others.routes)

    @app.get("/pages/{name}", include_in_schema=False)
    def asset(name: str) -> FileResponse:
        if name not in assets.ASSETS:
            raise HTTPException(404)
        return FileResponse(
            assets.HERE / name, headers={"Cache-Control": "public, max-age=31536000, immutable"}
        )

    if sample_pages.holds_sample(front.now.assistant.generation):
        app.include_router(sample_pages.router())
    questions = starters(front.now.assistant)
    app.include_router(browse.router(lambda: front.now.browsing, lambda: front.now.assistant.generation.name))
    app.include_router(feedback_routes.router(front, state))
    keeps = state is not None
    app.include_router(widget.router(front, questions, keeps=keeps))
    if state:
        _add_office(app, Office.of(front, state), works, options.provider)
    chat.mount(app, front, questions, keeps=keeps)
    app.middleware("http")(_only_turns)
    app.add_middleware(SecurityHeaders, options.framed_by)
    app.add_middleware(Doorkeeper, front.metrics, options.asks_per_minute)
    return app


def _add_office(app: FastAPI, office: Office, works: Works | None, provider: Provider | None) -> None:
    """Add the pages that are not for everybody; a route that forgets its door has that of its router."""
    account_routes.install(app, office)
    app.include_router(account_routes.router(office, OpenId(provider) if provider else None))
    app.include_router(staff_routes.router(office), dependencies=[Depends(office.doors.staff)])
    if works:
        app.include_router(
            maintainer_routes.router(office, works), dependencies=[Depends(office.doors.maintainer)]
        )


async def _only_turns(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    """Close the doors of Gradio that the page does not use, such as its upload of files to this disk."""
    path = request.url.path
    if path.startswith("/gradio_api/") and path != "/gradio_api/component_server/":
        return Response(status_code=404)
    # Its own sign-in stands behind ours at the same addresses, with other methods or a slash.
    if path in {"/login/", "/openapi.json"} or path.startswith("/monitoring") or _is_its_logout(request):
        return Response(status_code=404)
    return await go_on(request)


def _is_its_logout(request: Request) -> bool:
    return request.url.path == "/logout" and request.method != "POST"


def run(  # noqa: PLR0913 (each is one of the server's parts)
    assistant: Assistant,
    *,
    host: str,
    port: int,
    renew: Renew = lambda _: None,
    options: Options = Options(),
    state: Database | None = None,
    works: Works | None = None,
) -> None:
    """Serve until interrupted; prints the address when the page is there.

    Args:
        assistant: What answers.
        host: Address to listen on.
        port: 0 takes a free one.
        renew: Tells when another generation is to be served; see `Front.follow`.
        options: What it allows.
        state: As for `create_app`.
        works: As for `create_app`.

    Raises:
        AddressError: The address cannot be listened on.
    """
    with listen(host, port) as listening:
        front, stop = Front(assistant), threading.Event()
        app = create_app(front, options, state, works)
        server = _Announcing(uvicorn.Config(app, log_config=LOGGING, access_log=False))
        follower = threading.Thread(target=front.follow, args=(renew, stop), daemon=True)
        follower.start()
        try:
            server.run(sockets=[listening])
        finally:
            stop.set()
            follower.join(timeout=5)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; errors as for `run`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise AddressError(
            f"Cannot listen on {host}, port {port}: {error.strerror or error}. "
            "Choose another with --port, or --port 0 for any free one."
        ) from error


class _Announcing(uvicorn.Server):
    """Tells where it is once it really answers."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for one in sockets or []:
            host, port = one.getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            print(f"Ask the articles at http://{shown}:{port}/ (Ctrl-C stops)", flush=True)


class Discreet(logging.Formatter):
    """Tells where an error arose but not its message, which may hold a visitor's words."""

    def formatException(  # noqa: N802 - logging's own name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """The frames, and the kind of the error."""
        kind, _, frames = ei
        return "".join(traceback.format_tb(frames)) + (kind.__name__ if kind else "")


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"discreet": {"()": Discreet, "format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "discreet"}},
    "loggers": {"uvicorn": {"handlers": ["stderr"], "level": "WARNING", "propagate": False}},
}
