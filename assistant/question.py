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
    TIME = "time"
    PERSON = "person"
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
            r"\bwho(?:\s+(?:has|have|had))?\s+(?:wrote|writes|written|published|posted|authored)\b.{0,60}"
            r"\b(?:articles?|posts?|pages?|pieces?|blog|this|it|about|on)\b"
            r"|\bwho(?:'s| is| was)? (?:the )?(?:author|writer)\b"
            r"|\b(?:author|writer) of (?:this|that|the|your)\b|\bwritten by (?:whom|who)\b"
            r"|\b(?:article|post|page|piece)\b.{0,60}\b(?:who wrote|written by|author)\b",
        ),
        (
            Asks.DATE,
            r"\b(?:when|what (?:year|date|day|month)) (?:was|did|were|is)\b.{0,80}"
            r"\b(?:article|post|piece|page)\b"
            r"|\b(?:when|what (?:year|date|day|month))\b.{0,80}\b(?:article|post|piece|page)\b"
            r"|\bhow (?:old|recent|current|up[- ]to[- ]date) is (?:the|this|that|your)\b.{0,60}"
            r"\b(?:article|post|piece|page)\b"
            r"|\bwhen\b.{0,20}\b(?:written|published|posted|last updated)\b",
        ),
        (
            Asks.READERS,
            r"\b(?:(?:has|have|did|does|is|was) (?:any|some)(?:one|body) else|any(?:one|body) else)\b"
            r"|\b(?:has|have|did|does) any(?:one|body)\b"
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
            r"\bdiffer(?:s|ence|ences|ent)?\b|\bversus\b|\bvs\.?\b|\bcompared? (?:to|with)\b"
            r"|\bor is it\b|\btell .{1,60} (?:apart|from)\b|\bapart from each other\b"
            r"|\b(?:better|worse|safer|stronger|(?:more|less) \w+|\w+er) than\b|\bsame (?:thing )?as\b"
            r"|\bwhich (?:one )?(?:is|was|works?|came out) (?:better|best|worse|safer)\b"
            r"|^\W*[\w' -]{2,40} or [\w' -]{2,40}[:,?]",
        ),
        (
            Asks.TIME,
            r"^\W*(?:and |but |so )?(?:when|what (?:year|time|day))\b|\bin (?:which|what) year\b",
        ),
        (
            Asks.PERSON,
            r"^\W*(?:and |but |so )?who(?:se|m)?(?:'s)?\b|\bby whom\b"
            r"|\b(?:which|what) (?:doctor|researcher|author|person|people)\b",
        ),
        (
            Asks.NUMBER,
            r"\bhow (?:many|much|long|often|common|frequent|big|deep|far|old|likely|soon|rare)\b"
            r"|\bwhat (?:share|percentage|percent|proportion|fraction|number|age)\b|\bhow many\b",
        ),
        (
            Asks.STEPS,
            r"\bhow (?:do|can|should|could|would|to|might)\b"
            r"(?! (?:i|you|we|one|they|doctors?) (?:know|tell|recogni[sz]e|find out|notice))"
            r".{0,20}\b(?:i|you|we|one|my)\b"
            r"|\bhow (?:is|are|can) .{1,40} (?:treated|done|released|relieved|stretched|prevented"
            r"|strengthened)\b"
            r"|\bhow to\b|\bsteps?\b|\bexercises? (?:for|at)\b|\bstretch(?:es)? for\b|\bways? to\b"
            r"|\bwhat (?:can|should|could|do) (?:i|you|we|one) do\b|\bwhat helps\b"
            r"|\bself[- ](?:help|care|massage)\b"
            r"|\b(?:which|what|any|some) (?:\w+ )?(?:exercises?|stretch(?:es)?|home remedies)\b",
        ),
        (
            Asks.LIST,
            r"\bwhat (?:are|were) (?:the |some |common |other |main |possible )*"
            r"(?:causes|symptoms|signs|reasons|muscles|types|kinds|treatments|options|risks|triggers|flags)"
            r"|\b(?:which|what) (?:muscles|things|conditions|activities|nerves|symptoms|signs|causes)\b"
            r"|^\W*(?:(?:can|could) you |please )*(?:list|name|enumerate)\b|\blist$|\bwhat else\b"
            r"|\bwho (?:should|must)(?:n't| not)\b",
        ),
        (
            Asks.CAUSE,
            r"\bwhy\b|\bhow come\b|\bwhat (?:sets|brings) .{0,20}(?:off|on)\b"
            # "Can it cause…" asks for a yes or a no
            r"|^(?!\W*(?:(?:and|but|so|also|then)\s+)?(?:is|are|was|can|could|do|does|did|may|might|would|will)\b)"
            r".*\b(?:cause[sd]?|reasons?)\b",
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
        sides: Of a comparison, the two things compared, in the question's words; else empty.
    """

    text: str
    asks: Asks
    focus: tuple[str, ...]
    sides: tuple[str, ...] = ()


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
    compared = sides(question)
    asks = next(
        (
            kind
            for kind, pattern in _KINDS
            if pattern.search(question) and (compared or kind is not Asks.COMPARISON)
        ),
        Asks.OPEN,
    )
    stems = [stem(word) for word in words(question) if word not in STOPWORDS]
    content = [one for one in stems if one not in _ASKING] or stems
    return Reading(question, asks, tuple(dict.fromkeys(content)), compared if asks is Asks.COMPARISON else ())


_SIDE = r"(?:[\w'’-]+(?: [\w'’-]+){0,5}?)"
_LAST_SIDE = r"(?:[\w'’-]+(?: [\w'’-]+){0,4})"
_SIDES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\bdifferences? (?:is there )?(?:between|in) (?P<one>{_SIDE}) (?:and|or|from"
        rf"|to) (?P<two>{_LAST_SIDE})",
        rf"\bhow (?:do|does|is|are) (?P<one>{_SIDE}) (?:and (?P<both>{_LAST_SIDE}) (?:differ|different)"
        rf"|(?:differ|different) (?:from|to|than) (?P<two>{_LAST_SIDE}))",
        rf"\b(?:tell|distinguish|know|differentiate) (?:between )?(?:if (?:it'?s|i have|this is) )?"
        rf"(?P<one>{_SIDE}) (?:from|and|or|apart from) (?P<two>{_LAST_SIDE})",
        rf"\b(?:whether|if) [\w' -]+? (?:is|are|comes? from) (?P<one>{_SIDE}),? or (?P<two>{_LAST_SIDE})",
        rf"(?P<one>{_SIDE}),? (?:vs\.?|versus|compared (?:to|with)|as opposed to"
        rf"|rather than) (?P<two>{_LAST_SIDE})",
        rf"\b(?:is|are|was|were|does|do) (?P<one>{_SIDE}) (?:any |much |really |always )?"
        rf"(?:better|worse|safer|stronger|the same(?: thing)?|same|(?:more|less) \w+|\w+er"
        rf"|different) (?:than|as|from) (?P<two>{_LAST_SIDE})",
        rf"\bis (?:it|this|that) (?P<one>{_SIDE}),? or (?:is it )?(?P<two>{_LAST_SIDE})",
        rf"^\W*(?P<one>{_SIDE}) or (?P<two>{_LAST_SIDE}?)(?=[:,?]| for | on | in | when | what "
        rf"| which | how |$)",
        rf"\bwhich (?:one )?(?:is|was|works?) (?:better|best|worse|safer)[^:,]{{0,40}}[:,] "
        rf"(?P<one>{_SIDE}) or (?P<two>{_LAST_SIDE})",
    )
)
_AROUND_SIDE = re.compile(
    r"^(?:(?:a|an|the|my|your|if|it|it's|is|whether|doing|using|having|between|pain from|just|really"
    r"|only)\s+)+"
    r"|\s+(?:apart|in|on|for|when|what|which|how|at|please|then|if|feel|is|are|do|does|better"
    r"|from each other)\b.*$",
    re.IGNORECASE,
)
_NO_SIDE = re.compile(
    r"^(?:\d.*|.*\b(?:weeks?|days?|months?|years?|hours?|minutes?|percent|usual|normal|before|that|this|it|i"
    r"|not|no|so|more|other|others|else|what|why|how|when|where|which|who)|)$",
    re.IGNORECASE,
)


def sides(question: str) -> tuple[str, ...]:
    """The two things that a question compares, in its own words; empty when it compares none."""
    for pattern in _SIDES:
        if match := pattern.search(question):
            found = match.groupdict()
            second = found["two"] or found.get("both") or ""
            pair = [_AROUND_SIDE.sub("", part) for part in (found["one"], second)]
            if all(pair) and not any(_NO_SIDE.match(part) for part in pair):
                return tuple(pair)
    return ()


# What one asks a shop or a practice; each with the words of a sentence that would answer it.
_SERVICES = tuple(
    (re.compile(asked, re.IGNORECASE), re.compile(told, re.IGNORECASE))
    for asked, told in (
        (
            r"\b(?:prices?|costs?|fees?|discounts?|vouchers?|gift cards?|refunds?|do you charge)\b",
            r"\b(?:pric|cost|fee|cheap|expensiv|discount|voucher|refund|charge|money|free of)|[$£€]",
        ),
        (
            r"\b(?:book|reserve|schedule|cancel|rebook|reschedule) (?:an? |my |the |in )?(?:[\w-]+ ){0,2}"
            r"(?:appointment|session|massage|treatment|slot|visit|consultation|class|course)s?\b"
            r"|\b(?:bookings?|appointments? (?:with|at|for) (?:you|your))\b",
            r"\b(?:book|appointment|reserv|schedul)",
        ),
        (
            r"\b(?:(?:tele)?phone number|e-?mail address|opening (?:hours|times)|customer service"
            r"|where are you (?:based|located))\b"
            r"|\bdo you (?:ship|deliver|sell|accept|have a (?:shop|clinic|practice|store))\b",
            r"\b(?:phone|e-?mail|opening|located|ship|deliver|sell|shop|clinic|practice|store)",
        ),
        (
            r"\b(?:where|how) (?:can|do|could|should) (?:i|we|you) (?:buy|order|purchase)\b"
            r"|\bcan (?:i|we) (?:buy|order|purchase)\b|\b(?:shipping|delivery) (?:cost|time|to)\b",
            r"\b(?:buy|bought|order|purchase|shop|store|sold|sell|ship|deliver)",
        ),
    )
)


def asked_service(question: str) -> re.Pattern[str] | None:
    """What a sentence would hold that told a price, a booking or the like; None if no such thing is asked."""
    return next((told for asked, told in _SERVICES if asked.search(question)), None)


_SENTENCE_END = re.compile(r"(?<=[?!.])\s+(?=\S)|\n+")
# "…, and how long does it take?" begins a question of its own; "…and what you can do" does not.
_SECOND_QUESTION = re.compile(
    r"(?:,\s+|,?\s+(?:and|but|also|or)\s+(?:also\s+)?)(?="
    r"(?:(?:what|where|when|why|who|which(?: of (?:them|these|those)| one)?|how(?: (?:long|often|much"
    r"|many))?)"
    r"(?:'s)?\s+(?:is|are|was|were|do|does|did|can|could|should|would|will|may|has|have|causes|helps|treats"
    r"|else|about)\b)"
    r"|(?:how (?:long|soon|often|much|many)\s+(?:until|till|before|to|a|at|per|time)\b)"
    r"|(?:(?:is|are|do|does|can|could|should|will) (?:it|they|i|you|there|we|that|this)\b))",
    re.IGNORECASE,
)


def parts(message: str, limit: int = 3) -> list[str]:
    """The questions of one message, at most `limit`; a message with one question, or none, is one part.

    What is told without asking ("I sit all day.") stays with the question after it.
    """
    told: list[str] = []
    questions: list[str] = []
    for piece in _SENTENCE_END.split(message.strip()):
        if not piece.strip():
            continue
        for asked in _asked(piece.strip()):
            own = _JOINED.sub("", asked) if questions else asked
            told.append(own[:1].upper() + own[1:] if questions else own)
            if asked.endswith("?"):
                questions.append(" ".join(told))
                told = []
    if len(questions) < 2:
        return [message.strip()]
    if told:
        questions[-1] = f"{questions[-1]} {' '.join(told)}"
    return questions[:limit]


_JOINED = re.compile(r"^(?:and|but|also|so)\b[\s,]*", re.IGNORECASE)
_ASKS = re.compile(r"^(?:what|which|who|where|when|why|how)\b", re.IGNORECASE)


def _asked(sentence: str) -> list[str]:
    """The questions of one sentence: more than one only where each has a verb of its own."""
    found = [part.strip(" ,") for part in _SECOND_QUESTION.split(sentence.rstrip("? ")) if part.strip(" ,")]
    asking = [_asks_something(part) for part in found]
    return [f"{part}?" for part in found] if len(found) > 1 and all(asking) else [sentence]


def _asks_something(text: str) -> bool:
    """Whether a text asks something in itself: it begins with, or holds, a word of asking."""
    return bool(_ASKS.match(text)) or read(text).asks is not Asks.OPEN
