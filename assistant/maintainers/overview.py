"""The first page: what is served, since when, from which sources, and whether anything needs a decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from assistant.accounts.doors import SignedIn
from assistant.maintainers.room import HOME, Room
from index.decisions import Decisions, read_decisions
from index.errors import StoreError
from index.runs import Run, runs

_LOOKED_AT = 100  # runs: a source that none of them read is one no more
_SHOWN = 200


@dataclass(slots=True)
class Health:
    """How a source is.

    Attributes:
        name: As the record names it.
        last_read: When a run last looked at it, ISO 8601.
        articles: How many it gave when it was last read; None when no record says so.
        held: How many of them were held back.
        problems: What could not be read when it was last read.
        last_error: What last could not be read, and `failed` when that was.
        is_current: Whether the last run that read anything read it, too.
    """

    name: str
    last_read: str = ""
    articles: int | None = None
    held: int = 0
    problems: tuple[str, ...] = ()
    last_error: str = ""
    failed: str = ""
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that a person should decide or look into, and where."""

    told: str
    path: str
    link: str


def add(routes: APIRouter, room: Room) -> None:
    """Add the page."""
    door = room.office.doors.maintainer

    @routes.get("")
    def home(who: Annotated[SignedIn, Depends(door)]) -> HTMLResponse:
        record = runs(room.works.store, _LOOKED_AT)
        decisions, wrong = decided(room)
        return room.page(
            who,
            "overview",
            wrong=wrong,
            served=served(room),
            sources=health(record),
            matters=_matters(room, record, decisions),
            last=next((one for one in reversed(record)), None),
            job=room.jobs.last,
        )

    @routes.get("/runs")
    def history(who: Annotated[SignedIn, Depends(door)]) -> HTMLResponse:
        return room.page(who, "runs", runs=list(reversed(runs(room.works.store, _SHOWN))), shown=_SHOWN)


@dataclass(frozen=True, slots=True)
class Served:
    """What the chat answers from at this moment.

    Attributes:
        name: Of the generation.
        since: When it became that.
        pointed: The one that it should be; another only while the server changes over, or cannot.
    """

    name: str
    created: str
    since: datetime
    articles: int
    passages: int
    comments: int
    sentences: int
    megabytes: float
    model: str
    pointed: str


def served(room: Room) -> Served:
    """What the chat answers from at this moment."""
    generation = room.office.front.now.assistant.generation
    manifest, counts = generation.manifest, generation.manifest.counts
    return Served(
        name=generation.name,
        created=manifest.created,
        since=room.store.since(),
        articles=counts.articles,
        passages=counts.passages,
        comments=counts.comment_passages,
        sentences=counts.sentences,
        megabytes=sum(one.size for one in manifest.files.values()) / 1e6,
        model=manifest.model,
        pointed=room.store.current_name(),
    )


def decided(room: Room) -> tuple[Decisions, str]:
    """What waits and what was said, and why that cannot be read when it cannot."""
    try:
        return read_decisions(room.works.store), ""
    except StoreError as error:
        return Decisions(), str(error)


def health(record: Sequence[Run]) -> list[Health]:
    """How each source is, by the record of runs, oldest first; those that were read last come first."""
    found: dict[str, Health] = {}
    last: frozenset[str] = frozenset()
    for run in record:
        if run.sources:
            last = frozenset(run.sources)
        for name in run.sources:
            found.setdefault(name, Health(name)).last_read = run.started
        for one in run.read:
            source = found.setdefault(one.source, Health(one.source))
            source.articles, source.held, source.problems = one.articles, one.held, one.problems
            if one.problems:
                source.last_error, source.failed = one.problems[0], run.started
    for source in found.values():
        source.is_current = source.name in last
    by_name = sorted(found.values(), key=lambda one: one.name)
    return sorted(by_name, key=lambda one: one.last_read, reverse=True)


def _matters(room: Room, record: Sequence[Run], decisions: Decisions) -> list[Matter]:
    found = []
    if held := len(decisions.open):
        told = f"{held} {'article is' if held == 1 else 'articles are'} held back until you decide."
        found.append(Matter(told, f"{HOME}/quarantine", "Decide"))
    if noticed := len(decisions.noticed):
        told = f"{noticed} served {'article has a warning' if noticed == 1 else 'articles have warnings'}."
        found.append(Matter(told, f"{HOME}/quarantine#warnings", "Look at them"))
    job = room.jobs.last
    if job and job.state == "failed":
        found.append(Matter(f"“{job.what}” did not go through.", f"{HOME}/index", "Look at it"))
    elif record and record[-1].outcome == "failed":
        found.append(Matter("The last run failed, wholly or in part.", f"{HOME}/runs", "See what went wrong"))
    ill = [one for one in health(record) if one.is_current and one.problems]
    if ill:
        told = f"{len(ill)} of the sources could not be read wholly."
        found.append(Matter(told, f"{HOME}#sources", "See which"))
    return found
