"""Calls that come up on lines: each token once, contacts of strangers are data, and one call is one call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from bot.bus import keys
from bot.bus.journaled import JournaledLog
from bot.bus.log import EventLog
from bot.bus.trackers import TrackerLog
from bot.call.answering.verdict import Answering
from bot.call.pcm import SILENT_FRAME
from bot.call.ports import HungUpIn, LegCapabilities, Receive, TransferFailed
from bot.phone.arrivals import Arrival
from bot.processes import script_data
from bot.processes.archiver import Archiver
from bot.processes.calls import CallRefused, Calls, Shared, Wishes
from bot.processes.expected import KEEP_S, ExpectedCall, claim, expect
from bot.processes.line_calls import MOST_CONTACT_BYTES, LineCalls, OneScript, contact_of
from bot.speech.vad_batch import SileroDetection
from bot.store.calls import call_outcomes
from bot.store.database import Database
from bot.turn import Line, Reply, TurnRequest
from bot.understanding.completeness import Completeness, dump

SCRIPT, VERSION = "ringback", "scripted"
GREETING = Line(node="greeting", text="您好。")


class Leg:
    """A line without sound.  `over`: done when we hang up or it does."""

    capabilities = LegCapabilities(words=True, flush=True)

    def __init__(self) -> None:
        self.hung_up: list[str] = []
        self.sent = 0
        self.spoken_to = asyncio.Event()
        self.over = asyncio.Event()
        self._receive: Receive | None = None

    def listen(self, receive: Receive) -> None:
        self._receive = receive

    def send(self, pcm: bytes) -> None:
        self.sent += 1
        if pcm != SILENT_FRAME:
            self.spoken_to.set()

    def flush(self) -> None: ...

    def mark(self, name: str) -> None: ...

    def send_digits(self, digits: str) -> None: ...

    async def transfer(self, target: str) -> None:
        raise TransferFailed("no switch")

    async def hang_up(self, cause: str) -> None:
        if not self.hung_up:
            self.hung_up.append(cause)
        self.over.set()

    def hangs_up(self) -> None:
        assert self._receive is not None
        self._receive(HungUpIn("customer"))
        self.over.set()


class Brain:
    """Greets, and then says no more."""

    async def ask(self, request: TurnRequest) -> Reply:
        lines = (GREETING,) if request.kind == "open" else ()
        return Reply(call_id=request.call_id, turn=request.turn, lines=lines, expects="open_question")

    def version(self, script: str) -> str | None:
        return VERSION if script == SCRIPT else None


class Site:
    def __init__(self, redis: Redis, database: Database, calls: Calls, lines: LineCalls) -> None:
        self.redis, self.calls, self.lines, self._database = redis, calls, lines, database
        self.legs: list[Leg] = []

    def comes(self, line_id: str, **parameters: str) -> Leg:
        leg = Leg()
        self.legs.append(leg)
        self.lines.arrived(Arrival(leg=leg, provider="twilio", line_id=line_id, parameters=parameters))
        return leg

    async def ended(self, *legs: Leg) -> dict[str, str]:
        """When these are over and archived: disposition by call."""
        async with asyncio.timeout(30):
            for leg in legs:
                await leg.over.wait()
            while self.calls.count > sum(not leg.over.is_set() for leg in self.legs):
                await asyncio.sleep(0)  # until they are archived
        with self._database.read() as connection:
            rows = call_outcomes(connection, "default")
        return {row["call_id"]: row["disposition"] for row in rows}


@asynccontextmanager
async def site(redis: Redis, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setenv("HUASHU_DATA", str(folder))
    data = {"script": SCRIPT, "version": VERSION, "completeness": dump(Completeness({}))}
    published = msgspec.json.encode(data | {"phrases": {}, "lines": []})
    await script_data.publish(redis, SCRIPT, VERSION, published)
    database = Database.open(f"sqlite:///{folder / 'huashu.db'}")
    log = JournaledLog(EventLog(redis), folder / "journal")
    log.start()
    brain = Brain()
    shared = Shared(
        redis=redis, brain=brain, log=log, archiver=Archiver(log, TrackerLog(redis), database),
        voices=SileroDetection(), answering=Answering,
    )  # fmt: skip
    calls = Calls(shared)
    lines = LineCalls(redis, calls, brain, OneScript(SCRIPT), wishes=lambda *_: Wishes())
    try:
        yield Site(redis, database, calls, lines)
    finally:
        await calls.stop()
        await lines.stop()
        await log.stop()
        database.close()


def waiting(call_id: str = "k1", **more: Any) -> ExpectedCall:
    return ExpectedCall(call_id=call_id, script=SCRIPT, contact={"name": "张伟"}, **more)


async def test_a_token_is_worth_one_call_once(redis: Redis) -> None:
    await expect(redis, waiting(), "t1")
    found = await asyncio.gather(claim(redis, "t1"), claim(redis, "t1"))
    assert [call for call in found if call is not None] == [waiting()]
    assert await claim(redis, "t1") is None


async def test_who_comes_second_with_a_call_does_not_replace_the_first(redis: Redis) -> None:
    await expect(redis, waiting("k1"), "t1")
    await expect(redis, waiting("k2"), "t1")
    assert await claim(redis, "t1") == waiting("k1")


async def test_what_was_left_for_a_token_goes_by_itself(redis: Redis) -> None:
    await expect(redis, waiting(), "t1")
    assert 0 < await redis.ttl(keys.expected("t1")) <= KEEP_S
    await redis.pexpire(keys.expected("t1"), 0)
    assert await claim(redis, "t1") is None


async def test_of_two_sockets_with_one_token_the_second_is_refused_and_the_first_goes_on(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site(redis, tmp_path, monkeypatch) as here:
        await expect(redis, waiting(), "t1")
        legs = [here.comes("CA1", call="t1"), here.comes("CA2", call="t1")]
        async with asyncio.timeout(30):
            done, _ = await asyncio.wait(
                [asyncio.create_task(leg.over.wait()) for leg in legs], return_when="FIRST_COMPLETED"
            )
        assert len(done) == 1
        [good] = [leg for leg in legs if not leg.over.is_set()]
        [bad] = [leg for leg in legs if leg is not good]
        assert (bad.hung_up, bad.sent) == (["refused"], 0)
        await good.spoken_to.wait()
        assert list(here.calls.held) == ["k1"]
        good.hangs_up()
        assert await here.ended(good) == {"k1": "hung_up"}


async def test_of_two_lines_with_one_id_the_second_is_refused_and_the_first_has_its_own_record(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the first is well under way: neither its log nor its recording is another's."""
    async with site(redis, tmp_path, monkeypatch) as here:
        good = here.comes("CA1")
        early = here.comes("CA1")
        await good.spoken_to.wait()
        late = here.comes("CA1")
        await early.over.wait()
        await late.over.wait()
        assert (early.hung_up, late.hung_up, good.hung_up) == (["refused"], ["refused"], [])
        good.hangs_up()
        assert await here.ended(good) == {"CA1": "hung_up"}
        assert (tmp_path / "recordings" / "CA1.wav").stat().st_size > 44


async def test_an_id_that_an_archived_call_had_is_not_taken_again(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site(redis, tmp_path, monkeypatch) as here:
        first = here.comes("CA1")
        await first.spoken_to.wait()
        first.hangs_up()
        assert await here.ended(first) == {"CA1": "hung_up"}
        recorded = (tmp_path / "recordings" / "CA1.wav").read_bytes()
        again = here.comes("CA1")
        assert await here.ended(again) == {"CA1": "hung_up"}
        assert again.hung_up == ["fault"]
        assert (tmp_path / "recordings" / "CA1.wav").read_bytes() == recorded


BAD = {
    "an unknown token": {"call": "never heard of"},
    "an empty token": {"call": ""},
    "no JSON": {"contact": "{"},
    "no object": {"contact": "[1]"},
    "a number": {"contact": "1e5"},
    "too long": {"contact": json.dumps({"name": "x" * MOST_CONTACT_BYTES})},
    "too long in bytes": {"contact": '{"name": "' + "好" * (MOST_CONTACT_BYTES // 2) + '"}'},
    "too deep": {"contact": '{"a":' + "[" * 8000 + "]" * 8000 + "}"},
    "half a character": {"contact": '{"name": "\ud800"}'},
}


@pytest.mark.parametrize("parameters", BAD.values(), ids=BAD)
async def test_a_bad_arrival_is_refused_and_no_other_call_notices(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parameters: dict[str, str]
) -> None:
    async with site(redis, tmp_path, monkeypatch) as here:
        good = here.comes("CA1", contact='{"name": "张伟"}')
        bad = here.comes("CA2", **parameters)
        async with asyncio.timeout(30):
            await bad.over.wait()
            await good.spoken_to.wait()
        assert (bad.hung_up, bad.sent, good.hung_up) == (["refused"], 0, [])
        good.hangs_up()
        assert await here.ended(good) == {"CA1": "hung_up"}
        assert here.lines.coming == 0 == here.calls.count


async def test_a_record_that_is_no_call_ends_that_line_alone(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site(redis, tmp_path, monkeypatch) as here:
        await redis.set(keys.expected("t1"), b"{")
        bad = here.comes("CA2", call="t1")
        await bad.over.wait()
        assert bad.hung_up == ["fault"]
        assert here.lines.coming == 0


async def test_an_unknown_script_is_refused_with_its_name(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with site(redis, tmp_path, monkeypatch) as here:
        await expect(redis, ExpectedCall(call_id="k1", script="no such", contact={}), "t1")
        bad = here.comes("CA1", call="t1")
        await bad.over.wait()
    assert bad.hung_up == ["refused"]
    assert "no brain serves the script 'no such'" in caplog.text


async def test_a_version_that_nobody_published_ends_that_call(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site(redis, tmp_path, monkeypatch) as here:
        await expect(redis, waiting(script_version="old"), "t1")
        bad = here.comes("CA1", call="t1")
        await here.ended(bad)
        assert bad.hung_up == ["fault"]
        assert here.calls.count == 0


@pytest.mark.parametrize("zone", ["Asia", "../../etc/passwd", "no\0zone", "x" * 5000, "Mars/Hills", 7, None])
async def test_a_zone_that_is_none_is_taken_for_china(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: object
) -> None:
    async with site(redis, tmp_path, monkeypatch) as here:
        leg = here.comes("CA1", contact=json.dumps({"timezone": zone}))
        async with asyncio.timeout(30):
            await leg.spoken_to.wait()
        assert str(here.calls.held["CA1"].facts.started.tzinfo) == "Asia/Shanghai"


async def test_a_burst_is_counted_before_any_of_it_is_held(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else every socket of it would pass the load limit."""
    async with site(redis, tmp_path, monkeypatch) as here:
        legs = [here.comes(f"CA{number}") for number in range(5)]
        assert here.lines.coming + here.calls.count == 5
        async with asyncio.timeout(30):
            for leg in legs:
                await leg.spoken_to.wait()
                assert here.lines.coming + here.calls.count == 5
        assert (here.lines.coming, here.calls.count) == (0, 5)


async def test_a_process_that_stops_ends_and_archives_its_calls(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site(redis, tmp_path, monkeypatch) as here:
        leg = here.comes("CA1")
        await leg.spoken_to.wait()
        await here.calls.stop()
        with here._database.read() as connection:
            [row] = call_outcomes(connection, "default")
        assert (row["call_id"], row["disposition"], leg.hung_up) == ("CA1", "failed", ["shutdown"])
        assert list((tmp_path / "journal").iterdir()) == []
        refused = here.comes("CA2")
        await refused.over.wait()
        assert refused.sent == 0


@pytest.mark.parametrize("text", [None, ""])
def test_no_contact_is_an_empty_one(text: str | None) -> None:
    assert contact_of(text) == {}


def test_a_contact_may_fill_its_16_kilobytes_and_no_more() -> None:
    room = MOST_CONTACT_BYTES - len('{"name":""}')
    assert len(contact_of('{"name":"' + "x" * room + '"}')["name"]) == room
    with pytest.raises(CallRefused, match="over 16384 bytes"):
        contact_of('{"name":"' + "x" * (room + 1) + '"}')
