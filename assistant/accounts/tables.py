"""The tables of accounts, sessions, lockouts, the audit and keys; made by migration 0001."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from assistant.state.database import Base, UtcDateTime


class AccountRow(Base):
    """A person of the staff.

    Attributes:
        name: What they sign in with, case-folded.
        role: A value of `Role`.
        password: Argon2's own notation of the hash; None signs in by OpenID Connect alone.
        email: As an OpenID provider tells it, in lower case.
        subject: The provider's issuer and its `sub`, parted by a space: it never changes, as an e-mail may.
    """

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    password: Mapped[str | None] = mapped_column(String(255))
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    subject: Mapped[str | None] = mapped_column(String(600), unique=True)
    disabled: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime] = mapped_column(UtcDateTime)


class SessionRow(Base):
    """A browser that is signed in.

    Attributes:
        digest: SHA-256 of the cookie's token, in hexadecimal: who reads the table cannot sign in with it.
        seen: When it was last used, to the minute.
    """

    __tablename__ = "session"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    started: Mapped[datetime] = mapped_column(UtcDateTime)
    seen: Mapped[datetime] = mapped_column(UtcDateTime)
    account: Mapped[AccountRow] = relationship()


class LockoutRow(Base):
    """Failed tries to sign in, of one name or from one address.

    Attributes:
        whom: What kind it is, and a SHA-256 of which: names that were tried may be passwords.
        until: Before this no try is looked at.
    """

    __tablename__ = "lockout"

    whom: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int]
    last: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    until: Mapped[datetime] = mapped_column(UtcDateTime)


class AuditRow(Base):
    """Something that was done; it outlives the account, so the name stands here too."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    account_id: Mapped[int | None]
    name: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    about: Mapped[str] = mapped_column(Text)


class SecretRow(Base):
    """A key of the server's own, made at first use."""

    __tablename__ = "secret"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(String(64))
