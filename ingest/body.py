"""The last steps that every page goes through, whatever it was read from: blocks -> an article's body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.blocks import Block, promote_headings, render, without_repeats, without_title
from ingest.characters import words
from ingest.disclaimer import is_disclaimer, take_disclaimer
from ingest.furniture import ends_article, find_end, is_advert, is_furniture
from ingest.line_shapes import ends_sentence


@dataclass(frozen=True, slots=True)
class Body:
    """What the author wrote, and the disclaimer that stood in it."""

    text: str
    disclaimer: str

    @property
    def word_count(self) -> int:
        """How many words the text has."""
        return len(words(self.text))


def finish(blocks: Sequence[Block], title: str) -> Body:
    """Clean the blocks of one article: no furniture, adverts, disclaimer, repeats or second title."""
    blocks, disclaimer = take_disclaimer(without_foreign(_until_disclaimer(blocks)))
    blocks = promote_headings(without_title(without_repeats(blocks), title))
    return Body(render(without_empty_sections(blocks)), disclaimer)


def _until_disclaimer(blocks: Sequence[Block]) -> list[Block]:
    """The blocks without what follows the disclaimer, when no sentence follows: tags and buttons."""
    last = max(
        (number for number, block in enumerate(blocks) if is_disclaimer(block.text)), default=len(blocks)
    )
    if any(ends_sentence(block.text) for block in blocks[last + 1 :]):
        return list(blocks)
    return list(blocks[: last + 1])


def without_foreign(blocks: Sequence[Block]) -> list[Block]:
    """The blocks without furniture and adverts, and without the headings that stood above nothing else."""
    kept: list[Block] = []
    below_heading = False
    for block in [*blocks, Block("heading", "")]:
        if block.kind == "heading":
            if below_heading and kept and kept[-1].kind == "heading":
                kept.pop()
            below_heading = False
        if _is_foreign(block):
            below_heading = below_heading or block.kind == "paragraph"
        else:
            kept.append(block)
    return kept


def until_end(blocks: Sequence[Block]) -> list[Block]:
    """The blocks above the line with which a page closes its article."""
    return list(blocks[: find_end([block.text for block in blocks])])


def until_last_word(blocks: Sequence[Block]) -> list[Block]:
    """The blocks without a closing line and what follows it, when no sentence follows."""
    for number, block in enumerate(blocks):
        if ends_article(block.text) and not any(ends_sentence(other.text) for other in blocks[number:]):
            return list(blocks[:number])
    return list(blocks)


def without_empty_sections(blocks: Sequence[Block]) -> list[Block]:
    """Drop the headings at the end that head nothing: what stood below them was furniture."""
    kept = list(blocks)
    while kept and kept[-1].kind == "heading":
        kept.pop()
    return kept


def _is_foreign(block: Block) -> bool:
    if block.kind in ("paragraph", "heading"):
        return is_furniture(block.text) or is_advert(block.text)
    return not words(block.text)
