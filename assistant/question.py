"""What a question asks for: the kind of answer, and the words that an answer has to be about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from index.keywords import STOPWORDS, stem, words


class Asks(StrEnum):
    """The kind of answer that is asked for."""

    NUMBER = "number"
    AUTHOR = "author"
    DATE = "date"
    PLACE = "place"
    CAUSE = "cause"
    STEPS = "steps"
    LIST = "list"
    YES_NO = "yes_no"
    COMPARISON = "comparison"
    PERMISSION = "permission"
    READERS = "readers"
    DEFINITION = "definition"
    OPEN = "open"


_KINDS: tuple[tuple[Asks, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (
            Asks.AUTHOR,
            r"\bwho\s+(?:wrote|writes|published|posted|authored)\b.{0,40}\b(?:article|post|page|piece|blog|this)\b"
            r"|\b(?:author|writer) of (?:this|that|the|your)\b|\bwritten by (?:whom|who)\b"
            r"|\b(?:article|post|page|piece)\b.{0,60}\b(?:who wrote|written by|author)\b",
        ),
        (
            Asks.DATE,
            r"\b(?:when|what (?:year|date|day|month)) (?:was|did|were|is)\b.{0,80}"
            r"\b(?:article|post|piece|page)\b"
            r"|\b(?:when|what (?:year|date|day|month))\b.{0,80}\b(?:article|post|piece|page)\b"
            r"|\bhow (?:old|recent) is (?:the|this|that) (?:article|post)\b",
        ),
        (
            Asks.READERS,
            r"\b(?:any(?:one|body)|some(?:one|body)) else\b|\b(?:has|have|did|does) any(?:one|body)\b"
            r"|\b(?:other|what do) (?:readers?|people|visitors)\b.{0,20}\b(?:say|said|comment|wrote)"
            r"|\bcomments?\b",
        ),
        (
            Asks.PERMISSION,
            r"\b(?:can|could|may|should|am) i\b.{0,20}\b(?:try|do|use|perform|practi[sc]e|treat)\b.{0,60}"
            r"\bon (?:my (?:friend|wife|husband|partner|child|kid|son|daughter|mum|mom|dad|client|m\w+)"
            r"|a|an|some|other|another)\b"
            r"|\bwho (?:can|may|should|is allowed to) (?:do|use|perform|give|apply)\b",
        ),
        (
            Asks.COMPARISON,
            r"\bdifferen(?:ce|t|ces)\b|\bversus\b|\bvs\.?\b|\bcompared? (?:to|with)\b"
            r"|\bor is it\b|\btell .{1,40} (?:apart|from)\b|\bbetter than\b",
        ),
        (
            Asks.NUMBER,
            r"\bhow (?:many|much|long|often|common|frequent|big|deep|far|old|likely|soon|rare)\b"
            r"|\bwhat (?:share|percentage|percent|proportion|fraction|number|age)\b|\bhow many\b",
        ),
        (
            Asks.STEPS,
            r"\bhow (?:do|can|should|could|would|to|might)\b.{0,20}\b(?:i|you|we|one|my|it)?\b"
            r"|\bhow to\b|\bsteps?\b|\bexercises? for\b|\bstretch(?:es)? for\b|\bways? to\b"
            r"|\bwhat (?:can|should|could) (?:i|you|we) do\b|\bwhat helps\b",
        ),
        (
            Asks.LIST,
            r"\bwhat (?:are|were) (?:the |some |common |other |main |possible )*"
            r"(?:causes|symptoms|signs|reasons|muscles|types|kinds|treatments|options|risks|triggers|flags)"
            r"|\bwhich (?:muscles|things|conditions|activities|nerves)\b|\blist\b|\bwhat else\b",
        ),
        (
            Asks.CAUSE,
            r"\bwhy\b|\bcause[sd]?\b|\breasons?\b|\bwhat (?:sets|brings) .{0,20}(?:off|on)\b|\bhow come\b",
        ),
        (
            Asks.PLACE,
            r"\bwhere\b|\bwhich (?:part|area|region|group|bone|side)\b|\bwhat (?:part|area|region)\b",
        ),
        (
            Asks.YES_NO,
            r"^\W*(?:(?:and|but|so|also|ok(?:ay)?|hi|hello|please|sorry)[\s,]+)*"
            r"(?:is|are|was|were|do|does|did|can|could|should|would|will|has|have|may|might|am)\b",
        ),
        (Asks.DEFINITION, r"\bwhat(?:'s| is| are|s)\b|\bdefine\b|\bmeaning of\b|\bwhat does .{1,40} mean\b"),
    )
)


# How articles speak of something that visitors ask for in quite other words.
BRIDGES: dict[Asks, tuple[str, ...]] = {
    Asks.PERMISSION: (
        "scope of practice",
        "do not perform",
        "qualified",
        "trained therapist",
        "licensed",
        "reserved for professionals",
    )
}


@dataclass(frozen=True, slots=True)
class Reading:
    """A question as it is understood.

    Attributes:
        text: The question.
        asks: The kind of answer it asks for.
        focus: The stems of the words that an answer has to be about, in their order, without repeats.
    """

    text: str
    asks: Asks
    focus: tuple[str, ...]


# Words of asking, not of the thing asked about.
_ASKING = frozenset(
    stem(word)
    for word in [
        "anyone",
        "anybody",
        "article",
        "articles",
        "author",
        "ask",
        "best",
        "blog",
        "bit",
        "bother",
        "can",
        "cause",
        "causes",
        "caused",
        "come",
        "common",
        "commonly",
        "day",
        "difference",
        "different",
        "else",
        "end",
        "ever",
        "exactly",
        "explain",
        "feel",
        "feeling",
        "find",
        "frequently",
        "get",
        "gets",
        "getting",
        "give",
        "go",
        "goes",
        "going",
        "good",
        "happen",
        "happens",
        "hello",
        "help",
        "helps",
        "hi",
        "involved",
        "issue",
        "issues",
        "keep",
        "kind",
        "kinds",
        "know",
        "like",
        "lot",
        "lots",
        "make",
        "makes",
        "many",
        "maybe",
        "mean",
        "means",
        "much",
        "need",
        "normally",
        "often",
        "one",
        "ones",
        "part",
        "people",
        "person",
        "please",
        "possible",
        "post",
        "problem",
        "problems",
        "question",
        "really",
        "reason",
        "reasons",
        "said",
        "say",
        "says",
        "show",
        "shows",
        "sometimes",
        "sort",
        "sorts",
        "tell",
        "thanks",
        "thing",
        "things",
        "think",
        "told",
        "trouble",
        "troubles",
        "try",
        "typical",
        "typically",
        "use",
        "usual",
        "usually",
        "want",
        "way",
        "ways",
        "work",
        "works",
        "write",
        "written",
        "wrote",
        "yes",
    ]
)


def is_asking(term: str) -> bool:
    """Whether a stem belongs to the asking ("usually", "author", "tell") and not to what is asked about."""
    return term in _ASKING


def read(question: str) -> Reading:
    """Understand one standalone question."""
    asks = next((kind for kind, pattern in _KINDS if pattern.search(question)), Asks.OPEN)
    stems = [stem(word) for word in words(question) if word not in STOPWORDS]
    content = [one for one in stems if one not in _ASKING] or stems
    return Reading(question, asks, tuple(dict.fromkeys(content)))


_PARTS = re.compile(r"(?<=\?)\s+(?=\S)")


def parts(message: str, limit: int = 3) -> list[str]:
    """The questions of one message, at most `limit`; a message with one question, or none, is one part."""
    found = [part.strip() for part in _PARTS.split(message.strip()) if part.strip()]
    questions = [part for part in found if part.endswith("?") and len(words(part)) >= 3]
    return questions[:limit] if len(questions) > 1 else [message.strip()]
