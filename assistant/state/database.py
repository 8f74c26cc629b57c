"""The database: where it is, its transactions, and bringing it up to date.

Each package declares its own tables on `Base`, in a module `tables`. All columns are such that SQLite and
PostgreSQL keep the same; nothing here knows what is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import DateTime, Dialect, Engine, MetaData, TypeDecorator, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from index.errors import UnusableError

MIGRATIONS = Path(__file__).parent / "migrations"

_BUSY_SECONDS = 10  # that a transaction waits for another one to end
# What is deleted is overwritten: it may be what a visitor took back.
_PRAGMAS = ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "secure_delete = ON")
_MIGRATING = 7_246_532  # any number, by which two servers that start at once agree who goes first


class Base(DeclarativeBase):
    """What every table is declared on."""

    # Constraints get the same names on both databases, so that a later migration can name them.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, which goes in with any offset and comes out in UTC; SQLite itself keeps no offset."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database.

        Raises:
            ValueError: The moment has no offset, so nobody knows when it is.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no offset from UTC")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class DatabaseError(UnusableError):
    """The database cannot be used: says which, and what to do."""


class Database:
    """A database that may not have been migrated yet.

    Args:
        url: `sqlite:///…`, or `postgresql+psycopg://…` or shorter `postgresql://…`.

    Raises:
        DatabaseError: The URL names no database that can be used.
    """

    def __init__(self, url: str) -> None:
        parsed = _parsed(url)
        self.name = parsed.render_as_string(hide_password=True)
        self.engine = _engine(parsed)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """A transaction: it commits at the end, and rolls back when there is an error.

        On SQLite only one is open at a time, so keep them short. What was read can be read on afterwards.
        """
        with self._sessions.begin() as session:
            yield session

    def migrate(self) -> None:
        """Bring the tables up to date; several servers may do so at once.

        Raises:
            DatabaseError: It cannot be reached or written, or a newer program has made it.
        """
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        try:
            with self.engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(sqlalchemy.select(sqlalchemy.func.pg_advisory_xact_lock(_MIGRATING)))
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except CommandError as error:
            raise DatabaseError(
                f"The database {self.name} was made by a newer version of this program ({error}). "
                "Install that version, or name another database in REFERRAL_DATABASE."
            ) from error
        except SQLAlchemyError as error:
            reason = " ".join(str(getattr(error, "orig", None) or error).split())
            raise DatabaseError(
                f"The database {self.name} cannot be opened: {reason} "
                "See that it can be reached and written, or name another in REFERRAL_DATABASE."
            ) from error

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def add_if_absent(session: Session, table: type[Base], **values: object) -> None:
    """Put a row in unless there is one with its key, even if another transaction does so at this moment."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(table).values(**values).on_conflict_do_nothing())


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseError(
            "REFERRAL_DATABASE is no database's URL. It looks like sqlite:///folder/referral.db "
            "or postgresql://user:password@host/name."
        ) from error
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in {"sqlite", "postgresql+psycopg"} or not parsed.database:
        raise DatabaseError(
            f"The database {parsed.render_as_string(hide_password=True)} is of a kind that cannot be used, "
            "or has no name. Use sqlite:///folder/referral.db or postgresql://user:password@host/name."
        )
    return parsed


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    try:
        return sqlalchemy.create_engine(url, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise DatabaseError(
            f"The database {url.render_as_string(hide_password=True)} needs a driver that is not installed. "
            "Install it: pip install 'referral[postgres]'."
        ) from error


def _sqlite(url: URL) -> Engine:
    file = Path(str(url.database))
    try:
        file.touch(mode=0o600)  # it holds hashes of passwords: for nobody else on this machine
    except OSError as error:
        raise DatabaseError(
            f"The database {file} cannot be written: {error.strerror}. "
            "Name another file in REFERRAL_DATABASE, such as sqlite:///folder/referral.db."
        ) from error
    engine = sqlalchemy.create_engine(url, connect_args={"timeout": _BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver would begin transactions by itself, and too late
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: sqlalchemy.Connection) -> None:
        # A transaction that first reads and then writes would fail at once when another wrote in between.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
