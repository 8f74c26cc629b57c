"""What readers wrote below a page's article: taken out, so that it is never the author's voice."""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from lxml import etree

from ingest.article import Comment
from ingest.byline import parse_byline, parse_timestamp
from ingest.characters import fold, one_line, words
from ingest.furniture import is_furniture
from ingest.linearise import linearise
from ingest.page_trimming import is_state, remove, spelled, tokens

_SECTION = re.compile(
    r"(?:^|-)(?:comments|commentlist|comment-?list|comments-?(?:area|section|list|wrapper|container|holder|block)|"
    r"comment-(?:section|wrapper|area|container)|disqus-thread|respond|fb-comments|responses)(?:-\d+)?$"
)
_ITEM = re.compile(r"(?:^|-)comments?-(?:comment|item|block|entry|thread|\d+)$|^(?:.*-)?comment$")
_TEXT = re.compile(r"(?:^|-)comments?-(?:content|text|message|copy)$|^(?:.*-)?rte$|(?:^|-)comment-?content$")
_BODY = re.compile(r"(?:^|-)comments?-body$")
_ABOUT = re.compile(
    r"(?:^|-)(?:author|meta|metadata|vcard|fn|date|time|timestamp|avatar|gravatar|reply|replylink|header|footer|name|info|"
    r"actions|edit|says|byline|user|secondary-text)(?:-|$)"
)
_SIGNATURE = re.compile(r".{1,60}?\s+(?:says|said|wrote|commented)\b.{0,60}:?|.{1,60}?\s+on\b.{0,40}", re.I)


def take_comments(root: Any) -> tuple[Comment, ...]:
    """Cut the comments out of a page's tree; they are returned in its order, without their writers' names."""
    sections = [element for element in root.iter(etree.Element) if _is_section(element)]
    comments: list[Comment] = []
    for section in sections:
        if any(parent in sections for parent in section.iterancestors()):
            continue
        comments.extend(_read(section))
    for section in sections:
        remove(section)
    loose = [element for element in root.iter("li", "article", "div") if _is_item(element)]
    for item in loose:
        if not any(parent in loose for parent in item.iterancestors()):
            comments.extend(_read_items([item, *(inner for inner in loose if item in inner.iterancestors())]))
    for item in loose:
        remove(item)
    return tuple(comments)


def _is_section(element: Any) -> bool:
    if element.tag in ("html", "body", "main", "a", "h1", "h2", "h3", "span", "link"):
        return False
    names = [spelled(token) for token in tokens(element) if not is_state(token)]
    if not any(_SECTION.search(name) for name in names):
        return False
    return next(element.iter("h1", "main"), None) is None and not any(
        child.get("itemprop") == "articleBody" for child in element.iter(etree.Element)
    )


def _is_item(element: Any) -> bool:
    return element.get("itemprop") == "comment" or any(
        _ITEM.search(spelled(token)) for token in tokens(element)
    )


def _read(section: Any) -> Iterable[Comment]:
    items = [element for element in section.iter("li", "article", "div", "section") if _is_item(element)]
    if not items:
        items = list(section.iter("article")) or _outermost(section, "li") or list(section.iter("dd"))
        items = items or list(section.iterchildren("div", "section", "p"))
    return _read_items(items)


def _outermost(section: Any, tag: str) -> list[Any]:
    return [element for element in section.iter(tag) if next(element.iterancestors(tag), None) is None]


def _read_items(items: list[Any]) -> Iterable[Comment]:
    """Each item on its own: replies nested in an item are items themselves."""
    wanted = set(items)
    for item in items:
        inner = [child for child in item.iterdescendants() if child in wanted]
        if inner and not _own_text(item, wanted):
            continue
        comment = _comment(item, wanted)
        if comment:
            yield comment


def _own_text(item: Any, items: set[Any]) -> str:
    own = _without(item, lambda element: element in items)
    return one_line(own.text_content())


def _comment(item: Any, items: set[Any]) -> Comment | None:
    own = _without(item, lambda element: element in items)
    published = _published(own)
    names = _names(own)
    content = _content(own)
    for element in [child for child in content.iterdescendants(etree.Element) if _is_about(child)]:
        remove(element)
    paragraphs = [block.text for block in linearise(content)]
    kept = [text for text in paragraphs if not _is_around(text, names)]
    text = "\n\n".join(kept)
    return Comment(text, published) if words(text) else None


def _without(item: Any, is_foreign: Any) -> Any:
    """A copy of an item without the items inside it."""
    places = [
        position
        for position, child in enumerate(item.iter(etree.Element))
        if child is not item and is_foreign(child)
    ]
    copy = deepcopy(item)
    copy.tail = None
    elements = list(copy.iter(etree.Element))
    for position in places:
        remove(elements[position])
    return copy


def _content(item: Any) -> Any:
    for pattern in (_TEXT, _BODY):
        for element in item.iterdescendants("div", "p", "section", "blockquote", "dd", "span"):
            if any(pattern.search(spelled(token)) for token in tokens(element)) and words(
                element.text_content()
            ):
                return element
    for element in item.iterdescendants(etree.Element):
        if element.get("itemprop") in ("text", "commentText", "description"):
            return element
    return item


def _is_about(element: Any) -> bool:
    return element.tag in ("footer", "header", "time", "cite", "form") or any(
        _ABOUT.search(spelled(token)) for token in tokens(element)
    )


def _names(item: Any) -> set[str]:
    """How the writer is named around the comment, folded, so that a closing line with the name can go."""
    names: set[str] = set()
    for element in item.iterdescendants(etree.Element):
        if element.tag == "cite" or any(
            re.search(r"(?:^|-)(?:author|fn|name|user)(?:-|$)", spelled(t)) for t in tokens(element)
        ):
            text = fold(element.text_content())
            if text and len(text.split()) <= 6:
                names.update((text, text.split()[0]))
    return names


def _is_around(text: str, names: set[str]) -> bool:
    if is_furniture(text) or fold(text) in names:
        return True
    short = len(words(text)) <= 10
    return short and (
        parse_byline(text) is not None or bool(_SIGNATURE.fullmatch(text) and not re.search(r"[.!?]", text))
    )


def _published(item: Any) -> str | None:
    for element in item.iterdescendants("time"):
        day = parse_timestamp(element.get("datetime") or one_line(element.text_content()))
        if day:
            return day
    for block in linearise(item):
        for line in block.text.split("\n"):
            if len(words(line)) <= 12:
                _, _, day = line.rpartition(" on ")
                found = parse_byline(day)
                if found and found.published:
                    return found.published
    return None
