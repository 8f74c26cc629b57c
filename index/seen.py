"""Whether local sources are byte for byte what the served generation was made from: then nothing is read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ValidationError

from index.packaged import sha256

_FILE = "seen.json"


class Seen(BaseModel):
    """What the last run read, and what it said of it.

    Attributes:
        generation: What was served after it.
        digest: Of the sources; see `sources_digest`.
        articles: How many are served.
        told: What it said of the sources, line by line.
        failed: Whether some of them could not be read.
    """

    generation: str
    digest: str
    articles: int
    told: tuple[str, ...] = ()
    failed: bool = False


def sources_digest(sources: Iterable[Path], reader: str) -> str:
    """The same for the same files with the same content, read by the same reader.

    Args:
        sources: Files, and folders with all that is below them.
        reader: What else decides what is read of them.
    """
    digest = hashlib.sha256(f"{reader}\n".encode())
    for source in sources:
        for path in _files(source):
            digest.update(f"{os.fspath(path)}\0{sha256(path)}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def recall(store: Path) -> Seen | None:
    """What the last run left; None when it left nothing."""
    try:
        return Seen.model_validate_json((store / _FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def remember(store: Path, seen: Seen) -> None:
    """Leave it for the next run, in one step."""
    partial = store / f".{_FILE}.partial"
    partial.write_text(seen.model_dump_json(), encoding="utf-8")
    partial.replace(store / _FILE)


def _files(source: Path) -> list[Path]:
    if not source.is_dir():
        return [source] if source.is_file() else []
    found = (Path(place, name) for place, _, names in os.walk(source, followlinks=False) for name in names)
    return sorted(path for path in found if path.is_file())
