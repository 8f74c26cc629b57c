"""Lines without markup -> Blocks: what was a heading, an item or a caption, told from how lines stand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from ingest.blocks import Block
from ingest.characters import fold, one_line, visible, words
from ingest.furniture import is_advert, is_furniture
from ingest.line_shapes import (
    BULLET,
    ends_sentence,
    is_all_caps,
    is_heading_like,
    is_title_case,
    marker,
    runs_on,
)

_CAPTION = re.compile(
    r"(?:fig(?:ure)?|image|photo|picture|video|diagram|illustration|chart|table)\b\.?.*|"
    r".*\b(?:courtesy of|photo by|image by|credit:).*",
    re.I,
)

# What the sections of articles about muscles are called, whatever they look like.
_SECTION = re.compile(
    r"(?:muscle )?(?:anatomy|origins?|insertions?|attachments?|actions?|functions?|innervation|nerve supply|"
    r"blood supply|antagonists?|synergists?)|(?:referred )?pain(?: patterns?| referral)?|trigger points?|"
    r"(?:common |possible )?(?:causes|symptoms|signs|signs and symptoms|indications)|diagnosis|"
    r"treatment(?: options)?|self[ -]?(?:help|treatment|care|massage)|stretch(?:es|ing)|(?:home )?exercises|"
    r"techniques?|precautions|contraindications|prevention|introduction|overview|summary|conclusions?",
    re.I,
)
_QUESTION = re.compile(r"(?:what|when|where|why|how|who|which)\b", re.I)
_CLAUSE = re.compile(
    r"^(?:it|they|this|these|those|there|you|we|he|she)\b|\b(?:is|are|was|were|has|have|includes?|to)\b", re.I
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not empty.

    Attributes:
        text: Its words.
        chunk: The number of the run of lines between empty ones in which it stands.
    """

    text: str
    chunk: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """One or more lines that belong to one sentence, heading or item.

    Attributes:
        text: The lines, joined.
        chunk: As of its lines.
        marker: Of an item with a bullet or number.
        is_caption: It belongs to a picture or video, or is a quotation set apart.
    """

    text: str
    chunk: int
    marker: str = ""
    is_caption: bool = False

    @property
    def is_short(self) -> bool:
        """Whether it may be a heading or an unmarked item: a few words that are no sentence."""
        return (
            not (self.marker or self.is_caption or is_advert(self.text))
            and len(words(self.text)) <= 12
            and len(self.text) <= 100
            and not re.search(r"[.!…]['\"”’)]*$", self.text)
        )


# Some programs write a page's text with Markdown's marks for links, pictures and headings.
_MARKED = re.compile(r"^#{1,6} \S|!?\[[^\[\]\n]{0,200}\]\([^()\s]{1,500}\)", re.M)
_LEAST_MARKS = 3
_PICTURE = re.compile(r"!\[[^\[\]]{0,200}\]\([^()\s]{1,500}\)")
_LINK = re.compile(r"\[([^\[\]]{0,200})\]\([^()\s]{1,500}\)")
_EMPHASIS = re.compile(r"(?<!\w)(\*\*|__|\*|_)(?=\S)([^*_]{1,300}?)(?<=\S)\1(?!\w)")


def _unmarked(line: str) -> str:
    """A line without Markdown's marks."""
    line = _LINK.sub(r"\1", _PICTURE.sub("", re.sub(r"^\s*#{1,6}\s+", "", line)))
    return _EMPHASIS.sub(r"\2", line)


def split_lines(dump: str) -> list[Line]:
    """The lines of a text that are not empty."""
    lines = []
    chunk = 0
    is_marked = len(_MARKED.findall(dump)) >= _LEAST_MARKS
    for raw in visible(dump).splitlines():
        text = one_line(_unmarked(raw) if is_marked else raw)
        if text:
            lines.append(Line(text, chunk))
        else:
            chunk += 1
    return lines


def to_blocks(lines: Sequence[Line], *, title: str, author: str) -> list[Block]:
    """The blocks of an article's body.

    Args:
        lines: The body's lines, furniture among them or not.
        title: The article's title; lines that only repeat it are left out.
        author: The author's name, which captions of videos often carry.
    """
    pieces: list[_Piece] = []
    for _, members in groupby(lines, key=lambda line: line.chunk):
        pieces.extend(_pieces(list(members)))
    own = [piece for piece in pieces if fold(piece.text) != fold(title)]
    return list(_classify(_with_captions(own, author)))


# --- lines -> pieces ---------------------------------------------------------------------------------


def _pieces(chunk: Sequence[Line]) -> Iterable[_Piece]:
    """The lines of one paragraph of lines, joined where a sentence or an item runs on."""
    wrapped = _is_wrapped([line.text for line in chunk])
    text, mark = "", ""
    for line in chunk:
        found = BULLET.match(line.text)
        alone = len(chunk) == 1 or not line.text[0].islower()
        if found is None and alone and is_furniture(line.text):
            continue
        goes_on = bool(text) and found is None and (wrapped or runs_on(text, line.text))
        if goes_on:
            text = f"{text} {line.text}"
            continue
        if text:
            yield _Piece(text, line.chunk, mark)
        mark, text = marker(found) if found else ("", line.text)
    if text:
        yield _Piece(text, chunk[0].chunk, mark)


def _is_wrapped(texts: Sequence[str]) -> bool:
    """Whether lines were broken at a fixed width: all but the last nearly as long as the longest."""
    if len(texts) < 2 or any(BULLET.match(text) for text in texts):
        return False
    longest = max(map(len, texts))
    full = all(len(text) >= longest - 18 for text in texts[:-1])
    inner_ends = sum(ends_sentence(text) for text in texts[:-1])
    return 50 <= longest <= 130 and full and inner_ends * 2 < len(texts)


def _with_captions(pieces: Sequence[_Piece], author: str) -> list[_Piece]:
    """Mark captions, and of equal ones keep the first; short headings may repeat, as "Origin" does."""
    counts = Counter(fold(piece.text) for piece in pieces if not piece.marker)
    names = set(words(author))
    kept: list[_Piece] = []
    seen: set[str] = set()
    for piece in pieces:
        key = fold(piece.text)
        is_repeated = counts[key] > 1 and len(key.split()) >= 4
        if is_repeated and key in seen:
            continue
        seen.add(key)
        named = len(names) >= 2 and len(names.intersection(key.split())) >= 2
        quoted = piece.text.startswith(("“", '"', "‘"))
        is_caption = is_repeated or named or quoted or bool(_CAPTION.fullmatch(piece.text))
        kept.append(replace(piece, is_caption=is_caption and not piece.marker))
    return kept


# --- pieces -> blocks --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a run of short lines stands.

    Attributes:
        at_top: Nothing but captions stands above it.
        headed: Directly below a heading, or a line that ends with a colon.
        followed: Something stands below it.
    """

    at_top: bool
    headed: bool
    followed: bool


def _classify(pieces: Sequence[_Piece]) -> Iterable[Block]:
    """Pieces -> blocks; short ones are told apart run by run, since none of them can be told alone."""
    position = 0
    for is_short, members in groupby(pieces, key=lambda piece: piece.is_short):
        run = list(members)
        if is_short:
            above = pieces[:position]
            place = _Place(
                at_top=all(piece.is_caption for piece in above),
                headed=bool(above) and above[-1].text.endswith(":"),
                followed=position + len(run) < len(pieces),
            )
            yield from _short_run(run, place)
        else:
            yield from (_plain(piece) for piece in run)
        position += len(run)


def _plain(piece: _Piece) -> Block:
    return Block("item", piece.text, 0, piece.marker) if piece.marker else Block("paragraph", piece.text)


def _heading(piece: _Piece) -> Block:
    return Block("heading", piece.text, 2)


def _short_run(run: Sequence[_Piece], place: _Place) -> Iterable[Block]:
    """A run of short lines, parted at those that are surely headings or begin a list."""
    segment: list[_Piece] = []
    for number, piece in enumerate(run):
        something_follows = place.followed or number + 1 < len(run)
        is_heading = something_follows and _is_sure_heading(piece) and not _is_one_of_many(number, run)
        if not (is_heading or piece.text.endswith(":")):
            segment.append(piece)
            continue
        yield from _segment(segment, replace(place, followed=True))
        yield _heading(piece) if is_heading else _plain(piece)
        segment, place = [], replace(place, headed=True)
    yield from _segment(segment, place)


def _is_one_of_many(number: int, run: Sequence[_Piece]) -> bool:
    """Whether a question stands directly above or below another one: questions to ask, not headings."""
    near = [run[other] for other in (number - 1, number + 1) if 0 <= other < len(run)]
    return run[number].text.endswith("?") and any(
        other.text.endswith("?") and other.chunk == run[number].chunk for other in near
    )


def _is_sure_heading(piece: _Piece) -> bool:
    text = piece.text
    if not is_heading_like(text, most_words=12):
        return False
    if text.endswith(":"):
        # A longer line before a list is the beginning of a sentence.
        return is_title_case(text) or (len(words(text)) <= 3 and not _CLAUSE.search(text))
    return is_all_caps(text) or text.endswith("?") or bool(_SECTION.fullmatch(text))


def _segment(segment: Sequence[_Piece], place: _Place) -> Iterable[Block]:
    """Short lines of which none is surely a heading: headings one by one, or a list between headings."""
    is_list = len(segment) > (1 if place.headed else 3 if place.at_top else 2)
    heads = place.followed and not place.headed and not is_list and bool(segment)
    above, items, below = _part(segment, place) if is_list else ([], list(segment), [])
    if heads and all(map(_may_head, segment)):
        items, below = [], list(segment)
    elif heads and _may_head(segment[-1]):
        items, below = list(segment[:-1]), [segment[-1]]
    yield from map(_heading, above)
    if is_list and len(items) > 1:
        yield from (Block("item", piece.text, 0, "-") for piece in items)
    else:
        yield from map(_plain, items)
    yield from map(_heading, below)


def _part(segment: Sequence[_Piece], place: _Place) -> tuple[list[_Piece], list[_Piece], list[_Piece]]:
    """A list of short lines -> the heading above it, its items, the heading below it, as far as there are."""
    items = list(segment)
    above: list[_Piece] = []
    below: list[_Piece] = []
    if place.followed and _may_head(items[-1]) and _stands_out(items[-1], items[:-1]):
        below = [items.pop()]
    if not place.headed and len(items) > 2 and _may_head(items[0]) and _stands_out(items[0], items[1:]):
        above = [items.pop(0)]
    return above, items, below


def _may_head(piece: _Piece) -> bool:
    return is_heading_like(piece.text, most_words=8)


def _stands_out(piece: _Piece, others: Sequence[_Piece]) -> bool:
    """Whether a line differs from a list beside it: in spacing, capitals, a question word, or colons."""
    chunks = [other.chunk for other in others]
    if len(set(chunks)) < len(chunks) and piece.chunk not in chunks:
        return True
    plain = [other for other in others if not is_title_case(other.text)]
    if is_title_case(piece.text) and len(plain) * 2 > len(others):
        return True
    if _QUESTION.match(piece.text) and not any(_QUESTION.match(other.text) for other in others):
        return True
    return ":" not in piece.text and all(":" in other.text for other in others)
