"""Answers: whole ones against golden questions, and their parts on public data.

    python -m tests.bench.answers --part wikiqa --limit 100

runs one part alone; `referral bench answers` runs them all.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from app import Settings, wire
from assistant.answer import Answer
from assistant.assistant import Assistant
from index.encoder import Encoder
from index.generation import Sourced
from index.store import Store
from ingest import sample
from ingest.sources import read_sources
from tests.bench import choice

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
    probability: float | None = None
    stages: dict[str, float] = field(default_factory=dict)


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
        answer, trace = assistant.explain(
            expected["question"], expected.get("history", ()), id=expected["id"]
        )
        seconds = time.perf_counter() - started
        outcomes.append(
            Outcome(
                expected["id"],
                expected.get("trick", "seed"),
                tuple(expected["kinds"]),
                answer.kind,
                judge(expected, answer),
                seconds,
                trace.selection.answerable if trace.selection else None,
                dict(answer.seconds),
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
        "kinds": _confusion(outcomes),
        "calibration": choice.reliability(
            [(one.probability, "answer" in one.kinds) for one in outcomes if one.probability is not None]
        ),
        "median_ms": _milliseconds(seconds, 0.5),
        "p95_ms": _milliseconds(seconds, 0.95),
        "stages_median_ms": {
            stage: _milliseconds([one.stages.get(stage, 0.0) for one in outcomes], 0.5)
            for stage in ("safety", "retrieve", "evidence", "total")
        },
        "failures": {one.id: list(one.faults) for one in outcomes if one.faults},
    }


def _confusion(outcomes: Sequence[Outcome]) -> dict[str, dict[str, int]]:
    """How often each kind was given, by the first kind expected."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for one in outcomes:
        counted[one.kinds[0]][one.kind] += 1
    return {expected: dict(counts) for expected, counts in counted.items()}


def _milliseconds(seconds: Sequence[float], share: float) -> float:
    ordered = sorted(seconds)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 1)


PARTS = ("golden", "wikiqa", "squad", "cast")
LIMIT = 400  # questions of each public set


def run(
    data: Path, out: Path = Path("bench-results"), parts: Sequence[str] = PARTS, limit: int = LIMIT
) -> dict[str, Any]:
    """Some parts, or all.

    Args:
        data: The folder of evaluation data.
        out: Gets the stores and the plot of the calibration.
        parts: Of `PARTS`. What `cast` finds is found among the articles of `wikiqa` and `squad`.
        limit: Questions of each public set.
    """
    encoder = Encoder()
    result: dict[str, Any] = {"golden": _golden(data, out, encoder)} if "golden" in parts else {}
    if set(parts) & {"wikiqa", "squad", "cast"}:
        result |= _public(data, out, encoder, parts, limit)
    curves = {name: one["calibration"] for name, one in result.get("golden", {}).items()}
    if "squad" in result:
        curves["squad"] = result["squad"]["calibration"]
    if curves:
        try:
            choice.plot(curves, out / "answers.png")
        except ModuleNotFoundError as error:
            result["no plot"] = f"{error.name} is missing"
    return result


def _golden(data: Path, out: Path, encoder: Encoder) -> dict[str, Any]:
    """The seed page's questions on a store of it alone, and the golden questions on the sample blog."""
    seed = data / "seed"
    pages = {"sample": [sample.FOLDER], "seed": sorted(seed.glob("*.txt"))}
    golden = {"sample": load(GOLDEN), "seed": load(seed / "questions.jsonl")}
    result = {}
    for name, sources in pages.items():
        store = out / "stores" / name
        Store(store).write([Sourced(one, name) for one in read_sources(sources).articles], encoder)
        result[name] = summary(evaluate(wire(store, Settings()), golden[name]))
    return result


def _public(data: Path, out: Path, encoder: Encoder, parts: Sequence[str], limit: int) -> dict[str, Any]:
    sets = {
        "wikiqa dev": choice.wikiqa(data / "wikiqa" / "dev.jsonl", limit),
        "wikiqa test": choice.wikiqa(data / "wikiqa" / "test.jsonl", limit),
        "squad": choice.squad(data / "squad2" / "dev.json", limit),
    }
    chosen = {name: one for name, one in sets.items() if "cast" in parts or name.split()[0] in parts}
    articles = [article for found, _ in chosen.values() for article in found]
    searcher = choice.Searcher.over(articles, out / "stores" / "public", encoder)
    result: dict[str, Any] = {}
    if "wikiqa" in parts:
        for name in ("wikiqa dev", "wikiqa test"):
            result[name] = choice.sentence_ranking(searcher, sets[name][1])
    if "squad" in parts:
        row, shown = choice.answerability(searcher, sets["squad"][1])
        result["squad"] = {**row, "calibration": choice.reliability(shown)}
    if "cast" in parts:
        result["cast"] = choice.follow_ups(data / "cast2019" / "eval.jsonl", searcher, limit)
    return result


def table(result: dict[str, Any]) -> str:
    """The result for the terminal."""
    lines = []
    keys = ("answerable_quoted", "answerable_abstained", "answerable_related", "unanswerable_answered")
    for name, one in result.get("golden", {}).items():
        lines.append(f"{name}: all {one['all']:.3f}, median {one['median_ms']} ms, p95 {one['p95_ms']} ms")
        lines += [f"  {key:<24}{one[key]:.3f}" for key in keys]
        lines += [
            f"  {trick:<24}{share:.3f}  of {count}" for trick, (count, share) in one["by_trick"].items()
        ]
        lines += [
            f"  expected {expected:<12} {', '.join(f'{kind} {count}' for kind, count in given.items())}"
            for expected, given in one["kinds"].items()
        ]
        lines += [f"  median {stage:<10}{value:8.1f} ms" for stage, value in one["stages_median_ms"].items()]
        lines += _curve(one["calibration"])
    for name in ("wikiqa dev", "wikiqa test", "squad", "cast"):
        if row := result.get(name):
            figures = [f"{key} {value:.3f}" for key, value in row.items() if isinstance(value, float)]
            lines.append(f"{name}, {row['questions']} questions: {', '.join(figures)}")
            lines += _curve(row["calibration"]) if "calibration" in row else []
    return "\n".join(lines)


def _curve(curve: dict[str, Any]) -> list[str]:
    lines = [f"  the probability shown is wrong by {curve['expected_error']:.3f} on average"]
    lines += [
        f"    {said:.2f} shown, {true:.2f} true, {count:4d} questions" for count, said, true in curve["bins"]
    ]
    return lines


def _share(outcomes: Sequence[Outcome]) -> float:
    return sum(not one.faults for one in outcomes) / len(outcomes) if outcomes else 0.0


def _share_of_kind(outcomes: Sequence[Outcome], kind: str) -> float:
    return sum(one.kind == kind for one in outcomes) / len(outcomes) if outcomes else 0.0


def main(
    data: Annotated[Path, typer.Option(help="The folder of evaluation data.")] = Path("../shared/data"),
    out: Annotated[Path, typer.Option(help="Gets the stores and the plot.")] = Path("bench-results"),
    part: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(PARTS)}; all by default.")] = None,
    limit: Annotated[int, typer.Option(min=2, help="Questions of each public set.")] = LIMIT,
) -> None:
    """Run some parts of the bench."""
    out.mkdir(parents=True, exist_ok=True)
    typer.echo(table(run(data, out, part or PARTS, limit)))


if __name__ == "__main__":
    typer.run(main)
