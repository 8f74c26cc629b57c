"""Blog posts as Shopify's Admin API gives them, over REST or GraphQL -> Articles.

An export states everything that there is; a page of one does not, and says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ingest.address import web_address
from ingest.article import Article, Comment
from ingest.characters import one_line
from ingest.export import Export
from ingest.fragment import Post, comment_text, export_time, read_post
from ingest.problem import Problem, UnreadableError

_BODY_KEYS = ("body_html", "bodyHtml", "body", "contentHtml")
_BULK_KIND = "gid://shopify/"
# What REST gives at most in one answer: exactly so many articles are very likely not all.
_REST_PAGE = 250


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _tags(value: Any) -> tuple[str, ...]:
    listed = value.split(",") if isinstance(value, str) else value or ()
    return tuple(dict.fromkeys(tag for one in listed if (tag := one_line(str(one)))))


def _name(value: Any) -> str:
    return _text(value.get("name") if isinstance(value, Mapping) else value)


def _nodes(value: Any) -> list[Any]:
    """The members of a GraphQL connection, written as `nodes` or as `edges`, or of a plain list."""
    if isinstance(value, Mapping):
        edges = value.get("edges")
        return list(value.get("nodes") or ()) or [
            edge.get("node") for edge in edges or () if isinstance(edge, Mapping)
        ]
    return list(value) if isinstance(value, list) else []


class _CommentRecord(BaseModel):
    model_config = ConfigDict(extra="ignore")

    body: Annotated[
        str, BeforeValidator(_text), Field(validation_alias=AliasChoices("body_html", "bodyHtml", "body"))
    ] = ""
    status: str = "published"
    created: Annotated[
        str | None,
        Field(validation_alias=AliasChoices("published_at", "publishedAt", "created_at", "createdAt")),
    ] = None


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore")

    title: Annotated[str, BeforeValidator(_text)] = ""
    body: Annotated[str, BeforeValidator(_text), Field(validation_alias=AliasChoices(*_BODY_KEYS))] = ""
    handle: Annotated[str, BeforeValidator(_text)] = ""
    author: Annotated[
        str,
        BeforeValidator(_name),
        Field(validation_alias=AliasChoices("author", "authorV2")),
    ] = ""
    tags: Annotated[tuple[str, ...], BeforeValidator(_tags)] = ()
    published: Annotated[str | None, Field(validation_alias=AliasChoices("published_at", "publishedAt"))] = (
        None
    )
    updated: Annotated[str | None, Field(validation_alias=AliasChoices("updated_at", "updatedAt"))] = None
    is_published: Annotated[bool | None, Field(validation_alias=AliasChoices("isPublished", "published"))] = (
        None
    )
    url: Annotated[
        str, BeforeValidator(_text), Field(validation_alias=AliasChoices("onlineStoreUrl", "url"))
    ] = ""


def is_shopify(value: Any) -> bool:
    """Whether parsed JSON is an answer of Shopify's Admin API that holds posts."""
    return any(_is_post(record) for _, record in _posts(value, ""))


def is_bulk_line(line: bytes) -> bool:
    """Whether a line of JSONL is of a bulk operation's result."""
    return _BULK_KIND.encode() in line[:400]


def read_shopify(value: Any, *, name: str, fallback_id: str) -> Export:
    """Read posts from parsed JSON: one, a list, or an answer of REST or GraphQL.

    Args:
        value: What the file held.
        name: How the user would name the file.
        fallback_id: With the post's place behind it, the id of one without a handle.
    """
    blogs = _blog_handles(value)
    posts = list(_posts(value, ""))
    export = Export(is_whole=_is_whole(value, len(posts)))
    for number, (blog, record) in enumerate(posts, start=1):
        result = _read(record, blogs.get(str(record.get("blog_id")), blog), name, f"{fallback_id}/{number}")
        if result is None:
            export.drafts += 1
        else:
            export.results.append((number, result))
    return export


def read_bulk(lines: Sequence[bytes], *, name: str, fallback_id: str) -> Export:
    """Read the JSONL of a bulk operation, where children follow their parents and name them."""
    records: dict[str, dict[str, Any]] = {}
    export = Export()
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            problem = Problem(name, "is not JSON", "Fetch the bulk operation's result again.", number)
            export.results.append((number, problem))
            continue
        if not isinstance(record, dict):
            continue
        parent = records.get(str(record.get("__parentId")))
        records[str(record.get("id", number))] = record
        if parent is not None and "/Comment/" in str(record.get("id", "")):
            parent.setdefault("comments", []).append(record)
        elif parent is not None and "/Blog/" in str(parent.get("id", "")):
            record.setdefault("blog", {"handle": parent.get("handle")})
    posts = [record for record in records.values() if _is_post(record)]
    read = read_shopify(posts, name=name, fallback_id=fallback_id) if posts else Export()
    return Export([*export.results, *read.results], read.drafts)


def _read(record: Mapping[str, Any], blog: str, name: str, fallback_id: str) -> Article | Problem | None:
    """One post; None for a draft."""
    try:
        fields = _Record.model_validate(record)
    except ValidationError as error:
        wrong = ".".join(str(part) for part in error.errors()[0]["loc"])
        return Problem(name, f"has a post with a wrong {wrong}", "Export it again.")
    if fields.is_published is False or ("published_at" in record and fields.published is None):
        return None
    path = f"/blogs/{blog}/{fields.handle}" if blog and fields.handle else fields.handle
    url = web_address(fields.url)
    post = Post(
        title=one_line(fields.title),
        id="" if url else path,
        url=url,
        author=one_line(fields.author),
        published=export_time(fields.published),
        updated=export_time(fields.updated),
        tags=fields.tags,
        comments=_comments(record.get("comments")),
    )
    try:
        return read_post(fields.body, post, fallback_id=fallback_id)
    except UnreadableError as error:
        return Problem(f"{name}, post {fields.handle or fields.title!r}", error.reason, error.next_step)


def _comments(value: Any) -> tuple[Comment, ...]:
    comments = []
    for record in _nodes(value):
        try:
            fields = _CommentRecord.model_validate(record)
        except ValidationError:
            continue  # a broken comment is nobody's answer
        text = comment_text(fields.body) if fields.status.lower() == "published" else ""
        if text:
            comments.append(Comment(text, export_time(fields.created)))
    return tuple(comments)


def _is_post(record: Any) -> bool:
    return (
        isinstance(record, dict)
        and "title" in record
        and any(isinstance(record.get(key), str) for key in _BODY_KEYS)
        and ("handle" in record or "blog_id" in record or "blog" in record or "body_html" in record)
        and "text" not in record
    )


def _posts(value: Any, blog: str, depth: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    """The posts in an answer, each with the handle of its blog as far as that is told."""
    if depth > 8:
        return
    if isinstance(value, list):
        for one in value:
            yield from _posts(one, blog, depth + 1)
    elif _is_post(value):
        given = value.get("blog")
        yield (_text(given.get("handle")) if isinstance(given, Mapping) else blog) or blog, value
    elif isinstance(value, dict):
        inner = _text(value.get("handle")) if "articles" in value and "handle" in value else blog
        for key in ("data", "blogs", "blog", "articles", "article", "nodes", "edges", "node"):
            yield from _posts(value.get(key), inner, depth + 1)


def _blog_handles(value: Any) -> dict[str, str]:
    """The handles of blogs by their number, where one file holds both answers."""
    listed = value.get("blogs") if isinstance(value, dict) else None
    return {
        str(blog.get("id")): _text(blog.get("handle")) for blog in _nodes(listed) if isinstance(blog, dict)
    }


def _is_whole(value: Any, count: int) -> bool:
    return count != _REST_PAGE and not _has_next_page(value)


def _has_next_page(value: Any, depth: int = 0) -> bool:
    if depth > 8:
        return False
    if isinstance(value, list):
        return any(_has_next_page(one, depth + 1) for one in value[:1000])
    if not isinstance(value, dict):
        return False
    page = value.get("pageInfo")
    if isinstance(page, Mapping) and page.get("hasNextPage") is True:
        return True
    return any(_has_next_page(one, depth + 1) for one in value.values() if isinstance(one, dict | list))
