"""How large an article can be: what is larger is something else, and would only keep everybody waiting."""

from __future__ import annotations

from typing import Any

from lxml import etree

from ingest.problem import UnreadableError

# The longest articles of any blog have a fifth of these.
MAX_CHARACTERS = 400_000
MAX_LINES = 8_000
MAX_ELEMENTS = 15_000
MAX_DEPTH = 150

_SPLIT = "Leave it out, or split it into the articles that it holds."


def refuse_large_text(text: str) -> None:
    """Raise for a text that is no article's.

    Raises:
        UnreadableError: It is longer than any article.
    """
    if len(text) > MAX_CHARACTERS:
        raise UnreadableError(
            f"is longer than any article: {len(text):,} characters, at most {MAX_CHARACTERS:,}", _SPLIT
        )
    lines = text.count("\n")
    if lines > MAX_LINES:
        raise UnreadableError(f"is longer than any article: {lines:,} lines, at most {MAX_LINES:,}", _SPLIT)


def refuse_large_tree(root: Any) -> None:
    """Raise for a tree of markup that is no article's page.

    Raises:
        UnreadableError: It has more elements than any page, or is nested deeper.
    """
    count, depth = 0, 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        count += event == "start"
        depth += 1 if event == "start" else -1
        if count > MAX_ELEMENTS:
            raise UnreadableError(
                f"has more than {MAX_ELEMENTS:,} elements, as no article's page has", _SPLIT
            )
        if depth > MAX_DEPTH:
            raise UnreadableError(
                f"is nested more than {MAX_DEPTH} deep, as no article's page is", "Save the page again."
            )
    refuse_large_text("".join(root.itertext("p", "div", "li", "td", "span", "body", "article", "section")))
