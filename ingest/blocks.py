"""Blocks: an article as a flat run of headings, paragraphs, list items and table rows, and as text.

Every reader of markup or of plain lines makes Blocks; only this module knows how an Article's text is
written from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ingest.characters import fold, one_line, word_set, words

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
            together = block.kind == previous.kind and block.kind in ("item", "row")
            parts.append("\n" if together else "\n\n")
        parts.append(_line(block))
        previous = block
    return "".join(parts)


def _line(block: Block) -> str:
    if block.kind == "heading":
        return f"{'#' * block.level} {block.text}"
    if block.kind == "item":
        indent = "  " * block.level
        return f"{indent}{block.marker} {block.text}" if block.marker else f"{indent}  {block.text}"
    return block.text


# --- from an lxml tree -------------------------------------------------------------------------------

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
            cells.append(one_line(" ".join(_line(block) for block in inner)))
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
        typed == len(joined) and bullets[0] and bullets[0]["sign"] in _SURE_BULLETS
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


# --- what a line looks like --------------------------------------------------------------------------

_SURE_BULLETS = "•▪●◦‣►▶■□✓✔➢➤⁃∙"
BULLET = re.compile(rf"(?P<sign>[{_SURE_BULLETS}]|[-–—*·](?=\s)|\(?\d{{1,2}}[.)](?=\s))\s*(?P<rest>\S.*)")
_SENTENCE_END = re.compile(r"""[.!?…]["'”’)\]]*$""")
_SMALL_WORDS = word_set(
    """
    a an and as at but by de for from if in into is nor of on or out over the to up vs via with your
    """
)
_MAX_HEADING_WORDS = 10


def marker(found: re.Match[str]) -> tuple[str, str]:
    """A typed bullet or number -> the marker of an item and the item's words."""
    number = re.search(r"\d+", found["sign"])
    return (f"{number.group()}." if number else "-"), found["rest"]


def ends_sentence(line: str) -> bool:
    """Whether a line ends as a sentence does."""
    return bool(_SENTENCE_END.search(line))


def runs_on(line: str, following: str) -> bool:
    """Whether a sentence goes on from one line to the next: no end, and no new beginning."""
    if not following or ends_sentence(line) or line.endswith(":") or BULLET.match(following):
        return False
    return following[0].islower() or line.endswith((",", "(")) or following[0] in ",;)"


def is_all_caps(line: str) -> bool:
    """Whether every letter is a capital, and there are enough of them for a word."""
    letters = [character for character in line if character.isalpha()]
    return len(letters) >= 3 and all(not letter.islower() for letter in letters)


def is_title_case(line: str) -> bool:
    """Whether every word that a title would write with a capital has one."""
    found = [word for word in line.split() if word[:1].isalpha() or word[1:2].isalpha()]
    large = [word for word in found if word.lower().strip("(“‘\"'") not in _SMALL_WORDS]
    return bool(large) and all(not next(c for c in word if c.isalpha()).islower() for word in large)


def is_heading_like(line: str, *, most_words: int = _MAX_HEADING_WORDS) -> bool:
    """Whether a line that stands alone could be a heading: short, begins as one, and is no sentence."""
    line = line.strip()
    count = len(words(line))
    if not 0 < count <= most_words or len(line) > 90 or "\n" in line:
        return False
    first = next((character for character in line if character.isalnum()), "")
    if first.islower() or line.endswith((".", ",", ";", "-", "–")) or BULLET.match(line):
        return False
    return any(character.isalpha() for character in line)


# --- rules for a whole body --------------------------------------------------------------------------


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
    folded = [fold(block.text) for block in blocks]
    kept: list[Block] = []
    seen: set[str] = set()
    for number, (block, key) in enumerate(zip(blocks, folded, strict=True)):
        if block.kind == "paragraph" and len(key.split()) >= 3:
            if key in seen or (len(key.split()) >= 5 and _is_quoted(number, key, blocks, folded)):
                continue
            seen.add(key)
        kept.append(block)
    return kept


def _is_quoted(number: int, key: str, blocks: Sequence[Block], folded: Sequence[str]) -> bool:
    inside = f" {key} "
    return any(
        other != number
        and blocks[other].kind == "paragraph"
        and len(text) > len(key)
        and inside in f" {text} "
        for other, text in enumerate(folded)
    )


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
