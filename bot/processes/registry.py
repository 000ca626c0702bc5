"""Who is there: each process of a kind says of itself, every half second, what it serves and how
busy it is.  Kinds: `brain` (answers the turns of a bot), `assist` (advises agents).

What was said expires: a brain that is dead or stopped is gone from the list within TTL_MS.
"""

from __future__ import annotations

import asyncio
import os

import msgspec
from redis.asyncio import Redis

from bot.bus import LeaseHeld, keys
from bot.bus.connection import bus_errors, command
from bot.bus.lease import Lease, acquire

BEAT_S = 0.5
TTL_MS = 2000


class BrainInfo(msgspec.Struct, frozen=True):
    """One brain: its name, the (script, version) pairs it serves, newest of a script last, and how
    many calls it holds.  `draining`: takes no new calls.  `started_ms`: since 1970, by its clock."""

    name: str
    versions: tuple[tuple[str, str], ...]
    calls: int = 0
    draining: bool = False
    started_ms: int = 0

    def newest(self, script: str) -> str | None:
        """The newest version of a script that it serves, None where it serves none."""
        return next((version for name, version in reversed(self.versions) if name == script), None)


_decoder = msgspec.json.Decoder(BrainInfo)


async def publish(redis: Redis, info: BrainInfo, kind: str = "brain") -> None:
    """Say it.  Raises BusDown."""
    with bus_errors():
        pipeline = redis.pipeline(transaction=False)
        pipeline.sadd(keys.members(kind), info.name)
        pipeline.set(keys.member(kind, info.name), msgspec.json.encode(info), px=TTL_MS)
        await pipeline.execute()


async def take_name(redis: Redis, name: str, kind: str = "brain") -> Lease:
    """The lease of a process's name among its kind; waits for that of a former process to run out.

    Raises LeaseHeld where that one lives, BusDown.
    """
    lease, owner = f"{kind}:{name}", f"{os.getpid()}"
    for _ in range(int(2 * TTL_MS / 1000 / BEAT_S)):
        try:
            return await acquire(redis, lease, owner, TTL_MS)
        except LeaseHeld:
            await asyncio.sleep(BEAT_S)
    return await acquire(redis, lease, owner, TTL_MS)


async def withdraw(redis: Redis, name: str, kind: str = "brain") -> None:
    """Be gone at once."""
    with bus_errors():
        pipeline = redis.pipeline(transaction=False)
        pipeline.srem(keys.members(kind), name)
        pipeline.delete(keys.member(kind, name))
        await pipeline.execute()


async def brains(redis: Redis, kind: str = "brain") -> list[BrainInfo]:
    """All processes of a kind that are there, by name.  Raises BusDown."""
    names = sorted(bytes(name).decode() for name in await command(redis, "SMEMBERS", keys.members(kind)))
    if not names:
        return []
    with bus_errors():
        said = await redis.mget([keys.member(kind, name) for name in names])
    return [_decoder.decode(data) for data in said if data is not None]
