"""Accounts, sessions, lockouts, the audit, and the server's own keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assistant.state.database import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of `assistant.accounts.tables`."""
    op.create_table(
        "account",
        sa.Column("id", sa.Integer),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password", sa.String(255)),
        sa.Column("email", sa.String(254)),
        sa.Column("subject", sa.String(600)),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("created", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("name", name="uq_account_name"),
        sa.UniqueConstraint("email", name="uq_account_email"),
        sa.UniqueConstraint("subject", name="uq_account_subject"),
    )
    op.create_table(
        "session",
        sa.Column("digest", sa.String(64)),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("started", UtcDateTime, nullable=False),
        sa.Column("seen", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_session"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_session_account_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_session_account_id", "session", ["account_id"])
    op.create_table(
        "lockout",
        sa.Column("whom", sa.String(80)),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last", UtcDateTime, nullable=False),
        sa.Column("until", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("whom", name="pk_lockout"),
    )
    op.create_index("ix_lockout_last", "lockout", ["last"])
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("account_id", sa.Integer),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_table(
        "secret",
        sa.Column("name", sa.String(32)),
        sa.Column("value", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_secret"),
    )
