"""The store: a folder of generations and the name of the one that is served.

    CURRENT            the name of the served generation; replaced in one step
    generations/NAME/  see `index.generation`; beside its files `gate.json`, how the golden questions fared
    golden.jsonl       the maintainer's golden questions, if there are any; see `index.gate`
    runs.jsonl         what every run did; see `index.runs`
    rolled-back.txt    the fingerprints of what was rolled away from
    decisions.json     what waits for a person's word; see `index.decisions`

A build never touches the served generation, so whatever interrupts it leaves the store as it was. A new
generation is served when it has been checked and has passed the gate.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from index.checking import build_faults, faults, file_faults
from index.errors import GenerationError, ModelMismatchError, NoStoreError, StoreError
from index.gate import Gate, Score
from index.generation import (
    Built,
    Generation,
    Manifest,
    PassageEncoder,
    Sourced,
    Stored,
    build,
    fingerprint,
    read_articles,
    read_manifest,
)
from index.packaged import short_checksum
from index.segments import part

if TYPE_CHECKING:
    from index.packaged import ModelIdentity

_log = logging.getLogger(__name__)

_KEEP = 5  # generations, the served one included
_PARENT, _GATE, _HELD = "parent", "gate.json", "rolled-back.txt"


@dataclass(frozen=True, slots=True)
class Plan:
    """What indexing would change: ids of articles, sorted.

    Attributes:
        added: New ones.
        changed: Those that are served in another form.
        removed: Served ones that would go.
        unchanged: How many stay as they are.
        sizes: Characters of the text of each that is added or changed, and of each removed as it is served.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
    sizes: dict[str, int]
    emptied: tuple[str, ...] = ()

    @property
    def changes_nothing(self) -> bool:
        """Whether the served articles are already these."""
        return not (self.added or self.changed or self.removed)

    @property
    def served(self) -> int:
        """How many articles are served before it."""
        return self.unchanged + len(self.changed) + len(self.removed)

    @property
    def lost_share(self) -> float:
        """The share of the served articles that would be removed, or would lose most of their text."""
        return (len(self.removed) + len(self.emptied)) / self.served if self.served else 0.0


# A changed article that keeps less than this share of its text counts as emptied.
_EMPTIED = 0.2


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

    def since(self) -> datetime:
        """Since when the served generation is served.

        Raises:
            NoStoreError: Nothing is indexed here.
        """
        self.current_name()
        return datetime.fromtimestamp(self._pointer.stat().st_mtime, UTC)

    def open(self, model: ModelIdentity | None = None, *, verify: bool = False) -> Generation:
        """The served generation.

        Args:
            model: The model that is to search it; None opens without searching.
            verify: Whether to read every byte of it first, and not only the sizes of its files.

        A damaged one is passed over for the last good one before it, with a warning in the log.

        Raises:
            NoStoreError: Nothing is indexed here.
            ModelMismatchError: It was built with another model.
            GenerationError: It is damaged, and so is every other.
        """
        generation = self._last_good(verify=verify)
        manifest = generation.manifest
        if model and manifest.model_checksum != model.checksum:
            built, now = short_checksum(manifest.model_checksum), short_checksum(model.checksum)
            other = manifest.model != model.name
            back = f"Set the model back to {manifest.model!r}, or run" if other else "Run"
            raise ModelMismatchError(
                f"The store in {self.folder} was built with the embedding model {manifest.model!r} "
                f"(checksum {built}), but {model.name!r} (checksum {now}) is set. {back} "
                "`referral index` again with your sources to build the store with the new model."
            )
        return generation

    def manifest(self, name: str = "") -> Manifest:
        """The manifest of a generation, by default of the served one, which is not opened.

        Raises:
            NoStoreError: Nothing is indexed here.
            GenerationError: It is damaged.
        """
        return read_manifest(self._generations / (name or self.current_name()))

    def known(self) -> Manifest | None:
        """The manifest of what is served; None where there is none, or none that can be read."""
        try:
            return self.manifest()
        except (NoStoreError, GenerationError):
            return None

    def names(self) -> list[str]:
        """The names of all complete generations, oldest first."""
        if not self._generations.is_dir():
            return []
        return sorted(path.name for path in self._generations.iterdir() if not path.name.startswith("."))

    def replaced(self) -> list[str]:
        """The generations before the served one, each replaced by the next, latest first."""
        return self._replaced(self.current_name())

    def plan(
        self, sourced: Sequence[Sourced], covered: Callable[[str, str], bool]
    ) -> tuple[Plan, list[Sourced]]:
        """What indexing these articles would change, and all the articles that would then be served.

        Args:
            sourced: The articles just read.
            covered: Whether a served article, by its source and its id, is known to be gone when it was not
                read now: only then does its absence remove it.

        Raises:
            GenerationError: What is served cannot be read, so articles of other sources would be lost.
        """
        served = self._served()
        given = {one.article.id: one for one in sourced}
        kept = {
            name: one for name, one in served.items() if name not in given and not covered(one.source, name)
        }
        both = given.keys() & served.keys()
        changed = {key for key in both if given[key].digest != served[key].digest}
        removed = served.keys() - given.keys() - kept.keys()
        added = given.keys() - served.keys()
        before = {key: len(served[key].read().article.text) for key in changed | removed}
        emptied = [key for key in changed if len(given[key].article.text) < _EMPTIED * before[key]]
        plan = Plan(
            added=tuple(sorted(added)),
            changed=tuple(sorted(changed)),
            removed=tuple(sorted(removed)),
            unchanged=len(kept) + len(both) - len(changed),
            sizes={key: len(given[key].article.text) for key in added | changed}
            | {key: before[key] for key in removed},
            emptied=tuple(sorted(emptied)),
        )
        return plan, [*given.values(), *(one.read() for one in kept.values())]

    def write(
        self,
        sourced: Sequence[Sourced],
        encoder: PassageEncoder,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
        gate: Gate | None = None,
    ) -> Built | None:
        """Build a generation of exactly these articles and serve it; None when that changes nothing.

        Args:
            sourced: The articles.
            encoder: Encodes the passages that are new.
            progress: Called with passages done and passages to embed.
            gate: What the new generation has to pass.

        Raises:
            StoreError: There is nothing to index, somebody else is writing, or there is no room for it.
            GateError: The new generation answers the golden questions worse.
            GenerationError: What was built is not sound.
        """
        if not sourced:
            raise StoreError("There is no article to index, so the store is left as it was.")
        try:
            self._generations.mkdir(parents=True, exist_ok=True)
            with self._alone():
                return self._write(sourced, encoder, progress, gate)
        except OSError as error:
            raise StoreError(
                f"The new generation cannot be written to {self.folder} ({error.strerror or error}), and the "
                "one that is served stays. Make room there, or get leave to write there; then run this again."
            ) from error

    def rollback(self) -> str:
        """Serve the generation that the current one replaced; its name.

        Raises:
            StoreError: There is none before it, or somebody else is writing.
        """
        current = self.current_name()
        with self._alone():
            older = self._replaced(current)
            if not older:
                raise StoreError(
                    f"{current} is the oldest generation in {self.folder}: nothing to go back to."
                )
            read_manifest(self._generations / older[0])
            self._hold(current)
            self._serve(older[0])
        return older[0]

    def switch(self, name: str) -> None:
        """Serve another generation that is kept: an older one, or one that was rolled away from.

        Raises:
            StoreError: It is not kept, was built with another model, or somebody else is writing.
            GenerationError: It is damaged.
        """
        with self._alone():
            current = self.current_name()
            if name not in self.names() or name == current:
                raise StoreError(f"{name} is not kept in {self.folder}, or is served already.")
            folder = self._generations / name
            if found := file_faults(folder):
                raise GenerationError(f"In {folder}, {found[0]}, so what is served stays.")
            known, manifest = self.known(), read_manifest(folder)
            if known and known.model_checksum != manifest.model_checksum:
                raise StoreError(f"{name} was built with another embedding model, {manifest.model!r}.")
            if name in self._replaced(current):
                self._hold(current)
            self._release(manifest.fingerprint)
            self._serve(name)

    def is_held(self, fingerprint_: str) -> bool:
        """Whether exactly these articles were rolled away from: only a person should serve them again."""
        return fingerprint_ in self._held()

    def check(self) -> list[str]:
        """Everything wrong with the served generation, in plain words; empty when all is well."""
        folder = self._generations / self.current_name()
        return file_faults(folder) or faults(Generation(folder))

    def repair(self) -> list[str]:
        """Serve the last sound generation and remove what is damaged; what was done, in plain words.

        Raises:
            StoreError: No generation is sound; what can still be read is left in place.
        """
        with self._alone():
            done = []
            sound = {name: _is_sound(self._generations / name) for name in self.names()}
            wanted = self._order()
            good = next((name for name in wanted if sound[name]), None)
            if good is None:
                raise StoreError(
                    f"No generation in {self.folder} is sound, so none is removed. Run "
                    "`referral index --anew` with all your sources."
                )
            if self._pointed() != good:
                self._serve(good)
                done.append(f"{good} is served")
            for name in (name for name in wanted if not sound[name]):
                shutil.rmtree(self._generations / name)
                done.append(f"{name} was damaged and is removed")
            done += [f"{path.name} was unfinished and is removed" for path in self._clear_unfinished()]
            return done

    def score(self, name: str) -> Score | None:
        """How the golden questions fared with a generation when it was built."""
        path = self._generations / name / _GATE
        return Score.model_validate_json(path.read_bytes()) if path.is_file() else None

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

    def _hold(self, name: str) -> None:
        """Note what is rolled away from, so that the next run by the clock does not serve it again."""
        try:
            rejected = read_manifest(self._generations / name).fingerprint
        except GenerationError:
            return  # damaged: it is well to build it again
        with (self.folder / _HELD).open("a", encoding="utf-8") as file:
            file.write(rejected + "\n")

    def _held(self) -> list[str]:
        path = self.folder / _HELD
        return path.read_text(encoding="utf-8").split() if path.is_file() else []

    def _release(self, fingerprint_: str) -> None:
        """Forget that something was rolled away from: somebody wants it again."""
        if fingerprint_ in (held := self._held()):
            partial = self.folder / f".{_HELD}.partial"
            partial.write_text("".join(f"{one}\n" for one in held if one != fingerprint_), encoding="utf-8")
            partial.replace(self.folder / _HELD)

    def _served(self) -> dict[str, Stored]:
        return read_articles(self._generations / self.current_name()) if self.exists() else {}

    def _last_good(self, *, verify: bool = False) -> Generation:
        name = self.current_name()
        try:
            return self._opened(name, verify=verify)
        except GenerationError as damaged:
            for other in self._order():
                try:
                    generation = self._opened(other, verify=verify)
                except GenerationError:
                    continue
                _log.warning("Served instead is %s, the last good generation: %s", other, damaged)
                return generation
            raise

    def _opened(self, name: str, *, verify: bool) -> Generation:
        folder = self._generations / name
        if verify and (found := file_faults(folder)):
            raise GenerationError(
                f"In {folder}, {found[0]}. Run `referral store check --repair`, or index again."
            )
        return Generation(folder)

    def _pointed(self) -> str:
        return self._pointer.read_text(encoding="utf-8").strip() if self._pointer.is_file() else ""

    def _order(self) -> list[str]:
        """Every generation: the served one, those that it replaced, then the others, newest first."""
        current = self._pointed()
        first = [current] if current in self.names() else []
        line = [*first, *self._replaced(current)]
        return [*line, *(name for name in reversed(self.names()) if name not in line)]

    def _replaced(self, name: str) -> list[str]:
        """The generations before one, each replaced by the next, latest first.

        One that was rolled away from is not among them: nothing was built on it that is still served.
        """
        names = set(self.names())
        found: list[str] = []
        while True:
            older = _parent(self._generations / name)
            if older is None:  # written before this was noted
                return [*found, *(other for other in sorted(names, reverse=True) if other < name)]
            if older in found or older not in names:
                return found
            found.append(older)
            name = older

    def _write(
        self,
        sourced: Sequence[Sourced],
        encoder: PassageEncoder,
        progress: Callable[[int, int], None],
        gate: Gate | None,
    ) -> Built | None:
        previous = self._reusable()
        print_ = fingerprint(sourced, encoder.identity)
        if previous and previous.name == self._pointed() and previous.manifest.fingerprint == print_:
            return None
        self._clear_unfinished()
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}-{print_[:8]}"
        workplace, place = self._generations / f".building-{name}", self._generations / name
        workplace.mkdir()
        try:
            built = build(workplace, sourced, encoder, previous, progress, self._before(previous))
            (workplace / _PARENT).write_text(self._pointed() + "\n", encoding="utf-8")
            self._examine(workplace, encoder, previous, gate)
            _sync(workplace)
            workplace.rename(place)
            self._serve(name)
        except BaseException:  # Ctrl-C too: nothing half-built is left behind
            shutil.rmtree(workplace, ignore_errors=True)
            if self._pointed() != name:
                shutil.rmtree(place, ignore_errors=True)
            raise
        self._prune(name)
        if previous:
            self._part(previous, place)
        return built

    def _part(self, previous: Generation, place: Path) -> None:
        """Give the generation before its own files where it shares them with the new one."""
        try:
            for shared in set(previous.manifest.shareable) & set(read_manifest(place).shareable):
                part(previous.folder / shared, place / shared)
        except OSError as error:  # the new generation is served; nothing is wrong with either
            _log.info("The last two generations share files: %s", error.strerror or error)

    def _examine(
        self, workplace: Path, encoder: PassageEncoder, previous: Generation | None, gate: Gate | None
    ) -> None:
        """Check what was built, and let it pass the gate."""
        generation = Generation(workplace)
        if found := build_faults(generation, encoder):
            raise GenerationError(
                f"What was built is not sound ({found[0]}), so the generation before stays. Run it again; "
                "if that does not help, with --anew."
            )
        if gate and gate.golden:
            score = gate.compare(previous, generation)
            (workplace / _GATE).write_text(score.model_dump_json(), encoding="utf-8")

    def _reusable(self) -> Generation | None:
        """The generation that a new one is made from: the last whose files are as they were written.

        Vectors of sentences and tokens are taken over with their hashes, and need not be read.
        """
        for name in self._order():
            folder = self._generations / name
            try:
                if not file_faults(folder, besides=read_manifest(folder).shareable):
                    return Generation(folder)
            except GenerationError:
                continue
        return None

    def _before(self, previous: Generation | None) -> Generation | None:
        """The generation that a good one replaced, whose files may be shared with the next."""
        for name in self._replaced(previous.name) if previous else []:
            try:
                return Generation(self._generations / name)
            except GenerationError:
                continue
        return None

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
        keep = {served, *self._replaced(served)[:1]}
        older = [name for name in self.names() if name not in keep]
        for name in older[: max(0, len(older) - (_KEEP - len(keep)))]:
            shutil.rmtree(self._generations / name)

    def _clear_unfinished(self) -> list[Path]:
        """Remove what killed builds left; the caller holds the lock, so no build is under way."""
        left = list(self._generations.glob(".building-*"))
        for path in left:
            shutil.rmtree(path)
        return left


def _parent(folder: Path) -> str | None:
    """The generation that was served when this one was built; None in folders that do not tell."""
    try:
        return (folder / _PARENT).read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _is_sound(folder: Path) -> bool:
    try:
        return not (file_faults(folder) or faults(Generation(folder)))
    except GenerationError:
        return False


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
