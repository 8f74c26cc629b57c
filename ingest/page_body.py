"""Where on a page the article is, if it has one at all.

The page's own hints decide: what its theme names or marks as the body. Only a page without any is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from ingest.characters import fold, one_line, word_set, words
from ingest.disclaimer import is_disclaimer
from ingest.furniture import is_advert
from ingest.line_shapes import ends_sentence
from ingest.page_metadata import Metadata
from ingest.page_trimming import is_furniture_element, spelled, tokens, word_count
from ingest.problem import NoArticleError

_LEAST_WORDS = 8
_MOST_LEADS = 3
# With less of its own than this, a page that shows other posts is a list of them.
_LEAST_PROSE_BESIDE_POSTS = 25
# The element of each theme that holds an article's body and nothing else, the most telling names first.
_BODY_NAMES = (
    word_set(
        """
    article-template-content article-content article-body article-text blog-article-content
    blog-post-content blog-post-body blog-post-text article-single-content entry-content
    post-content post-body post-text post-full-content gh-content single-post-content
    td-post-content e-content blog-content articlebody story-content
    entry-body blog-item-content field-name-body node-content item-page post-single-content
    single-content article-main-content
    """
    ),
    frozenset(("rte", "rte-content", "rich-text", "wysiwyg", "prose", "entry", "richtext")),
)
_LISTING_CLASS = re.compile(
    r"template-(?:blog|cart|collection|list-collections|product|search|index|404|password)(?:$|\b)|"
    r"archive|search-results|woocommerce-cart|woocommerce-checkout|error404",
    re.I,
)
_LISTING_PATH = re.compile(
    r"(?:/[a-z]{2}(?:-[a-z]{2})?)?(?:/cart|/checkout|/search|/collections(?:/[^/]+)?|/products/[^/]+|"
    r"/blogs/[^/]+(?:/tagged/.+)?|/(?:tag|category|author)/.+)/?",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Found:
    """Where the article is.

    Attributes:
        parts: The elements that hold its body, in order.
        exact: They hold the body and little else.
        hinted: The page itself says so.
    """

    parts: Sequence[Any]
    exact: bool
    hinted: bool = True

    @property
    def word_count(self) -> int:
        """How many words the parts hold, whatever they are."""
        return sum(word_count(part) for part in self.parts)


# --- is there an article -----------------------------------------------------------------------------


def refuse_listing(root: Any, metadata: Metadata) -> None:
    """Raise for a page that is known to hold no article of its own.

    Raises:
        NoArticleError: It is a list of posts, a product's page or a cart.
    """
    if metadata.kind == "article":
        return
    if metadata.kind.startswith("product"):
        raise NoArticleError("it is a product's page")
    body = next(root.iter("body"), root)
    named = any(_LISTING_CLASS.fullmatch(token) for token in tokens(body))
    if named or _LISTING_PATH.fullmatch(urlsplit(metadata.url).path):
        raise NoArticleError("it is a list of posts, a shop page or a cart")
    if _is_list_of_posts(root):
        raise NoArticleError("it is a list of posts")


def _is_list_of_posts(root: Any) -> bool:
    """Whether every post on the page is under a heading that leads to the post's own page."""
    posts = [
        element
        for element in root.iter("article", "div", "section")
        if (element.tag == "article" or _has_name(element, _BODY_NAMES[0]))
        and next(element.iterancestors("article", "aside"), None) is None
    ]
    teasers = sum(_is_teaser(post) or _is_teaser(post.getparent()) for post in posts)
    if teasers < 2 or teasers < len(posts):
        return False
    inside = set(posts)
    outside = [p for p in root.iter("p") if not inside.intersection(p.iterancestors())]
    prose = sum(len(words(p.text_content())) for p in outside if ends_sentence(one_line(p.text_content())))
    return prose < _LEAST_PROSE_BESIDE_POSTS


def _linked_heading(element: Any) -> bool:
    """Whether a heading is only a link to another page."""
    links = [link for link in element.iter("a") if link.get("href")]
    around = next(element.iterancestors("a"), None)
    if around is not None and around.get("href"):
        return True
    return bool(links) and fold(links[0].text_content()) == fold(element.text_content())


def teaser_cards(container: Any) -> list[Any]:
    """The elements that each hold one other post's linked heading and a few words: teasers, when several."""
    cards = []
    for heading in container.iter("h1", "h2", "h3", "h4"):
        if not _linked_heading(heading):
            continue
        card = heading
        for parent in heading.iterancestors():
            if (
                parent is container
                or sum(_linked_heading(other) for other in parent.iter("h1", "h2", "h3", "h4")) > 1
            ):
                break
            card = parent
        if word_count(card) <= 120:
            cards.append(card)
    return cards if len(cards) >= 2 else []


# --- where is it -------------------------------------------------------------------------------------


def find_body(root: Any, page: str) -> Found:
    """The most exact place that holds enough of the page's prose."""
    best: Found | None = None
    for found in (
        _named(root, lambda e: e.get("itemprop") == "articleBody"),
        *_by_name(root),
        *_by_tag(root),
    ):
        if found is None or found.word_count < _LEAST_WORDS:
            continue
        # A body that a page builder spread over sections is more than its first, named part.
        if best is None or _prose(found) > 3 * _prose(best) + 40:
            best = found
    if best is not None and (best.exact or _prose(best) >= _LEAST_WORDS):
        return best
    return _guess(root, page)


def _prose(found: Found) -> int:
    """The words in paragraphs that end as sentences do, without other posts' teasers."""
    foreign = {element for part in found.parts if not found.exact for element in _foreign(part)}
    return sum(
        len(words(element.text_content()))
        for part in found.parts
        for element in [part, *part.iter("p", "li", "div")]
        if (element.tag in ("p", "li") or not len(element))
        and ends_sentence(one_line(element.text_content()))
        and not foreign.intersection([element, *element.iterancestors()])
    )


def _foreign(container: Any) -> list[Any]:
    return [
        *teaser_cards(container),
        *(e for e in container.iterdescendants(etree.Element) if is_furniture_element(e)),
    ]


def _by_name(root: Any) -> list[Found | None]:
    return [_named(root, lambda e, names=names: _has_name(e, names)) for names in _BODY_NAMES]


def _has_name(element: Any, names: frozenset[str]) -> bool:
    return bool(names.intersection(spelled(token) for token in (element.get("class") or "").split()))


def _named(root: Any, wanted: Any) -> Found | None:
    """The elements that a theme marks as body; of several, those of the post with the most words."""
    elements = [
        element
        for element in root.iter("div", "section", "article", "main", "td")
        if wanted(element) and not _is_outside(element)
    ]
    outermost = [e for e in elements if not any(parent in elements for parent in e.iterancestors())]
    groups: dict[Any, list[Any]] = {}
    for element in outermost:
        post = next(element.iterancestors("article", "main"), root)
        groups.setdefault(post, []).append(element)
    if len(groups) > 1:
        groups = {post: parts for post, parts in groups.items() if not _is_teaser(post)} or {}
    if not groups:
        return None
    best = max(groups.values(), key=lambda parts: Found(parts, exact=True).word_count)
    return Found([*_lead(best[0]), *best], exact=True)


def _lead(body: Any) -> list[Any]:
    """The author's first sentences, where a theme shows them between the title and the body."""
    post = next(body.iterancestors("article", "main"), None)
    below_title = False
    found: list[Any] = []
    for element in post.iter(etree.Element) if post is not None else ():
        if element is body or len(found) == _MOST_LEADS:
            break
        below_title = below_title or element.tag == "h1"
        if below_title and element.tag == "p" and _is_lead(element, post):
            found.append(element)
    return found


def _is_lead(paragraph: Any, post: Any) -> bool:
    text = one_line(paragraph.text_content())
    if len(words(text)) < _LEAST_WORDS or not ends_sentence(text) or is_advert(text) or is_disclaimer(text):
        return False
    around = [paragraph]
    for parent in paragraph.iterancestors():
        if parent is post:
            break
        around.append(parent)
    return not any(parent.tag == "aside" or is_furniture_element(parent) for parent in around)


def _is_outside(element: Any) -> bool:
    return any(
        parent.tag in ("header", "nav", "aside")
        or (parent.tag not in ("body", "html") and is_furniture_element(parent))
        for parent in [*element.iterancestors()]
        if next(parent.iter("h1"), None) is None
    )


def _is_teaser(post: Any) -> bool:
    """Whether the first heading of a post is only a link."""
    first = next(post.iter("h1", "h2", "h3", "h4"), None)
    return first is not None and _linked_heading(first)


def _by_tag(root: Any) -> list[Found | None]:
    articles = [
        element
        for element in root.iter("article")
        if not _is_teaser(element) and next(element.iterancestors("article", "aside"), None) is None
    ]
    mains = [e for e in root.iter(etree.Element) if e.tag == "main" or e.get("role") == "main"][:1]
    largest = max(articles, key=word_count, default=None)
    return [
        Found([largest], exact=False) if largest is not None else None,
        Found(mains, exact=False) if mains else None,
    ]


def _guess(root: Any, page: str) -> Found:
    # Loaded here because it takes longer to load than a page to read, and few pages need it.
    from ingest.page_guess import guess_container  # noqa: PLC0415

    container = guess_container(root, page)
    if container is None:
        raise NoArticleError("no part of it reads like one")
    return Found([container], exact=False, hinted=False)
