"""Decisions: on what is held back, on warnings, and on articles that are to be taken out or let in again."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, Response

from assistant.accounts.doors import SignedIn
from assistant.maintainers.overview import decided
from assistant.maintainers.room import Room, to
from index.decisions import Decisions, Held, Removed, change_decisions
from index.errors import UnusableError
from index.runs import Run
from index.updating import Order, Reading, Watcher, last_good
from ingest.article import Article

_LINES = 400  # of a comparison; more tell a person nothing


@dataclass(frozen=True, slots=True)
class Change:
    """A paragraph that is in one version alone, or in both.

    Attributes:
        mark: "+" when only the source has it now, "-" when only what is served has it, else " ".
    """

    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class Case:
    """What a person decides on: an article as it was read, beside what is served of it."""

    held: Held
    new: Article
    old: Article | None
    changes: tuple[Change, ...]


def add(routes: APIRouter, room: Room) -> None:
    """Add the pages."""
    door = room.office.doors.maintainer
    doors = room.office.doors
    folder = room.works.store
    _add_lists(routes, room)

    @routes.get("/quarantine")
    def quarantine(who: Annotated[SignedIn, Depends(door)], said: str = "") -> HTMLResponse:
        return _page(room, who, said=said)

    @routes.post("/quarantine")
    def decide(
        who: Annotated[SignedIn, Depends(door)],
        id: Annotated[str, Form()],
        since: Annotated[str, Form()],
        do: Annotated[Literal["accept", "keep", "remove"], Form()],
    ) -> Response:
        try:
            held = _held(room, id, since)
            if do == "keep":
                change_decisions(folder, partial(_keep, held))
                doors.note(who, "last version kept", id)
                return to("/quarantine", said="kept")
            if do == "accept":
                order = Order((), f"{who.name} accepted {id}", may_lose=frozenset({id}))
                room.jobs.start(f"serving {id} as it was read", who.name, order, partial(_accept, room, held))
                doors.note(who, "article accepted", id)
            else:
                _start_removal(room, who, id)
        except UnusableError as error:
            return _page(room, who, wrong=str(error), status=409)
        return to("/index")


def _add_lists(routes: APIRouter, room: Room) -> None:
    door = room.office.doors.maintainer
    doors = room.office.doors
    folder = room.works.store

    @routes.post("/warnings")
    def seen(who: Annotated[SignedIn, Depends(door)], id: Annotated[str, Form()]) -> Response:
        def dismiss(decisions: Decisions) -> None:
            decisions.noticed.pop(id, None)

        try:
            change_decisions(folder, dismiss)
        except UnusableError as error:
            return _page(room, who, wrong=str(error), status=409)
        doors.note(who, "warning seen", id)
        return to("/quarantine", said="seen")

    @routes.post("/removal")
    def remove(
        who: Annotated[SignedIn, Depends(door)], id: Annotated[str, Form(max_length=2000)]
    ) -> Response:
        try:
            _start_removal(room, who, id.strip())
        except UnusableError as error:
            return _page(room, who, wrong=str(error), status=409)
        return to("/index")

    @routes.post("/restoral")
    def restore(who: Annotated[SignedIn, Depends(door)], id: Annotated[str, Form()]) -> Response:
        def let_in(decisions: Decisions) -> None:
            decisions.removed.pop(id, None)

        try:
            change_decisions(folder, let_in)
        except UnusableError as error:
            return _page(room, who, wrong=str(error), status=409)
        doors.note(who, "article let in again", id)
        return to("/quarantine", said="restored")


def _held(room: Room, id: str, since: str) -> Held:
    """What the person has looked at.

    Raises:
        UnusableError: It has changed since, so that nobody has looked at it.
    """
    held = decided(room)[0].held.get(id)
    if held is None or held.since != since:
        raise UnusableError("That article has changed since you looked at it. Look at it again, then decide.")
    return held


def _keep(held: Held, decisions: Decisions) -> None:
    now = decisions.held.get(held.id)
    if now is not None and now.line == held.line:
        now.kept = True


def _accept(room: Room, held: Held, order: Order, watcher: Watcher) -> Run:
    """Serve just what the person has looked at, whatever its source says by now."""
    return room.works.apply(Reading((held.sourced,), _nothing_gone), order, watcher)


def _nothing_gone(_key: str, _id: str) -> bool:
    return False


def _start_removal(room: Room, who: SignedIn, id: str) -> None:
    """Take an article out.

    Raises:
        UnusableError: It is not served, or something else is under way.
    """
    article = last_good(room.works.store)(id)
    if article is None:
        raise UnusableError(f"There is no article {id!r} among those that are served.")
    order = Order((), f"{who.name} took out {id}", may_lose=frozenset({id}))
    room.jobs.start(f"taking out {id}", who.name, order, partial(_remove, room, article))
    room.office.doors.note(who, "article taken out", id)


def _remove(room: Room, article: Article, order: Order, watcher: Watcher) -> Run:
    def is_it(_key: str, id: str) -> bool:
        return id == article.id

    def note(decisions: Decisions) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        decisions.removed[article.id] = Removed(title=article.title, since=now)

    done = room.works.apply(Reading((), is_it), order, watcher)
    change_decisions(room.works.store, note)
    return done


def _page(room: Room, who: SignedIn, *, said: str = "", wrong: str = "", status: int = 200) -> HTMLResponse:
    decisions, damaged = decided(room)
    served = last_good(room.works.store)
    cases = [_case(held, served(held.id)) for held in decisions.held.values()]
    return room.page(
        who,
        "quarantine",
        status=status,
        said=said,
        wrong=wrong or damaged,
        open=[one for one in cases if not one.held.kept],
        kept=[one for one in cases if one.held.kept],
        noticed=[(one, served(one.id)) for one in decisions.noticed.values()],
        removed=decisions.removed,
    )


def _case(held: Held, old: Article | None) -> Case:
    new = held.sourced.article
    return Case(held, new, old, tuple(islice(_changes(old.text if old else "", new.text), _LINES)))


def _changes(old: str, new: str) -> Iterator[Change]:
    """Both versions paragraph by paragraph, in the order of the article."""
    before, after = old.split("\n\n"), new.split("\n\n")
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, start, end, start_new, end_new in matcher.get_opcodes():
        if tag == "equal":
            yield from (Change(" ", text) for text in before[start:end])
            continue
        yield from (Change("-", text) for text in before[start:end] if text)
        yield from (Change("+", text) for text in after[start_new:end_new] if text)
