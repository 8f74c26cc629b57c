"""The quoting engine: evidence becomes quotes with citations, and the program's own words around them.

Every claim is a verbatim sentence of an article; what the program says itself never states a medical fact.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.answer import Citation, Claim
from assistant.citation import deep_link
from assistant.evidence import Evidence
from assistant.question import Asks
from index.sentences import sentences
from ingest.article import Article


@dataclass(frozen=True, slots=True)
class Draft:
    """Claims and the citations that they rest on, not yet checked."""

    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]


def quote(evidence: Sequence[Evidence]) -> Draft:
    """Each span of evidence is one citation, and each sentence in it one claim."""
    claims: list[Claim] = []
    citations: list[Citation] = []
    for number, one in enumerate(evidence, start=1):
        article = one.article
        citations.append(
            Citation(
                number=number,
                article_id=article.id,
                title=article.title,
                url=article.url,
                link=deep_link(article, one.start, one.end),
                author=article.author,
                published=article.published,
                kind="text",
                quote=one.quote,
                start=one.start,
                end=one.end,
                passage_id=one.passage.id,
            )
        )
        claims += [Claim(article.text[start:end], (number,), 1.0) for start, end in one.sentences]
    return Draft(tuple(claims), tuple(citations))


def byline(article: Article, asks: Asks) -> Draft | None:
    """Who wrote an article, or when it was published; None when its page does not say."""
    facts = {Asks.AUTHOR: article.author, Asks.DATE: article.published or ""}
    if not facts.get(asks):
        return None
    published = f", published {article.published[:10]}" if article.published else ""
    written = f" was written by {article.author}" if article.author else " names no author"
    citation = Citation(
        number=1,
        article_id=article.id,
        title=article.title,
        url=article.url,
        link=article.url,
        author=article.author,
        published=article.published,
        kind="byline",
        quote=article.title,
        start=0,
        end=0,
        passage_id="",
    )
    return Draft((Claim(f"“{article.title}”{written}{published}.", (1,), 1.0),), (citation,))


# A quote that begins like this leans on what stands before it: the reader is told what the article is about.
_LEANS = re.compile(
    r"^[\"“'‘(]*(?:this|these|that|those|it|its|they|their|he|she|both|such|another"
    r"|the (?:muscles?|condition|pain|nerves?|tendons?|latter|former|same|two))\b",
    re.IGNORECASE,
)


def render(claims: Sequence[Claim], citations: Sequence[Citation]) -> str:
    """The claims as the visitor reads them: one line a quote, list items on their own lines, [1] markers."""
    lines = []
    for citation in citations:
        kept = [claim for claim in claims if citation.number in claim.citations]
        if not kept:
            continue
        marker = f"[{citation.number}]"
        if citation.kind == "byline":
            lines.append(f"{kept[0].text} {marker}")
            continue
        subject = f"[{citation.title}] " if _LEANS.match(kept[0].text) else ""
        lines.append(f"{subject}“{_flowing(citation.quote, kept)}” {marker}")
    return "\n\n".join(lines)


def _flowing(quote: str, kept: Sequence[Claim]) -> str:
    """The quote's kept sentences: on one line, or a line for each item where the quote is a list."""
    if "\n" not in quote:
        return " ".join(claim.text for claim in kept)
    out: list[str] = []
    place = 0
    for claim in kept:
        found = quote.find(claim.text, place)
        between = quote[place:found]
        mark = re.search(r"(?:\d{1,2}[.)]|[-*•–])\s+$", between)
        separator = "\n" if "\n" in between else " "
        number = mark.group().strip() if mark and mark.group()[0].isdigit() else "-"
        out.append((separator if out else "") + (f"{number} " if mark else "") + claim.text)
        place = found + len(claim.text)
    return "".join(out)


def context(article: Article, citation: Citation, reach: int = 1) -> tuple[str, str]:
    """What stands before and after a quote in its paragraph: at most `reach` sentences each way."""
    low = article.text.rfind("\n", 0, citation.start) + 1
    high = article.text.find("\n", citation.end)
    high = len(article.text) if high < 0 else high
    before = sentences(article.text, low, citation.start)[-reach:]
    after = sentences(article.text, citation.end, high)[:reach]
    return (
        article.text[before[0][0] : citation.start] if before else "",
        article.text[citation.end : after[-1][1]] if after else "",
    )
