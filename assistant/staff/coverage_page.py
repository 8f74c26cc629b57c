"""What visitors ask and the articles do not answer."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from assistant.accounts.doors import SignedIn
from assistant.feedback.feedback import KEPT_DAYS, kept
from assistant.staff import coverage
from assistant.staff.room import Room


def add(routes: APIRouter, room: Room) -> None:
    """Add the page."""
    door, front = room.office.doors.staff, room.office.front

    @routes.get("/coverage")
    async def shown(who: Annotated[SignedIn, Depends(door)]) -> HTMLResponse:
        now = front.now

        def work() -> HTMLResponse:
            with room.office.database.begin() as session:
                rows = kept(session, datetime.now(UTC))
            found = coverage.gaps(rows, now.assistant.vectors)
            cited = {article for gap in found for article in gap.articles}
            generation = now.assistant.generation
            titles = {
                one: generation.article(row).title for row, one in enumerate(generation.ids) if one in cited
            }
            return room.page(
                who,
                "coverage",
                "coverage",
                gaps=found,
                titles=titles,
                counts=coverage.counted(front.metrics.registry),
                days=KEPT_DAYS,
                most=coverage.MOST,
            )

        return await now.desk.work(work)
