"""What tests need from outside, and what happens when it is missing: a skip for a user, a failure in CI."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from assistant.state.database import Database
    from index.encoder import Encoder

ROOT = Path(__file__).parents[1]


def missing(what: str) -> NoReturn:
    """Skip with the reason on a user's machine; in CI an absent need is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must have {what}")
    pytest.skip(f"needs {what}")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of evaluation data beside the project; never part of it."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        missing("the evaluation data in ../shared")
    return folder


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The packaged model, loaded once for all tests."""
    from index.encoder import Encoder  # noqa: PLC0415 (torch takes seconds; most test files have no use for it)

    return Encoder()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real, very small sentence-transformers model with random weights."""
    from tests.tiny_model import save_tiny_model  # noqa: PLC0415 (as above)

    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_tiny_model(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_encoder(tiny_model: Path) -> Encoder:
    """An encoder over the tiny model, for tests in which nothing hangs on what words mean."""
    from index.encoder import Encoder  # noqa: PLC0415 (as above)

    return Encoder(str(tiny_model))


@pytest.fixture(scope="session")
def sample_store(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """The folder of a store of the sample blog."""
    from index.generation import Sourced  # noqa: PLC0415 (as above)
    from index.store import Store  # noqa: PLC0415
    from ingest import sample  # noqa: PLC0415
    from ingest.sources import read_sources  # noqa: PLC0415

    ingested = read_sources([sample.FOLDER])
    folder = tmp_path_factory.mktemp("sample") / "store"
    sourced = [Sourced(*pair) for pair in zip(ingested.articles, ingested.files, strict=True)]
    Store(folder).write(sourced, encoder)
    return folder


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium that talks to nobody but the pages it is sent to.

    Not for the whole session: while Playwright is open, no other test may start an event loop.
    """
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (only the browser's tests need it)

    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if not found or not Path(found).is_file():
        missing("Chromium: install it, or name it in CHROMIUM")
    quiet = ("background-networking", "component-update", "sync", "quic", "gpu")
    flags = ["--no-sandbox", "--no-first-run", *(f"--disable-{one}" for one in quiet)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A running PostgreSQL: the URL of its databases, with `{name}` in place of the name."""
    from tests.postgres import programs, started  # noqa: PLC0415 (only the database's tests need it)

    found = programs()
    if found is None:
        missing("PostgreSQL: install Debian's package postgresql")
    with started(found) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of each kind, without any tables yet."""
    with _database(request, tmp_path, "") as database:
        yield database


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of each kind, migrated: a copy of one that was migrated once, which is quicker."""
    template = request.getfixturevalue(f"migrated_{request.param}")
    with _database(request, tmp_path, template) as database:
        yield database


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file of a migrated database."""
    from assistant.state.database import Database  # noqa: PLC0415

    file = tmp_path_factory.mktemp("migrated") / "referral.db"
    database = Database(f"sqlite:///{file}")
    database.migrate()
    database.close()
    return str(file)


@pytest.fixture(scope="session")
def migrated_postgresql(postgres: str) -> str:
    """The name of a migrated database."""
    from assistant.state.database import Database  # noqa: PLC0415

    with _postgres_server(postgres) as run:
        run("CREATE DATABASE migrated")
    database = Database(postgres.format(name="migrated"))
    database.migrate()
    database.close()
    return "migrated"


@contextmanager
def _database(request: pytest.FixtureRequest, folder: Path, template: str) -> Iterator[Database]:
    from assistant.state.database import Database  # noqa: PLC0415

    if request.param == "sqlite":
        file = folder / "referral.db"
        if template:
            shutil.copy(template, file)
        with closing(Database(f"sqlite:///{file}")) as database:
            yield database
        return
    postgres, name = request.getfixturevalue("postgres"), f"test_{uuid.uuid4().hex}"
    with _postgres_server(postgres) as run:
        run(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        with closing(Database(postgres.format(name=name))) as database:
            yield database
        run(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _postgres_server(postgres: str) -> Iterator[Callable[[str], object]]:
    """Runs statements that no transaction may hold."""
    from sqlalchemy import create_engine, text  # noqa: PLC0415

    from assistant.state.database import Database  # noqa: PLC0415

    with closing(Database(postgres.format(name="postgres"))) as outer:
        server = create_engine(outer.engine.url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        yield lambda statement: connection.execute(text(statement))
    server.dispose()
