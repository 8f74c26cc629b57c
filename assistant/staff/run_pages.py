"""Runs of the golden questions: starting and watching them, two side by side, trends, a report to send."""

from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import select

from assistant.accounts.doors import SignedIn
from assistant.pages import assets
from assistant.staff.charts import Chart, chart
from assistant.staff.comparing import Change, Pair, Series, pairs, trends
from assistant.staff.measures import LOWER_IS_BETTER, MEASURES
from assistant.staff.room import Room, to
from assistant.staff.runs import RunError, State
from assistant.staff.tables import OutcomeRow, RunRow

_SHOWN = 50  # runs in the list
# Beyond so many, the marks of a chart would touch.
_GENERATIONS = 20


def add(routes: APIRouter, room: Room) -> None:
    """Add the pages."""
    _add_list(routes, room)
    _add_one(routes, room)
    _add_comparison(routes, room)


def _add_list(routes: APIRouter, room: Room) -> None:
    door, database, runs = room.office.doors.staff, room.office.database, room.runs

    def page(who: SignedIn, said: str = "", wrong: str = "") -> HTMLResponse:
        with database.begin() as session:
            rows = session.scalars(select(RunRow).order_by(RunRow.id.desc())).all()
        return room.page(
            who,
            "runs",
            "golden_runs",
            status=422 if wrong else 200,
            said=said,
            wrong=wrong,
            rows=rows[:_SHOWN],
            finished=[row for row in rows[:_SHOWN] if row.state == State.DONE.value],
            generations=runs.generations(),
            served=room.office.front.now.assistant.generation.name,
            engines=runs.engines(),
            charts=[(MEASURES[one.name], one.name, _chart(one)) for one in trends(rows)],
        )

    @routes.get("/runs")
    def listed(who: Annotated[SignedIn, Depends(door)], said: str = "") -> HTMLResponse:
        return page(who, said)

    @routes.post("/runs")
    def started(
        who: Annotated[SignedIn, Depends(door)],
        generation: Annotated[str, Form()] = "",
        engine: Annotated[str, Form()] = "",
    ) -> Response:
        try:
            number = runs.start(generation, engine, who.name)
        except RunError as error:
            return page(who, wrong=str(error))
        room.office.doors.note(who, "run started", f"run {number} on {generation} by {engine}")
        return to(f"/runs/{number}")


def _add_one(routes: APIRouter, room: Room) -> None:
    door, database, runs = room.office.doors.staff, room.office.database, room.runs

    @routes.get("/runs/{number:int}")
    def shown(number: int, who: Annotated[SignedIn, Depends(door)], said: str = "") -> Response:
        if (found := _run(room, number)) is None:
            return to("/runs", said="gone")
        run, outcomes = found
        progress = runs.progress(number)
        ordered = sorted(outcomes, key=lambda one: not one.faults)
        return room.page(
            who,
            "runs",
            "golden_run",
            said=said,
            run=run,
            progress=progress,
            outcomes=ordered,
            measures=_measured(run),
        )

    @routes.get("/runs/{number:int}/progress", dependencies=[Depends(door)])
    def progress(number: int) -> dict[str, Any]:
        if (found := runs.progress(number)) is None:
            raise HTTPException(404)
        return {
            "state": found.state.value,
            "done": found.done,
            "total": found.total,
            "left": found.left,
            "goes_on": found.goes_on,
        }

    @routes.post("/runs/{number:int}/cancel")
    def cancelled(number: int, who: Annotated[SignedIn, Depends(door)]) -> Response:
        if runs.cancel(number):
            room.office.doors.note(who, "run cancelled", f"run {number}")
            return to(f"/runs/{number}", said="cancelled")
        return to(f"/runs/{number}")

    @routes.get("/runs/{number:int}/report")
    def report(number: int, who: Annotated[SignedIn, Depends(door)], before: int = 0) -> Response:
        found, earlier = _run(room, number), _run(room, before)
        if found is None:
            return to("/runs", said="gone")
        with database.begin() as session:
            series = trends(session.scalars(select(RunRow).order_by(RunRow.id)))
        run, outcomes = found
        made = room.office.templates.get_template("golden_report.html").render(
            run=run,
            before=earlier[0] if earlier else None,
            measures=_measured(run, earlier[0] if earlier else None),
            outcomes=sorted(outcomes, key=lambda one: not one.faults),
            pairs=pairs(earlier[1], outcomes) if earlier else [],
            charts=[(MEASURES[one.name], one.name, _chart(one)) for one in series],
            styles=_styles(),
        )
        room.office.doors.note(who, "report made", f"run {number}")
        name = f"golden-{run.generation}-run-{number}.html"
        return HTMLResponse(made, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _add_comparison(routes: APIRouter, room: Room) -> None:
    door = room.office.doors.staff

    @routes.get("/runs/compare")
    def compared(who: Annotated[SignedIn, Depends(door)], before: int, after: int) -> Response:
        first, second = _run(room, before), _run(room, after)
        if first is None or second is None:
            return to("/runs", said="gone")
        found = pairs(first[1], second[1])
        return room.page(
            who,
            "runs",
            "golden_comparison",
            before=first[0],
            after=second[0],
            measures=_measured(second[0], first[0]),
            pairs=found,
            counts=_counted(found),
        )


def _run(room: Room, number: int) -> tuple[RunRow, list[OutcomeRow]] | None:
    with room.office.database.begin() as session:
        run = session.get(RunRow, number)
        return (run, list(run.outcomes)) if run else None


@cache
def _styles() -> str:
    """The style sheets of the pages, which a report carries in itself."""
    return "\n".join((assets.HERE / name).read_text(encoding="utf-8") for name in ("office.css", "staff.css"))


def _counted(found: list[Pair]) -> dict[Change, int]:
    return {change: sum(one.change is change for one in found) for change in Change}


def _measured(
    run: RunRow, before: RunRow | None = None
) -> list[tuple[str, str, float | None, float | None, str]]:
    """Name, label, value, the value before, and whether that is better, worse or the same."""
    rows = []
    for name, label in MEASURES.items():
        value, earlier = run.measures.get(name), before.measures.get(name) if before else None
        rows.append((name, label, value, earlier, _direction(name, earlier, value)))
    return rows


def _direction(name: str, before: float | None, after: float | None) -> str:
    if before is None or after is None or before == after:
        return ""
    return "better" if (after < before) == (name in LOWER_IS_BETTER) else "worse"


def _chart(series: Series) -> Chart:
    top = None if series.name == "seconds" else 1.0
    points = {engine: row[-_GENERATIONS:] for engine, row in series.points.items()}
    return chart(series.generations[-_GENERATIONS:], points, top)
