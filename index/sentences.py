"""Where the blocks and the sentences of a text are, as exact character spans of it.

A quote is only as good as its span: every function here returns offsets into the text it was given and
never a changed copy.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class BlockKind(StrEnum):
    """What a block is on the page."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    STEP = "step"


LISTED = (BlockKind.ITEM, BlockKind.STEP)


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph or one list item; the span leaves out its marker (`## `, `- `, `1. `)."""

    kind: BlockKind
    start: int
    end: int


_HEADING = re.compile(r"\s*(?:#{1,6}\s+(?P<hash>\S.*?)\s*#*|\*\*(?P<bold>[^\s*][^*]{0,68}[^\s*])\*\*:?)\s*$")
_ITEM = re.compile(r"[ \t]*(?:(?P<bullet>[-*+•·▪◦–])|(?P<number>\d{1,2})[.)])[ \t]+(?=\S)")
_CLOSED = re.compile(r"[.!?:;…][\"'”’)\]]*$")


def blocks(text: str) -> list[Block]:
    """The blocks of a text in reading order: Markdown headings and lists, paragraphs parted by empty lines.

    A lone short line without closing punctuation that stands above a longer block is a heading that lost its
    markup (plain-text sources often drop it); runs of such lines are the items of a list.
    """
    found = [block for block in _marked_blocks(text) if block.end > block.start]
    return [_kind_in_context(text, found, position) for position in range(len(found))]


def _marked_blocks(text: str) -> Iterator[Block]:
    """Blocks by their markers and empty lines alone."""
    open_block: Block | None = None
    for start, end in _lines(text):
        line = text[start:end]
        if not line.strip():
            if open_block:
                yield open_block
            open_block = None
        elif heading := _HEADING.match(line):
            if open_block:
                yield open_block
            open_block = None
            name = "hash" if heading["hash"] else "bold"
            yield Block(BlockKind.HEADING, start + heading.start(name), start + heading.end(name))
        elif item := _ITEM.match(line):
            if open_block:
                yield open_block
            kind = BlockKind.STEP if item["number"] else BlockKind.ITEM
            open_block = Block(kind, start + item.end(), start + len(line.rstrip()))
        elif open_block and not _breaks_line(text[open_block.start : open_block.end], open_block.kind):
            open_block = Block(open_block.kind, open_block.start, start + len(line.rstrip()))
        else:
            if open_block:
                yield open_block
            indent = len(line) - len(line.lstrip())
            open_block = Block(BlockKind.PARAGRAPH, start + indent, start + len(line.rstrip()))
    if open_block:
        yield open_block


def _lines(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for line in text.splitlines(keepends=True):
        yield start, start + len(line.rstrip("\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029"))
        start += len(line)


def _breaks_line(so_far: str, kind: BlockKind) -> bool:
    """Whether a line break after these words ends the block: it does when the words are closed.

    Sources either wrap lines anywhere or put each paragraph on a line; closing punctuation tells them apart.
    """
    last = so_far.rsplit("\n", 1)[-1]
    return kind is BlockKind.PARAGRAPH and (bool(_CLOSED.search(last)) or _is_label(last))


def _is_label(line: str) -> bool:
    """A short line without closing punctuation that starts like a name: "Key Points", "ORIGIN"."""
    words = line.split()
    return (
        0 < len(words) <= 8
        and len(line) <= 60
        and not re.search(r"[.!?,;…][\"'”’)\]]*$", line)
        and (words[0][:1].isupper() or words[0][:1].isdigit())
    )


def _kind_in_context(text: str, found: list[Block], position: int) -> Block:
    block = found[position]
    line = text[block.start : block.end]
    if block.kind is not BlockKind.PARAGRAPH or "\n" in line or not _is_label(line):
        return block
    if position + 1 == len(found):
        return block
    after = found[position + 1]
    below = text[after.start : after.end]
    if after.kind in LISTED or (len(below) > len(line) and not _is_label(below)):
        return Block(BlockKind.HEADING, block.start, block.end)
    return Block(BlockKind.ITEM, block.start, block.end) if _is_label(below) else block


# Abbreviations after which a full stop does not close the sentence.
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[“\"'])(?:dr|mr|mrs|ms|prof|st|jr|sr|vs|cf|approx|fig|figs|no|nos|vol|pp|al|inc|ltd|dept|est"
    r"|min|max|sec|hr|hrs|wk|mm|cm|kg|lb|lbs|oz|ft|in|lig|art|mm|n|a|v|aa|vv|nn|esp|incl|resp|ca|ed|eds"
    r"|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|e\.g|i\.e|u\.s|u\.k|a\.m|p\.m|ph\.d|m\.d|d\.o|b\.sc|[a-z])\.$",
    re.IGNORECASE,
)
# These do close one when a capital follows: "…at 8 p.m. The pain…", "…rest for 5 min. Then…".
_MAY_CLOSE = re.compile(
    r"(?:a\.m|p\.m|etc|al|min|max|sec|hrs?|wk|mm|cm|kg|lbs?|oz|ft|in|inc|no|art|est)\.$", re.IGNORECASE
)
# The look-behind keeps a long row of dots from being tried from each of its dots.
_BREAK = re.compile(
    r"(?:(?<![.!?…])[.!?…]+|[。！？])[\"'”’)\]]*(?=\s)\s+(?=[\"'“‘(\[]*(?:[A-Z0-9À-ÖØ-Þ]|[-–•*]\s))"
)
# Some pages lose the blank between sentences: "…of the hip.It also…".
_GLUED = re.compile(r"(?<=[a-z)]{2})[.!?](?=[A-Z][a-z]+[ ,])")


def sentences(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """Spans of the sentences in `text[start:end]`, in order, without the blanks around them.

    Meant for the inside of one block: a line break is a blank here.
    """
    end = len(text) if end is None else end
    cuts = [match.end() for match in _BREAK.finditer(text, start, end) if _closes(match, start)]
    cuts += [match.end() for match in _GLUED.finditer(text, start, end)]
    edges = [start, *sorted(cuts), end]
    spans = (_trim(text, low, high) for low, high in itertools.pairwise(edges))
    return [part for low, high in spans if high > low for part in _parts(text, low, high)]


def _closes(match: re.Match[str], start: int) -> bool:
    stop = match.group().rstrip()
    before = match.string[max(start, match.start() - 16) : match.start() + 1]
    if not stop.startswith(".") or stop.startswith(".."):
        return True
    if re.search(r"(?:^|[\s(])[A-Z]\.$", before):  # an initial: "J. Travell"
        return False
    return not _ABBREVIATION.search(before) or bool(_MAY_CLOSE.search(before))


_LONG = 320  # characters; beyond this a "sentence" is a run of list entries or a table that lost its lines
_SEAM = re.compile(r"(?<=\S)(?:;\s+|\s+(?=[-–•*]\s))")  # a list mark belongs to the part that it opens


def _parts(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """A very long sentence cut at its semicolons and inline list marks; any other stays whole."""
    if end - start <= _LONG:
        return [(start, end)]
    edges = [start, *(match.end() for match in _SEAM.finditer(text, start, end)), end]
    return [_trim(text, low, high) for low, high in itertools.pairwise(edges)]


_LEADING_MARK = re.compile(r"[\s]*(?:[-–•*]\s+)?")


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Without outer blanks, and without a list mark that stands inside a run of text."""
    while end > start and text[end - 1].isspace():
        end -= 1
    mark = _LEADING_MARK.match(text, start, end)
    return (mark.end() if mark else start), end
