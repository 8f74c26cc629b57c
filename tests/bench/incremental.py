"""What a change costs: each is made to a blog of 5,476 articles, and the command is timed as it is typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from index.runs import runs
from index.store import Store

APP = Path(__file__).parents[2] / "app.py"
Line = dict[str, Any]


def edited(lines: list[Line]) -> None:
    """One sentence of one article becomes another."""
    text = lines[len(lines) // 2]["text"]
    place = text.find(". ", len(text) // 2)
    lines[len(lines) // 2]["text"] = f"{text[:place]}, as was said on {time.time_ns()}{text[place:]}"


def retitled(lines: list[Line]) -> None:
    """One article has another title, which every passage of it carries."""
    lines[7]["title"] += " (revised)"


def commented(lines: list[Line]) -> None:
    """One article has one more comment."""
    lines[9].setdefault("comments", []).append({"text": f"It helped me on day {time.time_ns()}."})


def tagged(lines: list[Line]) -> None:
    """One article has other tags, which no passage shows."""
    lines[11]["tags"] = [str(time.time_ns())]


def moved(lines: list[Line]) -> None:
    """One article has another address."""
    lines[13]["id"] = f"/moved/{time.time_ns()}"


def removed(lines: list[Line]) -> None:
    """One article is gone."""
    del lines[15]


CHANGES: dict[str, Callable[[list[Line]], None]] = {
    "one sentence edited": edited,
    "another one": edited,
    "one title changed": retitled,
    "one comment more": commented,
    "tags changed": tagged,
    "one article moved": moved,
    "one article removed": removed,
}


def run(data: Path, out: Path) -> dict[str, Any]:
    """Build the store when it is not there yet, and then make one change after another."""
    folder = (out / "stores" / "incremental").resolve()
    source = folder.with_suffix(".jsonl")
    folder.mkdir(parents=True, exist_ok=True)
    given = (data / "medquad" / "articles.jsonl").read_text(encoding="utf-8")
    if not Store(folder).exists():
        source.write_text(given, encoding="utf-8")
        index(source, folder)
    lines = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    full = max(runs(folder), key=lambda one: one.embedded).seconds
    result: dict[str, Any] = {"full build": {"seconds": full}, "nothing changed": index(source, folder)}
    for name, change in CHANGES.items():
        change(lines)
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        source.write_text(text, encoding="utf-8")
        result[name] = index(source, folder)
    result["edit against full build"] = result["one sentence edited"]["seconds_to_served"] / full
    return result


def index(source: Path, folder: Path) -> dict[str, Any]:
    """Run the command; seconds until the new generation was served, and until the command had ended."""
    started = time.time()
    command = [sys.executable, str(APP), "index", str(source), "--store", str(folder)]
    before = os.times()
    subprocess.run(command, check=False, capture_output=True)
    ended, after = time.time(), os.times()
    last = runs(folder, 1)[0]
    changed = last.added or last.changed or last.removed
    served = (folder / "CURRENT").stat().st_mtime if changed else ended
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return {
        "seconds_to_served": round(served - started, 2),
        "seconds": round(ended - started, 2),
        "processor_seconds": round(spent, 2),
        "embedded": last.embedded,
        "changes": f"+{last.added} ~{last.changed} -{last.removed}",
    }


def table(result: dict[str, Any]) -> str:
    """The result for the terminal."""
    lines = [f"full build: {result['full build']['seconds']:.0f} s"]
    lines.append(f"{'':<22}{'to served':>10}{'command':>10}{'processor':>10}{'embedded':>10}  changes")
    for name, one in result.items():
        if isinstance(one, dict) and "changes" in one:
            lines.append(
                f"{name:<22}{one['seconds_to_served']:>8.2f} s{one['seconds']:>8.2f} s"
                f"{one['processor_seconds']:>8.2f} s{one['embedded']:>10}  {one['changes']}"
            )
    lines.append(f"one edit costs {result['edit against full build']:.4f} of a full build")
    return "\n".join(lines)
