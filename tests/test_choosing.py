"""What is quoted of what was found: whole lists, whole thoughts, both sides, and disagreement."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import Settings, wire
from assistant.answer import Answer
from assistant.assistant import Assistant
from assistant.disagreement import contradict
from index.encoder import Encoder
from index.generation import Sourced
from index.store import Store
from ingest.article import Article

TERES = """The teres minor turns the arm outward. It lies below the infraspinatus.

## Where the pain goes

Teres minor trigger points send pain to the back of the shoulder. One study found numb fingers as well. \
However, a larger one did not find any.

## What sets it off

- Throwing a ball hard
- Reaching behind the seat
- Sleeping on the arm

## What you can do at home

Start only once the pain at night has gone.

1. Put a warm cloth on the back of the shoulder.
2. Draw the arm across the chest. Hold it for 20 seconds.
3. Turn the arm outward against an elastic band.
4. Rest the arm on a pillow at night.

If step 2 pinches in front, leave it out.

## When to get it checked

- A shoulder that has changed its shape
- Fever with a hot joint
"""
NEEDLING = """Dry needling and cupping are both offered by therapists.

Dry needling puts a thin needle into the muscle. Cupping draws the skin up with a glass.
"""


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Assistant:
    folder: Path = tmp_path_factory.mktemp("choosing")
    articles = [
        Article(id="teres", title="The teres minor", text=TERES, author="Ada Holm", published="2020-03-01"),
        Article(id="needling", title="Dry needling and cupping", text=NEEDLING, author="Ben Ost"),
    ]
    Store(folder).write([Sourced(one, "test") for one in articles], encoder)
    return wire(folder, Settings())


def _quoted(answer: Answer) -> str:
    return "\n".join(citation.quote for citation in answer.citations)


def test_steps_are_all_there_in_order_and_nothing_else_is(assistant: Assistant) -> None:
    answer = assistant.ask("How do I treat the teres minor at home?")
    shown = answer.text
    places = [shown.index(f"{number}. ") for number in (1, 2, 3, 4)]
    assert places == sorted(places)
    assert "Start only once the pain at night has gone." in shown
    assert "If step 2 pinches in front, leave it out." in shown
    assert "changed its shape" not in shown
    assert "Throwing" not in shown


def test_a_list_is_quoted_whole(assistant: Assistant) -> None:
    answer = assistant.ask("What are the causes of teres minor pain?")
    assert [item in _quoted(answer) for item in ("Throwing", "Reaching", "Sleeping")] == [True] * 3
    assert "elastic band" not in answer.text


def test_a_sentence_comes_with_the_one_that_takes_it_back(assistant: Assistant) -> None:
    answer = assistant.ask("Can the teres minor cause numb fingers?")
    assert "However, a larger one did not find any." in _quoted(answer)
    assert not answer.lead.lower().startswith(("yes", "no"))


def test_a_comparison_quotes_both_sides(assistant: Assistant) -> None:
    quoted = _quoted(assistant.ask("What is the difference between dry needling and cupping?"))
    assert "a thin needle" in quoted
    assert "with a glass" in quoted


def test_several_questions_are_answered_in_turn(assistant: Assistant) -> None:
    answer = assistant.ask("What sets off the teres minor? Who won the World Cup in 1998?")
    assert [part.kind for part in answer.parts] == ["answer", "abstention"]
    first, second = answer.text.index("1. What sets off"), answer.text.index("2. Who won the World Cup")
    assert first < answer.text.index("Throwing") < second
    numbers = [citation.number for citation in answer.citations]
    assert numbers == list(range(1, len(numbers) + 1))
    assert answer.parts[0].citations == tuple(numbers)


def test_the_byline_of_the_article_that_is_named(assistant: Assistant) -> None:
    answer = assistant.ask("Who wrote the article on the teres minor?")
    assert "Ada Holm" in answer.text
    missing = assistant.ask("When was the article on dry needling published?")
    assert missing.kind == "abstention"
    assert "Dry needling and cupping" in missing.text


def test_a_question_about_nothing_named_is_not_guessed_at(assistant: Assistant) -> None:
    answer = assistant.ask("does it?")
    assert answer.kind == "abstention"
    assert not answer.citations


def test_a_subject_in_brackets_stands_outside_the_quote(assistant: Assistant) -> None:
    answer = assistant.ask("Where does the teres minor lie?")
    for citation in answer.citations:
        assert f"[{citation.title}]" not in citation.quote
    assert all(claim.text in answer.text for claim in answer.claims)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (
            "Recovery of a strained calf muscle takes 2 weeks.",
            "Recovery of a strained calf muscle takes 3 to 6 months.",
            True,
        ),
        (
            "Recovery of a strained calf muscle takes 2 weeks.",
            "Recovery of a strained calf muscle takes 10 to 20 days.",
            False,
        ),
        (
            "Stretching before exercise prevents soreness in the muscles.",
            "Stretching before exercise does not prevent soreness in the muscles.",
            True,
        ),
        (
            "Stretching before exercise may prevent soreness in the muscles.",
            "Stretching before exercise does not prevent soreness in the muscles.",
            False,
        ),
        ("The soleus bends the ankle.", "Ice is not for open wounds.", False),
    ],
)
def test_only_plain_contradictions_count(one: str, other: str, expected: bool) -> None:
    assert contradict(one, other) is expected


def test_articles_that_disagree_are_shown_newest_first(tmp_path: Path, encoder: Encoder) -> None:
    text = "Recovery of a strained gastrocnemius muscle takes {}."
    articles = [
        Article(id="old", title="Calf strain", text=text.format("2 weeks"), published="2015-01-02"),
        Article(
            id="new", title="Calf strain again", text=text.format("3 to 6 months"), published="2023-05-06"
        ),
    ]
    Store(tmp_path).write([Sourced(one, "test") for one in articles], encoder)
    answer = wire(tmp_path, Settings()).ask("How long does recovery of a strained gastrocnemius muscle take?")
    assert "don't agree" in answer.lead
    assert [citation.article_id for citation in answer.citations] == ["new", "old"]
    assert "6 May 2023" in answer.text
