"""Blocks and sentences are exact spans that leave no word out."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from index.sentences import BlockKind, blocks, sentences

# What articles are made of, and what has a meaning in them, in any order.
PIECES = st.sampled_from(
    [
        "The psoas",
        " bends the hip",
        "it",
        "Rest",
        "ORIGIN",
        "Dr. Smith",
        "8 p.m. ",
        "e.g. ",
        "approx. ",
        "2.5 cm. ",
        ". ",
        ".",
        "...",
        "? ",
        "!”",
        "“",
        "; ",
        ": ",
        ", ",
        " ",
        "\t",
        "\u00a0",
        "\n",
        "\r\n",
        "\n\n",
        "\u2028",
        "- ",
        "* ",
        "• ",
        " – ",
        "1. ",
        "12) ",
        "## ",
        "#",
        "**",
        "**Causes**",
        "## Key points ##",
        "Étirement",
        "x" * 90 + " ",
    ]
)
TEXTS = st.one_of(st.lists(PIECES, max_size=40).map("".join), st.text(max_size=80))
# What may stand outside every span: the marks of headings, lists and bold lines.
MARKS = re.compile(r"#{1,}|[-*+•·▪◦–]|\d{1,2}[.)]|\*\*:?")


@settings(deadline=None)
@given(TEXTS)
@example("**  **\nwords")
@example("## \t\n##\u00a0words\u00a0##")
@example("- - twice marked")
@example("; ; " * 100 + "x" * 400)
def test_spans_are_in_order_and_leave_out_nothing_but_marks(text: str) -> None:
    covered = 0
    for block in blocks(text):
        spans = (
            [(block.start, block.end)]
            if block.kind is BlockKind.HEADING
            else sentences(text, block.start, block.end)
        )
        for start, end in spans:
            assert covered <= start < end <= block.end
            assert text[start:end] == text[start:end].strip()
            assert all(MARKS.fullmatch(left) for left in text[covered:start].split())
            covered = end
    assert all(MARKS.fullmatch(left) for left in text[covered:].split())


def parts(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def laid_out(text: str) -> list[tuple[str, str]]:
    return [(block.kind.value, text[block.start : block.end]) for block in blocks(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Janet Travell described it.",
        "It is felt near the hip (cf. Fig. 3) and in the groin.",
        "Take breaks, e.g. Every hour or so.",
        "The muscle of J. Travell's book is this one.",
        "It measures approx. 2.5 cm across.",
        "Version 3.14 of the atlas shows it.",
        "Is it the M. psoas major or the M. iliacus?",
        "Some people feel it in the leg ... others do not.",
    ],
)
def test_a_full_stop_inside_a_sentence_does_not_end_it(text: str) -> None:
    assert parts(text) == [text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It hurts. It fades.", ["It hurts.", "It fades."]),
        ("Does it hurt? Yes! See a doctor.", ["Does it hurt?", "Yes!", "See a doctor."]),
        ("It began at 8 p.m. The pain then faded.", ["It began at 8 p.m.", "The pain then faded."]),
        ("Hold it for 5 min. Then rest.", ["Hold it for 5 min.", "Then rest."]),
        ("He said “it hurts.” She agreed.", ["He said “it hurts.”", "She agreed."]),
        ("It bends the hip.It also turns the leg.", ["It bends the hip.", "It also turns the leg."]),
        ("It aches (at night). “Why?” they ask.", ["It aches (at night).", "“Why?” they ask."]),
        ("About 1 in 20 has it. 3 of 4 recover.", ["About 1 in 20 has it.", "3 of 4 recover."]),
        ("It spans\ntwo lines. Then it\nends.", ["It spans\ntwo lines.", "Then it\nends."]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, expected: list[str]) -> None:
    assert parts(text) == expected


def test_only_the_asked_part_of_a_text_is_read() -> None:
    text = "One here. Two here. Three here."
    assert [text[a:b] for a, b in sentences(text, 10, 19)] == ["Two here."]


def test_a_run_on_is_cut_at_its_seams_and_a_normal_sentence_is_not() -> None:
    run_on = "; ".join(f"muscle number {number} refers its pain to the arm" for number in range(12))
    found = parts(run_on)
    assert len(found) == 12
    assert found[3] == "muscle number 3 refers its pain to the arm;"
    assert parts("It bends the hip; it also turns the leg.") == ["It bends the hip; it also turns the leg."]


def test_inline_list_marks_of_a_run_on_are_not_quoted() -> None:
    run_on = " - ".join(f"muscle number {number} refers its pain to the arm" for number in range(12))
    assert parts(run_on)[5] == "muscle number 5 refers its pain to the arm"


def test_markdown_is_read_as_it_looks() -> None:
    text = (
        "## Causes ##\n\nSitting is one.\nSo is running.\n\n**Relief:**\n- Rest,\n  with warmth\n- Move\n\n"
        "1. Lie down\n2) Breathe\n\nLast words"
    )
    assert laid_out(text) == [
        ("heading", "Causes"),
        ("paragraph", "Sitting is one."),
        ("paragraph", "So is running."),
        ("heading", "Relief:"),
        ("item", "Rest,\n  with warmth"),
        ("item", "Move"),
        ("step", "Lie down"),
        ("step", "Breathe"),
        ("paragraph", "Last words"),
    ]


def test_a_wrapped_paragraph_is_one_block() -> None:
    text = "The psoas bends the hip, turns the leg a little outwards and,\nin standing, steadies the back."
    assert laid_out(text) == [("paragraph", text)]


def test_headings_and_lists_that_lost_their_markup_are_told_apart() -> None:
    text = "ORIGIN\n\nIt arises from the lumbar spine and runs down.\n\nIliacus\n\nPsoas major\n\nPsoas minor"
    assert [kind for kind, _ in laid_out(text)] == ["heading", "paragraph", "item", "item", "paragraph"]


def test_the_blocks_of_a_text_do_not_depend_on_its_line_ends() -> None:
    text = "## Causes\n\nSitting is one.\n\n- Rest\n- Move\n"
    kinds = {ending: laid_out(text.replace("\n", ending)) for ending in ("\n", "\r\n", "\r")}
    assert all(one == other for one, other in itertools.pairwise(kinds.values()))


@pytest.mark.parametrize("unit", ["It hurts here. ", ".", "a - ", '."', "word ", "- item\n", "**", "# "])
def test_a_very_long_text_is_read_in_linear_time(unit: str) -> None:
    """A quadratic step would take minutes here, which the time limit of a test does not allow."""
    text = unit * (200_000 // len(unit))
    assert blocks(text)
    assert sentences(text)
