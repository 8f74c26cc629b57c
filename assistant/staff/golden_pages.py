"""Golden questions: listing, changing, taking in and handing out, and what the store's gate asks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Form, UploadFile
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError

from assistant.accounts.doors import SignedIn
from assistant.staff import exchange
from assistant.staff.exchange import Fault, FileError
from assistant.staff.golden import KINDS, Golden, every, name_is_taken, of_row, put, take_in
from assistant.staff.room import Room, to
from assistant.staff.tables import GoldenRow
from index.gate import GOLDEN_FILE

_PAGE = 100  # questions on a page
_LISTS = ("history", "sentences", "must_say", "must_not_say")
_FORMATS = {"csv": "text/csv", "jsonl": "application/jsonl"}


@dataclass(frozen=True, slots=True)
class Written:
    """The form of a question as it was sent; of a list, one value a line, or a field for each."""

    question: str = ""
    name: str = ""
    history: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    article: str = ""
    sentences: list[str] = field(default_factory=list)
    must_say: list[str] = field(default_factory=list)
    must_not_say: list[str] = field(default_factory=list)
    note: str = ""

    @classmethod
    def of(cls, golden: Golden) -> "Written":
        """The form of a question that is kept: a value stays on one line."""
        values = golden.model_dump()
        lists = {name: [" ".join(one.split()) for one in values[name]] for name in _LISTS}
        return cls(**{**values, "kinds": list(golden.kinds), **lists})

    def read(self) -> Golden:
        """The question.

        Raises:
            ValidationError: Something is missing or too long.
        """
        lists = {name: _lines(getattr(self, name)) for name in _LISTS}
        kinds = tuple(self.kinds)
        return Golden.model_validate(
            {
                "name": self.name,
                "question": self.question,
                "kinds": kinds,
                "article": self.article,
                "note": self.note,
                **lists,
            }
        )


def _lines(values: Sequence[str]) -> list[str]:
    return [line.strip() for value in values for line in value.splitlines() if line.strip()]


def _written(  # noqa: PLR0913, PLR0917 (each is a field of the form)
    question: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    history: Annotated[list[str] | None, Form()] = None,
    kinds: Annotated[list[str] | None, Form()] = None,
    article: Annotated[str, Form()] = "",
    sentences: Annotated[list[str] | None, Form()] = None,
    must_say: Annotated[list[str] | None, Form()] = None,
    must_not_say: Annotated[list[str] | None, Form()] = None,
    note: Annotated[str, Form()] = "",
) -> Written:
    return Written(
        question,
        name,
        history or [],
        kinds or [],
        article,
        sentences or [],
        must_say or [],
        must_not_say or [],
        note,
    )


def add(routes: APIRouter, room: Room) -> None:
    """Add the pages."""
    _add_list(routes, room)
    _add_files(routes, room)
    _add_editing(routes, room)


def _add_list(routes: APIRouter, room: Room) -> None:
    door, database = room.office.doors.staff, room.office.database

    @routes.get("/golden")
    def listed(
        who: Annotated[SignedIn, Depends(door)], find: str = "", page: int = 1, said: str = ""
    ) -> HTMLResponse:
        return _list_page(room, who, find, page, said=said)

    @routes.post("/golden/gate")
    def use_for_the_gate(who: Annotated[SignedIn, Depends(door)]) -> Response:
        with database.begin() as session:
            questions = [of_row(row) for row in every(session)]
        if not questions:
            return _list_page(room, who, wrong="There are no questions to use.")
        try:
            _replace(_gate_file(room), exchange.to_jsonl(questions))
        except OSError as error:
            return _list_page(room, who, wrong=f"The gate's file cannot be written: {error.strerror}.")
        room.office.doors.note(who, "gate set", f"{len(questions)} golden questions")
        return to("/golden", said="gated")


def _add_files(routes: APIRouter, room: Room) -> None:
    door, database = room.office.doors.staff, room.office.database

    def taken(who: SignedIn, name: str, content: bytes) -> Response:
        try:
            questions = exchange.read(name, content)
        except FileError as error:
            return _list_page(room, who, wrong=f"Nothing of {name} was taken in.", faults=error.faults)
        with database.begin() as session:
            added, replaced = take_in(session, questions, who.name)
        room.office.doors.note(who, "golden taken in", f"{added} new, {replaced} replaced")
        return to("/golden", said="taken")

    @routes.get("/golden.{ending}")
    def handed_out(ending: str, who: Annotated[SignedIn, Depends(door)]) -> Response:
        if ending not in _FORMATS:
            return Response(status_code=404)
        with database.begin() as session:
            questions = [of_row(row) for row in every(session)]
        # The mark at the beginning tells a spreadsheet that it is UTF-8.
        written = "\ufeff" + exchange.to_csv(questions) if ending == "csv" else exchange.to_jsonl(questions)
        room.office.doors.note(who, "golden handed out", f"{len(questions)} as {ending}")
        headers = {"Content-Disposition": f'attachment; filename="golden.{ending}"'}
        return Response(written, media_type=_FORMATS[ending], headers=headers)

    @routes.post("/golden/in")
    def take_a_file(who: Annotated[SignedIn, Depends(door)], file: UploadFile) -> Response:
        return taken(who, file.filename or "golden.jsonl", file.file.read())

    @routes.post("/golden/from-gate")
    def take_the_gates(who: Annotated[SignedIn, Depends(door)]) -> Response:
        try:
            content = _gate_file(room).read_bytes()
        except OSError as error:
            return _list_page(room, who, wrong=f"The gate's file cannot be read: {error.strerror}.")
        return taken(who, GOLDEN_FILE, content)


def _add_editing(routes: APIRouter, room: Room) -> None:
    door, database = room.office.doors.staff, room.office.database

    def form(
        who: SignedIn, written: Written, row_id: int | None, said: str = "", wrong: Sequence[str] = ()
    ) -> HTMLResponse:
        return room.page(
            who,
            "golden",
            "golden_edit",
            status=422 if wrong else 200,
            said=said,
            written=written,
            row_id=row_id,
            kinds=KINDS,
            wrong=" ".join(wrong),
        )

    def keep(who: SignedIn, written: Written, row_id: int | None) -> Response:
        try:
            golden = written.read()
        except ValidationError as error:
            return form(who, written, row_id, wrong=[_told(one["loc"], one["msg"]) for one in error.errors()])
        with database.begin() as session:
            row = session.get(GoldenRow, row_id) if row_id else None
            if row_id and not row:
                return to("/golden", said="gone")
            if name_is_taken(session, golden.name, row_id):
                return form(who, written, row_id, wrong=[f"Another question is named {golden.name}."])
            number = put(session, golden, who.name, row).id
        room.office.doors.note(who, "golden changed" if row_id else "golden added", f"question {number}")
        return to(f"/golden/{number}", said="kept" if row_id else "added")

    @routes.get("/golden/new")
    def new(who: Annotated[SignedIn, Depends(door)]) -> HTMLResponse:
        return form(who, Written(kinds=["answer"]), None)

    @routes.post("/golden")
    def added(
        who: Annotated[SignedIn, Depends(door)], written: Annotated[Written, Depends(_written)]
    ) -> Response:
        return keep(who, written, None)

    @routes.get("/golden/{row_id}")
    def shown(row_id: int, who: Annotated[SignedIn, Depends(door)], said: str = "") -> Response:
        with database.begin() as session:
            row = session.get(GoldenRow, row_id)
        return form(who, Written.of(of_row(row)), row_id, said) if row else to("/golden", said="gone")

    @routes.post("/golden/{row_id}")
    def changed(
        row_id: int,
        who: Annotated[SignedIn, Depends(door)],
        written: Annotated[Written, Depends(_written)],
    ) -> Response:
        return keep(who, written, row_id)

    @routes.post("/golden/{row_id}/delete")
    def deleted(row_id: int, who: Annotated[SignedIn, Depends(door)]) -> Response:
        with database.begin() as session:
            if not (row := session.get(GoldenRow, row_id)):
                return to("/golden", said="gone")
            session.delete(row)
        room.office.doors.note(who, "golden deleted", f"question {row_id}")
        return to("/golden", said="deleted")


def _list_page(  # noqa: PLR0913 (each is a part of the page)
    room: Room,
    who: SignedIn,
    find: str = "",
    page: int = 1,
    *,
    said: str = "",
    wrong: str = "",
    faults: Sequence[Fault] = (),
) -> HTMLResponse:
    with room.office.database.begin() as session:
        rows = every(session)
    wanted = find.strip().lower()
    found = [row for row in rows if wanted in f"{row.name} {row.question} {row.article}".lower()]
    pages = max(1, -(-len(found) // _PAGE))
    page = min(max(page, 1), pages)
    return room.page(
        who,
        "golden",
        "golden",
        status=422 if wrong else 200,
        said=said,
        wrong=wrong,
        rows=found[(page - 1) * _PAGE : page * _PAGE],
        found=len(found),
        total=len(rows),
        find=find.strip(),
        page=page,
        pages=pages,
        gate=_gate(room),
        faults=faults,
    )


def _told(place: tuple[int | str, ...], message: str) -> str:
    return f"{str(place[0]).replace('_', ' ').capitalize()}: {message}." if place else f"{message}."


def _gate_file(room: Room) -> Path:
    return room.office.front.now.assistant.generation.folder.parents[1] / GOLDEN_FILE


def _gate(room: Room) -> int:
    """How many questions the gate asks now, for whoever is about to replace them."""
    file = _gate_file(room)
    return sum(bool(line.strip()) for line in file.read_bytes().splitlines()) if file.is_file() else 0


def _replace(file: Path, text: str) -> None:
    """Write a file that another program may read at this moment."""
    partial = file.with_name(f".{file.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)
