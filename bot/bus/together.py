"""Many tasks, one round trip: whatever they ask before the event loop turns goes out together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from redis.exceptions import RedisError

from bot.bus.connection import typed
from bot.bus.errors import BusError

Item = TypeVar("Item")


class Together(Generic[Item]):
    """Gives what was submitted to `send` in one list, in order; `send` gives an answer for each, a
    failure in its place, or raises BusError where it is not known what arrived."""

    def __init__(self, send: Callable[[list[Item]], Awaitable[list[Any]]]) -> None:
        self._send = send
        self._queue: list[tuple[Item, asyncio.Future[Any]]] = []
        self._task: asyncio.Task[None] | None = None

    def submit(self, item: Item) -> asyncio.Future[Any]:
        """Send it soon; the future gives its answer, or raises BusDown or BusError."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.append((item, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._flush(), name="bus-together")
        return future

    async def _flush(self) -> None:
        while self._queue:
            batch, self._queue = self._queue, []
            results: list[Any]
            try:
                results = await self._send([item for item, _ in batch])
            except BusError as error:
                results = [error] * len(batch)
            for (_, future), result in zip(batch, results, strict=True):
                if future.done():
                    continue
                if isinstance(result, RedisError):
                    future.set_exception(typed(result))
                elif isinstance(result, BusError):
                    future.set_exception(result)
                else:
                    future.set_result(result)
