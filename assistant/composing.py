"""What is said to one question: its kind, the words around the quotes, and the quotes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant import quoting
from assistant.answer import AnswerKind
from assistant.choosing import Evidence
from assistant.disagreement import disagreeing
from assistant.evidence import Selection
from assistant.question import Asks, Reading, asked_service, is_asking
from assistant.wording import wording
from index.generation import Generation
from index.keywords import terms
from index.passage import Hit
from index.retriever import Found, Query
from ingest.article import Article

# How likely it is at least that the articles speak of the matter when a title is named; when sentences are
# shown as near; and, of that and of their answering, when they are shown as the answer.
_RELATED, _NEAR, _ANSWER = 0.25, 0.33, 0.40
# From here on what the words leave out does not speak against it.
_SURE = 0.75
# The share of the question's words by weight, from which on a sentence of the right kind says it.
_SPELT_OUT = 0.75
# Below this not even the titles of the nearest articles are of use.
_FAR = 0.12
# The share of what was asked about, by weight, below which a yes or no cannot have been said.
_HALF = 0.45
# Who writes "this blog" is told by so many bylines.
_AUTHORS = 4
_OF_ALL = re.compile(r"\b(?:blog|site|website|these (?:articles|posts|pages)|articles here)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Looked:
    """A standalone question and what was found for it."""

    reading: Reading
    query: Query
    found: Found
    selection: Selection


@dataclass(frozen=True, slots=True)
class Said:
    """What is said to one question.

    Attributes:
        lead: Before the quotes.
        draft: The quotes; None when there are none.
        closing: After the quotes.
    """

    kind: AnswerKind
    lead: str
    draft: quoting.Draft | None = None
    closing: str = ""


class Composer:
    """Composes over one generation.

    Args:
        generation: Where the hits come from.
        comment_hit: Finds the reader's comment that touches a question best, if any does.
    """

    def __init__(self, generation: Generation, comment_hit: Callable[[Query, Found], Hit | None]) -> None:
        self._generation = generation
        self._comment_hit = comment_hit
        self._texts = wording()

    def answer(self, looked: Looked) -> Said:
        """An answer, what is related, or an abstention."""
        reading, selection = looked.reading, looked.selection
        if reading.asks in {Asks.AUTHOR, Asks.DATE} and (article := self._named_article(looked)):
            return self._byline(article, reading.asks)
        if reading.asks is Asks.AUTHOR and _OF_ALL.search(reading.text) and (said := self._authors()):
            return said
        if reading.asks is Asks.READERS:
            return self._readers(looked)
        if _names_nothing(looked):
            return Said("abstention", self._texts.lead.unclear)
        kind = self._kind(looked)
        if kind == "abstention" or _is_no_business_of_articles(looked):
            return self._abstention(looked)
        if kind == "related":
            return Said(kind, self._texts.lead.related, quoting.quote(selection.evidence))
        if apart := disagreeing(selection.evidence):
            return Said(kind, self._texts.lead.disagreement, quoting.quote(apart, dated=True))
        return Said(kind, self._lead(reading.asks, selection.evidence), quoting.quote(selection.evidence))

    def refusal(self, text: str, looked: Looked) -> Said:
        """A kind no, and what an article says about what the thing is."""
        if looked.selection.answerable < _ANSWER:
            return Said("refusal", text)
        draft = quoting.quote(looked.selection.evidence[:1])
        return Said("refusal", f"{text}\n\n{self._texts.lead.refusal}", draft)

    @staticmethod
    def _kind(looked: Looked) -> AnswerKind:
        selection = looked.selection
        if not selection.evidence:
            return "abstention"
        best = selection.considered[0]
        sure = min(selection.answerable, selection.on_topic)
        if best.feature("own") >= _SPELT_OUT and best.feature("fits"):
            sure = max(sure, _ANSWER)  # it has the words of the question, and the figure or step asked for
        if selection.subjects == 0 and sure < _SURE:
            return "abstention"
        # The best passage leaves out something asked about: a subject, or most of a yes-or-no.
        hardly = best.feature("leaning") < _HALF and sure < _SURE
        half = selection.subjects < 1 or (looked.reading.asks is Asks.YES_NO and hardly)
        if sure >= _ANSWER and not half:
            return "answer"
        return "related" if selection.on_topic >= _NEAR else "abstention"

    def _named_article(self, looked: Looked) -> Article | None:
        """The article that a question names: the found one whose title has most of its words."""
        wanted = set(looked.reading.focus)
        shared = {
            article: len(wanted & set(terms(article.title)))
            for article in dict.fromkeys(self._article(hit) for hit in looked.found.hits)
        }
        if not shared or not (max(shared.values()) or looked.selection.on_topic >= _RELATED):
            return None
        return max(shared, key=lambda article: shared[article])  # the first of equals

    def _byline(self, article: Article, asks: Asks) -> Said:
        """Who wrote an article, or when."""
        if draft := quoting.byline(article, asks):
            return Said("answer", self._texts.lead.byline, draft)
        return Said("abstention", self._texts.lead.byline_missing.format(title=article.title))

    def _authors(self) -> Said | None:
        """Who writes here: for each author, those of most articles first, the newest article's byline."""
        facets = self._generation.facets
        written: dict[str, list[int]] = {}
        for row, author in enumerate(facets.authors):
            if author:
                written.setdefault(author, []).append(row)
        authors = sorted(written, key=lambda author: -len(written[author]))[:_AUTHORS]
        newest = [max(written[author], key=lambda row: facets.published[row] or "") for author in authors]
        articles = [self._generation.article(row) for row in newest]
        return Said("answer", self._texts.lead.bylines, quoting.bylines(articles)) if articles else None

    def _readers(self, looked: Looked) -> Said:
        """What other readers have been through: no article answers that, and no comment may."""
        comment = self._comment_hit(looked.query, looked.found)
        if not comment or looked.selection.on_topic < _RELATED:
            return self._abstention(looked)
        lead = self._texts.lead.comment.format(title=self._article(comment).title)
        draft = quoting.quote(looked.selection.evidence)
        return Said("related", f"{lead} {self._texts.lead.nearest}", draft)

    def _abstention(self, looked: Looked) -> Said:
        texts = self._texts
        if looked.selection.on_topic < _FAR:
            return Said("abstention", texts.lead.abstention, closing=texts.closing.elsewhere)
        lead = texts.lead.abstention
        if comment := self._comment_hit(looked.query, looked.found):
            lead += " " + texts.lead.comment.format(title=self._article(comment).title)
        titles = list(dict.fromkeys(self._article(hit).title for hit in looked.found.hits))[:2]
        nearest = texts.closing.nearest.format(titles="; ".join(f"“{one}”" for one in titles))
        return Said("abstention", lead, closing=f"{nearest} {texts.closing.who}")

    def _lead(self, asks: Asks, evidence: Sequence[Evidence]) -> str:
        """What follows, told by what was chosen: one step of many is not "these steps"."""
        texts = self._texts.lead
        several = any(one.is_list for one in evidence)
        if asks is Asks.COMPARISON and any(one.label for one in evidence):
            return texts.comparison
        if several and asks is Asks.STEPS:
            return texts.steps
        if several and asks in {Asks.LIST, Asks.CAUSE}:
            return texts.list
        return texts.yes_no if asks is Asks.YES_NO else texts.answer

    def _article(self, hit: Hit) -> Article:
        return self._generation.article(int(self._generation.passage_articles[hit.row]))


def _is_no_business_of_articles(looked: Looked) -> bool:
    """Whether a price, a booking or the like is asked for, and what was found does not speak of it."""
    told = asked_service(looked.reading.text)
    if told is None:
        return False
    return not any(told.search(one.quote) for one in looked.selection.evidence)


def _names_nothing(looked: Looked) -> bool:
    """Whether a question names nothing to look for: "does it help?" at the start of a conversation."""
    told = [
        salience
        for wish, salience in zip(looked.query.wishes, looked.query.salience, strict=True)
        if not all(is_asking(term) for term in wish[0][0])
    ]
    return bool(_POINTS.search(looked.reading.text)) and sum(told) < _LITTLE


_POINTS = re.compile(
    r"\b(?:it|this|that|they|them|these|those|one)\b(?! (?:blog|site|page|website|chat))", re.IGNORECASE
)
_LITTLE = 0.6
