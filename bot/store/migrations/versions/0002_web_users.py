"""People who log in, their sessions, and the forms that agents fill after calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"

TEXT = sa.Text()
MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "users",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("team", TEXT),
        sa.Column("password", TEXT, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name="pk_users"),
    )
    op.create_table(
        "web_sessions",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("id_hash", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id_hash", name="pk_web_sessions"),
    )
    op.create_index("ix_web_sessions_expires_at", "web_sessions", ["expires_at"])
    op.create_table(
        "after_call_forms",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("call_id", TEXT, nullable=False),
        sa.Column("agent_id", TEXT, nullable=False),
        sa.Column("form", JSON, nullable=False),
        sa.Column("saved_by", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "call_id", name="pk_after_call_forms"),
    )


def downgrade() -> None:
    """Remove them."""
    for name in ("after_call_forms", "web_sessions", "users"):
        op.drop_table(name)
