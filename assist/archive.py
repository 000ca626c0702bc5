"""The end of an assisted call: its log to SQL, then out of Redis."""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy.exc import SQLAlchemyError

from bot import events as ev
from bot.bus.errors import BusDown
from bot.bus.log import EventLog
from bot.store.calls import archive
from bot.store.database import Database

READABLE_S = 900
"""How long the log of an archived call stays in Redis, for pages that look at it still."""
_log = logging.getLogger(__name__)


async def archive_call(log: EventLog, database: Database, call_id: str) -> bool:
    """Keep an ended call; False where that failed (its log then stays in Redis for two days)."""
    events = await log.read(call_id)
    try:
        await asyncio.to_thread(_write, database, events)
    except SQLAlchemyError as error:
        _log.error("call %s is not archived: %s", call_id, error)
        return False
    try:
        await log.close(call_id, readable_s=READABLE_S)
    except BusDown as error:
        _log.warning("call %s is archived; Redis will drop it in time: %s", call_id, error)
    return True


def _write(database: Database, events: list[ev.AnyEvent]) -> None:
    kept = [event for event in events if not isinstance(event, ev.UtterancePartial)]
    with database.write() as connection:
        archive(connection, kept)
