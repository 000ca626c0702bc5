"""The end of a call: its log to SQL, then out of Redis; and the calls of voice processes that died.

A call has one final record.  The file of a call goes only when SQL has the call: whatever fails
before is done again when a voice process starts on this machine.
"""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy.exc import SQLAlchemyError

from bot import events as ev
from bot.bus.errors import BusDown, CallClosed, Fenced
from bot.bus.journal import Journal, left_over
from bot.bus.journaled import JournaledCall, JournaledLog
from bot.bus.trackers import TrackerLog
from bot.store.calls import archive
from bot.store.database import Database

PATIENCE_S = 5.0
"""How long the end of a call waits for Redis; then the call's own file is archived in its place."""

DIED = "voice_process_died"
_log = logging.getLogger(__name__)


class Archiver:
    """Archives the calls of one voice process."""

    def __init__(self, log: JournaledLog, trackers: TrackerLog, database: Database) -> None:
        self._log = log
        self._trackers = trackers
        self._database = database

    async def archive(self, call: JournaledCall) -> bool:
        """Keep an ended call; False where that must wait (the file stays).

        Raises summary.IncompleteCall where the call has not ended.
        """
        call_id = call.writer.call_id
        try:
            events = await self._events(call)
        except Fenced as error:
            _log.error("call %s is left to whoever took it: %s", call_id, error)
            return False
        try:
            await asyncio.to_thread(self._write, events)
        except SQLAlchemyError as error:
            _log.error("call %s is not archived, its file %s stays: %s", call_id, call.journal.path, error)
            return False
        try:
            await self._log.log.close(call_id)
            await self._trackers.drop(f"{events[0].tenant_id}/{call_id}")
        except BusDown as error:
            _log.warning("call %s is archived; Redis will drop it in time: %s", call_id, error)
        self._log.archived(call)
        return True

    async def recover(self) -> list[str]:
        """End and archive the calls of processes that died on this machine; their ids.

        Raises BusDown: nothing is lost, try again later.
        """
        recovered = []
        for journal in left_over(self._log.folder):
            if not journal.records:
                journal.remove()
                continue
            try:
                call = await self._log.adopt(journal)
            except CallClosed:
                journal.remove()  # it was archived; only its file was left
                continue
            except BusDown:
                journal.close()
                raise
            await self._finish(call, journal)
            if await self.archive(call):
                recovered.append(journal.call_id)
        return recovered

    async def _finish(self, call: JournaledCall, journal: Journal) -> None:
        """Write the final record where the process died before it could."""
        await call.flushed()
        log = await self._log.log.read(journal.call_id)
        if any(isinstance(event, ev.CallEnded) for event in log):
            return
        last = log[-1]
        answered = next((event.at_ms for event in log if isinstance(event, ev.CallAnswered)), last.at_ms)
        _log.error("call %s was cut off: its voice process died", journal.call_id)
        await call.append(
            ev.CallEnded(
                call_id=last.call_id, tenant_id=last.tenant_id, at_ms=last.at_ms, wall=last.wall,
                by="system", cause=DIED, disposition="failed", duration_ms=last.at_ms - answered,
            )
        )  # fmt: skip

    async def _events(self, call: JournaledCall) -> list[ev.AnyEvent]:
        """The whole log: from Redis, or where it is away from the call's own file."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await call.flushed()
                return await self._log.log.read(call.writer.call_id)
        except (BusDown, TimeoutError):
            _log.warning("call %s is archived from its file: Redis is away", call.writer.call_id)
            records = enumerate(call.journal.records, start=1)
            return [ev.numbered(ev.decode(record), number) for number, record in records]

    def _write(self, events: list[ev.AnyEvent]) -> None:
        with self._database.write() as connection:
            archive(connection, events)
