"""Blocks: an article as a flat run of headings, paragraphs, list items and table rows, and as text.

Every reader of markup or of plain lines makes Blocks; only this module knows how an Article's text is
written from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ingest.characters import fold
from ingest.line_shapes import ends_sentence, is_all_caps, is_heading_like

# Fewer words than these may well stand twice in an article, alone or inside a sentence.
_LEAST_CAPTION = 3
_LEAST_QUOTE = 5

Kind = Literal["heading", "paragraph", "item", "row"]


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of an article's body.

    Attributes:
        kind: A "row" is the row of a table, its cells parted by " | ".
        text: One line; a paragraph may hold several, as the author broke them.
        level: Of a heading, 2 and deeper; of an item, how deep it is nested, from 0.
        marker: Of an item, "-" or "3."; empty for what follows inside the same item.
        strong: The whole paragraph is bold: it may stand for a heading.
    """

    kind: Kind
    text: str
    level: int = 0
    marker: str = ""
    strong: bool = False


def render(blocks: Iterable[Block]) -> str:
    """The text of an Article. Items of a list and rows of a table follow each other line by line."""
    parts: list[str] = []
    previous: Block | None = None
    for block in blocks:
        if previous is not None:
            parts.append("\n" if _goes_on(previous, block) else "\n\n")
        parts.append(line_of(block))
        previous = block
    return "".join(parts)


def _goes_on(previous: Block, block: Block) -> bool:
    """Whether a block is the next line of the list or table that the previous one belongs to."""
    if block.kind != previous.kind or block.kind not in ("item", "row"):
        return False
    new_list = block.level == previous.level and block.marker and previous.marker
    return not (new_list and (block.marker == "-") != (previous.marker == "-"))


def line_of(block: Block) -> str:
    """One block as it stands in an Article's text."""
    if block.kind == "heading":
        return f"{'#' * block.level} {block.text}"
    if block.kind == "item":
        indent = "  " * block.level
        return f"{indent}{block.marker} {block.text}" if block.marker else f"{indent}  {block.text}"
    return block.text


def promote_headings(blocks: Sequence[Block]) -> list[Block]:
    """Turn short paragraphs that are all bold or all capitals into the headings that they stand for.

    One below the heading above it in rank, or `##` on a page that has none above; the last block of an
    article heads nothing and stays what it is.
    """
    promoted: list[Block] = []
    level = 2
    for number, block in enumerate(blocks):
        if block.kind == "heading":
            level = min(block.level + 1, 6)
        stands_for_heading = (
            block.kind == "paragraph"
            and (block.strong or is_all_caps(block.text))
            and is_heading_like(block.text)
            and not block.text.endswith("!")
            and number + 1 < len(blocks)
        )
        promoted.append(Block("heading", block.text, level) if stands_for_heading else block)
    return promoted


def without_repeats(blocks: Sequence[Block]) -> list[Block]:
    """Drop captions and pull-quotes that say again, word for word, what the article says elsewhere.

    Of equal paragraphs the first stays; a short paragraph that stands inside a longer one goes. Headings,
    items and rows may repeat: "Origin" heads a section for each muscle.
    """
    folded = [fold(block.text) if block.kind == "paragraph" else "" for block in blocks]
    quoted = _quoted(folded)
    kept: list[Block] = []
    seen: set[str] = set()
    for number, (block, key) in enumerate(zip(blocks, folded, strict=True)):
        if number in quoted or key in seen:
            continue
        if len(key.split()) >= _LEAST_CAPTION:
            seen.add(key)
        kept.append(block)
    return kept


def _quoted(folded: Sequence[str]) -> set[int]:
    """The numbers of the paragraphs that stand, whole, inside a longer one."""
    heads: dict[str, list[int]] = {}
    for number, key in enumerate(folded):
        first = key.split()[:_LEAST_QUOTE]
        if len(first) == _LEAST_QUOTE:
            heads.setdefault(" ".join(first), []).append(number)
    found = set()
    for text in folded:
        parts = text.split()
        for start in range(1 + len(parts) - _LEAST_QUOTE):
            for number in heads.get(" ".join(parts[start : start + _LEAST_QUOTE]), ()):
                key = folded[number]
                if len(key) < len(text) and f" {key} " in f" {text} ":
                    found.add(number)
    return found


def without_title(blocks: Sequence[Block], title: str) -> list[Block]:
    """Drop the lines before the first real paragraph that only say the title again."""
    key = fold(title)
    kept: list[Block] = []
    prose_seen = False
    for block in blocks:
        if not prose_seen and block.kind in ("heading", "paragraph") and fold(block.text) == key:
            continue
        prose_seen = prose_seen or (block.kind == "paragraph" and ends_sentence(block.text))
        kept.append(block)
    return kept
