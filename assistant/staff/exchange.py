"""Golden questions as files: JSON lines, which the store's gate reads too, and CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from assistant.staff.golden import Golden

# The fields of a file, in its order, and what each is in a Golden.
FIELDS = {
    "id": "name",
    "question": "question",
    "history": "history",
    "kinds": "kinds",
    "article": "article",
    "must_quote_any": "sentences",
    "must_say": "must_say",
    "must_not_quote": "must_not_say",
    "note": "note",
}
_LISTS = {"history", "kinds", "must_quote_any", "must_say", "must_not_quote"}
_NAMES = {ours: field for field, ours in FIELDS.items()}
# A spreadsheet takes a cell that begins like this for a formula, which could send the sheet elsewhere.
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_MOST = 5_000  # questions in a file


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a file.

    Attributes:
        line: Counted from 1.
        field: Empty when it is the whole line.
    """

    line: int
    field: str
    told: str

    def __str__(self) -> str:
        return f"line {self.line}{f', {self.field}' if self.field else ''}: {self.told}"


class FileError(Exception):
    """A file is not one of golden questions; nothing of it was taken.

    Attributes:
        faults: All of them, by line.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)


def to_jsonl(questions: Sequence[Golden]) -> str:
    """One question a line, in the words of the store's golden.jsonl."""
    return "".join(json.dumps(_record(one), ensure_ascii=False) + "\n" for one in questions)


def to_csv(questions: Sequence[Golden]) -> str:
    """With a header; several values of a cell stand on lines of their own, and nothing is a formula."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(FIELDS)
    for one in questions:
        table.writerow([_cell(value) for value in _record(one).values()])
    return out.getvalue()


def read(name: str, content: bytes) -> list[Golden]:
    """The questions of a file: JSON lines, or CSV when its name ends so.

    Raises:
        FileError: Something in it is wrong; tells all of it.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FileError([Fault(line, "", "is not UTF-8 text: save the file as “CSV UTF-8”")]) from error
    records = _from_csv(text) if name.lower().endswith(".csv") else _from_jsonl(text)
    questions: list[Golden] = []
    faults: list[Fault] = []
    lines: dict[str, int] = {}
    for line, record in records:
        found = record if isinstance(record, Fault) else _golden(line, record)
        if isinstance(found, Golden):
            found, twice = _named_once(found, line, lines)
            faults += twice
            questions.append(found)
        else:
            faults += [found] if isinstance(found, Fault) else found
    if len(questions) > _MOST:
        faults.append(Fault(_MOST + 1, "", f"there may be {_MOST} questions in a file"))
    if not questions and not faults:
        faults.append(Fault(1, "", "there is no question in the file"))
    if faults:
        raise FileError(faults)
    return questions


def _named_once(golden: Golden, line: int, lines: dict[str, int]) -> tuple[Golden, list[Fault]]:
    first = lines.setdefault(golden.name, line) if golden.name else line
    return golden, [] if first == line else [Fault(line, "id", f"stands on line {first} already")]


def _record(golden: Golden) -> dict[str, Any]:
    values = golden.model_dump(mode="json")
    return {field: values[ours] for field, ours in FIELDS.items()}


def _golden(line: int, record: dict[str, Any]) -> Golden | list[Fault]:
    unknown = [
        Fault(line, str(field), f"there is no such field; there are {', '.join(FIELDS)}")
        for field in record
        if field not in FIELDS
    ]
    if unknown:
        return unknown
    given = {FIELDS[field]: value for field, value in record.items() if value is not None}
    try:
        return Golden.model_validate(given)
    except ValidationError as error:
        return [
            Fault(line, _NAMES.get(str(one["loc"][0]), "") if one["loc"] else "", one["msg"])
            for one in error.errors()
        ]


def _from_jsonl(text: str) -> Iterator[tuple[int, dict[str, Any] | Fault]]:
    for line, written in enumerate(text.split("\n"), start=1):
        if not written.strip():
            continue
        try:
            record = json.loads(written)
        except (json.JSONDecodeError, RecursionError):
            yield line, Fault(line, "", "is not JSON")
            continue
        is_object = isinstance(record, dict)
        yield line, record if is_object else Fault(line, "", "is not a JSON object")


def _from_csv(text: str) -> Iterator[tuple[int, dict[str, Any] | Fault]]:
    header = text.split("\n", 1)[0]
    table = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count), strict=True)
    fields: list[str] = []
    line = 1
    try:
        for cells in table:
            # A row's line is its first one, though a cell may go on over several.
            if not fields:
                fields = [cell.strip() for cell in cells]
            elif any(cell.strip() for cell in cells):
                yield line, _row(line, fields, cells)
            line = table.line_num + 1
    except csv.Error as error:
        yield line, Fault(line, "", f"is not CSV: {error}")


def _row(line: int, fields: Sequence[str], cells: Sequence[str]) -> dict[str, Any] | Fault:
    if len(cells) > len(fields):
        return Fault(line, "", f"has {len(cells)} cells, and the header has {len(fields)}")
    record: dict[str, Any] = {}
    for field, cell in zip(fields, cells, strict=False):
        if not cell.strip():
            continue
        try:
            record[field] = _values(_unescaped(cell)) if field in _LISTS else _unescaped(cell)
        except ValueError:
            return Fault(line, field, "begins with [ but is no JSON list")
    return record


def _values(cell: str) -> list[Any]:
    """The values of a cell: a JSON list, or one a line."""
    if cell.lstrip().startswith("["):
        found = json.loads(cell)
        if not isinstance(found, list):
            raise ValueError(cell)
        return found
    return [one for one in cell.splitlines() if one.strip()]


def _cell(value: str | list[str]) -> str:
    if isinstance(value, list):
        awkward = any(len(one.splitlines()) > 1 or one.startswith("[") for one in value)
        value = json.dumps(value, ensure_ascii=False) if awkward else "\n".join(value)
    return f"'{value}" if value.startswith((*_FORMULA, "'")) else value


def _unescaped(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith((*_FORMULA, "'")) else cell
