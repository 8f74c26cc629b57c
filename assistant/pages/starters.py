"""Questions to start with and to go on with: of the articles' titles and headings, and tried before use."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice, zip_longest

from assistant.assistant import Assistant
from index.lexicon import Kind, Lexicon
from index.sentences import BlockKind, blocks
from ingest.article import Article

_SHOWN = 4
_LOOKED_AT = 60  # articles, from all over the corpus
_TRIED = 16  # questions: each costs one answer, and the page waits for them when the server starts

_NEXT = 3
_TRIED_OF_ONE = 6

# What a heading speaks of -> the question that its section answers, for a topic of each kind.
_QUESTIONS: tuple[tuple[str, dict[Kind, str]], ...] = (
    (
        r"\bwhere\b.*\b(?:pain|hurts?)\b|\brefer",
        {"muscle": "Where is pain from the {topic} felt?", "condition": "Where does {topic} hurt?"},
    ),
    (
        r"\bhome\b|\bself|\bhelps\b",
        {"muscle": "What can I do at home for the {topic}?", "condition": "What helps {topic}?"},
    ),
    (
        r"\bcause|\bsets? it off|\bbrings? it on",
        {"muscle": "What strains the {topic}?", "condition": "What causes {topic}?"},
    ),
    (r"\bwhat else\b|\bdifferential\b", {"condition": "What can be mistaken for {topic}?"}),
)
_ASKS_WHOLE = re.compile(
    r"(?:what|where|which|who|when|why|how|can|is|are|does|do)\b[^()/]{12,70}\?", re.IGNORECASE
)


class Onward:
    """Questions that an article answers: found out once for each, since every one costs an answer.

    Args:
        assistant: Is asked them.
    """

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self.of = lru_cache(maxsize=4096)(self._of)

    def after(self, articles: Sequence[str], asked: Sequence[str]) -> tuple[str, ...]:
        """What to ask next of some articles, given by their ids: up to three that were not asked yet."""
        before = {_bare(one) for one in asked}
        by_turns = zip_longest(*map(self.of, dict.fromkeys(articles)))
        questions = dict.fromkeys(one for turn in by_turns for one in turn if one)
        return tuple(one for one in questions if _bare(one) not in before)[:_NEXT]

    def _of(self, article_id: str) -> tuple[str, ...]:
        generation = self._assistant.generation
        try:
            article = generation.article(generation.article_row(article_id))
        except KeyError:
            return ()
        asked = dict.fromkeys(question for _, question in _candidates(article, Lexicon.load()))
        found = (one for one in islice(asked, _TRIED_OF_ONE) if _answers(self._assistant, one, article))
        return tuple(islice(found, _NEXT))


def _bare(question: str) -> str:
    return " ".join(re.findall(r"\w+", question.lower()))


def starters(assistant: Assistant) -> tuple[str, ...]:
    """Up to four questions that the articles answer, each of another kind and from another article."""
    generation = assistant.generation
    count = generation.manifest.counts.articles
    # Seeded with the generation's name: the same after each restart, others once the articles have changed.
    rows = random.Random(generation.name).sample(range(count), min(count, _LOOKED_AT))
    lexicon = Lexicon.load()
    found: dict[str, str] = {}
    tried = 0
    for article in map(generation.article, rows):
        for kind, question in _candidates(article, lexicon):
            if kind in found or len(found) == _SHOWN or tried == _TRIED:
                continue
            tried += 1
            if _answers(assistant, question, article):
                found[kind] = question
                break
    return tuple(found.values())


def _candidates(article: Article, lexicon: Lexicon) -> Iterator[tuple[str, str]]:
    """Questions that an article should answer, each with its kind."""
    headings = [article.text[b.start : b.end] for b in blocks(article.text) if b.kind is BlockKind.HEADING]
    phrase = lexicon.first_phrase(article.title)
    topic = min(lexicon.concepts(phrase), default="")
    for heading in headings:
        whole = re.sub(r"\s*\?+\s*\??$", "?", heading.strip())
        if _ASKS_WHOLE.fullmatch(whole) and topic in lexicon.concepts(whole):
            yield whole.split()[0].lower(), whole[0].upper() + whole[1:]
        for pattern, asked in _QUESTIONS:
            template = topic and asked.get(lexicon.kind(topic))
            if template and re.search(pattern, heading, re.IGNORECASE):
                yield pattern, template.format(topic=topic)


def _answers(assistant: Assistant, question: str, article: Article) -> bool:
    """Whether the assistant answers it outright, from this article, and without a word of caution."""
    answer = assistant.ask(question)
    return (
        answer.kind == "answer"
        and answer.notice is None
        and any(citation.article_id == article.id for citation in answer.citations)
    )
