"""Golden questions, their runs, and the staff's notes on flagged answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assistant.state.database import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables of `assistant.staff.tables`."""
    op.create_table(
        "golden",
        sa.Column("id", sa.Integer),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("history", sa.JSON, nullable=False),
        sa.Column("kinds", sa.JSON, nullable=False),
        sa.Column("article", sa.Text, nullable=False),
        sa.Column("sentences", sa.JSON, nullable=False),
        sa.Column("must_say", sa.JSON, nullable=False),
        sa.Column("must_not_say", sa.JSON, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("author", sa.String(64), nullable=False),
        sa.Column("created", UtcDateTime, nullable=False),
        sa.Column("changed", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_golden"),
        sa.UniqueConstraint("name", name="uq_golden_name"),
    )
    op.create_table(
        "golden_run",
        sa.Column("id", sa.Integer),
        sa.Column("generation", sa.String(64), nullable=False),
        sa.Column("engine", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("measures", sa.JSON, nullable=False),
        sa.Column("author", sa.String(64), nullable=False),
        sa.Column("started", UtcDateTime, nullable=False),
        sa.Column("ended", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_golden_run"),
    )
    op.create_index("ix_golden_run_generation", "golden_run", ["generation"])
    op.create_table(
        "golden_outcome",
        sa.Column("id", sa.Integer),
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("golden_id", sa.Integer),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("expected", sa.JSON, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("faults", sa.JSON, nullable=False),
        sa.Column("right_article", sa.Boolean),
        sa.Column("right_sentence", sa.Boolean),
        sa.Column("articles", sa.JSON, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_golden_outcome"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["golden_run.id"], name="fk_golden_outcome_run_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["golden_id"], ["golden.id"], name="fk_golden_outcome_golden_id", ondelete="SET NULL"
        ),
    )
    op.create_index("ix_golden_outcome_run_id", "golden_outcome", ["run_id"])
    op.create_index("ix_golden_outcome_golden_id", "golden_outcome", ["golden_id"])
    op.create_table(
        "flag",
        sa.Column("feedback_id", sa.Integer, autoincrement=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("assignee_id", sa.Integer),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("changed", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("feedback_id", name="pk_flag"),
        sa.ForeignKeyConstraint(
            ["feedback_id"], ["feedback.id"], name="fk_flag_feedback_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["assignee_id"], ["account.id"], name="fk_flag_assignee_id", ondelete="SET NULL"
        ),
    )
    op.create_index("ix_flag_state", "flag", ["state"])
