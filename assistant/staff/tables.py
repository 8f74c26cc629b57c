"""The tables of golden questions, their runs and the notes on flagged answers; made by migration 0003."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from assistant.feedback.tables import FeedbackRow
from assistant.state.database import Base, UtcDateTime


class GoldenRow(Base):
    """A question and what its answer must be; see `golden.Golden` for what the columns hold.

    Attributes:
        name: The id by which files of questions know it.
        author: Who added it.
    """

    __tablename__ = "golden"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    question: Mapped[str] = mapped_column(Text)
    history: Mapped[list[str]] = mapped_column(JSON)
    kinds: Mapped[list[str]] = mapped_column(JSON)
    article: Mapped[str] = mapped_column(Text)
    sentences: Mapped[list[str]] = mapped_column(JSON)
    must_say: Mapped[list[str]] = mapped_column(JSON)
    must_not_say: Mapped[list[str]] = mapped_column(JSON)
    note: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(64))
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    changed: Mapped[datetime] = mapped_column(UtcDateTime)


class RunRow(Base):
    """All golden questions asked of one generation by one engine.

    Attributes:
        engine: `quote`, or the language model's name.
        state: A value of `runs.State`.
        total: How many questions there were at its start.
        problem: Why it failed; else empty.
        measures: See `measures.MEASURES`; empty until it is done.
    """

    __tablename__ = "golden_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    generation: Mapped[str] = mapped_column(String(64), index=True)
    engine: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(16))
    total: Mapped[int]
    problem: Mapped[str] = mapped_column(Text)
    measures: Mapped[dict[str, float | None]] = mapped_column(JSON)
    author: Mapped[str] = mapped_column(String(64))
    started: Mapped[datetime] = mapped_column(UtcDateTime)
    ended: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcomes: Mapped[list[OutcomeRow]] = relationship(
        cascade="all, delete-orphan", passive_deletes=True, order_by="OutcomeRow.id"
    )


class OutcomeRow(Base):
    """What came of one question in one run; it outlives the question, so its words stand here too.

    Attributes:
        faults: What the answer lacked; empty when it passed.
        right_article: Whether the expected article was cited; None when none was expected.
        right_sentence: Whether an expected sentence was quoted; None when none was expected.
    """

    __tablename__ = "golden_outcome"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("golden_run.id", ondelete="CASCADE"), index=True)
    golden_id: Mapped[int | None] = mapped_column(ForeignKey("golden.id", ondelete="SET NULL"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    question: Mapped[str] = mapped_column(Text)
    expected: Mapped[list[str]] = mapped_column(JSON)
    kind: Mapped[str] = mapped_column(String(16))
    faults: Mapped[list[str]] = mapped_column(JSON)
    right_article: Mapped[bool | None]
    right_sentence: Mapped[bool | None]
    articles: Mapped[list[str]] = mapped_column(JSON)
    text: Mapped[str] = mapped_column(Text)
    seconds: Mapped[float]


class FlagRow(Base):
    """What staff made of a visitor's "not helpful"; it goes when that expires or is deleted.

    Attributes:
        state: A value of `flags.State`.
        note: To the editor of the article.
    """

    __tablename__ = "flag"

    feedback_id: Mapped[int] = mapped_column(ForeignKey("feedback.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    note: Mapped[str] = mapped_column(Text)
    changed: Mapped[datetime] = mapped_column(UtcDateTime)
    feedback: Mapped[FeedbackRow] = relationship()
