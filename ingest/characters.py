"""Characters as published, without the ones nobody sees: what every reader does to a piece of text."""

from __future__ import annotations

import re
import unicodedata

# Soft hyphens, zero-width spaces and marks of direction: invisible on the page, and a find on the live
# page passes over them, so a quote without them still matches.
_INVISIBLE = re.compile("[\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\u180e]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
# The zero-width joiner holds an emoji together; between letters it is dirt.
_LONE_JOINER = re.compile("(?<=[\\w\\s])\u200d|\u200d(?=[\\w\\s]|$)")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BY_NUMBER = re.compile(r"&#(x[0-9a-f]{1,12}|\d{1,12});?", re.I)
_SPACES = re.compile(r"\s+")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def visible(text: str) -> str:
    """NFC text without invisible characters; white space as it was."""
    if text.isascii() and text.isprintable():
        return text
    text = _INVISIBLE.sub("", _CONTROL.sub("", text))
    return _LONE_JOINER.sub("", unicodedata.normalize("NFC", text))


def without_unprintable(markup: str) -> str:
    """Markup without the characters that no tree can hold, written out or by number: no page shows them."""
    return _BY_NUMBER.sub(_printable, _UNPRINTABLE.sub("", markup))


def _printable(found: re.Match[str]) -> str:
    digits = found[1]
    code = int(digits[1:], 16) if digits[0] in "xX" else int(digits)
    is_shown = 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0xFFFF < code <= 0x10FFFF
    return found[0] if is_shown or code in (9, 10, 13) else ""


def one_line(text: str) -> str:
    """Visible text with every run of white space, line breaks too, as one space."""
    return _SPACES.sub(" ", visible(text)).strip()


def words(text: str) -> list[str]:
    """The words of a text in order, without punctuation, lower case: for comparing, never for showing."""
    return [word.casefold() for word in _WORD.findall(text)]


def fold(text: str) -> str:
    """A form in which two texts that differ only in case, spacing and punctuation are equal."""
    return " ".join(words(text))


def word_set(listed: str) -> frozenset[str]:
    """The words of a list that is written out as text, for rules that are lists of words."""
    return frozenset(listed.split())
