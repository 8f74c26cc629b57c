"""One turn of the page or the widget: what it sends, and what it gets to show."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from assistant.api.desk import LONGEST, TURNS, BusyError, Message
from assistant.pages.front import Serving
from assistant.pages.plain import as_text


class Turn(Message):
    """What the page sends for one question: `turn` counts them, from 1."""

    turn: int


class Answered(BaseModel):
    """What was quoted, and what was asked so far."""

    articles: Annotated[list[Annotated[str, Field(max_length=2_000)]], Field(max_length=20)]
    asked: Annotated[list[Annotated[str, Field(max_length=LONGEST)]], Field(max_length=TURNS + 1)]


async def reply(serving: Serving, turn: Turn) -> dict[str, Any]:
    """The reply to a question: its HTML and its text; or that there are too many questions."""
    try:
        answer = await serving.desk.ask(turn)
    except BusyError:
        return {"busy": True}
    cited = list(dict.fromkeys(one.article_id for one in answer.citations))
    calm = answer.kind in {"answer", "related"} and answer.notice is None
    return {
        "html": serving.cards.html(answer, turn.turn),
        "urgent": answer.kind == "urgent",
        "text": as_text(answer),
        "articles": cited if calm else [],
        "judged": {
            "question": answer.standalone_question,
            "kind": answer.kind,
            "articles": cited,
            "generation": answer.generation,
        },
    }


async def onward(serving: Serving, answered: Answered) -> list[str]:
    """What to ask next; nothing when there are too many questions already."""
    try:
        return list(await serving.desk.work(lambda: serving.onward.after(answered.articles, answered.asked)))
    except BusyError:
        return []
