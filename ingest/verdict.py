"""Is what was read fit to be served? Warnings for a person to see, and faults that hold an article back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.article import Article
from ingest.characters import fold, words
from ingest.line_shapes import ends_sentence

_SHORT = 80
# Of the last good version's words, fewer than this left means that the reader lost the article ...
_LOST = 0.4
# ... and so many times more, with all of the old inside, that it swallowed the page around it.
_SWOLLEN = 3.0
# An article shorter than this may well be rewritten as a whole.
_LEAST_TO_COMPARE = 120
# The same new paragraph in so many changed articles at once is the theme's, not the author's.
_COMMON_CHANGE = 5
_PROSE_SHARE = 0.4
_ADDRESS = re.compile(r"https?://\S+|\bwww\.\S+", re.I)


@dataclass(frozen=True, slots=True)
class Warned:
    """Something about an article that a person should look at; it is served all the same."""

    id: str
    place: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An article that is held back; the last good version stays served.

    Attributes:
        article: As it was read now.
        place: Where from.
        key: The name by which the index remembers where it is from.
        reasons: Why, each the end of a sentence "The article ...".
    """

    article: Article
    place: str
    key: str
    reasons: tuple[str, ...]


def warnings(article: Article, last_good: Article | None = None) -> tuple[str, ...]:
    """What a person should look at, in plain words; empty when nothing is noticeable."""
    found = [*_of_shape(article)]
    if last_good is not None:
        found += _of_structure(article, last_good)
    return tuple(found)


def faults(article: Article, last_good: Article | None) -> tuple[str, ...]:
    """Why an article must not take the place of its last good version; empty when it may."""
    if last_good is None or article.text == last_good.text:
        return ()
    old, new = words(last_good.text), words(article.text)
    if len(old) < _LEAST_TO_COMPARE:
        return ()
    common = sum((Counter(old) & Counter(new)).values())
    if len(new) < _LOST * len(old) and common >= 0.7 * len(new):
        return (
            f"has only {len(new)} of the {len(old)} words that it had: its end or its middle was not found",
        )
    if len(new) > _SWOLLEN * len(old) and common >= 0.9 * len(old):
        return (
            f"has {len(new)} words where it had {len(old)}: the page around it was taken for the article",
        )
    return ()


def common_changes(changed: Sequence[tuple[Article, Article]]) -> dict[str, tuple[str, ...]]:
    """Of articles that changed in one run, those that all gained or lost the same paragraph.

    Args:
        changed: Each as it is now, and as it was.

    Returns:
        For the id of each such article why it is to be held back.
    """
    gained: dict[str, list[str]] = {}
    for new, old in changed:
        before = {fold(part) for part in old.text.split("\n\n")}
        for part in new.text.split("\n\n"):
            if fold(part) not in before and not part.startswith("#"):
                gained.setdefault(part, []).append(new.id)
    found: dict[str, tuple[str, ...]] = {}
    for part, ids in gained.items():
        if len(set(ids)) >= _COMMON_CHANGE:
            others = len(set(ids)) - 1
            reason = f"gained the words “{_cut(part)}” together with {others} others: the theme has changed"
            found.update({one: (*found.get(one, ()), reason) for one in ids})
    return found


def _of_shape(article: Article) -> list[str]:
    found = []
    count = len(words(article.text))
    first = next((line.lstrip("# ") for line in article.text.split("\n") if line.strip()), "")
    title = article.title.rstrip("…")
    if fold(first).startswith(fold(title)) and len(words(title)) >= 3:
        found.append("has no title of its own: its first words stand for one")
    if count < _SHORT:
        found.append(f"is very short: {count} words")
    prose = sum(len(words(line)) for line in article.text.split("\n") if ends_sentence(line))
    if count >= _SHORT and prose < _PROSE_SHARE * count:
        found.append(f"is mostly lists, links or labels: {prose} of its {count} words are in sentences")
    addresses = len(_ADDRESS.findall(article.text))
    if addresses * 25 > count:
        found.append(f"is mostly links: {addresses} addresses in {count} words")
    return found


def _of_structure(article: Article, last_good: Article) -> list[str]:
    found = []
    headings, had = _headings(article), _headings(last_good)
    if had >= 3 and headings * 3 <= had:
        found.append(f"has {headings} headings where it had {had}: the theme may have changed")
    new, old = len(words(article.text)), len(words(last_good.text))
    if old >= _LEAST_TO_COMPARE and not 0.6 * old <= new <= 1.7 * old:
        found.append(f"has {new} words where it had {old}")
    if last_good.published and not article.published:
        found.append("has lost its date: the theme may have changed")
    return found


def _headings(article: Article) -> int:
    return sum(line.startswith("#") for line in article.text.split("\n"))


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 60 else flat[:60].rsplit(" ", 1)[0] + " …"
