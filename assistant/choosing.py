"""From sentences in order of merit to what is quoted: whole lists and steps, both sides, no half thoughts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from assistant.disagreement import contradict
from assistant.question import Asks, Reading, is_asking
from assistant.section import Role, announces, asked_role, role_of
from index.generation import Generation
from index.keywords import stem, terms, words
from index.passage import Passage, Sentence, text_sentences
from index.retriever import SUBJECT, Query
from index.sentences import LISTED
from ingest.article import Article

if TYPE_CHECKING:
    from assistant.evidence import Candidate

# At most this much is quoted in an ordinary answer; lists may be longer, since half a list misleads.
_WORDS = 120
_LIST_WORDS = 260
# This far below the best sentence nothing is worth a reader's time (log-odds; see the answers bench).
_GAP = 4.5
# Of what the best sentence covers of the question, a further one has to cover this share.
_COVERS = 0.6
# So much below it a further sentence is not shown; what something is, one sentence tells best.
_FURTHER_GAP, _DEFINING_GAP = 3.0, 1.5
_SPANS = 4


class Way(Enum):
    """How evidence was chosen."""

    SENTENCES = "single sentences, by their scores"
    LIST = "a list, whole or in part"
    SECTION = "the opening of a section"
    SIDES = "sentences on both sides of a comparison"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span of an article that is quoted, in one piece.

    Attributes:
        start: Offset in `article.text`.
        end: Likewise, exclusive.
        sentences: The sentences inside it, each to become one claim; a gap between them is shown as one.
        label: Which side of a comparison it speaks of, in the question's words; else empty.
    """

    article: Article
    passage: Passage
    start: int
    end: int
    sentences: tuple[tuple[int, int], ...]
    score: float
    label: str = ""

    @property
    def quote(self) -> str:
        """The verbatim span."""
        return self.article.text[self.start : self.end]

    @property
    def is_list(self) -> bool:
        """Whether it is several items of a list."""
        return bool(_NEXT_ITEM.search(self.quote)) and len(self.sentences) > 1

    @property
    def words(self) -> int:
        """How much there is to read."""
        return sum(len(self.article.text[start:end].split()) for start, end in self.sentences)


@dataclass(frozen=True)
class _Page:
    """An article with all its sentences: a list may go on beyond the passage that was found."""

    article: Article
    sentences: tuple[Sentence, ...]

    def text(self, sentence: Sentence) -> str:
        return self.article.text[sentence.start : sentence.end]

    def heading(self, sentence: Sentence) -> str:
        return self.article.text[slice(*sentence.heading)]

    @cached_property
    def places(self) -> dict[int, int]:
        """Place of a sentence by its start."""
        return {sentence.start: place for place, sentence in enumerate(self.sentences)}

    def block(self, place: int) -> tuple[int, int]:
        """First and last place of the block that a sentence stands in."""
        return self.while_(place, lambda one: one.block == self.sentences[place].block)

    def while_(self, place: int, holds: Callable[[Sentence], bool]) -> tuple[int, int]:
        """First and last place of the run around a sentence for which something holds."""
        low = high = place
        while low and holds(self.sentences[low - 1]):
            low -= 1
        while high + 1 < len(self.sentences) and holds(self.sentences[high + 1]):
            high += 1
        return low, high

    @cached_property
    def headings(self) -> tuple[str, ...]:
        """Its headings above sentences, without repeats."""
        return tuple(dict.fromkeys(self.heading(one) for one in self.sentences))

    @cached_property
    def lists(self) -> tuple[_List, ...]:
        """Its lists, in reading order."""
        found: list[_List] = []
        place = 0
        while place < len(self.sentences):
            one = self.sentences[place]
            if one.block_kind in LISTED:
                low, high = self._run(place)
                found.append(_List(self, low, high))
                place = high
            place += 1
        return tuple(found)

    def _run(self, place: int) -> tuple[int, int]:
        """The items that follow on each other without anything between them."""
        high = place
        while high + 1 < len(self.sentences):
            this, after = self.sentences[high], self.sentences[high + 1]
            if (
                after.block_kind is not this.block_kind
                or after.heading != this.heading
                or after.block > this.block + 1
            ):
                break
            high += 1
        return place, high


@dataclass(frozen=True)
class _List:
    """One list: the places of its first and last sentence."""

    page: _Page
    low: int
    high: int

    @cached_property
    def items(self) -> tuple[tuple[int, int], ...]:
        """First and last place of each item."""
        found: list[tuple[int, int]] = []
        place = self.low
        while place <= self.high:
            found.append((place, min(self.high, self.page.block(place)[1])))
            place = found[-1][1] + 1
        return tuple(found)

    @cached_property
    def lead_in(self) -> int | None:
        """Place of the sentence that leads into it: it ends in a colon, or is the only one above it."""
        if not self.low:
            return None
        place = self.low - 1
        before, first = self.page.sentences[place], self.page.sentences[self.low]
        if before.heading != first.heading or before.block_kind in LISTED:
            return None
        alone = self.page.block(place) == (place, place) and len(self.page.text(before).split()) <= _SHORT
        return place if self.page.text(before).endswith(":") or alone else None

    @cached_property
    def after(self) -> int | None:
        """Place of a sentence below it that speaks of one of its items by number."""
        place = self.high + 1
        if place >= len(self.page.sentences):
            return None
        below = self.page.sentences[place]
        same = below.heading == self.page.sentences[self.low].heading
        return place if same and _OF_AN_ITEM.search(self.page.text(below)) else None

    @cached_property
    def heading(self) -> str:
        """Its heading."""
        return self.page.heading(self.page.sentences[self.low])

    @cached_property
    def introduction(self) -> str:
        """Heading and lead-in: what it is a list of."""
        lead = "" if self.lead_in is None else self.page.text(self.page.sentences[self.lead_in])
        return f"{self.heading} {lead if lead.endswith(':') else ''}".strip()

    @cached_property
    def role(self) -> Role | None:
        """What it is a list of, as far as heading and lead-in tell."""
        lead = "" if self.lead_in is None else self.page.text(self.page.sentences[self.lead_in])
        return (role_of(lead) if lead.endswith(":") else None) or role_of(self.heading)

    def text(self, low: int, high: int) -> str:
        """The text from one place to another."""
        return self.page.article.text[self.page.sentences[low].start : self.page.sentences[high].end]


_SHORT = 30  # words
_OF_AN_ITEM = re.compile(
    r"\b(?:steps?|numbers?|exercises?|points?|items?) (?:\d|one|two|three|four)\b", re.IGNORECASE
)


@lru_cache(maxsize=256)
def _page(article: Article) -> _Page:
    return _Page(article, tuple(text_sentences(article.text)))


class Chooser:
    """Chooses for one question.

    Args:
        reading: The standalone question.
        query: Its wishes are what a sentence is held against.
        considered: Every candidate, best first.
        generation: Where they come from.
    """

    def __init__(
        self, reading: Reading, query: Query, considered: Sequence[Candidate], generation: Generation
    ) -> None:
        self._reading = reading
        self._query = query
        self._generation = generation
        self._considered = self._fitting_first(reading.asks, considered)
        self._role = asked_role(reading.text, reading.asks)
        self.way = Way.SENTENCES
        self.passed_over: dict[tuple[int, int], str] = {}  # by passage row and place in it: why

    def _fitting_first(self, asks: Asks, considered: Sequence[Candidate]) -> Sequence[Candidate]:
        """Of the best, those of the shape that is asked for before the others: a year for "in which year"."""
        shape = _SHAPES.get(asks)
        if shape is None or not considered:
            return considered
        least = considered[0].score - _GAP / 2
        return sorted(considered, key=lambda one: one.score < least or not shape.search(self._text(one)))

    def choose(self) -> tuple[Evidence, ...]:
        """What is quoted, in the order in which it is to be read."""
        if not self._considered:
            return ()
        if self._reading.asks in {Asks.STEPS, Asks.LIST, Asks.CAUSE}:
            if whole := self._list():
                self.way = Way.LIST
                return whole
            if section := self._section():
                self.way = Way.SECTION
                return section
        if self._reading.sides and (compared := self._compared()):
            self.way = Way.SIDES
            return compared
        return self._sentences()

    # Sentences

    def _sentences(self, limit: int = _WORDS) -> tuple[Evidence, ...]:
        best = self._considered[0]
        wanted = _COVERS * self._coverage(best)
        gap = _DEFINING_GAP if self._reading.asks is Asks.DEFINITION else _FURTHER_GAP
        spans: list[Evidence] = []
        for candidate in self._considered[:16]:
            key = candidate.hit.row, candidate.place
            if spans and (candidate.score < best.score - gap or len(spans) == _SPANS):
                self.passed_over[key] = "enough was chosen" if len(spans) == _SPANS else "far below the best"
                break
            if spans and (why := self._speaks_against(candidate, wanted)):
                self.passed_over[key] = why
                continue
            more = _with(spans, self._span(candidate), limit)
            if more == spans:
                self.passed_over[key] = "says nothing new, or would be too much to read"
            spans = more
        return _in_reading_order(spans)

    def _speaks_against(self, candidate: Candidate, wanted: float) -> str:
        """Why a sentence after the best one is not about what is asked any more; empty when it is."""
        text = self._text(candidate)
        if text.endswith("?"):
            return "asks a question itself"
        if self._coverage(candidate) < wanted:
            return "leaves out too much of what is asked"
        role = role_of(_page(self._article(candidate)).heading(candidate.sentence))
        if role is Role.WARNING and self._role is not Role.WARNING:
            return "stands among warning signs"
        shape = _SHAPES.get(self._reading.asks)
        return "" if shape is None or shape.search(text) else "is not of the kind that is asked for"

    def _text(self, candidate: Candidate) -> str:
        return self._article(candidate).text[candidate.sentence.start : candidate.sentence.end]

    def _article(self, candidate: Candidate) -> Article:
        return self._generation.article(int(self._generation.passage_articles[candidate.hit.row]))

    def _coverage(self, candidate: Candidate) -> float:
        """How much of the question a sentence meets, with what stands around it: the salience of it."""
        page = _page(self._article(candidate))
        place = page.places[candidate.sentence.start]
        around = [page.article.title, page.heading(candidate.sentence), page.text(candidate.sentence)]
        if place and page.sentences[place - 1].block == candidate.sentence.block:
            around.append(page.text(page.sentences[place - 1]))
        return sum(self._met(" ".join(around)).values())

    def _met(self, text: str) -> dict[int, float]:
        """By the number of a wish, how much of it a text meets, times its salience."""
        present = frozenset(terms(text))
        met = {}
        for number, (wish, salience) in enumerate(zip(self._query.wishes, self._query.salience, strict=True)):
            share = max((weight for names, weight in wish if present.issuperset(names)), default=0.0)
            if share:
                met[number] = share * salience
        return met

    def _span(self, candidate: Candidate) -> Evidence:
        """The candidate's sentence, and the neighbours without which it would mislead or say nothing."""
        page = _page(self._article(candidate))
        place = page.places[candidate.sentence.start]
        low = high = place
        if candidate.sentence.block_kind in LISTED and self._reading.asks is Asks.STEPS:
            low, high = page.block(place)
        if low == place:
            low = _leaned_on(page, place)
        if page.text(candidate.sentence).endswith(":"):
            listed = next((one for one in page.lists if one.low == place + 1), None)
            high = listed.high if listed else high
        elif high == place:
            high = _turned_by(page, place)
            if high == place and self._reading.asks in _TOLD_ON:
                high = _told_on(page, place)
        return _evidence(page, range(low, high + 1), candidate)

    # Lists

    def _list(self) -> tuple[Evidence, ...]:
        """The list that answers, whole; or the one or two items of it that are asked for; or nothing."""
        best: tuple[float, _List] | None = None
        for one in self._lists():
            if (merit := self._merit(one)) is not None and (best is None or merit > best[0]):
                best = merit, one
        if best is None:
            return ()
        found = best[1]
        asked = self._items_asked_for(found)
        if asked is None:
            return ()
        if asked:
            return tuple(self._listed(found, range(low, high + 1)) for low, high in asked)
        low = found.low if found.lead_in is None else found.lead_in
        high = found.high if found.after is None else found.after
        return (self._listed(found, range(low, high + 1)),)

    def _lists(self) -> Iterator[_List]:
        """The lists of the best articles, best article first."""
        articles = dict.fromkeys(self._article(one) for one in self._considered[:5])
        for article in articles:
            yield from _page(article).lists

    def _merit(self, one: _List) -> float | None:
        """How well a list answers, in the units of a candidate's score; None when it is not to be shown."""
        starts = {sentence.start for sentence in one.page.sentences[one.low : one.high + 1]}
        lead = one.lead_in
        if lead is not None:
            starts.add(one.page.sentences[lead].start)
        best = self._considered[0]
        scores = [
            candidate.score
            for candidate in self._considered
            if candidate.sentence.start in starts and self._article(candidate) == one.page.article
        ]
        merit = max(scores, default=best.score - _GAP) - best.score
        if merit < -_GAP / 2:
            return None  # one sentence says it much better
        fits = self._role is not None and one.role is self._role
        # Warning signs are never shown as anything else.
        if one.role and not fits and (self._role or one.role is Role.WARNING):
            return None
        if not fits and self._role and any(role_of(h) is self._role for h in one.page.headings):
            return None  # the article has a section of just what is asked for
        introduced = f"{one.page.article.title} {one.introduction}"
        named = self._subjects(introduced)
        if named < self._subjects_of_best or not (self._places_named(introduced) or merit >= -_GAP / 3):
            return None
        covered = sum(self._met(f"{introduced} {one.text(one.low, one.high)}").values())
        if covered < (0.5 if fits else 1.0) * self._coverage(best):
            return None
        return merit + _GAP if fits else merit if merit >= -_GAP / 3 else None

    @cached_property
    def _subjects_of_best(self) -> float:
        page = _page(self._article(self._considered[0]))
        sentence = self._considered[0].sentence
        return self._subjects(f"{page.article.title} {page.heading(sentence)} {page.text(sentence)}")

    def _subjects(self, text: str) -> float:
        """The muscles, conditions and nerves of the question that a text names, by salience."""
        return sum(
            value for number, value in self._met(text).items() if self._query.salience[number] >= SUBJECT
        )

    def _places_named(self, text: str) -> bool:
        """Whether a text names a part of the body, or a condition, that the question names."""
        return any(self._query.salience[number] >= _A_PLACE for number in self._met(text))

    def _items_asked_for(self, one: _List) -> list[tuple[int, int]] | None:
        """The items that meet what heading and title leave open.

        Returns:
            Empty when the whole list is asked for; None when the list leaves open what none of it meets.
        """
        introduced = f"{one.page.article.title} {one.introduction}"
        if any(salience >= _A_PLACE for salience in self._query.salience) and not self._places_named(
            introduced
        ):
            # A list about something else: only the items that speak of what is asked for.
            named = [item for item in one.items if self._places_named(one.text(*item))]
            return named if named and len(named) <= 2 else None
        met = self._met(introduced)
        left = {
            number: salience
            for number, salience in enumerate(self._query.salience)
            if number not in met and not self._is_of_asking(number)
        }
        if sum(left.values()) < _TELLING:
            return []
        wanted = 0.6 * sum(left.values())
        asked = [
            item
            for item in one.items
            if sum(value for number, value in self._met(one.text(*item)).items() if number in left) >= wanted
        ]
        if asked and len(asked) <= 2 and len(asked) < len(one.items) / 2:
            return asked
        return [] if asked or self._holds_best(one) or one.role is self._role is not None else None

    def _holds_best(self, one: _List) -> bool:
        best = self._considered[0]
        first, last = one.page.sentences[one.low].start, one.page.sentences[one.high].start
        return self._article(best) == one.page.article and first <= best.sentence.start <= last

    def _is_of_asking(self, number: int) -> bool:
        """Whether a wish only says what kind of answer is asked for: "exercises", "causes", "best"."""
        names = self._query.wishes[number][0][0]
        return all(is_asking(term) or term in self._role_terms for term in names)

    @cached_property
    def _role_terms(self) -> frozenset[str]:
        role = self._role
        if role is None:
            return frozenset()
        return frozenset(stem(word) for word in words(self._reading.text) if announces(role, word))

    def _listed(self, one: _List, places: range) -> Evidence:
        whole = _evidence(one.page, places, self._nearest(one))
        if whole.words <= _LIST_WORDS:
            return whole
        # Every item is shown, but only its first sentence: the reader sees that it goes on.
        firsts = {low for low, _ in one.items}
        kept = tuple(
            (sentence.start, sentence.end)
            for place, sentence in ((place, one.page.sentences[place]) for place in places)
            if place in firsts or not one.low <= place <= one.high
        )
        return replace(whole, sentences=kept, end=kept[-1][1])

    def _nearest(self, one: _List) -> Candidate:
        """The best candidate of a list's article: its passage and score stand for the list."""
        return next(
            candidate for candidate in self._considered if self._article(candidate) == one.page.article
        )

    def _section(self) -> tuple[Evidence, ...]:
        """The opening of the section that is asked for, where it is told in paragraphs: "Symptoms"."""
        best = self._considered[0]
        page = _page(self._article(best))
        if self._role in {None, Role.WARNING} or self._subjects(page.article.title) < self._subjects_of_best:
            return ()
        places = [
            place for place, one in enumerate(page.sentences) if role_of(page.heading(one)) is self._role
        ]
        if not places or page.sentences[places[0]].block_kind in LISTED:
            return ()
        met = self._met(f"{page.article.title} {page.heading(page.sentences[places[0]])}")
        left = [n for n, _ in enumerate(self._query.wishes) if n not in met and not self._is_of_asking(n)]
        if sum(self._query.salience[number] for number in left) >= _TELLING:
            return ()
        high, size = places[0], 0
        for place in range(places[0], len(page.sentences)):
            one = page.sentences[place]
            size += len(page.text(one).split())
            if one.heading != page.sentences[places[0]].heading or size > _WORDS:
                break
            high = place
        return (_evidence(page, range(places[0], high + 1), best),)

    # Comparisons

    def _compared(self) -> tuple[Evidence, ...]:
        """Sentences that speak of both sides, else one or two for each; empty when a side is missing."""
        best = self._considered[0].score
        one, other = (frozenset(terms(side)) for side in self._reading.sides)
        wishes = [self._wishes_of(one, other), self._wishes_of(other, one)]
        if not all(wishes):
            return ()
        both: list[Evidence] = []
        each: tuple[list[Evidence], list[Evidence]] = ([], [])
        for candidate in self._considered:
            if candidate.score < best - 2 * _GAP or (both and all(each)):
                break
            names = [bool(wish & set(self._met(self._text(candidate)))) for wish in wishes]
            if all(names):
                both = both or [self._compared_on(candidate, set.union(*wishes))]
            elif any(names) and not each[names.index(True)]:
                side = names.index(True)
                each[side].append(replace(self._span(candidate), label=self._reading.sides[side]))
        if not both and not all(each):
            return ()
        spans: list[Evidence] = []
        for found in (*both, *each[0], *each[1]):
            spans = _with(spans, found, _WORDS)
        return tuple(spans)

    def _compared_on(self, candidate: Candidate, wishes: set[int]) -> Evidence:
        """A sentence that names both sides, and those after it that go on about either."""
        page = _page(self._article(candidate))
        low = high = page.places[candidate.sentence.start]
        last = page.block(low)[1]
        low = _leaned_on(page, low)
        while high < last and high - low < 3:
            text = page.text(page.sentences[high + 1])
            if not (wishes & set(self._met(text)) or leans(text)):
                break
            high += 1
        return _evidence(page, range(low, high + 1), candidate)

    def _wishes_of(self, side: frozenset[str], other: frozenset[str]) -> set[int]:
        """The wishes that tell this side from the other: the most telling words that only it has."""
        salience = {
            number: self._query.salience[number]
            for number, wish in enumerate(self._query.wishes)
            if side & set(wish[0][0]) and not other.issuperset(wish[0][0]) and not self._is_of_asking(number)
        }
        most = max(salience.values(), default=0.0)
        return {number for number, value in salience.items() if value >= 0.75 * most}


_TELLING = 0.8
_A_PLACE = 1.2
# What something is, and how two things differ, is often told in a short sentence and the one after it.
_TOLD_ON = frozenset({Asks.DEFINITION, Asks.COMPARISON})
_FIGURE = re.compile(
    r"\d|%|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|half|third|quarter|dozen|most|percent)\b",
    re.IGNORECASE,
)

_SHAPES = {
    Asks.NUMBER: _FIGURE,
    Asks.TIME: re.compile(rf"{_FIGURE.pattern}|\bwhen\b|\bif\b|\bafter\b", re.IGNORECASE),
    Asks.PERSON: re.compile(
        r"(?<=[a-z,;(] )[A-Z][a-z]+(?: and)? [A-Z][a-z]+|(?i:\b(?:people|women|men|adults?"
        r"|children|older|runners?|workers?|patients?|therapists?|doctors?|anyone|those who|players?)\b)"
    ),
    Asks.DEFINITION: re.compile(
        r"\b(?:is|are) (?:a|an|the|called|known|named|when|what)\b|\b(?:means|called|known as|refers to)\b",
        re.IGNORECASE,
    ),
}

# A sentence that begins like this says nothing without the one before it.
_LEANING = re.compile(
    r"[\"“'‘(]*(?:this|these|that|those|it|its|they|their|he|she|both|such|another|then|here|there"
    r"|instead|however|the (?:latter|former|same|two|other|second|third|first)|a (?:second|third)"
    r"|(?:so|but|and|or)\b"
    r"|for this|because of (?:this|that)|as a result|therefore|otherwise|yet|still|even so|in that case"
    r"|one of)\b",
    re.IGNORECASE,
)
# A sentence that begins like this takes back some of what the one before it says.
_TURNING = re.compile(
    r"[\"“'‘(]*(?:but|however|yet|still|though|although|even so|that said|on the other hand"
    r"|not (?:always|after|if)|other (?:trials|studies|reviews|research)|the evidence|critics|nobody|no one"
    r"|unless|except|only if|do not|don't|never)\b",
    re.IGNORECASE,
)
_TURN_WORDS = 60


def leans(text: str) -> bool:
    """Whether a sentence takes its subject from what stands before it."""
    return bool(_LEANING.match(text))


def _leaned_on(page: _Page, place: int) -> int:
    """First place of the sentences that a sentence leans on, in its paragraph: at most two back."""
    low = place
    while place - low < 2 and leans(page.text(page.sentences[low])):
        if not low or page.sentences[low - 1].block != page.sentences[place].block:
            break
        low -= 1
    return low


def _turned_by(page: _Page, place: int) -> int:
    """The place of the next sentence when it takes something back, else the same place."""
    after = place + 1
    if after >= len(page.sentences) or page.sentences[after].block != page.sentences[place].block:
        return place
    text = page.text(page.sentences[after])
    return after if _TURNING.match(text) and len(text.split()) <= _TURN_WORDS else place


def _told_on(page: _Page, place: int) -> int:
    """The place of the next sentence when it goes on about the same thing, else the same place."""
    after = place + 1
    if after >= len(page.sentences) or page.sentences[after].block != page.sentences[place].block:
        return place
    size = len(page.text(page.sentences[place]).split())
    return after if leans(page.text(page.sentences[after])) and size <= _SHORT else place


def _evidence(page: _Page, places: range, candidate: Candidate) -> Evidence:
    inside = tuple((page.sentences[place].start, page.sentences[place].end) for place in places)
    return Evidence(page.article, candidate.hit.passage, inside[0][0], inside[-1][1], inside, candidate.score)


def _with(spans: Sequence[Evidence], evidence: Evidence, limit: int) -> list[Evidence]:
    """The spans with one more, if it fits and says something new."""
    overlapped = [one for one in spans if _touch(one, evidence)]
    for one in overlapped:  # a sentence already quoted, and now the one that leans on it
        evidence = _union(one, evidence)
    others = [one for one in spans if one not in overlapped]
    size = sum(one.words for one in others) + evidence.words
    if spans and (size > limit or (not overlapped and _repeats(evidence, spans))):
        return list(spans)
    return [*others, evidence]


def _touch(one: Evidence, other: Evidence) -> bool:
    """Whether two spans overlap, or follow on each other in one paragraph or list."""
    if one.article.id != other.article.id or one.label != other.label:
        return False
    first, last = sorted((one, other), key=lambda span: span.start)
    between = one.article.text[first.end : last.start]
    return (not between.strip() and "\n\n" not in between) or bool(_NEXT_ITEM.fullmatch(between))


# What stands between two items of one list.
_NEXT_ITEM = re.compile(r"[ \t]*\n[ \t]*(?:[-*+•–]|\d{1,2}[.)])[ \t]+")


def _union(one: Evidence, other: Evidence) -> Evidence:
    """Both spans as one: their sentences in reading order."""
    sentences = tuple(sorted({*one.sentences, *other.sentences}))
    return replace(
        one,
        start=sentences[0][0],
        end=sentences[-1][1],
        sentences=sentences,
        score=max(one.score, other.score),
    )


def _repeats(evidence: Evidence, chosen: Sequence[Evidence]) -> bool:
    """Whether it says over again, in nearly the same words, what is already quoted, and does not deny it."""
    mine = set(terms(evidence.quote))
    for other in chosen:
        theirs = set(terms(other.quote))
        alike = len(mine & theirs) > 0.7 * min(len(mine), len(theirs) or 1)
        if alike and not contradict(evidence.quote, other.quote):
            return True
    return False


def _in_reading_order(spans: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Articles by their best sentence, and within an article as it is read."""
    best: dict[str, float] = {}
    for one in spans:
        best[one.article.id] = max(best.get(one.article.id, one.score), one.score)
    return tuple(sorted(spans, key=lambda one: (-best[one.article.id], one.article.id, one.start)))
