"""The repository keeps its promises: the README's commands, the layout, what is packaged, what is pinned."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import typer
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import app
from tests.conftest import ROOT

PACKAGES = ("ingest", "index", "assistant")
OURS = {*PACKAGES, "app", "tests"}
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MODULES = [ROOT / "app.py", *(path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py")))]


# ---------------------------------------------------------------- the README


def commands(text: str) -> list[str]:
    """The lines of the shell blocks, without comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    return [line.split("  #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


def test_the_first_commands_are_what_ci_runs() -> None:
    ci = [line.strip() for line in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()]
    first, second = commands(README)[:2]
    assert first == "pip install -c constraints.txt -e . && python app.py"
    assert second.endswith("&& pytest")
    for step in (*first.split(" && "), *second.split(" && ")):
        assert any(line == step or line.startswith(f"{step} >") for line in ci), step


def test_ci_script_can_be_run() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")


REFERRAL_COMMANDS = [line for line in commands(README) if line.startswith("referral ")]


@pytest.mark.parametrize("line", REFERRAL_COMMANDS)
def test_readme_command_parses(line: str) -> None:
    parse(shlex.split(line)[1:])


def test_a_wrong_command_does_not_parse() -> None:
    with pytest.raises(Exception, match="No such option"):
        parse(["index", "articles.jsonl", "--stor", "store"])


def parse(arguments: list[str]) -> None:
    """Parse a command line as `referral` does, without running the command."""
    command: Any = typer.main.get_command(app.cli)
    while commands := getattr(command, "commands", None):
        command = commands[arguments.pop(0)]
    command.make_context("referral", arguments)


def test_every_command_is_in_the_readme() -> None:
    group: Any = typer.main.get_command(app.cli)
    names = {
        f"{name} {sub}" if sub else name
        for name, command in group.commands.items()
        for sub in getattr(command, "commands", None) or [""]
    }
    shown = {" ".join(line.split()[1:3]) for line in REFERRAL_COMMANDS}
    missing = {name for name in names if not any(f"{line} ".startswith(f"{name} ") for line in shown)}
    assert missing <= {"bench"}  # it is for work on the project: CONTRIBUTING tells of it


def test_readme_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", README)
    paths = [target for target in targets if not target.startswith(("https:", "http:", "#"))]
    assert "LICENSE" in paths
    assert [path for path in paths if not (ROOT / path).is_file()] == []


def test_readme_tree_is_the_real_one() -> None:
    tree = README.split("## Where things are")[1].split("```")[1]
    named = {line.split()[0].rstrip("/") for line in tree.strip().splitlines()}
    assert [path for path in named if not (ROOT / path).exists()] == []
    folders = {path.parent for path in MODULES if path.name == "__init__.py"}
    assert {folder.relative_to(ROOT).as_posix() for folder in folders} <= named


# ---------------------------------------------------------------- settings


def test_an_unknown_setting_is_an_error_that_names_the_known() -> None:
    with pytest.raises(typer.BadParameter, match=r"REFERRAL_MODLE is set.*REFERRAL_MODEL"):
        app.settings({"REFERRAL_MODLE": "packaged", "PATH": "/bin"})


def test_settings_are_read() -> None:
    assert app.settings({}) == app.Settings(model="packaged", country="")
    assert app.settings({"REFERRAL_MODEL": "some/model", "REFERRAL_COUNTRY": "IE"}) == app.Settings(
        model="some/model", country="IE"
    )


def test_the_readme_lists_the_settings() -> None:
    with pytest.raises(typer.BadParameter) as raised:
        app.settings({"REFERRAL_": ""})
    known = set(re.findall(r"REFERRAL_[A-Z0-9_]+", str(raised.value)))
    assert known == set(re.findall(r"^\| `(REFERRAL_\w+)`", README, re.M))


# ---------------------------------------------------------------- imports


@cache
def imports(path: Path) -> frozenset[str]:
    """The modules that a file imports, wherever in it."""
    return frozenset(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} has a relative import"
            yield from (_imported(str(node.module), alias.name) for alias in node.names)


def _imported(module: str, name: str) -> str:
    """`from index import store` names a module, `from index.store import Store` something inside one."""
    inside = ROOT.joinpath(*module.split("."))
    is_module = (inside / f"{name}.py").is_file() or (inside / name / "__init__.py").is_file()
    return f"{module}.{name}" if is_module else module


MAY_IMPORT = {
    "ingest": re.compile(r"ingest(\..*)?"),
    "index": re.compile(r"index(\..*)?|ingest\.article"),
    "assistant": re.compile(r"assistant(\..*)?|index(\..*)?|ingest\.article"),
    "app": re.compile(r"(app|assistant|index|ingest)(\..*)?"),
}
# Programs that a maintainer runs by hand to fit the files beside them; they may read articles themselves.
FITTING = ("assistant/fit.py", "assistant/safety/fit.py", "assistant/support/fit.py", "index/fit.py")
# Serves the sample blog's own files, since the host that its links name exists nowhere.
SAMPLE_PAGES = ("assistant/pages/sample_pages.py", "ingest.sample")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_go_one_way(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    allowed = MAY_IMPORT[place.split("/")[0].removesuffix(".py")]
    ours = {module for module in imports(path) if module.split(".")[0] in OURS}
    if place == "app.py":
        # `referral bench`, which works only from a checkout
        ours = {module for module in ours if not module.startswith("tests.bench.")}
    if place in FITTING:
        ours -= {module for module in ours if module.startswith("ingest.")}
    assert {m for m in ours if not allowed.fullmatch(m) and (place, m) != SAMPLE_PAGES} == set()


def test_torch_stays_with_the_models() -> None:
    models = {"index/encoder.py", "index/reranker.py", "assistant/safety/sentence_model.py", *FITTING}
    heavy = {"torch", "sentence_transformers"}
    users = {
        path.relative_to(ROOT).as_posix()
        for path in MODULES
        if heavy & {module.split(".")[0] for module in imports(path)}
    }
    assert "index/encoder.py" in users <= models


def test_nothing_that_is_served_needs_a_fitting_program() -> None:
    programs = {name.removesuffix(".py").replace("/", ".") for name in FITTING}
    served = [path for path in MODULES if path.relative_to(ROOT).as_posix() not in FITTING]
    assert len(served) == len(MODULES) - len(FITTING)
    assert [path.name for path in served if programs & imports(path)] == []


@pytest.mark.parametrize(
    ("library", "home"),
    [
        ("transformers", "index/encoder.py"),
        ("faiss", "index/vectors.py"),
        ("apscheduler", "index/watching.py"),
        ("Stemmer", "index/keywords.py"),
        ("gradio", "assistant/pages/chat.py"),
        ("trafilatura", "ingest/page_guess.py"),
        ("markdown_it", "ingest/markdown_file.py"),
        ("argon2", "assistant/accounts/passwords.py"),
        ("itsdangerous", "assistant/accounts/cookies.py"),
        ("authlib", "assistant/accounts/openid.py"),
    ],
)
def test_a_large_library_has_one_home(library: str, home: str) -> None:
    users = {
        path.relative_to(ROOT).as_posix()
        for path in MODULES
        if library in {module.split(".")[0] for module in imports(path)}
    }
    assert users.difference(FITTING) == {home}


def test_no_module_for_what_fits_nowhere() -> None:
    vague = {"utils", "util", "common", "base", "helpers", "helper", "misc", "core", "types"}
    found = {path for path in MODULES if vague & {path.stem, *path.relative_to(ROOT).parts}}
    assert found == set()


# ---------------------------------------------------------------- dependencies


def requirements(*extras: str) -> list[Requirement]:
    """What pyproject.toml asks for, by default without extras."""
    asked = list(PROJECT["project"]["dependencies"])
    for extra in extras:
        asked += PROJECT["project"]["optional-dependencies"][extra]
    return [one for one in map(Requirement, asked) if one.name != "referral"]


def test_what_is_imported_is_declared() -> None:
    declared = {canonicalize_name(one.name) for one in requirements()}
    homes = packages_distributions()
    used = {module.split(".")[0] for path in MODULES for module in imports(path)}
    third_party = used - OURS - set(sys.stdlib_module_names)
    undeclared = {m for m in third_party if not declared & set(map(canonicalize_name, homes.get(m, ())))}
    assert undeclared == set()


def pins() -> dict[str, Requirement]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(one.name): one for one in found}


def test_constraints_pin_every_dependency_to_a_version_it_allows() -> None:
    for asked in requirements("test", "dev"):
        pin = pins()[canonicalize_name(asked.name)]
        (exactly,) = pin.specifier
        assert asked.specifier.contains(exactly.version, prereleases=True), asked


def test_constraints_are_exact_and_fit_every_platform() -> None:
    for pin in pins().values():
        (exactly,) = pin.specifier
        assert exactly.operator == "==", pin
        assert "+" not in exactly.version, f"{pin}: only one platform has such a local version"
        assert not pin.name.startswith(("nvidia-", "triton", "cuda-")), f"{pin}: only Linux has it"


# ---------------------------------------------------------------- files


def test_the_wheel_holds_the_code_and_its_data(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = [path for name in PACKAGES for path in (ROOT / name).rglob("*") if path.is_file()]
    expected = {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}
    assert held == {"app.py", *expected}
    endings = {Path(name).suffix for name in held}
    assert {".py", ".html", ".toml", ".css"} <= endings


# In pieces, or this file would hold what it looks for.
FORBIDDEN = (
    "py" + "pi.org",
    "files.python" + "hosted.org",
    "registry.npm" + "js.org",
    "deb." + "debian.org",
    "download.py" + "torch.org",
    "/wo" + "rk/",
    "/ro" + "ot/",
    "/tmp/" + "venv",
)
TEXT = {".py", ".md", ".toml", ".txt", ".html", ".css", ".js", ".jsonl", ".yaml", ".svg", ""}


def test_nothing_of_one_machine_is_written_down() -> None:
    top = [path for path in ROOT.iterdir() if path.is_file()]
    inside = [
        path for name in (*PACKAGES, "tests", ".ci") for path in (ROOT / name).rglob("*") if path.is_file()
    ]
    texts = {
        path: path.read_text(encoding="utf-8")
        for path in (*top, *inside)
        if path.suffix in TEXT and path.name != ".git"
    }
    assert len(texts) > 50
    assert [(path.name, word) for path, text in texts.items() for word in FORBIDDEN if word in text] == []


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text.splitlines()[0]
    assert "END OF TERMS AND CONDITIONS" in text
    assert PROJECT["project"]["license"] == "Apache-2.0"
