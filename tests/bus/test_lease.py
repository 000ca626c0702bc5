"""Leases: one owner, tokens that only grow, a stopped owner refused when it wakes up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from redis.asyncio import Redis

from bot.bus import Fenced, LeaseHeld
from bot.bus.lease import acquire, release, renew
from bot.bus.log import EventLog
from bot.redis_server import PrivateRedis


async def test_a_lease_has_one_owner_until_it_is_released(redis: Redis) -> None:
    first = await acquire(redis, "campaign", "a", 60_000)
    with pytest.raises(LeaseHeld, match="a "):
        await acquire(redis, "campaign", "b", 60_000)
    await renew(redis, first, 60_000)
    await release(redis, first)
    second = await acquire(redis, "campaign", "b", 60_000)
    assert second.token > first.token


async def test_an_owner_that_lost_its_lease_can_neither_renew_nor_release_the_next_one(redis: Redis) -> None:
    old = await acquire(redis, "campaign", "a", 60_000)
    await redis.delete("huashu:lease:campaign")  # as if it had expired
    new = await acquire(redis, "campaign", "a", 60_000)
    with pytest.raises(Fenced):
        await renew(redis, old, 60_000)
    await release(redis, old)
    await renew(redis, new, 60_000)


async def test_an_expired_lease_that_nobody_took_is_held_again(redis: Redis) -> None:
    lease = await acquire(redis, "campaign", "a", 60_000)
    await redis.delete("huashu:lease:campaign")
    await renew(redis, lease, 60_000)
    with pytest.raises(LeaseHeld):
        await acquire(redis, "campaign", "b", 60_000)


WRITER = """
import asyncio, sys
from bot.bus import Fenced, connect
from bot.bus.log import EventLog
from bot.events import Dtmf, encode
async def main():
    log = EventLog(connect(sys.argv[1]))
    writer = await log.take("c1", "voice")
    for number in range(1, 1_000_000):
        event = Dtmf(call_id="c1", at_ms=number, wall="2026-11-22T10:00:00+08:00", digit="1")
        await log.append(writer, encode(event), number)
        if number == 10: print("writing", flush=True)
try: asyncio.run(main())
except Fenced: print("refused", flush=True)
"""


async def test_a_process_stopped_and_resumed_has_its_writes_refused(
    redis: Redis, shared_server: PrivateRedis
) -> None:
    log = EventLog(redis)
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, shared_server.url], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    os.kill(process.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    await log.take("c1", "voice")  # whoever cleans up after it
    events = len(await log.read("c1"))
    os.kill(process.pid, signal.SIGCONT)
    assert process.stdout.readline() == "refused\n"
    assert process.wait() == 0
    assert len(await log.read("c1")) == events
