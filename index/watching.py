"""Runs of indexing by the clock and on call, one at a time: the one home of APScheduler."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from index.errors import StoreError, UnusableError

_log = logging.getLogger(__name__)

# Calls so close together are one: a shop tells of each of ten posts that are changed at once.
_GATHERED = timedelta(seconds=2)


class Watch:
    """Runs something again and again; a run that fails is told and counted, and the next one is tried.

    Args:
        run: One run, given what set it off; what became of it, in a word.
        every: Minutes between two runs; 0 for none by the clock.
        cron: A crontab's five fields instead, by UTC.

    Raises:
        StoreError: The crontab's fields cannot be read.
    """

    def __init__(self, run: Callable[[str], str], *, every: float = 0, cron: str = "") -> None:
        self._run = run
        self._alone = threading.Lock()
        self._calling = threading.Lock()
        self._timer: threading.Timer | None = None
        self._called = ""  # what the call that waits said
        self._counts: Counter[str] = Counter()
        self._last_good = 0.0
        self._scheduler = BackgroundScheduler(timezone=UTC)
        if trigger := _trigger(every, cron):
            first = None if cron else datetime.now(UTC)
            options = {} if first is None else {"next_run_time": first}
            self._scheduler.add_job(
                self.once, trigger, args=["schedule"], max_instances=1, coalesce=True, **options
            )

    def start(self) -> None:
        """Begin, on a thread of its own."""
        self._scheduler.start()

    def stop(self) -> None:
        """End; a run that is under way is finished first."""
        self._scheduler.shutdown(wait=True)
        if self._timer:
            self._timer.cancel()
            self._timer.join()
        with self._alone:  # a run that an earlier call set off
            pass

    def call(self, why: str) -> None:
        """Have a run soon; calls that come close together are one."""
        with self._calling:
            waiting, self._called = self._called, why
        if not waiting:
            # No job of the scheduler's: it removes one that has run, and a stop meanwhile upsets that.
            self._timer = threading.Timer(_GATHERED.total_seconds(), self._answer)
            self._timer.daemon = True
            self._timer.start()

    def _answer(self) -> None:
        with self._calling:
            why, self._called = self._called, ""  # a later call may tell of what this run no longer sees
        self.once(why)

    def once(self, why: str) -> bool:
        """One run now, after any that is under way; whether it went well."""
        outcome = "failed"
        with self._alone:
            try:
                outcome = self._run(why)
            except UnusableError as error:
                _log.error("The run failed, and what is served stays: %s", error)
            finally:
                self._counts[outcome] += 1
            if outcome != "failed":
                self._last_good = datetime.now(UTC).timestamp()
        return outcome != "failed"

    def metrics(self) -> str:
        """The counters as Prometheus reads them."""
        lines = ["# TYPE referral_runs_total counter"]
        outcomes = sorted({"served", "unchanged", "failed", *self._counts})
        lines += [f'referral_runs_total{{outcome="{one}"}} {self._counts[one]}' for one in outcomes]
        lines += ["# TYPE referral_last_good_run_timestamp_seconds gauge"]
        lines += [f"referral_last_good_run_timestamp_seconds {self._last_good:.0f}"]
        return "\n".join(lines) + "\n"


def _trigger(every: float, cron: str) -> CronTrigger | IntervalTrigger | None:
    if not cron:
        return IntervalTrigger(minutes=every, timezone=UTC) if every else None
    try:
        return CronTrigger.from_crontab(cron, timezone=UTC)
    except ValueError as error:
        raise StoreError(
            f"{cron!r} is not a crontab's five fields ({error}). Every quarter of an hour: '*/15 * * * *'."
        ) from error
