"""The Article, as every reader makes it and everything later uses it, and its one-a-line JSON form."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)


@dataclass(frozen=True, slots=True)
class Comment:
    """What a reader wrote below an article: never the article's voice, and without the reader's name."""

    text: str
    published: str | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """One post of the blog.

    Attributes:
        id: Unique in a corpus: given, or the path of the canonical URL, or the file's path without its
            ending.
        title: Never empty.
        text: The author's words alone. Paragraphs are parted by an empty line; headings are `## ` lines
            (deeper ones `### ` and so on); list items are `- ` or `1. ` lines, indented by two spaces a
            level when nested. Rows of a table are lines whose cells are parted by ` | `. A line break
            inside a paragraph is the author's and ends a line of its own. There is no other markup.
            Characters are kept as published, so that a quote can be found again on the live page.
        url: The canonical address of the live page, or empty when the source names none.
        author: As in the byline, or empty.
        published: ISO 8601 date or date and time, or None.
        updated: Likewise.
        tags: In the source's order.
        disclaimer: The medical disclaimer that stood in the article, or empty.
        comments: In the source's order.
    """

    id: str
    title: str
    text: str
    url: str = ""
    author: str = ""
    published: str | None = None
    updated: str | None = None
    tags: tuple[str, ...] = ()
    disclaimer: str = ""
    comments: tuple[Comment, ...] = ()


Filled = Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]
Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]


def _web_address(url: str) -> str:
    """Refuse addresses that a browser would run instead of open: the url becomes a link."""
    scheme = urlsplit(url.strip()).scheme
    if scheme not in ("", "http", "https"):
        raise ValueError(f"a web address begins with http: or https:, not with {scheme}:")
    return url.strip()


class _CommentRecord(BaseModel):
    text: Filled
    published: str | None = None


class _ArticleRecord(BaseModel):
    """One parsed line; fields that the contract does not name are ignored."""

    model_config = ConfigDict(extra="ignore")

    id: Annotated[
        str | None,
        BeforeValidator(lambda value: str(value) if isinstance(value, int) else value),
        Field(validation_alias=AliasChoices("id", "_id")),
    ] = None
    title: Filled
    text: Filled
    url: Annotated[Text, AfterValidator(_web_address)] = ""
    author: Text = ""
    published: str | None = None
    updated: str | None = None
    tags: Annotated[tuple[str, ...], BeforeValidator(lambda value: value or ())] = ()
    disclaimer: Text = ""
    comments: Annotated[tuple[_CommentRecord, ...], BeforeValidator(lambda value: value or ())] = ()


def to_json(article: Article) -> str:
    """One line of Article JSONL, without the newline."""
    return json.dumps(asdict(article), ensure_ascii=False)


def from_json(line: str | bytes, *, fallback_id: str) -> Article:
    """Read one line of Article JSONL.

    Args:
        line: A JSON object with at least `title` and `text`; `_id` is accepted for `id`.
        fallback_id: The id when the line has neither an id nor a url.

    Raises:
        pydantic.ValidationError: The line is not JSON or not an article; the error names the field.
    """
    record = _ArticleRecord.model_validate_json(line)
    return Article(
        id=record.id or path_id(record.url) or fallback_id,
        title=record.title.strip(),
        text=record.text,
        url=record.url,
        author=record.author,
        published=record.published,
        updated=record.updated,
        tags=record.tags,
        disclaimer=record.disclaimer,
        comments=tuple(Comment(comment.text, comment.published) for comment in record.comments),
    )


def path_id(url: str) -> str:
    """The id that a canonical URL gives: its path, or empty when it has none."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""  # "http://[" is no address, and has no path
    return path if path.strip("/") else ""


def write_jsonl(articles: Iterable[Article], path: Path) -> None:
    """Write Article JSONL whole or not at all: the file appears under its name when it is complete."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", encoding="utf-8") as lines:
        lines.writelines(to_json(article) + "\n" for article in articles)
    partial.replace(path)
