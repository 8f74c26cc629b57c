"""Hard vetoes: what a written sentence may not change or add, whatever else speaks for it.

Each rule compares what was read of the sentence with what was read of the sentences that it cites. A rule
fires only where the cited sentences say otherwise, or say less; a name in brackets below is what staff see.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from assistant.support.facts import Facts, Figure, Token, is_time, read, words
from index.keywords import stem
from index.lexicon import Lexicon
from index.sentences import sentences

_ALMOST = 0.75


@dataclass(frozen=True)
class Sources:
    """The sentences that a written sentence cites.

    Attributes:
        sentences: Verbatim, in reading order.
        context: Title and heading: they may lend a name, and nothing else.
    """

    sentences: tuple[str, ...]
    context: str = ""

    @cached_property
    def facts(self) -> tuple[Facts, ...]:
        """The sentences, read."""
        return tuple(read(sentence) for sentence in self.sentences)

    @cached_property
    def tokens(self) -> dict[str, tuple[Token, ...]]:
        """Every word by its stem."""
        found: dict[str, list[Token]] = {}
        for facts in self.facts:
            for token in facts.tokens:
                found.setdefault(token.stem, []).append(token)
        return {name: tuple(ones) for name, ones in found.items()}

    def nearest(self, claim: Facts) -> tuple[Facts, ...]:
        """The sentences that share about as many words with a claim as the one that shares the most."""
        stems = {token.stem for token in claim.content}
        shared = [len(stems & {token.stem for token in facts.content}) for facts in self.facts]
        return tuple(
            facts
            for facts, count in zip(self.facts, shared, strict=True)
            if count > _ALMOST * max(shared) or not count
        )

    @cached_property
    def context_stems(self) -> frozenset[str]:
        """The stems of the context."""
        return frozenset(read(self.context).stems)

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure."""
        return tuple(figure for facts in self.facts for figure in facts.figures)


def sources_of(quotes: Sequence[str], titles: Sequence[str]) -> Sources:
    """The sentences of some quotes, without those that speak to a program instead of a reader."""
    return Sources(
        tuple(
            line[start:end]
            for quote in quotes
            for line in quote.splitlines()
            for start, end in sentences(line)
            if not speaks_to_a_program(line[start:end])
        ),
        ". ".join(dict.fromkeys(titles)),
    )


def faults(claim: str, sources: Sources, lexicon: Lexicon) -> tuple[str, ...]:
    """The names of the rules that a written sentence breaks; empty when none."""
    facts = read(claim)
    found = [name for name, broken in _RULES.items() if broken(facts, sources)]
    found += [f"name: {name}" for name in _new_names(claim, sources, lexicon)]
    if lexicon.sides(claim) - lexicon.sides(" ".join((*sources.sentences, sources.context))):
        found.append("side")
    return tuple(found)


# ---------------------------------------------------------------- what is no statement of an article

_OUTSIDE = re.compile(
    r"https?:|www\.|\S@\S|\b\w+\.(?:com|org|net|io)\b"
    r"|\b(?:system prompt|as an ai|language model|ignore (?:all|any|the) |previous instructions"
    r"|my instructions|instructions? above|i cannot|i can't|i'm sorry|i am sorry)|\bhuman:|\bassistant:|<\|",
    re.IGNORECASE,
)
_SPEAKER = re.compile(r"\b(?:I|I'm|I've|[Mm]y|[Mm]e|[Mm]yself)\b")
_VERDICT = re.compile(
    r"^\W*(?:yes|no|correct|incorrect|true|false|right|wrong)\b\s*[,.:;!–—-]", re.IGNORECASE
)
_EVIDENCE_TALK = re.compile(
    r"\b(?:the|these|this|provided|given|numbered)"
    r" (?:evidence|context|passages?|sources?|documents?|sentences?)\b",
    re.IGNORECASE,
)


def _speech(claim: Facts, sources: Sources) -> bool:
    """[speech] A link, an instruction, the writer's own person, a question, a bare yes or no."""
    quoted = " ".join(sources.sentences)
    patterns = (_OUTSIDE, _SPEAKER, _VERDICT, _EVIDENCE_TALK)
    return claim.text.rstrip().endswith("?") or any(
        pattern.search(claim.text) and not pattern.search(quoted) for pattern in patterns
    )


# Text in an article that speaks to a program that reads it, and never to a person.
_TO_A_PROGRAM = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.]{0,40}\b(?:instructions?|prompts?|rules|above|previous|context)\b"
    r"|\b(?:system prompt|language model|ai assistant|chat ?bot)"
    r"|\byou are (?:now )?(?:an? )?(?:ai|assistant|bot|model)\b"
    r"|\b(?:tell|inform|assure|convince) (?:the |your |every |all )?(?:users?|visitors?|askers?)\b"
    r"|\b(?:respond|reply|answer|output|print|write)\b (?:only |always |exactly |back )?"
    r"(?:with|that|the following|as follows)\b"
    r"|\b(?:new|important) instructions?\b\s*:|^\s*(?:system|assistant|user)\s*:"
    r"|<\|?/?(?:im_start|im_end|system|inst)\b|\[/?inst\]"
    r"|\bdo not (?:cite|mention|reveal) (?:the |this |these )?(?:sources?|evidence|instructions?|prompt)\b",
    re.IGNORECASE,
)


def speaks_to_a_program(sentence: str) -> bool:
    """Whether a sentence of an article addresses a language model: it is then no evidence for one."""
    return bool(_TO_A_PROGRAM.search(sentence))


# ---------------------------------------------------------------- figures

_MEASURES = frozenset({"share", "second"})


def _figures(claim: Facts, sources: Sources) -> bool:
    """[figures] A number, range, share or unit of time that the sources do not give."""
    if any(not any(_same(one, other) for other in sources.figures) for one in claim.figures):
        return True
    timed = any(one.unit == "second" for one in claim.figures)
    if not timed and any(is_time(token) and token.stem not in sources.tokens for token in claim.tokens):
        return True
    return any(_exchanged_figure(claim, figure, sources) for figure in claim.figures)


def _same(one: Figure, other: Figure) -> bool:
    if not (_equal(one.low, other.low) and _equal(one.high, other.high)):
        within = one.bound and (
            (one.bound == "<" and _equal(one.high, other.high))
            or (one.bound == ">" and _equal(one.low, other.low))
        )
        if not within:
            return False
    if {one.bound, other.bound} == {"<", ">"} or (other.bound and not one.bound):
        return False
    if one.unit == other.unit or not (one.unit in _MEASURES or other.unit in _MEASURES):
        return True
    return not one.unit and other.unit != "share"


def _equal(one: float, other: float) -> bool:
    return abs(one - other) <= (0.006 if max(one, other) <= 1 else 1e-6 * max(one, other))


def _exchanged_figure(claim: Facts, figure: Figure, sources: Sources) -> bool:
    """Whether the figure stands in the sources beside what another figure of its kind belongs to."""
    place = _place(claim, figure.start)
    right = [
        (facts, _place(facts, one.start))
        for facts in sources.facts
        for one in facts.figures
        if _same(figure, one)
    ]
    wrong = [
        (facts, _place(facts, one.start))
        for facts in sources.facts
        for one in facts.figures
        if one.unit == figure.unit and not _same(figure, one)
    ]
    return _exchanged(claim, place, right, wrong)


def _place(facts: Facts, start: int) -> int:
    return next((place for place, token in enumerate(facts.tokens) if token.end > start), 0)


_NEAR = 5
Places = Sequence[tuple[Facts, int]]


def _exchanged(
    claim: Facts, place: int, right: Places, wrong: Places, leave_out: frozenset[str] = frozenset()
) -> bool:
    """Whether the words around a place of the claim stand in the sources around the wrong places only.

    Where as many of them stand around a right place, their order tells: in "long sitting keeps it short" both
    words are beside "sitting", and only one of them is what it is kept.

    Args:
        claim: The written sentence.
        place: Of its word or figure.
        right: Where the sources have the same.
        wrong: Where they have what it may have been exchanged with.
        leave_out: Stems that are themselves in question.
    """
    if not right or not wrong:
        return False
    around = _around(claim, place).keys() - leave_out
    best = max(len(around & _around(*one).keys()) for one in right)
    worst = max(len(around & _around(*one).keys()) for one in wrong)
    if worst != best:
        return worst > best + (1 if len(around) > 3 else 0)
    fits = [_fit(claim, place, one, around) for one in right]
    rivals = [_fit(claim, place, one, around) for one in wrong]
    return any(all(many > count and close > near for count, near in fits) for many, close in rivals)


def _fit(claim: Facts, place: int, other: tuple[Facts, int], stems: Set[str]) -> tuple[int, float]:
    """How many words are on the same side of both places, and the sum of 1 through their larger distance."""
    mine, theirs = _around(claim, place), _around(*other)
    shared = [
        max(abs(mine[stem]), abs(theirs[stem]))
        for stem in stems & mine.keys() & theirs.keys()
        if (mine[stem] < 0) == (theirs[stem] < 0)
    ]
    return len(shared), sum(1 / distance for distance in shared)


def _around(facts: Facts, place: int) -> dict[str, int]:
    """Words of content of the same clause near a place, with how far after it they stand."""
    own = facts.tokens[place]
    low, high = max(0, place - _NEAR), place + _NEAR + 1
    return {
        one.stem: at - place
        for at, one in enumerate(facts.tokens[low:high], start=low)
        if one.content and one.clause == own.clause and one.stem != own.stem
    }


# ---------------------------------------------------------------- polarity, direction, certainty


def _polarity(claim: Facts, sources: Sources) -> bool:
    """[polarity] What the nearest sources affirm is denied, or the other way round."""
    near = _by_stem(sources.nearest(claim))
    shared = [token for token in claim.content if token.stem in near]
    turned = [token for token in shared if all(other.negated != token.negated for other in near[token.stem])]
    denied = _denied(near.values())
    if len(turned) > len(shared) / 2 and not _denied([claim.content]) & denied:
        return True
    return any(token.stem in (_denied([claim.content]) if token.negated else denied) for token in turned)


def _denied(runs: Iterable[Sequence[Token]]) -> frozenset[str]:
    """What is denied, not only within reach of a denial: the first word of content after a negator."""
    out: set[str] = set()
    for tokens in runs:
        out.update(token.stem for token in tokens if token.denied_first)
    return frozenset(out)


def _by_stem(sentences: Sequence[Facts]) -> dict[str, list[Token]]:
    found: dict[str, list[Token]] = {}
    for facts in sentences:
        for token in facts.content:
            found.setdefault(token.stem, []).append(token)
    return found


def _opposites(claim: Facts, sources: Sources) -> bool:
    """[direction] A word where the sources have its opposite: more for less, front for back."""
    for one, other in words().opposites:
        for mine, theirs in ((one, other), (other, one)):
            for place, token in enumerate(claim.tokens):
                if token.stem not in mine:
                    continue
                right = _places(sources, mine)
                wrong = _places(sources, theirs)
                if not right and wrong and _same_matter(claim, place, wrong, token):
                    return True
                if _exchanged(claim, place, right, wrong, one | other):
                    return True
    return False


def _places(sources: Sources, stems: frozenset[str]) -> Places:
    return [
        (facts, place)
        for facts in sources.facts
        for place, token in enumerate(facts.tokens)
        if token.stem in stems
    ]


def _same_matter(claim: Facts, place: int, wrong: Places, token: Token) -> bool:
    """Whether the opposite stands beside the same words, with the same polarity."""
    around = _around(claim, place).keys()
    return any(
        facts.tokens[at].negated == token.negated and (around & _around(facts, at).keys() or not around)
        for facts, at in wrong
    )


def _certain(claim: Facts, sources: Sources) -> bool:
    """[certain] "Proven", "always", "only", "cures", where the sources say no such thing."""
    mine = claim.held(words().certain)
    return any(not any(facts.holds(frozenset({one})) for facts in sources.facts) for one in mine)


_BACK = frozenset(
    stem(word)
    for word in (
        "it they this that these those he she them its their his her such both ones who which but some others"
    ).split()
)
_OPENING = 3  # words


def _merged(claim: Facts, sources: Sources) -> bool:
    """[merged] One clause says of one thing what the sources say, in another clause, of another."""
    everything = [clause for facts in sources.facts for clause in _by_clause(facts)]
    # Across sentences, the title may be their subject; within one, clauses set things against one another.
    within = [(_by_clause(facts), frozenset[str]()) for facts in sources.facts]
    for mine in _by_clause(claim):
        stems = {token.stem for token in mine if token.content}
        if any(stems <= {token.stem for token in clause} for clause in everything):
            continue
        if any(
            _patched(stems - named, clauses)
            for clauses, named in [(everything, sources.context_stems), *within]
        ):
            return True
    return False


def _patched(stems: set[str], clauses: Sequence[Sequence[Token]]) -> bool:
    """Whether words are put together of which each stands in one clause only, and not in the same."""
    spread = Counter(name for clause in clauses for name in {token.stem for token in clause})
    told = [
        clause
        for clause in clauses
        if any(token.stem in stems and spread[token.stem] == 1 for token in clause if token.content)
    ]
    return len(told) > 1 and not all(_leans(clause) for clause in told[1:])


def _by_clause(facts: Facts) -> list[tuple[Token, ...]]:
    return [tuple(run) for _, run in groupby(facts.tokens, key=lambda token: token.clause)]


def _leans(clause: Sequence[Token]) -> bool:
    """Whether a clause takes its subject from before it."""
    opening = clause[:_OPENING]
    return any(token.stem in _BACK and token.end - token.start != _NUMERAL for token in opening)


_NUMERAL = len("one")  # "ones" leans, "one in six" does not; both have one stem

_ENDS = frozenset(stem(word) for word in "from than into by rarely mostly only".split())


def _exchanged_ends(claim: Facts, sources: Sources) -> bool:
    """[exchanged] After "from" or "than" stands a word that stands elsewhere in the sources."""
    near = sources.nearest(claim)
    known = {token.stem for facts in near for token in facts.content}
    for mark in _ENDS:
        mine = _after(claim, mark)
        theirs = frozenset[str]().union(*(_after(facts, mark) for facts in near))
        if theirs and not mine & theirs and mine & known:
            return True
    return False


def _after(facts: Facts, mark: str) -> frozenset[str]:
    """The word of content that follows each place of a word."""
    out: set[str] = set()
    for place, token in enumerate(facts.tokens):
        if token.stem == mark:
            out.update([other.stem for other in facts.tokens[place + 1 : place + 5] if other.content][:1])
    return frozenset(out)


def _hedge(claim: Facts, sources: Sources) -> bool:
    """[hedge] What the nearest sources say only as possible, or of some, is said without that."""
    near = _by_stem(sources.nearest(claim))
    shared = [token for token in claim.content if token.stem in near]
    raised = [
        token for token in shared if not token.hedged and all(other.hedged for other in near[token.stem])
    ]
    weak = any(token.stem == "can" for token in claim.tokens)
    return not weak and len(raised) >= max(1, min(2, len(shared))) and len(raised) * 2 >= len(shared)


_IF = frozenset({"if", "when", "unless"})


def _condition(claim: Facts, sources: Sources) -> bool:
    """[condition] "When there is a clot" is left out, and what holds only then is said of always."""
    if any(token.stem in _IF for token in claim.tokens):
        return False
    mine = {token.stem for token in claim.content}
    near = sources.nearest(claim)
    split = [(own, limits) for facts in near for own, limits in [_limited(facts)] if own & mine]
    return bool(split) and all(limits and not limits & mine for _, limits in split)


def _limited(facts: Facts) -> tuple[frozenset[str], frozenset[str]]:
    """The content of a sentence outside and inside of what follows "if" or "when", up to a comma."""
    outside: set[str] = set()
    inside: set[str] = set()
    within, last = False, 0
    for token in facts.tokens:
        if "," in facts.text[last : token.start]:
            within = False
        within = within or token.stem in _IF
        last = token.end
        if token.content:
            (inside if within else outside).add(token.stem)
    return frozenset(outside), frozenset(inside)


def _extent(claim: Facts, sources: Sources) -> bool:
    """[extent] More of a whole, or more often, than the nearest sources say."""
    mine = _degree(claim)
    theirs = max((_degree(facts) for facts in sources.nearest(claim)), default=-1)
    return mine > (theirs if theirs >= 0 else _SOME)


_SOME = 2


def _degree(facts: Facts) -> int:
    """The highest degree that is named, 0..5, or -1."""
    return max((degree for degree, phrases in enumerate(words().extents) if facts.holds(phrases)), default=-1)


def _cause(claim: Facts, sources: Sources) -> bool:
    """[cause] A cause is told of, and the nearest sources tell of none, or only that things go together."""
    lists = words()
    near = sources.nearest(claim)
    if not claim.holds(lists.causal) or any(facts.holds(lists.causal) for facts in near):
        return False
    only_together = any(facts.holds(lists.associated) for facts in near)
    return only_together or not any(facts.holds(lists.loosely_causal) for facts in near)


_RULES: dict[str, Callable[[Facts, Sources], bool]] = {
    "speech": _speech,
    "figures": _figures,
    "polarity": _polarity,
    "direction": _opposites,
    "certain": _certain,
    "hedge": _hedge,
    "extent": _extent,
    "cause": _cause,
    "condition": _condition,
    "merged": _merged,
    "exchanged": _exchanged_ends,
}

# ---------------------------------------------------------------- names

_NAMES = frozenset({"muscle", "nerve", "bone", "joint", "region", "condition", "symptom", "person", "tissue"})


def _new_names(claim: str, sources: Sources, lexicon: Lexicon) -> Iterator[str]:
    """Muscles, parts of the body, conditions and symptoms that neither the sources nor their titles name."""
    given = " ".join((*sources.sentences, sources.context))
    known = lexicon.concepts(given)
    stems = set(sources.tokens) | sources.context_stems
    for concept in sorted(lexicon.concepts(claim) - known):
        if lexicon.kind(concept) in _NAMES and not lexicon.related(concept) & known:
            phrase = _phrase_of(claim, concept, lexicon)
            if any(token.content and token.stem not in stems for token in phrase):
                yield concept


_LONGEST_NAME = 4  # words


def _phrase_of(claim: str, concept: str, lexicon: Lexicon) -> tuple[Token, ...]:
    """The shortest stretch of a claim that names a concept."""
    tokens = read(claim).tokens
    for length in range(1, _LONGEST_NAME + 1):
        for place in range(len(tokens) - length + 1):
            span = tokens[place : place + length]
            if concept in lexicon.concepts(claim[span[0].start : span[-1].end]):
                return span
    return tokens
