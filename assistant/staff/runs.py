"""Running all golden questions on a generation in the background, one run after the other."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import partial

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from assistant.assistant import ENGINE, Assistant
from assistant.pages.front import Front
from assistant.staff.golden import Golden, every, judge, of_row
from assistant.staff.measures import measures
from assistant.staff.tables import GoldenRow, OutcomeRow, RunRow
from assistant.state.database import Database
from index.errors import UnusableError
from index.generation import Generation
from index.store import Store

_log = logging.getLogger(__name__)


class State(Enum):
    """Where a run is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


_GOING_ON = (State.WAITING.value, State.RUNNING.value)


class RunError(Exception):
    """A run cannot be started; the message says why, for staff."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; `left` in seconds, None while nothing can be said of it."""

    state: State
    done: int
    total: int
    left: float | None
    problem: str

    @property
    def goes_on(self) -> bool:
        """Whether there is more to wait for."""
        return self.state.value in _GOING_ON


class Runs:
    """Starts, tells of and stops runs.

    Args:
        database: Migrated.
        front: Serves the generation by which the others of its store are found.
    """

    def __init__(self, database: Database, front: Front) -> None:
        self._database = database
        self._front = front
        # One thread: visitors need the processor more than a run does.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="golden")
        self._closing = threading.Event()

    def generations(self) -> list[str]:
        """The kept generations, the newest first."""
        served = self._front.now.assistant.generation
        return sorted({*Store(served.folder.parents[1]).names(), served.name}, reverse=True)

    def engines(self) -> list[str]:
        """The engines that can answer, the one that does so for visitors first."""
        writer = self._front.now.assistant.writer
        return [writer.name, ENGINE] if writer else [ENGINE]

    def start(self, generation: str, engine: str, author: str) -> int:
        """Have all golden questions asked; the number of the run.

        Raises:
            RunError: There is no such generation or engine, or there are no questions.
        """
        if generation not in self.generations():
            raise RunError(f"The generation {generation} is not kept any more.")
        if engine not in self.engines():
            raise RunError(f"There is no engine {engine} here.")
        with self._database.begin() as session:
            total = session.scalar(select(func.count()).select_from(GoldenRow)) or 0
            if not total:
                raise RunError("There are no golden questions yet. Add one first.")
            run = RunRow(
                generation=generation,
                engine=engine,
                state=State.WAITING.value,
                total=total,
                problem="",
                measures={},
                author=author,
                started=datetime.now(UTC),
            )
            session.add(run)
            session.flush()
            number = run.id
        self._thread.submit(self._work, number).add_done_callback(partial(self._ended, number))
        return number

    def cancel(self, number: int) -> bool:
        """Stop a run after the question that is being asked; whether it was still going on."""
        with self._database.begin() as session:
            return _move(session, number, State.CANCELLED)

    def progress(self, number: int) -> Progress | None:
        """How far a run is; None when there is none with this number."""
        with self._database.begin() as session:
            run = session.get(RunRow, number)
            if run is None:
                return None
            done = session.scalar(select(func.count()).where(OutcomeRow.run_id == number)) or 0
        state = State(run.state)
        spent = (datetime.now(UTC) - run.started).total_seconds()
        left = spent / done * (run.total - done) if state is State.RUNNING and done else None
        return Progress(state, done, run.total, left, run.problem)

    def recover(self) -> None:
        """Give up runs that an earlier server did not end."""
        with self._database.begin() as session:
            for number in session.scalars(select(RunRow.id).where(RunRow.state.in_(_GOING_ON))).all():
                _move(session, number, State.FAILED, "The server was stopped meanwhile.")

    def close(self) -> None:
        """Stop working; a run that is under way is left unfinished."""
        self._closing.set()
        self._thread.shutdown(cancel_futures=True)

    def _work(self, number: int) -> None:
        with self._database.begin() as session:
            run = session.get_one(RunRow, number)
            questions = [(row.id, of_row(row)) for row in every(session)]
            if not _move(session, number, State.RUNNING, started=datetime.now(UTC)):
                return  # it was cancelled before its turn came
        try:
            assistant = self._assistant(run.generation, run.engine)
        except UnusableError as error:
            self._end(number, State.FAILED, str(error))
            return
        self._ask(number, assistant, questions)

    def _ask(self, number: int, assistant: Assistant, questions: Sequence[tuple[int, Golden]]) -> None:
        for row_id, golden in questions:
            outcome = _outcome(assistant, golden)
            outcome.run_id = number
            with self._database.begin() as session:
                state = session.scalar(select(RunRow.state).where(RunRow.id == number))
                if state != State.RUNNING.value:
                    return
                known = session.scalar(select(GoldenRow.id).where(GoldenRow.id == row_id))
                outcome.golden_id = known  # None when it was deleted meanwhile
                session.add(outcome)
            if self._closing.is_set():
                self._end(number, State.FAILED, "The server was stopped meanwhile.")
                return
        with self._database.begin() as session:
            run = session.get_one(RunRow, number)
            run.measures = measures(run.outcomes)
            session.flush()
            _move(session, number, State.DONE)

    def _assistant(self, generation: str, engine: str) -> Assistant:
        """What answers; the one that serves visitors when it is the same."""
        served, written = self._front.now.assistant, engine != ENGINE
        if generation == served.generation.name:
            same = written == (served.writer is not None)
            return served if same else served.over(served.generation, written=written)
        folder = served.generation.folder.with_name(generation)
        return served.over(Generation(folder), written=written)

    def _end(self, number: int, state: State, problem: str = "") -> None:
        with self._database.begin() as session:
            _move(session, number, state, problem)

    def _ended(self, number: int, future: Future[None]) -> None:
        """Tell of a run that broke off by an error of ours, which would else seem to go on for ever."""
        if future.cancelled():
            self._end(number, State.FAILED, "The server was stopped meanwhile.")
        elif error := future.exception():
            _log.error("run %d broke off", number, exc_info=error)
            self._end(number, State.FAILED, f"It broke off by an error of ours ({type(error).__name__}).")


def _outcome(assistant: Assistant, golden: Golden) -> OutcomeRow:
    start = time.perf_counter()
    answer = assistant.ask(golden.question, golden.history)
    seconds = time.perf_counter() - start
    judged = judge(golden, answer)
    return OutcomeRow(
        name=golden.name,
        question=golden.question,
        expected=list(golden.kinds),
        kind=answer.kind,
        faults=list(judged.faults),
        right_article=judged.right_article,
        right_sentence=judged.right_sentence,
        articles=list(dict.fromkeys(one.article_id for one in answer.citations)),
        text=answer.text,
        seconds=seconds,
    )


def _move(
    session: Session, number: int, state: State, problem: str = "", started: datetime | None = None
) -> bool:
    """Bring a run that goes on into another state; whether it went on."""
    values: dict[str, object] = {"state": state.value, "problem": problem}
    if state.value not in _GOING_ON:
        values["ended"] = datetime.now(UTC)
    if started:
        values["started"] = started
    moved = session.scalars(
        update(RunRow)
        .where(RunRow.id == number, RunRow.state.in_(_GOING_ON))
        .values(values)
        .returning(RunRow.id)
        .execution_options(synchronize_session=False)
    )
    return moved.first() is not None
