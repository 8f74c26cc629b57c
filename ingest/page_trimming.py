"""Cutting a page's tree down: what nobody sees, and what belongs to the theme."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from ingest.characters import word_set, words
from ingest.furniture import is_advert
from ingest.linearise import BLOCK_TAGS

_NEVER_SEEN = (
    "script",
    "style",
    "template",
    "noscript",
    "iframe",
    "object",
    "embed",
    "svg",
    "select",
    "button",
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# A token that only says in what state or of which kind an element is.
_STATE = re.compile(
    r"(?:has|no|with|is|js|template|page|type|tag|category|format|status|wp|elementor|post-type)[-_]"
)

_HIDDEN_TOKENS = word_set(
    """
    visually-hidden visuallyhidden visually_hidden sr-only sronly screen-reader-text
    screen-reader-only screenreader-text hidden hide is-hidden d-none u-hidden u-visually-hidden
    off-screen offscreen element-invisible invisible a11y-hidden assistive-text hidden-text
    display-none
    """
)
# "hidden md:block" is hidden on a telephone only.
_SHOWN_AGAIN = re.compile(r"(?:^|[:-])(?:sm|md|lg|xl)[:-](?:block|flex|grid|inline|visible|table|show)")
_HIDING_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0*(?:\.0+)?\s*(?:;|!|$)|"
    r"font-size\s*:\s*[01](?:\.\d+)?\s*(?:px|pt|em|rem|%)?\s*(?:;|!|$)|text-indent\s*:\s*-\d{3,}|"
    r"(?:left|top|right|margin-left|margin-top)\s*:\s*-\d{3,}|clip\s*:\s*rect\(\s*[01]|clip-path\s*:\s*inset\(\s*(?:50|100)%|"
    r"(?<![-\w])color\s*:\s*transparent|(?<![-\w])(?:max-)?(?:height|width)\s*:\s*[01](?:px)?\s*(?:;|!|$)(?=.*overflow)|"
    r"overflow\s*:\s*hidden.*(?<![-\w])(?:max-)?(?:height|width)\s*:\s*[01](?:px)?\s*(?:;|!|$)",
    re.I | re.S,
)
_WHITE = r"(?:#fff(?:fff)?|white|rgb\(\s*255\s*,\s*255\s*,\s*255\s*\))"
_WHITE_ON_WHITE = re.compile(
    rf"(?<![-\w])color\s*:\s*{_WHITE}.*background(?:-color)?\s*:\s*{_WHITE}|"
    rf"background(?:-color)?\s*:\s*{_WHITE}.*(?<![-\w])color\s*:\s*{_WHITE}",
    re.I | re.S,
)
_CSS_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_CSS_GROUP = re.compile(r"@[^{};]+\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
_CSS_NAME = re.compile(r"^[a-z]*[.#]([\w-]+)$", re.I)

# Whole words inside a class or id, such as "share" in "article__share" and "shareButtons".
_FURNITURE_WORDS = word_set(
    """
    share shares sharing sharedaddy sharethis addthis addtoany social socials newsletter subscribe
    subscription signup mailchimp klaviyo optin breadcrumb breadcrumbs pagination pager paginate
    related recommended recommendations upsell upsells sidebar cart minicart drawer popup modal
    cookie cookies consent gdpr advert adverts advertisement ads adsbygoogle ad sponsor sponsored
    promo promos promotion cta product products testimonial testimonials respond navigation nav
    navbar menu announcement tags taglist tagcloud toc meta timestamp disqus reviews judgeme yotpo
    loox skiplink lightbox relatedposts postnav prevnext authorbox byline banner instafeed follow
    shopnow buybox buy addtocart featured
    """
)
_FURNITURE_PHRASES = re.compile(
    r"(?:^|-)(?:author-(?:bio|box|info|card|profile|description)|about-(?:the-)?author|bio-box|table-of-contents|"
    r"comment-?form|(?:site|page|main|global|section|group)-(?:header|footer)|(?:header|footer)-(?:section|group)|"
    r"skip-(?:link|to)|back-to|post-nav|article-nav|(?:prev|next|older|newer)-(?:post|article|link)|widget-area|"
    r"(?:post|entry|article)-(?:footer|date|author|info|categories|category|tag|links)|reading-time|read-time|"
    r"video-placeholder|video-cover|read-more|jp-carousel|edit-link|more-posts|recent-posts|popular-posts|"
    r"(?:post|article|blog)-(?:card|grid|list|teaser)s?|wp-block-(?:buttons?|search|latest-posts|social-links)|"
    r"email-form|contact-form|print-only|no-print|call-to-action|add-to-cart)(?:-|$)"
)


def tokens(element: Any) -> list[str]:
    """The classes and the id of an element, as written."""
    return [*(element.get("class") or "").split(), *(element.get("id") or "").split()]


def spelled(token: str) -> str:
    """A class or id in lower case with "-" between its words: "article__shareBar" -> "article-share-bar"."""
    return re.sub(r"[-_]+", "-", _CAMEL.sub("-", token)).lower().strip("-")


def is_state(token: str) -> bool:
    """Whether a class says how an element is, such as "has-comments", and not what it is."""
    return _STATE.match(token.lower()) is not None


def remove(element: Any) -> None:
    """Take an element out; the words before and behind it stay apart or together as the page shows them."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tag in BLOCK_TAGS:
        gap = etree.SubElement(parent, "hr")
        gap.tail = element.tail
        parent.replace(element, gap)
    else:
        element.drop_tree()


def word_count(element: Any) -> int:
    """How many words stand below an element."""
    return len(words(element.text_content()))


def remove_hidden(root: Any) -> None:
    """Cut what a visitor of the page never sees: scripts, and text hidden by attribute, style or class."""
    hiding = _hiding_names(root)
    for element in list(root.iter(*_NEVER_SEEN)):
        remove(element)
    total = word_count(root)
    for element in list(root.iter(etree.Element)):
        if element.tag in ("html", "body", "head") or element.getparent() is None:
            continue
        if _is_hidden(element) or (
            # A page may switch parts on by script: its own style sheet alone does not condemn a big part.
            hiding.intersection(tokens(element)) and word_count(element) * 4 < total
        ):
            remove(element)


def _hiding_names(root: Any) -> frozenset[str]:
    """Classes and ids that the page's own style sheet hides on every screen."""
    names: set[str] = set()
    for sheet in root.iter("style"):
        # Rules inside @media hold for some screens only.
        for selectors, declarations in _CSS_RULE.findall(_CSS_GROUP.sub("", sheet.text or "")):
            if _HIDING_STYLE.search(declarations):
                found = (_CSS_NAME.match(selector.strip()) for selector in selectors.split(","))
                names.update(name.group(1) for name in found if name)
    return frozenset(names)


def _is_hidden(element: Any) -> bool:
    # What hides stands at the beginning; the rest may be a picture as long as a book.
    style = (element.get("style") or "")[:500]
    if style and (_HIDING_STYLE.search(style) or _WHITE_ON_WHITE.search(style)):
        return True
    if element.get("hidden") is not None and element.get("hidden") != "until-found":
        return True
    if (element.get("aria-hidden") or "").strip().lower() == "true":
        # A pop-up marks the whole page behind it; that page was seen all the same.
        return next(element.iter("h1", "main", "article"), None) is None
    names = tokens(element)
    return any(name.lower() in _HIDDEN_TOKENS for name in names) and not any(map(_SHOWN_AGAIN.search, names))


def is_furniture_element(element: Any) -> bool:
    """Whether an element's tag, role or names say that it is no part of an article."""
    if element.tag in ("html", "body", "main", "article"):
        return False
    if element.tag == "nav" or element.get("role") in (
        "navigation",
        "search",
        "dialog",
        "complementary",
        "contentinfo",
    ):
        return True
    if element.tag == "footer":
        return next(element.iterancestors("blockquote", "figure"), None) is None
    if element.tag == "form":
        return sum(len(words(paragraph.text_content())) for paragraph in element.iter("p")) < 120
    return any(_is_furniture_name(token) for token in tokens(element))


def _is_furniture_name(token: str) -> bool:
    if is_state(token):
        return False
    name = spelled(token)
    return bool(_FURNITURE_WORDS.intersection(name.split("-")) or _FURNITURE_PHRASES.search(name))


def remove_furniture(container: Any) -> None:
    """Cut the theme's parts below a container, never the greater part of what it holds."""
    total = word_count(container)
    for element in list(_below(container)):
        if not is_furniture_element(element) or next(element.iter("h1", "main"), None) is not None:
            continue
        if word_count(element) * 2 <= total:
            remove(element)


def remove_adverts(container: Any) -> None:
    """Cut boxes with a heading or button that as a whole call on the reader to buy: a course, a book."""
    for element in list(container.iter("div", "section", "table", "blockquote", "center")):
        if element.getparent() is None or next(element.iter("h1", "main", "article"), None) is not None:
            continue
        headed = next(element.iter("h2", "h3", "h4", "h5", "h6", "strong", "b", "button"), None) is not None
        text = " ".join(element.itertext())
        if headed and len(words(text)) >= 4 and is_advert(text):
            remove(element)


def remove_link_lists(container: Any) -> None:
    """Cut menus that no name gives away: lists of short entries that are links and nothing else."""
    for element in list(container.iter("ul", "ol", "p", "div", "td")):
        links = list(element.iter("a"))
        if len(links) < 3 or element.getparent() is None:
            continue
        linked = sum(word_count(link) for link in links)
        if linked <= 8 * len(links) and linked * 10 >= word_count(element) * 9:
            remove(element)


def _below(container: Any) -> Iterator[Any]:
    return (element for element in container.iterdescendants(etree.Element))
