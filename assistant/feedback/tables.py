"""The table of what visitors have allowed to be kept; made by migration 0002."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from assistant.state.database import Base, UtcDateTime


class FeedbackRow(Base):
    """One thumb with its reason, and the question and sources of the answer that it is about.

    Attributes:
        expires: From then on nobody may read it; it is deleted within a day.
        verdict: `yes` or `no`, to "was this helpful?".
        reason: A key of `feedback.REASONS`, or empty.
        words: The visitor's own, redacted; empty when there are none.
        question: As it was understood, redacted.
        kind: The answer's.
        articles: Ids of the articles that it quotes.
        generation: Of which it was an answer.
        deletion: SHA-256 of the code that deletes it, in hexadecimal: who reads the table does not have it.
    """

    __tablename__ = "feedback"

    id: Mapped[int] = mapped_column(primary_key=True)
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    expires: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    verdict: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(String(32))
    words: Mapped[str] = mapped_column(Text)
    question: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(16))
    articles: Mapped[list[str]] = mapped_column(JSON)
    generation: Mapped[str] = mapped_column(String(64))
    deletion: Mapped[str] = mapped_column(String(64), unique=True)
