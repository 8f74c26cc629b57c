"""A saved page of a shop's or anybody's blog -> an Article.

The page's own hints say where the article is; only a page without any needs a guess. Metadata is read
first, then everything that is hidden or the theme's is cut from the tree, and the rest becomes Blocks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lxml import etree, html

from ingest.article import Article, path_id
from ingest.blocks import Block, ends_sentence, linearise
from ingest.body import Body, finish, until_end, until_last_word
from ingest.byline import parse_byline
from ingest.characters import fold, one_line, word_set, words
from ingest.disclaimer import is_disclaimer
from ingest.furniture import is_furniture, is_section_name
from ingest.page_comments import take_comments
from ingest.page_metadata import Metadata, read_metadata
from ingest.page_trimming import (
    is_furniture_element,
    remove,
    remove_furniture,
    remove_hidden,
    remove_link_lists,
    spelled,
    tokens,
    word_count,
)
from ingest.problem import UnreadableError

# Fewer words than these are a button and a price at best; the second holds where nothing on the page says
# that it has an article.
_LEAST_WORDS = 8
_LEAST_WORDS_UNHINTED = 40
# The element of each theme that holds an article's body and nothing else, the most telling names first.
_BODY_NAMES = (
    word_set(
        """
    article-template-content article-content article-body article-text blog-article-content
    blog-post-content blog-post-body blog-post-text article-single-content entry-content
    post-content post-body post-text post-full-content gh-content single-post-content
    td-post-content e-content blog-content articlebody story-content post-single-content
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
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_EDGE_BLOCKS = 8


@dataclass(frozen=True, slots=True)
class _Found:
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
        return sum(word_count(part) for part in self.parts)


def read_html(page: str, *, fallback_id: str) -> Article:
    """Read one saved page.

    Args:
        page: The page's markup.
        fallback_id: The id when the page names no canonical URL.

    Raises:
        UnreadableError: The page has no article: a list of teasers, a cart, a page without text.
    """
    root = _parse(page)
    metadata = _before_comments(root, page)
    comments = take_comments(root)
    _refuse_listing(root, metadata)
    found = _find(root, page)
    disclaimer = _disclaimer_outside(root, found)
    blocks = _blocks(found)
    body = finish(blocks, metadata.title)
    if body.word_count < (_LEAST_WORDS if found.hinted else _LEAST_WORDS_UNHINTED):
        raise _no_article("it has too little text besides menus and buttons")
    return Article(
        id=path_id(metadata.url) or fallback_id,
        title=metadata.title or _title_from(body),
        text=body.text,
        url=metadata.url if metadata.url.startswith(("http://", "https://")) else "",
        author=metadata.author,
        published=metadata.published,
        updated=metadata.updated,
        tags=metadata.tags,
        disclaimer=body.disclaimer or disclaimer,
        comments=comments,
    )


def _no_article(why: str) -> UnreadableError:
    return UnreadableError(f"has no article: {why}", "Leave it out, or save the page of the article itself.")


def _parse(page: str) -> Any:
    markup = _XML_DECLARATION.sub("", page).replace("\x00", "")
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        root = html.document_fromstring(markup.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError as error:
        raise _no_article("it is empty") from error
    return root


def _before_comments(root: Any, page: str) -> Metadata:
    """Metadata, with the tree's hidden parts cut; JSON-LD lies in scripts, so it is read before they go."""
    metadata = read_metadata(root, page)
    remove_hidden(root)
    return metadata


# --- is there an article -----------------------------------------------------------------------------


def _refuse_listing(root: Any, metadata: Metadata) -> None:
    if metadata.kind == "article":
        return
    if metadata.kind.startswith("product"):
        raise _no_article("it is a product's page")
    body = next(root.iter("body"), root)
    named = any(_LISTING_CLASS.fullmatch(token) for token in tokens(body))
    if named or _LISTING_PATH.fullmatch(urlsplit(metadata.url).path):
        raise _no_article("it is a list of posts, a shop page or a cart")


def _linked_heading(element: Any) -> bool:
    """Whether a heading is only a link to another page."""
    links = [link for link in element.iter("a") if link.get("href")]
    around = next(element.iterancestors("a"), None)
    if around is not None and around.get("href"):
        return True
    return bool(links) and fold(links[0].text_content()) == fold(element.text_content())


def _teaser_cards(container: Any) -> list[Any]:
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


def _find(root: Any, page: str) -> _Found:
    """The most exact place that holds enough of the page's prose."""
    best: _Found | None = None
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


def _prose(found: _Found) -> int:
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
        *_teaser_cards(container),
        *(e for e in container.iterdescendants(etree.Element) if is_furniture_element(e)),
    ]


def _by_name(root: Any) -> list[_Found | None]:
    return [_named(root, lambda e, names=names: _has_name(e, names)) for names in _BODY_NAMES]


def _has_name(element: Any, names: frozenset[str]) -> bool:
    return bool(names.intersection(spelled(token) for token in (element.get("class") or "").split()))


def _named(root: Any, wanted: Any) -> _Found | None:
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
    return max((_Found(parts, exact=True) for parts in groups.values()), key=lambda found: found.word_count)


def _is_outside(element: Any) -> bool:
    return any(
        parent.tag in ("header", "nav", "aside")
        or (parent.tag not in ("body", "html") and is_furniture_element(parent))
        for parent in [*element.iterancestors()]
        if next(parent.iter("h1"), None) is None
    )


def _is_teaser(post: Any) -> bool:
    headings = list(post.iter("h1", "h2", "h3", "h4"))
    return post.tag == "article" and bool(headings) and _linked_heading(headings[0])


def _by_tag(root: Any) -> list[_Found | None]:
    articles = [
        element
        for element in root.iter("article")
        if not _is_teaser(element) and next(element.iterancestors("article", "aside"), None) is None
    ]
    mains = [e for e in root.iter(etree.Element) if e.tag == "main" or e.get("role") == "main"][:1]
    largest = max(articles, key=word_count, default=None)
    return [
        _Found([largest], exact=False) if largest is not None else None,
        _Found(mains, exact=False) if mains else None,
    ]


def _guess(root: Any, page: str) -> _Found:
    # Loaded here because it takes longer to load than a page to read, and few pages need it.
    from ingest.page_guess import guess_container  # noqa: PLC0415

    container = guess_container(root, page)
    if container is None:
        raise _no_article("no part of it reads like one")
    return _Found([container], exact=False, hinted=False)


# --- its blocks --------------------------------------------------------------------------------------


def _blocks(found: _Found) -> list[Block]:
    blocks: list[Block] = []
    for part in found.parts:
        if not found.exact:
            for card in _teaser_cards(part):
                remove(card)
            remove_link_lists(part)
        remove_furniture(part)
        blocks.extend(linearise(part))
    if found.exact:
        return _without_byline(until_last_word(blocks))
    return _without_byline(_without_menus(until_end(blocks)))


def _without_menus(blocks: Sequence[Block]) -> list[Block]:
    """Drop the entries of menus above the first prose and below the last."""
    prose = [number for number, block in enumerate(blocks) if ends_sentence(block.text)]
    if not prose:
        return list(blocks)
    return [
        block
        for number, block in enumerate(blocks)
        if prose[0] <= number <= prose[-1] or not (is_section_name(block.text) or is_furniture(block.text))
    ]


def _without_byline(blocks: Sequence[Block]) -> list[Block]:
    return [
        block
        for number, block in enumerate(blocks)
        if number >= _EDGE_BLOCKS or block.kind != "paragraph" or parse_byline(block.text) is None
    ]


def _title_from(body: Body) -> str:
    first = next((line.lstrip("# ") for line in body.text.split("\n") if line.strip()), "")
    return first if len(first) <= 100 else first[:100].rsplit(" ", 1)[0] + "…"


def _disclaimer_outside(root: Any, found: _Found) -> str:
    """The disclaimer that a theme writes below every article, outside its body."""
    inside = {element for part in found.parts for element in part.iter()}
    texts = [
        one_line(element.text_content())
        for element in root.iter("p", "div", "small", "em", "section", "aside", "li")
        if element not in inside and not any(child.tag in ("p", "div", "section") for child in element)
    ]
    return "\n\n".join(dict.fromkeys(text for text in texts if len(words(text)) >= 8 and is_disclaimer(text)))
