"""Assisted calls on real Redis: each utterance once, nothing after the end, names never in clear."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from redis.asyncio import Redis

from bot import events as ev
from bot.bus import keys
from bot.bus.assisted import AssistedCalls, NoWorker, OpenCall, Posted, Utterance
from bot.bus.log import EventLog
from bot.store.keys import Keys
from bot.store.sealing import Sealer

AT = "2026-11-22T10:00:00+08:00"
CONTACT = {"id": "k-1", "name": "张伟", "phone": "13800138000", "city": "杭州", "monthly_bill": 128}
SEALER = Sealer(Keys(bytes(range(32))))


@dataclass
class Workers:
    """Workers that live as a test says."""

    living: list[str] = field(default_factory=lambda: ["w1"])

    async def choose(self, script: str) -> tuple[str, str]:
        if not self.living:
            raise NoWorker(f"no assist worker serves '{script}'")
        return self.living[0], "v1"

    async def alive(self, worker: str) -> bool:
        return worker in self.living


def calls_of(redis: Redis, workers: Workers | None = None) -> AssistedCalls:
    return AssistedCalls(redis, SEALER, workers or Workers())


def opening(call_id: str = "c1", **more: Any) -> OpenCall:
    fields = {"call_id": call_id, "script": "bundle", "agent_id": "li", "contact": CONTACT, "at": AT}
    return OpenCall(**{**fields, **more})


def words(number: int, text: str = "太贵了", *, final: bool = True, party: Any = "customer") -> Utterance:
    return Utterance(
        utterance_id=f"u{number}", party=party, text=text, begin_ms=number * 1000, end_ms=number * 1000 + 500,
        final=final,
    )  # fmt: skip


async def inbox(redis: Redis, worker: str = "w1") -> list[dict[bytes, bytes]]:
    return [fields for _, fields in await redis.xrange(keys.assist_inbox(worker))]


async def test_a_call_begins_in_its_log_its_worker_s_inbox_and_before_the_supervisor(redis: Redis) -> None:
    calls = calls_of(redis)
    meta = await calls.open(opening())
    assert (meta.worker, meta.script_version, meta.agent_id) == ("w1", "v1", "li")
    [started] = await EventLog(redis).read("c1")
    assert isinstance(started, ev.CallStarted) and started.mode == "assist"
    assert [fields[b"c"] for fields in await inbox(redis)] == [b"c1"]
    assert await redis.smembers(keys.assist_calls("w1")) == {b"c1"}
    assert len(await calls.live("default")) == 1
    assert await calls.call_of_agent("default", "li") == "c1"


async def test_a_call_begun_twice_is_one_call(redis: Redis) -> None:
    calls = calls_of(redis)
    first = await calls.open(opening())
    assert await calls.open(opening(agent_id="wang")) == first
    assert len(await EventLog(redis).read("c1")) == 1
    assert await calls.call_of_agent("default", "wang") is None


async def test_without_a_worker_no_call_begins(redis: Redis) -> None:
    with pytest.raises(NoWorker):
        await calls_of(redis, Workers([])).open(opening())
    assert await redis.keys("huashu:call:*") == []


async def test_an_utterance_goes_to_log_feed_and_inbox_under_one_number(redis: Redis) -> None:
    calls = calls_of(redis)
    await calls.open(opening())
    feed = redis.pubsub()
    await feed.subscribe(keys.feed("c1"))
    assert await calls.post("c1", [words(1)]) == [Posted("new", 2)]
    published = None
    while published is None or published["type"] != "message":
        published = await feed.get_message(timeout=5)
    await feed.aclose()
    seq, _, data = published["data"].partition(b" ")
    last = (await inbox(redis))[-1]
    assert (seq, data) == (b"2", last[b"e"]) and last[b"q"] == b"2"
    assert (await EventLog(redis).read("c1"))[-1] == ev.numbered(ev.decode(data), 2)


async def test_the_same_utterance_again_is_no_second_one(redis: Redis) -> None:
    calls = calls_of(redis)
    await calls.open(opening())
    posted = await calls.post("c1", [words(1), words(1), words(2)])
    assert posted == [Posted("new", 2), Posted("repeat", 2), Posted("new", 3)]
    assert await calls.post("c1", [words(1)]) == [Posted("repeat", 2)]
    assert len(await EventLog(redis).read("c1")) == len(await inbox(redis)) == 3


async def test_the_same_utterance_from_many_processes_at_once_counts_once(redis: Redis) -> None:
    await calls_of(redis).open(opening())
    processes = [calls_of(redis) for _ in range(8)]
    results = await asyncio.gather(*(one.post("c1", [words(1)]) for one in processes))
    assert sorted(result[0].outcome for result in results) == ["new"] + ["repeat"] * 7


async def test_words_so_far_that_come_after_the_final_text_are_dropped(redis: Redis) -> None:
    calls = calls_of(redis)
    await calls.open(opening())
    posted = await calls.post("c1", [words(1, "太", final=False), words(1), words(1, "太贵", final=False)])
    assert [one.outcome for one in posted] == ["new", "new", "dropped"]
    kinds = [type(event) for event in await EventLog(redis).read("c1")]
    assert kinds == [ev.CallStarted, ev.UtterancePartial, ev.UtteranceFinal]


async def test_an_unknown_call_takes_nothing(redis: Redis) -> None:
    calls = calls_of(redis)
    assert await calls.post("nobody", [words(1), words(2)]) == [Posted("unknown")] * 2
    assert (await calls.end("nobody", "agent", 0)).outcome == "unknown"
    assert (await calls.feedback("nobody", "nobody.1", "used", 0, None)).outcome == "unknown"
    assert (await calls.whisper("nobody", "先道歉", "qian", "1")).outcome == "unknown"
    assert await calls.meta("nobody") is None and await calls.contact("nobody") is None
    assert await calls.reassign("nobody", "li") is None
    assert await redis.keys("huashu:call:*") == []


async def test_a_call_that_ended_takes_nothing_more_and_ends_once(redis: Redis) -> None:
    calls = calls_of(redis)
    await calls.open(opening())
    assert (await calls.end("c1", "agent", 5000)).outcome == "new"
    assert (await calls.end("c1", "customer", 6000)).outcome == "repeat"
    assert await calls.post("c1", [words(1), words(2, final=False)]) == [Posted("ended")] * 2
    assert (await calls.feedback("c1", "c1.1", "used", 0, None)).outcome == "ended"
    assert await calls.ended("c1")
    assert [b"end" in fields for fields in await inbox(redis)] == [False, True]


async def test_an_archived_log_takes_nothing_more(redis: Redis) -> None:
    calls = calls_of(redis)
    await calls.open(opening())
    await EventLog(redis).close("c1")
    assert await calls.post("c1", [words(1)]) == [Posted("ended")]
    assert await calls.ended("c1")


async def test_when_the_worker_dies_its_call_moves_with_what_comes_next(redis: Redis) -> None:
    workers = Workers()
    calls, other = calls_of(redis, workers), calls_of(redis, workers)
    await calls.open(opening())
    workers.living = ["w2"]
    assert (await calls.post("c1", [words(1)]))[0].outcome == "new"
    assert (await other.post("c1", [words(2)]))[0].outcome == "new"
    mine = await inbox(redis, "w2")
    assert [fields.get(b"moved") for fields in mine] == [b"1", None, None]
    assert [fields.get(b"q") for fields in mine] == [None, b"2", b"3"]
    assert await redis.smembers(keys.assist_calls("w2")) == {b"c1"}
    assert await redis.smembers(keys.assist_calls("w1")) == set()


async def test_with_no_worker_left_words_wait_for_the_one_that_comes_back(redis: Redis) -> None:
    workers = Workers()
    calls = calls_of(redis, workers)
    await calls.open(opening())
    workers.living = []
    assert (await calls.post("c1", [words(1)]))[0].outcome == "new"
    assert len(await inbox(redis, "w1")) == 2


async def test_names_and_numbers_are_masked_before_anything_is_kept(redis: Redis) -> None:
    calls = calls_of(redis)
    await calls.open(opening())
    text = "我是张伟,电话13800138000"
    await calls.post("c1", [words(1, text, final=False), words(1, text)])
    await calls.feedback("c1", "c1.1", "edited", 0, "张先生您好,是张伟本人吗13800138000")
    for name in await redis.keys("*"):
        kind = await redis.type(name)
        kept = b""
        if kind == b"string":
            kept = await redis.get(name)
        elif kind == b"stream":
            kept = b"".join(value for _, fields in await redis.xrange(name) for value in fields.values())
        elif kind == b"hash":
            kept = b"".join(await redis.hvals(name))
        assert "张伟".encode() not in kept and b"13800138000" not in kept, name
    assert await calls.contact("c1") == CONTACT


async def test_another_process_reads_the_call_s_opening(redis: Redis) -> None:
    earlier = ({"utterance_id": "b1", "party": "customer", "text": "太贵了"},)
    await calls_of(redis).open(opening(earlier=earlier, facts={"leaving": True}))
    read = await calls_of(redis).opening("c1")
    assert read is not None and read.earlier == earlier
    assert (read.facts, read.contact) == ({"leaving": True}, CONTACT)


async def test_the_contact_cannot_be_read_from_another_call(redis: Redis) -> None:
    calls = calls_of(redis)
    await calls.open(opening())
    await calls.open(opening("c2"))
    await redis.copy(keys.call_contact("c1"), keys.call_contact("c2"), replace=True)
    with pytest.raises(Exception, match="not sealed"):
        await calls_of(redis).contact("c2")


async def test_a_call_given_to_another_agent_is_theirs_alone(redis: Redis) -> None:
    calls = calls_of(redis)
    await calls.open(opening())
    hears = redis.pubsub()
    await hears.subscribe(keys.agent_channel("default", "wang"))
    moved = await calls.reassign("c1", "wang")
    assert moved is not None and moved.agent_id == "wang"
    assert await calls.call_of_agent("default", "wang") == "c1"
    assert await calls.call_of_agent("default", "li") is None
    said = None
    while said is None or said["type"] != "message":
        said = await hears.get_message(timeout=5)
    await hears.aclose()
    assert said["data"] == b"c1"
    fresh = await calls_of(redis).meta("c1")
    assert fresh is not None and fresh.agent_id == "wang"


async def test_reassigning_an_old_call_leaves_the_agent_s_newer_call(redis: Redis) -> None:
    calls = calls_of(redis)
    await calls.open(opening())
    await calls.open(opening("c2"))
    await calls.reassign("c1", "wang")
    assert await calls.call_of_agent("default", "li") == "c2"


async def test_a_whisper_is_a_pinned_card_from_the_supervisor(redis: Redis) -> None:
    calls = calls_of(redis)
    await calls.open(opening())
    assert (await calls.whisper("c1", "先道歉", "qian", "7")).outcome == "new"
    event = (await EventLog(redis).read("c1"))[-1]
    assert isinstance(event, ev.SuggestionEvent)
    card = event.suggestion
    assert (card["id"], card["text"], card["pinned"], card["kind"]) == ("c1.w7", "先道歉", True, "action")


async def test_what_nobody_archives_goes_by_itself(redis: Redis) -> None:
    calls = calls_of(redis)
    await calls.open(opening())
    await calls.post("c1", [words(1)])
    for name in await redis.keys("huashu:call:c1:*"):
        assert await redis.ttl(name) > 0, name
