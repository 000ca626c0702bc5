"""Lua scripts by their hash: sent once, then called by 40 characters; sent again after a flush."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from bot.bus.connection import bus_errors, command
from bot.bus.errors import BusError

Argument = str | bytes | int
Call = tuple[Sequence[str], Sequence[Argument]]


class Script:
    """One Lua script.  Errors that it gives come as the bus's own types."""

    def __init__(self, lua: str) -> None:
        self.lua = lua
        self.sha = hashlib.sha1(lua.encode()).hexdigest()

    async def load(self, redis: Redis) -> None:
        """Send the script's text."""
        await command(redis, "SCRIPT", "LOAD", self.lua)

    async def run(self, redis: Redis, keys: Sequence[str], *arguments: Argument) -> Any:
        """Run it.  Raises Fenced, CallClosed, LeaseHeld, BusDown or BusError."""
        try:
            return await command(redis, "EVALSHA", self.sha, len(keys), *keys, *arguments)
        except BusError as error:
            if not isinstance(error.__cause__, NoScriptError):
                raise
            return await command(redis, "EVAL", self.lua, len(keys), *keys, *arguments)

    async def run_many(self, redis: Redis, calls: Sequence[Call]) -> list[Any]:
        """Run it for each (keys, arguments) in one round trip; a failure is in its place in the list.

        Raises BusDown where the whole batch may not have arrived.
        """
        results = await self._pipeline(redis, calls)
        if any(isinstance(result, NoScriptError) for result in results):
            await self.load(redis)
            missing = [at for at, result in enumerate(results) if isinstance(result, NoScriptError)]
            again = await self._pipeline(redis, [calls[at] for at in missing])
            for at, result in zip(missing, again, strict=True):
                results[at] = result
        return results

    async def _pipeline(self, redis: Redis, calls: Sequence[Call]) -> list[Any]:
        with bus_errors():
            pipeline = redis.pipeline(transaction=False)
            for keys, arguments in calls:
                pipeline.execute_command("EVALSHA", self.sha, len(keys), *keys, *arguments)
            return list(await pipeline.execute(raise_on_error=False))
