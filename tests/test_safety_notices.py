"""The fixed notices: complete, chosen by code, and saying only what they may."""

from __future__ import annotations

import itertools
import re
from typing import get_args

import pytest

from assistant.safety import notices
from assistant.safety.check import Decision, Level
from assistant.safety.notices import Notice, countries, notice
from assistant.safety.rules import UNWELL, Rules

CATEGORIES = (*(c for c in Rules().categories if c != UNWELL), None)
LEVELS = get_args(Level)
ILLNESSES = re.compile(
    r"append|aneurysm|ectopic|eclampsia|torsion|hernia|kidney|ulcer|cancer|tumou?r|cauda|compression|infarct|"
    r"meningitis|sepsis|clot|embol|thrombosis|heart attack|angina|stroke|migraine|pneumothorax|arteritis|"
    r"glaucoma|fracture|compartment|rhabdo|arthritis|cellulitis|anaphyla|asthma|diabet|epilep|seizure|overdose",
    re.IGNORECASE,
)
PROMISES = re.compile(
    r"safe to|can wait|no need|don't worry|nothing serious|probably|likely|harmless|just a muscle",
    re.IGNORECASE,
)
METHODS = re.compile(r"pills|tablets|rope|knife|gun|bridge|hang|jump|paracetamol", re.IGNORECASE)


def _notice(level: Level, category: str | None, country: str = "GB") -> Notice:
    shown = notice(Decision(level, category), country)
    assert shown is not None
    return shown


@pytest.mark.parametrize(("level", "category"), list(itertools.product(LEVELS, CATEGORIES)))
def test_every_level_of_every_category_has_its_text(level: Level, category: str | None) -> None:
    for country in (*countries(), "XX", ""):
        shown = _notice(level, category, country)
        assert (shown.level, shown.category) == (level, category)
        assert "{" not in shown.text
        assert all(line.strip() for line in shown.text.split("\n"))
        assert not ILLNESSES.search(shown.text), ILLNESSES.search(shown.text)
        assert not PROMISES.search(shown.text), PROMISES.search(shown.text)


def test_nothing_to_say_is_no_notice() -> None:
    assert notice(Decision(), "GB") is None


@pytest.mark.parametrize("category", CATEGORIES)
def test_an_emergency_names_the_number_to_call_first(category: str | None) -> None:
    for country, number in (("GB", "999"), ("US", "911"), ("AU", "000"), ("NZ", "111")):
        shown = _notice("emergency_now", category, country)
        assert number in shown.text
        assert shown.call[0].number == number
    assert "your local emergency number" in _notice("emergency_now", category, "BR").text


@pytest.mark.parametrize("category", [None, "appendicitis", "leg_clot", "heart", "stroke", "cauda_equina"])
def test_bodily_emergencies_say_what_not_to_do(category: str | None) -> None:
    text = _notice("emergency_now", category).text
    assert "Don't press, massage" in text
    assert "Don't drive yourself" in text
    assert "Don't wait for a reply here" in text
    assert "can't tell what is causing it" in text


def test_a_wound_that_bleeds_is_to_be_pressed() -> None:
    text = _notice("emergency_now", "severe_bleeding").text
    assert "Don't press" not in text
    assert "Press hard on the wound" in text


@pytest.mark.parametrize("level", ["emergency_now", "same_day", "soon"])
def test_crisis_texts_begin_with_care_and_give_the_lines_of_the_country(level: Level) -> None:
    for category in ("suicidal", "self_harm"):
        text = _notice(level, category, "GB").text
        assert text.split("\n")[0].startswith(("I'm really glad", "I'm glad", "Thank you"))
        assert "Samaritans 116 123" in text
        assert "988" in _notice(level, category, "US").text
        assert "findahelpline.com" in _notice(level, category, "BR").text
        assert not METHODS.search(text)


def test_violence_is_believed_and_practitioners_can_be_reported() -> None:
    assert "I believe you" in _notice("same_day", "abuse").text
    shown = _notice("same_day", "assault_by_practitioner").text
    assert "I believe you" in shown
    assert "report" in shown


def test_too_much_medicine_is_urgent_without_symptoms() -> None:
    text = _notice("emergency_now", "overdose", "US").text
    assert "even if you, or the person, feel well" in text
    assert "Poison Control" in text


@pytest.mark.parametrize("level", ["emergency_now", "same_day"])
@pytest.mark.parametrize("category", [None, "heart", "suicidal", "abuse", "overdose"])
def test_without_a_country_the_numbers_of_many_are_given(level: Level, category: str | None) -> None:
    shown = _notice(level, category, "")
    numbers = ("112", "911", "999", "000", "111")
    given = [line for line in shown.text.split("\n") if all(number in line for number in numbers)]
    assert len(given) == 1
    assert {"112", "911", "999"} <= {call.number for call in shown.call}
    assert "112" not in _notice(level, category, "US").text


def test_what_is_said_to_a_notice_that_may_go_fits_it() -> None:
    assert _notice("emergency_now", "heart").settled == "I have been seen by a doctor"
    for category in ("suicidal", "self_harm", "abuse", "assault_by_practitioner"):
        assert _notice("same_day", category).settled == "I am safe now and I have support"


def test_a_line_of_caution_is_one_line() -> None:
    for category in CATEGORIES:
        assert "\n" not in _notice("safety_net", category).text


def test_plain_words() -> None:
    """Sentences short enough for a reader of about twelve, tired and frightened."""
    for level, category in itertools.product(LEVELS, CATEGORIES):
        sentences = re.split(r"(?<=[.!?])\s+|\n|; |: ", _notice(level, category, "other").text)
        lengths = [len(sentence.split()) for sentence in sentences if sentence]
        assert level == "safety_net" or sum(lengths) / len(lengths) <= 16, (level, category)
        assert max(lengths) <= 36, (level, category)


def test_numbers_carry_the_day_they_were_checked_and_the_texts_that_no_clinician_has() -> None:
    text = (notices.HERE / "notices.toml").read_text(encoding="utf-8")
    assert re.search(r"^numbers_checked = \d{4}-\d\d-\d\d", text, re.MULTILINE)
    for name in ("notices.toml", "scope.toml", "signs.toml", "rules.toml"):
        assert "NOT YET REVIEWED BY A CLINICIAN" in (notices.HERE / name).read_text(encoding="utf-8")
