"""What waits for a person's word, and what a person has said: beside the generations, in decisions.json.

An article that is held back stays served as it was until somebody decides. One that somebody took out stays
out, whatever its source says, until it is let in again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from index.errors import StoreError
from index.generation import Sourced
from ingest.article import Article, from_json, to_json

_FILE = "decisions.json"
_PATIENCE = 5.0  # seconds; whoever holds the lock only writes a small file


class Held(BaseModel):
    """An article that is held back: what is served of it stays.

    Attributes:
        id: Of the article.
        place: The page or file that it was read from.
        source: The name by which the index remembers where it is from.
        reasons: Why, each the end of a sentence "The article ...".
        line: The article as it was read, as a line of Article JSONL.
        since: When it was first held back as it is, ISO 8601.
        kept: Somebody has looked at it: what is served is right, until the source changes again.
    """

    id: str
    place: str
    source: str
    reasons: tuple[str, ...]
    line: str
    since: str
    kept: bool = False

    @classmethod
    def of(cls, article: Article, place: str, source: str, reasons: tuple[str, ...], since: str) -> Held:
        """For an article as it was just read."""
        return cls(
            id=article.id, place=place, source=source, reasons=reasons, line=to_json(article), since=since
        )

    @property
    def sourced(self) -> Sourced:
        """The article as it was read, ready to be indexed."""
        return Sourced(from_json(self.line, fallback_id=self.id), self.source)


class Noticed(BaseModel):
    """Something about a served article that a person should look at."""

    id: str
    place: str
    warnings: tuple[str, ...]


class Removed(BaseModel):
    """An article that somebody took out."""

    title: str
    since: str


class Decisions(BaseModel):
    """By the ids of the articles."""

    held: dict[str, Held] = {}
    noticed: dict[str, Noticed] = {}
    removed: dict[str, Removed] = {}

    @property
    def open(self) -> list[Held]:
        """What is held back and nobody has decided on."""
        return [one for one in self.held.values() if not one.kept]


def read_decisions(store: Path) -> Decisions:
    """What waits and what was said; nothing where nothing is written.

    Raises:
        StoreError: The file is damaged. To go on without it could serve what somebody took out.
    """
    path = store / _FILE
    try:
        return Decisions.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Decisions()
    except (OSError, ValidationError) as error:
        raise StoreError(
            f"{path} cannot be read, and in it stands which articles were taken out. Put it right, or remove "
            "it: then nothing is taken out any more."
        ) from error


def change_decisions(store: Path, change: Callable[[Decisions], None]) -> None:
    """Change what is written, in one step, while nobody else does.

    Raises:
        StoreError: It is damaged, cannot be written, or somebody else is at it for too long.
    """
    try:
        store.mkdir(parents=True, exist_ok=True)
        with FileLock(store / ".decisions.lock", timeout=_PATIENCE):
            decisions = read_decisions(store)
            before = decisions.model_copy(deep=True)
            change(decisions)
            if decisions != before:
                partial = store / f".{_FILE}.partial"
                partial.write_text(decisions.model_dump_json(), encoding="utf-8")
                partial.replace(store / _FILE)
    except Timeout as error:
        raise StoreError("Somebody else is deciding just now. Try again.") from error
    except OSError as error:
        raise StoreError(f"{store / _FILE} cannot be written ({error.strerror or error}).") from error


def after_run(
    decisions: Decisions,
    *,
    read: Iterable[str],
    moved: Iterable[str],
    held: Iterable[Held],
    noticed: Iterable[Noticed],
) -> None:
    """Bring the list up to date with a run that went well.

    Args:
        decisions: Is changed.
        read: Ids of the articles that were read and are fit to be served.
        moved: Ids of those that were added, changed or removed.
        held: What the run held back.
        noticed: What it noticed of the articles that it changed.
    """
    moved = set(moved)
    for name in {*read, *moved}:
        decisions.held.pop(name, None)
    for name in moved:
        decisions.noticed.pop(name, None)
    decisions.noticed.update({one.id: one for one in noticed})
    for one in held:
        before = decisions.held.get(one.id)
        if before is None or before.line != one.line:
            decisions.held[one.id] = one
