"""Chrome learned from many pages, warnings, quarantine, and what was kept and dropped side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ingest.article import Article
from ingest.chrome import learn
from ingest.explain import as_text, explain
from ingest.sources import read_sources
from ingest.text_dump import lines_of, read_dump
from ingest.verdict import faults, warnings

MUSCLES = (
    "Psoas", "Piriformis", "Soleus", "Deltoid", "Scalenes",
    "Masseter", "Popliteus", "Sartorius", "Trapezius", "Rectus",
)  # fmt: skip
TOP = "Kneads of Leeds\n\nClasses | Vouchers | Rooms\n\nSpring bundle: ten visits for the price of eight\n\n"
WHO = "We look after necks and knees in three rooms above the bakery."
BOTTOM = f"\n\n{WHO}\n\nMill Lane 4, Leeds\n\nOpen Monday to Saturday\n"


def dump(muscle: str) -> str:
    return (
        f"{TOP}{muscle} without tears\n\nPosted by Rosa Field on March 3, 2014\n\n"
        f"The {muscle} is a muscle that most people never think of until it hurts, and then of little "
        "else.\n\n"
        f"Origin\n\nThe {muscle} begins at a bone, as they all do, and is felt there as a cord.\n\n"
        f"Treatment\n\nPress gently for half a minute, and breathe.\n\n"
        f"Join our weekend course on the muscles of the hip, with a certificate of attendance.\n\n"
        f"After a week the {muscle} of most visitors is softer, and the day is longer.{BOTTOM}"
    )


def test_what_stands_at_the_edge_of_many_pages_goes_and_what_is_the_articles_stays() -> None:
    chrome = learn(lines_of(dump(muscle)) for muscle in MUSCLES)
    article = read_dump(dump("Psoas"), fallback_id="psoas", chrome=chrome)
    assert (article.title, article.author) == ("Psoas without tears", "Rosa Field")
    assert article.text.split("\n\n") == [
        "The Psoas is a muscle that most people never think of until it hurts, and then of little else.",
        "## Origin",
        "The Psoas begins at a bone, as they all do, and is felt there as a cord.",
        "## Treatment",
        "Press gently for half a minute, and breathe.",
        "After a week the Psoas of most visitors is softer, and the day is longer.",
    ]


def test_without_other_pages_nothing_is_learned() -> None:
    pages = [lines_of(dump(muscle)) for muscle in MUSCLES[:4]]
    assert learn(pages).edges == frozenset()
    assert learn([lines_of(dump("Psoas"))] * 50).edges == frozenset()  # one page, however often


def test_the_last_advice_of_some_articles_stays() -> None:
    """Four of ten articles end with the same advice: it is theirs, though the site's lines stand below."""
    advice = "If the pain wakes you at night, let a doctor look at it first."
    dumps = [
        dump(muscle).replace(BOTTOM, f"\n\n{advice}{BOTTOM}") if number < 4 else dump(muscle)
        for number, muscle in enumerate(MUSCLES)
    ]
    chrome = learn(map(lines_of, dumps))
    assert read_dump(dumps[0], fallback_id="x", chrome=chrome).text.endswith(advice)


def test_dumps_of_a_folder_teach_each_other(tmp_path: Path) -> None:
    for muscle in MUSCLES:
        (tmp_path / f"{muscle}.txt").write_text(dump(muscle))
    read = read_sources([tmp_path])
    assert len(read.articles) == len(MUSCLES)
    assert not any(
        "bakery" in one.text or "bundle" in one.text or "weekend" in one.text for one in read.articles
    )
    assert all("Press gently" in one.text for one in read.articles)


def test_adverts_in_many_bodies_go_and_repeated_advice_stays_and_is_told(tmp_path: Path) -> None:
    advert = "Our charts of all muscles hang in many clinics, and can hang in yours."
    advice = "Let a doctor look at pain that wakes you at night."
    for muscle in MUSCLES:
        (tmp_path / f"{muscle}.html").write_text(page(muscle, f"<p>{advert}</p><h2>More</h2><p>{advice}</p>"))
    read = read_sources([tmp_path])
    assert len(read.articles) == len(MUSCLES)
    assert not any("charts" in one.text for one in read.articles)
    assert all(one.text.endswith(f"## More\n\n{advice}") for one in read.articles)
    told = [note for note in read.notes if "in 10 of 10 articles" in note]
    assert [note.rpartition(": ")[2].partition(";")[0] for note in sorted(told)] == [
        "kept",
        "left out as an advert.",
    ]


# --- verdicts ----------------------------------------------------------------------------------------

PARAGRAPHS = tuple(
    f"Paragraph {word} tells of a muscle, of where it begins and ends, and of the pain that it sends on."
    for word in ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
)
GOOD = Article(id="/m/psoas", title="Psoas", text="\n\n".join(PARAGRAPHS), published="2026-01-01")


@pytest.mark.parametrize(
    ("article", "warning"),
    [
        (GOOD, ""),
        (replace(GOOD, title="Paragraph one tells of a muscle"), "has no title of its own"),
        (replace(GOOD, text="Only a few words."), "is very short: 4 words"),
        (replace(GOOD, text="\n\n".join(["A label of some words"] * 40)), "is mostly lists, links or labels"),
        (replace(GOOD, text=" ".join(["See https://a.example/b for it."] * 30)), "is mostly links"),
    ],
)
def test_warnings(article: Article, warning: str) -> None:
    found = warnings(article)
    assert [one.startswith(warning) for one in found] == ([True] if warning else [])


def test_a_lost_structure_is_a_warning() -> None:
    before = replace(GOOD, text="\n\n".join(f"## Part {n}\n\n{text}" for n, text in enumerate(PARAGRAPHS)))
    (found,) = warnings(GOOD, before)
    assert found == "has 0 headings where it had 10: the theme may have changed"
    assert "has lost its date" in warnings(replace(GOOD, published=None), GOOD)[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\n\n".join(PARAGRAPHS[:3]), "has only"),
        (
            "\n\n".join([*PARAGRAPHS, "Menu entry and more of the page around it. " * 80]),
            "the page around it",
        ),
        ("\n\n".join(PARAGRAPHS[:8]), ""),
        ("\n\n".join([*PARAGRAPHS, "A new part, written by the author this week."]), ""),
        ("It was written anew, in other words. " * 30, ""),
    ],
)
def test_what_became_much_worse_is_held_back(text: str, reason: str) -> None:
    found = faults(replace(GOOD, text=text), GOOD)
    assert [reason in one for one in found] == ([True] if reason else [])


def page(name: str, extra: str = "", count: int = 10) -> str:
    text = "".join(f"<p>{text} Of {name}.</p>" for text in PARAGRAPHS[:count])
    body = f"<div class=rte>{text}{extra}</div>"
    return f"<!doctype html><title>{name}</title><article><h1>{name}</h1>{body}</article>"


def write(folder: Path, extra: str = "", count: int = 10) -> None:
    for muscle in MUSCLES[:6]:
        (folder / f"{muscle}.html").write_text(page(muscle, extra, count))


def test_a_changed_theme_is_held_back_and_the_last_good_version_stays(tmp_path: Path) -> None:
    write(tmp_path)
    served = {one.id: one for one in read_sources([tmp_path]).articles}
    write(tmp_path, "<p>Our spring menu of therapies can be had in every room of the house.</p>")
    read = read_sources([tmp_path], last_good=served.get)
    assert read.articles == ()
    assert len(read.quarantined) == 6
    assert "together with 5 others: the theme has changed" in read.quarantined[0].reasons[0]
    assert not any(read.covers(str(tmp_path / f"{one}.html"), one) for one in served)
    for accepted in (frozenset(served), frozenset(("all",))):
        assert len(read_sources([tmp_path], last_good=served.get, accepted=accepted).articles) == 6


def test_one_broken_page_is_held_back_and_the_others_are_served(tmp_path: Path) -> None:
    write(tmp_path)
    served = {one.id: one for one in read_sources([tmp_path]).articles}
    (tmp_path / "Psoas.html").write_text(page("Psoas", count=2))
    (tmp_path / "Soleus.html").write_text(page("Soleus", "<p>And one thing more of it.</p>"))
    read = read_sources([tmp_path], last_good=served.get)
    assert [held.article.id for held in read.quarantined] == ["Psoas"]
    assert len(read.articles) == 5


def test_an_export_is_the_maintainers_own_word(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "/m/psoas", "title": "Psoas", "text": "Short now."}\n')
    read = read_sources([tmp_path / "a.jsonl"], last_good={GOOD.id: GOOD}.get)
    assert [one.text for one in read.articles] == ["Short now."]


def test_what_is_removed_from_a_folder_is_gone_and_a_missing_folder_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "posts"
    folder.mkdir()
    write(folder)
    read = read_sources([folder])
    assert read.covers(str(folder / "Gone.html"))
    assert not read.covers(str(tmp_path / "elsewhere.html"))
    assert not read_sources([tmp_path / "nowhere"]).covers(str(tmp_path / "nowhere/a.html"))
    (folder / "Psoas.html").write_bytes(b"\xff\xfe\xfd broken")
    assert not read_sources([folder]).covers(str(folder / "Psoas.html"))


# --- side by side ------------------------------------------------------------------------------------

SHOWN = (
    "<!doctype html><html><title>Psoas</title><body><nav><a href=a>Origin</a></nav><article><h1>Psoas</h1>"
    "<p>By Rosa Field on March 3, 2014</p><div class=rte><p>" + PARAGRAPHS[0] + "</p>"
    "<p style='display:none'>Secret.</p>"
    "<div class=newsletter><p>Hear from us.</p></div><p>Share this post</p><p>" + PARAGRAPHS[1] + "</p>"
    "<p>This is for information only and no substitute for medical advice.</p><p>" + PARAGRAPHS[0] + "</p>"
    "</div></article><div class=comments><div class=comment><p>It helped me.</p></div></div>"
    "<footer>Leeds</footer></html>"
)  # fmt: skip


def test_every_line_is_told() -> None:
    lines = explain(SHOWN, name="psoas.html", fallback_id="psoas").lines
    assert [(line.text, line.kept_as, line.why) for line in lines] == [
        ("Origin", "", "in <nav>"),
        ("Psoas", "title", ""),
        ("By Rosa Field on March 3, 2014", "byline", ""),
        (PARAGRAPHS[0], "text", ""),
        ("Secret.", "", "hidden on the page"),
        ("Hear from us.", "", "in <div newsletter>"),
        ("Share this post", "", "below the article"),
        (PARAGRAPHS[1], "text", ""),
        ("This is for information only and no substitute for medical advice.", "disclaimer", ""),
        (PARAGRAPHS[0], "", "said already"),
        ("It helped me.", "comment", ""),
        ("Leeds", "", "in <footer>"),
    ]


def test_side_by_side() -> None:
    shown = as_text(explain(SHOWN, name="psoas.html", fallback_id="psoas"), 100)
    assert "author     Rosa Field" in shown
    assert all(len(line) <= 100 for line in shown.splitlines())
    assert "| Hear from us.  <- in <div newsletter>" in shown
    assert shown.endswith("words kept.")


def test_a_refused_page_is_explained_too() -> None:
    found = explain(
        "<html><h1>Your cart</h1><p>Your cart is empty.</p></html>", name="cart", fallback_id="cart"
    )
    assert found.article is None
    assert "has no article" in found.refusal
    assert [line.why for line in found.lines] == ["button or label", "button or label"]


def test_chrome_is_told_with_its_count() -> None:
    chrome = learn(lines_of(dump(muscle)) for muscle in MUSCLES)
    lines = explain(dump("Psoas"), name="psoas", fallback_id="psoas", chrome=chrome).lines
    assert {line.text: line.why for line in lines}["Mill Lane 4, Leeds"] == "on 10 of 10 pages"
