"""Finding the article on a page that gives no hint where it is. The home of trafilatura."""

from __future__ import annotations

from collections import Counter
from typing import Any

import trafilatura

from ingest.characters import fold
from ingest.linearise import BLOCK_TAGS

_LEAST_LINE_WORDS = 5
# The container must hold this share of what trafilatura takes for the article: a stray line from the
# page's foot must not widen it to the whole page.
_SHARE = 0.85
_BREAK = "\n"


def guess_container(root: Any, page: str) -> Any | None:
    """The smallest element that holds nearly all of what trafilatura extracts, or None when it finds nothing.

    Only the place is taken from trafilatura: the words are read from the page's own tree, complete.
    """
    extracted = trafilatura.extract(page, include_comments=False, include_tables=True, favor_recall=True)
    wanted = f" {fold(extracted or '')} "
    weights: Counter[Any] = Counter()
    for element in root.iter(*BLOCK_TAGS):
        size = sum(len(line.split()) for line in _own_lines(element) if f" {line} " in wanted)
        for holder in (element, *element.iterancestors()) if size else ():
            weights[holder] += size
    total = max(weights.values(), default=0)
    enough = [holder for holder, weight in weights.items() if weight >= _SHARE * total]
    return max(enough, key=lambda holder: sum(1 for _ in holder.iterancestors()), default=None)


def _own_lines(element: Any) -> list[str]:
    """The lines, long enough to be told apart, that stand in an element and in no block inside it."""
    texts = [(element.text or "").replace(_BREAK, " ")]
    for child in element:
        if isinstance(child.tag, str) and child.tag != "br" and child.tag not in BLOCK_TAGS:
            texts.append(child.text_content().replace(_BREAK, " "))
        elif isinstance(child.tag, str):
            texts.append(_BREAK)
        texts.append((child.tail or "").replace(_BREAK, " "))
    lines = (fold(line) for line in "".join(texts).split(_BREAK))
    return [line for line in lines if len(line.split()) >= _LEAST_LINE_WORDS]
