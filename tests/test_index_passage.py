"""Passages are exact spans of their article, made of whole sentences, that fit the encoder's window."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from index.encoder import Encoder
from index.passage import Passage, embedding_text, split, text_sentences
from ingest.article import Article, Comment

WINDOW = 64
QUICK = settings(max_examples=50, deadline=None)

WORDS = st.lists(st.sampled_from("the psoas bends a hip in two ways".split()), min_size=1, max_size=20)
PARAGRAPHS = st.lists(WORDS.map(lambda words: f"Here {' '.join(words)}."), min_size=1, max_size=8).map(
    " ".join
)
HEADINGS = st.lists(st.sampled_from("Causes Relief Where it hurts".split()), min_size=1, max_size=20).map(
    lambda words: "## " + " ".join(words)
)
ITEMS = st.lists(
    st.sampled_from(["- Rest", "- Move a little", "1. Lie down", "* Breathe out slowly"]), min_size=1
)
TEXTS = st.lists(st.one_of(PARAGRAPHS, HEADINGS, ITEMS.map("\n".join)), max_size=8).map("\n\n".join)
ARTICLES = st.builds(
    Article,
    id=st.just("a"),
    title=st.sampled_from(["Psoas", "What the psoas does to the hip and the back"]),
    text=TEXTS,
    comments=st.lists(st.builds(Comment, text=TEXTS), max_size=2).map(tuple),
)


def count(texts: Sequence[str]) -> list[int]:
    """A tokenizer whose tokens are words."""
    return [len(text.split()) for text in texts]


def source(article: Article, passage: Passage) -> str:
    return article.text if passage.comment is None else article.comments[passage.comment].text


@QUICK
@given(ARTICLES)
def test_a_passage_is_the_span_that_it_claims(article: Article) -> None:
    for passage in split(article, count, WINDOW):
        assert passage.article_id == article.id
        assert passage.kind == ("article" if passage.comment is None else "comment")
        assert passage.text == source(article, passage)[passage.start : passage.end]
        assert (passage.start, passage.end) == (passage.sentences[0].start, passage.sentences[-1].end)


@QUICK
@given(ARTICLES)
def test_every_sentence_is_in_exactly_one_passage_in_reading_order(article: Article) -> None:
    passages = split(article, count, WINDOW)
    for number, text in [(None, article.text), *enumerate(one.text for one in article.comments)]:
        mine = [passage for passage in passages if passage.comment == number]
        assert [one for passage in mine for one in passage.sentences] == text_sentences(text)
        assert all(before.end <= after.start for before, after in itertools.pairwise(mine))


@QUICK
@given(ARTICLES)
def test_ids_are_unique_and_the_same_every_time(article: Article) -> None:
    ids = [passage.id for passage in split(article, count, WINDOW)]
    assert len(set(ids)) == len(ids)
    assert ids == [passage.id for passage in split(article, count, WINDOW)]


@QUICK
@given(ARTICLES)
def test_what_the_encoder_reads_fits_its_window(article: Article) -> None:
    for passage in split(article, count, WINDOW):
        text, lead = embedding_text(article.title, passage)
        assert text[lead:] == passage.text
        assert count([text])[0] + 2 <= WINDOW  # two special tokens


def test_a_sentence_longer_than_the_window_stays_whole(encoder: Encoder) -> None:
    long = "It hurts " + "and aches " * 300 + "here"
    article = Article("a", "Psoas", f"Before it. {long}. After it.")
    texts = [passage.text for passage in split(article, encoder.count_tokens, encoder.window)]
    assert texts == ["Before it.", f"{long}.", "After it."]


def test_a_long_list_is_cut_into_parts_that_the_model_reads_to_the_end(encoder: Encoder) -> None:
    items = "\n".join(f"- Muscle {number}" for number in range(200))
    article = Article("a", "A list", f"## Muscles that send their pain to the arm, near and far\n\n{items}")
    passages = split(article, encoder.count_tokens, encoder.window)
    sizes = encoder.count_tokens([embedding_text(article.title, one)[0] for one in passages])
    assert max(sizes) + 2 <= encoder.window
    assert min(sizes) > encoder.window // 2


def test_sections_are_not_mixed_unless_they_are_small() -> None:
    long = "The psoas bends the hip and turns the leg. " * 10
    article = Article(
        "a", "Psoas", f"## Causes\n\n{long}\n\n## Relief\n\n{long}\n\n## Who\n\nAll.\n\n## When\n\nAlways."
    )
    found = split(article, count, 256)
    assert [passage.heading for passage in found] == ["Causes", "Relief", "Who"]
    assert found[-1].text == "All.\n\n## When\n\nAlways."


def test_a_comment_never_shares_a_passage_with_the_article_or_another_comment() -> None:
    article = Article("a", "Psoas", "Short.", comments=(Comment("One."), Comment("Two.")))
    found = split(article, count, WINDOW)
    assert [(one.id, one.kind, one.comment, one.text) for one in found] == [
        ("a#0-6", "article", None, "Short."),
        ("a#c0:0-4", "comment", 0, "One."),
        ("a#c1:0-4", "comment", 1, "Two."),
    ]


def test_a_new_section_at_the_end_leaves_the_ids_above_it() -> None:
    sections = [f"## Part {number}\n\n{'It hurts here today. ' * 40}" for number in range(3)]
    before = Article("a", "Psoas", "\n\n".join(sections[:2]))
    after = replace(before, text="\n\n".join(sections))
    old, new = ([one.id for one in split(article, count, WINDOW)] for article in (before, after))
    assert new[: len(old)] == old
    assert len(new) > len(old)


def test_a_text_without_a_sentence_has_no_passage() -> None:
    assert split(Article("a", "Psoas", "## Only a heading"), count, WINDOW) == []


def test_a_sentence_knows_its_heading_and_its_block() -> None:
    text = "## Relief\n\nRest. Then move.\n\n- Breathe\n\n## Causes\n\nSitting."
    found = [
        (text[one.start : one.end], text[slice(*one.heading)], one.block_kind.value)
        for one in text_sentences(text)
    ]
    assert found == [
        ("Rest.", "Relief", "paragraph"),
        ("Then move.", "Relief", "paragraph"),
        ("Breathe", "Relief", "item"),
        ("Sitting.", "Causes", "paragraph"),
    ]
