"""What the program says in its own voice, read once from wording.toml."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Lead(_Strict):
    """What stands before the quotes."""

    answer: str
    yes_no: str
    list: str
    steps: str
    comparison: str
    related: str
    nearest: str
    byline: str
    bylines: str
    byline_missing: str
    disagreement: str
    refusal: str
    abstention: str
    unclear: str
    comment: str
    corrected: str


class Closing(_Strict):
    """What stands after the quotes."""

    nearest: str
    who: str
    elsewhere: str
    yes_no: str


class Caution(_Strict):
    """A line for every answer to a question that touches something dangerous to get wrong."""

    pattern: str
    text: str


class Wording(_Strict):
    """All of it."""

    disclaimer: str
    privacy: str
    about: str
    lead: Lead
    closing: Closing
    caution: tuple[Caution, ...]
    smalltalk: dict[str, str]
    smalltalk_patterns: dict[str, str]

    def cautions(self, question: str) -> tuple[str, ...]:
        """The cautions that a question calls for, in the file's order."""
        return tuple(one.text for one in self.caution if re.search(one.pattern, question, re.IGNORECASE))


@lru_cache(maxsize=1)
def wording() -> Wording:
    """The texts of wording.toml.

    Raises:
        pydantic.ValidationError: A text is missing or unknown; the error names it.
    """
    path = Path(__file__).with_name("wording.toml")
    return Wording.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class SmallTalk:
    """A message that asks nothing of the articles, and the reply to it."""

    key: str
    reply: str


def small_talk(message: str) -> SmallTalk | None:
    """The reply to a greeting, thanks or a question about the program; None for anything else."""
    texts = wording()
    plain = " ".join(re.sub(r"[^\w\s']", " ", message.lower()).split())
    if not plain:
        return SmallTalk("empty", texts.smalltalk["empty"])
    for key, pattern in texts.smalltalk_patterns.items():
        if re.fullmatch(pattern, plain):
            return SmallTalk(key, texts.smalltalk[key])
    return None
