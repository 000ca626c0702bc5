"""The first tables: what calls were, what they changed, and the vault."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

TEXT = sa.Text()
INTEGER = sa.Integer()
MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def column(name: str, kind: Any, nullable: bool = False) -> sa.Column[Any]:
    """A column that must have a value unless said otherwise."""
    return sa.Column(name, kind, nullable=nullable)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "callbacks",
        column("tenant_id", TEXT),
        column("key", TEXT),
        column("call_id", TEXT),
        column("script", TEXT),
        column("contact_id", TEXT, nullable=True),
        column("at", MOMENT),
        column("due_at", MOMENT),
        column("by_person", sa.Boolean()),
        column("asked_for", sa.Boolean()),
        column("phone_token", TEXT, nullable=True),
        column("wish", JSON),
        sa.PrimaryKeyConstraint("tenant_id", "key", name="pk_callbacks"),
    )
    op.create_index("ix_callbacks_tenant_id_due_at", "callbacks", ["tenant_id", "due_at"])
    op.create_table(
        "calls",
        column("tenant_id", TEXT),
        column("call_id", TEXT),
        column("direction", TEXT),
        column("mode", TEXT),
        column("script", TEXT),
        column("script_version", TEXT),
        column("agent_id", TEXT, nullable=True),
        column("customer", JSON),
        column("started_at", MOMENT),
        column("answered_at", MOMENT, nullable=True),
        column("ended_at", MOMENT, nullable=True),
        column("duration_ms", INTEGER),
        sa.PrimaryKeyConstraint("tenant_id", "call_id", name="pk_calls"),
    )
    op.create_index("ix_calls_tenant_id_started_at", "calls", ["tenant_id", "started_at"])
    op.create_table(
        "do_not_call",
        column("tenant_id", TEXT),
        column("hash", TEXT),
        column("call_id", TEXT, nullable=True),
        column("at", MOMENT),
        column("wish", JSON),
        sa.PrimaryKeyConstraint("tenant_id", "hash", name="pk_do_not_call"),
    )
    op.create_table(
        "events",
        column("tenant_id", TEXT),
        column("call_id", TEXT),
        column("seq", INTEGER),
        column("kind", TEXT),
        column("event", TEXT),
        sa.PrimaryKeyConstraint("tenant_id", "call_id", "seq", name="pk_events"),
    )
    op.create_table(
        "handovers",
        column("tenant_id", TEXT),
        column("key", TEXT),
        column("call_id", TEXT),
        column("script", TEXT),
        column("contact_id", TEXT, nullable=True),
        column("at", MOMENT),
        column("reason", TEXT),
        column("context", JSON),
        column("wish", JSON),
        column("taken", sa.Boolean()),
        sa.PrimaryKeyConstraint("tenant_id", "key", name="pk_handovers"),
    )
    op.create_table(
        "orders",
        column("tenant_id", TEXT),
        column("number", TEXT),
        column("key", TEXT),
        column("call_id", TEXT),
        column("script", TEXT),
        column("contact_id", TEXT, nullable=True),
        column("at", MOMENT),
        column("product", TEXT),
        column("price_yuan", TEXT),
        column("months", INTEGER),
        column("starts", sa.Date()),
        column("phone_token", TEXT, nullable=True),
        column("consent", JSON),
        sa.PrimaryKeyConstraint("tenant_id", "number", name="pk_orders"),
        sa.UniqueConstraint("tenant_id", "call_id", "product", name="uq_orders_tenant_id_call_id_product"),
        sa.UniqueConstraint("tenant_id", "key", name="uq_orders_tenant_id_key"),
    )
    op.create_table(
        "outcomes",
        column("tenant_id", TEXT),
        column("call_id", TEXT),
        column("disposition", TEXT),
        column("grade", TEXT, nullable=True),
        column("reasons", JSON),
        column("ended_by", TEXT),
        column("cause", TEXT),
        column("at", MOMENT),
        sa.PrimaryKeyConstraint("tenant_id", "call_id", name="pk_outcomes"),
    )
    op.create_table(
        "sms_outbox",
        column("tenant_id", TEXT),
        column("key", TEXT),
        column("call_id", TEXT),
        column("script", TEXT),
        column("contact_id", TEXT, nullable=True),
        column("at", MOMENT),
        column("kind", TEXT),
        column("sender", TEXT),
        column("phone_token", TEXT),
        column("body_token", TEXT),
        column("wish", JSON),
        column("status", TEXT),
        sa.PrimaryKeyConstraint("tenant_id", "key", name="pk_sms_outbox"),
    )
    op.create_index("ix_sms_outbox_tenant_id_status", "sms_outbox", ["tenant_id", "status"])
    op.create_table(
        "turns",
        column("tenant_id", TEXT),
        column("call_id", TEXT),
        column("turn", INTEGER),
        column("at_ms", INTEGER),
        column("customer_text", TEXT, nullable=True),
        column("acts", JSON),
        column("node", TEXT, nullable=True),
        column("bot_text", TEXT, nullable=True),
        column("stage", TEXT, nullable=True),
        column("heard", TEXT, nullable=True),
        column("ms", JSON),
        sa.PrimaryKeyConstraint("tenant_id", "call_id", "turn", name="pk_turns"),
    )
    op.create_table(
        "vault",
        column("tenant_id", TEXT),
        column("token", TEXT),
        column("call_id", TEXT, nullable=True),
        column("sealed", sa.LargeBinary()),
        column("at", MOMENT),
        sa.PrimaryKeyConstraint("tenant_id", "token", name="pk_vault"),
    )
    op.create_index("ix_vault_tenant_id_call_id", "vault", ["tenant_id", "call_id"])


def downgrade() -> None:
    """Remove them all."""
    for name in (
        "callbacks",
        "calls",
        "do_not_call",
        "events",
        "handovers",
        "orders",
        "outcomes",
        "sms_outbox",
        "turns",
        "vault",
    ):
        op.drop_table(name)
