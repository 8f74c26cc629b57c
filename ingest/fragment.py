"""A post's body without a page around it, as feeds and exports hold it -> an Article."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from html import unescape

from lxml import etree, html

from ingest.article import Article, Comment, path_id
from ingest.blocks import Block
from ingest.body import finish, until_last_word, without_byline
from ingest.byline import parse_timestamp
from ingest.characters import one_line, without_unprintable
from ingest.limits import refuse_large_text, refuse_large_tree
from ingest.linearise import linearise
from ingest.page_trimming import remove_adverts, remove_furniture, remove_hidden
from ingest.problem import UnreadableError

_MARKUP = re.compile(
    r"<(?:p|div|br|h[1-6]|ul|ol|li|table|blockquote|section|article|figure|span|strong|em|b|i|a)\b", re.I
)
_BLOCKS = re.compile(r"<(?:p|div|br|h[1-6]|ul|ol|table|blockquote|section|article)\b", re.I)
_STANDS_ALONE = re.compile(
    r"\s*</?(?:h[1-6]|ul|ol|li|table|t[rdh]|tbody|thead|blockquote|div|section|figure|pre|hr)\b", re.I
)


@dataclass(frozen=True, slots=True)
class Post:
    """What a feed or an export says of a post beside its body; empty or None where it says nothing."""

    title: str
    id: str = ""
    url: str = ""
    author: str = ""
    published: str | None = None
    updated: str | None = None
    tags: tuple[str, ...] = ()
    comments: tuple[Comment, ...] = ()


def read_post(markup: str, post: Post, *, fallback_id: str) -> Article:
    """An Article from a post's body and what is said of it.

    Args:
        markup: HTML, or plain text whose paragraphs are parted by empty lines.
        post: What is said of it.
        fallback_id: The id when the post names neither an id nor an address.

    Raises:
        UnreadableError: The body has no words.
    """
    blocks = without_byline(until_last_word(body_blocks(markup)))
    body = finish(blocks, post.title)
    if not body.word_count:
        raise UnreadableError("has no text", "Leave it out, or write the article.")
    return Article(
        id=post.id or path_id(post.url) or fallback_id,
        title=post.title or body.first_line,
        text=body.text,
        url=post.url,
        author=post.author,
        published=post.published,
        updated=post.updated if post.updated != post.published else None,
        tags=post.tags,
        disclaimer=body.disclaimer,
        comments=post.comments,
    )


def body_blocks(markup: str) -> list[Block]:
    """The blocks of a body, without what is hidden in it or belongs to a theme.

    Raises:
        UnreadableError: It is larger than any article.
    """
    markup = without_unprintable(markup)
    refuse_large_text(markup)
    if not _MARKUP.search(markup):
        return [Block("paragraph", text) for text in _text_paragraphs(markup)]
    if not _BLOCKS.search(markup) and "\n\n" in markup:
        markup = with_paragraphs(markup)
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        root = html.document_fromstring(f"<div>{markup}</div>".encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:
        return []
    refuse_large_tree(root)
    remove_hidden(root)
    remove_furniture(root)
    remove_adverts(root)
    return linearise(root)


def with_paragraphs(text: str) -> str:
    """HTML whose paragraphs are only parted by empty lines, with `<p>` around each, as WordPress shows it."""
    parts = re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n"))
    return "\n".join(
        part if _STANDS_ALONE.match(part) else "<p>" + part.strip().replace("\n", "<br>") + "</p>"
        for part in parts
        if part.strip()
    )


def comment_text(markup: str) -> str:
    """The words of a comment, its paragraphs parted by empty lines."""
    return "\n\n".join(block.text for block in body_blocks(markup))


def feed_time(text: str) -> str | None:
    """A time as mail and RSS write it, `Tue, 03 Mar 2014 10:00:00 +0000`, in ISO 8601; or None."""
    try:
        return parsedate_to_datetime(text).isoformat() if text and len(text) < 60 else None
    except (ValueError, OverflowError):
        return None


def export_time(text: str | None) -> str | None:
    """A time as an export writes it, in ISO 8601."""
    return parse_timestamp(text.replace(" UTC", "+00:00") if text else text)


def _text_paragraphs(text: str) -> list[str]:
    return [one_line(part) for part in re.split(r"\n\s*\n", unescape(text)) if one_line(part)]
