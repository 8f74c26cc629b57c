"""One run of indexing: what was read is held against what is served, then built, checked, gated and served.

Reading is somebody else's work, handed in, since this package knows nothing of files and addresses. Whoever
watches a run may stop it: until the swap nothing has changed, and after it nothing is left to stop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

from index.decisions import Held, Noticed, after_run, change_decisions, read_decisions
from index.errors import GenerationError, StoreError, UnusableError
from index.gate import Gate, GateError
from index.generation import Manifest, PassageEncoder, Sourced, fingerprint
from index.runs import Run, SourceRead, record
from index.seen import Seen, recall, remember
from index.store import Plan, Store
from ingest.article import Article

# Indexing goes on without asking while at most this share of the served articles would be removed or emptied.
REMOVAL_BRAKE = 0.2

Step = Literal["reading", "indexing", "asking"]
LastGood = Callable[[str], Article | None]


class BrakeError(StoreError):
    """A run would take away much, and nobody has said that it may.

    Attributes:
        plan: What it would do.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__(
            f"This would remove {len(plan.removed)} of {plan.served} served articles and empty "
            f"{len(plan.emptied)}, so nothing was done. Look at them with --dry-run; if that is right, "
            "run it again with --allow-removals."
        )
        self.plan = plan


class StoppedError(UnusableError):
    """Somebody stopped the run."""


class Watcher(Protocol):
    """Is told how a run goes."""

    def say(self, line: str) -> None:
        """Something that a person should know."""

    def progress(self, step: Step, done: int, total: int) -> None:
        """How far it is; `total` is 0 while it is not known.

        Raises:
            StoppedError: The run is to end here and to leave all as it was.
        """

    def planned(self, plan: Plan) -> None:
        """What it would change."""


@dataclass(frozen=True, slots=True)
class Order:
    """What one run may do.

    Attributes:
        sources: Files, folders and addresses, as the record is to name them.
        trigger: What set it off.
        dry_run: Only tell what would change.
        allow_removals: Go on whatever would be removed or emptied.
        may_lose: Ids of articles that may be removed or emptied, however many they are.
        accept_fall: Serve it even if golden questions fall.
        anew: Do not look at what is served.
        hold: Do not serve again what was rolled away from.
    """

    sources: tuple[str, ...]
    trigger: str
    dry_run: bool = False
    allow_removals: bool = False
    may_lose: frozenset[str] = frozenset()
    accept_fall: bool = False
    anew: bool = False
    hold: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read.

    Attributes:
        sourced: The articles.
        covers: See `Store.plan`.
        remarks: What a person should know of it, line by line.
        errors: What could not be read.
        held: What is held back.
        noticed: What somebody should look at.
        sources: How each source fared.
    """

    sourced: Sequence[Sourced]
    covers: Callable[[str, str], bool]
    remarks: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    held: tuple[Held, ...] = ()
    noticed: tuple[Noticed, ...] = ()
    sources: tuple[SourceRead, ...] = ()


@dataclass(frozen=True, slots=True)
class Tools:
    """What a run works with.

    Attributes:
        encoder: Made when it is known that something is to be encoded; given what is served.
        gate: What a new generation has to pass; None when there are no golden questions.
        digest: Of everything that decides what the run would do; empty when that takes reading.
    """

    encoder: Callable[[Manifest | None], PassageEncoder]
    gate: Callable[[], Gate | None] = lambda: None
    digest: str = ""


def run(
    folder: Path, order: Order, read: Callable[[LastGood], Reading], tools: Tools, watcher: Watcher
) -> Run:
    """Read, index, and record what was done; a failure is recorded too, and changes nothing.

    Args:
        folder: Of the store.
        order: What the run may do.
        read: Reads the sources; given what is served of an article.
        tools: What it works with.
        watcher: Is told of it.

    Raises:
        UnusableError: The run failed, or was stopped.
    """
    running = _Running(folder, order, watcher)
    if tools.digest and (before := recall(folder)) and _still_served(folder, before, tools.digest):
        return running.unchanged(before)
    reading, failure, score = None, "stopped before it was done", None
    try:
        reading = read(_nothing_served if order.anew else last_good(folder))
        done, articles = _update(folder, order, reading, tools, watcher)
        failure = ""
    except UnusableError as error:
        failure, score = str(error), error.score if isinstance(error, GateError) else None
        raise
    finally:
        if failure:
            sources = reading.sources if reading else ()
            with suppress(OSError):  # the disk may be full, and that is what is told
                running.ended(running.begun, outcome="failed", errors=(failure,), gate=score, read=sources)
    for line in reading.remarks:
        watcher.say(line)
    if tools.digest and done.outcome in {"served", "unchanged"}:
        seen = Seen(
            generation=done.generation, digest=tools.digest, articles=articles,
            told=reading.remarks, failed=bool(reading.errors),
        )  # fmt: skip
        remember(folder, seen)
    if reading.errors:
        return running.ended(done, outcome="failed", errors=reading.errors, read=reading.sources)
    return running.ended(done, read=reading.sources)


def last_good(folder: Path) -> LastGood:
    """The articles that a store serves now, by their ids."""
    if not Store(folder).exists():
        return _nothing_served
    try:
        generation = Store(folder).open()
    except GenerationError:
        return _nothing_served  # it is built anew; there is nothing to compare with
    rows = {one: row for row, one in enumerate(generation.ids)}
    return lambda one: generation.article(rows[one]) if one in rows else None


def _nothing_served(_id: str) -> None:
    return None


@dataclass(slots=True)
class _Running:
    """A run under way, as it will stand in the record."""

    folder: Path
    order: Order
    watcher: Watcher
    clock: float = field(default_factory=time.perf_counter)
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def begun(self) -> Run:
        return Run(
            started=self.started, seconds=0, sources=self.order.sources, trigger=self.order.trigger,
            outcome="unchanged",
        )  # fmt: skip

    def ended(self, one: Run, **changes: object) -> Run:
        head = {"started": self.started, "sources": self.order.sources, "trigger": self.order.trigger}
        seconds = round(time.perf_counter() - self.clock, 3)
        finished = one.model_copy(update={**head, **changes, "seconds": seconds})
        if not self.order.dry_run:
            record(self.folder, finished)
        return finished

    def unchanged(self, before: Seen) -> Run:
        """The sources are as they were, so nothing is read."""
        for line in before.told:
            self.watcher.say(line)
        self.watcher.say(f"{before.articles} unchanged. Nothing changed; the store is as it was.")
        outcome = "failed" if before.failed else "unchanged"
        return self.ended(self.begun, outcome=outcome, generation=before.generation)


def _still_served(folder: Path, before: Seen, digest: str) -> bool:
    """Whether the last run read the same, and what it left is whole and served."""
    if before.digest != digest or Store(folder).known() is None:
        return False
    return Store(folder).current_name() == before.generation


def _update(folder: Path, order: Order, reading: Reading, tools: Tools, watcher: Watcher) -> tuple[Run, int]:
    """Bring the store up to date with what was read; what was done, and how many articles are served."""
    store, removed = Store(folder), read_decisions(folder).removed
    given = [one for one in reading.sourced if one.article.id not in removed]
    for name in sorted({one.article.id for one in reading.sourced} & removed.keys()):
        watcher.say(f"{name}: is left out, since somebody took it out.")
    planned_on = Store(folder / "nothing") if order.anew else store
    plan, corpus = planned_on.plan(given, lambda key, name: name in removed or reading.covers(key, name))
    watcher.planned(plan)
    done = Run(
        started="", seconds=0, sources=(), trigger="", outcome="unchanged",
        generation=store.current_name() if store.exists() else "",
        added=len(plan.added), changed=len(plan.changed), removed=len(plan.removed),
    )  # fmt: skip
    if order.dry_run:
        return done, plan.unchanged
    _brake(plan, order)
    done = _write(store, corpus, order, tools, watcher, done)
    if done.outcome != "held":
        note = partial(
            after_run,
            read=[one.article.id for one in given],
            moved=[*plan.added, *plan.changed, *plan.removed],
            held=reading.held,
            noticed=reading.noticed,
        )
        change_decisions(folder, note)
    return done, len(corpus)


def _write(
    store: Store, corpus: list[Sourced], order: Order, tools: Tools, watcher: Watcher, done: Run
) -> Run:
    encoder = tools.encoder(store.known())
    if order.hold and store.is_held(fingerprint(corpus, encoder.identity)):
        watcher.say(
            "These articles were rolled away from and are not served again until one of them changes, "
            "or until you run `referral index`."
        )
        return done.model_copy(update={"outcome": "held"})
    built = store.write(corpus, encoder, partial(watcher.progress, "indexing"), tools.gate())
    if built is None:
        watcher.say("Nothing changed; the store is as it was.")
        return done
    counts, name = built.manifest.counts, store.current_name()
    watcher.say(
        f"Served now: {counts.articles} articles, {counts.passages} passages "
        f"({built.embedded} embedded, {built.reused} reused)."
    )
    score = store.score(name)
    watcher.say(score.told if score else "There are no golden questions, so no gate was passed.")
    for fall in score.fell if score else ():
        watcher.say(f"  fell: {fall.id}: {fall.question!r}: {fall.why}")
    update = {"outcome": "served", "generation": name, "embedded": built.embedded, "gate": score}
    return done.model_copy(update=update)


def _brake(plan: Plan, order: Order) -> None:
    """Stop a run that would take away much.

    Raises:
        BrakeError: It would, and nobody said that it may.
    """
    allowed = order.allow_removals or order.may_lose.issuperset({*plan.removed, *plan.emptied})
    if plan.lost_share > REMOVAL_BRAKE and not allowed:
        raise BrakeError(plan)
