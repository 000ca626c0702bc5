"""The event log as a voice process writes it: to the call's own file first, then to Redis.

A background task sends what the files hold and Redis does not, batched over all calls.  While
Redis is away calls go on and the files grow; when it is back, even empty, everything is written
again in order, and what it has already is recognised by its number.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from bot.bus.errors import BusDown, BusError, Fenced
from bot.bus.journal import Journal
from bot.bus.log import EventLog, Writer
from bot.bus.tasks import end
from bot.events import AnyEvent, encode

BATCH = 256
WAIT_MS = 250
"""How long `append` waits for Redis to number an event before it gives a provisional number."""
RETRY_S = (0.05, 0.1, 0.2, 0.5, 1.0)

_log = logging.getLogger(__name__)


class JournaledCall:
    """The log of one call (the CallLog port)."""

    def __init__(self, owner: JournaledLog, writer: Writer, journal: Journal) -> None:
        self.writer = writer
        self.journal = journal
        self.sent = writer.last
        self.seq = 0
        self.error: BusError | None = None
        self._owner = owner
        self._waiting: dict[int, asyncio.Future[int]] = {}
        self._flushing: list[asyncio.Future[int]] = []

    @property
    def pending(self) -> int:
        """How many events Redis has not taken yet."""
        return len(self.journal.records) - self.sent

    async def append(self, event: AnyEvent) -> int:
        """Record one event, give its sequence number: a provisional one (the next after the last
        known) while Redis is away.

        Raises JournalError where it cannot be recorded; Fenced where another process has taken
        the call: end it without a further write.
        """
        if self.error is not None:
            raise self.error
        number = self.journal.append(encode(event))
        provisional = self.seq + number - self.sent
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        self._owner.wake(self)
        if not self._owner.down:
            await asyncio.wait((future,), timeout=WAIT_MS / 1000)
        self._waiting.pop(number, None)
        return future.result() if future.done() else provisional

    async def flushed(self) -> None:
        """Wait until Redis has all of it.  Raises Fenced or CallClosed where it refuses."""
        if self.pending and self.error is None:
            future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            self._flushing.append(future)
            self._owner.wake(self)
            await future
        if self.error is not None:
            raise self.error

    def taken(self, number: int, seq: int) -> None:
        """Redis has the event `number`, as `seq` (0: not known which)."""
        self.sent = number
        self.seq = seq or self.seq + 1
        self._settle([self._waiting.pop(number, None)])
        if not self.pending:
            self._settle(self._flushing)
            self._flushing = []

    def _settle(self, futures: Sequence[asyncio.Future[int] | None]) -> None:
        for future in futures:
            if future is not None and not future.done():
                if self.error is not None:
                    future.set_exception(self.error)
                else:
                    future.set_result(self.seq)

    def refused(self, error: BusError) -> None:
        """Redis will take no more of this call from us."""
        self.error = error
        self._settle([*self._waiting.values(), *self._flushing])


class JournaledLog:
    """The logs of all calls of one voice process; `folder` holds their files."""

    def __init__(self, log: EventLog, folder: Path, role: str = "voice") -> None:
        self.log = log
        self.folder = folder
        self.down = False
        self._role = role
        self._calls: dict[str, JournaledCall] = {}
        self._dirty: dict[str, JournaledCall] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._send_for_ever(), name="journaled-log")

    async def stop(self) -> None:
        """End sending; the files of calls that are not archived stay."""
        if self._task is not None:
            await end(self._task)
            self._task = None
        for call in self._calls.values():
            call.journal.close()
        self._calls.clear()

    async def open(self, call_id: str) -> JournaledCall:
        """The log of a new call.  Raises BusDown (no call starts while Redis is away), JournalError."""
        writer = await self.log.take(call_id, self._role)
        return self._hold(JournaledCall(self, writer, Journal.create(self.folder, call_id)))

    async def adopt(self, journal: Journal) -> JournaledCall:
        """Go on with the log of a call whose process died; that process is fenced off.

        Raises BusDown, CallClosed where the call was archived already.
        """
        writer = await self.log.take(journal.call_id, self._role)
        call = self._hold(JournaledCall(self, writer, journal))
        self.wake(call)
        return call

    def archived(self, call: JournaledCall) -> None:
        """The call is safe elsewhere: its file goes."""
        self._calls.pop(call.writer.call_id, None)
        self._dirty.pop(call.writer.call_id, None)
        call.journal.remove()

    def wake(self, call: JournaledCall) -> None:
        """There is something to send for `call`."""
        self._dirty[call.writer.call_id] = call
        self._wake.set()

    def _hold(self, call: JournaledCall) -> JournaledCall:
        self._calls[call.writer.call_id] = call
        return call

    async def _send_for_ever(self) -> None:
        failures = 0
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                while self._dirty:
                    await self._send_some()
                    failures = 0
                    if self.down:
                        self.down = False
                        _log.warning("Redis is back: events of %d calls are written again", len(self._calls))
                        self._dirty.update(self._calls)
            except BusError as error:
                if not self.down:
                    self.down = True
                    _log.error("events are kept in %s until Redis is back: %s", self.folder, error)
                await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
                failures += 1
                self._wake.set()

    async def _send_some(self) -> None:
        """Send up to BATCH events of the calls that have some, each call's in order.

        A call with nothing pending is here because Redis was away: its last event is sent again,
        and a Redis that lost events answers with a gap.
        """
        batch: list[tuple[JournaledCall, int]] = []
        for call in self._dirty.values():
            last = len(call.journal.records)
            first = call.sent + 1 if call.pending else last
            room = BATCH - len(batch)
            batch += [(call, number) for number in range(max(first, 1), min(last, first + room - 1) + 1)]
        if not batch:
            self._dirty.clear()
            return
        results = await self.log.append_many(
            [(call.writer, call.journal.records[number - 1], number) for call, number in batch]
        )
        for (call, number), result in zip(batch, results, strict=True):
            if isinstance(result, BusDown):
                raise result
            if isinstance(result, BusError):
                self._refused(call, result)
            elif result.outcome == "gap":
                call.sent = result.last
            elif number > call.sent:
                call.taken(number, result.seq)
        for call in {id(call): call for call, _ in batch}.values():
            if call.pending <= 0 or call.error is not None:
                self._dirty.pop(call.writer.call_id, None)

    def _refused(self, call: JournaledCall, error: BusError) -> None:
        if call.error is None:
            level = logging.ERROR if isinstance(error, Fenced) else logging.WARNING
            _log.log(level, "the log of call %s takes no more from us: %s", call.writer.call_id, error)
            call.refused(error)
