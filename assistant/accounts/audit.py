"""Who did what, and when: a line for each action of staff and maintainers, and for each try to sign in.

No line has a password, a visitor's words, or a name that was tried and is nobody's.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.accounts.tables import AuditRow

_log = logging.getLogger(__name__)

_ACTION, _ABOUT = 64, 500  # the longest that is kept


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the audit."""

    at: datetime
    name: str
    action: str
    about: str


def note(session: Session, name: str, action: str, about: str = "", *, account_id: int | None = None) -> None:
    """Add a line, as part of a transaction."""
    session.add(
        AuditRow(
            at=datetime.now(UTC),
            account_id=account_id,
            name=name,
            action=action[:_ACTION],
            about=about[:_ABOUT],
        )
    )
    _log.info("%s: %s %s", name, action, about)


def recent(session: Session, last: int = 100, before: int | None = None) -> list[Line]:
    """The newest lines, the newest first.

    Args:
        session: To read with.
        last: How many.
        before: Leaves out as many of the newest, for a second page.
    """
    rows = session.scalars(select(AuditRow).order_by(AuditRow.id.desc()).limit(last).offset(before or 0))
    return [Line(row.at, row.name, row.action, row.about) for row in rows]
