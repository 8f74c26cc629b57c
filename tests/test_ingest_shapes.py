"""Shapes of pages that themes, builders and crawlers leave behind, each with what an editor would keep."""

from __future__ import annotations

import pytest

from ingest.byline import Byline, parse_byline
from ingest.html_page import read_html
from ingest.problem import NoArticleError
from ingest.text_dump import read_dump

FIRST = "The levator scapulae lifts the shoulder blade and turns the neck, and when short it is stiff."
SECOND = "Press the sore spot with a ball for half a minute, then breathe out and let the shoulder drop."
THIRD = "Most people notice it in the morning, and again after an hour at the desk."


def blocks(dump: str) -> list[str]:
    return read_dump(dump, fallback_id="x").text.split("\n\n")


@pytest.mark.parametrize(
    ("line", "byline"),
    [
        ("By Rosa Field | Feb 11, 2024 | Neck, Self care | 0 comments", Byline("Rosa Field", "2024-02-11")),
        ("by Rosa Field February 11, 2024", Byline("Rosa Field", "2024-02-11")),
        ("Publié par Rosa Field le 11 février 2024", Byline("Rosa Field", "2024-02-11")),
        ("Von Rosa Field am 11. Februar 2024", Byline("Rosa Field", "2024-02-11")),
        ("Publicado por Rosa Field el 11 de febrero de 2024", Byline("Rosa Field", "2024-02-11")),
        ("By Rosa Field | The neck is stiff, and here is why. | Feb 11, 2024", None),
    ],
)
def test_bylines_of_other_themes_and_tongues(line: str, byline: Byline | None) -> None:
    assert parse_byline(line) == byline


def test_a_cart_a_sale_and_a_menu_in_one_line_are_no_title() -> None:
    sale = "SPRING SALE - 20% OFF ALL COURSES WITH CODE SPRING20"
    top = f"Just added to your cart\n\nQty:\n\nView cart ()\n\n{sale}\n\n"
    dump = f"{top}Home Courses Books Blog About Contact Log in Cart\n\n{FIRST}\n\nWhat to do\n\n{SECOND}\n"
    assert blocks(dump) == [FIRST, "## What to do", SECOND]


def test_calls_below_the_last_sentence() -> None:
    dump = f"Stiff neck\n\n{FIRST}\n\n{SECOND}\n\nCertify as a Trigger Point Therapist\n\nBack to News\n"
    assert blocks(dump) == [FIRST, SECOND]


def test_an_advert_goes_with_the_lines_that_name_its_goods() -> None:
    advert = "Dry Needling for Trigger Points\n\nCertificate Course\n\nStudy Online - $199"
    dump = f"Stiff neck\n\n{FIRST}\n\n{THIRD}\n\n{advert}\n\n{SECOND}\n"
    assert blocks(dump) == [FIRST, THIRD, SECOND]


def test_the_authors_own_words_about_buying_and_finding_stay() -> None:
    own = (
        "Our clinic offers online courses, but they are no use to a neck that hurts today.",
        "Join the two shoulder blades behind you and hold.",
        "Discover where it is sore with one finger.",
        "Find out more about the pain before you press: is it dull, sharp, or burning?",
        "A firm ball costs $5 in any shop. Save your money: a tennis ball works as well.",
    )
    for sentence in own:
        assert sentence in blocks(f"Stiff neck\n\n{FIRST}\n\n{sentence}\n\n{SECOND}\n")


def test_a_dump_with_the_marks_of_markdown() -> None:
    dump = (
        "[Skip to content](#main)\n\n* [Home](/)\n* [Blog](/blog)\n* [Shop](/shop)\n\n# Stiff neck\n\n"
        f"_by Rosa Field_ _February 11, 2024_\n\n![neck](a.jpg)\n\n{FIRST}\n\n## What to do\n\n{SECOND}\n\n"
        "[← Previous](/a) [Next →](/b)\n"
    )
    article = read_dump(dump, fallback_id="x")
    assert (article.title, article.author, article.published) == ("Stiff neck", "Rosa Field", "2024-02-11")
    assert article.text.split("\n\n") == [FIRST, "## What to do", SECOND]


@pytest.mark.parametrize(
    "dump",
    [
        f"NEWS\n\nStiff neck\n\n{FIRST[:80]}...\n\nRead more\n\nHips\n\n{THIRD[:60]}…\n\nRead more\n",
        f"Home / Products\n\nNeck ball\n\n£12.00\n\nAdd to cart\n\n{FIRST}\n\n{SECOND}\n\nCustomer reviews\n",
    ],
)
def test_lists_and_goods_are_no_articles(dump: str) -> None:
    with pytest.raises(NoArticleError):
        read_dump(dump, fallback_id="x")


def test_goods_below_an_article_do_not_make_it_a_product() -> None:
    dump = f"Stiff neck\n\n{FIRST}\n\n{SECOND}\n\nOlder Post\n\nNeck ball\n\n£12.00\n\nAdd to cart\n"
    assert blocks(dump) == [FIRST, SECOND]


def page(body: str, title: str = "Stiff neck") -> str:
    return f"<!doctype html><html><head><title>{title}</title></head><body>{body}</body></html>"


def test_the_first_sentences_above_the_body_are_the_articles() -> None:
    body = f"<div class=post-body><p>{FIRST}</p><p>{SECOND}</p></div>"
    markup = f"<article><h1>Stiff neck</h1><p class=lead>{THIRD}</p>{body}</article>"
    assert read_html(page(markup), fallback_id="x").text.split("\n\n") == [THIRD, FIRST, SECOND]


def test_a_box_that_sells_goes_as_a_whole() -> None:
    box = "<div><h4>Book a session</h4><p>Call 01234 567890 or book your place today and save 10%.</p></div>"
    markup = f"<article><h1>Stiff neck</h1><div class=rte><p>{FIRST}</p>{box}<p>{SECOND}</p></div></article>"
    assert read_html(page(markup), fallback_id="x").text.split("\n\n") == [FIRST, SECOND]


def test_a_title_that_stands_on_the_page_without_a_heading() -> None:
    markup = f"<div><div>Stiff neck</div><div>{FIRST}</div><div>{SECOND}</div><div>{THIRD}</div></div>"
    assert read_html(page(markup, "Stiff neck - Rosa's Rooms"), fallback_id="x").title == "Stiff neck"


def test_the_theme_speaks_french() -> None:
    markup = (
        "<main><article><h1>Nuque raide</h1><p>Publié par Rosa Field le 11 février 2024</p><div class=rte>"
        f"<p>{FIRST}</p><p>{SECOND}</p><p>Partager</p></div><p>Retour au blog</p></article></main>"
    )
    article = read_html(page(markup, "Nuque raide"), fallback_id="x")
    assert (article.author, article.published) == ("Rosa Field", "2024-02-11")
    assert article.text.split("\n\n") == [FIRST, SECOND]
