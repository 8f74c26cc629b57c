"""What was fetched before: pages with their validators, and which addresses a source has named so far.

One SQLite file, so that an interruption at any instant leaves every page that was fetched, and a run that
was cut short goes on where it stopped.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TABLES = """
create table if not exists pages (
    url text primary key, final_url text not null, media text not null, etag text not null,
    last_modified text not null, fetched real not null, body blob not null
);
create table if not exists runs (
    source text primary key, started real not null, is_open integer not null, whole real not null
);
create table if not exists known (
    source text not null, url text not null, article text not null, checked real not null,
    published text not null,
    primary key (source, url)
);
"""
# Raised whenever the tables change: a file of another version is begun anew.
_VERSION = 1
_IN_MEMORY = ":memory:"


@dataclass(frozen=True, slots=True)
class Page:
    """One address as it last answered.

    Attributes:
        url: What was asked for.
        final_url: What answered, after redirects.
        media: The Content-Type header as it was sent.
        etag: As it was sent, or empty.
        last_modified: Likewise.
        fetched: When it was last fetched or confirmed, in seconds since 1970.
        body: Decompressed.
    """

    url: str
    final_url: str
    media: str
    etag: str
    last_modified: str
    fetched: float
    body: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """A page that a source has named, with the id and day of its article, and when it was last seen alive."""

    url: str
    article: str
    checked: float
    published: str = ""


class Cache:
    """Pages, runs and known addresses in a file; in memory when there is no file.

    A file that is damaged is begun anew: it holds nothing that cannot be fetched again.
    """

    def __init__(self, path: Path | None = None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = _open(path)
        except sqlite3.DatabaseError:
            if path is None:
                raise
            path.unlink()
            self._db = _open(path)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def page(self, url: str) -> Page | None:
        """What this address last answered."""
        row = self._db.execute(
            "select final_url, media, etag, last_modified, fetched, body from pages where url = ?", (url,)
        ).fetchone()
        if row is None:
            return None
        final_url, media, etag, last_modified, fetched, packed = row
        try:
            body = zlib.decompress(packed)
        except zlib.error:
            return None
        return Page(url, final_url, media, etag, last_modified, fetched, body)

    def keep(self, page: Page) -> None:
        """Remember a page; durable when this returns."""
        with self._db:
            self._db.execute(
                "insert or replace into pages values (?, ?, ?, ?, ?, ?, ?)",
                (
                    page.url, page.final_url, page.media, page.etag, page.last_modified, page.fetched,
                    zlib.compress(page.body, 6),
                ),
            )  # fmt: skip

    def confirm(self, url: str, now: float) -> None:
        """Note that a page was found unchanged."""
        with self._db:
            self._db.execute("update pages set fetched = ? where url = ?", (now, url))

    def forget(self, url: str) -> None:
        """Drop a page that is gone."""
        with self._db:
            self._db.execute("delete from pages where url = ?", (url,))

    # --- runs ----------------------------------------------------------------------------------------

    def begin(self, source: str, now: float, longest: float) -> float:
        """Begin a run over a source, or go on with one that was cut short; when it began.

        Args:
            source: Its name.
            now: Seconds since 1970.
            longest: How many seconds after its beginning a run may still be gone on with.
        """
        row = self._db.execute("select started, is_open from runs where source = ?", (source,)).fetchone()
        if row and row[1] and now - row[0] < longest:
            return float(row[0])
        with self._db:
            self._db.execute(
                "insert into runs values (?, ?, 1, 0) "
                "on conflict (source) do update set started = excluded.started, is_open = 1",
                (source, now),
            )
        return now

    def finish(self, source: str, now: float, *, is_whole: bool) -> None:
        """End a run; a whole one read everything that the source names."""
        with self._db:
            self._db.execute("update runs set is_open = 0 where source = ?", (source,))
            if is_whole:
                self._db.execute("update runs set whole = ? where source = ?", (now, source))

    def last_whole(self, source: str) -> float:
        """When a source was last read as a whole, in seconds since 1970; 0 when it never was."""
        row = self._db.execute("select whole from runs where source = ?", (source,)).fetchone()
        return float(row[0]) if row else 0.0

    # --- known addresses -----------------------------------------------------------------------------

    def known(self, source: str) -> list[Known]:
        """The pages that a source has named so far, those seen longest ago first."""
        rows = self._db.execute(
            "select url, article, checked, published from known where source = ? order by checked, url",
            (source,),
        )
        return [Known(*row) for row in rows]

    def articles_of(self, url: str) -> list[str]:
        """The ids of the articles that a page has had, whatever source named it."""
        rows = self._db.execute("select distinct article from known where url = ?", (url,))
        return [str(row[0]) for row in rows]

    def note(self, source: str, pages: Iterable[Known]) -> None:
        """Remember that pages of a source were seen."""
        with self._db:
            self._db.executemany(
                "insert or replace into known values (?, ?, ?, ?, ?)",
                [(source, page.url, page.article, page.checked, page.published) for page in pages],
            )

    def drop(self, source: str, url: str) -> None:
        """Forget a page that is gone."""
        with self._db:
            self._db.execute("delete from known where source = ? and url = ?", (source, url))


def _open(path: Path | None) -> sqlite3.Connection:
    connection = sqlite3.connect(path or _IN_MEMORY, timeout=10)
    try:
        _refuse_other_version(connection)
        connection.execute(f"pragma user_version = {_VERSION}")
        connection.execute("pragma journal_mode = wal")
        connection.executescript(_TABLES)
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _refuse_other_version(connection: sqlite3.Connection) -> None:
    if connection.execute("pragma user_version").fetchone()[0] not in (0, _VERSION):
        raise sqlite3.DatabaseError("it was written by another version")
