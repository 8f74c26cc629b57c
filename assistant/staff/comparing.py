"""Two runs beside each other, question by question, and the measures of all runs over the generations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from assistant.staff.measures import MEASURES
from assistant.staff.runs import State
from assistant.staff.tables import OutcomeRow, RunRow


class Change(Enum):
    """From one run to another, for one question; what matters most comes first."""

    WORSE = "worse"
    BETTER = "better"
    OTHER = "other words"
    ONLY = "asked in one only"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Pair:
    """One question in two runs."""

    name: str
    question: str
    before: OutcomeRow | None
    after: OutcomeRow | None

    @property
    def change(self) -> Change:
        """What changed."""
        before, after = self.before, self.after
        if before is None or after is None:
            return Change.ONLY
        if bool(before.faults) != bool(after.faults):
            return Change.WORSE if after.faults else Change.BETTER
        same = (before.kind, before.text, before.faults) == (after.kind, after.text, after.faults)
        return Change.SAME if same else Change.OTHER


@dataclass(frozen=True, slots=True)
class Series:
    """One measure over the generations.

    Attributes:
        name: A key of MEASURES.
        points: By engine, for each generation the value; None where it was not measured.
    """

    name: str
    generations: tuple[str, ...]
    points: dict[str, tuple[float | None, ...]]


def pairs(before: Sequence[OutcomeRow], after: Sequence[OutcomeRow]) -> list[Pair]:
    """Every question of two runs, changed ones first."""
    first = {one.name: one for one in before}
    second = {one.name: one for one in after}
    found = [
        Pair(name, (second.get(name) or first[name]).question, first.get(name), second.get(name))
        for name in dict.fromkeys([*first, *second])
    ]
    order = list(Change)
    return sorted(found, key=lambda one: order.index(one.change))


def trends(runs: Iterable[RunRow]) -> list[Series]:
    """Each measure over the generations, by the newest whole run of each engine on each."""
    latest: dict[tuple[str, str], RunRow] = {}
    for run in sorted(runs, key=lambda one: one.id):
        if run.state == State.DONE.value:
            latest[run.engine, run.generation] = run
    generations = tuple(sorted({generation for _, generation in latest}))
    engines = sorted({engine for engine, _ in latest})
    found = {key: run.measures for key, run in latest.items()}
    return [
        Series(
            name,
            generations,
            {
                engine: tuple(found.get((engine, one), {}).get(name) for one in generations)
                for engine in engines
            },
        )
        for name in MEASURES
    ]
