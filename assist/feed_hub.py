"""One process's subscriptions: one connection to Redis hears all channels that somebody here listens to.

A confirmed subscription (also after Redis was away) tells every listener of the channel that from now
on nothing is missed; what was before, it looks up.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from bot.bus import keys
from bot.bus.tasks import until_first

RETRY_S = 0.2
PING_S = 3.0
_log = logging.getLogger(__name__)


class Listener(Protocol):
    """Hears a channel."""

    def heard(self, message: bytes) -> None:
        """Something was published."""

    def disturbed(self) -> None:
        """From now on messages come; some before may have been missed."""


class Hub:
    """One process's subscriptions: channel → who listens."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._listeners: dict[str, set[Listener]] = {}
        self._confirmed: set[str] = set()
        self._pubsub: PubSub | None = None
        self._alive = False

    def join(self, channel: str, listener: Listener) -> None:
        """Begin to listen; `disturbed` is called as soon as messages are sure to come."""
        self._listeners.setdefault(channel, set()).add(listener)
        if channel in self._confirmed:
            listener.disturbed()
        else:
            self._soon("subscribe", channel)

    def leave(self, channel: str, listener: Listener) -> None:
        """Stop listening."""
        listeners = self._listeners.get(channel, set())
        listeners.discard(listener)
        if not listeners and self._listeners.pop(channel, None) is not None:
            self._confirmed.discard(channel)
            self._soon("unsubscribe", channel)

    async def run(self) -> None:
        """Hear and pass on, for ever; a connection that breaks is made again."""
        while True:
            pubsub = self._redis.pubsub()
            try:
                await pubsub.subscribe(keys.WEB_ANCHOR, *self._listeners)
                self._pubsub = pubsub
                await until_first(self._hear(pubsub), self._keep_alive(pubsub))
            except (RedisError, OSError) as error:
                _log.error("feeds wait for Redis: %s", error)
                await asyncio.sleep(RETRY_S)
            finally:
                self._pubsub = None
                self._confirmed.clear()
                await _close(pubsub)

    async def _hear(self, pubsub: PubSub) -> None:
        while True:
            message = await pubsub.get_message(timeout=None)
            self._alive = True
            if message is not None and message["type"] != "pong":
                self._pass_on(message["type"], message["channel"].decode(), message["data"])

    async def _keep_alive(self, pubsub: PubSub) -> None:
        """Ends with TimeoutError when nothing comes back any more, as when the other machine is gone."""
        while True:
            self._alive = False
            await pubsub.ping()
            await asyncio.sleep(PING_S)
            if not self._alive:
                raise TimeoutError(f"Redis has not answered for {PING_S:g} s")

    def _pass_on(self, kind: str, channel: str, data: bytes) -> None:
        if kind == "message":
            for listener in tuple(self._listeners.get(channel, ())):
                listener.heard(data)
        elif kind == "subscribe":
            self._confirmed.add(channel)
            for listener in tuple(self._listeners.get(channel, ())):
                listener.disturbed()

    def _soon(self, what: str, channel: str) -> None:
        """Send it without waiting; while the connection is away, `run` subscribes to all anyway."""
        if self._pubsub is not None:
            task = asyncio.ensure_future(self._send(self._pubsub, what, channel))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _send(self, pubsub: PubSub, what: str, channel: str) -> None:
        wanted = channel in self._listeners
        if what == "subscribe" and wanted:
            await pubsub.subscribe(channel)
        elif what == "unsubscribe" and not wanted:
            await pubsub.unsubscribe(channel)


async def _close(pubsub: PubSub) -> None:
    try:
        await pubsub.aclose()  # type: ignore[no-untyped-call]
    except (RedisError, OSError) as error:
        _log.info("a broken connection to Redis was dropped: %s", error)
