"""A call's dialogue in Redis: kept whole, taken over by another brain, lost nothing, doubled nothing."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from bot.bus import Fenced, connect
from bot.bus.trackers import RedisTurns, TrackerLog
from bot.redis_server import PrivateRedis


async def test_another_brain_loads_all_and_the_first_is_refused(redis: Redis) -> None:
    first, second = TrackerLog(redis), TrackerLog(redis)
    await first.append("c1", [b"1a", b"1b"])
    await first.append("c1", [b"2"])
    assert await second.load("c1") == [b"1a", b"1b", b"2"]
    with pytest.raises(Fenced):
        await first.append("c1", [b"3 from the first"])
    await second.append("c1", [b"3"])
    assert await TrackerLog(redis).load("c1") == [b"1a", b"1b", b"2", b"3"]


async def test_a_call_that_another_brain_has_is_not_begun_anew(redis: Redis) -> None:
    await TrackerLog(redis).append("c1", [b"1"])
    with pytest.raises(Fenced):
        await TrackerLog(redis).append("c1", [b"1"])


async def test_an_unknown_call_has_nothing(redis: Redis) -> None:
    assert await TrackerLog(redis).load("c1") == []


async def test_a_redis_that_lost_everything_gets_it_all_with_the_next_append(redis: Redis) -> None:
    trackers = TrackerLog(redis)
    await trackers.append("c1", [b"1"])
    await trackers.append("c1", [b"2"])
    await redis.flushall()
    await trackers.append("c1", [b"3"])
    assert await TrackerLog(redis).load("c1") == [b"1", b"2", b"3"]


async def test_turns_made_while_redis_was_away_are_stored_once_when_it_is_back(
    own_server: PrivateRedis,
) -> None:
    client = connect(own_server.url)
    turns = RedisTurns(TrackerLog(client))
    await turns.append("t", "c1", b"1")
    own_server._end_process()
    await turns.append("t", "c1", b"2")
    own_server.restart()
    await turns.append("t", "c1", b"3")
    assert await RedisTurns(TrackerLog(client)).load("t", "c1") == [b"1", b"2", b"3"]
    await client.aclose()


async def test_the_first_turn_asked_of_a_second_brain_is_recorded_once(redis: Redis) -> None:
    await RedisTurns(TrackerLog(redis)).append("t", "c1", b"open")
    second = RedisTurns(TrackerLog(redis))
    await second.append("t", "c1", b"open")
    await second.append("t", "c1", b"1")
    assert await RedisTurns(TrackerLog(redis)).load("t", "c1") == [b"open", b"1"]


async def test_a_first_turn_comes_too_late_where_the_call_went_on_elsewhere(redis: Redis) -> None:
    elsewhere = RedisTurns(TrackerLog(redis))
    await elsewhere.append("t", "c1", b"open")
    await elsewhere.append("t", "c1", b"1")
    with pytest.raises(Fenced):
        await RedisTurns(TrackerLog(redis)).append("t", "c1", b"open")


async def test_a_dropped_call_is_gone_and_its_former_owner_stays_refused(redis: Redis) -> None:
    old, new = TrackerLog(redis), TrackerLog(redis)
    await old.append("c1", [b"1"])
    await new.load("c1")
    await new.drop("c1")
    with pytest.raises(Fenced):
        await old.append("c1", [b"2"])


async def test_many_calls_at_once_wait_for_a_connection_rather_than_fail(redis: Redis) -> None:
    trackers = TrackerLog(redis)
    await asyncio.gather(*(trackers.append(f"c{number}", [b"1"]) for number in range(300)))
    assert await redis.exists(*(f"huashu:call:c{number}:tracker" for number in range(300))) == 300
