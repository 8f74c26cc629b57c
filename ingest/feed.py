"""A page of an Atom or RSS feed -> its entries, and where the feed goes on.

Reads Shopify's `.atom`, WordPress's feeds, and what else calls itself a feed. A feed shows the newest posts:
what is not in it may be there all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape, unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from lxml import etree

from ingest.address import clean_url
from ingest.byline import parse_timestamp
from ingest.characters import one_line
from ingest.fragment import feed_time
from ingest.problem import UnreadableError
from ingest.xml_text import name_of, parse_xml, space_of, text_of

_ROOTS = frozenset(("feed", "rss", "rdf"))
_ENTRIES = frozenset(("entry", "item"))
# A shop's entry may hold the product's price and type; a post never does.
_SHOP_KINDS = frozenset(("variant", "vendor", "price", "grams", "sku", "availability"))
_CUT = re.compile(
    r"(?:\[\s*(?:…|&#8230;|\.\.\.)\s*\]|…|\.\.\.|continue reading.{0,40}|read more.{0,20})\s*$", re.I
)
_STAMP = re.compile(r"<p>\s*The post\s.{0,600}?\sappeared first on\s.{0,400}?</p>\s*$", re.S | re.I)


@dataclass(frozen=True, slots=True)
class Entry:
    """One post as its feed shows it.

    Attributes:
        url: Of its page, without tracking.
        title: As shown, or empty.
        markup: The body's HTML, or of what there is of it.
        is_whole: The markup is the whole body, not its beginning.
        author: Or empty.
        published: ISO 8601, or None.
        updated: Likewise.
        tags: In the feed's order.
    """

    url: str
    title: str
    markup: str
    is_whole: bool
    author: str = ""
    published: str | None = None
    updated: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One page of a feed.

    Attributes:
        entries: In its order, newest first as a rule.
        next_url: Where its next page may be; empty when it does not seem to have one.
        passed_over: How many entries were of a shop's goods, or without address and words.
    """

    entries: tuple[Entry, ...]
    next_url: str
    passed_over: int = 0


def is_feed(root: Any) -> bool:
    """Whether an XML document is a feed."""
    return name_of(root) in _ROOTS


def read_feed(data: bytes, url: str) -> FeedPage:
    """Read one page of a feed.

    Args:
        data: The document.
        url: Where it comes from; addresses inside may be given from there.

    Raises:
        UnreadableError: It is no feed.
    """
    root = parse_xml(data)
    if not is_feed(root):
        raise UnreadableError(f"is not a feed (it begins with <{name_of(root)}>)", "Give the feed's address.")
    found = [_entry(element, url) for element in root.iter(etree.Element) if name_of(element) in _ENTRIES]
    entries = tuple(entry for entry in found if entry is not None)
    return FeedPage(entries, _next(root, url) if found else "", len(found) - len(entries))


# --- entries -----------------------------------------------------------------------------------------


def _entry(element: Any, base: str) -> Entry | None:
    parts: dict[str, list[Any]] = {}
    for child in element:
        parts.setdefault(name_of(child), []).append(child)
    if _SHOP_KINDS & parts.keys():
        return None
    url = _address(parts, base)
    markup, is_whole = _markup(parts)
    title = one_line(_plain(parts.get("title", ())))
    if not (url or title) or not (url or markup):
        return None
    return Entry(
        url=url,
        title=title,
        markup=_STAMP.sub("", markup),
        is_whole=is_whole,
        author=_author(parts),
        published=_time(parts, "published", "pubdate", "issued", "date"),
        updated=_time(parts, "updated", "modified"),
        tags=_tags(parts),
    )


def _address(parts: dict[str, list[Any]], base: str) -> str:
    given = [
        link.get("href") or text_of(link)
        for link in parts.get("link", ())
        if (link.get("rel") or "alternate") == "alternate" and "atom" not in (link.get("type") or "")
    ]
    given += [
        text_of(one)
        for one in parts.get("guid", ())
        if one.get("ispermalink", one.get("isPermaLink")) != "false"
    ]
    given += [text_of(one) for one in parts.get("id", ())]
    for address in given:
        try:
            whole = urljoin(base, address.strip())
            if address.strip() and urlsplit(whole).scheme in ("http", "https") and urlsplit(whole).hostname:
                return clean_url(whole)
        except ValueError:
            continue
    return ""


def _markup(parts: dict[str, list[Any]]) -> tuple[str, bool]:
    """An entry's body, and whether it is whole: a summary that breaks off is not."""
    for name in ("encoded", "content"):
        bodies = [_html(one) for one in parts.get(name, ()) if _is_text(one)]
        longest = max(bodies, key=len, default="")
        if longest.strip():
            return longest, not _CUT.search(_without_tags(longest))
    short = max(
        (_html(one) for name in ("description", "summary") for one in parts.get(name, ())),
        key=len,
        default="",
    )
    # A description with paragraphs of its own is a whole post; a line or two may be its teaser.
    whole = (
        len(_without_tags(short).split()) >= 150 and "<p" in short and not _CUT.search(_without_tags(short))
    )
    return short, whole


def _is_text(element: Any) -> bool:
    """Whether a `content` element is text, and not a picture as in Media RSS."""
    return "search.yahoo.com/mrss" not in space_of(element) and not element.get("src")


def _html(element: Any) -> str:
    kind = (element.get("type") or "").lower()
    if kind in ("xhtml", "application/xhtml+xml") or len(element):
        inner = b"".join(etree.tostring(child, method="html", with_tail=True) for child in element)
        return escape(element.text or "") + inner.decode("ascii", "replace")
    text = text_of(element)
    return escape(text).replace("\n\n", "<p>") if kind == "text" and "<" not in text else text


def _without_tags(markup: str) -> str:
    return one_line(re.sub(r"<[^<>]{0,2000}>", " ", markup))


def _plain(elements: Iterable[Any]) -> str:
    """The first text among elements, freed of markup; a title may be HTML inside text."""
    for element in elements:
        text = text_of(element)
        if text:
            return unescape(re.sub(r"<[a-zA-Z/][^<>]{0,500}>", "", text))
    return ""


def _author(parts: dict[str, list[Any]]) -> str:
    for element in (*parts.get("creator", ()), *parts.get("author", ())):
        names = [text_of(child) for child in element if name_of(child) == "name"]
        name = one_line(names[0] if names else "" if len(element) else text_of(element))
        found = re.fullmatch(r"\S+@\S+\s*\((.+)\)", name)
        name = found[1] if found else name
        if name and "@" not in name:
            return name
    return ""


def _time(parts: dict[str, list[Any]], *names: str) -> str | None:
    for name in names:
        for element in parts.get(name, ()):
            if found := feed_time(text_of(element)) or parse_timestamp(text_of(element)):
                return found
    return None


def _tags(parts: dict[str, list[Any]]) -> tuple[str, ...]:
    named = [one_line(one.get("term") or unescape(text_of(one))) for one in parts.get("category", ())]
    named += [one_line(text_of(one)) for one in parts.get("tag", ())]
    return tuple(dict.fromkeys(tag for tag in named if tag and tag.lower() != "uncategorized"))


# --- its next page -----------------------------------------------------------------------------------


def _next(root: Any, url: str) -> str:
    """The next page: as the feed names it, or as Shopify and WordPress number theirs."""
    for element in root.iter(etree.Element):
        if name_of(element) in _ENTRIES:
            break
        if name_of(element) == "link" and element.get("rel") == "next" and element.get("href"):
            return _joined(url, str(element.get("href")))
    generator = " ".join(text_of(one) + (one.get("uri") or "") for one in root.iter("{*}generator")).lower()
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    if "wordpress" in generator or "paged" in query:
        return _numbered(url, "paged")
    if parts.path.endswith(".atom") or "page" in query:
        return _numbered(url, "page")
    return ""


def _joined(base: str, url: str) -> str:
    try:
        return urljoin(base, url)
    except ValueError:
        return ""


def _numbered(url: str, name: str) -> str:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    number = query.get(name, "1")
    query[name] = str(int(number) + 1 if number.isdigit() and len(number) < 7 else 2)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))
