"""Whom we called, so that a customer who rings back is known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TEXT = sa.Text()


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "callers",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("script", TEXT, nullable=False),
        sa.Column("call_id", TEXT, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "hash", name="pk_callers"),
    )
    op.create_index("ix_callers_at", "callers", ["at"])


def downgrade() -> None:
    """Remove it."""
    op.drop_table("callers")
