"""The commands, as a maintainer types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import cli, settings

run = CliRunner().invoke


@pytest.fixture
def blog(tmp_path: Path) -> Path:
    folder = tmp_path / "blog"
    folder.mkdir()
    (folder / "soleus.md").write_text(
        "# The soleus\n\nThe soleus lies under the gastrocnemius. Its trigger points refer pain to the "
        "heel.\n",
        encoding="utf-8",
    )
    (folder / "scalenes.md").write_text(
        "# The scalenes\n\nThe scalenes lift the first rib. They refer pain to the chest and the arm.\n",
        encoding="utf-8",
    )
    return folder


def test_from_files_to_an_answer(blog: Path, tmp_path: Path) -> None:
    articles, store = tmp_path / "articles.jsonl", str(tmp_path / "store")
    assert run(cli, ["ingest", str(blog), "--to", str(articles)]).exit_code == 0
    ids = [json.loads(line)["id"] for line in articles.read_text(encoding="utf-8").splitlines()]
    assert sorted(ids) == ["scalenes", "soleus"]
    assert run(cli, ["index", str(articles), "--store", store]).exit_code == 0
    again = run(cli, ["index", str(articles), "--store", store])
    assert "Nothing changed" in again.stderr
    found = run(cli, ["search", "heel pain", "--store", store, "--top", "1"])
    assert "The soleus" in found.stdout
    answer = json.loads(
        run(cli, ["ask", "where does the soleus refer pain?", "--store", store, "--json"]).stdout
    )
    assert "refer pain to the heel" in answer["text"]
    assert run(cli, ["store", "check", "--store", store]).exit_code == 0


def test_batches_keep_their_order(blog: Path, tmp_path: Path) -> None:
    store = str(tmp_path / "store")
    assert run(cli, ["index", str(blog), "--store", store]).exit_code == 0
    questions, answers = tmp_path / "questions.jsonl", tmp_path / "answers.jsonl"
    asked = [{"id": f"q{n}", "question": "what does the soleus do?"} for n in range(3)]
    asked.append({"id": "last", "question": "where does it refer pain?", "history": ["What is the soleus?"]})
    questions.write_text("\n".join(json.dumps(one) for one in asked), encoding="utf-8")
    assert run(cli, ["ask", "--store", store, "--in", str(questions), "--out", str(answers)]).exit_code == 0
    read = [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]
    assert [one["id"] for one in read] == ["q0", "q1", "q2", "last"]
    assert "soleus" in read[-1]["standalone_question"].lower()
    queries, trec = tmp_path / "queries.jsonl", tmp_path / "run.trec"
    queries.write_text(json.dumps({"_id": "1", "text": "heel"}) + "\n", encoding="utf-8")
    assert run(cli, ["search", "--store", store, "--in", str(queries), "--out", str(trec)]).exit_code == 0
    first = trec.read_text(encoding="utf-8").splitlines()[0].split()
    assert first[:4] == ["1", "Q0", "soleus", "1"]
    assert float(first[4]) > 0


def test_what_cannot_be_read_is_told_and_the_rest_goes_on(blog: Path, tmp_path: Path) -> None:
    (blog / "empty.txt").write_text("", encoding="utf-8")
    (blog / "binary.html").write_bytes(bytes(range(256)) * 20)
    result = run(cli, ["ingest", str(blog), "--to", str(tmp_path / "out.jsonl")])
    assert result.exit_code == 1
    assert "empty.txt" in result.stderr
    assert "binary.html" in result.stderr
    assert len((tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()) == 2


def test_a_file_that_fails_once_does_not_remove_its_article(blog: Path, tmp_path: Path) -> None:
    store = str(tmp_path / "store")
    assert run(cli, ["index", str(blog), "--store", store]).exit_code == 0
    (blog / "soleus.md").write_text("", encoding="utf-8")
    result = run(cli, ["index", str(blog), "--store", store])
    assert result.exit_code == 1
    assert "0 removed" in result.stderr


def test_a_removal_of_much_needs_a_word(blog: Path, tmp_path: Path) -> None:
    store = str(tmp_path / "store")
    assert run(cli, ["index", str(blog), "--store", store]).exit_code == 0
    (blog / "soleus.md").unlink()
    refused = run(cli, ["index", str(blog), "--store", store])
    assert refused.exit_code != 0
    assert "--allow-removals" in refused.stderr
    planned = run(cli, ["index", str(blog), "--store", store, "--dry-run"])
    assert "remove  soleus" in planned.stdout
    assert run(cli, ["index", str(blog), "--store", store, "--allow-removals"]).exit_code == 0
    assert "articles    1" in run(cli, ["store", "info", "--store", store]).stdout


def test_a_broken_line_of_questions_is_named(sample_store: Path, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"question": "hello"}\n{"no": 1}\n', encoding="utf-8")
    out = tmp_path / "out.jsonl"
    result = run(cli, ["ask", "--store", str(sample_store), "--in", str(questions), "--out", str(out)])
    assert result.exit_code == 2
    assert "line 2" in result.stderr
    assert len(out.read_text(encoding="utf-8").splitlines()) == 1  # what was answered is kept


def test_settings_are_read_from_the_environment() -> None:
    assert settings({"REFERRAL_COUNTRY": "GB"}).country == "GB"
