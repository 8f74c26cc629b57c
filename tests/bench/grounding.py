"""The grounding check against people's judgements: how many unsupported sentences pass, at which retention.

HealthVer's claims were not written from their evidence, and many are borne out by it only for someone who
knows medicine; a check that reads words alone must turn these away. BEGIN's responses were written from their
knowledge by dialogue models, as a language model's answer is from its evidence.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import rankdata

from assistant.support import fit
from assistant.support.facts import read
from assistant.support.model import FEATURES, Judge, fitted
from assistant.support.rules import Sources, faults, sources_of
from index.lexicon import Lexicon

if TYPE_CHECKING:
    from collections.abc import Iterator

Doubles: TypeAlias = NDArray[np.float64]

MAY_PASS = 0.02
SETS = {"healthver": ("healthver",), "begin": ("begin-wow", "begin-tc", "begin-cmu")}


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence, what it is said to rest on, and whether people found that it does."""

    name: str
    claim: str
    sources: Sources
    supported: bool
    group: str


def load(data: Path) -> list[Case]:
    """Every case of both sets; of BEGIN, only "fully attributable" is supported."""
    out = [
        Case(
            "healthver",
            row["claim"],
            sources_of([row["evidence"]], [""]),
            row["label"] == "Supports",
            row["topic"],
        )
        for row in _rows(data / "healthver" / "dev.jsonl")
    ]
    for name in ("wow", "tc", "cmu"):
        out += [
            Case(
                f"begin-{name}",
                row["response"],
                sources_of([row["knowledge"]], [""]),
                row["label"] == "Fully attributable",
                row["knowledge"],
            )
            for row in _rows(data / "begin" / f"{name}_dev.jsonl")
        ]
    return [case for case in out if case.sources.sentences]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())


def run(data: Path) -> dict[str, Any]:
    """Judge every case of both sets."""
    return judged(load(data))


def judged(cases: Sequence[Case]) -> dict[str, Any]:
    """Judge some cases, and draw the curves."""
    lexicon = Lexicon.load()
    judge = Judge(lexicon)
    vetoed = np.array([bool(faults(case.claim, case.sources, lexicon)) for case in cases])
    empty = np.array([not read(case.claim).content for case in cases])
    rows, seconds = [], []
    for case, skip in zip(cases, vetoed | empty, strict=True):
        start = time.perf_counter()
        rows.append(np.zeros(len(FEATURES)) if skip else judge.features(case.claim, case.sources))
        seconds.append(time.perf_counter() - start)
    features = np.array(rows, float)
    model = fitted()
    weights = np.array([model.weights.get(name, 0.0) for name in FEATURES])
    support = np.where(vetoed | empty, 0.0, expit(features @ weights + model.bias))
    result: dict[str, Any] = {"threshold": model.threshold, "sets": {}}
    for name, parts in SETS.items():
        mine = np.array([case.name in parts for case in cases])
        labels = np.array([case.supported for case in cases])
        result["sets"][name] = {
            "cases": int(mine.sum()),
            "supported": int(labels[mine].sum()),
            "vetoed_supported": _mean(vetoed[mine & labels]),
            "vetoed_unsupported": _mean(vetoed[mine & ~labels]),
            "as_shipped": measures(support[mine], labels[mine], model.threshold),
            "fitted_on_the_other_half": measures(
                _halves(features, labels, vetoed | empty, mine, cases)[mine], labels[mine], model.threshold
            ),
        }
    taken = np.array(seconds)[~(vetoed | empty)]
    result["features_median_ms"] = round(float(np.median(taken)) * 1000, 1)
    return result


def measures(support: Doubles, labels: NDArray[np.bool_], threshold: float) -> dict[str, Any]:
    """Area under the curve, what passes at the threshold, the best retention at MAY_PASS, and the curve."""
    points = curve(support, labels)
    passed = support >= threshold
    return {
        "auc": round(area(support, labels), 3),
        "retention_at_threshold": _mean(passed[labels]),
        "passing_at_threshold": _mean(passed[~labels]),
        "caught_precision": _mean(~labels[~passed]),
        "caught_recall": _mean(~passed[~labels]),
        "retention_at_2_percent": max((kept for slipped, kept in points if slipped <= MAY_PASS), default=0.0),
        "curve": points,
    }


def curve(support: Doubles, labels: NDArray[np.bool_], most: int = 200) -> list[tuple[float, float]]:
    """Shares of unsupported and of supported sentences that pass, the strictest threshold first."""
    steps = np.unique(support[support > 0])[::-1]
    chosen = (
        steps[np.unique(np.linspace(0, len(steps) - 1, min(most, len(steps))).astype(int))]
        if len(steps)
        else []
    )
    return [
        (
            round(float((support[~labels] >= step).mean()), 4),
            round(float((support[labels] >= step).mean()), 4),
        )
        for step in chosen
    ]


def area(scores: Doubles, labels: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: the chance that a supported sentence scores above an unsupported one."""
    ranks = rankdata(scores)
    right, wrong = int(labels.sum()), int((~labels).sum())
    return (
        float((ranks[labels].sum() - right * (right + 1) / 2) / (right * wrong)) if right and wrong else 0.5
    )


def _halves(
    features: Doubles,
    labels: NDArray[np.bool_],
    out: NDArray[np.bool_],
    mine: NDArray[np.bool_],
    cases: Sequence[Case],
) -> Doubles:
    """What fitting to the set itself would give: each half by a model of the other, by topic."""
    groups = sorted({case.group for case, inside in zip(cases, mine, strict=True) if inside})
    half = {group: place % 2 == 0 for place, group in enumerate(groups)}
    first = np.array([half.get(case.group, False) for case in cases])
    support = np.zeros(len(cases))
    table = fit.Table(
        features, labels, out, np.zeros(len(cases), bool), np.array([case.group for case in cases])
    )
    for side in (first, ~first):
        weights, bias = fit.fit(table, mine & ~side)
        support[side] = expit(features[side] @ weights + bias)
    support[out] = 0.0
    return support


def _mean(flags: NDArray[np.bool_]) -> float:
    return round(float(flags.mean()), 3) if len(flags) else 0.0


def table(result: dict[str, Any]) -> str:
    """The result for the terminal."""
    head = f"{'':<36}{'AUC':>7}{'kept':>8}{'passing':>9}{'kept at 2 %':>13}"
    lines = [
        f"threshold {result['threshold']}, {result['features_median_ms']} ms a sentence with its sources",
        head,
    ]
    for name, one in result["sets"].items():
        lines.append(
            f"{name}: {one['cases']} cases, {one['supported']} supported; vetoed: "
            f"{one['vetoed_supported']:.2f} of these, {one['vetoed_unsupported']:.2f} of the others"
        )
        for kind in ("as_shipped", "fitted_on_the_other_half"):
            row = one[kind]
            lines.append(
                f"  {kind:<34}{row['auc']:>7.3f}{row['retention_at_threshold']:>8.3f}"
                f"{row['passing_at_threshold']:>9.3f}{row['retention_at_2_percent']:>13.3f}"
            )
    return "\n".join(lines)


def plot(result: dict[str, Any], path: Path) -> None:
    """The curves, with the target of 2 % at 60 %."""
    from matplotlib.figure import Figure  # noqa: PLC0415 (of the extra packages; the figures need it not)

    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    for name, one in result["sets"].items():
        for kind, style in (("as_shipped", "-"), ("fitted_on_the_other_half", ":")):
            slipped, kept = zip(*[(0.0, 0.0), *one[kind]["curve"]], strict=True)
            axes.plot(slipped, kept, style, label=f"{name}, {kind.replace('_', ' ')}")
        row = one["as_shipped"]
        axes.plot(
            row["passing_at_threshold"], row["retention_at_threshold"], "o", color="black", markersize=4
        )
    axes.axvline(MAY_PASS, color="grey", linewidth=0.8)
    axes.axhline(0.6, color="grey", linewidth=0.8)
    axes.set(
        xlim=(0, 0.3),
        ylim=(0, 1),
        xlabel="unsupported sentences that pass",
        ylabel="supported sentences kept",
    )
    axes.legend()
    figure.savefig(path, dpi=120)
