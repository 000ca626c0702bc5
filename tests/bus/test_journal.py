"""The voice process's own record of a call outlives the process and its Redis."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.bus import BusDown, Fenced, connect
from bot.bus.journal import Journal, JournalError, left_over
from bot.bus.journaled import JournaledLog
from bot.bus.log import EventLog
from bot.events import Dtmf
from bot.redis_server import PrivateRedis


def key(number: int, call_id: str = "c1") -> Dtmf:
    return Dtmf(call_id=call_id, at_ms=number, wall="2026-11-22T10:00:00+08:00", digit=str(number))


async def digits(log: EventLog, call_id: str = "c1") -> list[str]:
    return [event.digit for event in await log.read(call_id) if isinstance(event, Dtmf)]


async def test_a_file_in_use_is_not_left_over_and_one_of_the_dead_is(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, "tenant/呼叫 1")
    journal.append(b"one")
    assert list(left_over(tmp_path)) == []
    journal.close()
    [found] = left_over(tmp_path)
    assert (found.call_id, found.records) == ("tenant/呼叫 1", [b"one"])
    found.remove()
    assert list(left_over(tmp_path)) == []


async def test_a_line_cut_off_by_a_crash_is_dropped_and_writing_goes_on(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, "c1")
    journal.append(b"one")
    journal.close()
    with open(journal.path, "ab") as file:
        file.write(b'{"half')
    [found] = left_over(tmp_path)
    assert found.append(b"two") == 2
    found.close()
    [again] = left_over(tmp_path)
    assert again.records == [b"one", b"two"]
    again.close()


async def test_a_call_is_not_recorded_twice(tmp_path: Path) -> None:
    Journal.create(tmp_path, "c1")
    with pytest.raises(JournalError, match="cannot be recorded"):
        Journal.create(tmp_path, "c1")


async def test_a_full_disk_is_told_and_leaves_the_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal.create(tmp_path, "c1")
    journal.append(b"one")
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:2]))
    with pytest.raises(JournalError, match="disk is full"):
        journal.append(b"two")
    monkeypatch.undo()
    journal.close()
    [found] = left_over(tmp_path)
    assert found.records == [b"one"]
    found.close()


async def test_events_reach_redis_in_order_with_their_numbers(redis: Redis, tmp_path: Path) -> None:
    log = EventLog(redis)
    journaled = JournaledLog(log, tmp_path)
    journaled.start()
    call = await journaled.open("c1")
    assert [await call.append(key(n)) for n in range(1, 6)] == [1, 2, 3, 4, 5]
    assert await digits(log) == ["1", "2", "3", "4", "5"]
    await journaled.stop()


async def test_many_calls_at_once_keep_each_its_order(redis: Redis, tmp_path: Path) -> None:
    log = EventLog(redis)
    journaled = JournaledLog(log, tmp_path)
    journaled.start()
    calls = [await journaled.open(f"c{n}") for n in range(20)]

    async def talk(index: int) -> list[int]:
        return [await calls[index].append(key(n, f"c{index}")) for n in range(1, 31)]

    assert await asyncio.gather(*(talk(index) for index in range(20))) == [list(range(1, 31))] * 20
    for index in range(20):
        assert await digits(log, f"c{index}") == [str(n) for n in range(1, 31)]
    await journaled.stop()


@pytest.mark.parametrize("loses_everything", [False, True])
async def test_a_redis_killed_and_restarted_gets_all_events_in_order_without_doubles(
    own_server: PrivateRedis, tmp_path: Path, loses_everything: bool
) -> None:
    client = connect(own_server.url)
    log = EventLog(client)
    journaled = JournaledLog(log, tmp_path / "journal")
    journaled.start()
    call, silent = await journaled.open("c1"), await journaled.open("c2")
    await silent.append(key(1, "c2"))
    for number in range(1, 11):
        await call.append(key(number))
    os.kill(own_server.pid(), signal.SIGKILL)
    assert [await call.append(key(number)) for number in range(11, 31)] == list(range(11, 31))
    assert call.pending
    if loses_everything:
        own_server._end_process()
        for file in (own_server.folder / "appendonlydir").iterdir():
            file.unlink()
    own_server.restart()
    await call.append(key(31))
    await call.flushed()
    expected = [str(number) for number in range(1, 32)]
    assert await digits(log) == expected
    assert [event.seq for event in await log.read("c1")] == list(range(1, 32))
    while await digits(log, "c2") != ["1"]:  # nothing new was written to it: it comes back all the same
        await asyncio.sleep(0)
    await journaled.stop()
    await client.aclose()


async def test_no_call_starts_while_redis_is_away(own_server: PrivateRedis, tmp_path: Path) -> None:
    client = connect(own_server.url)
    journaled = JournaledLog(EventLog(client), tmp_path / "journal")
    own_server._end_process()
    with pytest.raises(BusDown):
        await journaled.open("c1")
    assert not (tmp_path / "journal").exists()
    await client.aclose()


async def test_another_process_goes_on_with_the_call_of_a_dead_one(redis: Redis, tmp_path: Path) -> None:
    log = EventLog(redis)
    dead = JournaledLog(log, tmp_path)
    dead.start()
    call = await dead.open("c1")
    await call.append(key(1))
    await dead.stop()  # what follows was in the file when the process died, not in Redis
    journal = Journal.adopt(tmp_path / "c1.events")
    assert journal is not None
    journal.append(b'{"kind":"dtmf","call_id":"c1","at_ms":2,"wall":"2026-11-22T10:00:00+08:00","digit":"2"}')
    heir = JournaledLog(log, tmp_path)
    heir.start()
    taken = await heir.adopt(journal)
    await taken.append(key(3))
    assert await digits(log) == ["1", "2", "3"]
    with pytest.raises(Fenced):
        await log.append(call.writer, b"{}", 9)
    heir.archived(taken)
    assert list(tmp_path.iterdir()) == []
    await heir.stop()


async def test_a_call_taken_over_refuses_every_later_write(redis: Redis, tmp_path: Path) -> None:
    log = EventLog(redis)
    journaled = JournaledLog(log, tmp_path)
    journaled.start()
    call = await journaled.open("c1")
    await call.append(key(1))
    await log.take("c1", "voice")
    with pytest.raises(Fenced):
        await call.append(key(2))
    with pytest.raises(Fenced):
        await call.append(key(3))
    with pytest.raises(Fenced):
        await call.flushed()
    assert await digits(log) == ["1"]
    await journaled.stop()
