"""The generations that are kept: their scores, going back and forth between them, checking and repairing."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, Response

from assistant.accounts.doors import SignedIn
from assistant.maintainers.jobs import Work
from assistant.maintainers.overview import served
from assistant.maintainers.room import Room, to
from index.errors import GenerationError, UnusableError
from index.gate import Score
from index.generation import Manifest
from index.store import Store
from index.updating import Order, Watcher


@dataclass(frozen=True, slots=True)
class Kept:
    """A generation.

    Attributes:
        manifest: None when it is damaged.
        is_older: The served one came after it, so that serving it means to go back.
        is_left: It was rolled away from.
    """

    name: str
    manifest: Manifest | None
    score: Score | None
    is_served: bool
    is_older: bool
    is_left: bool


def add(routes: APIRouter, room: Room) -> None:
    """Add the pages."""
    door = room.office.doors.maintainer
    doors = room.office.doors

    @routes.get("/generations")
    def generations(who: Annotated[SignedIn, Depends(door)], said: str = "") -> HTMLResponse:
        return _page(room, who, said=said)

    @routes.post("/generations")
    def switch(
        who: Annotated[SignedIn, Depends(door)], name: Annotated[str, Form()], current: Annotated[str, Form()]
    ) -> Response:
        try:
            _switch(room.store, name, current)
        except UnusableError as error:
            return _page(room, who, wrong=str(error), status=409)
        doors.note(who, "generation served", f"{name} in place of {current}")
        return to("/generations", said="switched")

    @routes.post("/generations/check")
    def check(who: Annotated[SignedIn, Depends(door)]) -> Response:
        return _start(room, who, "checking the served generation", partial(_check, room.store))

    @routes.post("/generations/repair")
    def repair(who: Annotated[SignedIn, Depends(door)]) -> Response:
        return _start(room, who, "repairing the store", partial(_repair, room.store))


def _switch(store: Store, name: str, current: str) -> None:
    """Serve another generation in place of the one that the person has seen served.

    Raises:
        UnusableError: It is not served any more, or the other cannot be.
    """
    if store.current_name() != current:
        raise UnusableError("Another generation is served since you looked. Look again, then decide.")
    store.switch(name)


def _start(room: Room, who: SignedIn, what: str, work: Work) -> Response:
    try:
        room.jobs.start(what, who.name, Order((), what), work)
    except UnusableError as error:
        return _page(room, who, wrong=str(error), status=409)
    room.office.doors.note(who, what)
    return to("/generations")


def _check(store: Store, _order: Order, watcher: Watcher) -> None:
    faults = store.check()
    for fault in faults:
        watcher.say(fault)
    watcher.say("Repair the store, or index again." if faults else "All is well.")


def _repair(store: Store, _order: Order, watcher: Watcher) -> None:
    for done in store.repair() or ["There was nothing to repair."]:
        watcher.say(done)


def _page(room: Room, who: SignedIn, *, said: str = "", wrong: str = "", status: int = 200) -> HTMLResponse:
    return room.page(
        who,
        "generations",
        status=status,
        said=said,
        wrong=wrong,
        served=served(room),
        generations=_kept(room),
        job=room.jobs.last,
    )


def _kept(room: Room) -> list[Kept]:
    """Those that are kept, newest first."""
    store, current = room.store, room.store.current_name()
    older, found = store.replaced(), []
    for name in reversed(store.names()):
        manifest = _manifest(room, name)
        found.append(
            Kept(
                name,
                manifest,
                store.score(name),
                is_served=name == current,
                is_older=name in older,
                is_left=bool(manifest and store.is_held(manifest.fingerprint)),
            )
        )
    return found


def _manifest(room: Room, name: str) -> Manifest | None:
    try:
        return room.store.manifest(name)
    except GenerationError:
        return None
