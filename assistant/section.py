"""What a section of an article is for, told by its heading: care, causes, warning signs and so on.

Articles of this kind are built alike, so a heading says what a list under it is a list of. A list of warning
signs must never be shown as a list of things to do.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

from assistant.question import Asks


class Role(StrEnum):
    """What a section, or an answer, is about."""

    WARNING = "warning"
    OTHER_CAUSES = "other causes"
    CARE = "care"
    CAUSES = "causes"
    FEELING = "feeling"
    COURSE = "course"
    ANATOMY = "anatomy"


# The first that fits a heading, a sentence that leads into a list, or a question.
_ROLES: tuple[tuple[Role, re.Pattern[str]], ...] = tuple(
    (role, re.compile(pattern, re.IGNORECASE))
    for role, pattern in (
        (
            Role.WARNING,
            r"\b(?:when|which|what)\b.{0,40}\b(?:doctor|gp|checked|seen|get help|seek help"
            r"|medical help|hospital"
            r"|emergency|a&e|help is needed)\b"
            r"|\b(?:red flags?|warning signs?|emergenc(?:y|ies)|danger signs?|urgent|same day|call the)\b"
            r"|^(?:within a day|soon|get help|see a doctor|go to|when to stop)\b"
            r"|\bshould (?:avoid|ask first|take care)\b|\bwhere (?:not|never) to\b|\b(?:risks"
            r"|contraindications?)\b",
        ),
        (
            Role.OTHER_CAUSES,
            r"\b(?:what|who|which)\b.{0,20}\b(?:else|other)\b|\bdifferential\b|\bother (?:possible |likely )?"
            r"(?:causes?|suspects|reasons|conditions|explanations)\b|\bnot to blame\b|\bmistaken for\b"
            r"|\blook[- ]?alikes?\b|\bmimics?\b",
        ),
        (
            Role.CAUSES,
            r"\bcauses?\b|\bcaused\b|\bwhy (?:it|they|does|do|is|are|did|has|have|my|the)\b"
            r"|\b(?:sets?|brings?|winds?|bring|kicks?) .{0,40}\b(?:off|on|up)\b"
            r"|\b(?:strains?|burdens?|aggravat\w*|provok\w*|overloads?|irritates?) "
            r"|\brisk factors?\b|\btriggers?\b(?! points?)|\bat risk\b|\breasons?\b",
        ),
        (
            Role.CARE,
            r"\b(?:at home|self[- ]?(?:help|care|treatment|massage)|what helps|exercises?|stretch(?:es|ing)?"
            r"|treat(?:ment|ing|s)?|reliev\w+|relief|programmes?|programs?|routine|practice"
            r"|step by step|prevent\w*"
            r"|try this|do this|what (?:can|should|could|to|you can|i can) (?:i |you |we |one )?do|get rid of"
            r"|measures|kind to|release|remed(?:y|ies)|massag\w+|during an?|for (?:a|the) (?:fresh"
            r"|ordinary|plain)"
            r"|eas(?:e|ing)|loosen\w*|strengthen\w*|look after|manag(?:e|ing))\b",
        ),
        (
            Role.COURSE,
            r"\b(?:how long|recovery|course|prognosis|outlook|last|heal(?:s|ing)?|get better|go away)\b",
        ),
        (
            Role.FEELING,
            r"\b(?:symptoms?|signs?|referral|referred|where (?:the|its|it|trigger|does|do|is)\b.{0,30}\b"
            r"(?:pain|hurts?|felt|goes|send|refers?)|pain is (?:felt|like)|what (?:people|you) (?:may )?feel"
            r"|pattern|sends?|feels? like|how it feels)\b",
        ),
        (
            Role.ANATOMY,
            r"\b(?:anatomy|origins?|insertions?|actions?|functions?|attach\w*|nerve supply|muscles? involved"
            r"|what (?:it|they) do(?:es)?|form and|where it lives|the (?:two|three|four|five) muscles)\b",
        ),
    )
)

# What one does about a complaint; "how do I check whether…" asks for something else.
_TO_CARE = re.compile(
    r"\b(?:help\w*|fix\w*|sort|heal\w*|cure\w*|soothe|stop|settle|calm|rid of|better|recover|rehab\w*|use"
    r"|do (?:about|for|against|with|at|to|now|it|when|if)|can i do|should i do|deal with|cope|unlock|undo)\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def role_of(heading: str) -> Role | None:
    """The role that a heading or a lead-in announces; None when it does not say."""
    return next((role for role, pattern in _ROLES if pattern.search(heading)), None)


def asked_role(question: str, asks: Asks) -> Role | None:
    """The role of the section that would answer a question; None when any could."""
    named = role_of(question)
    if asks is Asks.STEPS and named is not Role.WARNING:
        cares = announces(Role.CARE, question) or _TO_CARE.search(question)
        return Role.CARE if cares else named
    return named or (Role.CAUSES if asks is Asks.CAUSE else None)


def announces(role: Role, text: str) -> bool:
    """Whether a text speaks of a role, whatever else it speaks of."""
    return any(pattern.search(text) for one, pattern in _ROLES if one is role)
