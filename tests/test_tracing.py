"""The trace tells of the very answer that a visitor gets, and leaves it as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.assistant import Assistant
from assistant.safety.check import Decision, SafetyCheck
from assistant.tracing import STAGES, explain
from index.encoder import Encoder
from index.generation import Sourced
from index.query import QueryMaker
from index.retriever import Retriever
from index.store import Store
from ingest.article import Article

ARTICLES = [
    Article(
        id=name,
        title=f"The {name} and its pain",
        text=(
            f"The {name} lies in the {place}. Pain from the {name} is felt in the {place}.\n\n"
            f"## What helps\n\nPress the {name} gently for a minute. Is that all? It is not a race.\n\n"
            f"## When to see a doctor\n\nSee a doctor when the {name} swells."
        ),
    )
    for name, place in (
        ("soleus", "calf"),
        ("masseter", "jaw"),
        ("hamstrings", "thigh"),
        ("deltoid", "shoulder"),
    )
]
QUESTION = "Where is pain from the soleus felt?"


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Encoder) -> Assistant:
    folder = tmp_path_factory.mktemp("tracing") / "store"
    Store(folder).write([Sourced(one, "test") for one in ARTICLES], tiny_encoder)
    retriever = Retriever(Store(folder).open(tiny_encoder.identity), tiny_encoder)
    return Assistant(retriever, SafetyCheck(), QueryMaker.of(retriever.generation, tiny_encoder))


@pytest.mark.parametrize(
    "question",
    [
        QUESTION,
        "How do I press the deltoid? And where is the masseter?",
        "hello",
        "my chest feels crushed and my left arm is numb",
        "Write me a poem about the soleus",
        "What is the capital of France?",
    ],
)
def test_it_is_the_answer_that_a_visitor_gets(assistant: Assistant, question: str) -> None:
    asked = assistant.ask(question)
    assert replace(explain(assistant, question).answer, seconds={}) == replace(asked, seconds={})


def test_each_stage_is_in_the_order_of_its_own_score(assistant: Assistant) -> None:
    explained = explain(assistant, QUESTION)
    (searched,) = explained.searched
    names = [one.name for one in searched.stages]
    assert names == [one for one in STAGES if one in names]
    assert {"bm25", "cosine", "sentence", "late", "fused"} <= set(names)
    for stage in searched.stages:
        scores = [one.score for one in stage.placed]
        assert scores == sorted(scores, reverse=True)
        assert stage.placed[0].share == 1
        assert all(0 < one.share <= 1 for one in stage.placed)
    hits = explained.trace.looked[0].found.hits
    fused = searched.stages[-1].placed
    assert [one.passage_id for one in fused] == [hit.passage.id for hit in hits][: len(fused)]
    assert [one.score for one in fused] == pytest.approx([hit.score for hit in hits][: len(fused)])


def test_keywords_find_only_what_has_the_words(assistant: Assistant) -> None:
    keywords = explain(assistant, "Where is the soleus?").searched[0].stages[0]
    assert {one.article_id for one in keywords.placed} == {"soleus"}


def test_nothing_is_noted_unless_it_is_asked_for(assistant: Assistant) -> None:
    _, trace = assistant.explain(QUESTION)
    assert trace.looked[0].found.stages == ()


def test_evidence_is_kept_or_has_a_reason(assistant: Assistant) -> None:
    explained = explain(assistant, QUESTION)
    (searched,) = explained.searched
    kept = {one.text for one in searched.weighed if one.kept}
    chosen = explained.trace.looked[0].selection.evidence
    spans = {one.article.text[start:end] for one in chosen for start, end in one.sentences}
    assert kept == spans
    dropped = [one for one in searched.weighed if not one.kept]
    assert dropped
    assert all(one.why and 0 <= one.probability <= 1 for one in dropped)
    assert [one.score for one in searched.weighed] == sorted(
        (o.score for o in searched.weighed), reverse=True
    )


def test_spelling_and_lexicon_are_told(assistant: Assistant) -> None:
    (searched,) = explain(assistant, "where are my hamstings?").searched
    assert searched.corrections == (("hamstings", "hamstrings"),)
    assert "hamstrings" in searched.sent
    assert any(one.phrase == "hamstrings" and "knee flexors" in one.terms for one in searched.added)


def test_each_question_of_a_message_has_its_own_way(assistant: Assistant) -> None:
    found = explain(assistant, "Where is the deltoid? How do I press the masseter?").searched
    assert len(found) == 2
    assert "deltoid" in found[0].question
    assert "masseter" in found[1].question


def test_a_follow_up_shows_what_it_was_taken_for(assistant: Assistant) -> None:
    (searched,) = explain(assistant, "What helps it?", ["Where is the masseter?"]).searched
    assert "masseter" in searched.question


def test_claims_stand_beside_the_quotes_that_bear_them_out(assistant: Assistant) -> None:
    claims = explain(assistant, QUESTION).claims
    assert claims
    for claim in claims:
        assert claim.shown
        assert claim.support == 1
        assert all(claim.text in quote for _, _, quote in claim.quotes)


def test_an_emergency_shows_its_signs_and_looks_for_nothing(assistant: Assistant) -> None:
    explained = explain(assistant, "my chest feels crushed and my left arm is numb")
    assert explained.searched == ()
    assert explained.claims == ()
    assert any("chest feels crushed" in reason for reason in explained.reasons)


def test_what_is_out_of_scope_names_the_reason(assistant: Assistant) -> None:
    assert explain(assistant, "What dose of ibuprofen should I take?").trace.refused


def test_the_model_is_heard_even_where_it_raises_nothing() -> None:
    decision = SafetyCheck().check("can psoas trouble mimic abdominal pain?")
    assert decision == Decision()
    assert decision.unheard.startswith("model: ")


def test_the_times_add_up(assistant: Assistant) -> None:
    explained = explain(assistant, QUESTION)
    spent = {one.label: one.seconds for one in explained.spent}
    assert {"Safety", "Understanding", "Retrieval", "Evidence"} <= set(spent)
    assert sum(spent.values()) == pytest.approx(explained.answer.seconds["total"], rel=0.05)
    assert sum(one.share for one in explained.spent) == pytest.approx(1, rel=0.05)
