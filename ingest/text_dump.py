"""The text of a web page without its markup -> an Article.

Such a dump has lost everything but words and line ends: what was a heading, a list, a menu or a comment is
told from how lines look, how they stand together, and what they say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from ingest.address import clean_url
from ingest.article import Article, path_id
from ingest.blocks import Block
from ingest.body import finish
from ingest.byline import Byline, parse_byline
from ingest.characters import fold, one_line, words
from ingest.chrome import NO_CHROME, Chrome
from ingest.disclaimer import is_disclaimer
from ingest.dump_comments import read_comments
from ingest.dump_lines import Line, split_lines, to_blocks
from ingest.furniture import find_end, is_advert, is_furniture, is_section_name
from ingest.limits import refuse_large_text
from ingest.line_shapes import ends_sentence, is_all_caps, is_heading_like, is_title_case
from ingest.problem import NoArticleError

_LEAST_WORDS = 20
_HEAD_LINES = 60
_URL = re.compile(r"(?:(?:url|source|link|canonical|address)\s*:\s*)?(https?://\S+)", re.I)
_TEASER_WORDS = 8
_BUY = re.compile(r"\W*(?:add to (?:cart|basket|bag)|buy it now)\W*", re.I)
_TEASER = re.compile(
    r"\W*(?:read (?:more|on|the (?:full|rest).{0,30})|continue reading.{0,80}|view post)\W*", re.I
)


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands above the body: the title and byline, and where the body begins."""

    title: str
    byline: Byline
    start: int


def lines_of(dump: str) -> list[str]:
    """The lines of a dump that are not empty, from which a site's own lines can be learned."""
    return [line.text for line in split_lines(dump)]


def read_dump(dump: str, *, fallback_id: str, chrome: Chrome = NO_CHROME) -> Article:
    """Read the text of one web page.

    Args:
        dump: The page's text as a browser or a crawler wrote it, menus and all.
        fallback_id: The id when the dump names no address.
        chrome: The lines that stand on many pages of the site.

    Raises:
        NoArticleError: It holds no article: a list of teasers, a cart, a few words.
    """
    refuse_large_text(dump)
    lines = split_lines(dump)
    url, lines = _take_url(lines)
    lines = [lines[number] for number in chrome.without([line.text for line in lines])]
    _refuse_listing(lines)
    head = _head(lines)
    end = head.start + _end([line.text for line in lines[head.start :]], head.byline.author)
    blocks = to_blocks(lines[head.start : end], title=head.title, author=head.byline.author)
    blocks = _without_last_call(blocks)
    title = head.title or _title_from(blocks, fallback_id)
    body = finish(blocks, title)
    if body.word_count < _LEAST_WORDS:
        raise NoArticleError("it has too little text besides menus and buttons")
    tail = lines[end:]
    return Article(
        id=path_id(url) or fallback_id,
        title=title,
        text=body.text,
        url=url,
        author=head.byline.author or _late_author(lines[head.start :]),
        published=head.byline.published,
        updated=head.byline.updated,
        disclaimer=body.disclaimer or next((line.text for line in tail if is_disclaimer(line.text)), ""),
        comments=read_comments(tail),
    )


def _without_last_call(blocks: list[Block]) -> list[Block]:
    """The blocks without the lines in capitals below the last sentence: "Certify as a Therapist"."""
    end = len(blocks)
    while end > 1 and blocks[end - 1].kind == "paragraph" and _is_call(blocks[end - 1].text):
        end -= 1
    return blocks[:end] if end and ends_sentence(blocks[end - 1].text) else blocks


def _is_call(text: str) -> bool:
    # A name alone, or "Be well", may be the author's signature.
    return len(words(text)) >= 4 and is_heading_like(text) and is_title_case(text)


def _end(texts: Sequence[str], author: str) -> int:
    """Where the article ends: at a closing line, or where a box about the author begins with the name."""
    end = find_end(texts)
    prose = [number for number, text in enumerate(texts[:end]) if ends_sentence(text)]
    for number, text in enumerate(texts[:end]):
        is_name = bool(author) and fold(text) == fold(author)
        if is_name and sum(other < number for other in prose) * 2 > len(prose):
            return number
    return end


def _take_url(lines: list[Line]) -> tuple[str, list[Line]]:
    found = _URL.fullmatch(lines[0].text) if lines else None
    return (clean_url(found.group(1)), lines[1:]) if found else ("", lines)


def _refuse_listing(lines: Sequence[Line]) -> None:
    long = [line.text for line in lines if len(words(line.text)) >= _TEASER_WORDS]
    if len(long) >= 2 and all(text.endswith(("...", "…")) for text in long):
        raise NoArticleError("it is a list of teasers")
    if _is_product(lines):
        raise NoArticleError("it is a product's page")
    if sum(_TEASER.fullmatch(line.text) is not None for line in lines) >= 3:
        raise NoArticleError("it is a list of teasers")


def _is_product(lines: Sequence[Line]) -> bool:
    """Whether a button to buy stands above the first sentences, and no byline there."""
    for line in lines:
        if _BUY.fullmatch(line.text):
            return True
        byline = parse_byline(line.text)
        is_prose = len(words(line.text)) >= 12 and ends_sentence(line.text) and not is_advert(line.text)
        if is_prose or (byline and (byline.author or byline.published)):
            return False
    return False


# --- the head ----------------------------------------------------------------------------------------


def _head(lines: Sequence[Line]) -> _Head:
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


def _first_byline(top: Sequence[Line]) -> int | None:
    prose = 0
    for number, line in enumerate(top):
        found = parse_byline(line.text)
        if found and (found.author or found.published):
            return number
        prose += ends_sentence(line.text) and len(words(line.text)) >= 12 and not is_advert(line.text)
        if prose > 2:
            return None
    return None


def _join_bylines(lines: Sequence[Line], start: int) -> tuple[Byline, int]:
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


def _title_candidates(lines: Sequence[Line]) -> list[tuple[int, str]]:
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


def _menu_chunks(lines: Sequence[Line]) -> set[int]:
    """Runs of four and more short lines: menus, when they stand above an article."""
    menus = set()
    for chunk, members in groupby(lines, key=lambda line: line.chunk):
        texts = [line.text for line in members]
        if len(texts) >= 4 and all(len(words(text)) <= 3 and not ends_sentence(text) for text in texts):
            menus.add(chunk)
    return menus


def _head_without_byline(top: Sequence[Line]) -> _Head:
    candidates = dict(_title_candidates(top))
    menus = _menu_chunks(top)
    for number, line in enumerate(top):
        if number in candidates:
            return _Head(_without_site(line.text, top[number + 1 :]), Byline(), number + 1)
        foreign = is_furniture(line.text) or is_section_name(line.text) or is_advert(line.text)
        if not foreign and line.chunk not in menus:
            return _Head("", Byline(), number)
    return _Head("", Byline(), 0)


def _without_site(title: str, others: Sequence[Line]) -> str:
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


def _late_author(lines: Sequence[Line]) -> str:
    """The author of an article that is signed at its end."""
    for line in lines:
        if re.match(r"(?:posted|written|article|words)\s+by\b", line.text, re.I):
            found = parse_byline(line.text)
            if found and found.author:
                return found.author
    return ""
