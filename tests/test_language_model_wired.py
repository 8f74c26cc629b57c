"""The assistant with a language model: the contract's fields, the last gate, and the way back to quotes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from app import Settings, settings, wire
from assistant import grounding
from assistant.answer import Citation, Claim
from assistant.assistant import Assistant
from assistant.pages.cards import Cards
from tests.test_language_model import Conversation, Scripted, says, serving

QUESTION = "What is dry needling?"


def echoes(conversation: Conversation) -> None:
    """Writes the first sentence of the first evidence, and one that no article bears out."""
    evidence = conversation.body["messages"][1]["content"]
    found = re.search(r"^\[1\] \([^)]*\) (.*?[.!?])(?:\s|$)", evidence, re.M)
    assert found
    says(f"{found[1]} [1] Dry needling cures cancer in 9 of 10 people [1].")(conversation)


def assistant(store: Path, server: Scripted) -> Assistant:
    return wire(store, Settings(llm_url=server.url, llm_model="scripted"))


def test_a_written_answer_has_its_engine_support_and_sources(sample_store: Path) -> None:
    with serving(echoes) as server:
        model = assistant(sample_store, server)
        answer, trace = model.explain(QUESTION)
    assert answer.engine == "llm:scripted"
    assert answer.kind == "answer"
    assert all(0 < claim.support <= 1 and claim.citations for claim in answer.claims)
    assert {number for claim in answer.claims for number in claim.citations} == {
        one.number for one in answer.citations
    }
    assert "cancer" not in answer.text
    assert trace.dropped
    assert trace.engine_note == ""
    assert answer.disclaimer
    assert answer.claims[0].text.split()[0] in Cards(model.generation).html(answer, 1)


def test_a_broken_server_leaves_the_quotes_and_staff_can_see_why(sample_store: Path) -> None:
    with serving(lambda it: it.status(500)) as server:
        answer, trace = assistant(sample_store, server).explain(QUESTION)
    plain = wire(sample_store, Settings()).ask(QUESTION)
    assert answer.engine == "quote"
    assert answer.text == plain.text
    assert "answered 500" in trace.engine_note
    assert "500" not in answer.text


def test_the_gate_checks_a_written_sentence_against_the_store_again(sample_store: Path) -> None:
    with serving(echoes) as server:
        model = assistant(sample_store, server)
        answer = model.ask(QUESTION)
        assert model.writer
        forged = Claim("Dry needling cures cancer.", (1,), 1.0)
        kept, _ = grounding.check(
            [*answer.claims, forged], answer.citations, model.generation, model.writer.judge
        )
    assert kept == answer.claims


@pytest.mark.parametrize(
    ("environment", "fault"),
    [
        ({"REFERRAL_LLM_URL": "http://127.0.0.1:1/v1"}, "needs both"),
        ({"REFERRAL_LLM_MODEL": "m"}, "needs both"),
        (
            {"REFERRAL_LLM_URL": "u", "REFERRAL_LLM_MODEL": "m", "REFERRAL_LLM_KEY_ENV": "NO_SUCH_KEY"},
            "names NO_SUCH_KEY",
        ),
        (
            {"REFERRAL_LLM_URL": "u", "REFERRAL_LLM_MODEL": "m", "REFERRAL_LLM_TOTAL_SECONDS": "soon"},
            "numbers of seconds",
        ),
    ],
)
def test_half_a_setting_is_told(environment: dict[str, str], fault: str, sample_store: Path) -> None:
    with pytest.raises(typer.BadParameter, match=fault):
        wire(sample_store, settings(environment))


def test_the_key_s_variable_may_have_any_name() -> None:
    chosen = settings({"REFERRAL_LLM_KEY_ENV": "REFERRAL_SECRET", "REFERRAL_SECRET": "abc"})
    assert chosen.llm_key_env == "REFERRAL_SECRET"
    assert "abc" not in repr(chosen)


def test_a_citation_of_nothing_is_not_borne_out(sample_store: Path) -> None:
    model = wire(sample_store, Settings())
    nowhere = Citation(1, "no-such-article", "T", "", "", "", None, "text", "Something.", 0, 10, "p")
    assert grounding.check([Claim("Something.", (1,), 1.0)], [nowhere], model.generation) == ((), ())
