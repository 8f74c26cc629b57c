"""The fitted model: its data, its sentence reader, and that the shipped weights are what fitting gives."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from assistant.safety import fit
from assistant.safety.fit import Message, carelessly_typed, messages
from assistant.safety.model import HERE, LEVELS, Model, joined, risen
from assistant.safety.rules import Rules
from assistant.safety.sentence_model import MOST_TOKENS, WIDTH, SentenceModel, Tokenizer


@pytest.fixture(scope="module")
def rows() -> list[Message]:
    return messages()


def test_training_messages_are_reviewable_row_by_row(rows: list[Message]) -> None:
    categories = set(Rules().categories) - {"unwell"}
    assert len({row.id for row in rows}) == len(rows)
    assert len({(row.history, row.text.lower()) for row in rows}) > 0.99 * len(rows)
    for row in rows:
        assert row.text.strip(), row.id
        assert row.category == "none" if row.level == "none" else row.category in categories, row.id
    by_level = Counter(row.level for row in rows)
    assert min(by_level.values()) > 80
    assert by_level["none"] + by_level["safety_net"] > 800
    urgent = Counter(row.category for row in rows if row.level in LEVELS)
    assert set(urgent) == categories
    assert min(urgent.values()) >= 8


def test_training_messages_are_not_the_test_messages(rows: list[Message]) -> None:
    path = HERE.parents[1] / "tests" / "bench" / "safety_messages.jsonl"
    tested = path.read_text(encoding="utf-8").lower()
    long = [row.text for row in rows if len(row.text) > 40]
    assert not [text for text in long if text.lower() in tested]


def test_fitting_gives_the_shipped_weights(rows: list[Message]) -> None:
    with np.load(HERE / "adapter.npz") as adapter, np.load(HERE / "weights.npz") as shipped:
        fitted = fit.fit(rows, dict(adapter))
        assert set(fitted) == set(shipped)
        np.testing.assert_allclose(fitted["words"], shipped["words"], atol=2e-2)
        np.testing.assert_allclose(fitted["mix"], shipped["mix"], atol=1e-2)
        np.testing.assert_allclose(fitted["thresholds"], shipped["thresholds"], atol=1e-2)


def test_training_the_sentence_model_repeats_itself_and_learns(rows: list[Message]) -> None:
    few = [row for row in rows if row.category in {"leg_clot", "none"} and not row.history][:24]
    names = ["leg_clot", "none"]
    one, two = (fit.packed(fit.train(few, names, epochs=2), names) for _ in range(2))
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
    assert any(np.abs(one[name]).max() > 0 for name in one if name.endswith(".B"))


def test_changed_messages_ask_for_a_new_fit(rows: list[Message]) -> None:
    with np.load(HERE / "adapter.npz") as adapter, pytest.raises(ValueError, match="--sentences"):
        fit.fit(rows[1:], dict(adapter))


def test_the_shipped_sentence_model_agrees_with_the_one_that_was_trained(rows: list[Message]) -> None:
    """The forward pass in numpy against torch's, with the shipped corrections in both."""
    with np.load(HERE / "adapter.npz") as stored:
        adapter = dict(stored)
    names = [str(name) for name in adapter["categories"]]
    trainee = fit.new_trainee(len(names))
    fit.resume(trainee, adapter, names)
    trainee.encoder.eval()
    reader = SentenceModel({n: a.astype(np.float32) for n, a in adapter.items() if n[-2:] in {".A", ".B"}})
    for row in rows[:5]:
        text = joined(row.turns)
        ours, theirs = reader.vector(text), trainee.read([text])[0].detach().numpy()
        assert ours.shape == (WIDTH,)
        cosine = ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs)
        assert cosine > 0.995  # torch reads in bfloat16 while training


def test_going_on_begins_with_the_shipped_corrections(rows: list[Message]) -> None:
    names = sorted({row.category for row in rows})
    with np.load(HERE / "adapter.npz") as stored:
        adapter = dict(stored)
    trainee = fit.new_trainee(len(names))
    fit.resume(trainee, adapter, names)
    packed = fit.packed(trainee, names)
    for name in ("levels", "category_weights", "encoder.layer.0.output.dense.B"):
        np.testing.assert_array_equal(packed[name], adapter[name])
    with pytest.raises(ValueError, match="--sentences"):
        fit.resume(trainee, adapter, names[1:])


def test_at_least_same_day_is_at_least_soon() -> None:
    np.testing.assert_array_equal(risen(np.array([[0.2, 0.7, 0.1]])), [[0.7, 0.7, 0.1]])


def test_long_text_keeps_its_beginning_and_its_end() -> None:
    tokenizer = Tokenizer()
    ids = tokenizer.ids("knee " * 500 + "back " * 50_000 + "chest " * 500)
    assert len(ids) == MOST_TOKENS
    assert ids[0] == tokenizer.ids("")[0]
    assert ids[1:3] == tokenizer.ids("knee knee")[1:3]
    assert ids[-3:] == tokenizer.ids("chest chest")[-3:]


def test_an_opinion_rises_with_what_is_told() -> None:
    model = Model.load()
    calm = model.opinion(["how do I stretch my calves after a run?"], [], [])
    alarming = model.opinion(["crushing chest pain, grey and sweating, can't breathe"], [], [])
    assert calm.level is None
    assert alarming.at_least > calm.at_least
    assert "emergency_now" in str(alarming)


def test_careless_typing_keeps_most_of_the_words() -> None:
    chance = random.Random(1)
    text = "my calf is swollen, hot and sore since the flight"
    for _ in range(50):
        typed = carelessly_typed(text, chance)
        assert abs(len(typed) - len(text)) <= 3
