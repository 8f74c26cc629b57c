"""Follow-ups made into questions that stand alone, by rules and without a language model."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.question import read
from index.keywords import words
from index.lexicon import Lexicon

_PRONOUN = re.compile(
    r"\b(?:it|its|itself|they|them|their|theirs|this|that|these|those|one)\b"
    r"(?! (?:hurts?|is raining|possible|true|safe|ok|okay|normal|helps?))",
    re.IGNORECASE,
)
# "This muscle", "that condition": stands for the topic as a pronoun does.
_NOUN_FOR_TOPIC = re.compile(
    r"\b(?:this|that|these|those|the) (?:same )?"
    r"(?:muscles?|conditions?|pains?|problems?|techniques?|nerves?|exercises?|stretch(?:es)?|injury|area|thing)\b",
    re.IGNORECASE,
)
_CONTINUES = re.compile(
    r"^\W*(?:and|but|so|or|also|what about|how about|then|ok(?:ay)?)\b[\s,]*", re.IGNORECASE
)
_BARE = re.compile(
    r"^\W*(?:why|why not|how|how so|how come|where|when|how long|how often|really)\W*$", re.IGNORECASE
)
_OTHER_SIDE = re.compile(r"\bthe other (?:side|one|leg|arm|hand|foot|hip|knee|shoulder)\b", re.IGNORECASE)
_OPENING = re.compile(
    r"^\W*(?:(?:please|hi|hello|hey|so|ok|okay|and|but)\b[\s,]*)*"
    r"(?:can you (?:tell me|explain) |tell me (?:about )?|i (?:want|would like) to know (?:about )?)?"
    r"(?:(?:what|which|where|who|when|why|how)(?:'s|'re)?\b(?: (?:long|often|many|much|common|come))?\s*)?"
    r"(?:(?:is|are|was|were|do|does|did|can|could|should|would|will|has|have|may|might)\b\s*)?"
    r"(?:(?:i|you|we|one|there)\b\s*)?(?:the symptoms of|the causes? of|the best way to)?\s*",
    re.IGNORECASE,
)


def standalone(question: str, history: Sequence[str], lexicon: Lexicon) -> str:
    """The question with what it leaves unsaid filled in from the earlier ones.

    Args:
        question: The newest question.
        history: The visitor's earlier questions, oldest first.
        lexicon: Knows which words name a muscle, a condition or a region.

    Returns:
        The question itself when it stands alone already, or when there is nothing to fill in.
    """
    question = question.strip()
    if not history or not question:
        return question
    last = standalone(history[-1], history[:-1], lexicon)
    topic = _topic(last, lexicon)
    if not topic:
        return question
    if _BARE.match(question):
        return f"{question.rstrip('?!. ').capitalize()}: {last}"
    named = bool(lexicon.concepts(question))
    if _NOUN_FOR_TOPIC.search(question):
        return _NOUN_FOR_TOPIC.sub(topic, question, count=1)
    pronoun = _PRONOUN.search(question)
    if pronoun and not _has_antecedent(question, pronoun.start(), lexicon):
        owner = pronoun.group().lower() in {"its", "their", "theirs"}
        filled = f"{topic}'s" if owner else topic
        return question[: pronoun.start()] + filled + question[pronoun.end() :]
    if _OTHER_SIDE.search(question):
        return f"{question.rstrip('?!. ')} ({last.rstrip('?!. ')})?"
    if _CONTINUES.match(question) or not (named or len(read(question).focus) > 2):
        return _continued(question, last, topic, lexicon)
    return question


def _continued(question: str, last: str, topic: str, lexicon: Lexicon) -> str:
    """What about the soleus?": a new thing is put into the old question, or the old topic is added."""
    rest = _CONTINUES.sub("", question).strip()
    short = rest.rstrip("?!. ")
    if len(words(short)) <= 4 and _names_same_kind(short, topic, lexicon):
        return last.replace(topic, short, 1)
    return f"{rest.rstrip('?!. ')} ({topic})?"


def _names_same_kind(phrase: str, topic: str, lexicon: Lexicon) -> bool:
    kinds = {lexicon.kind(one) for one in lexicon.concepts(phrase)}
    return bool(kinds & {lexicon.kind(one) for one in lexicon.concepts(topic)})


def _has_antecedent(question: str, before: int, lexicon: Lexicon) -> bool:
    """Whether the question itself names, before the pronoun, what the pronoun may stand for."""
    return bool(lexicon.concepts(question[:before]))


def _topic(question: str, lexicon: Lexicon) -> str:
    """What a question is about, in its own words: a named muscle or condition, else its first noun phrase."""
    phrase = lexicon.first_phrase(question)
    if phrase:
        return phrase
    rest = _OPENING.sub("", question.rstrip("?!. "), count=1)
    focus = set(read(question).focus)
    rest = re.split(r"\b(?:feel|cause|hurt|mean|refer|help|mimic|do|does|work|get|come)\w*\b", rest)[0]
    return rest.strip(" ,") if focus and len(rest.split()) <= 6 else " ".join(rest.split()[:6])
