"""What went wrong with one source, told so that the person at the keyboard can act on it."""

from __future__ import annotations

from dataclasses import dataclass


class UnreadableError(ValueError):
    """No article can be read from what was given; a reader raises it and the next source goes on.

    Attributes:
        reason: What is wrong, as the end of the sentence "posts/x.html ...".
        next_step: What to do about it, a whole sentence.
    """

    def __init__(self, reason: str, next_step: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.next_step = next_step


class NoArticleError(UnreadableError):
    """A page that can be read and is none of an article: a list of posts, a cart, a product's page.

    On a crawl such a page is rightly passed over; one that the maintainer named is a problem.
    """

    def __init__(self, why: str) -> None:
        super().__init__(f"has no article: {why}", "Leave it out, or save the page of the article itself.")


@dataclass(frozen=True, slots=True)
class Problem:
    """One source, or one line of it, that gave no article.

    Attributes:
        source: The file or folder as the user would name it.
        reason: What is wrong, in plain words.
        next_step: What to do about it, a whole sentence.
        line: The line in a JSONL file, counted from 1.
    """

    source: str
    reason: str
    next_step: str
    line: int | None = None

    def __str__(self) -> str:
        where = self.source if self.line is None else f"{self.source}, line {self.line}"
        return f"{where}: {self.reason}. {self.next_step}"
