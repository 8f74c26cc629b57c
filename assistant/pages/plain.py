"""An Answer as plain text, for the terminal."""

from __future__ import annotations

from assistant.answer import Answer, Citation
from assistant.pages.cards import human_date


def as_text(answer: Answer) -> str:
    """The answer, its numbered sources with their links, and the disclaimer."""
    sources = "\n".join(_source(citation) for citation in answer.citations)
    parts = [answer.text, f"Sources\n{sources}" if sources else "", answer.disclaimer]
    return "\n\n".join(part for part in parts if part)


def _source(citation: Citation) -> str:
    parts = (citation.title, citation.author, human_date(citation.published))
    line = f"[{citation.number}] " + " · ".join(part for part in parts if part)
    link = citation.link or citation.url
    return f"{line}\n    {link}" if link else line
