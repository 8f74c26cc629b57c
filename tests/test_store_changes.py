"""Indexing again touches only what changed, gives what building anew gives, and loses nothing."""

from __future__ import annotations

import itertools
import json
import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.errors import GenerationError, StoreError
from index.gate import Gate, GateError, Golden, Shown, fault, read_golden
from index.generation import Generation, Sourced
from index.keywords import Keywords
from index.runs import Run, record, runs
from index.seen import sources_digest
from index.store import Store
from ingest.article import Article, Comment
from tests.plain_encoder import PlainEncoder

WORDS = ("hip", "knee", "calf", "aches", "bends", "lifts", "deep", "band", "rest", "warm")


def article(number: int, text: str = "", **changes: object) -> Article:
    body = text or f"The {WORDS[number % 10]} is number {number}. It {WORDS[(number + 3) % 10]} at night."
    made = Article(f"a{number:03}", f"Title {number}", f"{body}\n\n## Relief\n\nRest helps it. " * 3)
    return replace(made, **changes)  # type: ignore[arg-type]


def sourced(articles: Sequence[Article]) -> list[Sourced]:
    return [Sourced(one, "export") for one in articles]


BLOG = [article(number) for number in range(30)]


@pytest.fixture
def encoder() -> PlainEncoder:
    return PlainEncoder()


@pytest.fixture
def store(tmp_path: Path, encoder: PlainEncoder) -> Store:
    made = Store(tmp_path / "store")
    made.write(sourced(BLOG), encoder)
    encoder.embedded.clear()
    return made


def everything(generation: Generation) -> list[object]:
    """What can be asked of a generation, to compare two of them by."""
    rows = range(generation.manifest.counts.passages)
    names = sorted(generation.word_counts())
    scores = [generation.keywords.scores([(((name,), 1.0),)]).round(5).tolist() for name in names]
    return [
        [generation.article(row) for row in range(len(generation.ids))],
        [generation.passage(row) for row in rows],
        [generation.sentence_vectors(row).round(3).tolist() for row in rows],
        [[part.tolist() for part in generation.tokens_of(row)] for row in rows],
        generation.vectors.take(np.arange(len(rows))).round(5).tolist(),
        generation.word_counts(),
        scores,
        generation.facets,
    ]


# ---------------------------------------------------------------- only what changed

EDITS = st.lists(
    st.tuples(
        st.sampled_from(["text", "title", "comment", "tags", "move", "remove", "add"]), st.integers(0, 9)
    ),
    max_size=4,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EDITS, min_size=1, max_size=3))
def test_any_row_of_changes_gives_what_building_anew_gives(
    tmp_path_factory: pytest.TempPathFactory, runs_of_edits: list[list[tuple[str, int]]]
) -> None:
    folder, encoder = tmp_path_factory.mktemp("changes"), PlainEncoder()
    blog = {number: article(number) for number in range(8)}
    changed = Store(folder / "changed")
    changed.write(sourced(list(blog.values())), encoder)
    for edits in runs_of_edits:
        for kind, number in edits:
            edit(blog, kind, number)
        changed.write(sourced(list(blog.values())), encoder)
    anew = Store(folder / "anew")
    anew.write(sourced(list(blog.values())), encoder)
    assert everything(changed.open()) == everything(anew.open())
    assert changed.check() == []


def edit(blog: dict[int, Article], kind: str, number: int) -> None:
    old = blog.get(number, article(number))
    if kind == "remove":
        if len(blog) > 1:
            blog.pop(number, None)
    elif kind == "add":
        blog[number + 10] = article(number + 10)
    elif kind == "move":
        blog[number] = replace(old, id=f"moved-{number}")
    elif kind == "title":
        blog[number] = replace(old, title=old.title + " again")
    elif kind == "comment":
        blog[number] = replace(old, comments=(*old.comments, Comment(f"It helped me {len(old.comments)}.")))
    elif kind == "tags":
        blog[number] = replace(old, tags=("hip",))
    else:
        blog[number] = replace(old, text="A new first sentence.\n\n" + old.text)


def test_one_edited_sentence_embeds_one_passage(store: Store, encoder: PlainEncoder) -> None:
    edited = replace(BLOG[4], text=BLOG[4].text.replace("is number 4", "is the fourth", 1))
    built = store.write(sourced([*BLOG[:4], edited, *BLOG[5:]]), encoder)
    assert built is not None
    assert built.embedded == 1
    # the others are those that are computed again as a check
    assert sum("fourth" in text for text in encoder.embedded) in {1, 2}
    assert len(encoder.embedded) <= 1 + 3


@pytest.mark.parametrize("kind", ["remove", "tags", "move"])
def test_what_changes_no_text_embeds_nothing(store: Store, encoder: PlainEncoder, kind: str) -> None:
    blog = dict(enumerate(BLOG))
    edit(blog, kind, 7)
    built = store.write(sourced(list(blog.values())), encoder)
    assert built is not None
    assert built.embedded == 0


def test_another_window_cuts_anew_and_embeds_only_what_comes_out_otherwise(
    store: Store, encoder: PlainEncoder
) -> None:
    encoder.window = 41
    blog = [*BLOG, article(31)]
    built = store.write(sourced(blog), encoder)
    assert built is not None
    assert built.reused > 0
    anew = Store(store.folder / "anew")
    anew.write(sourced(blog), encoder)
    assert everything(store.open()) == everything(anew.open())


def test_generations_in_a_row_share_no_file_and_later_ones_write_little(
    store: Store, encoder: PlainEncoder
) -> None:
    folders = [store.open().folder]
    for number in range(3):
        edited = replace(BLOG[4], text=f"Edit {number}. " + BLOG[4].text)
        store.write(sourced([*BLOG[:4], edited, *BLOG[5:]]), encoder)
        folders.append(store.open().folder)
    inodes = [(folder / "sentences.f16.npy").stat().st_ino for folder in folders]
    assert all(one != other for one, other in itertools.pairwise(inodes))
    assert len(set(inodes)) == 2
    assert len(Generation(folders[-1]).manifest.segments) == 4
    assert store.check() == []


def test_what_nobody_uses_any_more_is_dropped_when_it_is_much(store: Store, encoder: PlainEncoder) -> None:
    store.write(sourced(BLOG[:12]), encoder)
    generation = store.open()
    assert generation.segments.size == generation.manifest.counts.sentences
    assert store.check() == []


LETTERS = st.lists(st.sampled_from("abcdef"), max_size=8)


@settings(max_examples=40, deadline=None)
@given(st.lists(LETTERS, min_size=1, max_size=8), st.data())
def test_a_changed_keyword_index_is_the_one_built_anew(
    documents: list[list[str]], data: st.DataObject
) -> None:
    stay = data.draw(st.lists(st.booleans(), min_size=len(documents), max_size=len(documents)))
    fresh = data.draw(st.lists(LETTERS, min_size=0 if any(stay) else 1, max_size=4))
    kept = [one for one, stays in zip(documents, stay, strict=True) if stays]
    places = np.where(stay, np.cumsum(stay) - 1, -1)
    new = {len(kept) + number: one for number, one in enumerate(fresh)}
    changed = Keywords.build(documents).changed(places, new, len(kept) + len(fresh))
    anew = Keywords.build([*kept, *fresh])
    for letter in "abcdefg":
        wish = [(((letter,), 1.0),)]
        np.testing.assert_allclose(changed.scores(wish), anew.scores(wish), atol=1e-6)
        assert changed.document_frequency(letter) == anew.document_frequency(letter)


# ---------------------------------------------------------------- plans


def test_a_plan_tells_sizes_and_what_would_be_emptied(store: Store) -> None:
    emptied = replace(BLOG[0], text="Gone.")
    plan, _ = store.plan(sourced([emptied, *BLOG[1:29]]), lambda *_: True)
    assert plan.emptied == ("a000",)
    assert plan.removed == ("a029",)
    assert plan.sizes == {"a000": 5, "a029": len(BLOG[29].text)}
    assert plan.lost_share == pytest.approx(2 / 30)


def test_articles_that_cannot_be_read_are_never_dropped_in_silence(store: Store) -> None:
    (store.open().folder / "articles.jsonl").write_text("{")
    with pytest.raises(GenerationError, match=r"would lose what other .*rollback.*--repair"):
        store.plan(sourced([article(50)]), lambda *_: False)


def test_articles_of_an_unknown_format_are_kept(store: Store, encoder: PlainEncoder) -> None:
    manifest = store.open().folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"format": ', '"format": 9'))
    _, corpus = store.plan(sourced([article(50)]), lambda *_: False)
    store.write(corpus, encoder)
    assert len(store.open().ids) == 31


# ---------------------------------------------------------------- accidents


def test_a_flipped_bit_in_an_article_is_never_quoted(store: Store) -> None:
    path = store.open().folder / "articles.jsonl"
    content = bytearray(path.read_bytes())
    content[content.index(b"number 3")] ^= 1
    path.write_bytes(content)
    generation = store.open()
    assert generation.article(2) == BLOG[2]
    with pytest.raises(GenerationError, match=r"'a003' .*not as it was written.*--repair"):
        generation.article(3)


@pytest.mark.parametrize("name", ["articles.jsonl", "passages.faiss", "sentences.f16.npy", "manifest.json"])
def test_the_last_good_generation_is_served_when_the_new_one_is_cut_short(
    store: Store, encoder: PlainEncoder, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = store.current_name()
    store.write(sourced(BLOG[:20]), encoder)
    path = store.open().folder / name
    path.write_bytes(path.read_bytes()[:-3])
    assert store.open().name == first
    assert f"Served instead is {first}" in caplog.text
    done = store.repair()
    assert done[0] == f"{first} is served"
    assert store.names() == [first]
    assert store.check() == []


def test_what_was_changed_on_disk_is_not_built_upon(store: Store, encoder: PlainEncoder) -> None:
    path = store.open().folder / "passages.faiss"
    content = bytearray(path.read_bytes())
    content[-2] ^= 64
    path.write_bytes(content)
    store.write(sourced([*BLOG, article(40)]), encoder)
    anew = Store(store.folder / "anew")
    anew.write(sourced([*BLOG, article(40)]), encoder)
    assert everything(store.open()) == everything(anew.open())


def test_a_pointer_that_was_lost_is_repaired(store: Store) -> None:
    name = store.current_name()
    (store.folder / "CURRENT").write_text("")
    assert store.open().name == name
    assert store.repair() == [f"{name} is served"]
    assert store.current_name() == name


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Every file that grows beyond this is refused, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 10, 500, 2_000, 4_000, 10_000])
def test_a_full_disk_changes_nothing(store: Store, encoder: PlainEncoder, size: int) -> None:
    name = store.current_name()
    with largest_file(size), pytest.raises(StoreError, match=r"cannot be written .*Make room"):
        store.write(sourced([*BLOG, article(40)]), encoder)
    assert store.current_name() == name
    assert store.names() == [name]
    assert store.check() == []
    assert store.write(sourced([*BLOG, article(40)]), encoder) is not None


def test_after_a_rollback_the_next_one_passes_over_what_was_rolled_away_from(
    store: Store, encoder: PlainEncoder
) -> None:
    good = store.current_name()
    store.write(sourced([*BLOG, article(40)]), encoder)
    assert store.rollback() == good
    store.write(sourced([*BLOG, article(41)]), encoder)
    assert store.rollback() == good
    with pytest.raises(StoreError, match="oldest generation"):
        store.rollback()


# ---------------------------------------------------------------- the gate

GOLDEN = [
    Golden(id="one", question="Which is number 4?", article="a004"),
    Golden(id="two", question="Which is number 5?", article="a005"),
]


def asker(generation: Generation):  # type: ignore[no-untyped-def]
    """Answers with the article whose number is asked for, if it is there."""

    def ask(golden: Golden) -> Shown:
        wanted = f"a{int(golden.question.split()[-1][:-1]):03}"
        return (
            Shown("answer", (wanted,), ("quoted",))
            if wanted in generation.ids
            else Shown("abstention", (), ())
        )

    return ask


def test_a_generation_that_answers_worse_is_refused_and_says_which_questions_fell(
    store: Store, encoder: PlainEncoder
) -> None:
    name = store.current_name()
    fewer = sourced([*BLOG[:4], *BLOG[5:]])
    with pytest.raises(GateError, match=r"1 of 2 golden questions, 2 before.*fall") as caught:
        store.write(fewer, encoder, gate=Gate(GOLDEN, asker))
    assert [(one.id, one.why) for one in caught.value.score.fell] == [
        ("one", "its kind is abstention, not answer")
    ]
    assert store.names() == [name]
    assert store.write(fewer, encoder, gate=Gate(GOLDEN, asker, margin=0.5)) is not None
    score = store.score(store.current_name())
    assert score is not None
    assert (score.passed, score.before, [one.id for one in score.fell]) == (1, 2, ["one"])


def test_a_fall_can_be_accepted(store: Store, encoder: PlainEncoder) -> None:
    built = store.write(sourced(BLOG[:3]), encoder, gate=Gate(GOLDEN, asker, strict=False))
    assert built is not None


@pytest.mark.parametrize(
    ("golden", "shown", "why"),
    [
        ({}, Shown("answer", (), ()), ""),
        ({}, Shown("related", (), ()), "kind is related"),
        ({"kinds": ["refusal"]}, Shown("refusal", (), ()), ""),
        ({"article": "x"}, Shown("answer", ("y",), ()), "does not cite x"),
        ({"must_quote_any": ["a  b"]}, Shown("answer", (), ("so a b it is",)), ""),
        ({"must_quote_any": ["a b"]}, Shown("answer", (), ("so b a",)), "none of the sentences"),
        ({"must_not_quote": ["a b"]}, Shown("answer", (), ("a\nb",)), "it quotes"),
    ],
)
def test_what_an_answer_lacks_is_named(golden: dict[str, object], shown: Shown, why: str) -> None:
    found = fault(Golden.model_validate({"question": "?", **golden}), shown)
    assert why in found
    assert bool(found) == bool(why)


def test_a_broken_line_of_golden_questions_is_named(tmp_path: Path) -> None:
    path = tmp_path / "golden.jsonl"
    assert read_golden(path) == []
    path.write_text('{"question": "a"}\n\n{"no": 1}\n', encoding="utf-8")
    with pytest.raises(StoreError, match=r"golden.jsonl, line 3 .*question"):
        read_golden(path)
    path.write_text('{"question": "a"}\n', encoding="utf-8")
    assert [one.id for one in read_golden(path)] == ["line 1"]


# ---------------------------------------------------------------- records


def test_a_record_that_was_cut_short_does_not_spoil_the_next(tmp_path: Path) -> None:
    done = Run(started="2026-01-01T00:00:00Z", seconds=1, sources=("a",), trigger="x", outcome="served")
    record(tmp_path, done)
    with (tmp_path / "runs.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"started": "half"})[:-3])
    record(tmp_path, done)
    assert runs(tmp_path) == [done, done]


def test_sources_are_the_same_as_long_as_no_byte_of_them_changes(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("one")
    before = sources_digest([tmp_path], "reader")
    assert sources_digest([tmp_path], "reader") == before
    assert sources_digest([tmp_path], "another reader") != before
    (tmp_path / "a.md").write_text("two")
    assert sources_digest([tmp_path], "reader") != before
