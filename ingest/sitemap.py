"""A sitemap -> the pages and the further sitemaps that it names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from ingest.address import without_locale
from ingest.byline import parse_timestamp
from ingest.problem import UnreadableError
from ingest.web.unpack import gunzip
from ingest.xml_text import name_of, parse_xml, text_of

MAX_SITEMAP_BYTES = 52_000_000  # the protocol's own limit, and a little
_MOST_PAGES = 50_000
_ROOTS = frozenset(("urlset", "sitemapindex"))
_NOT_POSTS = re.compile(
    r"(?:^|[/_-])(?:products?|collections?|pages?|categor(?:y|ies)|tags?|post_tag|authors?|users?|images?|videos?|"
    r"product_cat\w*|product_tag\w*|metaobjects?|policies)(?:[-_]sitemap|[-_]\d|\.xml|$)",
    re.I,
)
_NOT_A_POST = re.compile(
    r"/?|(?:/[a-z]{2}(?:-[a-z]{2})?)?/?(?:cart|checkout|account(?:/.*)?|search|login|register|policies/.*|pages/.*|"
    r"products?(?:/.*)?|collections?(?:/.*)?|shop(?:/.*)?|blogs/[^/]+(?:/tagged/.*)?|tags?/.*|categor(?:y|ies)/.*|"
    r"authors?/.*|page/\d+|feed|wp-(?:admin|content|json|login).*|contact(?:-us)?|about(?:-us)?|privacy-policy|"
    r"terms[\w-]*|faqs?)/?|.*\.(?:jpe?g|png|gif|webp|svg|pdf|mp[34]|css|js|zip|ico)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A page that a sitemap names, and when it says that it last changed."""

    url: str
    modified: str | None = None


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What one file names.

    Attributes:
        pages: In its order.
        maps: Further sitemaps, without those of goods, tags and the like.
        passed_over: How many addresses are no post's: the shop's, lists, pictures.
    """

    pages: tuple[Listed, ...] = ()
    maps: tuple[str, ...] = ()
    passed_over: int = 0


def is_sitemap(root: Any) -> bool:
    """Whether an XML document is a sitemap or an index of them."""
    return name_of(root) in _ROOTS


def read_sitemap(data: bytes) -> Sitemap:
    """Read a sitemap or an index of sitemaps, packed or not, as XML or as a list of addresses.

    Raises:
        UnreadableError: It is none, or larger than the protocol allows.
    """
    data = gunzip(data, MAX_SITEMAP_BYTES)
    if not data.lstrip(b"\xef\xbb\xbf\x00\xfe\xff \r\n\t").startswith(b"<"):
        return _from_lines(data)
    root = parse_xml(data)
    if not is_sitemap(root):
        raise UnreadableError(
            f"is not a sitemap (it begins with <{name_of(root)}>)", "Give the address of the sitemap."
        )
    listed = [listed for element in root if (listed := _listed(element))][:_MOST_PAGES]
    if name_of(root) == "sitemapindex":
        maps = tuple(one.url for one in listed if not _NOT_POSTS.search(urlsplit(one.url).path))
        return Sitemap(maps=maps, passed_over=len(listed) - len(maps))
    return _sorted_out(listed)


def without_regional_copies(pages: Sequence[Listed]) -> list[Listed]:
    """The pages without those that are listed a second time below a region's path, such as /en-gb/."""
    plain = {_key(one.url) for one in pages if _key(one.url) == urlsplit(one.url).path.rstrip("/")}
    kept: dict[str, Listed] = {}
    for one in pages:
        path = urlsplit(one.url).path.rstrip("/")
        is_copy = (
            _key(one.url) != path and _key(one.url) in plain and re.match(r"/en(?:-[a-z]{2})?/", path, re.I)
        )
        if not is_copy:
            kept.setdefault(one.url, one)
    return list(kept.values())


def may_be_post(url: str) -> bool:
    """Whether an address could be a post's, as far as its path can tell."""
    return not _NOT_A_POST.fullmatch(urlsplit(url).path)


def _key(url: str) -> str:
    return without_locale(urlsplit(url).path)


def _sorted_out(listed: Sequence[Listed]) -> Sitemap:
    pages = tuple(one for one in listed if may_be_post(one.url))
    return Sitemap(pages, passed_over=len(listed) - len(pages))


def _listed(element: Any) -> Listed | None:
    url, modified = "", None
    for child in element.iterchildren(etree.Element):
        if name_of(child) == "loc":
            url = url or text_of(child)
        elif name_of(child) == "lastmod":
            modified = parse_timestamp(text_of(child))
    return Listed(url, modified) if _is_address(url) else None


def _from_lines(data: bytes) -> Sitemap:
    lines = [line.strip() for line in data.decode("utf-8", "replace").splitlines()[:_MOST_PAGES]]
    listed = [Listed(line) for line in lines if _is_address(line)]
    if not listed:
        raise UnreadableError("is not a sitemap: it names no addresses", "Give the address of the sitemap.")
    return _sorted_out(listed)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and len(url) < 2000
