"""A blog's server on this machine, for tests: it answers what it is told, and remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Answer:
    """One answer; `raw` is written as it is, in place of a status line, headers and a body."""

    body: bytes | str = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = b""


@dataclass(frozen=True)
class Asked:
    """One request."""

    path: str
    headers: Mapping[str, str]


Pages = dict[str, "Answer | str | Callable[[Asked], Answer]"]


@dataclass
class Blog:
    """A running server: change `pages` as the blog changes."""

    url: str
    pages: Pages
    asked: list[Asked]

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked if asked.path != "/robots.txt"]


def with_etag(body: str, etag: str, media: str = "text/html; charset=utf-8") -> Callable[[Asked], Answer]:
    """A page that answers "not modified" to who has it already."""

    def answer(asked: Asked) -> Answer:
        headers = {"ETag": etag, "Content-Type": media}
        if asked.headers.get("if-none-match") == etag:
            return Answer(status=304, headers=headers)
        return Answer(body, headers=headers)

    return answer


@contextmanager
def serving(pages: Pages) -> Iterator[Blog]:
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            request = Asked(self.path, {name.lower(): value for name, value in self.headers.items()})
            asked.append(request)
            found = pages.get(self.path, Answer("not here", 404))
            answer = found(request) if callable(found) else Answer(found) if isinstance(found, str) else found
            if answer.raw:
                self.wfile.write(answer.raw)
                self.close_connection = True
                return
            body = answer.body.encode() if isinstance(answer.body, str) else answer.body
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if "Content-Length" not in answer.headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if answer.status != 304:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Blog(f"http://127.0.0.1:{server.server_port}", pages, asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
