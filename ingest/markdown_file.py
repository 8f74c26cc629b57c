"""A Markdown file, with or without front matter -> an Article. The home of markdown-it-py."""

from __future__ import annotations

import re

from lxml import html
from markdown_it import MarkdownIt

from ingest.address import web_address
from ingest.article import Article, path_id
from ingest.blocks import Block, promote_headings, render
from ingest.byline import parse_timestamp
from ingest.characters import fold, one_line, without_unprintable
from ingest.disclaimer import take_disclaimer
from ingest.limits import refuse_large_text, refuse_large_tree
from ingest.linearise import linearise
from ingest.page_trimming import remove_hidden
from ingest.problem import UnreadableError

_FRONT = re.compile(
    r"\A﻿?---[ \t]*\r?\n(?P<fields>.*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)(?P<rest>.*)\Z", re.S
)
_FIELD = re.compile(r"(?P<key>[A-Za-z][\w-]*)\s*:\s*(?P<value>.*)")
_LIST_ENTRY = re.compile(r"\s*-\s+(?P<value>.+)")
_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def read_markdown(source: str, *, fallback_id: str) -> Article:
    """Read one Markdown file.

    The front matter, if any, is lines `key: value` between two lines `---`. It may give title, author,
    date or published, updated, tags, url, and id, handle or slug; other keys are passed over. Without a
    title there, the first heading is the title.

    Raises:
        UnreadableError: There is no text, or no title.
    """
    refuse_large_text(source)
    fields, rest = _front_matter(source)
    blocks = _blocks(rest)
    title = _one(fields, "title")
    if blocks and blocks[0].kind == "heading" and (not title or fold(blocks[0].text) == fold(title)):
        title, blocks = title or blocks[0].text, blocks[1:]
    blocks, disclaimer = take_disclaimer(promote_headings(blocks))
    text = render(blocks)
    if not title and blocks:
        raise UnreadableError(
            "has no title", "Begin it with a heading, `# The title`, or a front matter `title:`."
        )
    if not text:
        raise UnreadableError("has no text below its title", "Leave it out, or write the article.")
    given = _one(fields, "url", "canonical", "canonical_url", "permalink", "link")
    url = web_address(given)
    return Article(
        id=_one(fields, "id") or path_id(given) or _one(fields, "handle", "slug") or fallback_id,
        title=title,
        text=text,
        url=url,
        author=_one(fields, "author", "authors", "by"),
        published=parse_timestamp(_one(fields, "published", "date", "published_at", "pubdate")),
        updated=parse_timestamp(
            _one(fields, "updated", "modified", "lastmod", "updated_at", "last_modified")
        ),
        tags=tuple(fields.get("tags") or fields.get("keywords") or ()),
        disclaimer=disclaimer,
    )


def _blocks(source: str) -> list[Block]:
    markup = without_unprintable(_MARKDOWN.render(without_unprintable(source)))
    if not markup.strip():
        return []
    root = html.fragment_fromstring(markup, create_parent="div")
    refuse_large_tree(root)
    remove_hidden(root)
    return linearise(root)


def _front_matter(source: str) -> tuple[dict[str, list[str]], str]:
    """Front matter as lists of values, and what follows it; empty when the file has none."""
    found = _FRONT.match(source)
    if not found:
        return {}, source
    fields: dict[str, list[str]] = {}
    key = ""
    for line in found["fields"].splitlines():
        entry, pair = _LIST_ENTRY.fullmatch(line), _FIELD.fullmatch(line)
        if entry and key:
            fields[key].append(_unquoted(entry["value"]))
        elif pair:
            key = pair["key"].lower()
            fields[key] = _values(key, pair["value"].strip())
    return fields, found["rest"]


def _values(key: str, value: str) -> list[str]:
    if value.startswith("[") and value.endswith("]"):
        value = value[1:-1]
    elif key not in ("tags", "keywords"):
        return [_unquoted(value)] if value else []
    return [_unquoted(part) for part in value.split(",") if part.strip()]


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    return one_line(value)


def _one(fields: dict[str, list[str]], *names: str) -> str:
    return next((", ".join(fields[name]) for name in names if fields.get(name)), "")
