"""A tree of HTML -> Blocks: nothing that shows is lost, nothing is joined that the page keeps apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ingest.blocks import Block, line_of
from ingest.characters import one_line, word_set, words
from ingest.line_shapes import BULLET, SURE_BULLETS, is_heading_like, marker, runs_on

BLOCK_TAGS = word_set(
    """
    address article aside blockquote body caption center dd details dialog dir div dl dt fieldset
    figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol
    p pre search section summary table tbody td tfoot th thead tr ul
    """
)
_UNSEEN_TAGS = word_set(
    """
    applet area audio base button canvas embed frame frameset head iframe input link map math meta
    noembed noframes noscript object optgroup option param progress meter rp rt script select source
    style svg template textarea title track video
    """
)
_STRONG_TAGS = frozenset(("b", "strong", "u"))
_BOLD_STYLE = re.compile(r"font-weight\s*:\s*(bold|bolder|[6-9]00)", re.I)
_NOT_BOLD_STYLE = re.compile(r"font-weight\s*:\s*(normal|lighter|[1-4]00)", re.I)
_BREAK = "\n"


def linearise(element: Any) -> list[Block]:
    """The blocks below an lxml element, in the order of the page; nothing that shows is left out.

    Args:
        element: An element of an lxml HTML tree from which hidden and foreign parts are already removed.
    """
    walk = _Walk()
    walk.children(element, _Context())
    walk.flush(_Context())
    return walk.blocks


@dataclass(frozen=True, slots=True)
class _Context:
    strong: bool = False
    preformatted: bool = False
    item_level: int | None = None


class _Walk:
    """Collects inline runs until a block ends, then makes Blocks of them."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._runs: list[tuple[str, bool]] = []
        self._marker = ""

    def children(self, element: Any, context: _Context) -> None:
        self._add(element.text, context)
        for child in element:
            if isinstance(child.tag, str):
                self._element(child, context)
            self._add(child.tail, context)

    def flush(self, context: _Context) -> None:
        """End the paragraph (or list item) that is being collected."""
        for lines in _paragraphs(self._runs):
            if context.item_level is None:
                self.blocks.extend(_from_lines(lines))
            else:
                self._item(lines, context.item_level)
        self._runs = []

    def _add(self, text: str | None, context: _Context) -> None:
        if text:
            self._runs.append((text if context.preformatted else text.replace("\n", " "), context.strong))

    def _item(self, lines: list[tuple[str, bool]], level: int) -> None:
        for text, strong in lines:
            self.blocks.append(Block("item", text, level, self._marker, strong))
            self._marker = ""

    def _element(self, element: Any, context: _Context) -> None:
        tag = element.tag.lower()
        if tag in _UNSEEN_TAGS:
            return
        if tag == "br":
            self._runs.append((_BREAK, context.strong))
            return
        inner = replace(context, strong=_is_strong(element, tag, context.strong))
        if tag not in BLOCK_TAGS and not _holds_blocks(element):
            self.children(element, inner)
            return
        self.flush(context)
        self._block(element, tag, inner)

    def _block(self, element: Any, tag: str, context: _Context) -> None:
        if tag in _HEADINGS:
            self._heading(element, int(tag[1]))
        elif tag in ("ul", "ol", "menu", "dir"):
            self._list(element, tag, context)
        elif tag == "table":
            self._table(element, context)
        elif tag == "summary":
            # The label that opens a folded part: a question of a list of questions, as a rule.
            self._heading(element, 3)
        elif tag == "dl":
            self._definitions(element, context)
        else:
            inner = replace(context, preformatted=context.preformatted or tag == "pre")
            self.children(element, inner)
            self.flush(inner)

    def _heading(self, element: Any, level: int) -> None:
        if any(child.tag in ("p", "ul", "ol", "table") for child in element.iterdescendants()):
            # Broken markup: an unclosed heading has swallowed the article.
            self.children(element, _Context())
            self.flush(_Context())
            return
        inline = _Walk()
        inline.children(element, _Context())
        inline.flush(_Context())
        text = one_line(" ".join(block.text for block in inline.blocks))
        if text:
            self.blocks.append(Block("heading", text, max(level, 2)))

    def _list(self, element: Any, tag: str, context: _Context) -> None:
        level = 0 if context.item_level is None else context.item_level + 1
        number = _integer(element.get("start"), 1)
        step = -1 if element.get("reversed") is not None else 1
        if step < 0 and element.get("start") is None:
            number = sum(child.tag == "li" for child in element)
        for child in element:
            if child.tag != "li":
                if isinstance(child.tag, str):
                    self._element(child, replace(context, item_level=level))
                continue
            number = _integer(child.get("value"), number)
            self._list_item(child, f"{number}." if tag == "ol" else "-", replace(context, item_level=level))
            number += step

    def _list_item(self, element: Any, marker: str, context: _Context) -> None:
        if any(child.tag in _HEADINGS for child in element.iterdescendants()):
            # "Seven stretches": each item is a section of its own, with a heading.
            context = replace(context, item_level=None)
        self._marker = marker
        context = replace(context, strong=_is_strong(element, "li", context.strong))
        self.children(element, context)
        self.flush(context)
        self._marker = ""

    def _table(self, element: Any, context: _Context) -> None:
        rows = [row for row in element.iter("tr") if next(row.iterancestors("table")) is element]
        plain = all(not _holds_sections(cell) for row in rows for cell in row)
        for caption in element.iterchildren("caption"):
            self.children(caption, context)
            self.flush(context)
        for row in rows:
            if plain:
                self._row(row)
                continue
            for cell in row.iterchildren("td", "th"):
                self.children(cell, context)
                self.flush(context)

    def _row(self, row: Any) -> None:
        cells = []
        for cell in row.iterchildren("td", "th"):
            inner = linearise(cell)
            cells.append(one_line(" ".join(line_of(block) for block in inner)))
        if any(cells):
            filled = [cell for cell in cells if cell]
            self.blocks.append(Block("row" if len(cells) > 1 else "paragraph", " | ".join(filled)))

    def _definitions(self, element: Any, context: _Context) -> None:
        for child in element.iter("dt", "dd"):
            self.children(child, replace(context, strong=context.strong or child.tag == "dt"))
            self.flush(context)


_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
# What makes a table one for layout: whole sections inside its cells.
_SECTIONS = frozenset(("h1", "h2", "h3", "h4", "table", "blockquote", "article", "section"))


def _holds_blocks(element: Any) -> bool:
    return any(child.tag in BLOCK_TAGS for child in element.iterdescendants())


def _holds_sections(cell: Any) -> bool:
    paragraphs = sum(child.tag == "p" for child in cell.iterdescendants())
    return paragraphs > 2 or any(child.tag in _SECTIONS for child in cell.iterdescendants())


def _is_strong(element: Any, tag: str, inherited: bool) -> bool:
    style = element.get("style") or ""
    if _NOT_BOLD_STYLE.search(style):
        return False
    return inherited or tag in _STRONG_TAGS or bool(_BOLD_STYLE.search(style))


def _integer(value: str | None, otherwise: int) -> int:
    return int(value) if value is not None and re.fullmatch(r"\s*-?\d{1,9}\s*", value) else otherwise


def _paragraphs(runs: Sequence[tuple[str, bool]]) -> Iterable[list[tuple[str, bool]]]:
    """Runs of (text, is it bold) -> paragraphs of lines; two breaks in a row part paragraphs."""
    lines: list[tuple[str, bool]] = []
    line: list[tuple[str, bool]] = []
    for text, strong in [*runs, (_BREAK, False), (_BREAK, False)]:
        for number, piece in enumerate(text.split(_BREAK)):
            if number:
                whole = one_line("".join(part for part, _ in line))
                if whole:
                    lines.append((whole, all(bold for part, bold in line if words(part))))
                elif lines:
                    yield lines
                    lines = []
                line = []
            line.append((piece, strong))


def _from_lines(lines: list[tuple[str, bool]]) -> Iterable[Block]:
    """One paragraph's lines -> blocks: a bold first line alone, typed bullets as items, the rest together."""
    joined = _join_wrapped(lines)
    if len(joined) > 1 and joined[0][1] and not joined[1][1] and is_heading_like(joined[0][0]):
        yield Block("paragraph", joined[0][0], strong=True)
        joined = joined[1:]
    bullets = [BULLET.match(text) for text, _ in joined]
    typed = sum(found is not None for found in bullets)
    if typed == len(joined) > 1 or (
        typed == len(joined) and bullets[0] and bullets[0]["sign"] in SURE_BULLETS
    ):
        for (text, strong), found in zip(joined, bullets, strict=True):
            mark, rest = marker(found) if found else ("-", text)
            yield Block("item", rest if found else text, 0, mark, strong)
        return
    yield Block("paragraph", "\n".join(text for text, _ in joined), strong=all(bold for _, bold in joined))


def _join_wrapped(lines: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Join a line to the one before it when a sentence runs on across the break."""
    joined: list[tuple[str, bool]] = []
    for text, strong in lines:
        if joined and joined[-1][1] == strong and runs_on(joined[-1][0], text):
            joined[-1] = (f"{joined[-1][0]} {text}", strong)
        else:
            joined.append((text, strong))
    return joined
