"""What visitors have allowed to be kept of an answer they judged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assistant.state.database import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table of `assistant.feedback.tables`."""
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer),
        sa.Column("created", UtcDateTime, nullable=False),
        sa.Column("expires", UtcDateTime, nullable=False),
        sa.Column("verdict", sa.String(8), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("articles", sa.JSON, nullable=False),
        sa.Column("generation", sa.String(64), nullable=False),
        sa.Column("deletion", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.UniqueConstraint("deletion", name="uq_feedback_deletion"),
    )
    op.create_index("ix_feedback_expires", "feedback", ["expires"])
