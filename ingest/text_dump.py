"""The text of a web page without its markup -> an Article.

Such a dump has lost everything but words and line ends: what was a heading, a list, a menu or a comment is
told from how lines look, how they stand together, and what they say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from ingest.article import Article, path_id
from ingest.blocks import (
    BULLET,
    Block,
    ends_sentence,
    is_all_caps,
    is_heading_like,
    is_title_case,
    marker,
    runs_on,
)
from ingest.body import finish
from ingest.byline import Byline, parse_byline
from ingest.characters import fold, one_line, visible, words
from ingest.disclaimer import is_disclaimer
from ingest.dump_comments import read_comments
from ingest.furniture import find_end, is_advert, is_furniture, is_section_name
from ingest.problem import UnreadableError

_LEAST_WORDS = 20
_HEAD_LINES = 60
_URL = re.compile(r"(?:(?:url|source|link|canonical|address)\s*:\s*)?(https?://\S+)", re.I)
_TEASER = re.compile(
    r"\W*(?:read (?:more|on|the (?:full|rest).{0,30})|continue reading.{0,80}|view post)\W*", re.I
)
_CAPTION = re.compile(
    r"(?:fig(?:ure)?|image|photo|picture|video|diagram|illustration|chart|table)\b\.?.*|"
    r".*\b(?:courtesy of|photo by|image by|credit:).*",
    re.I,
)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that is not empty, and the number of the paragraph of lines that it stands in."""

    text: str
    chunk: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """One or more lines that belong to one sentence, heading or item."""

    text: str
    chunk: int
    marker: str = ""


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands above the body: the title and byline, and where the body begins."""

    title: str
    byline: Byline
    start: int


def read_dump(dump: str, *, fallback_id: str) -> Article:
    """Read the text of one web page.

    Args:
        dump: The page's text as a browser or a crawler wrote it, menus and all.
        fallback_id: The id when the dump names no address.

    Raises:
        UnreadableError: It holds no article: a list of teasers, a cart, a few words.
    """
    lines = _lines(dump)
    url, lines = _take_url(lines)
    _refuse_listing(lines)
    head = _head(lines)
    texts = [line.text for line in lines[head.start :]]
    end = head.start + find_end(texts)
    blocks = _blocks(lines[head.start : end], head)
    title = head.title or _title_from(blocks, fallback_id)
    body = finish(blocks, title)
    if body.word_count < _LEAST_WORDS:
        raise UnreadableError(
            "has no article: it has too little text besides menus and buttons",
            "Leave it out, or save the text of the article's own page.",
        )
    tail = [(line.text, line.chunk) for line in lines[end:]]
    return Article(
        id=path_id(url) or fallback_id,
        title=title,
        text=body.text,
        url=url,
        author=head.byline.author or _late_author(lines[head.start :]),
        published=head.byline.published,
        updated=head.byline.updated,
        disclaimer=body.disclaimer or next((text for text, _ in tail if is_disclaimer(text)), ""),
        comments=read_comments(tail),
    )


def _lines(dump: str) -> list[_Line]:
    lines = []
    chunk = 0
    for raw in visible(dump).splitlines():
        text = one_line(raw)
        if text:
            lines.append(_Line(text, chunk))
        else:
            chunk += 1
    return lines


def _take_url(lines: list[_Line]) -> tuple[str, list[_Line]]:
    found = _URL.fullmatch(lines[0].text) if lines else None
    return (found.group(1), lines[1:]) if found else ("", lines)


def _refuse_listing(lines: Sequence[_Line]) -> None:
    if sum(_TEASER.fullmatch(line.text) is not None for line in lines) >= 3:
        raise UnreadableError(
            "has no article: it is a list of teasers",
            "Leave it out, or save the pages of the posts themselves.",
        )


# --- the head ----------------------------------------------------------------------------------------


def _head(lines: Sequence[_Line]) -> _Head:
    top = lines[:_HEAD_LINES]
    first = _first_byline(top)
    if first is None:
        return _head_without_byline(top)
    byline, after = _join_bylines(lines, first)
    above = _title_candidates(top[:first])
    title = above[-1][1] if above else ""
    if not title:
        # "March 3, 2014", then the title, then "By Ann Lee".
        below = _title_candidates(lines[after : after + 1])
        second = _join_bylines(lines, after + 1) if below else None
        if below and second and second[1] > after + 1:
            title, after = below[0][1], second[1]
            byline = _merge(byline, second[0])
    return _Head(_without_site(title, top), byline, after)


def _first_byline(top: Sequence[_Line]) -> int | None:
    prose = 0
    for number, line in enumerate(top):
        found = parse_byline(line.text)
        if found and (found.author or found.published):
            return number
        prose += ends_sentence(line.text) and len(words(line.text)) >= 12 and not is_advert(line.text)
        if prose > 2:
            return None
    return None


def _join_bylines(lines: Sequence[_Line], start: int) -> tuple[Byline, int]:
    """A byline over one or more lines -> what it says, and the number of the line after it."""
    byline, number = Byline(), start
    while number < len(lines):
        found = parse_byline(lines[number].text)
        if found is None and not (number > start and is_furniture(lines[number].text)):
            break
        byline = _merge(byline, found or Byline())
        number += 1
    return byline, number


def _merge(first: Byline, second: Byline) -> Byline:
    return Byline(
        first.author or second.author, first.published or second.published, first.updated or second.updated
    )


def _title_candidates(lines: Sequence[_Line]) -> list[tuple[int, str]]:
    """The lines that could be a title, with their numbers: no furniture, no menus, no sentences."""
    menus = _menu_chunks(lines)
    return [
        (number, line.text)
        for number, line in enumerate(lines)
        if line.chunk not in menus
        and not is_furniture(line.text)
        and not is_section_name(line.text)
        and not is_advert(line.text)
        and not line.text.endswith((".", ",", ";"))
        and len(words(line.text)) <= 25
    ]


def _menu_chunks(lines: Sequence[_Line]) -> set[int]:
    """Runs of four and more short lines: menus, when they stand above an article."""
    menus = set()
    for chunk, members in groupby(lines, key=lambda line: line.chunk):
        texts = [line.text for line in members]
        if len(texts) >= 4 and all(len(words(text)) <= 3 and not ends_sentence(text) for text in texts):
            menus.add(chunk)
    return menus


def _head_without_byline(top: Sequence[_Line]) -> _Head:
    candidates = dict(_title_candidates(top))
    menus = _menu_chunks(top)
    for number, line in enumerate(top):
        if number in candidates:
            return _Head(_without_site(line.text, top[number + 1 :]), Byline(), number + 1)
        foreign = is_furniture(line.text) or is_section_name(line.text) or is_advert(line.text)
        if not foreign and line.chunk not in menus:
            return _Head("", Byline(), number)
    return _Head("", Byline(), 0)


def _without_site(title: str, others: Sequence[_Line]) -> str:
    """A browser's title such as "Tight hips | The Blog" -> the title that stands again below."""
    for joint in (" | ", " – ", " — ", " - "):
        short = title.partition(joint)[0]
        if short != title and any(fold(line.text) == fold(short) for line in others):
            return short
    return title


def _title_from(blocks: Sequence[Block], fallback_id: str) -> str:
    """A title for a dump that lost its own: a line above the prose, a telling file name, the first words."""
    for block in blocks:
        if (
            block.kind != "item"
            and is_heading_like(block.text, most_words=16)
            and not is_all_caps(block.text)
        ):
            return block.text
        if ends_sentence(block.text):
            break
    name = re.sub(r"[-_\s]+", " ", fallback_id.rsplit("/", 1)[-1]).strip()
    if len(re.findall(r"\b[a-z]{3,}\b", name, re.I)) >= 2 and not re.search(r"\d{3}", name):
        return name[:1].upper() + name[1:]
    first = next((one_line(block.text) for block in blocks), "")
    sentence = re.split(r"(?<=[.!?])\s", first)[0].rstrip(".")
    return sentence if len(sentence) <= 80 else sentence[:80].rsplit(" ", 1)[0] + "…"


def _late_author(lines: Sequence[_Line]) -> str:
    """The author of an article that is signed at its end."""
    for line in lines:
        if re.match(r"(?:posted|written|article|words)\s+by\b", line.text, re.I):
            found = parse_byline(line.text)
            if found and found.author:
                return found.author
    return ""


# --- the body ----------------------------------------------------------------------------------------


def _blocks(lines: Sequence[_Line], head: _Head) -> list[Block]:
    pieces: list[_Piece] = []
    for _, members in groupby(lines, key=lambda line: line.chunk):
        pieces.extend(_pieces(list(members)))
    pieces = _without_repeats([piece for piece in pieces if fold(piece.text) != fold(head.title)])
    return list(_classify(pieces, head.byline.author))


def _pieces(chunk: Sequence[_Line]) -> Iterable[_Piece]:
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


def _without_repeats(pieces: Sequence[_Piece]) -> list[_Piece]:
    """Of equal captions the first; short headings may repeat, since each muscle has an origin."""
    seen: set[str] = set()
    kept = []
    for piece in pieces:
        key = fold(piece.text)
        if len(key.split()) >= 4 and not piece.marker:
            if key in seen:
                continue
            seen.add(key)
        kept.append(piece)
    return kept


def _is_short(piece: _Piece) -> bool:
    text = piece.text
    return (
        not piece.marker
        and len(words(text)) <= 12
        and not re.search(r"[.!…]['\"”’)]*$", text)
        and len(text) <= 100
    )


def _classify(pieces: Sequence[_Piece], author: str) -> Iterable[Block]:
    """Pieces -> blocks; runs of short ones are told apart as headings, items and captions."""
    position = 0
    while position < len(pieces):
        piece = pieces[position]
        if not _is_short(piece):
            yield _plain(piece)
            position += 1
            continue
        end = position
        while end < len(pieces) and _is_short(pieces[end]):
            end += 1
        before = pieces[position - 1] if position else None
        yield from _short_run(pieces[position:end], before, followed=end < len(pieces), author=author)
        position = end


def _plain(piece: _Piece) -> Block:
    return Block("item", piece.text, 0, piece.marker) if piece.marker else Block("paragraph", piece.text)


def _short_run(
    run: Sequence[_Piece], before: _Piece | None, *, followed: bool, author: str
) -> Iterable[Block]:
    """A run of short lines, parted at those that are surely headings."""
    after_intro = before is not None and before.text.endswith(":")
    segment: list[_Piece] = []
    headed = after_intro
    for number, piece in enumerate(run):
        something_follows = followed or number + 1 < len(run)
        if _is_sure_heading(piece) and something_follows and not _is_caption(piece.text, author):
            yield from _segment(segment, headed=headed, followed=True, author=author, top=before is None)
            segment, headed = [], True
            yield Block("heading", piece.text, 2)
        else:
            segment.append(piece)
    yield from _segment(segment, headed=headed, followed=followed, author=author, top=before is None)


def _is_sure_heading(piece: _Piece) -> bool:
    if not is_heading_like(piece.text, most_words=12):
        return False
    return is_all_caps(piece.text) or piece.text.endswith((":", "?"))


def _is_caption(text: str, author: str) -> bool:
    """Whether a short line belongs to a picture or video, or is a quotation set apart."""
    names = set(words(author))
    if len(names) >= 2 and len(names.intersection(words(text))) >= 2:
        return True
    return bool(_CAPTION.fullmatch(text)) or text.startswith(("“", '"', "‘"))


def _segment(
    segment: list[_Piece], *, headed: bool, followed: bool, author: str, top: bool
) -> Iterable[Block]:
    """Short lines that none of them alone can be told: a list, its heading, or headings one by one."""
    captions = [piece for piece in segment if _is_caption(piece.text, author)]
    if captions:
        for caption, members in groupby(segment, key=lambda piece: piece in captions):
            if caption:
                yield from (Block("paragraph", piece.text) for piece in members)
            else:
                yield from _segment(list(members), headed=headed, followed=followed, author=author, top=top)
        return
    heading, items, last = _part(segment, headed=headed, followed=followed, top=top)
    if heading:
        yield Block("heading", heading.text, 2)
    if len(items) == 1:
        yield Block("paragraph", items[0].text)
    else:
        yield from (Block("item", piece.text, 0, "-") for piece in items)
    yield from (Block("heading", piece.text, 2) for piece in last)


def _part(
    segment: list[_Piece], *, headed: bool, followed: bool, top: bool
) -> tuple[_Piece | None, list[_Piece], list[_Piece]]:
    """A run of short lines -> the heading above a list, the list's items, the headings below it."""
    if len(segment) <= (1 if headed else 2) or (top and len(segment) <= 3 and not headed):
        headings = [piece for piece in segment if _may_head(piece)]
        if followed and not headed and headings == segment:
            return None, [], segment
        if followed and not headed and len(segment) == 2 and _may_head(segment[1]):
            return None, segment[:1], segment[1:]
        return None, segment, []
    last: list[_Piece] = []
    if followed and _may_head(segment[-1]) and _stands_out(segment[-1], segment[:-1]):
        segment, last = segment[:-1], segment[-1:]
    heading = None
    if not headed and _may_head(segment[0]) and len(segment) > 2 and _stands_out(segment[0], segment[1:]):
        heading, segment = segment[0], segment[1:]
    return heading, segment, last


def _may_head(piece: _Piece) -> bool:
    return is_heading_like(piece.text, most_words=8)


def _stands_out(piece: _Piece, others: Sequence[_Piece]) -> bool:
    """Whether a line differs from a list beside it: set apart by an empty line, or by its capitals."""
    chunks = [other.chunk for other in others]
    if len(set(chunks)) < len(chunks) and piece.chunk not in chunks:
        return True
    plain = [other for other in others if not is_title_case(other.text)]
    return is_title_case(piece.text) and len(plain) * 2 > len(others)
