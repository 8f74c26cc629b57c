"""Follow-ups become questions that stand alone, and a change of subject is left as it is."""

from __future__ import annotations

import pytest

from assistant.conversation import standalone
from index.lexicon import Lexicon


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon.load()


@pytest.mark.parametrize(
    ("history", "question", "expected"),
    [
        (["What is the iliopsoas?"], "does it refer pain to the chest too?", "does the iliopsoas refer pain"),
        (["Tell me about the latissimus dorsi"], "what strains it?", "what strains the latissimus dorsi?"),
        (["How do I treat tennis elbow?"], "how long does that take?", "how long does tennis elbow take?"),
        (["Where does soleus pain go?"], "why?", "Why: Where does soleus pain go?"),
        (["What is the psoas?"], "What about the piriformis?", "What is the piriformis?"),
        (["What is whiplash?"], "symptoms?", "symptoms (whiplash)?"),
        (["What is whiplash?", "does it last?"], "and who gets it?", "and who gets whiplash?"),
        (
            ["Name the hamstring muscles"],
            "which of them is longest?",
            "which of the hamstring muscles is longest?",
        ),
        (
            ["What exercises can I do for a frozen shoulder?"],
            "how often do I do them?",
            "how often do I do exercises for a frozen shoulder?",
        ),
        (["I woke up with a stiff neck"], "heat or ice for it?", "heat or ice for a stiff neck?"),
    ],
)
def test_what_is_left_unsaid_is_filled_in(
    lexicon: Lexicon, history: list[str], question: str, expected: str
) -> None:
    assert standalone(question, history, lexicon).startswith(expected)


@pytest.mark.parametrize(
    "question",
    [
        "What is the best pizza in Rome?",
        "Which exercises help my lower back?",
        "Is it safe to stretch the chest with weights?",
        "Tell me about scalenes",
    ],
)
def test_a_change_of_subject_stands_as_it_is(lexicon: Lexicon, question: str) -> None:
    assert standalone(question, ["What is a frozen shoulder?"], lexicon) == question


def test_the_other_side_keeps_the_whole_question(lexicon: Lexicon) -> None:
    found = standalone("and the other side?", ["Where does right soleus pain go?"], lexicon)
    assert found == "the other side (Where does right soleus pain go)?"


def test_what_the_last_question_led_to_may_be_meant(lexicon: Lexicon) -> None:
    history = ["Which muscle sends pain behind the ear?"]
    asked: list[str] = []

    def about(question: str) -> str:
        asked.append(question)
        return "the scalenes"

    assert standalone("how do I stretch it?", history, lexicon, about) == "how do I stretch the scalenes?"
    assert asked == history


def test_without_history_nothing_changes(lexicon: Lexicon) -> None:
    assert standalone("does it help?", [], lexicon) == "does it help?"
