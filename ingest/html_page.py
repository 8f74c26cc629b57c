"""A saved page of a shop's or anybody's blog -> an Article.

What nobody sees is cut from the page's tree first, then the readers' comments, so that neither can be taken
for the article's words or its author's name. What is left of the article's place, without the theme's
furniture, becomes Blocks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lxml import etree, html

from ingest.article import Article, path_id
from ingest.blocks import Block
from ingest.body import finish, until_end, until_last_word, without_byline
from ingest.characters import one_line, without_unprintable, words
from ingest.disclaimer import is_disclaimer
from ingest.furniture import is_furniture, is_section_name
from ingest.limits import refuse_large_tree
from ingest.line_shapes import ends_sentence
from ingest.linearise import linearise
from ingest.linked_data import read_linked_data
from ingest.page_body import Found, find_body, refuse_listing, teaser_cards
from ingest.page_comments import take_comments
from ingest.page_metadata import read_metadata
from ingest.page_trimming import (
    remove,
    remove_adverts,
    remove_furniture,
    remove_hidden,
    remove_link_lists,
)
from ingest.problem import NoArticleError

# Fewer words than these are a button and a price at best; the second holds where nothing on the page says
# that it has an article.
_LEAST_WORDS = 8
_LEAST_WORDS_UNHINTED = 40
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


def read_html(page: str, *, fallback_id: str) -> Article:
    """Read one saved page.

    Args:
        page: The page's markup.
        fallback_id: The id when the page names no canonical URL.

    Raises:
        NoArticleError: The page has no article: a list of teasers, a cart, a page without text.
    """
    root = parse_page(page)
    linked = read_linked_data(root)
    remove_hidden(root)
    comments = take_comments(root)
    metadata = read_metadata(root, page, linked)
    refuse_listing(root, metadata)
    found = find_body(root, page)
    disclaimer = _disclaimer_outside(root, found)
    blocks = _blocks(found)
    body = finish(blocks, metadata.title)
    if body.word_count < (_LEAST_WORDS if found.hinted else _LEAST_WORDS_UNHINTED):
        raise NoArticleError("it has too little text besides menus and buttons")
    return Article(
        id=path_id(metadata.url) or fallback_id,
        title=metadata.title or body.first_line,
        text=body.text,
        url=metadata.url if metadata.url.startswith(("http://", "https://")) else "",
        author=metadata.author,
        published=metadata.published,
        updated=metadata.updated,
        tags=metadata.tags,
        disclaimer=body.disclaimer or disclaimer,
        comments=comments,
    )


def parse_page(page: str) -> Any:
    """The tree of a page.

    Raises:
        NoArticleError: It is empty.
        UnreadableError: It is larger than any article's page.
    """
    markup = without_unprintable(_XML_DECLARATION.sub("", page))
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        root = html.document_fromstring(markup.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError as error:
        raise NoArticleError("it is empty") from error
    refuse_large_tree(root)
    return root


# --- its blocks --------------------------------------------------------------------------------------


def _blocks(found: Found) -> list[Block]:
    blocks: list[Block] = []
    for part in found.parts:
        if not found.exact:
            for card in teaser_cards(part):
                remove(card)
            remove_link_lists(part)
        remove_furniture(part)
        remove_adverts(part)
        blocks.extend(linearise(part))
    if found.exact:
        return without_byline(until_last_word(blocks))
    return without_byline(_without_menus(until_end(blocks)))


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


def _disclaimer_outside(root: Any, found: Found) -> str:
    """The disclaimer that a theme writes below every article, outside its body."""
    inside = {element for part in found.parts for element in part.iter()}
    texts = [
        one_line(element.text_content())
        for element in root.iter("p", "div", "small", "em", "section", "aside", "li")
        if element not in inside and not any(child.tag in ("p", "div", "section") for child in element)
    ]
    return "\n\n".join(dict.fromkeys(text for text in texts if len(words(text)) >= 8 and is_disclaimer(text)))
