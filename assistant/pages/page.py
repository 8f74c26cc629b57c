"""What page.html needs, in the chat and in the widget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assistant.feedback.feedback import KEPT_DAYS, LONGEST_WORDS, REASONS
from assistant.pages.assets import address
from assistant.wording import wording
from ingest.article import Article


def page_parts(starters: Sequence[str], *, keeps: bool, article: Article | None = None) -> dict[str, Any]:
    """The parts by their names in the template.

    Args:
        starters: Questions for the empty page.
        keeps: Whether visitors may leave feedback to be kept.
        article: The one that is being read, if any.
    """
    texts = wording()
    return {
        "about": texts.about,
        "privacy": texts.privacy,
        "starters": starters,
        "article": article,
        "address": address,
        "reasons": REASONS,
        "keeps": keeps,
        "days": KEPT_DAYS,
        "longest": LONGEST_WORDS,
    }
