"""Takes out of a text what could tell who wrote it, as far as that can be done without knowing who did.

For what a visitor chooses to leave behind; nothing else is ever kept. E-mail addresses, links, handles,
telephone and other long numbers, dates of birth and addresses are found by their form; names by the words
around them ("my name is", "Dr", "my son"), by how a letter ends, and as capitalised words inside a sentence
that are no common English word. A name that is typed small and announced by nothing stays.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from assistant.safety.reading import language

_LONG_NUMBER = re.compile(r"(?<![\w.])\+?\(?\d(?:[ ().\-/]{0,2}\d){6,}(?!\w)")
_YEARS = re.compile(r"(?:19|20)\d\d\s?[-/]\s?(?:19|20)\d\d")
_INSIDE_A_SENTENCE = re.compile(r"(?<=[\w,;:)] )[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ’'-]+(?!\w)")
_SEVERAL = re.compile(r"\[name\](?:(?: (?:van|von|de|der|al|el))* (?:\[name\]|[A-ZÀ-Þ][\w’'-]+))+")
_LONGEST_TELEPHONE_NUMBER = 13  # digits, without a leading + or 0


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")

    mark: str
    patterns: list[str]


class _Names(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sure: list[str]
    likely: list[str]
    capitalised: str
    common: str


@dataclass(frozen=True, slots=True)
class _Known:
    forms: tuple[tuple[str, re.Pattern[str]], ...]
    sure: tuple[re.Pattern[str], ...]
    likely: tuple[re.Pattern[str], ...]
    capitalised: frozenset[str]
    ordinary: frozenset[str]


@lru_cache(maxsize=1)
def _known() -> _Known:
    table = tomllib.loads(Path(__file__).with_name("redaction.toml").read_text(encoding="utf-8"))
    words: dict[str, str] = table["words"]

    def compiled(pattern: str) -> re.Pattern[str]:
        while named := re.search(r"<([a-z_]+)>", pattern):
            pattern = pattern.replace(named[0], words[named[1]])
        return re.compile(pattern)

    names = _Names.model_validate(table["names"])
    forms = [_Form.model_validate(row) for row in table["form"]]
    capitalised = frozenset(names.capitalised.split())
    return _Known(
        tuple((form.mark, compiled(pattern)) for form in forms for pattern in form.patterns),
        tuple(map(compiled, names.sure)),
        tuple(map(compiled, names.likely)),
        capitalised,
        (language().known - set(names.common.split())) | capitalised,
    )


def redacted(text: str) -> str:
    """The text with [name], [email], [phone] and the like in place of what identifies somebody."""
    text = unicodedata.normalize("NFC", text)
    for mark, form in _known().forms:
        text = form.sub(mark, text)
    text = _LONG_NUMBER.sub(_number, text)
    for announced in _known().sure:
        text = announced.sub(r"\1[name]", text)
    for announced in _known().likely:
        text = announced.sub(lambda match: match[1] + _unless(match[2], _known().capitalised), text)
    text = _INSIDE_A_SENTENCE.sub(lambda match: _unless(match[0], _known().ordinary), text)
    return _SEVERAL.sub("[name]", text)


def _number(match: re.Match[str]) -> str:
    if _YEARS.fullmatch(match[0]):
        return match[0]
    digits = sum(char.isdigit() for char in match[0])
    return "[phone]" if match[0][0] in "+0(" or digits <= _LONGEST_TELEPHONE_NUMBER else "[number]"


def _unless(words: str, ordinary: frozenset[str]) -> str:
    """`[name]`, or the word itself when it is an ordinary one: "I'm British", "this is Monday"."""
    lower = words.lower().replace("’", "'").removesuffix("'s")
    return words if lower in ordinary else "[name]"
