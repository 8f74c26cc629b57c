"""What a question asks for, what it compares, and how many questions a message holds."""

from __future__ import annotations

import pytest

from assistant.question import Asks, parts, read, sides
from assistant.section import Role, asked_role, role_of


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("How many people have no palmaris longus?", Asks.NUMBER),
        ("What share of adults get it?", Asks.NUMBER),
        ("Who wrote the article about the calf?", Asks.AUTHOR),
        ("When was the post on ice published?", Asks.DATE),
        ("In which year was the term first used?", Asks.TIME),
        ("When should I see a doctor?", Asks.TIME),
        ("Who gets a frozen shoulder?", Asks.PERSON),
        ("Where does the scalene send its pain?", Asks.PLACE),
        ("Why does my heel hurt?", Asks.CAUSE),
        ("How do I stretch my calf?", Asks.STEPS),
        ("Which exercises help a weak ankle?", Asks.STEPS),
        ("What are the causes of golfer's elbow?", Asks.LIST),
        ("Is dry needling safe?", Asks.YES_NO),
        ("Can slouching cause a sore neck?", Asks.YES_NO),
        ("What is a trigger point?", Asks.DEFINITION),
        ("What is the difference between a strain and a sprain?", Asks.COMPARISON),
        ("is a pain that lasts longer than 3 weeks normal?", Asks.YES_NO),
        ("How do I know whether it is torn?", Asks.OPEN),
    ],
)
def test_the_kind_of_answer_asked_for(question: str, asks: Asks) -> None:
    assert read(question).asks is asks


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What's the difference between a strain and a sprain?", ("strain", "sprain")),
        ("heat or ice for a stiff neck?", ("heat", "ice")),
        ("restless legs vs cramp", ("restless legs", "cramp")),
        ("Is golfer's elbow less common than tennis elbow?", ("golfer's elbow", "tennis elbow")),
        ("Is it the muscle or the nerve?", ("muscle", "nerve")),
        ("does it last longer than 3 weeks?", ()),
        ("Why does my neck hurt in the morning or at night", ()),
    ],
)
def test_the_sides_of_a_comparison(question: str, expected: tuple[str, ...]) -> None:
    assert sides(question) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("What is whiplash?", ["What is whiplash?"]),
        ("What is whiplash and how long does it last?", ["What is whiplash?", "How long does it last?"]),
        (
            "What is a frozen shoulder and how long until it heals?",
            ["What is a frozen shoulder?", "How long until it heals?"],
        ),
        ("Where is it? And what strains it?", ["Where is it?", "What strains it?"]),
        (
            "I sit all day. Which stretch helps? How often?",
            ["I sit all day. Which stretch helps?", "How often?"],
        ),
        ("My knee and my hip hurt, what can I do?", ["My knee and my hip hurt, what can I do?"]),
        ("Where is it felt? Thanks!", ["Where is it felt? Thanks!"]),
    ],
)
def test_the_questions_of_one_message(message: str, expected: list[str]) -> None:
    assert parts(message) == expected


def test_a_message_is_answered_in_at_most_three_parts() -> None:
    assert len(parts("What is it? Where is it? Who gets it? Why is it there? When does it go?")) == 3


@pytest.mark.parametrize(
    ("heading", "role"),
    [
        ("What you can do at home", Role.CARE),
        ("Self-help", Role.CARE),
        ("When to get it checked", Role.WARNING),
        ("Red flags", Role.WARNING),
        ("What sets it off", Role.CAUSES),
        ("What else could it be?", Role.OTHER_CAUSES),
        ("Where the pain goes", Role.FEELING),
        ("How long it takes: recovery", Role.COURSE),
        ("A story from the clinic", None),
    ],
)
def test_what_a_section_is_for(heading: str, role: Role | None) -> None:
    assert role_of(heading) is role


def test_a_test_of_oneself_is_not_care() -> None:
    assert asked_role("How do I measure my stride?", Asks.STEPS) is None
    assert asked_role("What can I do about a stiff neck?", Asks.STEPS) is Role.CARE
