"""The server: the chat, the API and the sample blog's pages as one application, and running it."""

from __future__ import annotations

import logging
import socket
import traceback
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, Response

from assistant.answer import to_json
from assistant.assistant import Assistant
from assistant.pages import chat, sample_pages
from assistant.pages.cards import Cards
from assistant.pages.desk import Desk, Message
from assistant.pages.starters import starters
from index.errors import UnusableError


class AddressError(UnusableError):
    """The server cannot listen where it was told to."""


def create_app(assistant: Assistant) -> FastAPI:
    """Everything that is served for one assistant."""
    # The usual documentation pages load their scripts from another host.
    app = FastAPI(title="Referral", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json")
    desk = Desk(assistant)

    @app.get("/healthz", include_in_schema=False)
    def healthz() -> dict[str, str]:
        return {"status": "ok", "generation": assistant.generation.name}

    @app.post("/api/v1/ask")
    async def ask(message: Message) -> dict[str, Any]:
        return to_json(await desk.ask(message))

    @app.get("/pages/{name}", include_in_schema=False)
    def asset(name: str) -> FileResponse:
        if name not in chat.ASSETS:
            raise HTTPException(404)
        return FileResponse(
            chat.HERE / name, headers={"Cache-Control": "public, max-age=31536000, immutable"}
        )

    hosted = None
    if sample_pages.holds_sample(assistant.generation):
        app.include_router(sample_pages.router())
        hosted = sample_pages.HOSTED
    cards = Cards(assistant.generation, assistant.country, hosted)
    chat.mount(app, desk, cards, starters(assistant))
    app.middleware("http")(_only_turns)
    return app


async def _only_turns(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    """Close the doors of Gradio that the page does not use, such as its upload of files to this disk."""
    path = request.url.path
    if path.startswith("/gradio_api/") and path != "/gradio_api/component_server/":
        return Response(status_code=404)
    return await go_on(request)


def run(assistant: Assistant, *, host: str, port: int) -> None:
    """Serve until interrupted; prints the address when the page is there.

    Args:
        assistant: What answers.
        host: Address to listen on.
        port: 0 takes a free one.

    Raises:
        AddressError: The address cannot be listened on.
    """
    with listen(host, port) as listening:
        server = _Announcing(uvicorn.Config(create_app(assistant), log_config=LOGGING, access_log=False))
        server.run(sockets=[listening])


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
