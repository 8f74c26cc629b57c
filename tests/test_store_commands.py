"""Indexing as a maintainer or a clock does it: what is told, recorded, refused and taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app import cli
from index.runs import runs
from index.store import Store


class Blog:
    """An export, a store, and the commands on them."""

    def __init__(self, folder: Path) -> None:
        self.store = folder / "store"
        self.source = folder / "articles.jsonl"
        self.texts = {
            f"post-{number}": f"The {name} refers pain to the {place}. It is muscle number {number}."
            for number, (name, place) in enumerate(
                [
                    ("soleus", "heel"),
                    ("psoas", "back"),
                    ("masseter", "jaw"),
                    ("deltoid", "shoulder"),
                    ("ulnar", "hand"),
                ]
            )
        }

    def publish(self) -> None:
        lines = [
            json.dumps({"id": name, "title": f"Post {name}", "text": text})
            for name, text in self.texts.items()
        ]
        self.source.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def index(self, *options: str) -> Result:
        self.publish()
        return run("index", str(self.source), "--store", str(self.store), *options)

    def about(self, *command: str) -> Result:
        return run("store", *command, "--store", str(self.store))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


@pytest.fixture
def blog(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Blog:
    monkeypatch.setenv("REFERRAL_MODEL", str(tiny_model))
    made = Blog(tmp_path)
    assert made.index().exit_code == 0
    return made


def test_runs_say_and_record_what_they_did(blog: Blog) -> None:
    again = blog.index()
    assert "Nothing changed" in again.stderr
    blog.texts["post-0"] += " A sentence more."
    assert "0 added, 1 changed, 0 removed, 4 unchanged" in blog.index("--dry-run").stderr
    changed = blog.index()
    assert "(1 embedded, 4 reused)" in changed.stderr
    assert "no golden questions" in changed.stderr
    recorded = runs(blog.store)
    assert [one.outcome for one in recorded] == ["served", "unchanged", "served"]
    assert [(one.added, one.changed, one.embedded) for one in recorded] == [(5, 0, 5), (0, 0, 0), (0, 1, 1)]
    assert recorded[-1].generation == Store(blog.store).current_name()
    told = blog.about("runs").stdout.splitlines()
    assert len(told) == 3
    assert "+0 ~1 -0" in told[-1]


def test_a_dry_run_tells_the_plan_with_sizes_and_changes_nothing(blog: Blog) -> None:
    name = Store(blog.store).current_name()
    blog.texts["new"] = "Twelve chars"
    del blog.texts["post-1"]
    planned = blog.index("--dry-run").stdout.splitlines()
    assert planned[0] == "add  new  12 characters"
    assert planned[1].startswith("remove  post-1  ")
    assert Store(blog.store).current_name() == name
    assert len(runs(blog.store)) == 1


def test_golden_questions_refuse_a_generation_that_answers_worse(blog: Blog) -> None:
    question = {"id": "jaw", "question": "Where does the masseter refer pain?", "article": "post-2"}
    golden = blog.store / "golden.jsonl"
    golden.write_text(json.dumps({**question, "kinds": ["answer", "related"]}) + "\n", encoding="utf-8")
    blog.texts["post-0"] += " It is strong."
    assert "1 of 1 golden questions, 1 before" in blog.index().stderr
    good = Store(blog.store).current_name()
    blog.texts["post-2"] = (
        "Here is nothing about it any more, since this was written over by some accident of ours."
    )
    refused = blog.index()
    assert refused.exit_code != 0
    assert "jaw: 'Where does the masseter refer pain?'" in str(refused.exception)
    assert Store(blog.store).current_name() == good
    assert runs(blog.store)[-1].outcome == "failed"
    assert "0 of 1 golden questions" in blog.index("--accept-fall").stderr
    listed = blog.about("generations").stdout.splitlines()
    assert "no golden questions asked" in listed[0]
    assert "1 of 1 golden questions" in listed[1]
    assert listed[2].startswith("* ")
    assert good in blog.about("rollback").stdout


def test_the_brake_stops_a_run_that_would_remove_or_empty_much(blog: Blog) -> None:
    for name in ("post-1", "post-2"):
        blog.texts[name] = "Oh."
    refused = blog.index()
    assert refused.exit_code != 0
    assert "--allow-removals" in refused.stderr
    assert runs(blog.store)[-1].outcome == "failed"
    assert blog.index("--allow-removals").exit_code == 0


def test_watch_once_tells_cron_of_a_failure_and_changes_nothing(blog: Blog) -> None:
    watch = ("watch", str(blog.source), "--store", str(blog.store), "--once")
    assert run(*watch).exit_code == 0
    name = Store(blog.store).current_name()
    blog.source.unlink()
    assert run(*watch).exit_code == 1
    assert Store(blog.store).current_name() == name
    assert [one.trigger for one in runs(blog.store)] == ["command", "once", "once"]
    assert runs(blog.store)[-1].errors


def test_what_was_rolled_away_from_is_not_served_again_by_the_clock(blog: Blog) -> None:
    good = Store(blog.store).current_name()
    blog.texts["post-0"] += " Something that nobody should read."
    assert blog.index().exit_code == 0
    assert good in blog.about("rollback").stdout
    watched = run("watch", str(blog.source), "--store", str(blog.store), "--once")
    assert watched.exit_code == 0
    assert "rolled away from" in watched.stderr
    assert Store(blog.store).current_name() == good
    assert blog.index().exit_code == 0
    assert Store(blog.store).current_name() != good


def test_a_store_of_another_format_is_brought_up_to_date(blog: Blog, tmp_path: Path) -> None:
    manifest = Store(blog.store).open().folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"format": ', '"format": 9'))
    other = tmp_path / "other.md"
    other.write_text("# Another\n\nThe trapezius refers pain to the neck.\n", encoding="utf-8")
    assert run("index", str(other), "--store", str(blog.store)).exit_code == 0
    assert len(Store(blog.store).open().ids) == 6


def test_a_damaged_store_loses_nothing_and_is_repaired_by_a_command(blog: Blog, tmp_path: Path) -> None:
    first = Store(blog.store).current_name()
    blog.texts["post-0"] += " A sentence more."
    assert blog.index().exit_code == 0
    (Store(blog.store).open().folder / "articles.jsonl").write_text("{")
    other = tmp_path / "other.md"
    other.write_text("# Another\n\nThe trapezius refers pain to the neck.\n", encoding="utf-8")
    refused = run("index", str(other), "--store", str(blog.store))
    assert "--repair" in str(refused.exception)
    assert blog.about("check").exit_code != 0
    repaired = blog.about("check", "--repair")
    assert f"{first} is served" in repaired.stdout
    assert "All is well." in repaired.stdout
    assert run("index", str(other), "--store", str(blog.store)).exit_code == 0
    assert len(Store(blog.store).open().ids) == 6
