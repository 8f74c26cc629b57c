"""The store: a folder of generations and the name of the one that is served.

    CURRENT            the name of the served generation; replaced in one step
    generations/NAME/  see `index.generation`

A build never touches the served generation, so whatever interrupts it leaves the store as it was.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from index.encoder import Encoder, ModelIdentity
from index.errors import GenerationError, ModelMismatchError, NoStoreError, StoreError
from index.generation import (
    Built,
    Generation,
    Sourced,
    build,
    file_records,
    fingerprint,
    read_manifest,
)
from ingest.article import Article

_KEEP = 5  # generations, the served one included


@dataclass(frozen=True, slots=True)
class Plan:
    """What indexing would change: ids of articles, sorted."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int

    @property
    def changes_nothing(self) -> bool:
        """Whether the served articles are already these."""
        return not (self.added or self.changed or self.removed)


class Store:
    """A store in a folder, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._generations = folder / "generations"
        self._pointer = folder / "CURRENT"

    def exists(self) -> bool:
        """Whether a generation is served from here."""
        return self._pointer.is_file()

    def current_name(self) -> str:
        """The name of the served generation.

        Raises:
            NoStoreError: Nothing is indexed here.
        """
        try:
            return self._pointer.read_text(encoding="utf-8").strip()
        except FileNotFoundError as error:
            raise NoStoreError(
                f"There is no store in {self.folder}. Run: referral index YOUR_ARTICLES --store {self.folder}"
            ) from error

    def open(self, model: ModelIdentity | None = None) -> Generation:
        """The served generation.

        Args:
            model: The model that is to search it; None opens without searching.

        Raises:
            NoStoreError: Nothing is indexed here.
            ModelMismatchError: It was built with another model.
            GenerationError: It is damaged.
        """
        generation = Generation(self._generations / self.current_name())
        manifest = generation.manifest
        if model and manifest.model_checksum != model.checksum:
            raise ModelMismatchError(
                f"The store in {self.folder} was built with the embedding model {manifest.model!r} "
                f"(checksum {manifest.model_checksum[:12]}), but {model.name!r} (checksum "
                f"{model.checksum[:12]}) is set. Set the model back to {manifest.model!r}, or run "
                "`referral index` again with your sources to build the store with the new model."
            )
        return generation

    def names(self) -> list[str]:
        """The names of all complete generations, oldest first."""
        if not self._generations.is_dir():
            return []
        return sorted(path.name for path in self._generations.iterdir() if not path.name.startswith("."))

    def plan(self, sourced: Sequence[Sourced], covered: Callable[[str], bool]) -> tuple[Plan, list[Sourced]]:
        """What indexing these articles would change, and all the articles that would then be served.

        Args:
            sourced: The articles just read.
            covered: Whether a served article of this source would have been read again, were it still there:
                only then does its absence remove it.
        """
        served = self._served()
        given = {one.article.id: one for one in sourced}
        kept = [one for one in served.values() if one.article.id not in given and not covered(one.source)]
        both = given.keys() & served.keys()
        changed = {key for key in both if given[key].article != served[key].article}
        plan = Plan(
            added=tuple(sorted(given.keys() - served.keys())),
            changed=tuple(sorted(changed)),
            removed=tuple(sorted(served.keys() - given.keys() - {one.article.id for one in kept})),
            unchanged=len(kept) + len(both) - len(changed),
        )
        return plan, [*given.values(), *kept]

    def write(
        self,
        sourced: Sequence[Sourced],
        encoder: Encoder,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> Built | None:
        """Build a generation of exactly these articles and serve it; None when that changes nothing.

        Raises:
            StoreError: There is nothing to index, or somebody else is writing.
        """
        if not sourced:
            raise StoreError("There is no article to index, so the store is left as it was.")
        self._generations.mkdir(parents=True, exist_ok=True)
        with self._alone():
            return self._write(sourced, encoder, progress)

    def rollback(self) -> str:
        """Serve the generation before the current one; its name.

        Raises:
            StoreError: There is none before it, or somebody else is writing.
        """
        current = self.current_name()
        with self._alone():
            older = [name for name in self.names() if name < current]
            if not older:
                raise StoreError(
                    f"{current} is the oldest generation in {self.folder}: nothing to go back to."
                )
            read_manifest(self._generations / older[-1])
            self._serve(older[-1])
        return older[-1]

    def check(self) -> list[str]:
        """Everything wrong with the served generation, in plain words; empty when all is well."""
        folder = self._generations / self.current_name()
        manifest = read_manifest(folder)
        records = file_records(folder)
        found = [
            f"{name} is not as it was written"
            for name, record in manifest.files.items()
            if records.get(name) != record
        ]
        return found or _span_faults(Generation(folder))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock of whoever changes the store."""
        try:
            with FileLock(self.folder / ".lock", timeout=0):
                yield
        except Timeout as error:
            raise StoreError(
                f"Another command is writing to {self.folder}. "
                "Wait until it has finished, then run this again."
            ) from error

    def _served(self) -> dict[str, Sourced]:
        if not self.exists():
            return {}
        try:
            generation = self.open()
        except GenerationError:
            return {}  # unreadable or of an older format: everything is built anew
        return {
            article_id: Sourced(generation.article(row), generation.sources[row])
            for row, article_id in enumerate(generation.ids)
        }

    def _write(
        self, sourced: Sequence[Sourced], encoder: Encoder, progress: Callable[[int, int], None]
    ) -> Built | None:
        try:
            previous = self.open() if self.exists() else None
        except GenerationError:
            previous = None
        print_ = fingerprint(sourced, encoder.identity)
        if previous and previous.manifest.fingerprint == print_:
            return None
        self._clear_unfinished()
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}-{print_[:8]}"
        workplace = self._generations / f".building-{name}"
        workplace.mkdir()
        try:
            built = build(workplace, sourced, encoder, previous, progress)
            _sync(workplace)
            workplace.rename(self._generations / name)
        except BaseException:  # Ctrl-C too: nothing half-built is left behind
            shutil.rmtree(workplace, ignore_errors=True)
            raise
        self._serve(name)
        self._prune(name)
        return built

    def _serve(self, name: str) -> None:
        """Point at a generation in one step that survives a power cut."""
        partial = self._pointer.with_name(".CURRENT.partial")
        with partial.open("w", encoding="utf-8") as file:
            file.write(name + "\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._pointer)
        _sync_folder(self.folder)

    def _prune(self, served: str) -> None:
        older = [name for name in self.names() if name != served]
        for name in older[: max(0, len(older) - (_KEEP - 1))]:
            shutil.rmtree(self._generations / name)

    def _clear_unfinished(self) -> None:
        """Remove what killed builds left; the caller holds the lock, so no build is under way."""
        for path in self._generations.glob(".building-*"):
            shutil.rmtree(path)


def _span_faults(generation: Generation) -> list[str]:
    """Passages whose text is not the span of their article that they claim."""
    faults = []
    counts = generation.manifest.counts
    if generation.vectors.size != counts.passages or generation.keywords.size != counts.passages:
        faults.append("the vectors, the keywords and the passages differ in number")
    for row in range(counts.passages):
        passage = generation.passage(row)
        article: Article = generation.article(int(generation.passage_articles[row]))
        text = article.text if passage.comment is None else article.comments[passage.comment].text
        inside = all(passage.start <= one.start < one.end <= passage.end for one in passage.sentences)
        if not inside or passage.end > len(text):
            faults.append(f"the passage {passage.id} does not fit its article")
    return faults


def _sync(folder: Path) -> None:
    """Make every file of a folder durable before anything points at it."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
