"""The quoting engine: evidence becomes quotes with citations, and the program's own words around them.

Every claim is a verbatim sentence of an article; what the program says itself never states a medical fact.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from assistant.answer import Citation, Claim
from assistant.choosing import Evidence, leans
from assistant.citation import deep_link
from assistant.question import Asks
from index.keywords import terms
from index.sentences import sentences
from ingest.article import Article


@dataclass(frozen=True, slots=True)
class Draft:
    """Claims and the citations that they rest on, not yet checked.

    Attributes:
        labels: By the number of a citation, what the reader has to know to understand it alone: shown in
            brackets before the quote, and no part of it.
    """

    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    labels: Mapping[int, str] = field(default_factory=dict)

    def numbered_from(self, first: int) -> Draft:
        """The same with its citations numbered from another number than 1."""
        more = first - 1
        return Draft(
            tuple(replace(one, citations=tuple(n + more for n in one.citations)) for one in self.claims),
            tuple(replace(one, number=one.number + more) for one in self.citations),
            {number + more: label for number, label in self.labels.items()},
        )


def quote(evidence: Sequence[Evidence], *, dated: bool = False) -> Draft:
    """Each span of evidence is one citation, and each sentence in it one claim.

    Args:
        evidence: In the order in which it is to be read.
        dated: Whether each quote is to tell the day of its article.
    """
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
    return Draft(tuple(claims), tuple(citations), _labels(evidence, dated))


def _labels(evidence: Sequence[Evidence], dated: bool) -> dict[int, str]:
    labels: dict[int, str] = {}
    for number, one in enumerate(evidence, start=1):
        if dated:
            day = f", {_day(one.article.published)}" if one.article.published else ", no date"
            labels[number] = f"{one.article.title}{day}"
        elif one.label:
            labels[number] = one.label[0].upper() + one.label[1:]
        elif (subject := _subject(one)) and subject not in labels.values():  # once is enough
            labels[number] = subject
    return labels


def _day(published: str) -> str:
    day = datetime.fromisoformat(published)
    return f"{day.day} {day:%B %Y}"


def _subject(evidence: Evidence) -> str:
    """What a quote speaks of, by its article's title, when it does not say so itself."""
    first = evidence.article.text[slice(*evidence.sentences[0])]
    names = set(terms(evidence.article.title)) - _TELLS_LITTLE
    return evidence.article.title if leans(first) or not names & set(terms(evidence.quote)) else ""


# Words of titles that half of such a blog's sentences hold.
_TELLS_LITTLE = frozenset(terms("muscle pain ache hurt trigger point side treatment treating therapy"))


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


def bylines(articles: Sequence[Article]) -> Draft:
    """Who wrote each of some articles, all of which name their authors."""
    drafts = [draft for article in articles if (draft := byline(article, Asks.AUTHOR))]
    return Draft(
        tuple(replace(draft.claims[0], citations=(number,)) for number, draft in enumerate(drafts, start=1)),
        tuple(replace(draft.citations[0], number=number) for number, draft in enumerate(drafts, start=1)),
    )


def render(
    claims: Sequence[Claim], citations: Sequence[Citation], labels: Mapping[int, str] | None = None
) -> str:
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
        label = (labels or {}).get(citation.number, "")
        subject = f"[{label}] " if label else ""
        lines.append(f"{subject}“{_flowing(citation.quote, kept)}” {marker}")
    return "\n\n".join(lines)


_MARK = re.compile(r"(?:\d{1,2}[.)]|[-*•–])\s+$")


def _flowing(quote: str, kept: Sequence[Claim]) -> str:
    """The quote's kept sentences: on one line, or a line for each item where the quote is a list."""
    if "\n" not in quote:
        return " ".join(claim.text for claim in kept)
    out: list[str] = []
    marks: list[str] = []
    place = 0
    for claim in kept:
        found = quote.find(claim.text, place)
        between = quote[place:found]
        mark = _MARK.search(between)
        left_out = bool(out) and bool(_MARK.sub("", between).strip())
        out.append(f"… {claim.text}" if left_out and not mark else claim.text)
        marks.append(("\n" + _shown_mark(mark.group())) if mark else "\n" if "\n" in between else " ")
        place = found + len(claim.text)
    marks[0] = _first_mark(kept[0].text, marks[1:])
    return "".join(mark + text for mark, text in zip(marks, out, strict=True))


def _shown_mark(mark: str) -> str:
    return f"{mark.strip()} " if mark[0].isdigit() else "- "


def _first_mark(first: str, others: Sequence[str]) -> str:
    """The mark of a list's first item, which the quote leaves out; none for a sentence that leads into it."""
    mark = next((one for one in others if one.strip()), "")
    if number := re.match(r"\n(\d+)([.)]) ", mark):
        return f"{int(number[1]) - 1}{number[2]} " if int(number[1]) > 1 else ""
    return "" if not mark or re.search(r"[:.]$", first) else mark.lstrip("\n")


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
