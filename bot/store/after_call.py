"""The form that an agent fills after a call: what came of it, and what comes next.

Free text in it is masked before it comes here.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from bot.store.database import insert_once
from bot.store.schema import after_call_forms


def save_form(
    connection: sa.Connection,
    tenant_id: str,
    call_id: str,
    agent_id: str,
    form: dict[str, object],
    saved_by: str,
    at: datetime,
) -> None:
    """Keep the form of a call; a later one takes the place of the one before."""
    mine = (after_call_forms.c.tenant_id == tenant_id) & (after_call_forms.c.call_id == call_id)
    values = {"agent_id": agent_id, "form": form, "saved_by": saved_by, "at": at}
    if not insert_once(connection, after_call_forms, {"tenant_id": tenant_id, "call_id": call_id, **values}):
        connection.execute(sa.update(after_call_forms).where(mine).values(**values))


def find_form(connection: sa.Connection, tenant_id: str, call_id: str) -> dict[str, object] | None:
    """The form of a call, None where none was saved."""
    mine = (after_call_forms.c.tenant_id == tenant_id) & (after_call_forms.c.call_id == call_id)
    found = connection.execute(sa.select(after_call_forms.c.form).where(mine)).scalar_one_or_none()
    return None if found is None else dict(found)
