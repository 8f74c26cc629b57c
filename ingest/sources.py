"""Files and folders -> Articles, each once, and a Problem for everything that gave none.

Each kind of source has a reader of its own; this module finds the sources, chooses the reader, and keeps
ids unique. It reads whatever it can: one bad file never stops the rest.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from ingest.article import Article, from_json
from ingest.characters import fold
from ingest.decoding import decode
from ingest.html_page import read_html
from ingest.markdown_file import read_markdown
from ingest.problem import Problem, UnreadableError
from ingest.text_dump import read_dump

MAX_PAGE_BYTES = 20_000_000
MAX_LINE_BYTES = 20_000_000

Progress = Callable[[Sequence["Source"]], Iterable["Source"]]


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


@dataclass(frozen=True, slots=True)
class Ingested:
    """What was read.

    Attributes:
        articles: In the order of the sources, folders in the order of their files' paths; ids are unique.
        problems: What gave no article; a command that meets one ends with an error code.
        notes: What was left out rightly, as whole sentences: the same post found twice.
        files: The file that each article came from.
    """

    articles: tuple[Article, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def read_sources(sources: Sequence[Path], *, progress: Progress = iter) -> Ingested:
    """Read every article in files and folders.

    Args:
        sources: Files and folders; folders are searched to the bottom.
        progress: Wraps the list of files while it is worked through, as tqdm does.
    """
    corpus = _Corpus()
    files: list[Source] = []
    seen: set[Path] = set()
    for source in sources:
        for found in _find(source):
            if isinstance(found, Problem):
                corpus.problems.append(found)
            elif (real := found.path.resolve()) not in seen:
                seen.add(real)
                files.append(found)
    for file in progress(files):
        for result in read_source(file):
            corpus.add(result, file)
    return Ingested(tuple(corpus.articles), tuple(corpus.problems), tuple(corpus.notes), tuple(corpus.names))


def read_source(source: Source) -> Iterator[Article | Problem]:
    """The articles of one file, in its order, each as soon as it is read; Problems in between."""
    try:
        if _ending(source.path) in _LINES:
            yield from _read_lines(source)
        else:
            yield from _read_page(source)
    except UnreadableError as error:
        yield Problem(source.name, error.reason, error.next_step)
    except OSError as error:
        reason = f"can not be read ({error.strerror or error})"
        yield Problem(source.name, reason, "Check that the file is there and that you may read it.")


# --- finding -----------------------------------------------------------------------------------------

_PAGES = (".html", ".htm", ".xhtml")
_MARKDOWN = (".md", ".markdown")
_DUMPS = (".txt", ".text")
_LINES = (".jsonl", ".ndjson")
_READABLE = frozenset((*_PAGES, *_MARKDOWN, *_DUMPS, *_LINES, ".json"))
# Documents that may well be articles: passing over them in silence would lose posts.
_DOCUMENTS = frozenset(
    (".pdf", ".doc", ".docx", ".odt", ".rtf", ".mht", ".mhtml", ".webarchive", ".epub", ".pages")
)
_SAVED_PARTS = ("_files", ".files", "-files")


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
        yield Problem(
            str(source), f"can not be opened ({error.strerror or error})", "Check that you may read it."
        )


def _find_below(folder: Path) -> Iterator[Source | Problem]:
    problems: list[Problem] = []
    found: list[Source] = []
    for path in _walk(folder, problems):
        name = str(path)
        ending = _ending(path)
        if ending in _DOCUMENTS:
            problems.append(Problem(name, f"is a {ending} document, which can not be read", _EXPORT))
        elif ending in _READABLE or (not path.suffix and _begins_as_page(path)):
            below = path.relative_to(folder)
            found.append(
                Source(path, name, below.with_suffix("").as_posix() if path.suffix else below.as_posix())
            )
    if not found and not problems:
        ends = ", ".join(sorted(_READABLE))
        problems.append(Problem(str(folder), "has no file that can be read", f"Readable are {ends}."))
    yield from found
    yield from problems


_EXPORT = "Export it as HTML, Markdown or plain text."


def _walk(folder: Path, problems: list[Problem]) -> Iterator[Path]:
    """Every file below a folder in the order of paths; links are followed, but no folder entered twice."""
    entered: set[tuple[int, int]] = set()

    def unreadable(error: OSError) -> None:
        problems.append(
            Problem(
                str(error.filename), f"can not be opened ({error.strerror})", "Check that you may read it."
            )
        )

    for place, folders, files in os.walk(folder, followlinks=True, onerror=unreadable):
        status = Path(place).stat()
        if (status.st_dev, status.st_ino) in entered:
            folders.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        pages = {Path(file).stem for file in files if _ending(Path(file)) in _PAGES}
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and not _is_parts(name, pages)
        )
        yield from (Path(place, name) for name in sorted(files) if not name.startswith("."))


def _is_parts(folder: str, pages: set[str]) -> bool:
    """Whether a folder holds the pictures and scripts of a page saved beside it, and no page of its own."""
    return any(folder.endswith(parts) and folder[: -len(parts)] in pages for parts in _SAVED_PARTS)


def _ending(path: Path) -> str:
    return path.suffix.lower()


def _begins_as_page(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _is_page(file.read(2000).decode("utf-8", "replace"))
    except OSError:
        return False


# --- pages -------------------------------------------------------------------------------------------

_PAGE_START = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_TAG = re.compile(r"</?(?:p|div|html|body|head|h[1-6]|br|span|table|article|a|ul|li|section)\b[^>]*>", re.I)


def _read_page(source: Source) -> Iterator[Article | Problem]:
    text = _text(source.path)
    ending = _ending(source.path)
    if ending == ".json" or (ending not in _READABLE and text.lstrip()[:1] in ("{", "[")):
        yield from _read_json(source, text)
    elif _is_page(text) or (ending in _PAGES and _TAG.search(text)):
        yield read_html(text, fallback_id=source.fallback_id)
    elif ending in _MARKDOWN:
        yield read_markdown(text, fallback_id=source.fallback_id)
    else:
        yield read_dump(text, fallback_id=source.fallback_id)


def _is_page(text: str) -> bool:
    return _PAGE_START.match(text.lstrip("\ufeff")) is not None


def _text(path: Path) -> str:
    size = path.stat().st_size
    if size > MAX_PAGE_BYTES:
        reason = f"is too large for one page ({size:,} bytes; at most {MAX_PAGE_BYTES:,})"
        raise UnreadableError(reason, "Split it, or write its articles as JSONL, one a line.")
    text = decode(path.read_bytes())
    if not text.strip():
        raise UnreadableError("is empty", "Remove it, or save the page again.")
    return text


# --- JSON --------------------------------------------------------------------------------------------

_GIVE_FIELDS = "Each line is a JSON object with at least a title and a text."


def _read_lines(source: Source) -> Iterator[Article | Problem]:
    """Article JSONL, line by line, so that a file of any size can be read."""
    problems: list[Problem] = []
    read = 0
    for number, line in _json_lines(source.path):
        result = _read_record(source, line, number)
        read += isinstance(result, Article)
        if isinstance(result, Problem) and not read:
            problems.append(result)
            continue
        yield from problems
        problems = []
        yield result
    if not read and not problems:
        raise UnreadableError("is empty", "Remove it, or write it again.")
    yield from _one_for_all(problems) if not read else problems


def _one_for_all(problems: list[Problem]) -> list[Problem]:
    """A file of which every line fails alike is one problem: it is no file of articles."""
    if len(problems) < 3 or len({problem.reason for problem in problems}) > 1:
        return problems
    reason = f"holds no articles: each of its {len(problems)} lines {problems[0].reason}"
    return [Problem(problems[0].source, reason, f"Leave this file out, or mend it. {_GIVE_FIELDS}")]


def _json_lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """The lines that are not empty with their numbers from 1; None for one over the limit."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            too_long = len(line) > MAX_LINE_BYTES
            while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE_BYTES + 1)
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if too_long:
                yield number, None
            elif line.strip():
                yield number, line


def _read_record(source: Source, line: bytes | None, number: int) -> Article | Problem:
    if line is None:
        reason = f"is longer than {MAX_LINE_BYTES:,} bytes"
        return Problem(source.name, reason, "Split the text into several articles.", number)
    try:
        return from_json(line, fallback_id=f"{source.fallback_id}/{number}")
    except ValidationError as error:
        return Problem(source.name, _reason(error), f"Mend the line. {_GIVE_FIELDS}", number)


def _reason(error: ValidationError) -> str:
    """The first thing wrong with a record, in plain words."""
    told = []
    for fault in error.errors(include_url=False):
        name = ".".join(str(part) for part in fault["loc"]) or "it"
        if fault["type"] == "json_invalid":
            return f"is not JSON ({fault['msg'].removeprefix('Invalid JSON: ')})"
        if fault["type"] in ("model_type", "model_attributes_type"):
            return "is not a JSON object"
        if fault["type"] == "missing":
            told.append(f"has no {name}")
        elif fault["type"] in ("string_too_short", "string_pattern_mismatch"):
            told.append(f"has an empty {name}")
        else:
            told.append(f"has a wrong {name} ({fault['msg'][:1].lower()}{fault['msg'][1:]})")
    return " and ".join(told)


def _read_json(source: Source, text: str) -> Iterator[Article | Problem]:
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and "\n" in text.strip():
            for number, line in enumerate(text.splitlines(), start=1):
                if line.strip():
                    yield _read_record(source, line.encode(), number)
            return
        reason = f"is not JSON ({error.msg}, line {error.lineno})"
        raise UnreadableError(reason, "Mend it, or write it again.") from error
    except RecursionError as error:
        raise UnreadableError("is nested too deep to be articles", "Write it as JSONL.") from error
    for number, record in enumerate(whole if isinstance(whole, list) else [whole], start=1):
        fallback = source.fallback_id if not isinstance(whole, list) else f"{source.fallback_id}/{number}"
        try:
            yield from_json(json.dumps(record), fallback_id=fallback)
        except ValidationError as error:
            where = f"entry {number} " if isinstance(whole, list) else ""
            yield Problem(source.name, where + _reason(error), f"Mend it. {_GIVE_FIELDS}")


# --- each post once ----------------------------------------------------------------------------------

_LOCALE = re.compile(r"/[a-z]{2}(?:-[a-z]{2,4})?(?=/.)", re.I)


@dataclass(slots=True)
class _Corpus:
    """Articles so far, by id and by what they say."""

    articles: list[Article] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    _by_id: dict[str, int] = field(default_factory=dict)
    _by_content: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def add(self, result: Article | Problem, source: Source) -> None:
        """Keep a new article, merge one that is here already, note what is wrong."""
        if isinstance(result, Problem):
            self.problems.append(result)
            return
        content = (fold(result.title), fold(result.text))
        twin = self._twin(result, content, source)
        if twin is not None:
            self._merge(twin, result, source)
        elif result.id in self._by_id:
            first = self.names[self._by_id[result.id]]
            reason = f"has another text under the id {result.id!r}, which {first} has already"
            self.problems.append(
                Problem(source.name, reason, "Remove one of the two, or give one another id.")
            )
        else:
            self._by_id[result.id] = len(self.articles)
            self._by_content.setdefault(content, []).append(len(self.articles))
            self.articles.append(result)
            self.names.append(source.name)

    def _twin(self, article: Article, content: tuple[str, str], source: Source) -> int | None:
        """The same post read before: equal words under one id, one address, or without an address."""
        for position in self._by_content.get(content, []):
            other = self.articles[position]
            nameless = not article.url and article.id == source.fallback_id
            if article.id == other.id or _address(article.id) == _address(other.id) or nameless:
                return position
        return None

    def _merge(self, position: int, article: Article, source: Source) -> None:
        kept = self.articles[position]
        shorter = (
            _address(article.id) == article.id != kept.id and article.id not in self._by_id and article.url
        )
        if shorter:
            self._by_id[article.id] = position
            kept = replace(kept, id=article.id, url=article.url)
        if len(article.comments) > len(kept.comments):
            kept = replace(kept, comments=article.comments)
        self.articles[position] = kept
        self.notes.append(f"{source.name}: the same post as {self.names[position]}; kept once.")


def _address(article_id: str) -> str:
    """An id that is a path, without the locale before it and the slash behind it."""
    return (
        _LOCALE.sub("", article_id, count=1)
        if _LOCALE.match(article_id)
        else article_id.rstrip("/")
        if article_id.startswith("/")
        else article_id
    )
