"""The end of a call: in SQL once, out of Redis, whatever died before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from redis.asyncio import Redis
from store.test_calls import whole_call

from bot import events as ev
from bot.bus import CallClosed, connect
from bot.bus.journaled import JournaledCall, JournaledLog
from bot.bus.log import EventLog
from bot.bus.trackers import TrackerLog
from bot.processes import archiver as module
from bot.processes.archiver import DIED, Archiver
from bot.redis_server import PrivateRedis
from bot.store.calls import archived_events, call_outcomes
from bot.store.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(f"sqlite:///{tmp_path / 'huashu.db'}")
    yield opened
    opened.close()


class Voice:
    """What a voice process has of the bus."""

    def __init__(self, redis: Redis, folder: Path, database: Database) -> None:
        self.log = EventLog(redis)
        self.journaled = JournaledLog(self.log, folder / "journal")
        self.trackers = TrackerLog(redis)
        self.archiver = Archiver(self.journaled, self.trackers, database)
        self.journaled.start()

    async def talk(self, events: list[ev.AnyEvent]) -> JournaledCall:
        call = await self.journaled.open(events[0].call_id)
        for event in events:
            await call.append(ev.numbered(event, 0))
        return call

    async def die(self) -> None:
        await self.journaled.stop()


def outcome(database: Database, call_id: str = "c1") -> tuple[str, str]:
    with database.read() as connection:
        [row] = call_outcomes(connection, "t", [call_id])
    return row["disposition"], row["cause"]


async def test_an_ended_call_is_in_sql_and_out_of_redis(
    redis: Redis, tmp_path: Path, database: Database
) -> None:
    voice = Voice(redis, tmp_path, database)
    call = await voice.talk(whole_call())
    await voice.trackers.append("t/c1", [b"turn"])
    assert await voice.archiver.archive(call)
    with database.read() as connection:
        assert archived_events(connection, "t", "c1") == whole_call()
    with pytest.raises(CallClosed):
        await voice.log.take("c1", "voice")
    assert await TrackerLog(redis).load("t/c1") == []
    assert 0 < await redis.ttl("huashu:call:c1:log") <= 60
    assert list((tmp_path / "journal").iterdir()) == []
    await voice.die()


async def test_a_call_cut_off_gets_one_final_record(redis: Redis, tmp_path: Path, database: Database) -> None:
    dead = Voice(redis, tmp_path, database)
    await dead.talk(whole_call()[:6])
    await dead.die()
    heirs = [Voice(redis, tmp_path, database) for _ in range(2)]
    recovered = [await heir.archiver.recover() for heir in heirs]
    assert recovered == [["c1"], []]
    assert outcome(database) == ("failed", DIED)
    with database.read() as connection:
        kept = archived_events(connection, "t", "c1")
    assert [event.seq for event in kept] == list(range(1, 8))
    for heir in heirs:
        await heir.die()


async def test_a_call_that_had_ended_keeps_its_own_outcome(
    redis: Redis, tmp_path: Path, database: Database
) -> None:
    dead = Voice(redis, tmp_path, database)
    await dead.talk(whole_call())
    await dead.die()
    heir = Voice(redis, tmp_path, database)
    assert await heir.archiver.recover() == ["c1"]
    assert outcome(database) == ("hung_up", "hangup")
    await heir.die()


async def test_a_call_that_was_archived_and_whose_file_was_left_is_not_archived_again(
    redis: Redis, tmp_path: Path, database: Database
) -> None:
    dead = Voice(redis, tmp_path, database)
    call = await dead.talk(whole_call())
    copy = call.journal.path.read_bytes()
    await dead.archiver.archive(call)
    call.journal.path.write_bytes(copy)
    await dead.die()
    heir = Voice(redis, tmp_path, database)
    assert await heir.archiver.recover() == []
    assert list((tmp_path / "journal").iterdir()) == []
    await heir.die()


async def test_a_call_of_a_dead_process_is_whole_even_after_redis_lost_everything(
    redis: Redis, tmp_path: Path, database: Database
) -> None:
    dead = Voice(redis, tmp_path, database)
    await dead.talk(whole_call())
    await dead.die()
    await redis.flushall()
    heir = Voice(redis, tmp_path, database)
    await heir.archiver.recover()
    with database.read() as connection:
        assert archived_events(connection, "t", "c1") == whole_call()
    await heir.die()


async def test_a_call_that_ends_while_redis_is_away_is_archived_from_its_file(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.1)
    (tmp_path / "redis").mkdir()
    with PrivateRedis(tmp_path / "redis") as server:
        client = connect(server.url)
        voice = Voice(client, tmp_path, database)
        log = whole_call()
        call = await voice.talk(log[:5])
        server._end_process()
        for event in log[5:]:
            await call.append(ev.numbered(event, 0))
        assert await voice.archiver.archive(call)
        with database.read() as connection:
            assert archived_events(connection, "t", "c1") == log
        await voice.die()
        await client.aclose()


async def test_a_broken_database_leaves_the_file_for_later(
    redis: Redis, tmp_path: Path, database: Database
) -> None:
    voice = Voice(redis, tmp_path, database)
    call = await voice.talk(whole_call())
    with database.write() as connection:
        connection.execute(sa.text("ALTER TABLE outcomes RENAME TO away"))
    assert not await voice.archiver.archive(call)
    await voice.die()
    with database.write() as connection:
        connection.execute(sa.text("ALTER TABLE away RENAME TO outcomes"))
    heir = Voice(redis, tmp_path, database)
    assert await heir.archiver.recover() == ["c1"]
    assert outcome(database) == ("hung_up", "hangup")
    await heir.die()
