"""Accounts on both databases: passwords, lockouts, what the audit says, and the commands."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from typer.testing import CliRunner

import app
from assistant.accounts import lockout
from assistant.accounts.accounts import AccountError, Accounts
from assistant.accounts.passwords import Passwords, weakness
from assistant.accounts.roles import Role
from assistant.accounts.sessions import IDLE, LONGEST, Sessions, server_key
from assistant.accounts.sign_in import LockedError, SignIn, WrongError
from assistant.accounts.tables import AccountRow, LockoutRow, SessionRow
from assistant.state.database import Database
from tests.signed_in import CHEAP, PASSWORD

HERE = "192.0.2.1"


class Clock:
    """Stands still until a test moves it on."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def pass_(self, **by: float) -> None:
        self.time += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(database: Database, clock: Clock) -> Accounts:
    made = Accounts(database, CHEAP, clock)
    made.add("ann", Role.STAFF, PASSWORD)
    return made


@pytest.fixture
def sign_in(accounts: Accounts, database: Database, clock: Clock) -> SignIn:
    return SignIn(database, CHEAP, clock)


def fail(sign_in: SignIn, name: str, times: int, address: str = HERE) -> None:
    for _ in range(times):
        with pytest.raises(WrongError):
            sign_in.by_password(name, "not the password", address)


# ---------------------------------------------------------------- roles and passwords


def test_each_role_may_do_what_the_ones_before_it_may() -> None:
    may = [(one, other) for one in Role for other in Role if one.may(other)]
    assert len(may) == 6
    assert Role.MAINTAINER.may(Role.STAFF)
    assert not Role.STAFF.may(Role.MAINTAINER)
    assert not Role.VISITOR.may(Role.STAFF)


def test_a_password_is_kept_as_argon2id_with_at_least_the_recommended_cost() -> None:
    kept = Passwords().hash(PASSWORD)
    found = re.match(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$", kept)
    assert found
    memory, time, _ = map(int, found.groups())
    assert memory >= 19_456  # KiB: the least that OWASP recommends, with two passes
    assert time >= 2
    assert PASSWORD not in kept


def test_the_same_password_twice_is_kept_differently() -> None:
    assert CHEAP.hash(PASSWORD) != CHEAP.hash(PASSWORD)


@pytest.mark.parametrize("typed", [PASSWORD + " ", PASSWORD.upper(), "", "\0", "x" * 100_000])
def test_another_password_does_not_match(typed: str) -> None:
    assert not CHEAP.matches(CHEAP.hash(PASSWORD), typed)


def test_letters_composed_in_two_ways_are_the_same_password() -> None:
    assert CHEAP.matches(CHEAP.hash("cafe\N{COMBINING ACUTE ACCENT} au lait, please"), "café au lait, please")


@pytest.mark.parametrize("kept", [None, "", "plain text", "$argon2id$broken"])
def test_what_is_no_hash_matches_nothing(kept: str | None) -> None:
    assert not CHEAP.matches(kept, "")
    assert not CHEAP.matches(kept, PASSWORD)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("eleven char", "has 11 characters"),
        ("x" * 257, "more than 256"),
        ("abababababababab", "again and again"),
        ("annabelle1990", "little more than the name"),
        (PASSWORD, ""),
    ],
)
def test_a_weak_password_is_told_why(password: str, why: str) -> None:
    assert why in weakness(password, "Annabelle")
    assert bool(why) == bool(weakness(password, "Annabelle"))


def test_an_outdated_hash_is_renewed_at_the_next_sign_in(database: Database, sign_in: SignIn) -> None:
    dearer = Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    SignIn(database, dearer).by_password("ann", PASSWORD, HERE)
    with database.begin() as session:
        kept = session.scalars(select(AccountRow.password)).one()
    assert kept
    assert "t=2" in kept
    assert dearer.matches(kept, PASSWORD)


# ---------------------------------------------------------------- signing in


def test_the_right_password_opens_and_capitals_in_the_name_are_no_matter(sign_in: SignIn) -> None:
    person = sign_in.by_password("  Ann ", PASSWORD, HERE)
    assert (person.name, person.role) == ("ann", Role.STAFF)


def test_whoever_is_disabled_cannot_sign_in(accounts: Accounts, sign_in: SignIn) -> None:
    accounts.disable("ann")
    fail(sign_in, "ann", 1)
    with pytest.raises(WrongError):
        sign_in.by_password("ann", PASSWORD, HERE)
    accounts.enable("ann")
    assert sign_in.by_password("ann", PASSWORD, HERE).name == "ann"


def test_an_account_without_a_password_has_no_password_that_opens(
    accounts: Accounts, sign_in: SignIn
) -> None:
    accounts.add("bo", Role.STAFF, None, "bo@blog.example")
    for typed in ("", "None", PASSWORD):
        with pytest.raises(WrongError):
            sign_in.by_password("bo", typed, HERE)


@pytest.mark.parametrize("name", ["ann", "nobody"])
def test_failures_cost_ever_longer_waits_whether_or_not_there_is_an_account(
    sign_in: SignIn, clock: Clock, name: str
) -> None:
    waits = []
    fail(sign_in, name, 5)
    for _ in range(8):
        fail(sign_in, name, 1)
        with pytest.raises(LockedError) as raised:
            sign_in.by_password(name, PASSWORD, HERE)  # even the right one is not looked at
        waits.append(raised.value.seconds)
        clock.pass_(seconds=raised.value.seconds)
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]


def test_after_the_wait_the_right_password_opens_and_clears_the_count(sign_in: SignIn, clock: Clock) -> None:
    fail(sign_in, "ann", 6)
    clock.pass_(seconds=30)
    sign_in.by_password("ann", PASSWORD, HERE)
    fail(sign_in, "ann", 5)
    sign_in.by_password("ann", PASSWORD, HERE)


def test_an_address_that_tries_many_names_waits_too_and_others_do_not(sign_in: SignIn) -> None:
    for number in range(21):
        fail(sign_in, f"name{number}", 1)
    with pytest.raises(LockedError):
        sign_in.by_password("ann", PASSWORD, HERE)
    assert sign_in.by_password("ann", PASSWORD, "192.0.2.2").name == "ann"


def test_signing_in_oneself_does_not_hide_a_search_from_the_same_address(sign_in: SignIn) -> None:
    for number in range(20):
        fail(sign_in, f"name{number}", 1)
        sign_in.by_password("ann", PASSWORD, HERE)
    fail(sign_in, "one more", 1)
    with pytest.raises(LockedError):
        sign_in.by_password("ann", PASSWORD, HERE)


def test_failures_are_forgotten_after_a_day(sign_in: SignIn, database: Database, clock: Clock) -> None:
    fail(sign_in, "ann", 6)
    clock.pass_(days=1)
    fail(sign_in, "ann", 5)
    clock.pass_(days=2)
    sign_in.by_password("ann", PASSWORD, "192.0.2.9")
    with database.begin() as session:
        left = session.scalars(select(LockoutRow.whom)).all()
    assert left == [lockout.by_address("192.0.2.9").whom]


def test_unlocking_ends_the_wait(accounts: Accounts, sign_in: SignIn) -> None:
    fail(sign_in, "ann", 6)
    assert [one.locked for one in accounts.all()] == [True]
    accounts.unlock("ann")
    assert [one.locked for one in accounts.all()] == [False]
    sign_in.by_password("ann", PASSWORD, HERE)


def test_what_was_typed_for_a_name_is_kept_nowhere(
    sign_in: SignIn, accounts: Accounts, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    slip = "my secret passphrase"
    with caplog.at_level("INFO"):
        fail(sign_in, slip, 6)
        with pytest.raises(LockedError):
            sign_in.by_password(slip, "x", HERE)
    kept = [str(line) for line in accounts.audit(100)]
    with database.begin() as session:
        kept += session.scalars(select(LockoutRow.whom)).all()
    assert len(kept) >= 9
    assert not any("secret" in line for line in [*kept, caplog.text])


# ---------------------------------------------------------------- sessions


@pytest.fixture
def sessions(accounts: Accounts, database: Database, clock: Clock) -> Sessions:
    return Sessions(database, clock)


def test_the_database_holds_no_token(sessions: Sessions, database: Database) -> None:
    token = sessions.start(1)
    with database.begin() as session:
        kept = session.scalars(select(SessionRow.digest)).one()
    assert len(token) >= 43  # 256 bits
    assert kept not in {token, ""}
    assert sessions.find(kept) is None
    found = sessions.find(token)
    assert found
    assert found.name == "ann"


def test_a_session_ends_when_it_is_not_used(sessions: Sessions, clock: Clock) -> None:
    token = sessions.start(1)
    for _ in range(5):
        clock.pass_(minutes=IDLE.total_seconds() / 60 - 2)
        assert sessions.find(token)
    clock.pass_(minutes=IDLE.total_seconds() / 60)
    assert sessions.find(token) is None
    clock.pass_(minutes=-30)
    assert sessions.find(token) is None  # it is gone, not only hidden


def test_a_session_ends_at_last_however_much_it_is_used(sessions: Sessions, clock: Clock) -> None:
    token, began = sessions.start(1), clock.time
    while clock.time - began < LONGEST:
        assert sessions.find(token)
        clock.pass_(minutes=30)
    assert sessions.find(token) is None


@pytest.mark.parametrize("change", ["disable", "set_password", "set_role", "set_identity"])
def test_a_change_of_the_account_ends_its_sessions(
    sessions: Sessions, accounts: Accounts, change: str
) -> None:
    accounts.add("bo", Role.STAFF, PASSWORD)
    token, others = sessions.start(1), sessions.start(2)
    arguments: dict[str, tuple[object, ...]] = {
        "disable": (),
        "set_password": ("another long passphrase",),
        "set_role": (Role.MAINTAINER,),
        "set_identity": ("ann@blog.example", ""),
    }
    getattr(accounts, change)("ann", *arguments[change])
    assert sessions.find(token) is None
    assert sessions.find(others)


def test_old_sessions_are_swept_away_when_somebody_signs_in(
    sessions: Sessions, database: Database, clock: Clock
) -> None:
    sessions.start(1)
    clock.pass_(days=1)
    sessions.start(1)
    with database.begin() as session:
        assert len(session.scalars(select(SessionRow.digest)).all()) == 1


def test_the_key_of_cookies_is_made_once(database: Database) -> None:
    assert server_key(database) == server_key(database)
    assert len(server_key(database)) == 64


# ---------------------------------------------------------------- accounts and the audit


@pytest.mark.parametrize("name", ["", "a", "two words", "x" * 65, "<b>"])
def test_a_name_that_cannot_be_one_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(AccountError, match="cannot be a name"):
        accounts.add(name, Role.STAFF, PASSWORD)


def test_a_name_or_an_address_is_given_once(accounts: Accounts) -> None:
    with pytest.raises(AccountError, match="already"):
        accounts.add("ANN", Role.STAFF, PASSWORD)
    accounts.add("bo", Role.STAFF, None, "bo@blog.example")
    with pytest.raises(AccountError, match="already"):
        accounts.add("cy", Role.STAFF, None, "BO@blog.example")
    with pytest.raises(AccountError, match="already"):
        accounts.set_identity("ann", "bo@blog.example", "")


def test_without_a_password_there_must_be_another_way_in(accounts: Accounts) -> None:
    with pytest.raises(AccountError, match="e-mail address or a subject"):
        accounts.add("bo", Role.STAFF, None)


def test_the_audit_tells_of_every_change_and_every_try(accounts: Accounts, sign_in: SignIn) -> None:
    accounts.set_role("ann", Role.MAINTAINER)
    fail(sign_in, "ann", 1)
    fail(sign_in, "nobody", 1)
    sign_in.by_password("ann", PASSWORD, HERE)
    accounts.set_password("ann", "another long passphrase")
    told = [(line.name, line.action, line.about) for line in reversed(accounts.audit(100))]
    assert told == [
        ("(command)", "account added", "ann, staff"),
        ("(command)", "role set", "ann, staff to maintainer"),
        ("ann", "sign-in failed", f"from {HERE}"),
        ("(nobody's name)", "sign-in failed", f"from {HERE}"),
        ("ann", "signed in", f"from {HERE}"),
        ("(command)", "password set", "ann"),
    ]
    assert not any(PASSWORD in str(line) or "another long" in str(line) for line in told)


# ---------------------------------------------------------------- commands


class Terminal:
    """Runs `referral account …` over a store's folder."""

    def __init__(self, store: Path) -> None:
        self._store = store

    def __call__(self, *arguments: str, typed: str = "") -> str:
        done = CliRunner().invoke(
            app.cli, ["account", *arguments, "--store", str(self._store)], input=typed, catch_exceptions=False
        )
        assert done.exit_code == 0, done.output
        return done.output


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.delenv("REFERRAL_DATABASE", raising=False)
    return Terminal(tmp_path / "store")


def test_accounts_are_made_and_changed_by_commands(account: Terminal, tmp_path: Path) -> None:
    account("add", "ann", "--role", "staff", "--password-stdin", typed=f"{PASSWORD}\n")
    account("add", "bo", "--role", "maintainer", "--no-password", "--email", "Bo@blog.example")
    account("set-role", "ann", "maintainer")
    account("set-password", "ann", "--password-stdin", typed="another long passphrase\r\n")
    account("disable", "ann")
    listed = account("list").splitlines()
    assert [line.split() for line in listed] == [
        ["ann", "maintainer", "password", "disabled"],
        ["bo", "maintainer", "bo@blog.example"],
    ]
    account("enable", "ann")
    account("unlock", "ann")
    person = SignIn(Database(f"sqlite:///{tmp_path / 'referral.db'}"), CHEAP).by_password(
        "ann", "another long passphrase", HERE
    )
    assert person.role is Role.MAINTAINER
    audit = account("audit", "--last", "3").splitlines()
    assert [re.split(r"\s{2,}", line)[2] for line in audit] == [
        "account enabled",
        "account unlocked",
        "signed in",
    ]


def test_the_password_is_asked_for_twice_and_not_shown(account: Terminal) -> None:
    said = account("add", "ann", "--role", "staff", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert "Repeat" in said
    assert PASSWORD not in said


def test_there_is_no_password_by_default(account: Terminal) -> None:
    with pytest.raises(AccountError, match="has 0 characters"):
        account("add", "ann", "--role", "staff", "--password-stdin", typed="")
    assert "no accounts yet" in account("list")


def test_a_role_that_there_is_not_is_refused(account: Terminal, tmp_path: Path) -> None:
    done = CliRunner().invoke(app.cli, ["account", "add", "ann", "--role", "king"])
    assert done.exit_code == 2


def test_a_subject_needs_its_provider(account: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    adding = ("add", "ann", "--role", "staff", "--no-password", "--subject", "1234")
    done = CliRunner().invoke(app.cli, ["account", *adding])
    assert "REFERRAL_OIDC_ISSUER" in done.output
    monkeypatch.setenv("REFERRAL_OIDC_ISSUER", "https://id.example")
    account(*adding)
    assert "https://id.example 1234" in account("list")
