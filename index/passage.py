"""The Passage: what is retrieved, cut at sections and sentences, and the Hit that it becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from index.sentences import LISTED, Block, BlockKind, blocks, sentences
from ingest.article import Article

PassageKind = Literal["article", "comment"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One quotable sentence, as a span of the text that its passage is cut from.

    Attributes:
        start: Offset of its first character.
        end: Offset after its last character.
        block: Number of the paragraph or list item it stands in, counted through the text.
        block_kind: What that block is on the page.
        heading: Span of the nearest heading above it; (0, 0) when there is none.
    """

    start: int
    end: int
    block: int
    block_kind: BlockKind
    heading: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrievable span of one article or of one comment below it.

    By construction `text == article.text[start:end]`, or `article.comments[comment].text[start:end]` when
    `kind` is comment.

    Attributes:
        id: `<article id>#<start>-<end>`, with `c<n>:` before the span in the n-th comment: a passage that
            has not changed keeps its id through every re-index.
        heading: The nearest heading above the first sentence, or empty.
        sentences: In reading order; offsets are into the same text as `start` and `end`.
    """

    id: str
    article_id: str
    kind: PassageKind
    comment: int | None
    start: int
    end: int
    text: str
    heading: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found.

    Attributes:
        passage: What was found.
        row: Its row in the generation that was searched.
        rank: 1 is the best.
        score: The score that ranked it; higher is better.
        scores: Every named score that went into it (cosine, bm25, fused, rerank), higher is better.
    """

    passage: Passage
    row: int
    rank: int
    score: float
    scores: dict[str, float]


# Sections shorter than this many tokens share a passage: a lone "Nerve: femoral" retrieves badly.
_SMALL = 60
# Room in the window for the tokens that every model adds at both ends, and for an ordinary heading.
_SPECIAL, _HEADING = 2, 14

# What decides how an article is cut. The first number is raised with every change to the rules here and in
# `index.sentences`: then articles are cut anew, and passages that come out the same keep their vectors.
SPLITTER = f"1 {_SMALL} {_SPECIAL} {_HEADING}"


def split(article: Article, count: Callable[[Sequence[str]], list[int]], window: int) -> list[Passage]:
    """Cut an article and its comments into passages that fit the encoder.

    Args:
        article: Its text is cut at headings first, then at sentences, never inside one.
        count: Token counts of texts, in the encoder's own tokens.
        window: The encoder's window in tokens; room is left in it for title and heading.

    Returns:
        Passages of the article in reading order, then those of its comments. A single sentence longer than
        the window stays whole: its end is then beyond what the encoder reads, but is still quoted in full.
    """
    budget = max(window // 2, window - _SPECIAL - _HEADING - sum(count([article.title])))
    cut = [_passage(article, group, None) for group in _groups(article.text, count, budget)]
    for number, comment in enumerate(article.comments):
        cut += [_passage(article, group, number) for group in _groups(comment.text, count, budget)]
    return cut


def embedding_text(title: str, passage: Passage) -> tuple[str, int]:
    """What the encoder reads for a passage, and where the passage's own text starts in it.

    Title and heading say what "This muscle" is; they are never part of the quote.
    """
    lead = f"{title}\n{passage.heading}\n" if passage.heading else f"{title}\n"
    return lead + passage.text, len(lead)


def _passage(article: Article, group: Sequence[Sentence], comment: int | None) -> Passage:
    text = article.text if comment is None else article.comments[comment].text
    start, end = group[0].start, group[-1].end
    span = f"{start}-{end}" if comment is None else f"c{comment}:{start}-{end}"
    return Passage(
        id=f"{article.id}#{span}",
        article_id=article.id,
        kind="article" if comment is None else "comment",
        comment=comment,
        start=start,
        end=end,
        text=text[start:end],
        heading=text[slice(*group[0].heading)],
        sentences=tuple(group),
    )


def text_sentences(text: str) -> list[Sentence]:
    """Every quotable sentence of a text, with its block and the heading above it."""
    found: list[Sentence] = []
    heading = (0, 0)
    for number, block in enumerate(blocks(text)):
        if block.kind is BlockKind.HEADING:
            heading = (block.start, block.end)
            continue
        found += [_sentence(span, number, block, heading) for span in sentences(text, block.start, block.end)]
    return found


def _sentence(span: tuple[int, int], number: int, block: Block, heading: tuple[int, int]) -> Sentence:
    return Sentence(*span, block=number, block_kind=block.kind, heading=heading)


def _groups(text: str, count: Callable[[Sequence[str]], list[int]], budget: int) -> Iterator[list[Sentence]]:
    """Runs of sentences, each to be one passage of at most `budget` tokens."""
    every = text_sentences(text)
    sizes = _sizes(text, every, count)
    waiting: list[Sentence] = []  # small sections that may still share a passage
    for section in _sections(every):
        small = _total(section, sizes) <= min(_SMALL, budget // 2)
        if waiting and (not small or _total([*waiting, *section], sizes) > budget // 2):
            yield waiting
            waiting = []
        if small:
            waiting += section
        else:
            heading = sum(count([text[slice(*section[0].heading)]]))
            yield from _balanced(section, sizes, max(budget // 2, budget - max(0, heading - _HEADING)))
    if waiting:
        yield waiting


def _sizes(
    text: str, every: Sequence[Sentence], count: Callable[[Sequence[str]], list[int]]
) -> dict[Sentence, int]:
    """Tokens of each sentence and of what parts it from the one before: a list mark, or a heading."""
    starts = [0, *(one.end for one in every)]
    texts = [text[start : one.end] for start, one in zip(starts, every, strict=False)]
    return dict(zip(every, count(texts), strict=True))


def _sections(every: Sequence[Sentence]) -> Iterator[list[Sentence]]:
    section: list[Sentence] = []
    for one in every:
        if section and one.heading != section[-1].heading:
            yield section
            section = []
        section.append(one)
    if section:
        yield section


def _total(group: Sequence[Sentence], sizes: dict[Sentence, int]) -> int:
    return sum(sizes[one] for one in group)


def _balanced(
    section: Sequence[Sentence], sizes: dict[Sentence, int], budget: int
) -> Iterator[list[Sentence]]:
    """Cut a section into the fewest passages that fit, of about equal size, at paragraphs where that fits."""
    total = _total(section, sizes)
    if total <= budget:
        yield list(section)
        return
    target = total / -(-total // budget)
    group: list[Sentence] = []
    for one in section:
        size = _total(group, sizes)
        new_block = bool(group) and one.block != group[-1].block and one.block_kind not in LISTED
        full = size + sizes[one] > budget or size >= target or (new_block and size >= 0.8 * target)
        if group and full:
            yield group
            group = []
        group.append(one)
    if group:
        yield group
