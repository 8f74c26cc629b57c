"""The queue of answers that visitors found not helpful."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, Response

from assistant.accounts.doors import SignedIn
from assistant.feedback.feedback import REASONS
from assistant.staff import flags
from assistant.staff.flags import NoFlagError, State
from assistant.staff.room import Room, to

_LONGEST = 4_000  # characters of a note


def add(routes: APIRouter, room: Room) -> None:
    """Add the pages."""
    door, database = room.office.doors.staff, room.office.database

    @routes.get("/flags")
    def queue(who: Annotated[SignedIn, Depends(door)], state: str = "open", said: str = "") -> HTMLResponse:
        with database.begin() as session:
            found = flags.queue(session, datetime.now(UTC))
            people = flags.people(session)
        wanted = [one for one in State if one.value == state] or flags.OPEN
        return room.page(
            who,
            "flags",
            "flags",
            said=said,
            flags=[one for one in found if one.state in wanted],
            counts=flags.counts(found),
            chosen=state if len(wanted) == 1 else "open",
            states=list(State),
            people=people,
            reasons=REASONS["no"],
            titles=_titles(room, {article for one in found for article in one.given.articles}),
        )

    @routes.post("/flags/{feedback_id}")
    def put(
        feedback_id: int,
        who: Annotated[SignedIn, Depends(door)],
        state: Annotated[Literal["new", "looking", "done", "dismissed"], Form()],
        assignee: Annotated[str, Form()] = "",
        note: Annotated[str, Form(max_length=_LONGEST)] = "",
        shown: Annotated[str, Form()] = "open",
    ) -> Response:
        with database.begin() as session:
            people = flags.people(session)
            whose = int(assignee) if assignee.isdecimal() and int(assignee) in people else None
            try:
                flags.put(session, feedback_id, State(state), whose, note.strip())
            except NoFlagError:
                return to("/flags", said="gone")
        told = f"flag {feedback_id}: {state}, {people[whose] if whose else 'nobody'}"
        room.office.doors.note(who, "flag", told)
        return to("/flags", said="kept", state=shown)


def _titles(room: Room, articles: set[str]) -> dict[str, str]:
    """Titles of articles as they are served now; one that is gone keeps its id."""
    generation = room.office.front.now.assistant.generation
    known = {one: row for row, one in enumerate(generation.ids) if one in articles}
    return {one: generation.article(known[one]).title if one in known else one for one in articles}
