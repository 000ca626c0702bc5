"""One Lua script for many tasks: whatever they ask before the event loop turns goes out in one pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.bus.connection import typed
from bot.bus.errors import BusError
from bot.bus.script import Argument, Script


class Together:
    """Runs `script`; calls of one task are answered in the order in which they were asked."""

    def __init__(self, redis: Redis, script: Script) -> None:
        self._redis, self._script = redis, script
        self._queue: list[tuple[Sequence[str], Sequence[Argument], asyncio.Future[Any]]] = []
        self._task: asyncio.Task[None] | None = None

    def submit(self, keys: Sequence[str], arguments: Sequence[Argument]) -> asyncio.Future[Any]:
        """Ask soon; the future gives the script's answer, or raises BusDown or BusError."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.append((keys, arguments, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._flush(), name="bus-together")
        return future

    async def _flush(self) -> None:
        while self._queue:
            batch, self._queue = self._queue, []
            results: list[Any]
            try:
                results = await self._script.run_many(
                    self._redis, [(keys, words) for keys, words, _ in batch]
                )
            except BusError as error:
                results = [error] * len(batch)
            for (_, _, future), result in zip(batch, results, strict=True):
                if future.done():
                    continue
                if isinstance(result, RedisError):
                    future.set_exception(typed(result))
                elif isinstance(result, BusError):
                    future.set_exception(result)
                else:
                    future.set_result(result)
