"""The workbench: ask a question as a visitor would, and see why it is answered as it is."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse

from assistant.accounts.doors import SignedIn
from assistant.api.desk import LONGEST, TURNS
from assistant.staff.golden import Golden
from assistant.staff.room import Room
from assistant.tracing import Explained, explain


@dataclass(frozen=True, slots=True)
class Asked:
    """The form as it was sent.

    Attributes:
        history: Earlier messages, one a line.
        article: The id of the article that is being read, or empty.
    """

    question: str = ""
    history: str = ""
    article: str = ""

    @property
    def before(self) -> tuple[str, ...]:
        """The earlier messages."""
        return tuple(line.strip() for line in self.history.splitlines() if line.strip())

    @property
    def fault(self) -> str:
        """What keeps it from being asked; empty when nothing."""
        if not self.question.strip():
            return "Type a question first."
        if len(self.before) > TURNS:
            return f"There may be {TURNS} earlier messages."
        longest = max(map(len, (self.question, *self.before)))
        return f"A message may have {LONGEST} characters." if longest > LONGEST else ""


def add(routes: APIRouter, room: Room) -> None:
    """Add the page."""
    door, front = room.office.doors.staff, room.office.front

    def page(
        who: SignedIn, asked: Asked, explained: Explained | None = None, wrong: str = ""
    ) -> HTMLResponse:
        return room.page(
            who,
            "workbench",
            "workbench",
            status=422 if wrong else 200,
            asked=asked,
            explained=explained,
            golden=_as_golden(explained, asked) if explained else None,
            wrong=wrong,
            longest=LONGEST,
            generation=front.now.assistant.generation,
        )

    @routes.get("")
    def empty(who: Annotated[SignedIn, Depends(door)]) -> HTMLResponse:
        return page(who, Asked())

    # Sent as a form, never in an address: addresses are kept in logs and histories.
    @routes.post("")
    async def ask(
        who: Annotated[SignedIn, Depends(door)],
        question: Annotated[str, Form()] = "",
        history: Annotated[str, Form()] = "",
        article: Annotated[str, Form()] = "",
    ) -> HTMLResponse:
        asked = Asked(question, history, article.strip())
        if asked.fault:
            return page(who, asked, wrong=asked.fault)
        now = front.now
        explained = await now.desk.work(
            lambda: explain(now.assistant, asked.question, asked.before, asked.article)
        )
        return page(who, asked, explained)


def _as_golden(explained: Explained, asked: Asked) -> Golden:
    """The answer as it is, as what the answer must be."""
    answer = explained.answer
    quotes = [" ".join(one.quote.split()) for one in answer.citations if one.kind == "text"]
    return Golden(
        question=asked.question,
        history=asked.before,
        kinds=(answer.kind,),
        article=answer.citations[0].article_id if answer.citations else "",
        sentences=tuple(one for one in dict.fromkeys(quotes) if len(one) <= LONGEST),
    )
