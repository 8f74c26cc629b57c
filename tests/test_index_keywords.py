"""BM25 against the formula itself, and the words that are counted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.keywords import Keywords, Wish, terms, words

K1, B = 0.9, 0.4
LETTERS = st.sampled_from("abcdef")
CORPORA = st.lists(st.lists(LETTERS, max_size=12), min_size=1, max_size=12)
DOCUMENTS = [["hip", "pain", "pain"], ["hip"], ["groin", "ache", "hip", "flexor"], []]


def bm25(documents: Sequence[Sequence[str]], term: str, row: int) -> float:
    """The formula of Robertson with Lucene's idf, for one term and one document."""
    having = sum(term in one for one in documents)
    idf = math.log(1 + (len(documents) - having + 0.5) / (having + 0.5))
    mean = sum(len(one) or 1 for one in documents) / len(documents)  # an empty document counts as one word
    frequency = Counter(documents[row])[term]
    length = len(documents[row]) or 1
    return idf * frequency / (frequency + K1 * (1 - B + B * length / mean))


def single(*names: str) -> list[Wish]:
    return [(((name,), 1.0),) for name in names]


@settings(max_examples=50, deadline=None)
@given(CORPORA, st.sets(st.sampled_from("abcdefgh")))
def test_scores_are_those_of_the_formula(documents: list[list[str]], query: set[str]) -> None:
    scores = Keywords.build(documents).scores(single(*sorted(query)))
    expected = [sum(bm25(documents, term, row) for term in query) for row in range(len(documents))]
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_a_wish_takes_the_best_of_its_wordings_in_each_document() -> None:
    wish: Wish = ((("hip",), 1.0), (("groin", "ache"), 0.5))
    scores = Keywords.build(DOCUMENTS).scores([wish])
    for row in range(len(DOCUMENTS)):
        hip = bm25(DOCUMENTS, "hip", row)
        groin = 0.5 * (bm25(DOCUMENTS, "groin", row) + bm25(DOCUMENTS, "ache", row))
        assert scores[row] == pytest.approx(max(hip, groin), abs=1e-6)


def test_wishes_add_up() -> None:
    keywords = Keywords.build(DOCUMENTS)
    wishes = single("hip", "pain")
    parts = keywords.scores(wishes[:1]) + keywords.scores(wishes[1:])
    np.testing.assert_allclose(keywords.scores(wishes), parts)


@pytest.mark.parametrize("wishes", [[], single("absent"), single(""), single("\0")])
def test_what_no_document_has_scores_nothing(wishes: list[Wish]) -> None:
    assert not Keywords.build(DOCUMENTS).scores(wishes).any()


def test_frequencies_and_rarity() -> None:
    keywords = Keywords.build(DOCUMENTS)
    assert keywords.size == 4
    assert [keywords.document_frequency(name) for name in ("hip", "pain", "absent")] == [3, 1, 0]
    assert keywords.rarity("pain") == pytest.approx(math.log1p(4))
    assert keywords.rarity("absent") == 0


def test_a_saved_index_scores_alike(tmp_path: Path) -> None:
    built = Keywords.build(DOCUMENTS)
    built.save(tmp_path)
    loaded = Keywords.load(tmp_path)
    assert loaded.size == built.size
    np.testing.assert_array_equal(loaded.scores(single("hip", "groin")), built.scores(single("hip", "groin")))


def test_there_is_no_index_in_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=str(tmp_path)):
        Keywords.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The runner’s knees", ["the", "runner", "knees"]),
        ("Ménière's disease, T12-L4", ["meniere", "disease", "t12", "l4"]),
        ("don't / don’t", ["dont", "dont"]),
        ("the muscles' ends", ["the", "muscles", "ends"]),
        ("a_b ﬁbers", ["a", "b", "fibers"]),
        (" -- ", []),
    ],
)
def test_words_are_folded(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_terms_are_stems_without_the_words_that_carry_no_topic() -> None:
    assert terms("What are the causes of aching hips?") == ["caus", "ach", "hip"]
    assert terms("It is not painful") == ["not", "pain"]
