"""What tests need from outside, and what happens when it is missing: a skip for a user, a failure in CI."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

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
