"""The last steps that every page goes through, whatever it was read from: blocks -> an article's body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.blocks import Block, promote_headings, render, without_repeats, without_title
from ingest.byline import parse_byline
from ingest.characters import words
from ingest.disclaimer import is_disclaimer, take_disclaimer
from ingest.furniture import ends_article, find_end, is_advert, is_furniture, sells
from ingest.line_shapes import ends_sentence

_EDGE_BLOCKS = 8


@dataclass(frozen=True, slots=True)
class Body:
    """What the author wrote, and the disclaimer that stood in it."""

    text: str
    disclaimer: str

    @property
    def word_count(self) -> int:
        """How many words the text has."""
        return len(words(self.text))

    @property
    def first_line(self) -> str:
        """A title for what has none: the first line, cut at a word when it is long."""
        first = next((line.lstrip("# ") for line in self.text.split("\n") if line.strip()), "")
        return first if len(first) <= 100 else first[:100].rsplit(" ", 1)[0] + "…"


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
            _drop_headings_of_advert(kept)
            below_heading = below_heading or block.kind == "paragraph"
        else:
            kept.append(block)
    return kept


def without_byline(blocks: Sequence[Block]) -> list[Block]:
    """The blocks without the lines at their beginning that name the author and the day."""
    return [
        block
        for number, block in enumerate(blocks)
        if number >= _EDGE_BLOCKS or block.kind != "paragraph" or parse_byline(block.text) is None
    ]


def _drop_headings_of_advert(kept: list[Block]) -> None:
    """Take off the headings directly above an advert that name its goods, and the one above those."""
    named = False
    while kept and kept[-1].kind == "heading" and sells(kept[-1].text):
        kept.pop()
        named = True
    if named and kept and kept[-1].kind == "heading":
        kept.pop()


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
