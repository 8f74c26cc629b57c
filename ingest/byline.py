"""Bylines and dates: "Posted by Ann Lee on March 3, 2014" -> an author and an ISO date."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from ingest.characters import one_line

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan janvier januar enero gennaio januari",
            "february feb février februar febrero febbraio",
            "march mar mars märz marzo maart", "april apr avril abril aprile", "may mai mayo maggio mei",
            "june jun juin juni junio giugno", "july jul juillet juli julio luglio",
            "august aug août agosto augustus", "september sept sep septembre septiembre settembre",
            "october oct octobre oktober octubre ottobre", "november nov novembre noviembre",
            "december dec décembre dezember diciembre dicembre",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH_NAME = "(?:" + "|".join(name.capitalize() for name in _MONTHS) + ")"
_MONTH = "(?P<month>" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\.?"
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thur?s?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+)?"
_TIME = r"(?:,?\s*(?:at\s+|@\s*)?\d{1,2}:\d{2}(?::\d{2})?\s*(?:[ap]\.?m\.?)?(?:\s*[A-Z]{2,4})?)?"
_FORMS = tuple(
    re.compile(_WEEKDAY + form + _TIME, re.I)
    for form in (
        _MONTH + r"\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})",
        r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|\.)?\s+(?:(?:of|de)\s+)?"
        + _MONTH
        + r",?\s+(?:de\s+)?(?P<year>\d{4})",
        r"(?P<day>\d{1,2})-" + _MONTH + r"-(?P<year>\d{4})",
        r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})",
    )
)
_NUMERIC = re.compile(r"(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<year>\d{4})" + _TIME)
_SHOPIFY_TIME = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d(?::\d\d)?) ([+-]\d\d):?(\d\d)")
_BASIC_OFFSET = re.compile(r"([+-]\d\d)(\d\d)$")


@dataclass(frozen=True, slots=True)
class Byline:
    """What one line says of who wrote an article and when; what it does not say is empty or None."""

    author: str = ""
    published: str | None = None
    updated: str | None = None


def parse_date(text: str, *, day_first: bool | None = None) -> str | None:
    """A date as written by people -> `YYYY-MM-DD`, or None when it is none or could be two.

    Args:
        text: The date alone, with or without weekday and time of day.
        day_first: How the place writes 03/04/2014; None when that is not known, and then only dates
            with a day above 12 are certain.
    """
    text = one_line(text)
    for form in _FORMS:
        found = form.fullmatch(text)
        if found:
            month = found["month"].lower()
            return _iso(int(found["year"]), _MONTHS.get(month) or int(month), int(found["day"]))
    found = _NUMERIC.fullmatch(text)
    if not found:
        return None
    first, second, year = int(found["a"]), int(found["b"]), int(found["year"])
    if first > 12 or second > 12 or first == second:
        day_first = first > 12
    if day_first is None:
        return None
    return _iso(year, second, first) if day_first else _iso(year, first, second)


def parse_timestamp(text: str | None, *, day_first: bool | None = None) -> str | None:
    """A machine's date or date and time -> ISO 8601, or what `parse_date` makes of it."""
    if not text:
        return None
    text = _SHOPIFY_TIME.sub(r"\1T\2\3:\4", one_line(text))
    if len(text) < 10:
        return None
    try:
        if len(text) == 10:
            return date.fromisoformat(text).isoformat()
        return datetime.fromisoformat(_BASIC_OFFSET.sub(r"\1:\2", text) if "T" in text else text).isoformat()
    except ValueError:
        return parse_date(text, day_first=day_first)


def _iso(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat() if 1990 <= year <= 2100 else None
    except ValueError:
        return None


# A name: one to five words with a capital, the usual particles between, and perhaps degrees behind a comma.
# Words that begin a title's phrase but no name are kept out: "By Hand Or By Machine".
_NAME_WORD = (
    r"(?!(?:By|Or|The|Your|How|With|For|On|In|Of|To|At|From|And)\b)"
    rf"(?!{_MONTH_NAME}\b\.?\s+\d)[A-ZÀ-ÖØ-Þ][\w.'’-]*"
)
_PARTICLE = r"(?:de|da|der|den|del|di|la|le|van|von|bin|al|y)(?=(?:\s+[a-z]{1,3})?\s+[A-ZÀ-ÖØ-Þ])"
_ONE_NAME = rf"{_NAME_WORD}(?:\s+(?:{_NAME_WORD}|{_PARTICLE})){{0,4}}"
_DEGREES = r"(?:,\s*(?:[A-Z][A-Za-z]{0,2}\.?){1,4}(?=[\s,|•]|$))*"
_NAME = re.compile(rf"{_ONE_NAME}{_DEGREES}(?:\s+(?:and|&)\s+{_ONE_NAME}{_DEGREES})?")
# "Posted by admin": after such a verb any word is a name.
_ANY_NAME = re.compile(
    r"(?!(?:the|an?|my|our|hand)\b)[^\s|•,]{2,30}(?:\s+(?!on\b|in\b|at\b)[^\s|•,\d]{2,20}){0,3}"
)
_SEPARATOR = re.compile(r"[\s|•·/,:–—-]+|(?:on|at|le|am|el|op|il)\b", re.I)
_VERB = re.compile(
    r"(?P<late>(?:last\s+)?(?:updated|modified|reviewed|edited))\b|"
    r"(?:posted|published|written|words|article|story|created|date|author|publié|veröffentlicht|publicado|"
    r"pubblicato|geplaatst|écrit|geschrieben|escrito)\b",
    re.I,
)
_CHECKED = re.compile(r"(?:(?:medically|fact|clinically)[\s-]+)?(?:reviewed|checked|edited)\s+by\s+", re.I)
_BY = re.compile(r"(?:by|par|von|por|da|door)\b:?\s*", re.I)
_ASIDE = re.compile(
    r"(?:about\s+)?\d+\s*min(?:ute)?s?(?:\s+read)?\b|(?:reading|read)\s+time:?\s*\S+(?:\s+\w+)?|"
    r"(?:\d+|no)\s+comments?\b|leave a comment\b|in\s+[A-Z][\w&' ]{1,40}?(?=\s+(?:by|on)\b|\s*[|•,]|$)|"
    r"\d+\s+(?:second|minute|hour|day|week|month|year)s?\s+ago\b",
    re.I,
)


_PROFESSION = re.compile(r",\s*[a-z][^\d.,!?]{2,60}$")


@dataclass(slots=True)
class _Reading:
    """How far a line has been read as a byline, and what it said so far."""

    author: str = ""
    published: str | None = None
    updated: str | None = None
    verb: str = ""
    has_date: bool = False
    signed: bool = False


def parse_byline(line: str, *, day_first: bool | None = None) -> Byline | None:
    """What a whole line says of author and dates, or None when it is not a byline.

    A line that says anything else is none: "By Monday the pain had gone." stays the author's sentence.
    """
    line = one_line(line)
    if not line or len(line) > 160:
        return None
    return _read_whole(line, day_first) or _read_parts(line, day_first)


def _read_parts(line: str, day_first: bool | None) -> Byline | None:
    """A line of parts, "by Ann Lee | Mar 3, 2014 | Neck, Back | 2 comments": a name and a day, and tags."""
    parts = [part.strip() for part in re.split(r"[|•·]", line) if part.strip()]
    read = [_read_whole(part, day_first) for part in parts]
    others = [part for part, found in zip(parts, read, strict=True) if found is None]
    author = next((found.author for found in read if found and found.author), "")
    published = next((found.published for found in read if found and found.published), None)
    if not (author and published) or any(len(part.split()) > 6 or part.endswith(".") for part in others):
        return None
    return Byline(author, published, next((found.updated for found in read if found and found.updated), None))


def _read_whole(line: str, day_first: bool | None) -> Byline | None:
    reading = _Reading()
    position = 0
    while position < len(line):
        length = _step(line, position, reading, day_first)
        if not length:
            return None
        position += length
    one_word = " " not in reading.author
    if not (reading.has_date or reading.author) or (reading.signed and one_word and not reading.verb):
        return None
    if not reading.signed and not reading.has_date:
        return None
    return Byline(reading.author, reading.published, reading.updated)


def _step(line: str, position: int, reading: _Reading, day_first: bool | None) -> int:
    """Read the next part of a byline; returns its length, or 0 when the line goes on as no byline does."""
    found = _find_date(line, position)
    if found:
        _take_date(found.group(), reading, day_first)
        return found.end() - position
    for skipped in (_PROFESSION, _SEPARATOR, _ASIDE) if reading.author else (_SEPARATOR, _ASIDE):
        found = skipped.match(line, position)
        if found:
            return found.end() - position
    checked = _CHECKED.match(line, position)
    if checked:
        name = _NAME.match(line, checked.end())
        return name.end() - position if name else 0
    found = _VERB.match(line, position)
    if found and not reading.verb:
        reading.verb = "updated" if found["late"] else found.group().lower()
        reading.signed = reading.signed or reading.verb == "author"
        return found.end() - position
    return _take_name(line, position, reading)


def _find_date(line: str, position: int) -> re.Match[str] | None:
    for form in (*_FORMS, _NUMERIC):
        found = form.match(line, position)
        if found and not line[found.end() : found.end() + 1].isalnum():
            return found
    return None


def _take_date(date_text: str, reading: _Reading, day_first: bool | None) -> None:
    day = parse_date(date_text, day_first=day_first)
    reading.has_date = True
    if reading.verb == "updated":
        reading.updated = reading.updated or day
        reading.verb = ""
    else:
        reading.published = reading.published or day


def _after_separator(line: str, position: int) -> int:
    while found := _SEPARATOR.match(line, position):
        position = found.end()
    return position


def _take_name(line: str, position: int, reading: _Reading) -> int:
    if reading.author:
        return 0
    by = _BY.match(line, position)
    start = by.end() if by else position
    name = _NAME.match(line, start)
    if name is None and by:
        name = _ANY_NAME.match(line, start)
        if name and not (
            reading.verb or reading.has_date or _find_date(line, _after_separator(line, name.end()))
        ):
            return 0
    # A name without "by" is one beside a date only: "Ann Lee • Mar 3, 2014".
    if name is None or (not by and " " not in name.group()):
        return 0
    reading.author = name.group().strip(" ,")
    reading.signed = reading.signed or by is not None
    return name.end() - position
