"""Which readers' comments nobody is pointed to.

Comments come from anyone. They are never quoted and never evidence; an answer may at most say that a reader
wrote about something like the question. Not even that is said of a comment that carries a link or an advert,
that speaks to a program instead of to people, or that describes what needs a doctor.
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Literal

from assistant.safety.check import SafetyCheck
from assistant.safety.reading import plain
from assistant.safety.scope import refusal

Distrust = Literal["link", "advert", "instruction", "red flag"]
_BY_WORDING: tuple[Distrust, ...] = ("link", "advert", "instruction")


@lru_cache(maxsize=1)
def _wordings() -> dict[str, re.Pattern[str]]:
    text = Path(__file__).with_name("untrusted.toml").read_text(encoding="utf-8")
    return {name: re.compile("|".join(patterns)) for name, patterns in tomllib.loads(text).items()}


def distrust(comment: str, safety: SafetyCheck) -> Distrust | None:
    """Why nobody is pointed to a comment, or None."""
    text = plain(comment)
    for kind in _BY_WORDING:
        if _wordings()[kind].search(text):
            return kind
    asked = refusal(comment)
    if asked and asked.reason == "override":
        return "instruction"
    return "red flag" if safety.check(comment).leads else None
