"""Answers that visitors found not helpful and let us keep: who looks at them, what the editor is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.accounts.roles import Role
from assistant.accounts.tables import AccountRow
from assistant.feedback.tables import FeedbackRow
from assistant.staff.tables import FlagRow


class State(Enum):
    """What has become of a flag."""

    NEW = "new"
    LOOKING = "looking"
    DONE = "done"
    DISMISSED = "dismissed"


OPEN = (State.NEW, State.LOOKING)


@dataclass(frozen=True, slots=True)
class Flag:
    """A visitor's "not helpful", and what staff made of it.

    Attributes:
        assignee_id: Of the account that looks at it; None for nobody.
        note: To the editor of the article.
    """

    given: FeedbackRow
    state: State
    assignee_id: int | None
    note: str


class NoFlagError(Exception):
    """It has expired or was deleted by whoever gave it."""


def queue(session: Session, moment: datetime) -> list[Flag]:
    """All that may still be read, the newest first."""
    rows = session.execute(
        select(FeedbackRow, FlagRow)
        .outerjoin(FlagRow, FlagRow.feedback_id == FeedbackRow.id)
        .where(FeedbackRow.verdict == "no", FeedbackRow.expires > moment)
        .order_by(FeedbackRow.id.desc())
    ).all()
    return [
        Flag(given, State(row.state), row.assignee_id, row.note) if row else Flag(given, State.NEW, None, "")
        for given, row in rows
    ]


def counts(flags: list[Flag]) -> Mapping[State, int]:
    """How many are in each state."""
    found = Counter(one.state for one in flags)
    return {state: found[state] for state in State}


def put(session: Session, feedback_id: int, state: State, assignee_id: int | None, note: str) -> None:
    """Write down what became of a flag.

    Raises:
        NoFlagError: There is none any more.
    """
    now = datetime.now(UTC)
    given = session.get(FeedbackRow, feedback_id)
    if given is None or given.verdict != "no" or given.expires <= now:
        raise NoFlagError
    row = session.get(FlagRow, feedback_id) or FlagRow(feedback_id=feedback_id)
    row.state, row.assignee_id, row.note, row.changed = state.value, assignee_id, note, now
    session.add(row)


def people(session: Session) -> dict[int, str]:
    """Names of those who can look at a flag, by their account's id."""
    rows = session.scalars(select(AccountRow).where(AccountRow.disabled.is_(False)).order_by(AccountRow.name))
    return {row.id: row.name for row in rows if Role(row.role).may(Role.STAFF)}
