"""The live feed of calls to WebSocket clients: a snapshot, then events, resumed by sequence.

Each client has its own bounded outbox and its own sending task under a timeout: one that does not
read is cut, and nobody else notices.  What a client must get next is decided by `feed_cursor`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import ClientConnectionResetError, WSMsgType, web
from redis.asyncio import Redis

from assist.feed_cursor import Cursor, Outbox, Trimmed, numbered, published
from assist.feed_hub import Hub
from assist.feed_log import first_seq, read_page, snapshot_of
from bot.bus import keys
from bot.bus.connection import command
from bot.bus.errors import BusError

SEND_S = 5.0
"""A client that takes nothing for so long is cut."""
RETRY_S = 0.2
TOO_SLOW = 4008
NO_CALL = b'{"kind":"no_call"}'
_log = logging.getLogger(__name__)


class Client:
    """One WebSocket: what waits for it goes out in order, under a timeout, by `send_for_ever`."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.outbox = Outbox()
        self.cut = False
        self._wake = asyncio.Event()

    def push(self, message: bytes) -> None:
        """Send it soon; a client with no room for it is cut."""
        if not self.outbox.push(message):
            self.cut = True
        self._wake.set()

    def wake(self) -> None:
        """There is something to do."""
        self._wake.set()

    async def serve(self, fetch: Callable[[], Awaitable[bool]]) -> int:
        """Send what waits, and call `fetch` whenever woken (it gives True while there is more to fetch);
        ends when the client must be cut or is gone: the close code."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            more = True
            while more:
                try:
                    more = await fetch()
                except BusError as error:
                    _log.warning("a feed waits for Redis: %s", error)
                    await asyncio.sleep(RETRY_S)
                while not self.cut and (message := self.outbox.pop()) is not None:
                    try:
                        async with asyncio.timeout(SEND_S):
                            await self.socket.send_frame(message, WSMsgType.TEXT)
                    except (TimeoutError, ClientConnectionResetError, ConnectionError):
                        return TOO_SLOW
                if self.cut:
                    return TOO_SLOW


class CallFeed:
    """One call's events for one client."""

    def __init__(self, redis: Redis, hub: Hub, client: Client, call_id: str) -> None:
        self.call_id = call_id
        self._redis = redis
        self._hub = hub
        self._client = client
        self._cursor: Cursor | None = None
        self._resume: int | None = None
        self._fresh = False

    def start(self, after: int | None) -> None:
        """Begin: after sequence number `after`, or with a snapshot."""
        self._resume = after
        self._hub.join(keys.feed(self.call_id), self)
        self._client.wake()

    def stop(self) -> None:
        """No more of this call."""
        self._hub.leave(keys.feed(self.call_id), self)

    def heard(self, message: bytes) -> None:
        """An event was published."""
        if self._cursor is None:
            return  # it is in the log, which is read when the feed begins
        seq, stored = published(message)
        if self._cursor.live(seq):
            self._client.push(numbered(seq, stored))
        elif self._cursor.behind:
            self._client.wake()

    def disturbed(self) -> None:
        """Look into the log."""
        if self._cursor is not None:
            self._cursor.disturbed()
        self._client.wake()

    async def fetch(self) -> bool:
        """Get what is missing from Redis, one page; True while there may be more.  Raises BusDown."""
        if self._cursor is None:
            self._cursor = await self._begin()
        if not self._cursor.behind:
            return False
        page, written = await read_page(self._redis, self.call_id, self._cursor.asked())
        try:
            given = self._cursor.filled(page, written)
        except Trimmed as gap:
            if self._fresh:  # the snapshot is all that is left of the call
                self._cursor.behind = False
                return False
            _log.info("call %s: %s", self.call_id, gap)
            self._cursor = await self._snapshot(reset=True)
            return True
        self._fresh = False
        for seq, stored in given:
            self._client.push(numbered(seq, stored))
        return self._cursor.behind

    async def _begin(self) -> Cursor:
        return await self._snapshot(reset=False) if self._resume is None else Cursor(self._resume)

    async def _snapshot(self, reset: bool) -> Cursor:
        """Send a snapshot; where the log begins after it (some was trimmed), go on from there."""
        snapshot, seq = await snapshot_of(self._redis, self.call_id)
        self._client.push(b'{"reset":true,' + snapshot[1:] if reset else snapshot)
        self._fresh = True
        return Cursor(max(seq, await first_seq(self._redis, self.call_id) - 1))


class AgentFeed:
    """Whichever call an agent has, for one client: the next one begins with a new snapshot."""

    def __init__(self, redis: Redis, hub: Hub, client: Client, tenant_id: str, agent_id: str) -> None:
        self.call: CallFeed | None = None
        self._redis = redis
        self._hub = hub
        self._client = client
        self._key = keys.agent_call(tenant_id, agent_id)
        self._channel = keys.agent_channel(tenant_id, agent_id)
        self._resume: tuple[str, int] | None = None
        self._looked = False
        self._told = False

    def start(self, after: tuple[str, int] | None) -> None:
        """Begin: after an event of a call, or with a snapshot of the agent's call."""
        self._resume = after
        self._hub.join(self._channel, self)
        self._client.wake()

    def stop(self) -> None:
        """No more."""
        self._hub.leave(self._channel, self)
        self._drop()

    def heard(self, message: bytes) -> None:
        """The agent has another call."""
        self.disturbed()

    def disturbed(self) -> None:
        """Look which call the agent has."""
        self._looked = False
        self._client.wake()

    async def fetch(self) -> bool:
        """Get what is missing from Redis; True while there may be more.  Raises BusDown."""
        if not self._looked:
            self._looked = True
            try:
                data: bytes | None = await command(self._redis, "GET", self._key)
            except BusError:
                self._looked = False
                raise
            self._follow(data.decode() if data else None)
        return await self.call.fetch() if self.call is not None else False

    def _follow(self, call_id: str | None) -> None:
        if self._told and call_id == (self.call.call_id if self.call else None):
            return
        self._drop()
        self._told = True
        if call_id is None:
            self._client.push(NO_CALL)
            return
        resume, self._resume = self._resume, None
        self.call = CallFeed(self._redis, self._hub, self._client, call_id)
        self.call.start(resume[1] if resume is not None and resume[0] == call_id else None)

    def _drop(self) -> None:
        if self.call is not None:
            self.call.stop()
            self.call = None
