"""What tests need from outside, and what happens when it is missing: a skip for a user, a failure in CI."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
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
