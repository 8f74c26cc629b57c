"""Making and changing accounts: done by commands, never by a page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from assistant.accounts import audit, lockout
from assistant.accounts.cookies import Clock, now
from assistant.accounts.passwords import Passwords, weakness
from assistant.accounts.roles import Role
from assistant.accounts.sign_in import folded
from assistant.accounts.tables import AccountRow, SessionRow
from assistant.state.database import Database
from index.errors import UnusableError

BY = "(command)"  # who the audit says has done it
_NAME = re.compile(r"[\w][\w.@+-]{1,63}")


class AccountError(UnusableError):
    """What was asked cannot be done to this account: says why, and what can."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account as a list shows it."""

    name: str
    role: Role
    email: str
    subject: str
    has_password: bool
    disabled: bool
    locked: bool
    created: datetime


class Accounts:
    """The accounts of a database.

    Args:
        database: Migrated.
        passwords: Hashes.
        clock: Tells the time.
    """

    def __init__(self, database: Database, passwords: Passwords | None = None, clock: Clock = now) -> None:
        self._database = database
        self._passwords = passwords or Passwords()
        self._clock = clock

    def add(self, name: str, role: Role, password: str | None, email: str = "", subject: str = "") -> None:
        """Make an account.

        Args:
            name: What the person signs in with.
            role: What they may do.
            password: None for somebody who signs in by OpenID Connect alone.
            email: As the provider knows it.
            subject: The provider's issuer and its name for the person, parted by a space.

        Raises:
            AccountError: Something about it is not possible.
        """
        name = folded(name)
        if not _NAME.fullmatch(name):
            raise AccountError(
                f"{name!r} cannot be a name. Use 2 to 64 letters, digits and . @ + - _, without spaces."
            )
        if password is None and not (email or subject):
            raise AccountError("Without a password an account needs an e-mail address or a subject.")
        made = AccountRow(
            name=name,
            role=role.value,
            password=None if password is None else self._hashed(password, name),
            email=email.lower() or None,
            subject=subject or None,
            disabled=False,
            created=self._clock(),
        )
        try:
            with self._database.begin() as session:
                session.add(made)
                audit.note(session, BY, "account added", f"{name}, {role.value}")
        except IntegrityError as error:
            raise AccountError(
                f"There is an account {name!r} already, or another has this e-mail address or subject. "
                "See `referral account list`."
            ) from error

    def all(self) -> list[Account]:
        """Every account, by name."""
        with self._database.begin() as session:
            rows = session.scalars(select(AccountRow).order_by(AccountRow.name)).all()
            return [
                Account(
                    row.name,
                    Role(row.role),
                    row.email or "",
                    row.subject or "",
                    row.password is not None,
                    row.disabled,
                    lockout.is_locked(session, lockout.by_name(row.name), self._clock()),
                    row.created,
                )
                for row in rows
            ]

    def set_password(self, name: str, password: str) -> None:
        """Give an account another password, which signs it out everywhere; errors as for `add`."""
        hashed = self._hashed(password, folded(name))
        with self._database.begin() as session:
            account = _account(session, name)
            account.password = hashed
            _sign_out(session, account)
            lockout.clear(session, lockout.by_name(account.name))
            audit.note(session, BY, "password set", account.name)

    def set_role(self, name: str, role: Role) -> None:
        """Give an account another role, which signs it out everywhere; errors as for `add`."""
        with self._database.begin() as session:
            account = _account(session, name)
            about = f"{account.name}, {account.role} to {role.value}"
            account.role = role.value
            _sign_out(session, account)
            audit.note(session, BY, "role set", about)

    def set_identity(self, name: str, email: str, subject: str) -> None:
        """Tell by what an OpenID provider knows a person; errors as for `add`.

        Args:
            name: Of the account.
            email: Empty for none.
            subject: Empty for none, so that the e-mail address decides at the next sign-in.
        """
        try:
            with self._database.begin() as session:
                account = _account(session, name)
                account.email, account.subject = email.lower() or None, subject or None
                _sign_out(session, account)
                audit.note(session, BY, "identity set", account.name)
        except IntegrityError as error:
            raise AccountError("Another account has this e-mail address or subject already.") from error

    def disable(self, name: str) -> None:
        """Keep somebody out from this moment on; errors as for `add`."""
        with self._database.begin() as session:
            account = _account(session, name)
            account.disabled = True
            _sign_out(session, account)
            audit.note(session, BY, "account disabled", account.name)

    def enable(self, name: str) -> None:
        """Let somebody in again who was kept out; errors as for `add`."""
        with self._database.begin() as session:
            account = _account(session, name)
            account.disabled = False
            audit.note(session, BY, "account enabled", account.name)

    def unlock(self, name: str) -> None:
        """Forget failed tries to sign in with a name; errors as for `add`."""
        with self._database.begin() as session:
            account = _account(session, name)
            lockout.clear(session, lockout.by_name(account.name))
            audit.note(session, BY, "account unlocked", account.name)

    def audit(self, last: int) -> list[audit.Line]:
        """The last lines of the audit, the newest first."""
        with self._database.begin() as session:
            return audit.recent(session, last)

    def _hashed(self, password: str, name: str) -> str:
        if weak := weakness(password, name):
            raise AccountError(f"This password cannot be taken: {weak}.")
        return self._passwords.hash(password)


def _account(session: Session, name: str) -> AccountRow:
    found = session.scalar(select(AccountRow).where(AccountRow.name == folded(name)))
    if found is None:
        raise AccountError(f"There is no account {folded(name)!r}. See `referral account list`.")
    return found


def _sign_out(session: Session, account: AccountRow) -> None:
    session.execute(delete(SessionRow).where(SessionRow.account_id == account.id))
