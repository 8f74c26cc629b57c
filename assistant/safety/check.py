"""Decides, before anything else happens, whether a conversation describes something that cannot wait.

Rules written from public guidance (signs.toml, rules.toml) and a small model fitted on messages.jsonl both
read the conversation; the more urgent of the two counts. No language model is involved, and nothing is
stored.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Generic, TypeVar

from assistant.safety.model import Model, Opinion
from assistant.safety.reading import Said, tells_of_a_frame, tells_of_nobody
from assistant.safety.rules import LEVELS, TOPIC, UNWELL, Conclusion, Finding, Level, Rules

__all__ = ["Decision", "Level", "SafetyCheck"]

# Turns of a conversation that are read together, newest last; older ones no longer add up.
REMEMBERED_TURNS = 30
# Decisions kept by the digest of what was read, so that each turn costs one reading and not one per earlier
# turn.
REMEMBERED_DECISIONS = 2000
REMEMBERED_MESSAGES = 1000

# Signs that complain of nothing by themselves.
NO_COMPLAINT = frozenset({"recent", "happening_now", "new", "seen", "improving", "benign", "practitioner"})
# Nor do those that tell of whom, of what came before or how long it has been, unless the model is very sure.
CIRCUMSTANCES = frozenset(
    """a_week_or_more weeks_on_end at_night sudden eased both_legs one_side one_sided_leg vignette mild travel
    child small_child teenager old over_50 over_60 pregnant late_pregnancy early_pregnancy after_birth
    cancer_history clot_history heart_history high_blood_pressure diabetes weak_immunity brittle_bones
    known_aneurysm known_epilepsy smoker injects_drugs steroids thinners anti_inflammatories pill iron
    drug_word overdose_question recent_surgery immobile needled hard_effort small_knock old_fall spine_trauma
    by_person allergen posture_numb chest_wall figurative_fit""".split()
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the safety check concluded.

    Attributes:
        level: None when nothing needs saying. `emergency_now`, `same_day` and `soon` lead the reply;
            `safety_net` is one line below it.
        category: A key of rules.toml, or None for an illness that fits none of them.
        reasons: For staff, never for visitors: each sign with its words and what was said of it, and the
            model's probabilities.
        unheard: What the model said though it raised nothing; for staff, and no part of the decision.
    """

    level: Level | None = None
    category: str | None = None
    reasons: tuple[str, ...] = ()
    unheard: str = field(default="", compare=False)

    @property
    def leads(self) -> bool:
        """Whether the notice comes before everything else in the reply."""
        return self.level in {"emergency_now", "same_day", "soon"}

    @property
    def urgency(self) -> int:
        """For comparing: 0 nothing, 1 safety_net, 2 soon, 3 same_day, 4 emergency_now."""
        return 0 if self.level is None else 1 + LEVELS.index(self.level)


_Made = TypeVar("_Made")


class _Remembered(Generic[_Made]):
    """What was made of texts, by the texts' digests; the least recently used goes first. For any thread."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._made: OrderedDict[bytes, _Made] = OrderedDict()
        self._lock = Lock()

    def get(self, texts: Sequence[str], make: Callable[[], _Made]) -> _Made:
        key = hashlib.blake2b("\0".join(texts).encode("utf-8", "replace"), digest_size=16).digest()
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
        made = make()  # two threads may do the same work at times; neither waits for the other
        with self._lock:
            self._made[key] = made
            if len(self._made) > self._size:
                self._made.popitem(last=False)
        return made


@dataclass(frozen=True, slots=True)
class _Message:
    """A message as it was read.

    Attributes:
        findings: Its signs, as if it were the first turn.
        telling: Its text without the plainly ordinary sentences; empty when there is nothing else.
        of_nobody: Whether it is about study, fiction, news or somebody imagined, and nobody else.
    """

    findings: tuple[Finding, ...]
    telling: str
    of_nobody: bool


_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


class SafetyCheck:
    """Reads messages; make one and keep it. Threads may share it."""

    def __init__(self) -> None:
        self._rules = Rules()
        self._model = Model.load()
        self._messages = _Remembered[_Message](REMEMBERED_MESSAGES)
        self._decisions = _Remembered[Decision](REMEMBERED_DECISIONS)

    def check(self, message: str, history: Sequence[str] = ()) -> Decision:
        """Judge the message together with the visitor's earlier ones.

        A notice once raised stays until the visitor says that they have been examined; a new sign raises it
        again.

        Args:
            message: The newest message of the visitor.
            history: The visitor's earlier messages, oldest first.
        """
        turns = [*history[-REMEMBERED_TURNS:], message]
        first = self._first_that_counts(turns)
        latest = self._decide(turns[first:])
        raised = [self._decide(turns[first:end]) for end in range(first + 1, len(turns))]
        return max([latest, *(one for one in raised if one.leads)], key=lambda one: one.urgency)

    def _first_that_counts(self, turns: Sequence[str]) -> int:
        """The turn after the last earlier one in which the visitor said that they had been examined."""
        for number in range(len(turns) - 1, -1, -1):
            findings = self._message(turns[number]).findings
            if any(f.sign == "seen" and f.said is Said.PRESENT for f in findings):
                # What is told in the same breath is judged with it; see _still_counting.
                return number
        return 0

    def _message(self, text: str) -> _Message:
        return self._messages.get([text], lambda: self._read(text))

    def _read(self, text: str) -> _Message:
        findings = tuple(self._rules.signs.find(text))
        parts = [part for part in _SENTENCE_END.split(text) if part.strip()]
        of_nobody = tells_of_nobody(text)
        if len(parts) == 1:
            return _Message(findings, "" if self._is_ordinary(text, findings) else text, of_nobody)
        telling = [part for part in parts if not self._is_ordinary(part, self._rules.signs.find(part))]
        return _Message(findings, " ".join(telling), of_nobody)

    def _is_ordinary(self, text: str, findings: Sequence[Finding]) -> bool:
        # "For my exam" is no sign, but without it the rest would be taken for a report.
        return not findings and not tells_of_a_frame(text) and self._model.finds_ordinary(text)

    def _decide(self, turns: Sequence[str]) -> Decision:
        return self._decisions.get(turns, lambda: self._judge(turns))

    def _judge(self, turns: Sequence[str]) -> Decision:
        messages = [self._message(turn) for turn in turns]
        findings = [replace(f, turn=number) for number, one in enumerate(messages) for f in one.findings]
        counting, settled = _still_counting(findings)
        held = self._rules.conclude(counting)
        by_rules = _decision(held[0], counting) if held else Decision()
        if by_rules.level == "emergency_now":
            return by_rules
        telling = [one.telling for one in messages if one.telling]
        best, said = by_rules, ""
        if telling:
            opinion = self._model.opinion(telling, findings, self._rules.conclude(findings))
            heard = _may_raise(findings, opinion, of_nobody=all(one.of_nobody for one in messages))
            by_model = _from_opinion(opinion) if heard else Decision()
            best = max(by_rules, by_model, key=lambda one: one.urgency)
            said = str(opinion)
            best = replace(best, reasons=(*best.reasons, said))
        if best.leads:
            return best
        below = self._safety_net([f for f in findings if f.turn == len(turns) - 1], settled=settled)
        return replace(below, unheard=said)

    def _safety_net(self, findings: Sequence[Finding], *, settled: bool) -> Decision:
        said = [finding for finding in findings if finding.said is not Said.DENIED]
        told = self._rules.conclude(said, counted=(Said.PRESENT, Said.PAST, Said.SUPPOSED))
        if told:
            return _decision(told[0], said, level="safety_net")
        topics = [f for f in findings if f.sign.startswith(TOPIC)]
        if topics:
            return Decision(
                "safety_net", topics[0].sign.removeprefix(TOPIC), (f"names: “{topics[0].words}”",)
            )
        return Decision("safety_net", None, ("says they have been examined",)) if settled else Decision()


def _still_counting(findings: Sequence[Finding]) -> tuple[list[Finding], bool]:
    """The findings that count after what the visitor said about being examined, and whether they said so.

    What was told up to then is settled, unless it is worse or back since; what is new since then counts.
    """
    visits = [(f.turn, f.sentence) for f in findings if f.sign == "seen" and f.said is Said.PRESENT]
    if not visits:
        return list(findings), False
    last = max(visits)
    before = {f.sign for f in findings if (f.turn, f.sentence) <= last and f.said is Said.PRESENT}
    after = [f for f in findings if (f.turn, f.sentence) > last]
    since = {f.sign for f in after if f.said is Said.PRESENT}
    told_anew = since & {"recent", "happening_now", "new"} and since - before - NO_COMPLAINT
    if since & {"worsening", "came_back"} or (told_anew and not since & {"improving", "benign"}):
        return list(findings), False
    return [f for f in after if f.sign not in before], True


def _decision(conclusion: Conclusion, findings: Sequence[Finding], level: Level | None = None) -> Decision:
    used = [f"{f.sign}: “{f.words}” ({f.said.value})" for f in conclusion.findings]
    denied = [f"{f.sign}: “{f.words}” (denied, not counted)" for f in findings if f.said is Said.DENIED]
    category = None if conclusion.category == UNWELL else conclusion.category
    return Decision(level or conclusion.level, category, tuple(dict.fromkeys([*used, *denied])))


# How sure the model must be where the rules see no complaint, and where all that they see is told as denied,
# past or supposed.
_SURE_ALONE = 0.9
_SURE_AGAINST = 0.97


def _may_raise(findings: Sequence[Finding], opinion: Opinion, *, of_nobody: bool) -> bool:
    """Whether the model may lead the reply: beside a sign that is told as present, or when it is very sure.

    Alone it takes oddities ("iphone won't charge") and suppositions ("what if someone had chest pain") for
    more than they are.
    """
    told = {finding.sign for finding in findings if finding.said is Said.PRESENT}
    if told - NO_COMPLAINT - CIRCUMSTANCES:
        return True
    sure = _SURE_AGAINST if findings and not told else _SURE_ALONE
    return not of_nobody and opinion.at_least[0] >= sure


def _from_opinion(opinion: Opinion) -> Decision:
    return Decision(opinion.level, opinion.category) if opinion.level else Decision()
