"""Indexing from a page: the plan, a run with its progress, stopping it, and leave for what stopped it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, Response

from assistant.accounts.doors import SignedIn
from assistant.maintainers.jobs import View
from assistant.maintainers.overview import health, served
from assistant.maintainers.room import Room, to
from index.errors import UnusableError
from index.gate import GOLDEN_FILE, read_golden
from index.runs import runs
from index.updating import Order

_MOST_SOURCES = 200


def add(routes: APIRouter, room: Room) -> None:
    """Add the pages."""
    door = room.office.doors.maintainer
    doors = room.office.doors

    @routes.get("/index")
    def index(who: Annotated[SignedIn, Depends(door)], said: str = "") -> HTMLResponse:
        return _page(room, who, said=said)

    @routes.post("/index")
    def start(
        who: Annotated[SignedIn, Depends(door)],
        do: Annotated[Literal["plan", "run"], Form()],
        source: Annotated[list[str], Form(default_factory=list)],
        address: Annotated[str, Form(max_length=2000)] = "",
    ) -> Response:
        try:
            order = Order(_sources(room, source, address), f"page of {who.name}", dry_run=do == "plan")
            what = "a dry run" if order.dry_run else "a run"
            room.jobs.start(what, who.name, order, room.works.run)
        except UnusableError as error:
            return _page(room, who, wrong=str(error), status=409)
        doors.note(who, "dry run" if order.dry_run else "run", " ".join(order.sources))
        return to("/index")

    @routes.post("/index/again")
    def again(
        who: Annotated[SignedIn, Depends(door)],
        job: Annotated[int, Form()],
        leave: Annotated[Literal["run", "lose", "fall"], Form()],
    ) -> Response:
        def order(last: View) -> Order:
            return _with_leave(last, leave, who.name)

        try:
            room.jobs.again(job, who.name, order)
        except UnusableError as error:
            return _page(room, who, wrong=str(error), status=409)
        doors.note(who, {"run": "run", "lose": "removals allowed", "fall": "fall accepted"}[leave])
        return to("/index")

    @routes.post("/index/stop")
    def stop(who: Annotated[SignedIn, Depends(door)]) -> Response:
        room.jobs.stop()
        doors.note(who, "run stopped")
        return to("/index", said="stopping")

    @routes.get("/index/job")
    def job(who: Annotated[SignedIn, Depends(door)]) -> HTMLResponse:
        """What the page's script puts in place of the job that it shows."""
        template = room.office.templates.get_template("maintain_job.html")
        return HTMLResponse(template.render(who=who, job=room.jobs.last))


def _sources(room: Room, chosen: Sequence[str], address: str) -> tuple[str, ...]:
    """What is to be read: known sources, and one more address.

    A page may not name files: whoever can open it could have any file of the machine read out.

    Raises:
        UnusableError: Nothing is chosen, or something that may not be.
    """
    known = {one.name for one in health(runs(room.works.store))}
    if unknown := [one for one in chosen if one not in known]:
        raise UnusableError(
            f"{unknown[0]!r} is no known source. A new file or folder is first read by `referral index`."
        )
    found = list(dict.fromkeys(chosen))
    if address := address.strip():
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UnusableError("An address begins with https:// and names a host.")
        found.append(address)
    if not found or len(found) > _MOST_SOURCES:
        raise UnusableError("Choose at least one source.")
    return tuple(found)


def _with_leave(last: View, leave: str, name: str) -> Order:
    """The order of a job once more: for good after a dry run, or with leave for just what stopped it.

    Raises:
        UnusableError: It was not stopped by that.
    """
    trigger = last.order.trigger if last.order.sources == () else f"page of {name}"
    if leave == "run" and last.order.dry_run:
        return replace(last.order, trigger=trigger, dry_run=False)
    if leave == "lose" and last.brake:
        lost = frozenset({*last.brake.removed, *last.brake.emptied})
        return replace(last.order, trigger=trigger, may_lose=lost)
    if leave == "fall" and last.score:
        return replace(last.order, trigger=trigger, accept_fall=True)
    raise UnusableError("That is not what the last run asked.")


def _page(room: Room, who: SignedIn, *, said: str = "", wrong: str = "", status: int = 200) -> HTMLResponse:
    try:
        golden = len(read_golden(room.works.store / GOLDEN_FILE))
    except UnusableError as error:
        golden, wrong = 0, wrong or str(error)
    return room.page(
        who,
        "index",
        status=status,
        said=said,
        wrong=wrong,
        served=served(room),
        sources=health(runs(room.works.store)),
        job=room.jobs.last,
        golden=golden,
        golden_file=GOLDEN_FILE,
    )
