"""The event log: one sequence a call, fenced writers, numbers that make repeats harmless."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from bot.bus import CallClosed, Fenced, connect
from bot.bus.log import Appended, EventLog
from bot.events import Dtmf, encode, numbered
from bot.redis_server import PrivateRedis


def key(digit: str, call_id: str = "c1") -> Dtmf:
    return Dtmf(call_id=call_id, at_ms=int(digit), wall="2026-11-22T10:00:00+08:00", digit=digit)


async def test_events_come_back_in_order_with_the_log_s_numbers(redis: Redis) -> None:
    log = EventLog(redis)
    writer = await log.take("c1", "voice")
    for digit in "123":
        await log.append(writer, encode(key(digit)))
    assert await log.read("c1") == [numbered(key(d), n) for n, d in enumerate("123", 1)]
    assert [event.seq for event in await log.read("c1", after=1)] == [2, 3]
    assert [event.seq for event in await log.read("c1", after=1, count=1)] == [2]
    assert await log.read("c1", after=3) == []


async def test_writers_of_several_roles_share_one_sequence(redis: Redis) -> None:
    log = EventLog(redis)
    voice, assist = await log.take("c1", "voice"), await log.take("c1", "assist")
    seqs = [(await log.append(writer, encode(key("1")))).seq for writer in (voice, assist, voice)]
    assert seqs == [1, 2, 3]


async def test_a_writer_that_was_taken_over_is_refused_and_leaves_nothing(redis: Redis) -> None:
    log = EventLog(redis)
    old = await log.take("c1", "voice")
    new = await log.take("c1", "voice")
    with pytest.raises(Fenced, match="taken over"):
        await log.append(old, encode(key("1")))
    await log.append(new, encode(key("2")))
    assert [event.digit for event in await log.read("c1")] == ["2"]


async def test_tokens_grow_even_over_an_emptied_redis(redis: Redis) -> None:
    log = EventLog(redis)
    before = await log.take("c1", "voice")
    await redis.flushall()
    after = await log.take("c1", "voice")
    assert after.token > before.token
    with pytest.raises(Fenced):
        await log.append(before, encode(key("1")))


async def test_a_repeat_is_recognised_and_a_gap_is_refused(redis: Redis) -> None:
    log = EventLog(redis)
    writer = await log.take("c1", "voice")
    assert await log.append(writer, encode(key("1")), 1) == Appended("new", seq=1)
    assert await log.append(writer, encode(key("1")), 1) == Appended("repeat", seq=1)
    assert await log.append(writer, encode(key("3")), 3) == Appended("gap", last=1)
    assert [event.seq for event in await log.read("c1")] == [1]


async def test_a_closed_log_takes_nothing_more_and_knows_its_last_event(redis: Redis) -> None:
    log = EventLog(redis)
    writer = await log.take("c1", "voice")
    await log.append(writer, encode(key("1")), 1)
    await log.close("c1")
    with pytest.raises(CallClosed):
        await log.append(writer, encode(key("2")), 2)
    with pytest.raises(CallClosed):
        await log.take("c1", "voice")
    assert (await log.append(writer, encode(key("1")), 1)).outcome == "repeat"


async def test_a_refusal_in_a_batch_stands_in_its_place(redis: Redis) -> None:
    log = EventLog(redis)
    old = await log.take("c1", "voice")
    await log.take("c1", "voice")
    other = await log.take("c2", "voice")
    refused, written = await log.append_many([(old, encode(key("1")), 1), (other, encode(key("1", "c2")), 1)])
    assert isinstance(refused, Fenced)
    assert written == Appended("new", seq=1)


async def test_the_tail_of_many_calls_gives_each_event_once(redis: Redis) -> None:
    log = EventLog(redis)
    cursors = {"c1": 0, "c2": 0}
    for call_id in cursors:
        writer = await log.take(call_id, "voice")
        await log.append(writer, encode(key("1", call_id)))
        await log.append(writer, encode(key("2", call_id)))
    seen = [(event.call_id, event.seq) for event in await log.tail(cursors)]
    assert sorted(seen) == [("c1", 1), ("c1", 2), ("c2", 1), ("c2", 2)]
    assert cursors == {"c1": 2, "c2": 2}
    assert await log.tail(cursors, block_ms=1) == []


@settings(max_examples=25, deadline=None)
@given(sends=st.lists(st.integers(1, 6), max_size=30))
async def test_whatever_is_sent_again_the_log_holds_each_number_once_in_order(
    shared_server: PrivateRedis, sends: list[int]
) -> None:
    client = connect(shared_server.url)
    await client.flushall()
    log = EventLog(client)
    writer = await log.take("c1", "voice")
    for number in sends:
        await log.append(writer, encode(key(str(number))), number)
    held = [event.digit for event in await log.read("c1")]
    expected = 0
    for number in sends:
        expected = max(expected, number) if number <= expected + 1 else expected
    assert held == [str(number) for number in range(1, expected + 1)]
    await client.aclose()
