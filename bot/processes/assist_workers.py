"""Which assist workers live and what they serve, as seen by others; asked of Redis twice a second."""

from __future__ import annotations

import asyncio
import time

from redis.asyncio import Redis

from bot.bus.assisted import NoWorker
from bot.processes.registry import BEAT_S, BrainInfo, brains

KIND = "assist"


class RegisteredWorkers:
    """The workers that announce themselves in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._known: list[BrainInfo] = []
        self._asked = -1e9
        self._turn = 0
        self._asking: asyncio.Task[list[BrainInfo]] | None = None

    async def choose(self, script: str) -> tuple[str, str]:
        """The worker with the fewest calls that serves the script, and its version.  Raises NoWorker."""
        await self._ask()
        able = [info for info in self._known if info.newest(script) and not info.draining]
        if not able:
            served = sorted({name for info in self._known for name, _ in info.versions})
            raise NoWorker(
                f"no assist worker serves '{script}' → "
                + (f"served: {', '.join(served)}" if served else "start one: python -m assist.worker")
            )
        self._turn += 1
        least = min(info.calls for info in able)
        able = [info for info in able if info.calls == least]
        info = able[self._turn % len(able)]
        return info.name, info.newest(script) or ""

    async def alive(self, worker: str) -> bool:
        """Whether it has said so within the last two seconds."""
        await self._ask()
        return any(info.name == worker for info in self._known)

    async def scripts(self) -> list[str]:
        """The scripts that some worker serves."""
        await self._ask()
        return sorted({name for info in self._known for name, _ in info.versions})

    async def _ask(self) -> None:
        """What is known, at most BEAT_S old; many who ask at once share one question."""
        if time.monotonic() - self._asked <= BEAT_S:
            return
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(brains(self._redis, KIND), name="ask for workers")
        self._known = await asyncio.shield(self._asking)
        self._asked = time.monotonic()
