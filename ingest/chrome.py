"""Chrome: lines of a site's theme that no markup gives away, told by standing on many of its pages.

What repeats is not yet chrome. "Origin" heads a section of every article, and an author may end many with
the same advice. Chrome stands at the edges of pages, one such line beside the next, or it sells something.
What cannot be told for certain stays, and is only counted.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ingest.article import Article
from ingest.byline import parse_byline
from ingest.characters import fold, words
from ingest.disclaimer import is_disclaimer
from ingest.furniture import ends_article, is_comment_form, is_furniture, sells
from ingest.line_shapes import ends_sentence

# Fewer pages than these teach nothing.
_LEAST_PAGES = 5
# On how many pages a line must stand: labels, sentences, and what sells wherever it stands.
_SHARE_OF_LABELS = 0.2
_SHARE_OF_SENTENCES = 0.5
_SHARE_OF_SELLING = 0.2
# Of the pages with a line, on how many it must stand at the edge.
_AT_EDGE = 0.8
# What is left of a page must still be an article.
_LEAST_WORDS_LEFT = 20


@dataclass(frozen=True, slots=True)
class Chrome:
    """The lines learned, folded; `counts` has how many pages each stands on, of `pages`."""

    edges: frozenset[str] = frozenset()
    selling: frozenset[str] = frozenset()
    counts: tuple[tuple[str, int], ...] = ()
    pages: int = 0

    def without(self, lines: Sequence[str]) -> list[int]:
        """The numbers of the lines that are not chrome; of a page that would be left empty, all."""
        keys = [fold(line) for line in lines]
        top, bottom = _edge_runs(keys, lines, self.edges)
        kept = [
            number
            for number, key in enumerate(keys)
            if not (key in self.edges and (number < top or number >= bottom)) and key not in self.selling
        ]
        left = sum(len(words(lines[number])) for number in kept)
        return kept if left >= _LEAST_WORDS_LEFT else list(range(len(lines)))

    def pages_with(self, line: str) -> int:
        """On how many pages a line stands that was learned as chrome; 0 for others."""
        return dict(self.counts).get(fold(line), 0)


NO_CHROME = Chrome()


def without_selling(articles: Sequence[Article]) -> tuple[list[Article], list[str]]:
    """Articles without the paragraphs that sell something on many of them, and notes of what repeats.

    An author's own paragraph stays however often it stands, since the page itself put it into the article's
    body: that it repeats is only told.
    """
    blocks = [article.text.split("\n\n") for article in articles]
    chrome = learn([block for block in one if not block.startswith(("#", "- "))] for one in blocks)
    if not chrome.counts:
        return list(articles), []
    kept = [_without(article, parts, chrome.selling) for article, parts in zip(articles, blocks, strict=True)]
    notes = []
    for key, count in chrome.counts:
        shown = key if len(key) <= 60 else key[:60].rsplit(" ", 1)[0] + " …"
        done = "left out as an advert" if key in chrome.selling else "kept; look whether it is the site's own"
        notes.append(f"“{shown}” stands in {count} of {chrome.pages} articles: {done}.")
    return kept, notes


def _without(article: Article, blocks: Sequence[str], selling: frozenset[str]) -> Article:
    left = [block for block in blocks if block.startswith("#") or fold(block) not in selling]
    while left and left[-1].startswith("#"):
        left.pop()
    text = "\n\n".join(left)
    return replace(article, text=text) if len(words(text)) >= _LEAST_WORDS_LEFT else article


def learn(pages: Iterable[Sequence[str]]) -> Chrome:
    """Learn from the lines of many pages; the same page twice is one page."""
    distinct: dict[bytes, list[str]] = {}
    for lines in pages:
        distinct.setdefault(_digest(lines), [line for line in lines if words(line)])
    if len(distinct) < _LEAST_PAGES:
        return Chrome()
    all_lines = list(distinct.values())
    shown: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for lines in all_lines:
        keys = {fold(line): line for line in lines}
        counts.update(keys.keys())
        shown.update(keys)
    frequent = frozenset(
        key
        for key, count in counts.items()
        if count >= _LEAST_PAGES and _is_frequent(shown[key], count, len(distinct))
    )
    edges = _mostly_at_edges(all_lines, frequent, counts)
    selling = frozenset(
        key
        for key, count in counts.items()
        if count >= max(_LEAST_PAGES, _SHARE_OF_SELLING * len(distinct)) and _sells(shown[key])
    )
    learned = sorted(edges | selling)
    return Chrome(edges, selling, tuple((key, counts[key]) for key in learned), len(distinct))


def _is_frequent(line: str, count: int, pages: int) -> bool:
    is_sentence = ends_sentence(line) and len(words(line)) >= 5
    return count >= (_SHARE_OF_SENTENCES if is_sentence else _SHARE_OF_LABELS) * pages and not _has_a_task(
        line
    )


def _has_a_task(line: str) -> bool:
    """Whether later steps need a line to find the author, the disclaimer, or the end of the article."""
    return (
        ends_article(line) or is_comment_form(line) or parse_byline(line) is not None or is_disclaimer(line)
    )


def _sells(line: str) -> bool:
    return len(words(line)) >= 4 and sells(line) and not _has_a_task(line)


def _mostly_at_edges(
    pages: Sequence[Sequence[str]], frequent: frozenset[str], counts: Counter[str]
) -> frozenset[str]:
    at_edge: Counter[str] = Counter()
    for lines in pages:
        keys = [fold(line) for line in lines]
        top, bottom = _edge_runs(keys, lines, frequent)
        at_edge.update(set(keys[:top] + keys[bottom:]) & frequent)
    return frozenset(key for key in frequent if at_edge[key] >= _AT_EDGE * counts[key])


def _edge_runs(keys: Sequence[str], lines: Sequence[str], chrome: frozenset[str]) -> tuple[int, int]:
    """How many lines from the top, and from which line to the bottom, are chrome or known furniture."""
    top = next((n for n, key in enumerate(keys) if not _goes_on(key, lines[n], chrome)), len(keys))
    bottom = len(keys)
    while bottom > top and _goes_on(keys[bottom - 1], lines[bottom - 1], chrome):
        bottom -= 1
    return top, bottom


def _goes_on(key: str, line: str, chrome: frozenset[str]) -> bool:
    return key in chrome or not key or is_furniture(line)


def _digest(lines: Sequence[str]) -> bytes:
    return hashlib.blake2b("\n".join(lines).encode("utf-8", "replace"), digest_size=16).digest()
