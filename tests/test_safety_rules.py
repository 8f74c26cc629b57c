"""The little languages of signs.toml and rules.toml, general reading, and the files themselves."""

from __future__ import annotations

import tomllib

import pytest

from assistant.safety.reading import HERE, Said, visible
from assistant.safety.rules import TOPIC, Finding, Rules, Signs


def _signs(*wordings: str, **groups: list[str]) -> Signs:
    return Signs(groups, {"it": list(wordings)})


@pytest.mark.parametrize(
    ("wording", "heard", "unheard"),
    [
        ("chest pain", "my chest pain began", "chest and pain"),
        ("chest (pain|ache)", "a chest ache", "a chest cold"),
        ("vomit*", "vomiting", "vomi"),
        ("[really] bad", "bad", "really"),
        ("lips? blue", "lip blue", "li blue"),
        ("sudden .. headache", "sudden and quite awful headache", "sudden one two three four five headache"),
        ("cold & sweat*", "sweats and feeling cold", "cold"),
        ("@tummy ache", "belly ache", "leg ache"),
        ("not (eat|drink)", "does not drink", "drink"),
    ],
)
def test_wordings(wording: str, heard: str, unheard: str) -> None:
    signs = _signs(wording, tummy=["belly", "stomach"])
    assert [finding.sign for finding in signs.find(heard)] == ["it"]
    assert signs.find(unheard) == []


@pytest.mark.parametrize("wording", ["(a|b", "a)", "[a"])
def test_an_unbalanced_wording_is_an_error_that_shows_it(wording: str) -> None:
    with pytest.raises(ValueError, match="unbalanced wording"):
        _signs(wording)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("I have a fever", Said.PRESENT),
        ("no fever", Said.DENIED),
        ("without any fever", Said.DENIED),
        ("no chills, cough or fever", Said.DENIED),
        ("she denies chills, cough, fever", Said.DENIED),
        ("no chills but a fever", Said.PRESENT),
        ("not sure why I have a fever", Said.PRESENT),
        ("the painkillers don't work and I have fever", Said.PRESENT),
        ("three years ago I had a fever", Said.PAST),
        ("I had a fever in 2012", Said.PAST),
        ("I had a fever in 2012 and today a fever again", Said.PRESENT),
        ("what causes fever?", Said.SUPPOSED),
        ("if someone has a fever what then", Said.SUPPOSED),
        ("for my essay: fever in adults", Said.SUPPOSED),
        ("my fever, what causes it?", Said.PRESENT),
    ],
)
def test_what_is_said_of_a_sign(message: str, said: Said) -> None:
    assert said in {finding.said for finding in _signs("fever").find(message)}


@pytest.mark.parametrize("typed", ["swolen", "swollne", "SWOLLEN", "swollennnn", "swоllen", "swol\u200blen"])
def test_spelling_is_repaired(typed: str) -> None:
    assert _signs("swollen").find(f"my calf is {typed}")


@pytest.mark.parametrize("word", ["heard", "hear", "heat", "heavy", "hearth"])
def test_real_words_are_not_repaired_into_signs(word: str) -> None:
    assert _signs("heart").find(f"the {word} of it") == []


def test_visible_text() -> None:
    assert visible("Сhest\u00ad p\u200bain, naïve “ＯＫ”") == 'chest pain, naive "ok"'


def test_every_rule_names_signs_that_exist_and_every_category_has_a_topic() -> None:
    rules = Rules()
    assert len(rules.categories) > 50
    table = tomllib.loads((HERE / "rules.toml").read_text(encoding="utf-8"))
    assert set(table["topics"]) == set(rules.categories) - {"unwell"}
    assert sum(name.startswith(TOPIC) for name in rules.signs.names) == len(table["topics"])


def _found(*names: str, sentence: int = 0) -> list[Finding]:
    return [Finding(name, 0, sentence, name, Said.PRESENT) for name in names]


def test_rules_conclude_the_most_urgent_first() -> None:
    held = Rules().conclude(_found("back_pain", "weight_loss", "saddle_numb"))
    assert [(held[0].level, held[0].category)] == [("emergency_now", "cauda_equina")]
    assert held[-1].level == "soon"


def test_denied_signs_are_not_counted() -> None:
    denied = [Finding("saddle_numb", 0, 0, "numb", Said.DENIED)]
    assert Rules().conclude(_found("back_pain") + denied) == []


def test_no_sign_is_written_twice_or_empty() -> None:
    table = tomllib.loads((HERE / "signs.toml").read_text(encoding="utf-8"))
    for name, wordings in table["signs"].items():
        assert wordings, name
        assert len(set(wordings)) == len(wordings), name
