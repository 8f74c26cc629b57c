"""Files and folders on disk -> the files that hold articles, in an order that never changes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.csv_file import is_posts_table
from ingest.problem import Problem

PAGES = frozenset((".html", ".htm", ".xhtml"))
MARKDOWN = frozenset((".md", ".markdown"))
JSON_LINES = frozenset((".jsonl", ".ndjson"))
JSON = frozenset((".json",))
TABLES = frozenset((".csv", ".tsv"))
XML = frozenset((".xml", ".wxr", ".atom", ".rss"))
READABLE = PAGES | MARKDOWN | JSON_LINES | JSON | TABLES | XML | {".txt", ".text"}
# Documents that may well be articles: passing over them in silence would lose posts.
_DOCUMENTS = frozenset(
    (".pdf", ".doc", ".docx", ".odt", ".rtf", ".mht", ".mhtml", ".webarchive", ".epub", ".pages")
)
# The folder that a browser puts beside a page saved as "complete".
_PARTS = ("_files", ".files", "-files")
_PAGE_START = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_FEED_START = re.compile(rb"<(?:\w+:)?(?:rss|feed|RDF)\b")
_CHECK_RIGHTS = "Check that you may read it."


@dataclass(frozen=True, slots=True)
class Source:
    """One file to read.

    Attributes:
        path: Where it is.
        name: How the user would name it.
        fallback_id: The id of its article when the file itself gives none.
    """

    path: Path
    name: str
    fallback_id: str

    @property
    def ending(self) -> str:
        """The file's ending in lower case, with its dot; empty when it has none."""
        return self.path.suffix.lower()


def find_files(sources: Sequence[Path]) -> tuple[list[Source], list[Problem]]:
    """The files to read among files and folders, each once, and what cannot be read at all."""
    files: dict[str, Source] = {}
    problems: list[Problem] = []
    for source in sources:
        for found in _find(source):
            if isinstance(found, Problem):
                problems.append(found)
            else:
                # Not Path.resolve, which raises where a link leads to itself.
                files.setdefault(os.path.realpath(found.path), found)
    return list(files.values()), problems


def is_page(text: str) -> bool:
    """Whether a text begins as an HTML page does."""
    return _PAGE_START.match(text.lstrip("\ufeff")) is not None


def _find(source: Path) -> Iterator[Source | Problem]:
    try:
        if source.is_dir():
            yield from _find_below(source)
        elif source.is_file():
            yield Source(source, str(source), source.stem)
        elif source.exists():
            yield Problem(str(source), "is neither a file nor a folder", "Name a file or a folder.")
        else:
            yield Problem(str(source), "is not there", "Check the path.")
    except OSError as error:
        yield Problem(str(source), f"can not be opened ({error.strerror or error})", _CHECK_RIGHTS)


def _find_below(folder: Path) -> Iterator[Source | Problem]:
    empty = True
    for found in _walk(folder):
        if isinstance(found, Problem):
            empty = False
            yield found
            continue
        ending = found.suffix.lower()
        if ending in _DOCUMENTS:
            empty = False
            reason = f"is a {ending} document, which can not be read"
            yield Problem(str(found), reason, "Export it as HTML, Markdown or plain text.")
        elif ending in TABLES | XML and not _begins_as_posts(found):
            continue
        elif ending in READABLE or (not ending and _begins_as_page(found)):
            empty = False
            below = found.relative_to(folder)
            yield Source(found, str(found), (below.with_suffix("") if ending else below).as_posix())
    if empty:
        endings = ", ".join(sorted(READABLE))
        yield Problem(str(folder), "has no file that can be read", f"Readable files end in {endings}.")


def _walk(folder: Path) -> Iterator[Path | Problem]:
    """Every file below a folder in the order of paths; links are followed, no folder is entered twice."""
    failures: list[OSError] = []
    entered: set[tuple[int, int]] = set()
    for place, folders, files in os.walk(folder, followlinks=True, onerror=failures.append):
        status = Path(place).stat()
        if (status.st_dev, status.st_ino) in entered:
            folders.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        pages = {Path(name).stem for name in files if Path(name).suffix.lower() in PAGES}
        folders[:] = sorted(name for name in folders if not (name.startswith(".") or _is_parts(name, pages)))
        yield from (Path(place, name) for name in sorted(files) if not name.startswith("."))
    for failure in failures:
        yield Problem(str(failure.filename), f"can not be opened ({failure.strerror})", _CHECK_RIGHTS)


def _is_parts(folder: str, pages: set[str]) -> bool:
    """Whether a folder holds the pictures and scripts of a page saved beside it, and no page of its own."""
    return any(folder.removesuffix(parts) in pages for parts in _PARTS if folder.endswith(parts))


def _begins_as_posts(path: Path) -> bool:
    """Whether a table or an XML file found in a folder holds posts: many hold anything else."""
    try:
        with path.open("rb") as file:
            head = file.read(3000)
    except OSError:
        return True  # told when it is read
    if path.suffix.lower() in XML:
        return bool(_FEED_START.search(head)) or head.startswith((b"\xff\xfe", b"\xfe\xff"))
    return is_posts_table(head.decode("utf-8", "replace"))


def _begins_as_page(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return is_page(file.read(2000).decode("utf-8", "replace"))
    except OSError:
        return False
