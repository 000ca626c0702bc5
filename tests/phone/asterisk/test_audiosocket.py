"""AudioSocket calls against a peer that dies of whatever Asterisk dies of."""

from __future__ import annotations

import struct
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
import uvloop

from bot.call.ports import AudioIn, DtmfIn, TransferFailed
from tests.phone.asterisk.audiosocket_board import end, end_of, sound, switchboard, tone
from tests.phone.asterisk.audiosocket_peer import AudioSocketPeer, message
from tests.phone.asterisk.media_waiting import Collected


async def test_a_call_arrives_by_its_uuid_and_declares_what_audiosocket_can_do() -> None:
    line = uuid4()
    async with switchboard() as board:
        peer, arrival, _ = await board.call(line)
        assert (arrival.line_id, arrival.provider, dict(arrival.parameters)) == (str(line), "audiosocket", {})
        can = arrival.leg.capabilities
        assert can.continuous and can.dtmf and can.lead_ms == 0
        assert not (can.flush or can.marks or can.transfer or can.dtmf_out or can.two_tracks or can.words)
        await peer.close()


async def test_sound_goes_both_ways_in_order_and_keys_come_in_between() -> None:
    frames = [bytes([n]) * 320 for n in range(6)]
    async with switchboard() as board:
        peer, arrival, heard = await board.call()
        await peer.speak(b"".join(frames[:3]))
        peer.key("5")
        peer.key("#")
        peer.sound(frames[3])
        await heard.count(6)
        assert list(heard) == [*map(AudioIn, frames[:3]), DtmfIn("5"), DtmfIn("#"), AudioIn(frames[3])]
        for frame in frames:
            arrival.leg.send(frame)
        assert list(await peer.heard.count(6)) == [(8000, frame) for frame in frames]
        await arrival.leg.hang_up("bot")
        assert await end(peer) == "hang-up"
        assert await end_of(heard) == "bot"


async def test_what_came_before_anybody_listened_comes_first() -> None:
    async with switchboard() as board:
        peer = await AudioSocketPeer.connect(board.port, uuid4())
        peer.sound(b"a" * 320)
        peer.raw(message(0x00))
        arrival = (await board.arrivals.count(1))[0]
        await board.empty()
        heard = Collected()
        arrival.leg.listen(heard)
        assert await end_of(heard) == "customer"
        assert heard[0] == AudioIn(b"a" * 320)
        with pytest.raises(RuntimeError):
            arrival.leg.listen(heard)


async def test_payloads_of_any_length_become_frames_of_320_bytes_and_lost_packets_do_no_harm() -> None:
    whole = tone(8000, 200)
    async with switchboard() as board:
        peer, _, heard = await board.call()
        for start, stop in ((0, 2), (2, 500), (500, 500), (500, 2000), (2000, 3200)):
            peer.sound(whole[start:stop])
        await heard.count(10)
        assert sound(heard) == whole and {len(item.pcm) for item in heard} == {320}
        await peer.close()


@pytest.mark.parametrize("rate_hz", [12000, 16000, 24000, 44100, 48000, 192000])
async def test_other_rates_are_heard_at_8000_and_answered_at_their_own(rate_hz: int) -> None:
    """A tone keeps its length and its pitch (counted in zero crossings) both ways."""

    def crossings(pcm: bytes) -> int:
        values = struct.unpack(f"<{len(pcm) // 2}h", pcm)
        return sum(1 for a, b in pairwise(values) if (a < 0) != (b < 0))

    async with switchboard() as board:
        peer, arrival, heard = await board.call()
        theirs, unit = tone(rate_hz, 400), rate_hz // 50 * 2
        for at in range(0, len(theirs), unit):
            peer.sound(theirs[at : at + unit], rate_hz)
        await heard.count(19)
        steady = sound(heard)[320:]  # the filter's first samples ring around zero
        assert crossings(steady) == pytest.approx(320 * len(steady) / 6400, abs=3)
        ours = tone(8000, 400)
        for at in range(0, len(ours), 320):
            arrival.leg.send(ours[at : at + 320])
        await peer.heard.count(20)
        assert {(rate, len(pcm)) for rate, pcm in peer.heard} == {(rate_hz, unit)}
        assert crossings(b"".join(pcm for _, pcm in peer.heard)) == pytest.approx(320, abs=3)
        await arrival.leg.hang_up("bot")
        assert await end(peer) == "hang-up"


async def test_a_rate_that_changes_in_the_call_is_followed() -> None:
    async with switchboard() as board:
        peer, arrival, heard = await board.call()
        peer.sound(bytes(640), 16000)
        peer.sound(bytes(640), 16000)
        await heard.count(1)
        arrival.leg.send(bytes(320))
        peer.sound(b"z" * 320)
        await heard.until(lambda seen: seen[-1] == AudioIn(b"z" * 320))
        arrival.leg.send(b"y" * 320)
        (first_rate, first), second = await peer.heard.count(2)
        assert (first_rate, len(first)) == (16000, 640)
        assert second == (8000, b"y" * 320)
        await peer.close()


async def test_keys_that_are_none_and_the_old_silence_are_ignored() -> None:
    async with switchboard() as board:
        peer, _, heard = await board.call()
        peer.raw(message(0x03, b"\xff") + message(0x03, b"x") + message(0x02, b"\0") + message(0x03, b"a"))
        assert list(await heard.count(1)) == [DtmfIn("A")]
        await peer.close()


async def test_a_second_connection_with_a_uuid_in_use_is_closed_and_the_first_never_notices() -> None:
    line = uuid4()
    async with switchboard() as board:
        first, arrival, heard = await board.call(line)
        second = await AudioSocketPeer.connect(board.port, line)
        second.sound(bytes(320))
        assert await end(second) == "hang-up"
        first.sound(b"1" * 320)
        assert list(await heard.count(1)) == [AudioIn(b"1" * 320)]
        arrival.leg.send(b"2" * 320)
        await first.heard.count(1)
        assert len(board.arrivals) == 1
        await first.close()
        assert await end_of(heard) == "customer"


async def test_a_uuid_is_free_again_after_its_call() -> None:
    line = uuid4()
    async with switchboard() as board:
        peer, arrival, heard = await board.call(line)
        await arrival.leg.hang_up("bot")
        await end(peer)
        await end_of(heard)
        await board.empty()
        again, _, _ = await board.call(line)
        await again.close()


async def test_above_the_load_limit_a_new_call_is_hung_up_on() -> None:
    async with switchboard(lambda: "full") as board:
        peer = await AudioSocketPeer.connect(board.port, uuid4())
        assert await end(peer) == "hang-up"
        assert not board.arrivals


async def test_calls_go_on_when_no_new_ones_are_taken() -> None:
    async with switchboard() as board:
        peer, arrival, heard = await board.call()
        await board.server.stop()
        with pytest.raises(ConnectionRefusedError):
            await AudioSocketPeer.connect(board.port, uuid4())
        peer.sound(b"g" * 320)
        assert list(await heard.count(1)) == [AudioIn(b"g" * 320)]
        await arrival.leg.hang_up("bot")
        assert await end(peer) == "hang-up"


async def test_what_audiosocket_cannot_do_does_nothing_and_never_kills_the_call() -> None:
    async with switchboard() as board:
        peer, arrival, _ = await board.call()
        arrival.leg.mark("m")
        arrival.leg.flush()
        arrival.leg.send_digits("123")
        arrival.leg.send(b"")
        with pytest.raises(TransferFailed):
            await arrival.leg.transfer("1001")
        arrival.leg.send(b"s" * 320)
        assert list(await peer.heard.count(1)) == [(8000, b"s" * 320)]
        await peer.close()


@pytest.mark.parametrize(
    "rule",
    [
        test_sound_goes_both_ways_in_order_and_keys_come_in_between,
        test_a_second_connection_with_a_uuid_in_use_is_closed_and_the_first_never_notices,
        test_calls_go_on_when_no_new_ones_are_taken,
    ],
)
def test_the_same_holds_on_uvloop_whose_transports_differ(
    rule: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    uvloop.run(rule())
