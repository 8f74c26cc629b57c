"""The body map: every muscle has its place, and every article that names one is found there."""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from lxml import html as lxml_html

from assistant.bodymap.body_map import BodyMap, outlines
from assistant.pages.browse import Browsing, first_words, router
from index.encoder import Encoder
from index.generation import Generation, Sourced
from index.lexicon import LEXICON_FILE, Lexicon
from index.store import Store
from ingest import sample
from ingest.article import Article
from ingest.sources import read_sources

EVIL = '<script>alert("x")</script>'


def article(title: str, text: str = "Something is said here.", **more: object) -> Article:
    made = Article(id=f"/a/{re.sub(r'[^a-z]+', '-', title.lower())}", title=title, text=text)
    return replace(made, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon.load()


def mapped(lexicon: Lexicon, *articles: Article) -> dict[str, dict[str, list[str]]]:
    """By region: the titles of each of its muscles, and under the empty name of all of it."""
    body_map = BodyMap.made(enumerate(articles), lexicon)

    def titles(rows: tuple[int, ...]) -> list[str]:
        return [articles[row].title for row in rows]

    return {
        one.outline.key: {"": titles(one.articles), **{m.key: titles(m.articles) for m in one.muscles}}
        for one in body_map.regions
        if one.articles
    }


# ---------------------------------------------------------------- the file


def test_every_muscle_and_place_of_the_lexicon_is_on_the_map(lexicon: Lexicon) -> None:
    tables = tomllib.loads(LEXICON_FILE.read_text(encoding="utf-8"))
    assert {name for one in outlines() for name in one.muscles} == set(tables["muscle"])
    assert {name for one in outlines() for name in one.places} == {*tables["region"], *tables["joint"]}


def test_every_region_is_drawn_within_the_body() -> None:
    keys = [one.key for one in outlines()]
    assert len(set(keys)) == len(keys)
    for one in outlines():
        assert one.front or one.back
        for path in (*one.front, *one.back):
            assert re.fullmatch(r"M[\d. ]+(?:[CL][\d. ]+)+Z?", path), (one.key, path)
            numbers = [float(part) for part in re.findall(r"[\d.]+", path)]
            assert all(100 <= x <= 200 for x in numbers[::2]), (one.key, path)
            assert all(0 <= y <= 470 for y in numbers[1::2]), (one.key, path)


# ---------------------------------------------------------------- which article is where


def test_an_article_is_where_its_title_and_its_tags_say(lexicon: Lexicon) -> None:
    found = mapped(
        lexicon,
        article("The scalenes, or how the neck can hurt in the thumb"),
        article("A painful arc", tags=("supraspinatus", "shoulder")),
        article("Heat and ice"),
    )
    assert found["neck"]["scalenes"] == ["The scalenes, or how the neck can hurt in the thumb"]
    assert found["shoulder"]["supraspinatus"] == ["A painful arc"]
    assert "hand" not in found  # beside a muscle, a place in a title is where it hurts


def test_what_has_no_articles_is_not_offered(lexicon: Lexicon) -> None:
    found = mapped(lexicon, article("Gluteus medius: the muscle that keeps you level"))
    assert set(found) == {"hip-groin", "buttock"}
    assert set(found["buttock"]) == {"", "gluteus medius"}


def test_headings_and_conditions_help_out(lexicon: Lexicon) -> None:
    by_heading = article("What I learnt from running", "First.\n\n## The soleus\n\nIt is deep.")
    assert mapped(lexicon, by_heading)["calf"]["soleus"] == [by_heading.title]
    by_condition = article("Tennis elbow")
    assert by_condition.title in mapped(lexicon, by_condition)["forearm"][""]


def test_whose_title_names_it_comes_first(lexicon: Lexicon) -> None:
    tagged, titled = article("Sitting all day", tags=("iliopsoas",)), article("Iliopsoas")
    assert mapped(lexicon, tagged, titled)["hip-groin"]["iliopsoas"] == ["Iliopsoas", "Sitting all day"]


def test_the_sample_blog_is_all_there(lexicon: Lexicon) -> None:
    articles = read_sources([sample.FOLDER]).articles
    found = mapped(lexicon, *articles)
    placed = {title for one in found.values() for title in one[""]}
    off = {one.title.split()[0] for one in articles} - {title.split()[0] for title in placed}
    assert {"Foam", "Heat,"} <= off  # these are about no part of the body
    assert len(placed) >= len(articles) - 6


def test_first_words_end_with_a_sentence_or_dots() -> None:
    assert first_words(article("T", "## Head\n\nShort. And this.")) == "Short. And this."
    long = first_words(article("T", "word " * 100))
    assert long.endswith("word…")
    assert len(long) < 190


# ---------------------------------------------------------------- the page's part


@pytest.fixture(scope="module")
def generation(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Encoder) -> Generation:
    folder: Path = tmp_path_factory.mktemp("map") / "store"
    articles = [
        article(
            f"Piriformis syndrome {EVIL}", f"Deep in the buttock. {EVIL}", url="https://blog.example/a/p"
        ),
        article("Scalenes", url="https://sample-blog.example/blogs/s", published="2020-02-03"),
        *(article(f"Neck {chr(97 + n)}", id=f"/n/{n}") for n in range(24)),
        *(article(f"Neck {chr(97 + n)} again", id=f"/m/{n}") for n in range(8)),
    ]
    Store(folder).write([Sourced(one, "test") for one in articles], tiny_encoder)
    return Store(folder).open(tiny_encoder.identity)


@pytest.fixture
def client(generation: Generation) -> Iterator[TestClient]:
    app = FastAPI()
    browsing = Browsing(generation, ("https://sample-blog.example/", "sample/"))
    app.include_router(router(lambda: browsing, lambda: generation.name))
    with TestClient(app) as client:
        yield client


def test_only_regions_with_articles_can_be_chosen(client: TestClient) -> None:
    tree = lxml_html.fromstring(client.get("/bodymap").text)
    radios = tree.xpath("//*[@role='radio']")
    listed = tree.xpath("//details/@data-region")
    assert [one.get("data-region") for one in radios] == listed
    assert {"neck", "buttock"} <= set(listed)
    assert "foot" not in listed
    assert all(re.search(r", \d+ articles?$", one.get("aria-label")) for one in radios)
    assert len(tree.xpath("//*[contains(@class, 'without')]")) == len(outlines()) - len(radios)
    assert tree.xpath("//details[@data-region='buttock']//button/@data-muscle") == ["piriformis", ""]


def test_it_is_fetched_once_a_generation(client: TestClient) -> None:
    first = client.get("/bodymap")
    again = client.get("/bodymap", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_muscles_articles_have_title_link_and_first_words(client: TestClient) -> None:
    got = client.get("/bodymap/articles", params={"region": "neck", "muscle": "scalenes"}).text
    (item,) = lxml_html.fromstring(f"<div>{got}</div>").xpath("//li")
    (link,) = item.xpath("./a")
    assert link.get("href") == "sample/blogs/s"
    assert link.get("rel") == "noopener"
    assert "3 February 2020" in item.text_content()
    assert "Something is said here." in item.text_content()


def test_a_long_list_is_cut_and_says_so(client: TestClient) -> None:
    got = client.get("/bodymap/articles", params={"region": "neck"}).text
    assert got.count("<li") == 30
    assert "And 3 more." in got


def test_nothing_of_an_article_becomes_markup(client: TestClient) -> None:
    got = client.get("/bodymap/articles", params={"region": "buttock", "muscle": "piriformis"}).text
    assert "<script" not in got
    assert "&lt;script" in got


@pytest.mark.parametrize(
    "wanted", [{"region": "foot"}, {"region": "x"}, {"region": "neck", "muscle": "soleus"}]
)
def test_what_is_not_on_the_map_has_no_articles(client: TestClient, wanted: dict[str, str]) -> None:
    assert "<li" not in client.get("/bodymap/articles", params=wanted).text


def test_a_blog_about_something_else_has_no_map(tmp_path: Path, tiny_encoder: Encoder) -> None:
    Store(tmp_path / "s").write([Sourced(article("How to mend a bicycle"), "test")], tiny_encoder)
    browsing = Browsing(Store(tmp_path / "s").open(tiny_encoder.identity))
    assert asyncio.run(browsing.html()) == ""
