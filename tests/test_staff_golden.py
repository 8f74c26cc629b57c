"""Golden questions as files, what an answer to one lacks, what two runs come to, and gaps in the articles."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answer import Answer, Citation
from assistant.api.metrics import Metrics
from assistant.feedback.tables import FeedbackRow
from assistant.staff import coverage, exchange
from assistant.staff.charts import HEIGHT, WIDTH, chart
from assistant.staff.comparing import Change, pairs, trends
from assistant.staff.exchange import FileError
from assistant.staff.golden import KINDS, Golden, judge
from assistant.staff.measures import measures
from assistant.staff.tables import OutcomeRow, RunRow
from index.encoded import Floats
from index.gate import read_golden

# ---------------------------------------------------------------- files

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
line = (words | words.map("=1+{}".format) | words.map("'-{}".format) | words.map("[{}".format)).map(str.strip)
lines = st.lists(line.filter(bool), max_size=3).map(tuple)
questions = st.builds(
    Golden,
    question=line.filter(bool),
    history=lines,
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=2).map(tuple),
    article=line,
    sentences=lines,
    must_say=lines,
    must_not_say=lines,
    note=line,
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@given(st.lists(questions, min_size=1, max_size=4))
def test_both_kinds_of_file_give_back_what_was_put_in(golden: list[Golden]) -> None:
    named = [one.model_copy(update={"name": f"={number}"}) for number, one in enumerate(golden)]
    assert exchange.read("golden.csv", exchange.to_csv(named).encode("utf-8-sig")) == named
    assert exchange.read("golden.jsonl", exchange.to_jsonl(named).encode()) == named


@given(questions)
def test_no_cell_of_a_spreadsheet_is_a_formula(golden: Golden) -> None:
    for row in csv.reader(io.StringIO(exchange.to_csv([golden]), newline="")):
        assert [cell for cell in row if cell.startswith(FORMULA)] == []


def test_the_gate_reads_what_is_handed_out(tmp_path: Path) -> None:
    golden = Golden(
        name="a",
        question="Q?",
        sentences=("It is so.",),
        must_say=("so",),
        must_not_say=("never",),
        article="b",
    )
    file = tmp_path / "golden.jsonl"
    file.write_text(exchange.to_jsonl([golden]), encoding="utf-8")
    assert read_golden(file) == [golden.for_the_gate]
    assert golden.for_the_gate.must_not_quote == ("never",)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl", b'{"question": "One?"}\n{"question": ""}', ["line 2, question"]),
        ("a.jsonl", b'{"question": "One?", "kinds": ["certain"]}', ["line 1, kinds"]),
        ("a.jsonl", b'{"question": "One?", "sentence": "x"}', ["line 1, sentence"]),
        ("a.jsonl", b'{"question": "One?"}\nnot json\n[1]', ["line 2:", "line 3:"]),
        ("a.jsonl", b'{"id": "x", "question": "1"}\n{"id": "x", "question": "2"}', ["line 2, id"]),
        ("a.jsonl", b"\n\n", ["line 1:"]),
        ("a.jsonl", b'{"question": "One?"}\n\xff', ["line 2:"]),
        ("a.csv", b"question,kinds\nOne?,\nTwo?,certain", ["line 3, kinds"]),
        ("a.csv", b'question,note\n"Two\nlines?",x\n,only a note', ["line 4, question"]),
        ("a.csv", b"question,answer\nOne?,x", ["line 2, answer"]),
        ("a.csv", b"question\nOne?,more,cells", ["line 2:"]),
        ("a.csv", b'question\n"never closed', ["line 2:"]),
        ("a.csv", b"question,history\nOne?,[not json", ["line 2, history"]),
    ],
)
def test_a_fault_names_its_line_and_field(name: str, content: bytes, told: list[str]) -> None:
    with pytest.raises(FileError) as raised:
        exchange.read(name, content)
    faults = [str(one) for one in raised.value.faults]
    assert len(faults) == len(told)
    assert [one for one, start in zip(faults, told, strict=True) if not one.startswith(start)] == []


def test_a_spreadsheet_may_part_its_cells_by_semicolons() -> None:
    (found,) = exchange.read("a.CSV", b"question;must_say\nWhere?;one\n")
    assert found.must_say == ("one",)


# ---------------------------------------------------------------- judging


def answer(kind: str = "answer", quote: str = "It lies in the calf.", article: str = "soleus") -> Answer:
    citation = Citation(1, article, "The soleus", "", "", "", None, "text", quote, 0, len(quote), "p")
    text = f"The articles say this: “{quote}” [1]"
    return Answer("", "q", "q", kind, None, text, (), (citation,), "", (), "quote", "g")  # type: ignore[arg-type]


FULL = Golden(
    question="q",
    article="soleus",
    sentences=("It lies in   the calf.",),
    must_say=("CALF",),
    must_not_say=("jaw",),
)


def test_an_answer_with_all_that_is_expected_passes() -> None:
    judged = judge(FULL, answer())
    assert (judged.faults, judged.right_article, judged.right_sentence) == ((), True, True)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (answer(kind="related"), "kind is related"),
        (answer(article="psoas"), "does not cite soleus"),
        (answer(quote="It is a calf muscle."), "none of the sentences"),
        (answer(quote="It lies in the calf. Not in the jaw."), "it says 'jaw'"),
    ],
)
def test_each_thing_that_lacks_is_a_fault(given: Answer, fault: str) -> None:
    assert [one for one in judge(FULL, given).faults if fault in one]


def test_what_it_must_say_is_looked_for_in_the_whole_answer() -> None:
    wanted = Golden(question="q", must_say=("the articles say", "heel", "toe"))
    assert judge(wanted, answer()).faults == ("it does not say 'heel'", "it does not say 'toe'")


def test_what_does_not_apply_is_not_measured() -> None:
    assert judge(Golden(question="q"), answer()).right_article is None
    urgent = Golden(question="q", kinds=("urgent",), article="soleus", sentences=("x",))
    assert judge(urgent, answer()).right_sentence is None


# ---------------------------------------------------------------- runs beside each other


def outcome(name: str, kind: str = "answer", **values: object) -> OutcomeRow:
    faults = [] if kind in values.get("expected", ["answer"]) else ["its kind"]  # type: ignore[operator]
    made = {"expected": ["answer"], "faults": faults, "text": kind, "seconds": 0.1, **values}
    made = {"right_article": None, "right_sentence": None, **made}
    return OutcomeRow(name=name, question=f"{name}?", kind=kind, articles=[], **made)


def test_measures_count_only_where_they_apply() -> None:
    found = measures(
        [
            outcome("a", right_article=True),
            outcome("b", "related", right_article=False, seconds=0.3),
            outcome("c", expected=["abstention"], right_sentence=True, seconds=0.2),
            outcome("d", "abstention", expected=["abstention"]),
        ]
    )
    assert found == {
        "passed": 0.5,
        "kind": 0.5,
        "article": 0.5,
        "sentence": 1.0,
        "overreach": 0.5,
        "seconds": pytest.approx(0.15),
    }
    assert set(measures([]).values()) == {None}


def test_what_changed_comes_first() -> None:
    before = [outcome(one) for one in "abcd"] + [outcome("e", "related")]
    after = [
        outcome("a"),
        outcome("b", "related"),
        outcome("c", text="otherwise"),
        outcome("e"),
        outcome("f"),
    ]
    found = [(one.name, one.change) for one in pairs(before, after)]
    assert found == [
        ("b", Change.WORSE),
        ("e", Change.BETTER),
        ("c", Change.OTHER),
        ("d", Change.ONLY),
        ("f", Change.ONLY),
        ("a", Change.SAME),
    ]


def run(
    number: int, generation: str, passed: float | None, state: str = "done", engine: str = "quote"
) -> RunRow:
    shown: dict[str, float | None] = {"passed": passed}
    return RunRow(id=number, generation=generation, engine=engine, state=state, measures=shown)


def test_trends_take_the_newest_whole_run_of_each_generation() -> None:
    rows = [run(1, "g1", 0.1), run(3, "g2", 0.4), run(2, "g2", 0.3), run(4, "g3", None, "cancelled")]
    series = trends([*rows, run(5, "g1", 0.9, engine="llm:x")])[0]
    assert series.generations == ("g1", "g2")
    assert series.points == {"llm:x": (0.9, None), "quote": (0.1, 0.4)}


@given(st.lists(st.none() | st.floats(0, 1), max_size=12))
def test_a_chart_stays_inside_its_edges(row: list[float | None]) -> None:
    (made,) = chart([str(one) for one in range(len(row))], {"quote": row}, 1.0).lines
    assert len(made.points) == sum(one is not None for one in row)
    assert all(0 <= one.x <= WIDTH and 0 <= one.y <= HEIGHT for one in made.points)
    assert made.path.count("M") + made.path.count("L") == len(made.points)
    assert sorted(made.points, key=lambda one: -one.value) == sorted(
        made.points, key=lambda one: (one.y, -one.value)
    )


# ---------------------------------------------------------------- coverage


def kept(question: str, kind: str = "abstention", articles: Sequence[str] = ()) -> FeedbackRow:
    now = datetime.now(UTC)
    return FeedbackRow(created=now, expires=now, question=question, kind=kind, articles=list(articles))


def by_words(texts: Sequence[str]) -> Floats:
    """Vectors in which only whether they speak of pillows or of magnesium counts."""
    rows = [[float("pillow" in text), float("magnesium" in text), 0.05 * (len(text) % 3)] for text in texts]
    found = np.array(rows, np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def test_questions_that_mean_alike_are_one_gap() -> None:
    rows = [
        kept("Which pillow suits a stiff neck?", "related", ["levator", "trapezius"]),
        kept("What pillow for neck pain?", "abstention", ["levator"]),
        kept("What pillow for  neck pain?"),
        kept("Does magnesium help?"),
        kept("magnesium was answered", "answer"),
    ]
    pillow, magnesium = coverage.gaps(rows, by_words)
    assert (pillow.asked, pillow.kinds) == (3, {"related": 1, "abstention": 2})
    assert set(pillow.words) >= {"pillow", "neck"}
    assert sorted(pillow.questions) == [
        ("What pillow for neck pain?", 2),
        ("Which pillow suits a stiff neck?", 1),
    ]
    assert pillow.articles == ("levator", "trapezius")
    assert magnesium.questions == (("Does magnesium help?", 1),)


def test_without_kept_questions_there_is_no_gap() -> None:
    assert coverage.gaps([kept("x", "answer")], by_words) == []


def test_kinds_are_counted() -> None:
    metrics = Metrics()
    for kind in ("answer", "answer", "related"):
        metrics.answered(answer(kind))
    assert coverage.counted(metrics.registry) == {"answer": 2, "related": 1}


def test_a_record_says_what_the_gate_says() -> None:
    assert list(json.loads(exchange.to_jsonl([FULL]))) == list(exchange.FIELDS)
