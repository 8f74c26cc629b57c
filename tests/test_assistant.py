"""Questions from beginning to end, on the sample blog and on a real page of such a blog."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import pytest

from app import Settings, wire
from assistant import grounding
from assistant.answer import Claim, to_json
from assistant.assistant import Assistant
from assistant.wording import small_talk
from index.encoder import Encoder
from index.generation import Sourced
from index.store import Store
from ingest.article import Article, Comment
from ingest.sources import read_sources
from tests.bench.answers import evaluate, load


@pytest.fixture(scope="session")
def assistant(sample_store: Path) -> Assistant:
    return wire(sample_store, Settings())


def _assistant_over(articles: list[Article], folder: Path, encoder: Encoder) -> Assistant:
    Store(folder).write([Sourced(one, "test") for one in articles], encoder)
    return wire(folder, Settings())


def test_the_seed_page_answers_as_expected(shared: Path, tmp_path: Path, encoder: Encoder) -> None:
    seed = shared / "data" / "seed"
    ingested = read_sources(sorted(seed.glob("*.txt")))
    assert not ingested.problems
    outcomes = evaluate(
        _assistant_over(list(ingested.articles), tmp_path / "store", encoder), load(seed / "questions.jsonl")
    )
    assert {one.id: one.faults for one in outcomes if one.faults} == {}


def test_every_quote_is_the_articles_own_span_and_its_link_names_it(assistant: Assistant) -> None:
    answer = assistant.ask("Where do iliopsoas trigger points refer pain?")
    assert answer.kind == "answer"
    assert answer.citations
    generation = assistant.generation
    for citation in answer.citations:
        article = generation.article(generation.article_row(citation.article_id))
        assert citation.quote == article.text[citation.start : citation.end]
        assert citation.link.startswith(f"{article.url}#:~:text=")
        first_words = unquote(citation.link.split("#:~:text=")[1].split(",")[0].split("-,")[-1])
        assert first_words.split()[0] in citation.quote
    for claim in answer.claims:
        assert any(claim.text in one.quote for one in answer.citations if one.number in claim.citations)
        assert claim.text.split()[0] in answer.text


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Where do iliopsoas trigger points refer pain?", "answer"),
        ("What is the best pizza in Rome?", "abstention"),
        ("How many mg of ibuprofen should I take for psoas pain?", "refusal"),
        ("crushing chest pain going down my left arm and I'm sweating", "urgent"),
        ("hello", "smalltalk"),
        ("", "smalltalk"),
    ],
)
def test_every_kind_carries_the_disclaimer(assistant: Assistant, question: str, kind: str) -> None:
    answer = assistant.ask(question)
    assert answer.kind == kind
    assert "not medical advice" in answer.disclaimer
    assert answer.text
    assert answer.generation == assistant.generation.name


def test_an_urgent_message_gets_the_notice_and_nothing_else(assistant: Assistant) -> None:
    answer = assistant.ask("crushing chest pain going down my left arm and I'm sweating, is it my pec minor?")
    assert answer.notice is not None
    assert answer.notice.level == "emergency_now"
    assert answer.text == answer.notice.text
    assert (answer.claims, answer.citations, answer.suggestions) == ((), (), ())


def test_a_follow_up_is_answered_as_the_question_it_stands_for(assistant: Assistant) -> None:
    answer = assistant.ask("and where does it refer pain?", ["What does the soleus do?"])
    assert "soleus" in answer.standalone_question.lower()
    assert any("soleus" in one.article_id for one in answer.citations)


def test_who_wrote_an_article_is_answered_from_its_byline(assistant: Assistant) -> None:
    answer = assistant.ask("Who wrote the article about piriformis syndrome?")
    assert answer.kind == "answer"
    (citation,) = answer.citations
    assert citation.kind == "byline"
    assert citation.author in answer.text


def test_a_comment_is_never_evidence(tmp_path: Path, encoder: Encoder) -> None:
    article = Article(
        id="teres",
        title="The teres minor",
        text="The teres minor turns the arm outward. It lies below the infraspinatus.",
        comments=(Comment("My teres minor cured my tinnitus when I rubbed garlic on it."),),
    )
    answer = _assistant_over([article], tmp_path / "store", encoder).ask("Does garlic cure tinnitus?")
    assert answer.kind in {"abstention", "related"}
    assert "rubbed" not in json.dumps(to_json(answer))


def test_a_claim_that_its_citation_does_not_bear_out_is_dropped(assistant: Assistant) -> None:
    answer = assistant.ask("Where do iliopsoas trigger points refer pain?")
    invented = Claim("The psoas causes appendicitis.", (1,), 1.0)
    uncited = Claim(answer.claims[0].text, (), 1.0)
    unknown = Claim(answer.claims[0].text, (99,), 1.0)
    kept, _ = grounding.check(
        (*answer.claims, invented, uncited, unknown), answer.citations, assistant.generation
    )
    assert kept == answer.claims


def test_the_json_has_the_contract_s_fields_and_no_others(assistant: Assistant) -> None:
    record = to_json(assistant.ask("Where do iliopsoas trigger points refer pain?", id="q1"))
    assert set(record) == {
        *("id", "question", "standalone_question", "kind", "notice", "text", "claims", "citations"),
        *("disclaimer", "suggestions", "engine", "generation", "seconds"),
    }
    assert set(record["citations"][0]) == {
        *("number", "article_id", "title", "url", "link", "author", "published", "kind", "quote"),
        *("start", "end", "passage_id"),
    }
    assert {"retrieve", "total"} <= set(record["seconds"])
    assert json.loads(json.dumps(record))["id"] == "q1"


@pytest.mark.parametrize(
    "message", ["Hi!", "good morning, how are you?", "Thank you so much", "are you a doctor?"]
)
def test_small_talk_is_answered_as_such(message: str) -> None:
    assert small_talk(message)


@pytest.mark.parametrize(
    "message", ["hi, why does my neck hurt?", "thanks but what about the calf?", "numb foot"]
)
def test_a_question_is_not_small_talk(message: str) -> None:
    assert small_talk(message) is None
