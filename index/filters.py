"""Which articles and comments may be found at all, decided before anything is ranked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from index.passage import PassageKind
from ingest.article import Article

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `since` to `until`, both among them; None is open on that side."""

    since: date | None = None
    until: date | None = None

    @property
    def open(self) -> bool:
        """Whether every day and no day at all are within."""
        return self.since is None and self.until is None


@dataclass(frozen=True, slots=True)
class Filter:
    """What an article must be to be found; by default, anything.

    Attributes:
        tags: It has one of these; upper and lower case are the same.
        authors: It is by one of these, likewise.
        published: It was published then; one without a date is not found by any date.
        updated: It was last updated then, likewise.
        kind: Whether its own passages or its readers' comments are searched: never both at once, since a
            comment is not the article's voice.
    """

    tags: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    published: Period = field(default_factory=Period)
    updated: Period = field(default_factory=Period)
    kind: PassageKind = "article"

    @property
    def any_article(self) -> bool:
        """Whether no article is left out."""
        return not (self.tags or self.authors) and self.published.open and self.updated.open


class Facets(BaseModel):
    """What articles can be chosen by: one entry an article, in the order of their rows."""

    tags: list[list[str]]
    authors: list[str]
    published: list[str | None]
    updated: list[str | None]

    @classmethod
    def of(cls, articles: Iterable[Article]) -> Facets:
        """The facets of articles in their order."""
        every = list(articles)
        return cls(
            tags=[list(one.tags) for one in every],
            authors=[one.author for one in every],
            published=[one.published for one in every],
            updated=[one.updated for one in every],
        )

    def passing(self, wanted: Filter) -> NDArray[np.bool_]:
        """Whether each article may be found: shape (articles,)."""
        passing = np.ones(len(self.authors), np.bool_)
        if wanted.tags:
            passing &= _each(self.tags, _any_of(wanted.tags))
        if wanted.authors:
            is_author = _any_of(wanted.authors)
            passing &= _each(self.authors, lambda author: is_author([author]))
        for days, period in ((self.published, wanted.published), (self.updated, wanted.updated)):
            if not period.open:
                passing &= _each(days, lambda day, period=period: _within(day, period))  # type: ignore[misc]
        return passing


def _each(values: Sequence[T], test: Callable[[T], bool]) -> NDArray[np.bool_]:
    return np.fromiter(map(test, values), np.bool_, len(values))


def _any_of(names: Sequence[str]) -> Callable[[Sequence[str]], bool]:
    wanted = {_folded(name) for name in names}
    return lambda values: any(_folded(value) in wanted for value in values)


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def _within(day: str | None, period: Period) -> bool:
    """Whether a date, or the day of a date and time, lies in a period."""
    try:
        found = date.fromisoformat((day or "")[:10])
    except ValueError:  # none, or not a date
        return False
    return (period.since or date.min) <= found <= (period.until or date.max)
