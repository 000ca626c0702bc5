"""The worker on real Redis and SQLite: advice appears, a killed worker's calls go on, each ends once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
import sqlalchemy as sa
from redis.asyncio import Redis

from assist.learning.policy import Policy
from assist.text_call import AssistedScript
from assist.worker import AssistWorker
from bot import events as ev
from bot.bus import Fenced, keys
from bot.bus.assisted import AssistedCalls, OpenCall, Utterance
from bot.bus.log import EventLog
from bot.dialogue.version import ScriptVersion
from bot.processes.assist_workers import RegisteredWorkers
from bot.processes.registry import take_name
from bot.store.calls import archived_events, is_archived
from bot.store.database import Database
from bot.store.keys import Keys
from bot.store.schema import outcomes
from bot.store.sealing import Sealer
from tests.assist.small_script import LINES, SMALL

AT = "2026-11-22T10:00:00+08:00"
SEALER = Sealer(Keys(bytes(range(32))))


@pytest.fixture(scope="module")
def loaded(ringback: ScriptVersion) -> AssistedScript:
    return cast(AssistedScript, SimpleNamespace(version=ringback, script=SMALL, lines=LINES))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(f"sqlite:///{tmp_path / 'huashu.db'}")
    yield opened
    opened.close()


def calls_of(redis: Redis) -> AssistedCalls:
    return AssistedCalls(redis, SEALER, RegisteredWorkers(redis))


class Running:
    """A worker that serves until it is stopped, or killed: then it does nothing more, at once."""

    def __init__(self, redis: Redis, name: str, loaded: AssistedScript, database: Database) -> None:
        self.redis, self.name = redis, name
        self.worker = AssistWorker(
            redis, name, {"small": loaded}, calls_of(redis), database, Policy.initial()
        )
        self.stop = asyncio.Event()

    async def start(self) -> None:
        lease = await take_name(self.redis, self.name)
        await self.worker.recover()
        await self.worker.announce()
        self.task = asyncio.create_task(self.worker.serve(lease, self.stop))

    async def kill(self) -> None:
        """As the death of its process: no word to anybody; the lease and what it announced run out."""
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Fenced):
            await self.task
        await self.redis.delete(keys.lease(f"brain:{self.name}"), keys.member("assist", self.name))

    async def end(self) -> None:
        self.stop.set()
        with contextlib.suppress(Fenced):
            await self.task


@contextlib.asynccontextmanager
async def worker(
    redis: Redis, loaded: AssistedScript, database: Database, name: str = "a1"
) -> AsyncIterator[Running]:
    running = Running(redis, name, loaded, database)
    await running.start()
    try:
        yield running
    finally:
        await running.end()


async def until(redis: Redis, holds: Callable[[list[Any]], bool], call_id: str = "c1") -> list[Any]:
    """The call's log as soon as this holds of it."""
    log = EventLog(redis)
    cursors = {call_id: 0}
    events = await log.read(call_id)
    cursors[call_id] = events[-1].seq if events else 0
    async with asyncio.timeout(20):
        while not holds(events):
            events += await log.tail(cursors, block_ms=200)
    return events


async def begin(calls: AssistedCalls, call_id: str = "c1", agent: str = "li") -> None:
    contact = {"name": "张伟", "phone": "13800138000", "monthly_bill": 129}
    await calls.open(OpenCall(call_id=call_id, script="small", agent_id=agent, contact=contact, at=AT))


async def say(calls: AssistedCalls, number: int, party: Any, text: str, call_id: str = "c1") -> None:
    [posted] = await calls.post(
        call_id,
        [Utterance(utterance_id=f"u{number}", party=party, text=text, begin_ms=number * 3000,
                   end_ms=number * 3000 + 2000, final=True)],
    )  # fmt: skip
    assert posted.outcome == "new"


def answered(*numbers: int) -> Callable[[list[Any]], bool]:
    wanted = {f"u{number}" for number in numbers}
    return lambda events: wanted <= {event.after for event in events if isinstance(event, ev.PanelEvent)}


def cards(events: list[Any]) -> list[str]:
    return [event.suggestion["id"] for event in events if isinstance(event, ev.SuggestionEvent)]


def over(events: list[Any]) -> bool:
    return any(isinstance(event, ev.CallEnded) for event in events)


async def archived(database: Database, redis: Redis, call_id: str = "c1") -> list[Any]:
    """The kept events, as soon as the log is closed."""
    async with asyncio.timeout(20):
        while not await redis.hget(keys.log_state(call_id), "closed"):
            await asyncio.sleep(0.02)
    with database.read() as connection:
        assert is_archived(connection, "default", call_id)
        return archived_events(connection, "default", call_id)


async def test_advice_appears_in_the_log_and_in_the_snapshot(redis, loaded, database):
    calls = calls_of(redis)
    async with worker(redis, loaded, database):
        await begin(calls)
        await say(calls, 1, "customer", "太贵了吧")
        events = await until(redis, answered(1))
        async with asyncio.timeout(20):
            while (data := await calls.snapshot("c1")) is None or b"c1.1" not in data:
                await asyncio.sleep(0.02)
    shot = msgspec.json.decode(data)
    assert shot["panel"]["card"] == cards(events)[0] == "c1.1"
    assert shot["transcript"][0]["text"] == "太贵了吧"
    [row] = [msgspec.json.decode(one) for one in await calls.live("default")]
    assert row["trouble"] == "客户有异议"
    assert "张伟" not in data.decode() and "13800138000" not in data.decode()


async def test_a_killed_worker_s_call_goes_on_under_the_same_name_nothing_lost_nothing_twice(
    redis, loaded, database
):
    calls = calls_of(redis)
    first = Running(redis, "a1", loaded, database)
    await first.start()
    await begin(calls)
    await say(calls, 1, "customer", "太贵了吧")
    before = cards(await until(redis, answered(1)))
    await first.kill()
    await say(calls, 2, "agent", "谁都想省钱,您的想法我很理解。")
    await say(calls, 3, "customer", "要不要押金")
    async with worker(redis, loaded, database):
        await say(calls, 4, "agent", "没有初装费,光猫免费用,不用押金。")
        events = await until(redis, answered(1, 2, 3, 4))
    shown = cards(events)
    assert shown[: len(before)] == before and len(shown) == len(set(shown))
    after = [event.after for event in events if isinstance(event, ev.PanelEvent) and event.after]
    assert sorted(after) == ["u1", "u2", "u3", "u4"]


async def test_a_killed_worker_s_call_moves_to_another_and_has_the_cards_it_would_have_had(
    redis, loaded, database
):
    lines = [("customer", "太贵了吧"), ("agent", "谁都想省钱,您的想法我很理解。"), ("customer", "要不要押金")]
    calls = calls_of(redis)
    first = Running(redis, "a1", loaded, database)
    await first.start()
    await begin(calls)
    await begin(calls, "c2", "wang")
    for number, (party, text) in enumerate(lines, start=1):
        await say(calls, number, party, text, "c2")
    whole = cards(await until(redis, answered(1, 2, 3), "c2"))
    await say(calls, 1, *lines[0])
    await until(redis, answered(1))
    await first.kill()
    async with worker(redis, loaded, database, "a2"):
        calls = calls_of(redis)
        for number, (party, text) in enumerate(lines[1:], start=2):
            await say(calls, number, party, text)
        events = await until(redis, answered(1, 2, 3))
    assert [one.replace("c1", "c2") for one in cards(events)] == whole
    assert await redis.hget(keys.log_state("c1"), "worker") == b"a2"


async def test_an_ended_call_is_summed_up_once_archived_and_gone_from_the_live_ones(redis, loaded, database):
    calls = calls_of(redis)
    async with worker(redis, loaded, database):
        await begin(calls)
        await say(calls, 1, "customer", "太贵了吧")
        await calls.end("c1", "customer", 9000)
        await calls.end("c1", "agent", 9000)
        events = await archived(database, redis)
    assert [type(event) for event in events].count(ev.CallEnded) == 1
    assert any(isinstance(event, ev.DecisionEvent) for event in events)
    with database.read() as connection:
        [row] = connection.execute(sa.select(outcomes)).mappings()
    assert (row["disposition"], row["ended_by"]) == ("declined", "customer")
    assert await calls.live("default") == []
    assert await redis.smembers(keys.assist_calls("a1")) == set()
    shot = msgspec.json.decode(await calls.snapshot("c1") or b"{}")
    assert shot["call"]["ended"] and shot["panel"]["after_call"]["disposition"] == "declined"


async def test_a_call_that_ended_while_no_worker_lived_is_finished_by_the_next(redis, loaded, database):
    calls = calls_of(redis)
    first = Running(redis, "a1", loaded, database)
    await first.start()
    await begin(calls)
    await say(calls, 1, "customer", "太贵了吧")
    await until(redis, answered(1))
    await first.kill()
    await calls.end("c1", "agent", 9000)
    async with worker(redis, loaded, database):
        events = await archived(database, redis)
    assert [type(event) for event in events].count(ev.CallEnded) == 1


async def test_a_worker_killed_between_the_last_record_and_the_archive_writes_no_second_one(
    redis, loaded, database
):
    calls = calls_of(redis)
    first = Running(redis, "a1", loaded, database)
    await first.start()
    await begin(calls)
    await say(calls, 1, "customer", "太贵了吧")
    await until(redis, answered(1))

    async def dies(*_: object) -> None:
        raise asyncio.CancelledError

    first.worker._store = dies  # the process dies right after the last record is written
    await calls.end("c1", "agent", 9000)
    await until(redis, over)
    await first.kill()
    async with worker(redis, loaded, database):
        events = await archived(database, redis)
    assert [type(event) for event in events].count(ev.CallEnded) == 1


async def test_redis_going_away_for_a_moment_loses_no_advice(redis, loaded, database, monkeypatch):
    from bot.bus import BusDown

    calls = calls_of(redis)
    async with worker(redis, loaded, database) as running:
        await begin(calls)
        await say(calls, 1, "customer", "太贵了吧")
        await until(redis, answered(1))
        real, failures = running.worker._log.append_many, [1]

        async def fails_once(*args: Any, **more: Any) -> Any:
            if failures:
                failures.pop()
                raise BusDown("gone for a moment")
            return await real(*args, **more)

        monkeypatch.setattr(running.worker._log, "append_many", fails_once)
        await say(calls, 2, "customer", "要不要押金")
        events = await until(redis, answered(1, 2))
    assert len(cards(events)) == len(set(cards(events)))


async def test_a_call_that_another_worker_took_does_not_end_the_worker_that_had_it(redis, loaded, database):
    calls = calls_of(redis)
    async with worker(redis, loaded, database) as running:
        await begin(calls)
        await say(calls, 1, "customer", "太贵了吧")
        await until(redis, answered(1))
        await EventLog(redis).take("c1", "assist")
        running.worker._live["c1"]._clock_ms += 60_000  # its card's time is over
        await running.worker._tick()
        assert "c1" not in running.worker._live
        await begin(calls, "c2", "wang")
        await say(calls, 1, "customer", "太贵了吧", "c2")
        assert cards(await until(redis, answered(1), "c2"))


async def test_an_event_that_cannot_be_understood_stops_nobody(redis, loaded, database):
    calls = calls_of(redis)
    async with worker(redis, loaded, database):
        await begin(calls)
        await redis.xadd(keys.assist_inbox("a1"), {"c": "c1", "q": "1000", "e": "no event"})
        await redis.xadd(keys.assist_inbox("a1"), {"c": "nobody", "q": "2", "e": "{}"})
        await begin(calls, "c2", "wang")
        await say(calls, 1, "customer", "太贵了吧", "c2")
        assert cards(await until(redis, answered(1), "c2"))
