"""Slows down whoever guesses passwords: after some failures each further one costs a longer wait.

Names and addresses are counted apart, and a name is counted whether or not it is anybody's, so that the wait
does not tell which names there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from assistant.accounts.tables import LockoutRow
from assistant.state.database import add_if_absent

FIRST_WAIT = timedelta(seconds=30)  # doubled with each further failure
LONGEST_WAIT = timedelta(minutes=15)  # not for ever, or anybody could keep a colleague out
FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A name or an address, by its hash, since a name that is typed may be a password.

    Attributes:
        free: Failures that cost no wait.
    """

    whom: str
    free: int


def by_name(name: str) -> Suspect:
    """An account's name, or what somebody takes for one."""
    return Suspect(f"name:{sha256(name.encode()).hexdigest()}", free=5)


def by_address(address: str) -> Suspect:
    """A network's address; a whole office may share one."""
    return Suspect(f"address:{sha256(address.encode()).hexdigest()}", free=20)


def count(session: Session, suspects: Sequence[Suspect], moment: datetime) -> timedelta:
    """Count a try as failed before it is looked at, so that many at once are not looked at all together.

    Args:
        session: A transaction of its own, which ends before the password is compared.
        suspects: Always in the same order, or two transactions may wait for each other.
        moment: Now.

    Returns:
        How long to wait first, in which case the try is neither counted nor to be looked at; else zero.
    """
    rows = [_locked(session, one.whom, moment) for one in suspects]
    wait = max((row.until - moment for row in rows), default=timedelta())
    if wait > timedelta():
        return wait
    for one, row in zip(suspects, rows, strict=True):
        row.failures = 1 if moment - row.last >= FORGOTTEN_AFTER else row.failures + 1
        row.last, row.until = moment, moment + delay(row.failures - one.free)
    return timedelta()


def delay(beyond: int) -> timedelta:
    """The wait after so many failures more than are free."""
    if beyond <= 0:
        return timedelta()
    doubled = min(beyond - 1, 10)  # by then it is far beyond the longest
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << doubled))


def clear(session: Session, suspect: Suspect) -> None:
    """Forget a name's failures: it has signed in, or somebody who may has unlocked it."""
    session.execute(delete(LockoutRow).where(LockoutRow.whom == suspect.whom))


def take_back(session: Session, suspect: Suspect, moment: datetime) -> None:
    """One try of an address was right; its others still count, or one's own account could hide a search."""
    row = _locked(session, suspect.whom, moment)
    row.failures = max(0, row.failures - 1)
    row.until = moment


def sweep(session: Session, moment: datetime) -> None:
    """Forget what is long past."""
    session.execute(delete(LockoutRow).where(LockoutRow.last < moment - FORGOTTEN_AFTER))


def is_locked(session: Session, suspect: Suspect, moment: datetime) -> bool:
    """Whether a try would have to wait."""
    row = session.get(LockoutRow, suspect.whom)
    return row is not None and row.until > moment


def _locked(session: Session, whom: str, moment: datetime) -> LockoutRow:
    """The row, which no other transaction can count in until this one ends."""
    add_if_absent(session, LockoutRow, whom=whom, failures=0, last=moment, until=moment)
    return session.scalars(select(LockoutRow).where(LockoutRow.whom == whom).with_for_update()).one()
