"""What a run of golden questions comes to."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence

from assistant.staff.tables import OutcomeRow

# What is measured, in the order in which it is shown. A share is 0..1 of those questions that it applies to.
MEASURES = {
    "passed": "All as expected",
    "kind": "Kind of answer right",
    "article": "Right article cited",
    "sentence": "Answering sentence quoted",
    "overreach": "Unanswerable, but answered",
    "seconds": "Seconds an answer, median",
}
LOWER_IS_BETTER = frozenset({"overreach", "seconds"})


def measures(outcomes: Sequence[OutcomeRow]) -> dict[str, float | None]:
    """The measures of a run; None where no question asks for it."""
    unanswerable = [one for one in outcomes if "abstention" in one.expected and "answer" not in one.expected]
    return {
        "passed": _share(outcomes, lambda one: not one.faults),
        "kind": _share(outcomes, lambda one: one.kind in one.expected),
        "article": _share(outcomes, lambda one: one.right_article),
        "sentence": _share(outcomes, lambda one: one.right_sentence),
        "overreach": _share(unanswerable, lambda one: one.kind == "answer"),
        "seconds": statistics.median([one.seconds for one in outcomes]) if outcomes else None,
    }


def _share(outcomes: Iterable[OutcomeRow], holds: Callable[[OutcomeRow], bool | None]) -> float | None:
    """Of those for which it can be said at all."""
    said = [found for found in map(holds, outcomes) if found is not None]
    return sum(said) / len(said) if said else None
