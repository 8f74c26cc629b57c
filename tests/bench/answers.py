"""Whole answers against golden questions: the right kind, the right sentence, per way of asking."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import Settings, wire
from assistant.answer import Answer
from assistant.assistant import Assistant
from index.encoder import Encoder
from index.generation import Sourced
from index.store import Store
from ingest import sample
from ingest.sources import read_sources

GOLDEN = Path(__file__).with_name("golden.jsonl")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one golden question fared; `faults` is empty when everything expected holds."""

    id: str
    trick: str
    kinds: tuple[str, ...]
    kind: str
    faults: tuple[str, ...]
    seconds: float


def load(path: Path) -> list[dict[str, Any]]:
    """The expectations of a file, one a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def judge(expected: dict[str, Any], answer: Answer) -> tuple[str, ...]:
    """What an answer lacks of what its golden question expects, in plain words."""
    faults = []
    if answer.kind not in expected["kinds"]:
        faults.append(f"kind {answer.kind}, expected {'/'.join(expected['kinds'])}")
    quotes = "\n".join(" ".join(one.quote.split()) for one in answer.citations)
    wanted = [" ".join(one.split()) for one in expected.get("must_quote_any", [])]
    # A refusal need not quote, and where several kinds are right only the answering ones must.
    if wanted and answer.kind in {"answer", "related", "abstention"} and not any(w in quotes for w in wanted):
        faults.append("the answering sentence is not quoted")
    shown = answer.text.lower()
    forbidden = [*expected.get("must_not_quote", []), *expected.get("must_not_contain", [])]
    faults += [f"shows {word!r}" for word in forbidden if word.lower() in shown]
    faults += [
        f"does not say {word!r}" for word in expected.get("answer_contains", []) if word not in answer.text
    ]
    if not answer.disclaimer:
        faults.append("no disclaimer")
    return tuple(faults)


def evaluate(assistant: Assistant, golden: Iterable[dict[str, Any]]) -> list[Outcome]:
    """Ask every golden question."""
    outcomes = []
    for expected in golden:
        started = time.perf_counter()
        answer = assistant.ask(expected["question"], expected.get("history", ()), id=expected["id"])
        seconds = time.perf_counter() - started
        outcomes.append(
            Outcome(
                expected["id"],
                expected.get("trick", "seed"),
                tuple(expected["kinds"]),
                answer.kind,
                judge(expected, answer),
                seconds,
            )
        )
    return outcomes


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Shares over all and by trick, and the failures."""
    by_trick: dict[str, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        by_trick[one.trick].append(one)
    answerable = [one for one in outcomes if one.kinds == ("answer",)]
    unanswerable = [one for one in outcomes if "abstention" in one.kinds]
    seconds = sorted(one.seconds for one in outcomes)
    return {
        "all": _share(outcomes),
        "answerable_quoted": _share(answerable),
        "answerable_abstained": _share_of_kind(answerable, "abstention"),
        "answerable_related": _share_of_kind(answerable, "related"),
        "unanswerable_answered": _share_of_kind(unanswerable, "answer"),
        "by_trick": {trick: [len(ones), _share(ones)] for trick, ones in sorted(by_trick.items())},
        "median_ms": round(seconds[len(seconds) // 2] * 1000, 1),
        "p95_ms": round(seconds[int(len(seconds) * 0.95)] * 1000, 1),
        "failures": {one.id: list(one.faults) for one in outcomes if one.faults},
    }


def run(data: Path) -> dict[str, Any]:
    """The seed page's questions on a store of it alone, and the golden questions on the sample blog."""
    encoder = Encoder()
    stores = Path("bench-results/stores")
    seed = data / "seed"
    pages = {"sample": [sample.FOLDER], "seed": sorted(seed.glob("*.txt"))}
    golden = {"sample": load(GOLDEN), "seed": load(seed / "questions.jsonl")}
    result = {}
    for name, sources in pages.items():
        ingested = read_sources(sources)
        Store(stores / name).write([Sourced(one, name) for one in ingested.articles], encoder)
        result[name] = summary(evaluate(wire(stores / name, Settings()), golden[name]))
    return result


def table(result: dict[str, Any]) -> str:
    """The result for the terminal."""
    lines = []
    keys = ("answerable_quoted", "answerable_abstained", "answerable_related", "unanswerable_answered")
    for name, one in result.items():
        lines.append(f"{name}: all {one['all']:.3f}, median {one['median_ms']} ms, p95 {one['p95_ms']} ms")
        lines += [f"  {key:<24}{one[key]:.3f}" for key in keys]
        lines += [
            f"  {trick:<24}{share:.3f}  of {count}" for trick, (count, share) in one["by_trick"].items()
        ]
    return "\n".join(lines)


def _share(outcomes: Sequence[Outcome]) -> float:
    return sum(not one.faults for one in outcomes) / len(outcomes) if outcomes else 0.0


def _share_of_kind(outcomes: Sequence[Outcome], kind: str) -> float:
    return sum(one.kind == kind for one in outcomes) / len(outcomes) if outcomes else 0.0
