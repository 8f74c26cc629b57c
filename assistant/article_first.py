"""The article that the visitor reads comes first: "this article" means it, and it is quoted if possible."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from assistant import evidence
from assistant.composing import Looked
from assistant.question import Reading
from index.generation import Generation
from index.passage import Hit
from index.retriever import Found, Query
from ingest.article import Article

# Passages that are looked at: those of the article may stand behind better ones of others.
DEPTH = 40
_USUAL = 10  # and those from which an answer is chosen when it comes from anywhere
# What the article says may be so much less likely to answer than what others say.
_NEARLY = 0.1

_THIS = re.compile(r"\bthis (?:blog )?(?:article|post|page|text)\b", re.IGNORECASE)


def named(question: str, article: Article) -> str:
    """The question with the article's title in place of "this article"."""
    return _THIS.sub(lambda _: f"the article “{article.title}”", question)


def preferred(
    reading: Reading, query: Query, found: Found, article_row: int, generation: Generation
) -> Looked:
    """What is chosen from the article alone if that answers nearly as well, else from everything found."""

    def chosen(hits: Sequence[Hit]) -> Looked:
        among = replace(found, hits=tuple(hits[:_USUAL]))
        return Looked(reading, query, among, evidence.select(reading, query, among, generation))

    everything = chosen(found.hits)
    own = [hit for hit in found.hits if generation.passage_articles[hit.row] == article_row]
    if not own:
        return everything
    here = chosen(own)
    nearly = here.selection.answerable >= everything.selection.answerable - _NEARLY
    return here if nearly and here.selection.subjects >= everything.selection.subjects else everything
