"""Requests and replies over Redis Streams.

A brain has one inbox, read by a consumer group: a message stays until it is answered, so one that
a crash interrupted is delivered again; after MAX_DELIVERIES it is set aside as a dead letter with
an error in the log, and the rest moves on.  A voice process has one reply stream, which it alone
reads.  Writes of one turn of the event loop go out in one round trip.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

from redis.asyncio import Redis

from bot.bus import keys
from bot.bus.connection import BLOCK_MS, bus_errors, command
from bot.bus.errors import BusError
from bot.bus.together import Together

MAX_DELIVERIES = 5
STREAM_LIMIT = 10_000
"""Entries that an unread stream keeps (approximately)."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """One request: its id in the inbox (milliseconds of Redis's clock, dash, number), the bytes,
    where the reply goes, the asker's own reference (the reply carries it), whether the call was
    with another brain before, and which delivery this is, from 1."""

    id: bytes
    data: bytes
    reply_to: str
    reference: bytes = b""
    moved: bool = False
    deliveries: int = 1

    @property
    def sent_ms(self) -> int:
        """When it was sent: ms since 1970 by the clock of Redis."""
        return int(self.id.partition(b"-")[0])


class Sender:
    """Commands from many tasks, sent together: whatever is submitted before the event loop turns
    goes out in one pipeline, in order."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._together: Together[tuple[Any, ...]] = Together(self._pipeline)

    def submit(self, *command: Any) -> asyncio.Future[Any]:
        """Send one command soon; the future gives its result, or raises BusDown or BusError."""
        return self._together.submit(command)

    async def _pipeline(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        with bus_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for command in commands:
                pipeline.execute_command(*command)
            return list(await pipeline.execute(raise_on_error=False))

    def send(
        self, stream: str, data: bytes, reply_to: str, reference: int = 0, moved: bool = False
    ) -> asyncio.Future[Any]:
        """Put a request into a stream."""
        extra = ("t", 1) if moved else ()
        return self.submit(
            "XADD", stream, "MAXLEN", "~", STREAM_LIMIT, "*", "m", data, "r", reply_to, "i", reference, *extra
        )

    def reply(self, message: Message, inbox: str, data: bytes) -> asyncio.Future[Any]:
        """Answer a request, and take it out of its inbox."""
        answered = self.submit(
            "XADD", message.reply_to, "MAXLEN", "~", STREAM_LIMIT, "*", "m", data, "i", message.reference
        )
        _not_awaited(self.submit("XACK", inbox, "brain", message.id))
        _not_awaited(self.submit("XDEL", inbox, message.id))
        return answered


class Inbox:
    """The requests of one brain.  One process reads it; a restarted one goes on where it stopped."""

    GROUP = "brain"

    def __init__(self, redis: Redis, name: str) -> None:
        self.stream = keys.inbox(name)
        self._redis = redis

    async def messages(self, count: int = 64) -> AsyncIterator[Message]:
        """Requests as they come, for ever: first those that an earlier life of this reader left
        unanswered, then new ones.  Raises BusDown; iterate again to go on."""
        await self._make()
        for message in await self._unanswered():
            yield message
        while True:
            for message in await self._read(">", count, BLOCK_MS):
                yield message

    async def done(self, message: Message) -> None:
        """The message needs no answer: take it out."""
        with bus_errors():
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.execute_command("XACK", self.stream, self.GROUP, message.id)
            pipeline.execute_command("XDEL", self.stream, message.id)
            await pipeline.execute()

    async def failed(self, message: Message, reason: str) -> Message | None:
        """Handling it failed: its next delivery, or None where it was set aside."""
        if message.deliveries >= MAX_DELIVERIES:
            await self._set_aside(message, reason)
            return None
        await command(self._redis, "XCLAIM", self.stream, self.GROUP, self.GROUP, 0, message.id)
        return replace(message, deliveries=message.deliveries + 1)

    async def _make(self) -> None:
        try:
            await command(self._redis, "XGROUP", "CREATE", self.stream, self.GROUP, "0", "MKSTREAM")
        except BusError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def _read(self, start: str, count: int, block_ms: int) -> list[Message]:
        try:
            found = await command(
                self._redis, "XREADGROUP", "GROUP", self.GROUP, self.GROUP,
                "COUNT", count, "BLOCK", block_ms, "STREAMS", self.stream, start,
            )  # fmt: skip
        except BusError as error:
            if "NOGROUP" not in str(error):
                raise
            await self._make()  # Redis was emptied
            return []
        return [_message(entry_id, fields) for entry_id, fields in _entries(found) if fields]

    async def _unanswered(self) -> list[Message]:
        """What was delivered before and not answered, with the number of this delivery."""
        messages = await self._read("0", 1000, BLOCK_MS)
        if not messages:
            return []
        with bus_errors():
            pending = await self._redis.xpending_range(
                self.stream, self.GROUP, messages[0].id, messages[-1].id, len(messages)
            )
        deliveries = {row["message_id"]: int(row["times_delivered"]) for row in pending}
        live = []
        for message in messages:
            times = deliveries.get(message.id, 1)
            if times > MAX_DELIVERIES:
                await self._set_aside(message, "its reader died each time it was delivered")
            else:
                live.append(replace(message, deliveries=times))
        return live

    async def _set_aside(self, message: Message, reason: str) -> None:
        _log.error("%s: message %s set aside after %d deliveries: %s",
                   self.stream, message.id.decode(), message.deliveries, reason)  # fmt: skip
        with bus_errors():
            pipeline = self._redis.pipeline(transaction=True)
            pipeline.execute_command(
                "XADD", keys.DEAD_LETTERS, "MAXLEN", "~", STREAM_LIMIT, "*",
                "m", message.data, "inbox", self.stream, "id", message.id, "reason", reason,
            )  # fmt: skip
            pipeline.execute_command("XACK", self.stream, self.GROUP, message.id)
            pipeline.execute_command("XDEL", self.stream, message.id)
            await pipeline.execute()


class Replies:
    """The replies to one voice process; it alone reads them."""

    def __init__(self, redis: Redis, name: str) -> None:
        self.stream = keys.replies(name)
        self._redis = redis
        self._last: bytes = b"0"

    async def messages(self) -> AsyncIterator[tuple[int, bytes]]:
        """(reference, reply) as they come, for ever.  Raises BusDown; iterate again to go on."""
        while True:
            found = await command(
                self._redis, "XREAD", "COUNT", 256, "BLOCK", BLOCK_MS, "STREAMS", self.stream, self._last
            )
            entries = _entries(found)
            for entry_id, fields in entries:
                self._last = entry_id
                yield int(fields[b"i"]), fields[b"m"]
            if entries:  # read once, by one process: they would stay for ever
                await command(self._redis, "XDEL", self.stream, *(entry_id for entry_id, _ in entries))
            if len(entries) >= 256:
                await asyncio.sleep(0)

    async def close(self) -> None:
        """Nobody reads any more.  Raises BusDown."""
        await command(self._redis, "DEL", self.stream)


def _not_awaited(future: asyncio.Future[Any]) -> None:
    """Its failure is not news: the answer beside it failed the same way, and the message stays."""
    future.add_done_callback(lambda done: done.cancelled() or done.exception())


def _entries(found: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """The entries of the one stream that was read (RESP2: [[name, [(id, fields), …]]])."""
    return list(found[0][1]) if found else []


def _message(entry_id: bytes, fields: dict[bytes, bytes]) -> Message:
    reply_to = fields[b"r"].decode()
    return Message(entry_id, fields[b"m"], reply_to, fields.get(b"i", b"0"), b"t" in fields)
