"""The database, on SQLite and a real PostgreSQL: migrations, transactions, and what is told when it fails."""

from __future__ import annotations

import importlib
import stat
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, inspect, select, text, update
from sqlalchemy.exc import IntegrityError, StatementError

from assistant.accounts.tables import AccountRow, AuditRow, LockoutRow, SessionRow
from assistant.state.database import MIGRATIONS, Base, Database, DatabaseError, add_if_absent
from tests.conftest import ROOT

NOW = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)


def everybodys_tables() -> list[str]:
    """Imports every module that declares tables, as the server does somewhere."""
    found = [path.relative_to(ROOT).with_suffix("") for path in (ROOT / "assistant").rglob("tables.py")]
    for path in found:
        importlib.import_module(".".join(path.parts))
    return sorted(Base.metadata.tables)


def account(name: str) -> AccountRow:
    return AccountRow(name=name, role="staff", created=NOW, disabled=False)


# ---------------------------------------------------------------- migrations


def test_the_migrations_make_exactly_the_declared_tables(database: Database) -> None:
    assert {"account", "session", "lockout", "audit", "secret"} <= set(everybodys_tables())
    with database.engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_comparison_sees_a_column_that_no_migration_makes(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit DROP COLUMN about"))
    with database.engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        (difference,) = compare_metadata(context, Base.metadata)
    assert difference[0] == "add_column"


def test_the_migrations_are_one_chain_in_the_order_of_their_files() -> None:
    script = ScriptDirectory(str(MIGRATIONS))
    chain = [one.revision for one in reversed(list(script.walk_revisions("base", "heads")))]
    files = sorted(path.name for path in (MIGRATIONS / "versions").glob("*.py"))
    assert [name.split("_")[0] for name in files] == chain
    assert len(script.get_heads()) == 1


def test_migrating_again_changes_nothing(database: Database) -> None:
    with database.begin() as session:
        session.add(account("ann"))
    database.migrate()
    with database.begin() as session:
        assert session.scalars(select(AccountRow.name)).all() == ["ann"]


def test_servers_that_start_at_once_migrate_once(empty_database: Database) -> None:
    failed: list[BaseException] = []

    def start() -> None:
        try:
            empty_database.migrate()
        except DatabaseError as error:
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert "account" in inspect(empty_database.engine).get_table_names()


def test_a_database_of_a_newer_version_is_left_alone(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="newer version"):
        database.migrate()


# ---------------------------------------------------------------- transactions and columns


def test_an_error_takes_the_whole_transaction_back(database: Database) -> None:
    def add_two() -> None:
        with database.begin() as session:
            session.add(account("ann"))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        add_two()
    with database.begin() as session:
        assert session.scalar(select(func.count()).select_from(AccountRow)) == 0


def test_foreign_keys_hold(database: Database) -> None:
    def add_session_of_nobody() -> None:
        with database.begin() as session:
            session.add(SessionRow(digest="d", account_id=7, started=NOW, seen=NOW))

    with pytest.raises(IntegrityError):
        add_session_of_nobody()


def test_a_moment_comes_back_in_utc_whatever_its_offset(database: Database) -> None:
    at = NOW.astimezone(timezone(timedelta(hours=-7)))
    with database.begin() as session:
        session.add(AuditRow(at=at, name="ann", action="a", about=""))
    with database.begin() as session:
        found = session.scalars(select(AuditRow.at)).one()
        assert session.scalars(select(AuditRow.name).where(AuditRow.at < NOW + timedelta(seconds=1))).all()
        assert not session.scalars(select(AuditRow.name).where(AuditRow.at < NOW)).all()
    assert (found, found.utcoffset()) == (NOW, timedelta())


def test_a_moment_without_an_offset_is_refused(database: Database) -> None:
    def add() -> None:
        with database.begin() as session:
            session.add(AuditRow(at=NOW.replace(tzinfo=None), name="ann", action="a", about=""))

    with pytest.raises(StatementError, match="no offset"):
        add()


def test_two_who_count_at_once_lose_no_count(database: Database) -> None:
    def count() -> None:
        for _ in range(20):
            with database.begin() as session:
                add_if_absent(session, LockoutRow, whom="x", failures=0, last=NOW, until=NOW)
                row = session.scalars(select(LockoutRow).with_for_update()).one()
                session.execute(update(LockoutRow).values(failures=row.failures + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.begin() as session:
        assert session.scalars(select(LockoutRow.failures)).one() == 80


def test_nobody_else_on_the_machine_may_read_the_file(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    database.migrate()
    database.close()
    assert [stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("new.db*")] == [0o600]


# ---------------------------------------------------------------- what is told


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("referral.db", "is no database's URL.*sqlite:///folder"),
        ("mysql://u:hidden@host/name", r"mysql://u:\*\*\*@host/name is of a kind"),
        ("sqlite://", "has no name"),
        ("sqlite:////nowhere/at/all/x.db", "/nowhere/at/all/x.db cannot be written.*REFERRAL_DATABASE"),
    ],
)
def test_a_url_that_cannot_be_used_is_told(url: str, told: str) -> None:
    with pytest.raises(DatabaseError, match=told) as raised:
        Database(url)
    assert "hidden" not in str(raised.value)


def test_a_server_that_does_not_answer_is_told_without_its_password(tmp_path: Path) -> None:
    database = Database(f"postgresql://referral:hidden@/name?host={tmp_path}")
    with pytest.raises(DatabaseError, match=r"cannot be opened.*REFERRAL_DATABASE") as raised:
        database.migrate()
    assert "hidden" not in str(raised.value)


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("These are notes of mine, long enough to be no empty file at all.\n" * 40)
    with pytest.raises(DatabaseError, match=r"x\.db cannot be opened: file is not a database"):
        Database(f"sqlite:///{tmp_path / 'x.db'}").migrate()
