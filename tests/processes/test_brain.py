"""Asking a brain over Redis: answered in order, once, by whoever is there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from bot.bus import Fenced, keys
from bot.bus.trackers import RedisTurns, TrackerLog
from bot.processes.brain import BrainProcess
from bot.processes.registry import BrainInfo, publish, take_name
from bot.processes.remote_brain import RemoteBrain
from bot.turn import TurnRequest
from processes.fake_engine import FakeEngine

VERSIONS = [("ringback", "v1")]


def turn(number: int, text: str | None = None, call_id: str = "c1", **fields: Any) -> TurnRequest:
    if number == 0:
        fields = {"script": "ringback", "contact": {}, **fields}
    kind = "open" if number == 0 else "say"
    return TurnRequest(
        call_id=call_id, turn=number, kind=kind, at="2026-11-22T10:00:00+08:00", text=text, **fields
    )


@contextlib.asynccontextmanager
async def brain(redis: Redis, name: str = "b1") -> AsyncIterator[FakeEngine]:
    turns = RedisTurns(TrackerLog(redis))
    engine = FakeEngine(turns)
    process = BrainProcess(redis, name, engine, VERSIONS, turns)
    lease = await take_name(redis, name)
    await process.announce()
    stop = asyncio.Event()
    task = asyncio.create_task(process.serve(lease, stop))
    try:
        yield engine
    finally:
        stop.set()
        with contextlib.suppress(Fenced):
            await task


@pytest_asyncio.fixture
async def voice(redis: Redis) -> AsyncIterator[RemoteBrain]:
    remote = RemoteBrain(redis, "v1")
    yield remote
    await remote.stop()


async def test_turns_of_a_call_are_answered_in_order(redis: Redis, voice: RemoteBrain) -> None:
    async with brain(redis):
        await voice.start()
        texts = [(await voice.ask(turn(n, f"t{n}"))).text for n in range(3)]
    assert texts == ["0:t0", "1:t0,t1", "2:t0,t1,t2"]


async def test_many_calls_at_once_do_not_mix(redis: Redis, voice: RemoteBrain) -> None:
    async with brain(redis):
        await voice.start()

        async def talk(call_id: str) -> str | None:
            for number in range(5):
                reply = await voice.ask(turn(number, f"{call_id}.{number}", call_id))
            return reply.text

        texts = await asyncio.gather(*(talk(f"c{n}") for n in range(50)))
    assert texts == [f"4:c{n}.0,c{n}.1,c{n}.2,c{n}.3,c{n}.4" for n in range(50)]


async def test_a_repeated_turn_is_answered_from_memory(redis: Redis, voice: RemoteBrain) -> None:
    async with brain(redis) as engine:
        await voice.start()
        first = await voice.ask(turn(0, "open"))
        assert await voice.ask(turn(0, "open")) == first
        both = await asyncio.gather(voice.ask(turn(1, "x")), voice.ask(turn(1, "x")))
        assert both[0] == both[1]
    assert [request.turn for request in engine.asked] == [0, 1]


async def test_speculation_leaves_no_trace_and_is_never_remembered(redis: Redis, voice: RemoteBrain) -> None:
    async with brain(redis):
        await voice.start()
        await voice.ask(turn(0, "open"))
        assert (await voice.ask(turn(1, "guess", speculative=True))).text == "1:open,guess"
        assert (await voice.ask(turn(1, "another", speculative=True))).text == "1:open,another"
        assert (await voice.ask(turn(1, "real"))).text == "1:open,real"


async def test_the_open_turn_names_the_version_that_the_call_keeps(redis: Redis, voice: RemoteBrain) -> None:
    async with brain(redis) as engine:
        await voice.start()
        assert voice.version("ringback") == "v1"
        assert voice.version("unknown") is None
        await voice.ask(turn(0))
    assert engine.asked[0].script_version == "v1"


async def test_new_calls_spread_over_brains(redis: Redis, voice: RemoteBrain) -> None:
    async with brain(redis, "b1") as one, brain(redis, "b2") as two:
        await voice.start()
        await asyncio.gather(*(voice.ask(turn(0, call_id=f"c{n}")) for n in range(10)))
    assert (len(one.asked), len(two.asked)) == (5, 5)


async def test_without_a_brain_the_deadline_holds(redis: Redis, voice: RemoteBrain) -> None:
    await voice.start()
    with pytest.raises(TimeoutError, match="no brain serves ringback"):
        await voice.ask(turn(0, deadline_ms=50))


async def test_a_brain_that_leaves_hands_its_calls_over(redis: Redis, voice: RemoteBrain) -> None:
    async with brain(redis, "b1"):
        await voice.start()
        await voice.ask(turn(0, "open"))
    async with brain(redis, "b2"):
        assert (await voice.ask(turn(1, "x", deadline_ms=8000))).text == "1:open,x"


async def test_a_brain_that_lost_a_call_forgets_what_it_knew_of_it(redis: Redis, voice: RemoteBrain) -> None:
    async with brain(redis, "b1") as one, brain(redis, "b2") as two:
        await voice.start()
        for number in range(3):
            await voice.ask(turn(number, f"t{number}"))
        first, second = (one, two) if one.asked else (two, one)
        pin = voice._pins["default", "c1"]
        name = pin.brain
        pin.brain = {"b1": "b2", "b2": "b1"}[name]
        assert (await voice.ask(turn(3, "t3"))).text == "3:t0,t1,t2,t3"
        pin.brain = name  # as if the voice had never noticed: the first holds an old state
        reply = await voice.ask(turn(4, "t4", deadline_ms=5000))
        assert reply.text == "4:t0,t1,t2,t3,t4"
    assert first.asked
    assert second.asked


async def test_a_turn_that_explodes_is_set_aside_and_other_calls_go_on(
    redis: Redis, voice: RemoteBrain
) -> None:
    async with brain(redis) as engine:
        await voice.start()
        await asyncio.gather(*(voice.ask(turn(0, call_id=name)) for name in ("bad", "good")))
        ask = asyncio.create_task(voice.ask(turn(1, "explode", "bad", deadline_ms=500)))
        assert (await voice.ask(turn(1, "x", "good"))).text == "1:open,x"
        with pytest.raises(TimeoutError):
            await ask
    assert sum(request.text == "explode" for request in engine.asked) == 5
    assert await redis.xlen(keys.DEAD_LETTERS) == 1


async def test_two_brains_never_serve_under_one_name(redis: Redis) -> None:
    turns = RedisTurns(TrackerLog(redis))
    process = BrainProcess(redis, "b1", FakeEngine(turns), VERSIONS, turns)
    lease = await take_name(redis, "b1")
    await redis.set(keys.lease("b1"), "x")
    await redis.set(keys.lease("brain:b1"), "another 7")
    with pytest.raises(Fenced):
        await process.serve(lease, asyncio.Event())


async def test_the_dead_are_not_asked(redis: Redis, voice: RemoteBrain) -> None:
    await publish(redis, BrainInfo("dead", (("ringback", "v1"),)))
    await redis.delete(keys.member("brain", "dead"))  # its word has expired
    async with brain(redis, "b1"):
        await voice.start()
        assert (await voice.ask(turn(0))).text == "0:open"
