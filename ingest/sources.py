"""Files and folders -> Articles, each once, and a Problem for everything that gave none.

Each kind of source has a reader of its own; this module chooses it. Whatever can be read is read: one bad
file never stops the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.article import Article
from ingest.corpus import Corpus
from ingest.decoding import decode
from ingest.finding import JSON, JSON_LINES, MARKDOWN, PAGES, READABLE, Source, find_files, is_page
from ingest.html_page import read_html
from ingest.json_file import read_json, read_json_lines
from ingest.markdown_file import read_markdown
from ingest.problem import Problem, UnreadableError
from ingest.text_dump import read_dump

MAX_PAGE_BYTES = 20_000_000

Progress = Callable[[Sequence[Source]], Iterable[Source]]

_TAG = re.compile(r"</?(?:p|div|html|body|head|h[1-6]|br|span|table|article|a|ul|li|section)\b[^>]*>", re.I)


@dataclass(frozen=True, slots=True)
class Ingested:
    """What was read.

    Attributes:
        articles: In the order of the sources, folders in the order of their files' paths; ids are unique.
        problems: What gave no article; a command that meets one ends with an error code.
        notes: What was rightly left out, as whole sentences: a post found twice.
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
    files, problems = find_files(sources)
    corpus = Corpus()
    for source in progress(files):
        for line, result in read_source(source):
            if isinstance(result, Problem):
                problems.append(result)
            else:
                anonymous = not result.url and result.id in (
                    source.fallback_id,
                    f"{source.fallback_id}/{line}",
                )
                corpus.add(result, name=source.name, line=line, is_anonymous=anonymous)
    return Ingested(
        articles=tuple(corpus.articles),
        problems=(*problems, *corpus.problems),
        notes=tuple(corpus.notes),
        files=tuple(corpus.files),
    )


def read_source(source: Source) -> Iterator[tuple[int | None, Article | Problem]]:
    """The articles of one file as they are read, each with its line when the file holds several."""
    try:
        if source.ending in JSON_LINES:
            yield from read_json_lines(source.path, name=source.name, fallback_id=source.fallback_id)
        else:
            yield from _read_whole(source)
    except UnreadableError as error:
        yield None, Problem(source.name, error.reason, error.next_step)
    except OSError as error:
        reason = f"can not be read ({error.strerror or error})"
        yield None, Problem(source.name, reason, "Check that the file is there and that you may read it.")


def _read_whole(source: Source) -> Iterator[tuple[int | None, Article | Problem]]:
    text = _text(source.path)
    is_unnamed = source.ending not in READABLE
    if source.ending in JSON or (is_unnamed and text.lstrip()[:1] in ("{", "[")):
        yield from read_json(text, name=source.name, fallback_id=source.fallback_id)
    elif is_page(text) or (source.ending in PAGES and _TAG.search(text)):
        yield None, read_html(text, fallback_id=source.fallback_id)
    elif source.ending in MARKDOWN:
        yield None, read_markdown(text, fallback_id=source.fallback_id)
    else:
        yield None, read_dump(text, fallback_id=source.fallback_id)


def _text(path: Path) -> str:
    size = path.stat().st_size
    if size > MAX_PAGE_BYTES:
        reason = f"is too large for one page ({size:,} bytes; at most {MAX_PAGE_BYTES:,})"
        raise UnreadableError(reason, "Split it, or write its articles as JSONL, one a line.")
    text = decode(path.read_bytes())
    if not text.strip():
        raise UnreadableError("is empty", "Leave it out, or save the page again.")
    return text
