"""Bylines: who and when, and never a sentence of the article."""

from __future__ import annotations

import pytest

from ingest.byline import Byline, parse_byline, parse_date, parse_timestamp


@pytest.mark.parametrize(
    ("line", "author", "published", "updated"),
    [
        ("Posted by Rosa Anne Field on", "Rosa Anne Field", None, None),
        ("Posted by Rosa Field on March 03, 2014", "Rosa Field", "2014-03-03", None),
        ("By Rosa Field", "Rosa Field", None, None),
        ("by Rosa de la Cruz", "Rosa de la Cruz", None, None),
        ("Written by Dr. Rosa Field, DC", "Dr. Rosa Field, DC", None, None),
        ("By Rosa Field, certified massage therapist", "Rosa Field", None, None),
        ("posted by admin", "admin", None, None),
        ("by rosa field on March 3 2014", "rosa field", "2014-03-03", None),
        ("Rosa Field • Mar 3, 2014 • 4 min read", "Rosa Field", "2014-03-03", None),
        ("3 Mar 2014 by Rosa Field", "Rosa Field", "2014-03-03", None),
        ("Tuesday, March 4, 2014 at 9:12 AM", "", "2014-03-04", None),
        ("Posted in Knees by Rosa Field on May 8, 2012", "Rosa Field", "2012-05-08", None),
        ("Last updated: 3rd March 2014", "", None, "2014-03-03"),
        ("March 1, 2014 | Updated March 3, 2014", "", "2014-03-01", "2014-03-03"),
        ("Posted on 03/04/2014 by Rosa Field", "Rosa Field", None, None),
        ("Posted on 13/04/2014", "", "2014-04-13", None),
        ("By Rosa Field and Ann Lee", "Rosa Field and Ann Lee", None, None),
    ],
)
def test_bylines(line: str, author: str, published: str | None, updated: str | None) -> None:
    assert parse_byline(line) == Byline(author, published, updated)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "By Monday the pain had gone.",
        "By then",
        "By Hand Or By Machine",
        "Rosa Field",
        "Trigger Points | Psoas",
        "In March 2014 the trial began.",
        "The trial began on March 3, 2014.",
        "Medically reviewed by Rosa Field, MD",
        "Posted by the roadside",
        "Written by hand, this letter from 3 March 2014 survives",
    ],
)
def test_what_is_no_byline(line: str) -> None:
    assert parse_byline(line) is None


def test_an_ambiguous_date_needs_its_place() -> None:
    assert parse_date("03/04/2014") is None
    assert parse_date("03/04/2014", day_first=True) == "2014-04-03"
    assert parse_date("03/04/2014", day_first=False) == "2014-03-04"
    assert parse_date("05/05/2014") == "2014-05-05"


@pytest.mark.parametrize(
    "text", ["31 February 2014", "13/13/2014", "March 2014", "0/0/2014", "May", "3 Mar 14"]
)
def test_what_is_no_date(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2014-03-03", "2014-03-03"),
        ("2014-03-03T10:00:00Z", "2014-03-03T10:00:00+00:00"),
        ("2014-03-03T10:00:00.000-0500", "2014-03-03T10:00:00-05:00"),
        ("2014-03-03 10:00:00 -0500", "2014-03-03T10:00:00-05:00"),
        ("Mar 3, 2014", "2014-03-03"),
        ("soon", None),
        ("2014-99-99T00:00:00Z", None),
        ("", None),
        (None, None),
    ],
)
def test_timestamps(text: str | None, iso: str | None) -> None:
    assert parse_timestamp(text) == iso
