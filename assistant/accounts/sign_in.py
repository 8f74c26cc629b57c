"""From a name and a password, or a provider's word, to an account; every try leaves a line in the audit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from assistant.accounts import audit, lockout
from assistant.accounts.cookies import Clock, now
from assistant.accounts.passwords import LONGEST, Passwords
from assistant.accounts.roles import Role
from assistant.accounts.tables import AccountRow
from assistant.state.database import Database

_UNKNOWN = "(nobody's name)"  # what was typed is not kept: it may be a password in the wrong field


class WrongError(Exception):
    """There is no such account, or it has another password; which of them is not told."""


class LockedError(Exception):
    """Too many tries have failed.

    Args:
        wait: Until the next one is looked at.
    """

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"Wait {wait.total_seconds():.0f} seconds.")
        self.seconds = max(1, round(wait.total_seconds()))


@dataclass(frozen=True, slots=True)
class Person:
    """Whose account it is."""

    account_id: int
    name: str
    role: Role


class SignIn:
    """Finds out who somebody is.

    Args:
        database: Has the accounts.
        passwords: Compares.
        clock: Tells the time.
    """

    def __init__(self, database: Database, passwords: Passwords | None = None, clock: Clock = now) -> None:
        self._database = database
        self._passwords = passwords or Passwords()
        self._clock = clock

    def by_password(self, name: str, password: str, address: str) -> Person:
        """Whoever has this name and this password.

        Args:
            name: As typed.
            password: As typed.
            address: Of the network that asks.

        Raises:
            WrongError: Nobody has.
            LockedError: The try was not looked at.
        """
        name = folded(name)
        suspects = (lockout.by_name(name), lockout.by_address(address))
        with self._database.begin() as session:
            wait = lockout.count(session, suspects, self._clock())
            account = session.scalar(select(AccountRow).where(AccountRow.name == name))
            known = account.name if account else _UNKNOWN
            if wait:
                audit.note(session, known, "sign-in not looked at", f"locked; from {address}")
        if wait:
            raise LockedError(wait)
        kept = account.password if account and not account.disabled else None
        # No longer one is ever set, and a hash of megabytes would cost the server dearly.
        is_right = self._passwords.matches(kept, password[: LONGEST + 1])
        with self._database.begin() as session:
            if account is None or not is_right:
                why = "disabled; " if account and account.disabled else ""
                audit.note(session, known, "sign-in failed", f"{why}from {address}")
            else:
                lockout.clear(session, suspects[0])
                lockout.take_back(session, suspects[1], self._clock())
                if kept and self._passwords.is_outdated(kept):
                    session.merge(account).password = self._passwords.hash(password)
                audit.note(session, account.name, "signed in", f"from {address}", account_id=account.id)
        if account is None or not is_right:
            raise WrongError
        self._sweep()
        return Person(account.id, account.name, Role(account.role))

    def by_provider(self, issuer: str, subject: str, email: str, address: str) -> Person:
        """Whoever a provider of OpenID Connect says it is.

        Args:
            issuer: The provider.
            subject: Its lasting name for the person.
            email: Their address, when the provider has verified it; else empty. It finds an account
                that no subject is known for yet, which then belongs to this subject.
            address: Of the network that asks.

        Raises:
            WrongError: No account is theirs.
        """
        lasting = f"{issuer} {subject}"
        with self._database.begin() as session:
            account = session.scalar(select(AccountRow).where(AccountRow.subject == lasting))
            if account is None and email:
                by_email = AccountRow.email == email.lower()
                account = session.scalar(select(AccountRow).where(by_email, AccountRow.subject.is_(None)))
            if account is None or account.disabled:
                known = account.name if account else _UNKNOWN
                audit.note(session, known, "sign-in failed", f"by {issuer}; from {address}")
            else:
                account.subject = lasting
                about = f"by {issuer}; from {address}"
                audit.note(session, account.name, "signed in", about, account_id=account.id)
        if account is None or account.disabled:
            raise WrongError
        return Person(account.id, account.name, Role(account.role))

    def failed_elsewhere(self, issuer: str, why: str, address: str) -> None:
        """Note that somebody came back from a provider, and nobody knows who."""
        with self._database.begin() as session:
            audit.note(session, _UNKNOWN, "sign-in failed", f"by {issuer}: {why}; from {address}")

    def _sweep(self) -> None:
        with self._database.begin() as session:
            lockout.sweep(session, self._clock())


def folded(name: str) -> str:
    """A name as it is kept: capitals and spaces around it are no difference."""
    return name.strip().casefold()
