"""Runs benches by name: prints each table, and writes each result with the settings that produced it."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeAlias

from index.encoder import Encoder
from index.errors import UnusableError
from index.retriever import Fusion
from tests.bench import answers, fusion, grounding, incremental, safety, scale

PACKAGES = (
    "referral",
    "faiss-cpu",
    "ir-measures",
    "numpy",
    "sentence-transformers",
    "torch",
    "transformers",
)


class BenchError(UnusableError):
    """A bench cannot run as it was asked to."""


# From the folder of evaluation data and that of results: what is written as JSON, and what is shown.
Bench: TypeAlias = Callable[[Path, Path], tuple[dict[str, Any], str]]


def run_benches(names: list[str], data: Path, out: Path, sizes: Sequence[int] = scale.SIZES) -> None:
    """Run some benches, or all of them when none is named.

    Args:
        names: Keys of `BENCHES`.
        data: The folder of evaluation data.
        out: Gets `<name>.json`, plots, and the stores that are searched.
        sizes: In passages, for the bench `scale`.

    Raises:
        BenchError: There is no bench of a name, or a file of the data or a package is missing.
    """
    for name in names:
        if name not in BENCHES:
            raise BenchError(f"There is no bench {name!r}. There are: {', '.join(BENCHES)}.")
    if not data.is_dir():
        raise BenchError(f"There is no evaluation data in {data}. Say with --data where it is.")
    out.mkdir(parents=True, exist_ok=True)
    benches: dict[str, Bench] = {**BENCHES, "scale": partial(_scale, sizes=sizes)}
    for name in names or benches:
        start = time.perf_counter()
        try:
            result, table = benches[name](data, out)
        except FileNotFoundError as error:
            raise BenchError(
                f"The bench {name} needs {error.filename}. Say with --data where the evaluation data is."
            ) from error
        seconds = time.perf_counter() - start
        report = {"bench": name, "seconds": seconds, "settings": settings(), "result": result}
        path = out / f"{name}.json"
        path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"== {name} ({seconds:.0f} s, written to {path})\n\n{table}\n")


def _retrieval(data: Path, out: Path) -> tuple[dict[str, Any], str]:
    try:
        from tests.bench import retrieval  # noqa: PLC0415 (the only bench that needs the extra packages)
    except ModuleNotFoundError as error:
        raise BenchError(f"{error.name} is missing. Run: pip install -e '.[bench]'") from error
    result = retrieval.run(data, out)
    retrieval.plot(result, out / "retrieval.png")
    return result, retrieval.table(result)


def _answers(data: Path, out: Path) -> tuple[dict[str, Any], str]:
    result = answers.run(data)
    return result, answers.table(result)


def _safety(data: Path, out: Path) -> tuple[dict[str, Any], str]:
    result = safety.run(data)
    return result, safety.table(result)


def _scale(data: Path, out: Path, sizes: Sequence[int] = scale.SIZES) -> tuple[dict[str, Any], str]:
    result = scale.run(out, sizes)
    return result, scale.table(result)


def _fusion(data: Path, out: Path) -> tuple[dict[str, Any], str]:
    result = fusion.run(data, out)
    return result, fusion.table(result)


def _incremental(data: Path, out: Path) -> tuple[dict[str, Any], str]:
    result = incremental.run(data, out)
    return result, incremental.table(result)


def _grounding(data: Path, out: Path) -> tuple[dict[str, Any], str]:
    result = grounding.run(data)
    try:
        grounding.plot(result, out / "grounding.png")
    except ModuleNotFoundError as error:
        raise BenchError(f"{error.name} is missing. Run: pip install -e '.[bench]'") from error
    return result, grounding.table(result)


BENCHES: dict[str, Bench] = {
    "safety": _safety,
    "retrieval": _retrieval,
    "answers": _answers,
    "grounding": _grounding,
    "scale": _scale,
    "fusion": _fusion,
    "incremental": _incremental,
}


def settings() -> dict[str, Any]:
    """What a result hangs on."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": asdict(Encoder().identity),
        "fusion": asdict(Fusion()),
        "reranker": os.environ.get("REFERRAL_RERANKER"),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],  # another program at work makes every figure of time worse
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    """The processor's name; Python itself knows only its family."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
