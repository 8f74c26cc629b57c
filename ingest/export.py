"""What an export of a blog's own system held."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.article import Article
from ingest.problem import Problem


@dataclass(slots=True)
class Export:
    """What an export held.

    Attributes:
        results: For each published post its place in the file, from 1, and what it gave.
        drafts: How many posts are not published.
        is_whole: It states everything there is, as far as it can tell; what is not in it is gone.
    """

    results: list[tuple[int, Article | Problem]] = field(default_factory=list)
    drafts: int = 0
    is_whole: bool = True
