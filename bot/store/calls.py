"""Archiving a call when it ends, and asking for what became of calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from bot import events as ev
from bot.store.database import insert_once
from bot.store.schema import calls, events, outcomes, turns
from bot.store.summary import summarise


def archive(connection: sa.Connection, log: Sequence[ev.AnyEvent]) -> bool:
    """Keep a whole call: its events, call, turns and the one outcome.

    False, and nothing changed, where the call is kept already.  Raises summary.IncompleteCall.
    """
    summary = summarise(log)
    whose = {"tenant_id": summary.tenant_id, "call_id": summary.call_id}
    if not insert_once(connection, calls, {**whose, **summary.call}):
        return False
    connection.execute(sa.insert(outcomes), [{**whose, **summary.outcome}])
    if summary.turns:
        connection.execute(sa.insert(turns), [{**whose, **turn} for turn in summary.turns])
    connection.execute(sa.insert(events), [{**whose, **_event_row(event)} for event in log])
    return True


def is_archived(connection: sa.Connection, tenant_id: str, call_id: str) -> bool:
    """Whether the call is kept."""
    mine = (calls.c.tenant_id == tenant_id) & (calls.c.call_id == call_id)
    return connection.execute(sa.select(sa.exists().where(mine))).scalar_one()


def archived_events(
    connection: sa.Connection, tenant_id: str, call_id: str, after: int = 0
) -> list[ev.AnyEvent]:
    """The events of a kept call after sequence number `after`, in order."""
    mine = (events.c.tenant_id == tenant_id) & (events.c.call_id == call_id) & (events.c.seq > after)
    found = connection.execute(sa.select(events.c.event).where(mine).order_by(events.c.seq)).scalars()
    return [ev.decode(text) for text in found]


def call_turns(connection: sa.Connection, tenant_id: str, call_id: str) -> list[dict[str, Any]]:
    """The turns of a kept call, in order."""
    mine = (turns.c.tenant_id == tenant_id) & (turns.c.call_id == call_id)
    return _dicts(connection.execute(sa.select(turns).where(mine).order_by(turns.c.turn)))


def call_outcomes(
    connection: sa.Connection, tenant_id: str, call_ids: Sequence[str] | None = None, limit: int = 1000
) -> list[dict[str, Any]]:
    """Calls with their outcome, newest first: those of `call_ids`, or all."""
    both = calls.join(
        outcomes, (calls.c.tenant_id == outcomes.c.tenant_id) & (calls.c.call_id == outcomes.c.call_id)
    )
    wanted = [outcomes.c[name] for name in ("disposition", "grade", "reasons", "ended_by", "cause")]
    query = sa.select(calls, *wanted).select_from(both).where(calls.c.tenant_id == tenant_id)
    if call_ids is not None:
        query = query.where(calls.c.call_id.in_(call_ids))
    return _dicts(connection.execute(query.order_by(calls.c.started_at.desc()).limit(limit)))


def _event_row(event: ev.AnyEvent) -> dict[str, Any]:
    return {"seq": event.seq, "kind": event.__struct_config__.tag, "event": ev.encode(event).decode()}


def _dicts(rows: sa.CursorResult[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in rows.mappings()]
