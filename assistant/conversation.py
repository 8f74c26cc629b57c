"""Follow-ups made into questions that stand alone, by rules and without a language model.

What a follow-up leaves unsaid is taken from the visitor's own earlier questions, or from the title of the
article that the last one led to; never from the text of an earlier answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from assistant.question import is_asking, read
from index.keywords import STOPWORDS, stem, words
from index.lexicon import Lexicon

# "It" that stands for nothing: "it hurts", "is it safe to", "how long does it take to".
_EMPTY_IT = (
    r"(?! (?:hurts?|is raining|helps? (?:to|if|when)|takes? (?:to|for|before|until)|feels?"
    r"|(?:is |be |was )?(?:possible|true|safe|ok|okay|normal|bad|good|better|best|worth|wise|dangerous|common"
    r"|necessary|important|harmful)(?: idea)? (?:to|that|if|when)))"
)
_PRONOUN = re.compile(
    rf"\b(?P<plain>it(?!'s (?:ok|okay|safe|normal|possible)){_EMPTY_IT}|its|itself|they|them|their|theirs)\b"
    # "That" and the like only where they can neither belong to a noun nor open a clause.
    r"|(?:^\W*|\b(?:of|to|by|do|is|on|in|or|for|and|but|was|did|are|can|fix|from|with|like|than|does"
    r"|help|treat"
    r"|cause|about|after|could|would) )(?P<pointing>this|that|these|those)\b"
    r"(?=\W*$|,|\?| (?:is|are|was|were|do|does|did|can|could|help|hurt|mean|work|cause|last|happen"
    r"|too|as|or|and"
    r"|at|in|on|with|for|from|when|if|go|come|get|take|to|be)\b)",
    re.IGNORECASE,
)
# "This muscle", "that one": stands for the topic as a pronoun does.
_NOUN_FOR_TOPIC = re.compile(
    r"\b(?:(?:this|that|these|those|the same) (?:\w+ )?"
    r"(?:muscles?|conditions?|pains?|problems?|techniques?|nerves?|injury|area|thing|one|ones|spot"
    r"|treatment|tendon"
    r"|joint|syndrome|procedure|method)|(?:this|these|those|the same) (?:\w+ )?(?:exercises?"
    r"|stretch(?:es)?))\b",
    re.IGNORECASE,
)
_POLITE = r"^\W*(?:(?:thanks|thank you|great|ok(?:ay)?|right|hm+|yes|no|cheers|well)[\s,.!]+)*"
_CONTINUES = re.compile(
    rf"{_POLITE}(?:and|but|so|or|also|what about|how about|then)\b[\s,]*(?:(?:what|how) about\b\s*)?",
    re.IGNORECASE,
)
_WHAT_ABOUT = re.compile(rf"{_POLITE}(?:(?:and|but|so)[\s,]+)?(?:what|how) about\b", re.IGNORECASE)
# "And what strains the soleus?" has a verb of its own, and goes on from nothing.
_WHOLE = re.compile(
    r"^(?:(?:what|which|who|where|when|why|how)(?: (?:long|often|many|much))? (?:is|are|was|were|do|does"
    r"|did|can|could|should|would|will|may|might)\b|(?:what|who) [a-z]{3,}s\b)",
    re.IGNORECASE,
)
# "Tell me about makos": a subject of its own, however short.
_INTRODUCES = re.compile(
    r"\b(?:tell me|talk|explain|describe|know|read)\b.{0,12}\babout (?!it\b|that\b|this\b|them\b"
    r"|the\b|its\b|their\b)",
    re.IGNORECASE,
)
_DEFINITE = re.compile(r"\bthe (?!best|most|worst|\w+est\b)[a-z]+\b(?! of)")
# Words of a question that goes on from another.
_GOES_ON = re.compile(
    r"\b(?:meanwhile|(?:in the )?meantime|afterwards|again|instead|too|as well|either|exactly|else"
    r"|in that case"
    r"|then|next|more|others?|both|first)\b|\bafter\W*$",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"^\W*(?:and |but |so )?(?:why|why not|how|how so|how come|where|when|how long|how often|how much"
    r"|how many"
    r"|really|who|which one|for how long|since when|says who)\W*$",
    re.IGNORECASE,
)
_OTHER_SIDE = re.compile(
    r"\b(?:the|my) (?:other|left|right) (?:side|one|leg|arm|hand|foot|hip|knee|shoulder)\b", re.IGNORECASE
)
_OPENING = re.compile(
    r"^\W*(?:(?:please|hi|hello|hey|so|ok|okay|and|but)\b[\s,]*)*"
    r"(?:can you (?:tell me|explain) |tell me (?:more )?(?:about )?|describe |i (?:want"
    r"|would like) to know (?:about )?)?"
    r"(?:(?:what|which|where|who|when|why|how)(?:'s|'re)?\b(?: (?:long|often|many|much|common|come))?\s*)?"
    r"(?:(?:is|are|was|were|do|does|did|can|could|should|would|will|has|have|may|might|caused?|causes)\b\s*)?"
    r"(?:(?:i|you|we|one|there)\b\s*)?"
    r"(?:(?:the |some |different |main |various |best |other )*"
    r"(?:symptoms|causes?|types?|kinds?|signs?|effects?|history|origins?|importance|purpose|role|way"
    r"|uses?|benefits"
    r"|treatments?|differences?|examples?|reasons?) (?:of|for|to|between|in) )?(?:the |a |an )?",
    re.IGNORECASE,
)
_PLURAL = re.compile(
    r"\b(?:what|which|these|those|any|some|good|best|name the|list the|are the)\s+((?:[\w-]+ )?[a-z]{3,}s)\b"
    r"(?! (?:the|a|my|it)\b)",
    re.IGNORECASE,
)
_SUBJECT_KINDS = frozenset({"muscle", "condition", "nerve", "region", "joint", "bone", "tissue"})
_REMEMBERED = 12  # earlier questions that are read


def nothing_known(_: str) -> str:
    """For `about`: the articles are not asked."""
    return ""


def standalone(
    question: str, history: Sequence[str], lexicon: Lexicon, about: Callable[[str], str] = nothing_known
) -> str:
    """The question with what it leaves unsaid filled in from the earlier ones.

    Args:
        question: The newest question.
        history: The visitor's earlier questions, oldest first.
        lexicon: Knows which words name a muscle, a condition or a region.
        about: What the article is about that an earlier question led to: a muscle or a condition, or empty.
            Asked only when that question names neither.

    Returns:
        The question itself when it stands alone already, or when there is nothing to fill in.
    """
    question = question.strip()
    history = [one for one in history[-_REMEMBERED:] if one.strip()]
    if not history or not question:
        return question
    if not _leaves_unsaid(question, lexicon):  # cheap to tell; only then is the past read
        return question
    last = topic = ""
    for earlier in history:
        last, topic = _followed(earlier, last, topic, lexicon, about)
    return _filled(question, last, topic, lexicon) if topic else question


def _followed(
    question: str, last: str, topic: str, lexicon: Lexicon, about: Callable[[str], str]
) -> tuple[str, str]:
    """An earlier question made to stand alone, and the topic after it: a follow-up does not change it."""
    question = question.strip()
    if not topic or not _leaves_unsaid(question, lexicon):
        return question, _topic(question, lexicon, about) or topic or _first_noun_phrase(question)
    filled = _filled(question, last, topic, lexicon)
    short = _CONTINUES.sub("", question).rstrip("?!. ")
    replaced = _CONTINUES.match(question) and (
        lexicon.first_phrase(short) if topic not in filled else _WHAT_ABOUT.match(question) and _names(filled)
    )
    return filled, replaced or topic


def _leaves_unsaid(question: str, lexicon: Lexicon) -> bool:
    if _BARE.match(question) or _NOUN_FOR_TOPIC.search(question) or _OTHER_SIDE.search(question):
        return True
    if _pronoun(question, lexicon):
        return True
    named = _names_subject(question, lexicon)
    if _CONTINUES.match(question):
        own = _CONTINUES.sub("", question)
        return not named or (len(words(own)) <= 5 and not _WHOLE.match(own))
    if named or _INTRODUCES.search(question) or _names(question):
        return False
    return len(read(question).focus) <= (3 if _GOES_ON.search(question) or _DEFINITE.search(question) else 2)


_NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w'’-]+(?: (?:of |the )?[A-Z][\w'’-]+)*(?: [a-z]+)?")


def _names(question: str) -> str:
    """A name in capitals in the middle of a question, with the word after it; or empty."""
    match = _NAME.search(question)
    return match.group() if match and match.group().split()[0] not in {"I", "I'm", "I've", "I’m"} else ""


def _filled(question: str, last: str, topic: str, lexicon: Lexicon) -> str:
    if _BARE.match(question):
        return f"{question.rstrip('?!. ').capitalize()}: {last}"
    if _NOUN_FOR_TOPIC.search(question):
        return _NOUN_FOR_TOPIC.sub(lambda _: topic, question, count=1)
    if place := _pronoun(question, lexicon):
        start, end = place
        return question[:start] + _named(question[start:end].lower(), last, topic) + question[end:]
    if _OTHER_SIDE.search(question):
        return f"{_CONTINUES.sub('', question).rstrip('?!. ')} ({last.rstrip('?!. ')})?"
    return _continued(question, last, topic, lexicon)


def _pronoun(question: str, lexicon: Lexicon) -> tuple[int, int] | None:
    """Where the first pronoun stands that the question itself does not explain."""
    match = _PRONOUN.search(question)
    if match is None:
        return None
    before = question[: match.start()].rsplit(maxsplit=1)  # "what strains it": the word before is no noun
    if len(before) > 1 and _names_subject(before[0], lexicon):
        return None
    return match.span("plain") if match["plain"] else match.span("pointing")


def _named(pronoun: str, last: str, topic: str) -> str:
    if pronoun in {"its", "their", "theirs"}:
        return f"{topic}'" if topic.endswith("s") else f"{topic}'s"
    if pronoun in {"they", "them", "these", "those"} and (plural := _PLURAL.search(last)):
        several = plural[1]
        if not set(words(several)) & set(words(topic)):
            return f"{several} for {topic}"
    return topic


def _continued(question: str, last: str, topic: str, lexicon: Lexicon) -> str:
    """What about the soleus?": a new thing is put into the old question, or the old topic is added."""
    rest = _CONTINUES.sub("", question).strip()
    short = rest.rstrip("?!. ")
    if len(words(short)) <= 4 and topic in last and _names_same_kind(short, topic, lexicon):
        return last.replace(topic, short, 1)
    if len(words(short)) <= 4 and _WHAT_ABOUT.match(question) and not _asks(short):
        return f"{last.rstrip('?!. ')} ({short})?"
    return f"{short} ({topic})?"


def _asks(text: str) -> bool:
    return bool(
        re.match(r"(?:what|which|where|who|when|why|how|is|are|do|does|can|should)\b", text, re.IGNORECASE)
    )


def _names_same_kind(phrase: str, topic: str, lexicon: Lexicon) -> bool:
    kinds = {lexicon.kind(one) for one in lexicon.concepts(phrase)}
    return bool(kinds & {lexicon.kind(one) for one in lexicon.concepts(topic)})


def _names_subject(text: str, lexicon: Lexicon) -> bool:
    """Whether a text names a part of the body or a condition: what a pronoun may stand for."""
    return any(lexicon.kind(one) in _SUBJECT_KINDS for one in lexicon.concepts(text))


_DETERMINER = re.compile(r"\b(?:the|a|an|my)\s+$", re.IGNORECASE)
# A word before a name that is no part of it.
_NO_MODIFIER = frozenset(
    """treat stretch help hurt have had got get fix release massage feel cause causes about with from like
    do called means ease train strengthen prevent avoid long hurts helps gets""".split()
)


def _topic(question: str, lexicon: Lexicon, about: Callable[[str], str]) -> str:
    """What a question is about: a muscle or condition that it names or leads to, or a name."""
    phrase = lexicon.first_phrase(question).removesuffix("'s").removesuffix("’s")
    kinds = {lexicon.kind(one) for one in lexicon.concepts(phrase)}
    if phrase and kinds == {"person"}:
        phrase = lexicon.first_phrase(question.replace(phrase, " "))
        kinds = {lexicon.kind(one) for one in lexicon.concepts(phrase)}
    if phrase and kinds & {"muscle", "condition", "nerve", "technique"}:
        return _in_full(phrase, question)
    if _asks_which(question) and (led_to := about(question)):
        return led_to
    if phrase and kinds & _SUBJECT_KINDS:
        return _in_full(phrase, question)
    if introduced := _INTRODUCES.search(question):
        return _names(question) or _first_noun_phrase(question[introduced.end() :])
    return _names(question) or (phrase and _in_full(phrase, question))


_AFTER_NOUNS = re.compile(
    r"\b(?:feel|caus|hurt|mean|refer|help|mimic|work|happen|begin|start|made|used|invent|compar)\w*\b"
    r"|\b(?:do|does|did|get|come|came|for|in|on|with|and|so|are|is|was|were|that|which|to|from|if"
    r"|about|ever|by)\b"
    r"|[,;:?.!(]"
)


def _first_noun_phrase(question: str) -> str:
    rest = _OPENING.sub("", question.rstrip("?!. "), count=1)
    found = " ".join(_AFTER_NOUNS.split(rest)[0].split()[:5])
    return "" if _PRONOUN.search(found) else found


def _asks_which(question: str) -> bool:
    """Whether what the question looks for is itself what a later pronoun may stand for: "which muscle…"."""
    return bool(
        re.search(
            r"\b(?:which|what|a|some) (?:\w+ )?(?:muscles?|nerve|condition|syndrome)\b"
            r"|\bwhat (?:is it|could)\b",
            question,
            re.IGNORECASE,
        )
    )


def _in_full(phrase: str, question: str) -> str:
    """A name with what stands before it in the question: "throat cancer", "a stiff neck", "the soleus"."""
    place = question.find(phrase)
    before = question[: max(place, 0)].split()
    if before and " " not in phrase and _is_modifier(before[-1]):
        phrase = f"{before.pop()} {phrase}"
    if before and (determiner := _DETERMINER.search(f"{before[-1]} ")):
        phrase = f"{determiner.group().strip()} {phrase}"
    return phrase


def _is_modifier(word: str) -> bool:
    plain = word.lower()
    return (
        plain.isalpha()
        and plain not in STOPWORDS
        and plain not in _NO_MODIFIER
        and not is_asking(stem(plain))
    )
