"""The article that is being read answers first, when it can."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.article_first import named
from assistant.assistant import Assistant
from assistant.safety.check import SafetyCheck
from index.encoder import Encoder
from index.query import QueryMaker
from index.retriever import Retriever
from index.store import Store
from ingest.article import Article

HERE = "/blogs/trigger-points/piriformis-syndrome"


@pytest.fixture(scope="module")
def assistant(sample_store: Path, encoder: Encoder) -> Assistant:
    retriever = Retriever(Store(sample_store).open(encoder.identity), encoder)
    return Assistant(retriever, SafetyCheck(), QueryMaker.of(retriever.generation, encoder))


@pytest.mark.parametrize("kind", ["article", "post", "page", "blog post", "Article"])
def test_this_article_is_the_one_that_is_read(kind: str) -> None:
    article = Article(id="a", title="Hips \\1 and more", text="x")
    assert named(f"Who wrote this {kind}?", article) == f"Who wrote the article “{article.title}”?"
    assert named("Who wrote this?", article) == "Who wrote this?"


@pytest.mark.parametrize(
    "question", ["What helps it?", "What does this article say about stretching?", "What can I do at home?"]
)
def test_a_question_that_it_answers_is_answered_from_it(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question, article=HERE)
    assert answer.kind == "answer"
    assert {one.article_id for one in answer.citations} == {HERE}


@pytest.mark.parametrize("question", ["What causes tennis elbow?", "What strains the soleus?"])
def test_what_it_does_not_speak_of_is_answered_from_the_others(assistant: Assistant, question: str) -> None:
    here = assistant.ask(question, article=HERE)
    assert here.citations
    assert HERE not in {one.article_id for one in here.citations}
    assert here.citations == assistant.ask(question).citations


def test_safety_comes_before_the_article(assistant: Assistant) -> None:
    urgent = "my chest feels crushed and my left arm is numb, sweating"
    assert assistant.ask(urgent, article=HERE).kind == "urgent"


def test_an_article_that_there_is_not_changes_nothing(assistant: Assistant) -> None:
    question = "What causes tennis elbow?"
    assert assistant.ask(question, article="/nowhere").citations == assistant.ask(question).citations
