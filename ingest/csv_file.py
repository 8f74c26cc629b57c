"""Blog posts as a table, such as Matrixify writes it for Shopify, or anybody by hand -> Articles."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ingest.address import web_address
from ingest.article import Comment
from ingest.characters import one_line
from ingest.export import Export
from ingest.fragment import Post, comment_text, export_time, read_post
from ingest.problem import Problem, UnreadableError

_NAMES: Mapping[str, Sequence[str]] = {
    "title": ("title", "post title", "name", "headline"),
    "body": ("body html", "body_html", "body (html)", "content", "body", "html", "text", "post content"),
    "handle": ("handle", "slug", "post name", "url handle"),
    "id": ("id", "_id", "post id"),
    "blog": ("blog: handle", "blog handle", "blog"),
    "author": ("author", "author name", "by"),
    "tags": ("tags", "tag", "keywords", "categories"),
    "published": ("published at", "published_at", "publish date", "published date", "date", "post date"),
    "created": ("created at", "created_at"),
    "updated": ("updated at", "updated_at", "modified", "last modified"),
    "state": ("published", "status", "visible", "post status"),
    "url": ("url", "link", "permalink", "address", "canonical url"),
    "command": ("command",),
    "comment": ("comment: body html", "comment: body", "comment: content", "comment: text"),
    "comment state": ("comment: status",),
    "comment time": ("comment: created at", "comment: published at"),
}
_OFF = frozenset(
    ("false", "no", "0", "draft", "hidden", "unpublished", "private", "pending", "trash", "future")
)
_DELETED = frozenset(("delete",))
_LARGEST_FIELD = 20_000_000


@dataclass(slots=True)
class _Rows:
    """The rows of one post: the first says what it is, the others may hold its comments."""

    number: int
    first: dict[str, str]
    comments: list[Comment] = field(default_factory=list)


def is_posts_table(text: str) -> bool:
    """Whether a text is a table with a row of names that has a title and a body."""
    try:
        header = next(_reader(text), [])
    except csv.Error:
        return False
    names = _columns(header)
    return len(header) >= 2 and "title" in names and "body" in names


def read_table(text: str, *, name: str, fallback_id: str) -> Export:
    """Read every post of a table.

    Args:
        text: The CSV, its columns parted by commas, semicolons or tabs.
        name: How the user would name the file.
        fallback_id: With the row's number behind it, the id of a post without handle and address.

    Raises:
        UnreadableError: It is no table of posts.
    """
    # A field may be as long as a post; the limit of the csv module is 128 KB.
    csv.field_size_limit(min(_LARGEST_FIELD, sys.maxsize))
    posts: list[_Rows] = []
    try:
        reader = _reader(text)
        names = _columns(next(reader, []))
        if not {"title", "body"} <= names.keys():
            raise UnreadableError(
                "is no table of posts: it has no columns for a title and a body",
                "Name the columns Title, Body HTML, Handle, Author, Tags and Published At.",
            )
        for number, row in enumerate(reader, start=2):
            _take(posts, number, {key: row[at].strip() for key, at in names.items() if at < len(row)})
    except csv.Error as error:
        raise UnreadableError(
            f"is not a table that can be read ({error})", "Export it again as CSV."
        ) from error
    export = Export()
    for rows in posts:
        if _is_off(rows.first):
            export.drafts += 1
            continue
        try:
            article = read_post(
                rows.first.get("body", ""), _post(rows), fallback_id=f"{fallback_id}/{rows.number}"
            )
            export.results.append((rows.number, article))
        except UnreadableError as error:
            export.results.append((rows.number, Problem(name, error.reason, error.next_step, rows.number)))
    return export


def _reader(text: str) -> Iterator[list[str]]:
    text = text.lstrip("\ufeff")
    head = text[:5000].partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _columns(header: Sequence[str]) -> dict[str, int]:
    """Where each field that is known stands."""
    given = [re.sub(r"\s+", " ", one.strip().lower()) for one in header]
    found = {}
    for key, names in _NAMES.items():
        place = next((given.index(name) for name in names if name in given), None)
        if place is not None:
            found[key] = place
    return found


def _take(posts: list[_Rows], number: int, row: dict[str, str]) -> None:
    """A row is a post of its own, or goes on with the one above it: same id, or neither title nor body."""
    if not any(row.values()):
        return
    same_id = bool(posts and row.get("id") and row["id"] == posts[-1].first.get("id"))
    if posts and (same_id or not (row.get("title") or row.get("body"))):
        rows = posts[-1]
    else:
        rows = _Rows(number, row)
        posts.append(rows)
    said = row.get("comment", "")
    if said and row.get("comment state", "published").lower() in ("published", "approved", ""):
        text = comment_text(said)
        if text:
            rows.comments.append(Comment(text, export_time(row.get("comment time"))))


def _is_off(row: Mapping[str, str]) -> bool:
    return row.get("state", "").lower() in _OFF or row.get("command", "").lower() in _DELETED


def _post(rows: _Rows) -> Post:
    row = rows.first
    url = web_address(row.get("url", ""))
    handle, blog = row.get("handle", ""), row.get("blog", "")
    path = f"/blogs/{blog}/{handle}" if blog and handle else handle or row.get("id", "")
    return Post(
        title=one_line(row.get("title", "")),
        id="" if url else path,
        url=url,
        author=one_line(row.get("author", "")),
        published=export_time(row.get("published") or row.get("created")),
        updated=export_time(row.get("updated")),
        tags=tuple(
            dict.fromkeys(tag for one in re.split(r"[,;|]", row.get("tags", "")) if (tag := one_line(one)))
        ),
        comments=tuple(rows.comments),
    )
