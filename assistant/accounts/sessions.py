"""Who is signed in: a random token in the browser's cookie, and its hash with two time limits here."""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import delete, select
from sqlalchemy.orm import joinedload

from assistant.accounts.cookies import Clock, now
from assistant.accounts.tables import AccountRow, SecretRow, SessionRow
from assistant.state.database import Database, add_if_absent

LONGEST = timedelta(hours=12)  # a working day, after which everybody signs in anew
IDLE = timedelta(hours=1)
_LOOK = timedelta(minutes=1)  # how exactly the last use is known; else every page would write


class Sessions:
    """The browsers that are signed in.

    Args:
        database: Keeps them.
        clock: Tells the time.
    """

    def __init__(self, database: Database, clock: Clock = now) -> None:
        self._database = database
        self._clock = clock

    def start(self, account_id: int) -> str:
        """Sign a browser in; its token, which is kept nowhere else."""
        token, moment = secrets.token_urlsafe(32), self._clock()
        with self._database.begin() as session:
            session.execute(
                delete(SessionRow).where(
                    (SessionRow.started <= moment - LONGEST) | (SessionRow.seen <= moment - IDLE)
                )
            )
            session.add(SessionRow(digest=_digest(token), account_id=account_id, started=moment, seen=moment))
        return token

    def find(self, token: str) -> AccountRow | None:
        """Whose token it is; None when it has ended, in whichever way."""
        moment = self._clock()
        with self._database.begin() as session:
            found = session.scalar(
                select(SessionRow)
                .where(SessionRow.digest == _digest(token))
                .options(joinedload(SessionRow.account))
            )
            if found is None or found.account.disabled:
                return None
            if moment - found.started >= LONGEST or moment - found.seen >= IDLE:
                session.delete(found)
                return None
            if moment - found.seen >= _LOOK:
                found.seen = moment
            return found.account

    def end(self, token: str) -> None:
        """Sign a browser out."""
        with self._database.begin() as session:
            session.execute(delete(SessionRow).where(SessionRow.digest == _digest(token)))


def server_key(database: Database) -> str:
    """What cookies are signed with: made at first use, the same for all servers of a database."""
    with database.begin() as session:
        add_if_absent(session, SecretRow, name="cookies", value=secrets.token_hex(32))
        return session.scalars(select(SecretRow.value).where(SecretRow.name == "cookies")).one()


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
