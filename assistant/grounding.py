"""The last gate before a reader: a claim must stand in the store, letter by letter, where it is cited."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from assistant.answer import Citation, Claim
from assistant.support.rules import sources_of
from index.generation import Generation

if TYPE_CHECKING:
    from assistant.support.model import Judge

_log = logging.getLogger(__name__)


def check(
    claims: Sequence[Claim],
    citations: Sequence[Citation],
    generation: Generation,
    judge: Judge | None = None,
) -> tuple[tuple[Claim, ...], tuple[Citation, ...]]:
    """Keep the claims that their citations bear out, and the citations that a kept claim uses.

    A text citation bears out a claim that is part of its quote, and the quote must be the article's own
    span in the generation being served. A byline bears out a claim that repeats the article's title and
    its author or date.

    Args:
        claims: Quoted sentences, or written ones.
        citations: What they rest on.
        generation: The one being served.
        judge: Given for an answer that a language model wrote: a written sentence stands when the judge,
            reading the spans in the generation, finds that they bear it out.
    """
    sound = {one.number: one for one in citations if _stands(one, generation)}
    kept = tuple(claim for claim in claims if claim.citations and _borne_out(claim, sound, judge))
    if len(kept) < len(claims):
        _log.error("dropped %d claims that their citations do not bear out", len(claims) - len(kept))
    used = {number for claim in kept for number in claim.citations}
    return kept, tuple(one for one in citations if one.number in used)


def _stands(citation: Citation, generation: Generation) -> bool:
    try:
        article = generation.article(generation.article_row(citation.article_id))
    except KeyError:
        return False
    if citation.kind == "byline":
        return citation.quote == article.title
    return bool(citation.quote) and citation.quote == article.text[citation.start : citation.end]


def _borne_out(claim: Claim, sound: dict[int, Citation], judge: Judge | None) -> bool:
    cited = [sound.get(number) for number in claim.citations]
    if judge is None:
        return all(one is not None and _says(one, claim) for one in cited)
    found = [one for one in cited if one is not None and one.kind == "text"]
    sources = sources_of([one.quote for one in found], [one.title for one in found])
    return len(found) == len(cited) and judge.judge(claim.text, sources).passed


def _says(citation: Citation, claim: Claim) -> bool:
    if citation.kind == "text":
        return claim.text in citation.quote
    facts = [citation.author, (citation.published or "")[:10]]
    return citation.title in claim.text and any(fact and fact in claim.text for fact in facts)
