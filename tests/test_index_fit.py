"""The fitting program: what it reads, what it makes smaller, and that what it writes is what it learned."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from index import fit
from index.encoder import Encoder
from index.packaged import read_fitted


@pytest.fixture(scope="module")
def reader() -> fit.Reader:
    """The packaged model, nothing learned yet."""
    torch.manual_seed(0)
    return fit.Reader()


@pytest.fixture(scope="module")
def documents(reader: fit.Reader) -> list[fit.Document]:
    """All lessons."""
    return fit.lessons(reader)


def test_every_lesson_teaches_both_to_answer_and_to_abstain(documents: list[fit.Document]) -> None:
    assert len(documents) > 100
    for one in documents:
        answered = [bool(places) for _, places in one.questions]
        assert sum(answered) >= 5
        assert not all(answered)
        for _, places in one.questions:
            assert all(sentence < len(one.spans[passage]) for passage, sentence in places)


def test_sentences_of_lessons_and_pairs_are_whole(documents: list[fit.Document]) -> None:
    for one in [*documents, *fit.pairs()]:
        for text, spans in zip(one.texts, one.spans, strict=True):
            assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
            assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_questions_of_squad_point_at_the_sentence_with_the_answer(reader: fit.Reader, shared: Path) -> None:
    found = fit.squad(shared / "data" / "squad2" / "dev.json", reader, 0)
    assert {bool(places) for one in found for _, places in one.questions} == {True, False}


def test_late_interaction_in_training_is_that_of_the_search(
    reader: fit.Reader, documents: list[fit.Document]
) -> None:
    with torch.no_grad():
        read = reader.read(documents[:1])
        asked = reader.ask(["how long does it last", "why?"])
        scores = fit.late(asked, read.tokens, read.of, len(read.sentences))
    for question in range(2):
        mine = asked.of == question
        for sentence in range(len(read.sentences)):
            near = asked.tokens[mine] @ read.tokens[read.of == sentence].T
            expected = float(near.max(dim=1).values @ asked.weights[mine])
            assert float(scores[question, sentence]) == pytest.approx(expected, abs=1e-4)


def test_a_few_steps_make_the_loss_smaller(documents: list[fit.Document]) -> None:
    torch.manual_seed(0)
    fresh = fit.Reader()
    few = random.Random(1).sample(documents, 2)
    with torch.no_grad():
        before = float(fit.loss_of(fresh, few, stay=True))
    fit.train(fresh, few * 4, steps=6)
    with torch.no_grad():
        assert float(fit.loss_of(fresh, few, stay=True)) < before


def test_what_is_shipped_is_read_alike_by_the_encoder(
    documents: list[fit.Document], encoder: Encoder
) -> None:
    learned = fit.Reader()
    with torch.no_grad():
        for name, change in read_fitted().corrections.items():
            learned.corrected[name].layer.weight += torch.from_numpy(change)
        read = learned.read(documents[:1])
    ours = encoder.encode_passages(documents[0].texts, documents[0].spans)
    sentences = np.concatenate([one.sentences for one in ours])
    assert (sentences * read.sentences.numpy()).sum(axis=1).min() > 0.99
