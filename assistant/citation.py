"""Links that open the live page at the quoted sentence.

Text fragments: https://wicg.github.io/scroll-to-text-fragment/
"""

from __future__ import annotations

import re
from urllib.parse import quote as percent_encode
from urllib.parse import urldefrag, urlsplit

from index.sentences import blocks
from ingest.article import Article

# A longer quote is named by its first and last words: browsers match those, and links stay short.
_WHOLE = 12  # words
_EDGE = 5  # words


def deep_link(article: Article, start: int, end: int) -> str:
    """The article's url with the text fragment of `article.text[start:end]`; empty without a web address."""
    if urlsplit(article.url).scheme not in {"http", "https"}:
        return ""
    first, last = _end_blocks(article.text, start, end)
    return f"{urldefrag(article.url).url}#:~:text={_directive(article.text, first, last)}"


def _end_blocks(text: str, start: int, end: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The quote's spans within its first and its last block: a fragment's words must lie inside one block."""
    inside = [
        (max(start, block.start), min(end, block.end))
        for block in blocks(text)
        if block.start < end and block.end > start
    ]
    return (inside[0], inside[-1]) if inside else ((start, end), (start, end))


def _directive(text: str, first: tuple[int, int], last: tuple[int, int]) -> str:
    words = text[slice(*first)].split()
    final = text[slice(*last)].split()
    if first != last:
        return f"{_encoded(words[:_EDGE])},{_encoded(final[-_EDGE:])}"
    if len(words) > _WHOLE:
        return f"{_encoded(words[:_EDGE])},{_encoded(words[-_EDGE:])}"
    quoted = _encoded(words)
    if len(re.findall(re.escape(text[slice(*first)]), text)) > 1:
        before = text[: first[0]].rsplit("\n", 1)[-1].split()[-_EDGE:]
        if before:  # says which of the repeats is meant
            return f"{_encoded(before)}-,{quoted}"
    return quoted


def _encoded(words: list[str]) -> str:
    # a hyphen, a comma and an ampersand have a meaning of their own in the directive
    return percent_encode(" ".join(words), safe="").replace("-", "%2D")
