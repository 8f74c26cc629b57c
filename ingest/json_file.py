"""Articles as JSON, in the project's own form: one a line, or one or many in a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ingest.article import Article, from_json
from ingest.export import Export
from ingest.problem import Problem, UnreadableError
from ingest.shopify_export import is_shopify, read_shopify

MAX_LINE_BYTES = 20_000_000
_FIELDS = "Each record is a JSON object with at least a title and a text."


def read_json_lines(path: Path, *, name: str, fallback_id: str) -> Iterator[tuple[int, Article | Problem]]:
    """Read Article JSONL line by line, so that the file may be of any size.

    Args:
        path: The file.
        name: How the user would name it.
        fallback_id: With the line's number behind it, the id of an article that gives none.

    Yields:
        The number of each line that is not empty, from 1, and what it gave. A file none of whose lines is
        an article gives one Problem when they all fail alike.

    Raises:
        UnreadableError: The file is empty.
        OSError: It can not be read.
    """
    failed: list[tuple[int, Problem]] = []
    read_any = False
    for number, line in _lines(path):
        result = _read(line, name, number, f"{fallback_id}/{number}")
        if isinstance(result, Problem) and not read_any:
            failed.append((number, result))
            continue
        if not read_any:
            read_any = True
            yield from failed
        yield number, result
    if not read_any and not failed:
        raise UnreadableError("is empty", "Remove it, or write it again.")
    if not read_any:
        yield from _one_for_all(failed)


def read_json(
    text: str, *, name: str, fallback_id: str
) -> Iterator[tuple[int | None, Article | Problem]] | Export:
    """Read a JSON file that holds one article, a list of them, or in spite of its name one a line.

    Returns:
        The number of each entry, or None when there is only one, and what it gave; an Export when the file
        is an answer of Shopify's.

    Raises:
        UnreadableError: The file is not JSON.
    """
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        lines = text.splitlines()
        if error.msg != "Extra data" or len(lines) < 2:
            reason = f"is not JSON ({error.msg}, line {error.lineno})"
            raise UnreadableError(reason, "Mend it, or write it again.") from error
        return (
            (number, _read(line.encode(), name, number, f"{fallback_id}/{number}"))
            for number, line in enumerate(lines, start=1)
            if line.strip()
        )
    except (RecursionError, ValueError) as error:
        raise UnreadableError("is nested too deep to be articles", "Write it as JSONL.") from error
    if is_shopify(whole):
        return read_shopify(whole, name=name, fallback_id=fallback_id)
    return _records(whole, name, fallback_id)


def _records(whole: Any, name: str, fallback_id: str) -> Iterator[tuple[int | None, Article | Problem]]:
    if not isinstance(whole, list):
        yield None, _read(json.dumps(whole).encode(), name, None, fallback_id)
        return
    for number, record in enumerate(whole, start=1):
        yield (
            number,
            _read(json.dumps(record).encode(), f"{name}, entry {number}", None, f"{fallback_id}/{number}"),
        )


def _lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """The lines that are not empty; None for one over the limit, which is passed over without keeping it."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            too_long = len(line) > MAX_LINE_BYTES
            while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE_BYTES + 1)
            if too_long:
                yield number, None
            elif line.strip():
                yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line


def _read(line: bytes | None, name: str, number: int | None, fallback_id: str) -> Article | Problem:
    if line is None:
        reason = f"is longer than {MAX_LINE_BYTES:,} bytes"
        return Problem(name, reason, "Split the text into several articles.", number)
    try:
        return from_json(line, fallback_id=fallback_id)
    except ValidationError as error:
        return Problem(name, _reason(error), f"Mend it. {_FIELDS}", number)


def _reason(error: ValidationError) -> str:
    """What is wrong with a record, in plain words."""
    told = []
    for fault in error.errors(include_url=False):
        name = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "json_invalid":
            return f"is not JSON ({fault['msg'].removeprefix('Invalid JSON: ')})"
        if fault["type"] in ("model_type", "model_attributes_type"):
            return "is not a JSON object"
        if fault["type"] == "missing":
            told.append(f"has no {name}")
        elif fault["type"] in ("string_too_short", "string_pattern_mismatch"):
            told.append(f"has an empty {name}")
        else:
            told.append(f"has a wrong {name} ({fault['msg']})")
    return " and ".join(told)


def _one_for_all(failed: list[tuple[int, Problem]]) -> list[tuple[int, Problem]]:
    """The Problems of a file without a single article: one, when its lines all fail alike."""
    kinds = {problem.reason.partition(" (")[0] for _, problem in failed}
    if len(failed) < 3 or len(kinds) > 1:
        return failed
    number, first = failed[0]
    reason = f"holds no articles: each of its {len(failed)} lines {kinds.pop()}"
    return [(number, Problem(first.source, reason, f"Leave this file out, or mend it. {_FIELDS}"))]
