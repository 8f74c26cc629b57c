"""Files, folders and addresses of the web -> Articles, each once, and a Problem for what gave none.

Each kind of source has a reader of its own; this module chooses it. Whatever can be read is read: one bad
file never stops the rest.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ingest import csv_file
from ingest.article import Article
from ingest.chrome import NO_CHROME, Chrome, learn, without_selling
from ingest.corpus import Corpus
from ingest.decoding import decode
from ingest.export import Export
from ingest.feed import is_feed, read_feed
from ingest.finding import (
    JSON,
    JSON_LINES,
    MARKDOWN,
    PAGES,
    READABLE,
    TABLES,
    XML,
    Source,
    find_files,
    is_page,
)
from ingest.fragment import Post, read_post
from ingest.html_page import read_html
from ingest.json_file import read_json, read_json_lines
from ingest.markdown_file import read_markdown
from ingest.problem import Problem, UnreadableError
from ingest.shopify_export import is_bulk_line, read_bulk
from ingest.sitemap import is_sitemap
from ingest.text_dump import lines_of, read_dump
from ingest.verdict import Quarantined, Warned, common_changes, faults, warnings
from ingest.wordpress_export import is_wordpress_export, read_wordpress
from ingest.xml_text import parse_xml

if TYPE_CHECKING:
    from ingest.web.crawl import Crawler

MAX_PAGE_BYTES = 20_000_000
MAX_EXPORT_BYTES = 500_000_000
# All exports together are one source: they state everything there is, whatever the files are called.
EXPORT = "export"
# In place of the ids of articles: a maintainer changed the theme, or wrote the same notice into all posts.
ALL = "all"

Kind = Literal["file", "export", "feed", "sitemap", "page"]
Progress = Callable[[Sequence[Source]], Iterable[Source]]
LastGood = Callable[[str], Article | None]

_TAG = re.compile(r"</?(?:p|div|html|body|head|h[1-6]|br|span|table|article|a|ul|li|section)\b[^>]*>", re.I)
_ADDRESS = re.compile(r"https?:/+", re.I)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an article came from.

    Attributes:
        kind: Of what kind its source is. Of a feed is known that it shows some articles and no comments.
        source: The address or the file, as the user would name it.
        place: The page or file of the article itself.
        key: The name by which the index remembers where the article is from: the file's whole path, the
            page's address, or EXPORT for every export.
    """

    kind: Kind
    source: str
    place: str
    key: str


@dataclass(frozen=True, slots=True)
class Ingested:
    """What was read.

    Attributes:
        articles: In the order of the sources, folders in the order of their files' paths; ids are unique.
        problems: What gave no article; a command that meets one ends with an error code.
        notes: What was rightly left out, as whole sentences: a post found twice.
        files: The file or page that each article came from.
        origins: Where each article came from.
        gone: Ids of articles, and addresses of pages, that the host says are no more. Proof of removal.
        quarantined: What was read but is not fit to be served; the last good version is to stay.
        warnings: What a person should look at.
        roots: The files and folders that were read, as whole paths.
        unread: The keys of sources that could not be read, or not wholly: no proof of anything.
    """

    articles: tuple[Article, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    origins: tuple[Origin, ...] = ()
    gone: frozenset[str] = frozenset()
    quarantined: tuple[Quarantined, ...] = ()
    warnings: tuple[Warned, ...] = ()
    roots: tuple[str, ...] = ()
    unread: frozenset[str] = frozenset()

    def covers(self, key: str, article_id: str = "") -> bool:
        """Whether an article that is served and was not read now has been removed at its source.

        A feed or sitemap without it proves nothing; an answer "gone", an export or a folder without it does.
        What is quarantined, or stood in a file that could not be read, is not removed.

        Args:
            key: The `Origin.key` with which the article was indexed.
            article_id: Its id, by which also an article of an export can be found to be gone.
        """
        if any(key == held.key or article_id == held.article.id for held in self.quarantined):
            return False
        if key in self.gone or article_id in self.gone:
            return True
        if is_address(key) or key in self.unread:
            return False
        if key == EXPORT:
            return any(origin.key == EXPORT for origin in self.origins)
        # A folder that is not there is a slip of the pen or of the disk.
        path = Path(key)
        return any(map(path.is_relative_to, self.roots)) and not any(map(path.is_relative_to, self.unread))


def is_address(source: Path | str) -> bool:
    """Whether a source is an address of the web, and not a file."""
    return _ADDRESS.match(str(source)) is not None


def read_sources(
    sources: Sequence[Path | str],
    *,
    progress: Progress = iter,
    crawler: Crawler | None = None,
    last_good: LastGood = lambda _id: None,
    accepted: frozenset[str] = frozenset(),
) -> Ingested:
    """Read every article in files, in folders, and behind addresses.

    Args:
        sources: Files, folders, and addresses of feeds, sitemaps or pages; folders are searched to the
            bottom.
        progress: Wraps the list of files while it is worked through, as tqdm does.
        crawler: Reads addresses; without one they are a problem.
        last_good: An article's version that is served now, by its id; what has become much worse is
            quarantined.
        accepted: The ids of articles that a maintainer has looked at: never quarantined; ALL for all.
    """
    addresses = [str(source) for source in sources if is_address(source)]
    paths = [Path(source) for source in sources if not is_address(source)]
    files, problems = find_files(paths)
    reading = _Reading(problems, unread={os.path.realpath(problem.source) for problem in problems})
    chrome = learn(dump_lines(files))
    for source in progress(files):
        _read_file(reading, source, chrome)
    for address in addresses:
        _read_address(reading, address, crawler)
    return _judged(reading, last_good, accepted, tuple(os.path.realpath(path) for path in paths))


@dataclass(slots=True)
class _Reading:
    """What was read so far."""

    problems: list[Problem]
    corpus: Corpus = field(default_factory=Corpus)
    origins: list[Origin] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)

    def add(self, article: Article, origin: Origin, line: int | None, *, is_anonymous: bool) -> None:
        """Keep an article, when it is not there already."""
        articles, problems = len(self.corpus.articles), len(self.corpus.problems)
        self.corpus.add(article, name=origin.place, line=line, is_anonymous=is_anonymous)
        if len(self.corpus.articles) > articles:
            self.origins.append(origin)
        if len(self.corpus.problems) > problems:
            self.unread.add(origin.key)


def _judged(
    reading: _Reading, last_good: LastGood, accepted: frozenset[str], roots: tuple[str, ...]
) -> Ingested:
    """What was read, without what is not fit to be served."""
    corpus = reading.corpus
    corpus.articles, repeated = _without_adverts(corpus.articles, reading.origins)
    pairs = [
        (_with_untold(article, old) if old and origin.kind == "feed" else article, old)
        for article, origin in zip(corpus.articles, reading.origins, strict=True)
        for old in [last_good(article.id)]
    ]
    read_from_pages = [origin.kind != "export" for origin in reading.origins]
    shared = common_changes(
        [
            (new, old)
            for (new, old), page in zip(pairs, read_from_pages, strict=True)
            if page and old and new != old
        ]
    )
    held: dict[int, Quarantined] = {}
    warned: list[Warned] = []
    for number, ((article, old), origin) in enumerate(zip(pairs, reading.origins, strict=True)):
        reasons = (*faults(article, old), *shared.get(article.id, ())) if read_from_pages[number] else ()
        if reasons and not accepted & {article.id, ALL}:
            held[number] = Quarantined(article, origin.place, origin.key, reasons)
        elif article != old and (found := warnings(article, old)):
            warned.append(Warned(article.id, origin.place, found))
    kept = [number for number in range(len(pairs)) if number not in held]
    return Ingested(
        articles=tuple(pairs[number][0] for number in kept),
        problems=(*reading.problems, *corpus.problems),
        notes=(*corpus.notes, *reading.notes, *repeated),
        files=tuple(corpus.files[number] for number in kept),
        origins=tuple(reading.origins[number] for number in kept),
        gone=frozenset(reading.gone) - {article.id for article in corpus.articles},
        quarantined=tuple(held.values()),
        warnings=tuple(warned),
        roots=roots,
        unread=frozenset(reading.unread),
    )


def _without_adverts(articles: list[Article], origins: Sequence[Origin]) -> tuple[list[Article], list[str]]:
    """The articles, those read from pages without the adverts that stand in many of them."""
    of_pages = [number for number, origin in enumerate(origins) if origin.kind != "export"]
    cleaned, notes = without_selling([articles[number] for number in of_pages])
    found = list(articles)
    for number, article in zip(of_pages, cleaned, strict=True):
        found[number] = article
    return found, notes


def _with_untold(article: Article, old: Article) -> Article:
    """An article of a feed, with what a feed does not tell as it was: comments, and what is not the body."""
    return replace(
        article,
        comments=article.comments or old.comments,
        disclaimer=article.disclaimer or old.disclaimer,
        author=article.author or old.author,
        published=article.published or old.published,
        tags=article.tags or old.tags,
    )


# --- files -------------------------------------------------------------------------------------------


def _read_file(reading: _Reading, source: Source, chrome: Chrome) -> None:
    opened = _Opened()
    for line, result in _read_source(source, chrome, opened):
        key = EXPORT if opened.kind == "export" else os.path.realpath(source.path)
        if isinstance(result, Problem):
            reading.problems.append(result)
            reading.unread.add(key)
            continue
        anonymous = not result.url and result.id in (source.fallback_id, f"{source.fallback_id}/{line}")
        if opened.kind == "feed" and result.url:
            key = result.url
        origin = Origin(opened.kind, source.name, source.name, key)
        reading.add(result, origin, line, is_anonymous=anonymous)
    if not opened.is_whole:
        reading.unread.add(EXPORT)
    reading.notes.extend(opened.notes)


@dataclass(slots=True)
class _Opened:
    """What a file turned out to be, known as soon as its first article is."""

    kind: Kind = "file"
    is_whole: bool = True
    notes: list[str] = field(default_factory=list)


def read_source(source: Source) -> Iterator[tuple[int | None, Article | Problem]]:
    """The articles of one file as they are read, each with its line when the file holds several."""
    yield from _read_source(source, NO_CHROME, _Opened())


def read_bytes(name: str, data: bytes) -> Iterator[tuple[int | None, Article | Problem]]:
    """The articles of a file that is held in memory, as they are read; see `read_source`.

    Raises:
        UnreadableError: There are none in it.
    """
    source, opened = Source(Path(name), name, Path(name).stem), _Opened()
    if source.ending in XML:
        yield from _read_xml(source, data, opened)
        return
    text = filled(decode(data))
    if source.ending in JSON_LINES and is_bulk_line(data[:10_000].split(b"\n")[0]):
        export = read_bulk(data.splitlines(), name=name, fallback_id=source.fallback_id)
        yield from _from_export(source, opened, export)
    else:
        yield from _read_text(source, text, NO_CHROME, opened)


def _read_source(
    source: Source, chrome: Chrome, opened: _Opened
) -> Iterator[tuple[int | None, Article | Problem]]:
    is_listed = source.ending in JSON_LINES | JSON | TABLES
    opened.kind = "export" if is_listed else "file"
    try:
        if source.ending in JSON_LINES:
            yield from _read_lines(source, opened)
        else:
            yield from _read_whole(source, chrome, opened)
    except UnreadableError as error:
        yield None, Problem(source.name, error.reason, error.next_step)
    except OSError as error:
        reason = f"can not be read ({error.strerror or error})"
        yield None, Problem(source.name, reason, "Check that the file is there and that you may read it.")


def _read_lines(source: Source, opened: _Opened) -> Iterator[tuple[int | None, Article | Problem]]:
    with source.path.open("rb") as file:
        is_bulk = is_bulk_line(file.readline(10_000))
    if is_bulk:
        lines = _bytes(source.path, MAX_EXPORT_BYTES).splitlines()
        yield from _from_export(
            source, opened, read_bulk(lines, name=source.name, fallback_id=source.fallback_id)
        )
    else:
        yield from read_json_lines(source.path, name=source.name, fallback_id=source.fallback_id)


def _read_whole(
    source: Source, chrome: Chrome, opened: _Opened
) -> Iterator[tuple[int | None, Article | Problem]]:
    if source.ending in XML:
        yield from _read_xml(source, _bytes(source.path, MAX_EXPORT_BYTES), opened)
        return
    text = text_of_file(source.path, MAX_EXPORT_BYTES if source.ending in JSON | TABLES else MAX_PAGE_BYTES)
    yield from _read_text(source, text, chrome, opened)


def _read_text(
    source: Source, text: str, chrome: Chrome, opened: _Opened
) -> Iterator[tuple[int | None, Article | Problem]]:
    name, fallback_id = source.name, source.fallback_id
    is_unnamed = source.ending not in READABLE
    if source.ending in TABLES:
        yield from _from_export(source, opened, csv_file.read_table(text, name=name, fallback_id=fallback_id))
    elif source.ending in JSON | JSON_LINES or (is_unnamed and text.lstrip()[:1] in ("{", "[")):
        opened.kind = "export"
        read = read_json(text, name=name, fallback_id=fallback_id)
        if isinstance(read, Export):
            yield from _from_export(source, opened, read)
        else:
            yield from read
    elif is_page(text) or (source.ending in PAGES and _TAG.search(text)):
        yield None, read_html(text, fallback_id=fallback_id)
    elif source.ending in MARKDOWN:
        yield None, read_markdown(text, fallback_id=fallback_id)
    else:
        yield None, read_dump(text, fallback_id=fallback_id, chrome=chrome)


def _from_export(
    source: Source, opened: _Opened, export: Export
) -> Iterator[tuple[int | None, Article | Problem]]:
    opened.kind, opened.is_whole = "export", export.is_whole
    if export.drafts:
        opened.notes.append(f"{source.name}: {export.drafts} of its posts are not published; left out.")
    if not export.is_whole:
        opened.notes.append(
            f"{source.name}: is a part of an export, so that what is not in it is not taken for removed."
        )
    if not export.results and not export.drafts:
        raise UnreadableError("holds no posts", "Export the blog's posts again.")
    yield from export.results


def _read_xml(source: Source, data: bytes, opened: _Opened) -> Iterator[tuple[int | None, Article | Problem]]:
    """A WordPress export, or a feed that was saved."""
    root = parse_xml(data)
    if is_wordpress_export(root):
        export = read_wordpress(root, name=source.name, fallback_id=source.fallback_id)
        yield from _from_export(source, opened, export)
    elif is_feed(root):
        opened.kind = "feed"
        yield from _read_saved_feed(source, data)
    elif is_sitemap(root):
        raise UnreadableError("is a sitemap: a list of addresses", "Give the sitemap's own address instead.")
    else:
        raise UnreadableError(
            "is neither a WordPress export nor a feed", "Leave it out, or export the blog again."
        )


def _read_saved_feed(source: Source, data: bytes) -> Iterator[tuple[int | None, Article | Problem]]:
    for number, entry in enumerate(read_feed(data, "").entries, start=1):
        if not entry.is_whole:
            reason = f"has only the beginning of {entry.title!r}"
            yield number, Problem(source.name, reason, "Give the feed's own address instead.", number)
            continue
        post = Post(
            title=entry.title, url=entry.url, author=entry.author, published=entry.published,
            updated=entry.updated, tags=entry.tags,
        )  # fmt: skip
        try:
            yield number, read_post(entry.markup, post, fallback_id=f"{source.fallback_id}/{number}")
        except UnreadableError as error:
            yield number, Problem(source.name, error.reason, error.next_step, number)


def _bytes(path: Path, limit: int) -> bytes:
    size = path.stat().st_size
    if size > limit:
        reason = f"is too large for one page ({size:,} bytes; at most {limit:,})"
        raise UnreadableError(reason, "Split it, or write its articles as JSONL, one a line.")
    return path.read_bytes()


def text_of_file(path: Path, limit: int = MAX_PAGE_BYTES) -> str:
    """The text of a file.

    Raises:
        UnreadableError: It is too large, empty, or no text.
        OSError: It can not be opened.
    """
    return filled(decode(_bytes(path, limit)))


def filled(text: str) -> str:
    """The same text, when there is anything in it.

    Raises:
        UnreadableError: There is not.
    """
    if not text.strip():
        raise UnreadableError("is empty", "Leave it out, or save the page again.")
    return text


def dump_lines(files: Sequence[Source]) -> Iterator[list[str]]:
    """The lines of the files that look like dumps: from many of them the site's own lines are learned."""
    dumps = [source for source in files if source.ending in (".txt", ".text")]
    for source in dumps if len(dumps) > 1 else ():
        try:
            text = text_of_file(source.path, MAX_PAGE_BYTES)
        except (UnreadableError, OSError):
            continue  # told when the file itself is read
        if not is_page(text):
            yield lines_of(text)


# --- addresses ---------------------------------------------------------------------------------------


def _read_address(reading: _Reading, address: str, crawler: Crawler | None) -> None:
    address = whole_address(address)
    if crawler is None:
        reading.problems.append(Problem(address, "is an address of the web", "Name a file or a folder."))
        return
    try:
        harvest = crawler.read(address)
    except UnreadableError as error:
        reading.problems.append(Problem(address, error.reason, error.next_step))
        return
    for place, result in harvest.results:
        if isinstance(result, Problem):
            reading.problems.append(result)
        else:
            reading.add(result, Origin(harvest.kind, address, place, place), None, is_anonymous=False)
    reading.notes.extend(harvest.notes)
    reading.gone.update(one for pair in harvest.gone for one in pair)


def whole_address(address: str) -> str:
    """An address with both its slashes, of which a Path has made one."""
    return _ADDRESS.sub(lambda found: found.group().rstrip("/").lower() + "//", address, count=1)
