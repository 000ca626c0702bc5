"""The tables.  Every one has tenant_id first in its key; times are UTC with offset.

Texts hold masked values only; raw personal values are in `vault`, and other tables hold tokens.
Money is a decimal string in yuan.  Changes go through a migration in `migrations/versions`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB


class Moment(sa.TypeDecorator[datetime]):
    """A point in time: aware datetimes in and out, UTC in the database (SQLite knows no zones)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """UTC; raises ValueError for a time without offset."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the time {value.isoformat()} has no offset")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Aware, in UTC."""
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


Json = sa.JSON().with_variant(JSONB(), "postgresql")

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _tenant() -> sa.Column[str]:
    return sa.Column("tenant_id", sa.Text, primary_key=True)


def _call() -> list[sa.Column[Any]]:
    """Where an effect comes from."""
    return [
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("script", sa.Text, nullable=False),
        sa.Column("contact_id", sa.Text),
        sa.Column("at", Moment, nullable=False),
    ]


calls = sa.Table(
    "calls",
    metadata,
    _tenant(),
    sa.Column("call_id", sa.Text, primary_key=True),
    sa.Column("direction", sa.Text, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("script", sa.Text, nullable=False),
    sa.Column("script_version", sa.Text, nullable=False),
    sa.Column("agent_id", sa.Text),
    sa.Column("customer", Json, nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("answered_at", Moment),
    sa.Column("ended_at", Moment),
    sa.Column("duration_ms", sa.Integer, nullable=False),
    sa.Index("ix_calls_tenant_id_started_at", "tenant_id", "started_at"),
)

turns = sa.Table(
    "turns",
    metadata,
    _tenant(),
    sa.Column("call_id", sa.Text, primary_key=True),
    sa.Column("turn", sa.Integer, primary_key=True),
    sa.Column("at_ms", sa.Integer, nullable=False),
    sa.Column("customer_text", sa.Text),
    sa.Column("acts", Json, nullable=False),
    sa.Column("node", sa.Text),
    sa.Column("bot_text", sa.Text),
    sa.Column("stage", sa.Text),
    sa.Column("heard", sa.Text),
    sa.Column("ms", Json, nullable=False),
)

outcomes = sa.Table(
    "outcomes",
    metadata,
    _tenant(),
    sa.Column("call_id", sa.Text, primary_key=True),
    sa.Column("disposition", sa.Text, nullable=False),
    sa.Column("grade", sa.Text),
    sa.Column("reasons", Json, nullable=False),
    sa.Column("ended_by", sa.Text, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
)

events = sa.Table(
    "events",
    metadata,
    _tenant(),
    sa.Column("call_id", sa.Text, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
)

orders = sa.Table(
    "orders",
    metadata,
    _tenant(),
    sa.Column("number", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    *_call(),
    sa.Column("product", sa.Text, nullable=False),
    sa.Column("price_yuan", sa.Text, nullable=False),
    sa.Column("months", sa.Integer, nullable=False),
    sa.Column("starts", sa.Date, nullable=False),
    sa.Column("phone_token", sa.Text),
    sa.Column("consent", Json, nullable=False),
    sa.UniqueConstraint("tenant_id", "key"),
    sa.UniqueConstraint("tenant_id", "call_id", "product"),
)

do_not_call = sa.Table(
    "do_not_call",
    metadata,
    _tenant(),
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("call_id", sa.Text),
    sa.Column("at", Moment, nullable=False),
    sa.Column("wish", Json, nullable=False),
)

callers = sa.Table(
    "callers",
    metadata,
    _tenant(),
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("script", sa.Text, nullable=False),
    sa.Column("call_id", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Index("ix_callers_at", "at"),
)

sms_outbox = sa.Table(
    "sms_outbox",
    metadata,
    _tenant(),
    sa.Column("key", sa.Text, primary_key=True),
    *_call(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("phone_token", sa.Text, nullable=False),
    sa.Column("body_token", sa.Text, nullable=False),
    sa.Column("wish", Json, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Index("ix_sms_outbox_tenant_id_status", "tenant_id", "status"),
)

callbacks = sa.Table(
    "callbacks",
    metadata,
    _tenant(),
    sa.Column("key", sa.Text, primary_key=True),
    *_call(),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("by_person", sa.Boolean, nullable=False),
    sa.Column("asked_for", sa.Boolean, nullable=False),
    sa.Column("phone_token", sa.Text),
    sa.Column("wish", Json, nullable=False),
    sa.Index("ix_callbacks_tenant_id_due_at", "tenant_id", "due_at"),
)

handovers = sa.Table(
    "handovers",
    metadata,
    _tenant(),
    sa.Column("key", sa.Text, primary_key=True),
    *_call(),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("context", Json, nullable=False),
    sa.Column("wish", Json, nullable=False),
    sa.Column("taken", sa.Boolean, nullable=False),
)

vault = sa.Table(
    "vault",
    metadata,
    _tenant(),
    sa.Column("token", sa.Text, primary_key=True),
    sa.Column("call_id", sa.Text),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Index("ix_vault_tenant_id_call_id", "tenant_id", "call_id"),
)

users = sa.Table(
    "users",
    metadata,
    _tenant(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("team", sa.Text),
    sa.Column("password", sa.Text, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
)

web_sessions = sa.Table(
    "web_sessions",
    metadata,
    _tenant(),
    sa.Column("id_hash", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Index("ix_web_sessions_expires_at", "expires_at"),
)

after_call_forms = sa.Table(
    "after_call_forms",
    metadata,
    _tenant(),
    sa.Column("call_id", sa.Text, primary_key=True),
    sa.Column("agent_id", sa.Text, nullable=False),
    sa.Column("form", Json, nullable=False),
    sa.Column("saved_by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
)
