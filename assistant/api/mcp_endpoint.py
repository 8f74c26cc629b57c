"""The same questions and the same safety for other assistants: an endpoint of the Model Context Protocol.

https://modelcontextprotocol.io/ , over streamable HTTP and without sessions: each call stands alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import ToolAnnotations
from pydantic import Field
from starlette.applications import Starlette
from starlette.routing import Route

from assistant.answer import to_json
from assistant.api import searching
from assistant.api.desk import LONGEST, TURNS, BusyError, Desk, Message
from assistant.api.problems import RETRY
from assistant.api.schema import AnswerShown, SearchQuery, SearchShown
from index.passage import PassageKind

PATH = "/mcp"

INSTRUCTIONS = (
    "Answers from one blog's articles about muscles and manual therapy, quoted word for word. "
    "If `notice` is not null, show its text whole, and first unless its level is safety_net; say nothing "
    "that weakens it. Keep the [1] markers and show each citation with its link. Add nothing to the quotes. "
    "If kind is `abstention`, say that the articles do not cover it. Always show `disclaimer`."
)

_READS = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
_Words = Annotated[str, Field(max_length=LONGEST)]


def mcp_app(desk: Callable[[], Desk]) -> Starlette:
    """An application with the endpoint at PATH; its lifespan must be entered.

    Args:
        desk: As for the API's routes.
    """
    # It would log arguments that do not fit, which are a visitor's words.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    server: MCPServer[None] = MCPServer(
        "referral", title="Ask the articles", instructions=INSTRUCTIONS, log_level="CRITICAL"
    )

    @server.tool(title="Ask the articles", annotations=_READS)
    async def ask(
        question: Annotated[_Words, Field(description="The person's question, in their own words.")],
        history: Annotated[
            list[_Words], Field(max_length=TURNS, description="The person's earlier messages, oldest first.")
        ] = [],  # noqa: B006 (never changed)
    ) -> AnswerShown:
        """Answer a question with quotes from the blog's articles, each with its source.

        A message that describes an emergency gets a safety notice and nothing else. Pass the person's words
        as they are: what a summary leaves out cannot be noticed.
        """
        try:
            answer = await desk().ask(Message(question=question, history=tuple(history)))
        except (BusyError, TimeoutError) as error:
            raise ToolError(f"Too busy at this moment. Try again in {RETRY} seconds.") from error
        return AnswerShown.model_validate(to_json(answer))

    @server.tool(title="Search the articles", annotations=_READS)
    async def search(
        query: Annotated[_Words, Field(min_length=1, description="What to look for.")],
        top: Annotated[int, Field(ge=1, le=20, description="How many passages.")] = 5,
        tag: Annotated[
            list[str], Field(max_length=20, description="Only articles with one of these tags.")
        ] = [],  # noqa: B006
        author: Annotated[list[str], Field(max_length=20, description="Only articles by one of these.")] = [],  # noqa: B006
        kind: Annotated[
            PassageKind, Field(description="`comment`: readers' words, which nobody checked.")
        ] = "article",
    ) -> SearchShown:
        """Find passages of the articles, word for word, with links to where they stand."""
        serving = desk()
        wanted = SearchQuery(q=query, top=top, tag=tuple(tag), author=tuple(author), kind=kind)
        try:
            return await serving.work(lambda: searching.search(serving.assistant, wanted))
        except (BusyError, TimeoutError) as error:
            raise ToolError(f"Too busy at this moment. Try again in {RETRY} seconds.") from error

    app = server.streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,
        json_response=True,
        # Nothing is behind it that the API does not give to anybody: it may be called by any host's name.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    for route in app.routes:
        if isinstance(route, Route):
            route.methods = {"POST"}  # a GET would hold a line open for messages that never come
    return app
