"""One voice process on real sockets of three switches at once: whatever one line does ends that call
alone, with its reason in the archive, and the calls beside it are held to their ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import aiohttp
import pytest
import pytest_asyncio

from bot import events as ev
from tests.phone.asterisk.audiosocket_peer import AudioSocketPeer, message
from tests.whole.lines_stage import BYE, LIMIT_S, OK, Lines, Live

pytestmark = pytest.mark.asyncio(loop_scope="session")

DECLINED = ("bot", "normal", "declined")
BAD_DATA = ("customer", "bad_data", "hung_up")
LOST = ("customer", "line_lost", "hung_up")
HUNG_UP = ("customer", "customer", "hung_up")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lines]:
    async with Lines(tmp_path_factory.mktemp("lines")) as site:
        yield site


@asynccontextmanager
async def neighbours(site: Lines) -> AsyncIterator[list[Live]]:
    """A good call on each switch, up before and held to its end after; the process is the same all the
    time and wrote of no defect of its own."""
    starts, told = site.process.starts, site.log().count("Traceback")
    good: list[Live] = [await site.twilio(), await site.audiosocket(), await site.freeswitch()]
    over = asyncio.Event()

    async def chats(line: Live) -> None:
        while not line.over.is_set():
            await line.turn()
            await line.says("再见" if over.is_set() else "好的")
            if over.is_set():
                return

    for line in good:
        await line.spoken_to()
    chatting = [asyncio.create_task(chats(line)) for line in good]
    yield good
    over.set()
    await asyncio.gather(*chatting)
    for line in good:
        assert await site.outcome(line.line_id) == DECLINED, f"{type(line).__name__} ended with the bad one"
        log = site.events(line.line_id)
        assert [event.seq for event in log] == list(range(1, len(log) + 1))
        await line.until(line.over.is_set)
    assert site.process.starts == starts
    assert site.log().count("Traceback") == told, site.log()[-3000:]


async def test_three_switches_at_once_each_hold_a_whole_call(site: Lines) -> None:
    async with neighbours(site) as lines:
        for line in lines:
            await line.spoken_to(150)
    for line in lines:
        log = site.events(line.line_id)
        heard = [event.text.strip("。") for event in log if isinstance(event, ev.UtteranceFinal)]
        assert heard[0] == "好的" and heard[-1] == "再见"


async def each(cases: dict[str, Callable[[], Awaitable[object]]]) -> dict[str, Any]:
    """All of them at once."""
    async with asyncio.timeout(LIMIT_S):
        found = await asyncio.gather(*(case() for case in cases.values()))
    return dict(zip(cases, found, strict=True))


async def test_what_a_twilio_line_may_do_wrong(site: Lines) -> None:
    Does = Callable[[aiohttp.ClientWebSocketResponse], Awaitable[object]]

    def after(does: Does, goes_on: bool = False) -> Callable[[], Awaitable[object]]:
        async def case() -> object:
            line = await site.twilio()
            await line.spoken_to()
            await does(line.peer.socket)
            if goes_on:
                await line.says("再见")
            return await site.outcome(line.line_id)

        return case

    def text(data: str) -> Does:
        return lambda socket: socket.send_str(data)

    media = '{"event":"media","media":{"track":"inbound","chunk":"1","timestamp":"1","payload":"%s"}}'

    async def cut() -> object:
        line = await site.twilio()
        await line.spoken_to()
        await line.peer.words("我想", final=False)
        line.sounds += OK
        await line.until(lambda: len(line.sounds) < len(OK) // 2)
        line.peer.cut()
        return await site.outcome(line.line_id)

    async def twice() -> object:
        first = await site.twilio()
        await first.spoken_to()
        second = site.twilio_peer(first.line_id)
        await second.start()
        code = await second.closed()
        await first.says("再见")
        return code, await site.outcome(first.line_id)

    async def nothing_begun(*first: str) -> object:
        peer = site.twilio_peer()
        await peer.open()
        for data in first:
            await peer.socket.send_str(data)
        code = await peer.closed()
        return code, site.outcomes().get(peer.call_sid)

    async with neighbours(site):
        found = await each(
            {
                "malformed": after(text("{")),
                "no object": after(text("[1,2]")),
                "no event": after(text("{}")),
                "connected again": after(text('{"event":"connected"}')),
                "another stream": after(text('{"event":"mark","streamSid":"MZ9","mark":{"name":"1.0"}}')),
                "no base64": after(text(media % "%%%")),
                "two seconds in one": after(text(media % ("/" * 22_000))),
                "a key of no telephone": after(text('{"event":"dtmf","dtmf":{"digit":"Z"}}')),
                "binary": after(lambda socket: socket.send_bytes(b"\0" * 160)),
                "a megabyte": after(text('"' + "x" * 1_000_000 + '"')),
                "unknown events": after(text('{"event":"weather","x":[1]}'), goes_on=True),
                "audio without length": after(text(media % ""), goes_on=True),
                "a mark never sent": after(text('{"event":"mark","mark":{"name":"9.9"}}'), goes_on=True),
                "cut in mid-word": cut,
                "two sockets": twice,
                "media first": lambda: nothing_begun(media % "/w=="),
                "no JSON first": lambda: nothing_begun("hello"),
            }
        )
    assert found.pop("two sockets") == (1008, DECLINED)
    assert found.pop("cut in mid-word") == LOST
    for name in ("media first", "no JSON first"):
        code, record = found.pop(name)
        assert (code in (1002, 1003, 1007, 1008), record) == (True, None), name
    for name in ("unknown events", "audio without length", "a mark never sent"):
        assert found.pop(name) == DECLINED, name
    assert found == dict.fromkeys(found, BAD_DATA)


async def test_what_an_audiosocket_may_do_wrong(site: Lines) -> None:
    def after(*data: bytes) -> Callable[[], Awaitable[object]]:
        async def case() -> object:
            line = await site.audiosocket()
            await line.spoken_to()
            for each in data:
                line.peer.raw(each)
            return await site.outcome(line.line_id)

        return case

    async def cut(half: bytes) -> object:
        line = await site.audiosocket()
        await line.spoken_to()
        await Live.close(line)  # it sends no more
        line.peer.raw(half)
        line.peer.half_close()  # `close` with sound unread is a reset instead
        return await site.outcome(line.line_id)

    async def silent() -> object:
        """The network is gone and nobody says so: no sound, no end."""
        line = await site.audiosocket()
        await line.spoken_to()
        await Live.close(line)
        return await site.outcome(line.line_id)

    async def twice() -> object:
        first = await site.audiosocket()
        await first.spoken_to()
        second = await AudioSocketPeer.connect(site.audiosocket_port, UUID(first.line_id))
        how = await second.ended
        await first.says("再见")
        return how != "idle", await site.outcome(first.line_id)

    async def nameless() -> object:
        peer = await AudioSocketPeer.connect(site.audiosocket_port, None)
        peer.sound(bytes(320))
        return await peer.ended != "idle"

    async with neighbours(site):
        found = await each(
            {
                "an unknown kind": after(message(0x55, b"x")),
                "a second UUID": after(message(0x01, bytes(16))),
                "half a sample": after(message(0x10, b"\0" * 321)),
                "cut in mid-frame": lambda: cut(message(0x10, bytes(320))[:100]),
                "closed": lambda: cut(b""),
                "silent": silent,
                "two sockets": twice,
                "no UUID": nameless,
            }
        )
    assert found.pop("two sockets") == (True, DECLINED)
    assert found.pop("no UUID") is True
    assert found.pop("closed") == HUNG_UP
    assert (found.pop("cut in mid-frame"), found.pop("silent")) == (LOST, LOST)
    assert found == dict.fromkeys(found, BAD_DATA)


async def test_what_a_freeswitch_line_may_do_wrong(site: Lines) -> None:
    Does = Callable[[aiohttp.ClientWebSocketResponse], Awaitable[object]]

    def after(does: Does) -> Callable[[], Awaitable[object]]:
        async def case() -> object:
            line = await site.freeswitch()
            await line.spoken_to()
            await does(line.module.socket)
            return await site.outcome(line.line_id)

        return case

    async def cut() -> object:
        line = await site.freeswitch()
        await line.spoken_to()
        line.sounds += OK
        await line.until(lambda: len(line.sounds) < len(OK) // 2)
        await Live.close(line)
        await line.module.cut()
        return await site.outcome(line.line_id)

    async def hangs_up() -> object:
        line = await site.freeswitch()
        await line.spoken_to()
        site.switch.hang_up(line.line_id, "NORMAL_CLEARING")
        return await site.outcome(line.line_id)

    async def twice() -> object:
        first = await site.freeswitch()
        await first.spoken_to()
        second = await site.module(first.line_id)
        await second.until(lambda: second.close_code is not None)
        await first.says("再见")
        return second.close_code, await site.outcome(first.line_id)

    async def nothing_begun(data: str) -> object:
        channel = site.switch.new_channel()
        module = await site.module(channel.uuid, data)
        await module.until(lambda: module.close_code is not None)
        return site.outcomes().get(channel.uuid)

    async with neighbours(site):
        found = await each(
            {
                "half a sample": after(lambda socket: socket.send_bytes(b"\0" * 321)),
                "no JSON": after(lambda socket: socket.send_str("{")),
                "a megabyte": after(lambda socket: socket.send_bytes(bytes(1_000_000))),
                "cut in mid-word": cut,
                "hang-up": hangs_up,
                "two sockets": twice,
                "no metadata": lambda: nothing_begun("{"),
                "metadata of nobody": lambda: nothing_begun("{}"),
            }
        )
    assert found.pop("two sockets") == (1008, DECLINED)
    assert (found.pop("no metadata"), found.pop("metadata of nobody")) == (None, None)
    assert found.pop("cut in mid-word") == LOST
    by, _, disposition = found.pop("hang-up")
    assert (by, disposition) == ("customer", "hung_up")
    assert found == dict.fromkeys(found, BAD_DATA)


async def test_clocks_that_drift_by_two_percent_hold_a_whole_call(site: Lines) -> None:
    async with neighbours(site):
        lines: list[Live] = []
        for drift in (-0.02, 0.02):
            lines += [
                await site.twilio(drift), await site.audiosocket(drift), await site.freeswitch(drift)
            ]  # fmt: skip

        async def talks(line: Live) -> None:
            for text in ("好的", "好的", "再见"):
                await (await line.turn()).says(text)

        await asyncio.gather(*map(talks, lines))
        for line in lines:
            assert await site.outcome(line.line_id) == DECLINED, line.line_id


async def test_callers_who_never_speak_and_who_never_stop_are_let_go(site: Lines) -> None:
    async with neighbours(site):
        silent: list[Live] = [await site.twilio(), await site.audiosocket(), await site.freeswitch()]
        endless: list[Live] = [await site.audiosocket(), await site.freeswitch()]
        for line in endless:
            line.sounds += (BYE * 40)[: 16_000 * 60 // 320 * 320]
        for line in (*silent, *endless):
            assert await site.outcome(line.line_id) == ("bot", "normal", "no_answer"), type(line)


async def test_all_is_archived_and_nothing_left_over(site: Lines) -> None:
    async with neighbours(site):
        pass
    async with asyncio.timeout(LIMIT_S):
        while list((site.folder / "journal").iterdir()):
            await asyncio.sleep(0.05)
    for line_id in site.outcomes():
        kinds = [type(event) for event in site.events(line_id)]
        assert kinds[0] is ev.CallStarted and kinds[-1] is ev.CallEnded
        assert kinds.count(ev.CallEnded) == 1
        assert (site.folder / "recordings" / f"{line_id}.wav").stat().st_size > 44


async def test_a_process_that_is_stopped_in_mid_call_ends_and_archives_all(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with Lines(tmp_path_factory.mktemp("stopped")) as site:
        lines: list[Live] = [await site.twilio(), await site.audiosocket(), await site.freeswitch()]
        for line in lines:
            await line.spoken_to()
        running = site.process._process
        await site.process.stop()  # SIGTERM
        assert running is not None and running.returncode == 0, "not killed at last"
        assert set(site.outcomes()) == {line.line_id for line in lines}
        assert set(site.outcomes().values()) == {("system", "shutdown", "failed")}
        assert list((site.folder / "journal").iterdir()) == []
        for line in lines:
            await line.until(line.over.is_set)
