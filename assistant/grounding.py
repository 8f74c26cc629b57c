"""The last gate before a reader: a claim must stand in the store, letter by letter, where it is cited."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from assistant.answer import Citation, Claim
from index.generation import Generation

_log = logging.getLogger(__name__)


def check(
    claims: Sequence[Claim], citations: Sequence[Citation], generation: Generation
) -> tuple[tuple[Claim, ...], tuple[Citation, ...]]:
    """Keep the claims that their citations bear out, and the citations that a kept claim uses.

    A text citation bears out a claim that is part of its quote, and the quote must be the article's own
    span in the generation being served. A byline bears out a claim that repeats the article's title and
    its author or date.
    """
    sound = {one.number: one for one in citations if _stands(one, generation)}
    kept = tuple(claim for claim in claims if claim.citations and _borne_out(claim, sound))
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


def _borne_out(claim: Claim, sound: dict[int, Citation]) -> bool:
    return all(number in sound and _says(sound[number], claim) for number in claim.citations)


def _says(citation: Citation, claim: Claim) -> bool:
    if citation.kind == "text":
        return claim.text in citation.quote
    facts = [citation.author, (citation.published or "")[:10]]
    return citation.title in claim.text and any(fact and fact in claim.text for fact in facts)
