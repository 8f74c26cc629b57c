"""Decides, before anything else happens, whether a conversation describes something that cannot wait.

Rules written from public guidance (signs.toml, rules.toml) and a small model fitted on messages.jsonl both read
the conversation; the more urgent of the two counts. No language model is involved, and nothing is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from assistant.safety.model import Model
from assistant.safety.reading import Said
from assistant.safety.rules import TOPIC, Conclusion, Finding, Rules

Level = Literal["emergency_now", "same_day", "soon", "safety_net"]
HERE = Path(__file__).parent
Encode = Callable[[list[str]], np.ndarray]

# Turns of a conversation that are read together, newest last; older ones no longer add up.
REMEMBERED_TURNS = 30


@dataclass(frozen=True, slots=True)
class Decision:
    """What the safety check concluded.

    Attributes:
        level: None when nothing needs saying. `emergency_now`, `same_day` and `soon` lead the reply;
            `safety_net` is one line below it.
        category: A key of rules.toml, or None for an illness that fits none of them.
        reasons: For staff, never for visitors: each sign with its words and what was said of it, and the
            model's probability.
    """

    level: Level | None = None
    category: str | None = None
    reasons: tuple[str, ...] = ()

    @property
    def leads(self) -> bool:
        """Whether the notice comes before everything else in the reply."""
        return self.level in {"emergency_now", "same_day", "soon"}


@dataclass(frozen=True, slots=True)
class Reading:
    """One message read on its own."""

    text: str
    findings: tuple[Finding, ...]


class SafetyCheck:
    """Reads messages; make one and keep it.

    Args:
        encode: Sentence embeddings for the model, texts to (n, dim) unit vectors; None to do without.
    """

    def __init__(self, encode: Encode | None = None) -> None:
        self._rules = Rules()
        self._model = Model.load() if (HERE / "weights.npz").exists() else None
        self._encode = encode
        self._readings: dict[str, Reading] = {}

    def check(self, message: str, history: Sequence[str] = ()) -> Decision:
        """Judge the message together with the visitor's earlier ones.

        A notice once raised stays until the visitor says that they have been examined; a new sign raises it
        again.

        Args:
            message: The newest message of the visitor.
            history: The visitor's earlier messages, oldest first.
        """
        turns = [self._read(turn, number) for number, turn in enumerate([*history[-REMEMBERED_TURNS:], message])]
        live, settled = _still_counting(turns)
        urgent = self._rules.conclude(live)
        if urgent:
            return _decision(urgent[0], live)
        return self._safety_net(turns, settled)

    def _safety_net(self, turns: list[Reading], settled: bool) -> Decision:
        here = [finding for finding in turns[-1].findings if finding.said is not Said.DENIED]
        told = self._rules.conclude(here, counted=(Said.PRESENT, Said.PAST, Said.SUPPOSED))
        if told:
            return _decision(told[0], here, level="safety_net")
        topics = [f for f in turns[-1].findings if f.sign.startswith(TOPIC)]
        if topics:
            return Decision("safety_net", topics[0].sign.removeprefix(TOPIC), (f"names: {topics[0].words}",))
        if settled:
            return Decision("safety_net", None, ("says they have been seen",))
        return Decision()

    def _read(self, text: str, turn: int) -> Reading:
        return Reading(text, tuple(self._rules.signs.find(text, turn)))


def _still_counting(turns: list[Reading]) -> tuple[list[Finding], bool]:
    """The findings that still count after what the visitor said about being examined."""
    findings = [finding for turn in turns for finding in turn.findings]
    visits = [(f.turn, f.sentence) for f in findings if f.sign == "seen" and f.said is not Said.SUPPOSED]
    if not visits:
        return findings, False
    last = max(visits)
    before = {f.sign for f in findings if (f.turn, f.sentence) <= last and f.said is Said.PRESENT}
    after = [f for f in findings if (f.turn, f.sentence) > last and f.said is Said.PRESENT]
    renewed = any(f.sign in {"worsening", "came_back"} for f in after)
    new = [f for f in after if f.sign not in before]
    return (findings, False) if renewed else (new, True)


def _decision(conclusion: Conclusion, findings: Sequence[Finding], level: Level | None = None) -> Decision:
    used = [f"{f.sign}: “{f.words}” ({f.said.value})" for f in conclusion.findings]
    denied = [f"{f.sign}: “{f.words}” (denied, not counted)" for f in findings if f.said is Said.DENIED]
    return Decision(level or conclusion.level, conclusion.category, tuple(dict.fromkeys([*used, *denied])))
