"""What Referral does not answer: the reasons and the kind words for it, from scope.toml.

This is about what is asked for, not about how urgent a message is; safety.check comes first. A refusal never
says that anything is safe or can wait.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from assistant.safety.reading import plain

HERE = Path(__file__).parent
# Patterns look this far into a sentence; a request is shorter, and the time stays bounded.
LONGEST_SENTENCE = 600


@dataclass(frozen=True, slots=True)
class Refusal:
    """A kind no.

    Attributes:
        reason: A key of scope.toml.
        text: What the visitor reads; says who can help.
        may_quote: Whether the caller may go on to quote what an article says about what the thing is.
    """

    reason: str
    text: str
    may_quote: bool


class _ReasonRow(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: str
    text: str
    may_quote: bool
    asks: list[str]
    about: list[str] = []
    unless: list[str] = []


@dataclass(frozen=True, slots=True)
class _Reason:
    refusal: Refusal
    asks: re.Pattern[str]
    about: re.Pattern[str] | None
    unless: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class _Scope:
    reasons: tuple[_Reason, ...]
    personal: re.Pattern[str]
    personal_line: str


@lru_cache(maxsize=1)
def _scope() -> _Scope:
    table = tomllib.loads((HERE / "scope.toml").read_text(encoding="utf-8"))
    words: dict[str, str] = table["words"]

    def compiled(patterns: list[str]) -> re.Pattern[str] | None:
        joined = "|".join(f"(?:{pattern})" for pattern in patterns)
        filled = re.sub(r"<(\w+)>", lambda match: f"(?<![a-z]){words[match[1]]}", joined)
        return re.compile(rf"(?<![a-z])(?:{filled})(?![a-z])") if patterns else None

    rows = [_ReasonRow.model_validate(row) for row in table["reason"]]
    reasons = tuple(
        _Reason(
            Refusal(row.key, row.text, row.may_quote),
            compiled(row.asks) or re.compile("(?!)"),
            compiled(row.about),
            compiled(row.unless),
        )
        for row in rows
    )
    personal = table["personal_diagnosis"]
    return _Scope(reasons, compiled(personal["asks"]) or re.compile("(?!)"), personal["line"])


def reasons() -> tuple[Refusal, ...]:
    """Every refusal there is, in the order in which they are tried."""
    return tuple(reason.refusal for reason in _scope().reasons)


def _asked(text: str) -> list[str]:
    """The sentences of a message as plain words, and the whole message last.

    The whole is read too because people put the circumstance in one sentence and the question in the next.
    """
    text = plain(text)
    parts = [" ".join(re.findall(r"[a-z0-9%':]+", part)) for part in re.split(r"[.!?\n;]+", text)]
    parts = [part[:LONGEST_SENTENCE] for part in parts if part]
    return [*parts, " ".join(parts)[:LONGEST_SENTENCE]] if len(parts) > 1 else parts


def refusal(message: str, history: Sequence[str] = ()) -> Refusal | None:
    """Why this message is not answered, or None when it may be.

    Args:
        message: The newest message of the visitor.
        history: Earlier messages, oldest first: a short follow-up ("and how deep?") is read with the last
        one.
    """
    asked = _asked(message)
    if history and asked and len(asked[-1].split()) <= 8:
        asked.append(" ".join([*_asked(history[-1])[-1:], asked[-1]]))
    for reason in _scope().reasons:
        for sentence in asked:
            if _fits(reason, sentence):
                return reason.refusal
    return None


def _fits(reason: _Reason, sentence: str) -> bool:
    return bool(
        reason.asks.search(sentence)
        and (reason.about is None or reason.about.search(sentence))
        and not (reason.unless and reason.unless.search(sentence))
    )


def asks_personal_diagnosis(message: str) -> bool:
    """Whether the visitor asks what they have: answered, with `personal_diagnosis_line` beside it."""
    return any(_scope().personal.search(sentence) for sentence in _asked(message))


def personal_diagnosis_line() -> str:
    """The line that nobody can tell from here what the visitor has."""
    return _scope().personal_line
