"""Commands that need no model load none: torch alone takes seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

HEAVY = ("torch", "sentence_transformers", "transformers", "faiss", "gradio", "llama_index")

# Runs one command, and prints as its last line what it has loaded of the heavy libraries.
PROGRAM = f"""
import json, sys
sys.argv[0] = "referral"
from app import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
finally:
    print("\\n" + json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""


def loaded(*arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    )
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("command", ["--help", "search --help", "store info", "store generations"])
def test_a_command_that_needs_no_model_loads_none(command: str, sample_store: Path) -> None:
    store = ["--store", str(sample_store)] if command.startswith("store") else []
    assert loaded(*command.split(), *store) == []


def test_ingesting_loads_no_model(tmp_path: Path) -> None:
    (tmp_path / "soleus.md").write_text("# The soleus\n\nIt lies in the calf.\n", encoding="utf-8")
    assert loaded("ingest", str(tmp_path), "--to", str(tmp_path / "articles.jsonl")) == []


def test_searching_does_load_it(sample_store: Path) -> None:
    assert {"torch", "faiss"} <= set(loaded("search", "heel", "--store", str(sample_store)))
