"""What a line of text looks like: a heading, an entry of a list, the end of a sentence."""

from __future__ import annotations

import re

from ingest.characters import word_set, words

SURE_BULLETS = "•▪●◦‣►▶■□✓✔➢➤⁃∙"
BULLET = re.compile(rf"(?P<sign>[{SURE_BULLETS}]|[-–—*·](?=\s)|\(?\d{{1,2}}[.)](?=\s))\s*(?P<rest>\S.*)")
_SENTENCE_END = re.compile(r"""[.!?…]["'”’)\]]*$""")
_SMALL_WORDS = word_set(
    """
    a an and as at but by de for from if in into is nor of on or out over the to up vs via with your
    """
)
_MAX_HEADING_WORDS = 10
# Nobody breaks lines of prose shorter than this.
_LEAST_WRAPPED = 30


def marker(found: re.Match[str]) -> tuple[str, str]:
    """A typed bullet or number -> the marker of an item and the item's words."""
    number = re.search(r"\d+", found["sign"])
    return (f"{number.group()}." if number else "-"), found["rest"]


def ends_sentence(line: str) -> bool:
    """Whether a line ends as a sentence does."""
    return bool(_SENTENCE_END.search(line))


def runs_on(line: str, following: str) -> bool:
    """Whether a sentence goes on from one line to the next: no end, and no new beginning.

    A short line that breaks off nowhere is an entry of a list, even when all its entries are lower case.
    """
    if not following or ends_sentence(line) or line.endswith(":") or BULLET.match(following):
        return False
    if len(line) < _LEAST_WRAPPED and line.rsplit(" ", 1)[-1].lower() not in _SMALL_WORDS:
        return False
    return following[0].islower() or line.endswith((",", "(")) or following[0] in ",;)"


def is_all_caps(line: str) -> bool:
    """Whether every letter is a capital, and there are enough of them for a word."""
    letters = [character for character in line if character.isalpha()]
    return len(letters) >= 3 and all(not letter.islower() for letter in letters)


def is_title_case(line: str) -> bool:
    """Whether every word that a title would write with a capital has one."""
    found = [word for word in line.split() if word[:1].isalpha() or word[1:2].isalpha()]
    large = [word for word in found if word.lower().strip("(“‘\"'") not in _SMALL_WORDS]
    return bool(large) and all(not next(c for c in word if c.isalpha()).islower() for word in large)


def is_heading_like(line: str, *, most_words: int = _MAX_HEADING_WORDS) -> bool:
    """Whether a line that stands alone could be a heading: short, begins as one, and is no sentence."""
    line = line.strip()
    count = len(words(line))
    if not 0 < count <= most_words or len(line) > 90 or "\n" in line:
        return False
    first = next((character for character in line if character.isalnum()), "")
    if first.islower() or line.endswith((".", ",", ";", "-", "–")) or BULLET.match(line):
        return False
    return any(character.isalpha() for character in line)
