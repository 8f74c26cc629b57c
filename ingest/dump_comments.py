"""The readers' comments in a text dump: parted from each other and from their writers' names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.article import Comment
from ingest.blocks import BULLET
from ingest.byline import parse_byline, parse_date
from ingest.characters import words
from ingest.furniture import ends_article, is_comment_form, is_furniture

_COUNT = re.compile(
    r"\W*(?:\d+ (?:comments?|responses?|replies)|comments?(?: ?\(\d+\))?|\d+ thoughts? on .*)\W*:?", re.I
)
_POST_LINKS = re.compile(r"\W*(?:(?:older|newer|previous|next) (?:post|article)\W*)+|share this .*", re.I)
_SIGNATURE = re.compile(
    r"(?P<name>[^.!?]{1,40}?)(?:,?\s+(?:on|at)(?:\s+(?P<on>.{6,40}))?|\s+(?:says|said|wrote|commented)\b(?P<says>[^.!?]{0,60}?):?|"
    r"\s*[|•·—–-]\s*(?P<date>.{6,40}))",
    re.I,
)
_MAX_NAME_WORDS = 5


@dataclass(slots=True)
class _Draft:
    lines: list[tuple[str, int]] = field(default_factory=list)
    published: str | None = None

    def comment(self) -> Comment | None:
        """The finished comment: broken lines joined, paragraphs apart; None when nothing was said."""
        paragraphs: dict[int, list[str]] = {}
        for text, chunk in self.lines:
            paragraphs.setdefault(chunk, []).append(text)
        text = "\n\n".join(" ".join(lines) for lines in paragraphs.values())
        return Comment(text, self.published) if words(text) else None


def read_comments(tail: Sequence[tuple[str, int]]) -> tuple[Comment, ...]:
    """The comments in what follows an article.

    Args:
        tail: The lines below the article with the number of the paragraph of lines that each stands in.
    """
    region, counted = _region(tail)
    signed = any(_signature(region, number) for number in range(len(region)))
    if not (signed or counted or any(_is_bullet(text) for text, _ in region)):
        return ()
    drafts = _drafts(region)
    return tuple(comment for comment in (draft.comment() for draft in drafts) if comment)


def _region(tail: Sequence[tuple[str, int]]) -> tuple[list[tuple[str, int]], bool]:
    """The lines that are comments: above the comment form, and not below the title of another section."""
    region: list[tuple[str, int]] = []
    inside, counted = True, False
    for text, chunk in tail:
        if is_comment_form(text):
            if region:
                break
            inside = False
        elif _COUNT.fullmatch(text):
            inside, counted = True, True
        elif _POST_LINKS.fullmatch(text):
            inside = True
        elif ends_article(text):
            inside = False
        elif inside and not is_furniture(text):
            region.append((text, chunk))
    return region, counted


def _drafts(region: Sequence[tuple[str, int]]) -> list[_Draft]:
    names_first = bool(region) and _signature(region, 0) > 0
    drafts = [_Draft()]
    number = 0
    while number < len(region):
        length = _signature(region, number)
        if length:
            day = _day([text for text, _ in region[number : number + length]])
            if names_first:
                drafts.append(_Draft(published=day))
            else:
                drafts[-1].published = day
                drafts.append(_Draft())
            number += length
            continue
        text, chunk = region[number]
        if _is_bullet(text):
            if drafts[-1].lines:
                drafts.append(_Draft())
            text = BULLET.sub(r"\g<rest>", text, count=1)
        drafts[-1].lines.append((text, chunk))
        number += 1
    return drafts


def _is_bullet(text: str) -> bool:
    return bool(re.match(r"[•▪●◦‣]", text))


def _signature(region: Sequence[tuple[str, int]], number: int) -> int:
    """How many lines from here on only say who wrote and when; 0 when this line is part of a comment."""
    text = region[number][0]
    if _is_name_and_day(text) or _is_day(text):
        return 1
    following = region[number + 1][0] if number + 1 < len(region) else ""
    return 2 if _is_name(text) and _is_day(following) else 0


def _is_name_and_day(text: str) -> bool:
    found = _SIGNATURE.fullmatch(text)
    if not found or len(words(found["name"])) > _MAX_NAME_WORDS:
        return False
    if found["says"] is not None:
        return _is_name(found["name"])
    given = found["on"] or found["date"]
    return _is_day(given) if given else True


def _is_day(text: str) -> bool:
    found = parse_byline(text)
    return found is not None and found.published is not None and not found.author


def _is_name(text: str) -> bool:
    return 0 < len(words(text)) <= _MAX_NAME_WORDS and not re.search(r"[.!?:,]$", text) and text[:1].isalnum()


def _day(lines: Sequence[str]) -> str | None:
    for line in lines:
        found = _SIGNATURE.fullmatch(line)
        given = (found["on"] or found["date"] or found["says"] or "") if found else line
        told = parse_byline(given.strip(" :")) or None
        day = (told.published if told else None) or parse_date(given)
        if day:
            return day
    return None
