"""The readers' comments in a text dump: parted from each other and from their writers' names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.article import Comment
from ingest.byline import parse_byline
from ingest.characters import word_set, words
from ingest.dump_lines import Line
from ingest.furniture import ends_article, is_comment_form, is_furniture
from ingest.line_shapes import BULLET

_COUNT = re.compile(
    r"\W*(?:\d+ (?:comments?|responses?|replies)|comments?(?: ?\(\d+\))?|\d+ thoughts? on .*)\W*:?", re.I
)
_POST_LINKS = re.compile(r"\W*(?:(?:older|newer|previous|next) (?:post|article)\W*)+|share this .*", re.I)
_BULLET = re.compile(r"[•▪●◦‣]")
_NAME_ON = re.compile(r"(?P<name>.{1,40}?),?\s+(?:on|at)(?:\s+(?P<day>.{6,40}))?", re.I)
_NAME_SAYS = re.compile(
    r"(?P<name>.{1,40}?)\s+(?:says|said|wrote|commented)\b(?:\s+on)?(?P<day>[^.!?]{0,60}?)[:.…]*", re.I
)
_NAME_DASH = re.compile(r"(?P<name>.{1,40}?)\s*[|•·—–-]\s*(?P<day>.{6,40})", re.I)
_MOST_NAME_WORDS = 7
_NO_NAME = word_set("a and at for go goes going i in is it my of she the they to was we you")


@dataclass(slots=True)
class _Draft:
    """A comment that is being read."""

    lines: list[Line] = field(default_factory=list)
    published: str | None = None

    def finished(self) -> Comment | None:
        """The comment, its broken lines joined and its paragraphs apart; None when nothing was said."""
        paragraphs: dict[int, list[str]] = {}
        for line in self.lines:
            paragraphs.setdefault(line.chunk, []).append(line.text)
        text = "\n\n".join(" ".join(lines) for lines in paragraphs.values())
        return Comment(text, self.published) if words(text) else None


@dataclass(frozen=True, slots=True)
class _Signature:
    """Lines that say who wrote a comment or when: how many, the day, and whether there is a name."""

    length: int
    day: str | None
    has_name: bool


def read_comments(tail: Sequence[Line]) -> tuple[Comment, ...]:
    """The comments in what follows an article, in its order.

    Args:
        tail: The lines below the article, its closing line first.
    """
    is_counted = any(_COUNT.fullmatch(line.text) for line in tail)
    region = _region(tail, is_counted=is_counted)
    signatures = {number: found for number in range(len(region)) if (found := _signature(region, number))}
    if not (signatures or is_counted or any(_BULLET.match(line.text) for line in region)):
        return ()
    finished = (draft.finished() for draft in _drafts(region, signatures))
    return tuple(comment for comment in finished if comment)


def _region(tail: Sequence[Line], *, is_counted: bool) -> list[Line]:
    """The lines that are comments: above the comment form, and not below another section's title.

    Where the page counts its comments they begin there, and elsewhere at the links to other posts.
    """
    region: list[Line] = []
    inside = not is_counted and bool(tail) and ends_article(tail[0].text)
    for line in tail:
        if is_comment_form(line.text):
            if region:
                break
            inside = False
        elif _COUNT.fullmatch(line.text):
            inside = True
        elif _POST_LINKS.fullmatch(line.text):
            inside = inside or not is_counted
        elif ends_article(line.text):
            inside = False
        elif inside and not is_furniture(line.text):
            region.append(line)
    return region


def _drafts(region: Sequence[Line], signatures: dict[int, _Signature]) -> list[_Draft]:
    names_first = 0 in signatures
    drafts = [_Draft()]
    number = 0
    while number < len(region):
        line, signature = region[number], signatures.get(number)
        number += signature.length if signature else 1
        if signature is None:
            if _BULLET.match(line.text) and drafts[-1].lines:
                drafts.append(_Draft())
            drafts[-1].lines.append(Line(_without_bullet(line.text), line.chunk))
        elif not names_first:
            drafts[-1].published = signature.day
            drafts.append(_Draft())
        elif signature.has_name or drafts[-1].published:
            drafts.append(_Draft(published=signature.day))
        else:
            # "Ann says:", the comment, then the day.
            drafts[-1].published = signature.day
    return drafts


def _without_bullet(text: str) -> str:
    found = BULLET.match(text)
    return found["rest"] if found and _BULLET.match(text) else text


def _signature(region: Sequence[Line], number: int) -> _Signature | None:
    text = region[number].text
    day = _day(text)
    if day:
        return _Signature(1, day, has_name=False)
    following = region[number + 1].text if number + 1 < len(region) else ""
    if _is_name(text) and _day(following):
        return _Signature(2, _day(following), has_name=True)
    for form in (_NAME_SAYS, _NAME_ON, _NAME_DASH):
        found = form.fullmatch(text)
        if found and _is_name(found["name"]):
            given = (found["day"] or "").strip(" :,")
            if not given or _day(given):
                return _Signature(1, _day(given), has_name=True)
    return _name_before_day(text)


def _name_before_day(text: str) -> _Signature | None:
    """A line such as "Ann Lee May 2, 2019", where only a space parts the name from the day."""
    parts = text.split(" ")
    if len(parts) > _MOST_NAME_WORDS + 6:
        return None
    for number in range(1, len(parts)):
        day = _day(" ".join(parts[number:]))
        if day and not re.search(r"[.!?]", " ".join(parts[:number])):
            return _Signature(1, day, has_name=True)
    return None


def _day(text: str) -> str | None:
    """The date, of a line that is a date and nothing else."""
    found = parse_byline(text)
    return found.published if found and not found.author else None


def _is_name(text: str) -> bool:
    found = words(text)
    if not 0 < len(found) <= _MOST_NAME_WORDS or re.search(r"[.!?:,]$", text):
        return False
    return text[:1].isalnum() and not _NO_NAME.intersection(found[1:])
