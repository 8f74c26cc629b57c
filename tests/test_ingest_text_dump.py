"""Text dumps of pages: titles, headings, lists and comments told apart without any markup."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.article import Article
from ingest.characters import words
from ingest.problem import UnreadableError
from ingest.text_dump import read_dump

SHOP = """Menu
Cart 0

Home
Online Courses
Our Blog
About Us

Order by Phone: 1-800-555-0100

SAVE 30% ON ALL COURSES THIS WEEK - USE CODE SPRING

How To Treat Tennis Elbow at Home

Posted by Rosa Field on March 03, 2014

Rosa Field - Treating the Elbow


Most people who have tennis elbow have never held a racket.

ORIGIN

Lateral epicondyle of the humerus

CAUSES

Typing for hours
Carrying heavy bags
A new racket

An elbow needs patience

Enroll in our online course and earn 5 CE credits today!

Learn More

Self Help

1. Rest the arm.
2. Press the sore spot with the other thumb
for thirty seconds.

An elbow needs patience

It usually takes between six weeks and six months, but
some people need a year before the grip is strong and
free of pain again.

See your doctor if the pain is severe.

This blog is for information purposes only and is not intended to replace medical advice or treatment.
Always consult your physician if you feel unwell.

Share this post

← Older Post Newer Post →

2 comments

  • I could not lift a cup for a year.
    Your thumb trick worked.

    Bob Reader on May 06, 2014

  • Does a strap help?

    Jill Jogger on

Leave a comment

Name
Email

Please note, comments must be approved before they are published.

Related articles

Golfer's Elbow And What To Do
The inner side hurts when you flex the wrist.

Words from our students

This course changed my practice.

Foam Roller
$29.00
Sold Out

Subscribe
American Express Apple Pay Visa
© 2014, Knotwork
"""
SHOP_TEXT = """Rosa Field - Treating the Elbow

Most people who have tennis elbow have never held a racket.

## ORIGIN

Lateral epicondyle of the humerus

## CAUSES

- Typing for hours
- Carrying heavy bags
- A new racket

An elbow needs patience

## Self Help

1. Rest the arm.
2. Press the sore spot with the other thumb for thirty seconds.

It usually takes between six weeks and six months, but some people need a year before the grip is strong and \
free of pain again.

See your doctor if the pain is severe."""

NO_BLANK_LINES = """Frozen Shoulder: What Really Helps – Knotwork
Skip to content
Log in
Cart
Frozen Shoulder: What Really Helps
April 9, 2019
By Rosa Field
Frozen shoulder is a stiff and painful shoulder whose capsule has tightened.
It passes through three phases.
The freezing phase
This phase hurts most. It lasts from two to nine months.
The thawing phase
Movement comes back slowly, over one to three years.
Trigger points may refer pain to:
the back of the shoulder
the wrist
Who gets it?
People with diabetes
People after a fracture
Women between forty and sixty
Back to blog
1 comment
Mine took two years. Patience!
Ann Other
May 2, 2019
Leave a comment
"""
NO_BLANK_LINES_TEXT = """Frozen shoulder is a stiff and painful shoulder whose capsule has tightened.

It passes through three phases.

## The freezing phase

This phase hurts most. It lasts from two to nine months.

## The thawing phase

Movement comes back slowly, over one to three years.

Trigger points may refer pain to:

- the back of the shoulder
- the wrist

## Who gets it?

- People with diabetes
- People after a fracture
- Women between forty and sixty"""

BARE = """The quadratus lumborum is a deep muscle of the back that links the lowest rib with the pelvis.

Bending sideways
Lifting with a twist
Weak gluteal muscles

These are the usual causes of its pain.

Where It Hurts

The buttock, and coughing makes it worse.
"""
BARE_TEXT = """The quadratus lumborum is a deep muscle of the back that links the lowest rib with the pelvis.

- Bending sideways
- Lifting with a twist
- Weak gluteal muscles

These are the usual causes of its pain.

## Where It Hurts

The buttock, and coughing makes it worse."""


def read(dump: str, name: str = "000_d84") -> Article:
    return read_dump(dump, fallback_id=name)


def test_a_shops_page() -> None:
    article = read(SHOP)
    assert article.title == "How To Treat Tennis Elbow at Home"
    assert (article.author, article.published) == ("Rosa Field", "2014-03-03")
    assert article.text == SHOP_TEXT
    assert article.disclaimer.startswith("This blog is for information purposes only")
    assert article.disclaimer.endswith("Always consult your physician if you feel unwell.")
    assert [(comment.text, comment.published) for comment in article.comments] == [
        ("I could not lift a cup for a year. Your thumb trick worked.", "2014-05-06"),
        ("Does a strap help?", None),
    ]


def test_a_dump_without_blank_lines() -> None:
    article = read(NO_BLANK_LINES)
    assert article.title == "Frozen Shoulder: What Really Helps"
    assert (article.author, article.published) == ("Rosa Field", "2019-04-09")
    assert article.text == NO_BLANK_LINES_TEXT
    assert [(comment.text, comment.published) for comment in article.comments] == [
        ("Mine took two years. Patience!", "2019-05-02")
    ]


def test_a_dump_that_lost_its_title() -> None:
    article = read(BARE)
    assert article.text == BARE_TEXT
    assert article.title == "The quadratus lumborum is a deep muscle of the back that links the lowest rib…"
    assert read(BARE, "posts/quadratus-lumborum-pain").title == "Quadratus lumborum pain"


@pytest.mark.parametrize(
    "opening",
    [
        "",
        "Menu / Cart 0\n\n",
        "Skip to content\n\nHome Shop Blog\n\n",
        "Order by Phone 1-800-555-0100\n\nCart 0\n\n",
        "FREE SHIPPING ON ORDERS OVER $50\n\nLog in\nCart\n\n",
        "Home › Blog › Hip Pain\n\n",
        "Close menu\nHome\nShop\nBlog\nCourses\nContact\n\n",
        "Special offer: 20% off our online courses with code MAY\n\n",
    ],
)
@pytest.mark.parametrize(
    "byline",
    [
        "Posted by Rosa Field on",
        "Posted by Rosa Field on May 1, 2015",
        "By Rosa Field | 1 May 2015 | 4 min read",
    ],
)
def test_openings(opening: str, byline: str) -> None:
    article = read(f"{opening}The Hip And Its Pain\n\n{byline}\n\nShare this post\n\n{BARE}")
    assert (article.title, article.author) == ("The Hip And Its Pain", "Rosa Field")
    assert article.text == BARE_TEXT
    assert article.published == ("2015-05-01" if "2015" in byline else None)


def test_an_address_on_the_first_line() -> None:
    article = read(f"URL: https://a.example/blogs/m/ql?utm_source=x\n\nA Title Of Mine\n\n{BARE}")
    assert (article.id, article.url) == ("/blogs/m/ql", "https://a.example/blogs/m/ql")
    assert article.title == "A Title Of Mine"


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (
            "Origin\n\nSacrum\n\nIlium\n\nInsertion\n\nFemur",
            "## Origin\n\n- Sacrum\n- Ilium\n\n## Insertion\n\nFemur",
        ),
        ("• draughts\n• stress\n• bags", "- draughts\n- stress\n- bags"),
        ("- a dull ache\n- long teeth", "- a dull ache\n- long teeth"),
        ("It has two heads:\n\nLong head\nShort head", "It has two heads:\n\n- Long head\n- Short head"),
        ("One sentence here.\nAnother sentence here.", "One sentence here.\n\nAnother sentence here."),
        ("What Helps\n\nRest helps.", "## What Helps\n\nRest helps."),
        ("What helps most?\n\nRest helps.", "## What helps most?\n\nRest helps."),
        ("Fig. 2 The hip from behind\n\nRest helps.", "Fig. 2 The hip from behind\n\nRest helps."),
        (
            "Press well in\n\nRest helps.\n\nPress well in\n\nMove on.",
            "## Press well in\n\nRest helps.\n\n## Press well in\n\nMove on.",
        ),
        ("Weekend Workshop - now only $199 in our store\n\nBuy Now\n\nRest helps.", "Rest helps."),
    ],
)  # fmt: skip
def test_shapes_of_lines(lines: str, text: str) -> None:
    first = "The gluteus maximus is the largest muscle of the body and the strongest extender of the hip."
    last = "So much for the gluteus maximus, which is the largest and is yet so often left asleep."
    assert read(f"A Title Of Mine\n\n{first}\n\n{lines}\n\n{last}").text == f"{first}\n\n{text}\n\n{last}"


@pytest.mark.parametrize(
    "dump",
    [
        "",
        "Cart 0\n\nYour cart is empty\n\nContinue shopping\n",
        "Tagged hip\n\n"
        + "A Post About Hips\n\nThe hip is a deep joint that bears us. …\n\nRead more\n\n" * 4,
        "404\n\nPage not found\n\nThe page you requested does not exist.\n",
    ],
)
def test_dumps_without_an_article(dump: str) -> None:
    with pytest.raises(UnreadableError):
        read(dump)


def test_a_comment_is_never_the_articles_voice() -> None:
    article = read(SHOP)
    assert "thumb trick" not in article.text
    for name in ("Bob", "Jill"):
        assert all(name not in comment.text for comment in article.comments)


WORD = st.text(st.sampled_from("abcdefghiklmnoprstuvwy"), min_size=3, max_size=9)
SENTENCE = st.lists(WORD, min_size=6, max_size=14).map(lambda found: " ".join(found).capitalize() + ".")


@settings(deadline=None)
@given(st.lists(SENTENCE, min_size=4, max_size=9, unique=True), st.sampled_from(["\n\n", "\n", "\n\n\n"]))
def test_every_sentence_survives_in_order(sentences: list[str], gap: str) -> None:
    article = read(
        f"A Title Of Mine{gap}Posted by Rosa Field on{gap}{gap.join(sentences)}{gap}Share this post{gap}Blog"
    )
    assert words(article.text) == [word for sentence in sentences for word in words(sentence)]


@settings(deadline=None)
@given(st.text(max_size=400))
def test_any_text_gives_an_article_or_a_reason(dump: str) -> None:
    try:
        article = read(dump)
    except UnreadableError as error:
        told = error.next_step
    else:
        told = article.title
    assert told
