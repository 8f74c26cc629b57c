"""The medical disclaimer that stands in many articles: told from the author's advice, and taken out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ingest.blocks import Block
from ingest.characters import fold, one_line

_THIS = (
    r"\b(?:(?:this|these|our|nothing\s+(?:in|on))\s+(?:\S+\s+){0,5}?"
    r"(?:blogs?|articles?|posts?|pages?|sites?|websites?|contents?|information|materials?|videos?|statements?)|"
    r"(?:the|all|any)\s+(?:\S+\s+){0,2}?(?:contents?|information|materials?|statements?|website|blog))\b"
)
_MEDICAL = r"\b(?:medical|professional|health\s*-?care|health|clinical|physicians?|doctors?)\S*"
_CARE = (
    rf"(?:{_MEDICAL}\s+(?:\w+\W+){{0,3}}?(?:advice|care|opinion|consultation)|"
    r"\b(?:diagnos\w+|treatment|examination|consultation|advice\s+of\s+(?:a|your|any)\b))"
)
_ADVICE_ONLY = r"\b(?:medical|professional)\s+(?:\w+\W+){0,3}?advice\b"
# A sentence that only a disclaimer says.
_SURE = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        r"\bfor\s+(?:\w+\s+){0,2}?(?:information(?:al)?|education(?:al)?|reference)\s+only\b",
        r"\b(?:information(?:al)?|education(?:al)?|reference)(?:\s*(?:,|and|or|&|/)\s*\w+){0,3}\s+purposes?\s+only\b",
        rf"{_THIS}.{{0,80}}\b(?:information(?:al)?|educational)\s+(?:(?:and|or)\s+\w+\s+)?purposes?\b",
        rf"{_THIS}.{{0,120}}\b(?:not|nor)\b.{{0,60}}\b(?:substitute|replacement|replace)\b.{{0,80}}{_CARE}",
        rf"{_THIS}.{{0,160}}\b(?:not|nor)\b.{{0,60}}\b(?:intended|meant|designed)\b.{{0,80}}"
        r"\b(?:diagnos|treat\b|cure\b|prevent|medical)",
        rf"(?=.*\b(?:not|never|nor|nothing|no)\b)(?:{_THIS}|\bnothing\b).{{0,80}}\b(?:constitutes?|provides?|offers?|taken|used|"
        rf"construed|considered|regarded|relied|intended)\b.{{0,60}}(?:{_ADVICE_ONLY}|\brecommendation\s+for|"
        r"\b(?:medical\s+)?diagnosis\b)",
        rf"\b(?:not|isn['’]t|aren['’]t|never)\s+(?:\w+\s+){{0,4}}?{_ADVICE_ONLY}(?!\s+(?:about|on|for)\b)",
        r"\b(?:never|not)\s+(?:disregard|delay|ignore|put\s+off|avoid)\b.{0,80}\b(?:advice|help|treatment|care)\b"
        r".{0,60}\b(?:you(?:\s+have|['’]ve)?\s+(?:read|seen|heard)|(?:on|in)\s+this\s+\w+)",
        r"\bdesigned\s+as\s+educational\s+material\b",
        r"\b(?:assumes?|accepts?)\s+no\s+(?:responsibility|liability)\b|\b(?:held|not)\s+(?:responsible|liable)\s+for\s+any\b",
        r"\bnot\s+been\s+evaluated\s+by\s+the\s+(?:FDA|food\s+and\s+drug)\b",
    )
)
_DOCTOR = (
    r"\b(?:physicians?|doctors?|GP|practitioners?|physiotherapists?|(?:qualified|competent)\s+professionals?|"
    r"(?:health|medical)\s*-?(?:care)?\s*(?:\w+\s+)?(?:providers?|professionals?|practitioners?|advisers?))\b"
)
# A disclaimer's way of sending everybody to a doctor, whatever the article is about. Beside a sure sentence
# it belongs to the disclaimer; alone it is the author's advice.
_STOCK = re.compile(
    rf"^\W*(?:(?:you\s+should\s+)?always|please|you\s+should|be\s+sure\s+to|it\s+is\s+\w+\s+to)?(?:\s+\w+){{0,2}}?\s*"
    r"\b(?:consult|seek\s+the\s+\w+\s+of|check\s+with|speak\s+(?:to|with)|talk\s+(?:to|with)|ask|seek)\b.{0,60}"
    rf"{_DOCTOR}(?:\W*$|.{{0,60}}\b(?:before|prior|with\s+any|regarding|concerning|about|if\s+you|if\s+in\s+doubt)\b)|"
    r"\b(?:use|follow|perform)\b.{0,60}\bat\s+your\s+own\s+risk\b|"
    rf"^\W*(?:it|this)\b.{{0,40}}\bnot\b.{{0,40}}\b(?:substitute|replace)\b.{{0,60}}{_CARE}|"
    rf"^\W*if\s+you\s+(?:are\s+(?:unsure|in\s+(?:any\s+)?doubt)|have\s+(?:any|a\s+medical)|think|feel\s+unwell)\b.{{0,120}}{_DOCTOR}",
    re.I,
)
# Every sure sentence has one of these words, and few of the author's have: a quick first look.
_HINT = re.compile(
    r"only|purpose|substitut|replac|intend|meant|design|advice|recommend|diagnos|disregard|delay|ignor|"
    r"put off|avoid|responsib|liab|evaluat",
    re.I,
)
# A longer run without a full stop is no sentence, and would only slow the patterns down.
_MAX_SENTENCE = 1000
_LABEL = re.compile(r"\W*(?:medical\s+|health\s+|legal\s+|important\s+)?(?:disclaimer|notice)\W*", re.I)
_LABELLED = re.compile(r"\W*(?:medical\s+|health\s+|legal\s+)?disclaimer\s*[:–—-]", re.I)
_SENTENCE = re.compile(r"(?<=[.!?])[\"'”’)]*\s+(?=[\"'“‘(]*[A-Z])")


def is_disclaimer(paragraph: str) -> bool:
    """Whether a paragraph is a medical disclaimer: most of its sentences say what only disclaimers say."""
    if _LABELLED.match(paragraph):
        return True
    sentences = _SENTENCE.split(one_line(paragraph))
    sure = sum(_is_sure(sentence) for sentence in sentences)
    stock = sum(_is_stock_sentence(sentence) and not _is_sure(sentence) for sentence in sentences)
    return sure > 0 and (sure + stock) * 2 >= len(sentences)


def take_disclaimer(blocks: Sequence[Block]) -> tuple[list[Block], str]:
    """Part an article's blocks from its disclaimer.

    Whole disclaimer paragraphs go, with their heading and the stock "always consult your physician" beside
    them; of a paragraph that only ends (or begins) with a disclaimer, those sentences go.

    Returns:
        The blocks that are the article's own, and the disclaimer's paragraphs, parted by an empty line.
    """
    taken = [block.kind != "heading" and is_disclaimer(block.text) for block in blocks]
    _take_neighbours(blocks, taken)
    kept: list[Block] = []
    disclaimer: list[str] = []
    for block, is_taken in zip(blocks, taken, strict=True):
        own, foreign = ("", block.text) if is_taken else _part(block)
        if own:
            kept.append(replace(block, text=own))
        if foreign and not (block.kind == "heading" or _LABEL.fullmatch(foreign)):
            disclaimer.append(foreign)
    return kept, "\n\n".join(_unique(disclaimer))


def _take_neighbours(blocks: Sequence[Block], taken: list[bool]) -> None:
    """Mark the label and the stock sentences that stand beside a disclaimer, or alone at the end."""
    last = len(blocks) - 1
    order = [*range(len(blocks)), *reversed(range(len(blocks)))]
    for number in order:
        block = blocks[number]
        if taken[number]:
            continue
        beside = any(taken[other] for other in (number - 1, number + 1) if 0 <= other <= last)
        if _LABEL.fullmatch(block.text):
            taken[number] = number < last and taken[number + 1]
        elif block.kind != "heading" and _is_stock(block.text) and beside:
            taken[number] = True
    if last > 0 and not taken[last] and re.match(r"\W*always\b", blocks[last].text, re.I):
        taken[last] = _is_stock(blocks[last].text)


def _is_stock(paragraph: str) -> bool:
    sentences = _SENTENCE.split(one_line(paragraph))
    return all(_is_stock_sentence(sentence) or _is_sure(sentence) for sentence in sentences)


def _is_sure(sentence: str) -> bool:
    return (
        len(sentence) <= _MAX_SENTENCE
        and bool(_HINT.search(sentence))
        and any(pattern.search(sentence) for pattern in _SURE)
    )


def _is_stock_sentence(sentence: str) -> bool:
    return len(sentence) <= _MAX_SENTENCE and bool(_STOCK.search(sentence))


def _part(block: Block) -> tuple[str, str]:
    """A mixed paragraph -> the author's sentences and the disclaimer's at its end or beginning."""
    if block.kind == "heading" or "\n" in block.text or not _is_sure(block.text):
        return block.text, ""
    sentences = _SENTENCE.split(block.text)
    end = len(sentences)
    while end and (_is_sure(sentences[end - 1]) or _is_stock_sentence(sentences[end - 1])):
        end -= 1
    # A stock sentence alone at the end of a paragraph is the author's advice.
    if not any(_is_sure(sentence) for sentence in sentences[end:]):
        end = len(sentences)
    start = 0
    while start < end and _is_sure(sentences[start]):
        start += 1
    own = " ".join(sentences[start:end])
    if own and own not in block.text:
        return block.text, ""
    return own, " ".join(sentences[:start] + sentences[end:])


def _unique(paragraphs: Sequence[str]) -> list[str]:
    return list({fold(paragraph): paragraph for paragraph in reversed(paragraphs)}.values())[::-1]
