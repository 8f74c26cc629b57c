"""An answer as server-sent events: what must be read first comes first.

disclaimer   {"text"}
notice       the notice, unless it is a `safety_net`, which follows the claims
claim        a claim, each after the citations that it is the first to rest on
citation     a citation
done         the whole answer, as it is without streaming

While the answer is made, comments keep the line open; when it fails, `problem` ends the stream.
https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

from assistant.answer import Answer, to_json

BREATH = 10.0  # seconds between two comments: proxies close a line that is silent for long


async def stream(answering: asyncio.Task[Answer]) -> AsyncIterator[str]:
    """The events of an answer that is being made."""
    yield ": looking in the articles\n\n"
    while not (await asyncio.wait({answering}, timeout=BREATH))[0]:
        yield ": still looking\n\n"
    if answering.exception():
        yield event("problem", {"title": "Failed", "detail": "The answer failed; ask again."})
        return
    for one in events(answering.result()):
        yield one


def events(answer: Answer) -> Iterator[str]:
    """The events of an answer."""
    whole = to_json(answer)
    notice, leads = whole["notice"], bool(answer.notice and answer.notice.level != "safety_net")
    yield event("disclaimer", {"text": answer.disclaimer})
    if leads:
        yield event("notice", notice)
    cited: set[int] = set()
    for claim in whole["claims"]:
        for citation in whole["citations"]:
            if citation["number"] in claim["citations"] and citation["number"] not in cited:
                cited.add(citation["number"])
                yield event("citation", citation)
        yield event("claim", claim)
    if notice and not leads:
        yield event("notice", notice)
    yield event("done", whole)


def event(name: str, data: dict[str, Any]) -> str:
    """One event; JSON has no line breaks of its own, so the data is one line."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
