"""What a maintainer has set off: one thing at a time, on its own thread, watched and stopped from pages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from index.errors import UnusableError
from index.gate import GateError, Score
from index.runs import Run
from index.store import Plan
from index.updating import BrakeError, Order, Step, StoppedError, Watcher

Work = Callable[[Order, Watcher], Run | None]
State = Literal["running", "done", "stopped", "failed"]

_LINES = 500  # what a run says of thousands of pages is in its record, too
_SOON = 0.5  # seconds before which a rate says nothing


class BusyError(UnusableError):
    """Something else is under way."""


@dataclass(frozen=True, slots=True)
class View:
    """A job at one moment.

    Attributes:
        number: Counts up; a form that confirms something names it.
        what: What it does, as the end of "Now: ...".
        by: Who set it off.
        order: What it may do.
        state: How it stands.
        stopping: Somebody has asked it to stop.
        step: What it is at.
        done: How much of the step.
        total: Of how much; 0 while it is not known.
        rate: A second.
        left: Seconds until the step is done, as far as can be told.
        seconds: Since it began, or that it took.
        lines: What it said.
        plan: What it would change, once that is known.
        record: What it did, when it is done.
        error: Why it failed, or empty.
        brake: What it was not allowed to do without a word.
        score: How the golden questions fared when the new generation was refused.
    """

    number: int
    what: str
    by: str
    order: Order
    started: datetime
    state: State
    stopping: bool
    step: Step | None
    done: int
    total: int
    rate: float | None
    left: float | None
    seconds: float
    lines: tuple[str, ...]
    plan: Plan | None
    record: Run | None
    error: str
    brake: Plan | None
    score: Score | None

    @property
    def share(self) -> float | None:
        """How much of the step is done; None while that is not known."""
        return min(self.done / self.total, 1.0) if self.total else None


class Job:
    """One thing under way: the `Watcher` of a run, and what pages ask about it."""

    def __init__(self, number: int, what: str, by: str, order: Order, work: Work) -> None:
        self.number, self.what, self.by, self.order, self.work = number, what, by, order, work
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._started, self._clock = datetime.now(UTC), time.monotonic()
        self._ended: float | None = None
        self._step: Step | None = None
        self._step_clock = self._clock
        self._done = self._total = 0
        self._lines: list[str] = []
        self._plan: Plan | None = None
        self._record: Run | None = None
        self._failure: UnusableError | None = None
        self._whole = False

    def say(self, line: str) -> None:
        """As the run tells it."""
        with self._lock:
            if len(self._lines) < _LINES:
                self._lines.append(line)

    def progress(self, step: Step, done: int, total: int) -> None:
        """As the run tells it.

        Raises:
            StoppedError: Somebody has asked for it.
        """
        if self._stop.is_set():
            raise StoppedError("It was stopped; what is served stays.")
        with self._lock:
            if step != self._step:
                self._step, self._step_clock = step, time.monotonic()
            self._done, self._total = done, total

    def planned(self, plan: Plan) -> None:
        """As the run tells it."""
        with self._lock:
            self._plan = plan

    def stop(self) -> None:
        """Have it end at the next step that it can end at."""
        self._stop.set()

    def do(self) -> None:
        """Do it; what goes wrong is kept for the pages."""
        try:
            self._record = self.work(self.order, self)
            self._whole = True
        except UnusableError as error:
            self._failure = error
        finally:
            self._ended = time.monotonic()

    @property
    def is_running(self) -> bool:
        """Whether it is still under way."""
        return self._ended is None

    def view(self) -> View:
        """How it stands now."""
        with self._lock:
            now = self._ended or time.monotonic()
            spent = now - self._step_clock
            rate = self._done / spent if self._done and spent > _SOON else None
            left = (self._total - self._done) / rate if rate and self._total else None
            failure = self._failure
            return View(
                number=self.number,
                what=self.what,
                by=self.by,
                order=self.order,
                started=self._started,
                state=self._state(),
                stopping=self._stop.is_set(),
                step=self._step,
                done=self._done,
                total=self._total,
                rate=rate,
                left=left,
                seconds=now - self._clock,
                lines=tuple(self._lines),
                plan=self._plan,
                record=self._record,
                error=self._error(),
                brake=failure.plan if isinstance(failure, BrakeError) else None,
                score=failure.score if isinstance(failure, GateError) else None,
            )

    def _state(self) -> State:
        if self.is_running:
            return "running"
        if isinstance(self._failure, StoppedError):
            return "stopped"
        return "done" if self._whole else "failed"

    def _error(self) -> str:
        if self._failure is not None:
            return str(self._failure)
        if self.is_running or self._whole:
            return ""
        return "It ended by a fault of the program; the server's log says where. What is served stays."


class Jobs:
    """Starts jobs, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: Job | None = None
        self._thread: threading.Thread | None = None

    @property
    def last(self) -> View | None:
        """The job that was started last, as it stands now; None when there was none."""
        return self._last.view() if self._last else None

    def start(self, what: str, by: str, order: Order, work: Work) -> View:
        """Start something.

        Raises:
            BusyError: Something else is under way.
        """
        with self._lock:
            if self._last and self._last.is_running:
                raise BusyError(
                    f"{self._last.by} has already started something: {self._last.what}. "
                    "Wait until it has finished, or stop it first."
                )
            number = self._last.number + 1 if self._last else 1
            self._last = Job(number, what, by, order, work)
            # Whenever the server ends, the store is as it was before or as it is after.
            self._thread = threading.Thread(target=self._last.do, name="maintainer", daemon=True)
            self._thread.start()
            return self._last.view()

    def again(self, number: int, by: str, order: Callable[[View], Order]) -> View:
        """Start the last job once more, with leave for what it was stopped by.

        Args:
            number: Which job the person has looked at.
            by: Who.
            order: What it may do now, by how it ended.

        Raises:
            BusyError: Something else was started since, so that this is not what was looked at.
        """
        last = self._last
        if last is None or last.number != number or last.is_running:
            raise BusyError("Something else was started since. Look at how it went, then decide.")
        now = order(last.view())
        what = "a run" if last.order.dry_run and not now.dry_run else last.what
        return self.start(what, by, now, last.work)

    def stop(self) -> None:
        """Have the job that is under way stop."""
        if self._last:
            self._last.stop()

    def wait(self, seconds: float) -> None:
        """Wait until nothing is under way."""
        if self._thread:
            self._thread.join(seconds)
