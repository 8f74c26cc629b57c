"""What a page says about its article outside the article: title, author, dates, tags and address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

from ingest.address import clean_url
from ingest.byline import parse_byline, parse_timestamp
from ingest.characters import fold, one_line, word_set, words
from ingest.linearise import linearise
from ingest.linked_data import LinkedData
from ingest.page_trimming import is_furniture_element, spelled, tokens

_SAVED_FROM = re.compile(r"<!--\s*saved from url=\(\d+\)(https?://[^\s>]+)\s*-->")
_TITLE_JOINTS = (" | ", " – ", " — ", " - ", " · ", " :: ", " » ", " « ")
_TITLE_NAMES = word_set(
    """
    article-title article-template-title entry-title post-title blog-post-title blog-article-title
    article-header-title post-full-title single-title page-title
    """
)
_AUTHOR_NAME = re.compile(r"(?:^|-)(?:author|byline|author-name|byline-name|posted-by)$|^fn$")
_DATE_NAME = re.compile(
    r"(?:^|-)(?:date|published|posted-on|date-header|timestamp|publish-date|published-date)$"
)
_LEADING_BY = re.compile(r"^(?:(?:posted|written|published|words|article)\s+by|by|author)\b:?\s*", re.I)
_BYLINE_TAGS = (
    "a",
    "span",
    "p",
    "div",
    "address",
    "em",
    "strong",
    "b",
    "small",
    "li",
    "cite",
    "h3",
    "h4",
    "h5",
)
_MAX_BYLINE_BLOCKS = 80


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the page says; empty or None where it says nothing.

    `kind` is what the page calls itself: "article" when its JSON-LD describes one, or as in `og:type`.
    """

    title: str = ""
    author: str = ""
    published: str | None = None
    updated: str | None = None
    tags: tuple[str, ...] = ()
    url: str = ""
    kind: str = ""


def read_metadata(root: Any, page: str, linked: LinkedData | None) -> Metadata:
    """Everything a page tells of its article: in JSON-LD, in its head, and in the line under its title.

    Args:
        root: The page's tree without what is hidden, and without the readers' comments: their names and
            days are not the article's.
        page: The markup, for what a parser drops.
        linked: What the page's JSON-LD says.
    """
    kind = "article" if linked else _meta(root, "og:type").lower()
    linked = linked or LinkedData()
    day_first = _day_first(root)
    author, published, updated = _visible_byline(root, day_first)
    published = (
        parse_timestamp(linked.published, day_first=day_first)
        or parse_timestamp(_meta(root, "article:published_time", "datePublished"), day_first=day_first)
        or published
    )
    updated = (
        parse_timestamp(linked.updated, day_first=day_first)
        or parse_timestamp(_meta(root, "article:modified_time", "og:updated_time", "dateModified"))
        or updated
    )
    return Metadata(
        title=_title(root, linked),
        author=linked.author or _meta_author(root) or author,
        published=published,
        updated=updated if updated != published else None,
        tags=_tags(root, linked),
        url=_url(root, linked, page),
        kind=kind,
    )


# --- the head ----------------------------------------------------------------------------------------


def _meta(root: Any, *names: str) -> str:
    for name in names:
        for element in root.iter("meta"):
            given = element.get("property") or element.get("name") or element.get("itemprop") or ""
            if given.lower() == name.lower() and one_line(element.get("content") or ""):
                return one_line(unescape(element.get("content")))
    return ""


def _meta_author(root: Any) -> str:
    for name in (
        "author",
        "article:author",
        "twitter:data1" if _meta(root, "twitter:label1") == "Written by" else "",
    ):
        author = _meta(root, name) if name else ""
        if author and not author.startswith(("http:", "https:", "@")):
            return author
    return ""


def _url(root: Any, linked: LinkedData, page: str) -> str:
    saved = _SAVED_FROM.search(page[:2000])
    canonical = [
        link.get("href") or "" for link in root.iter("link") if "canonical" in (link.get("rel") or "").lower()
    ]
    found = [
        *canonical[:1],
        _meta(root, "og:url"),
        *linked.urls,
        saved.group(1) if saved else "",
    ]
    base = next((url for url in found if url.startswith(("http://", "https://"))), "")
    cleaned = [_web_address(url, base) for url in found if url]
    return next((url for url in cleaned if urlsplit(url).path.strip("/")), next(filter(None, cleaned), ""))


def _web_address(url: str, base: str) -> str:
    """An address of the web without tracking, or empty when it is none."""
    try:
        whole = urlsplit(urljoin(base, url.strip()))
        return clean_url(whole.geturl()) if whole.scheme in ("", "http", "https") else ""
    except ValueError:
        # Not an address at all, such as "http://[".
        return ""


def _day_first(root: Any) -> bool | None:
    """How numeric dates are written where the page says it is from; "en" alone says nothing."""
    language = (root.get("lang") or "").lower().replace("_", "-")
    if language == "en-us":
        return False
    return True if language in ("en-gb", "en-au", "en-nz", "en-ie", "en-in", "en-za") else None


# --- title -------------------------------------------------------------------------------------------


def _title(root: Any, linked: LinkedData) -> str:
    site = _meta(root, "og:site_name")
    shown = _shown_title(root)
    page_title = one_line(next((element.text_content() for element in root.iter("title")), ""))
    for given in (linked.headline, _meta(root, "og:title")):
        title = _without_site(given, site, shown)
        if title and fold(title) != fold(site):
            # Some themes cut the headline off at a fixed length.
            cut = fold(shown).startswith(fold(title)) and title.endswith(("...", "…"))
            return shown if cut else title
    return shown or _shown_part(root, page_title) or _without_site(page_title, site, shown, guess=True)


def _shown_part(root: Any, page_title: str) -> str:
    """The part of a page's title, before or behind the site's name, that stands on the page as a line."""
    lines = {fold(line) for block in linearise(root)[:_MAX_BYLINE_BLOCKS] for line in block.text.split("\n")}
    for joint in (*_TITLE_JOINTS, ": "):
        head, found, _ = page_title.rpartition(joint)
        _, _, rest = page_title.partition(joint)
        for part in (head, rest) if found else ():
            if len(words(part)) >= 2 and fold(part) in lines:
                return part.strip()
    return ""


def _shown_title(root: Any) -> str:
    named = [
        element
        for element in root.iter("h1", "h2", "h3", "div")
        if (element.get("itemprop") in ("headline", "name") and element.tag != "div")
        or _TITLE_NAMES.intersection(map(spelled, (element.get("class") or "").split()))
    ]
    headings = [*named[:1], *_inside(root, "h1"), *root.iter("h1")]
    for heading in headings:
        title = one_line(heading.text_content())
        if title and len(words(title)) <= 40:
            return title
    return ""


def _inside(root: Any, tag: str) -> list[Any]:
    return [
        element
        for element in root.iter(tag)
        if next(element.iterancestors("article", "main"), None) is not None
    ]


def _without_site(title: str, site: str, shown: str, *, guess: bool = False) -> str:
    """A page's title without the name of the site behind (or before) it."""
    for joint in _TITLE_JOINTS:
        head, found, tail = title.rpartition(joint)
        first, _, rest = title.partition(joint)
        if not found:
            continue
        if site and fold(tail) == fold(site):
            return head.strip()
        if site and fold(first) == fold(site):
            return rest.strip()
        if shown and fold(head) == fold(shown):
            return head.strip()
        if guess and joint in _TITLE_JOINTS[:3] and len(words(tail)) <= 5:
            return head.strip()
    return title


# --- the line under the title ------------------------------------------------------------------------


def _visible_byline(root: Any, day_first: bool | None) -> tuple[str, str | None, str | None]:
    author = _marked_author(root)
    published, updated = _marked_dates(root, day_first)
    if author and published:
        return author, published, updated
    title_seen = False
    for block in linearise(root)[:_MAX_BYLINE_BLOCKS]:
        title_seen = title_seen or block.kind == "heading"
        for line in block.text.split("\n"):
            found = parse_byline(line, day_first=day_first) if len(words(line)) <= 25 else None
            if found and (title_seen or found.author):
                author = author or found.author
                published = published or found.published
                updated = updated or found.updated
    return author, published, updated


def _marked_author(root: Any) -> str:
    for element in root.iter(*_BYLINE_TAGS):
        marked = (
            "author" in (element.get("rel") or "").split()
            or element.get("itemprop") == "author"
            or any(_AUTHOR_NAME.search(spelled(token)) for token in (element.get("class") or "").split())
        )
        if marked and not _is_elsewhere(element):
            name = _author_name(one_line(element.text_content()))
            if name:
                return name
    return ""


def _author_name(text: str) -> str:
    found = parse_byline(text)
    if found and found.author:
        return found.author
    name = re.sub(r"\s+on$", "", _LEADING_BY.sub("", text)).strip(" ,|·•–-")
    return name if name and len(words(name)) <= 6 and not re.search(r"\d", name) else ""


def _marked_dates(root: Any, day_first: bool | None) -> tuple[str | None, str | None]:
    published, updated = None, None
    for element in root.iter("time", "span", "abbr", "p", "div", "a"):
        names = set(map(spelled, (element.get("class") or "").split()))
        marked = element.tag == "time" or element.get("itemprop") in ("datePublished", "dateModified")
        if not (marked or any(map(_DATE_NAME.search, names))) or _is_elsewhere(element):
            continue
        given = (
            element.get("datetime")
            or element.get("content")
            or (element.get("title") if element.tag == "abbr" else "")
        )
        day = parse_timestamp(given, day_first=day_first) or _shown_date(element, day_first)
        if element.get("itemprop") == "dateModified" or ("updated" in names and "published" not in names):
            updated = updated or day
        else:
            published = published or day
    return published, updated


def _shown_date(element: Any, day_first: bool | None) -> str | None:
    found = parse_byline(element.text_content(), day_first=day_first)
    return found.published if found else None


def _is_elsewhere(element: Any) -> bool:
    """Whether an element stands in a menu, a sidebar, a comment or another post's card."""
    for parent in (element, *element.iterancestors()):
        names = [spelled(token) for token in tokens(parent)]
        if parent.tag in ("aside", "nav") or any(re.search(r"comments?(?:-|$)", name) for name in names):
            return True
        if parent.tag == "footer" and next(parent.iterancestors("article"), None) is None:
            return True
        if any(
            re.search(r"(?:^|-)(?:related|recent|popular|sidebar|product)(?:-|$)", name) for name in names
        ):
            return is_furniture_element(parent)
    return False


# --- tags --------------------------------------------------------------------------------------------


def _tags(root: Any, linked: LinkedData) -> tuple[str, ...]:
    tags = list(linked.tags)
    tags = tags or [
        one_line(element.get("content") or "")
        for element in root.iter("meta")
        if element.get("property") == "article:tag"
    ]
    tags = tags or [
        one_line(link.text_content()).strip("#, ")
        for link in root.iter("a")
        if not _is_elsewhere(link) and ("tag" in (link.get("rel") or "").split() or _is_in_tags(link))
    ]
    return tuple(dict.fromkeys(tag for tag in tags if tag))


def _is_in_tags(link: Any) -> bool:
    names = (spelled(token) for parent in link.iterancestors() for token in tokens(parent))
    return any(re.search(r"(?:^|-)(?:tags|tag-?list)$", name) for name in names)
