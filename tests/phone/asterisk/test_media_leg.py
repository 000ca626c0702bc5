"""chan_websocket calls over real sockets, Asterisk connecting to us and we to it."""

from __future__ import annotations

import struct
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from bot.call.ports import AudioIn, DtmfIn, MarkIn, TransferFailed
from bot.phone.asterisk import media_outflow
from bot.phone.asterisk.media_leg import MediaFailed, connect_media
from bot.phone.asterisk.settings import MediaSettings
from bot.phone.codecs import alaw_to_pcm, pcm_to_alaw, pcm_to_ulaw, ulaw_to_pcm
from tests.phone.asterisk.media_board import closed, end_of, switchboard, tone
from tests.phone.asterisk.media_peer import connecting, serving
from tests.phone.asterisk.media_waiting import Collected


@pytest.mark.parametrize("as_json", [False, True])
async def test_asterisk_connects_and_a_call_goes_through_all_it_can(as_json: bool) -> None:
    async with (
        switchboard() as board,
        board.call("?who=%E5%BC%A0&x=1", as_json=as_json, variables={"CAMPAIGN": "c 1"}) as (
            peer,
            arrival,
            heard,
        ),
    ):
        assert peer.socket.protocol == "media"
        assert (arrival.provider, arrival.line_id) == ("ari", "1763852400.7")
        told = {"connection_id": "c0ffee", "channel": "WebSocket/c0ffee/0x7f0c", "who": "张", "x": "1"}
        assert dict(arrival.parameters) == told | ({"CAMPAIGN": "c 1"} if as_json else {})
        can = arrival.leg.capabilities
        assert can.marks and can.flush and can.dtmf and not can.continuous and can.lead_ms == 20
        assert not (can.transfer or can.dtmf_out or can.two_tracks or can.words)
        peer.speak(b"a" * 320)
        peer.channel.key("7")
        peer.speak(b"b" * 320)
        assert list(await heard.count(3)) == [AudioIn(b"a" * 320), DtmfIn("7"), AudioIn(b"b" * 320)]
        leg = arrival.leg
        leg.send(b"1" * 320)
        leg.send(b"2" * 320)
        leg.mark("spoken")
        await peer.arrived.count(3)
        peer.channel.tick(3)
        assert (await heard.count(4))[-1] == MarkIn("spoken")
        leg.send(b"3" * 320)
        leg.mark("cut off")
        leg.flush()
        leg.send(b"4" * 320)
        leg.mark("after")
        await peer.arrived.count(9)
        peer.channel.tick(3)
        assert (await heard.count(5))[-1] == MarkIn("after")
        assert peer.channel.played == [b"1" * 320, b"2" * 320, b"4" * 320]
        await leg.hang_up("bot")
        assert await closed(peer) == 1000
        assert await end_of(heard) == "bot"
        assert peer.channel.commands[-1] == "HANGUP" and not peer.channel.ignored
        assert not peer.channel.dropped


async def test_we_connect_to_a_channel_that_waits() -> None:
    async with serving() as (url, peers):
        leg = await connect_media(url + "c0ffee", MediaSettings())
        assert leg.start is not None and leg.start.channel_id == "1763852400.7"
        heard = Collected()
        leg.listen(heard)
        peer = peers[0]
        peer.speak(b"h" * 320)
        assert list(await heard.count(1)) == [AudioIn(b"h" * 320)]
        leg.send(b"i" * 320)
        leg.mark("m")
        await peer.arrived.count(2)
        peer.channel.tick(2)
        assert (await heard.count(2))[-1] == MarkIn("m")
        assert peer.channel.played == [b"i" * 320]
        with pytest.raises(MediaFailed, match="409"):
            await connect_media(url + "c0ffee", MediaSettings())
        await leg.hang_up("bot")
        assert await closed(peer) == 1000
        assert await end_of(heard) == "bot"


async def test_connecting_to_a_channel_that_is_not_there_fails() -> None:
    async with serving() as (url, _):
        with pytest.raises(MediaFailed, match="404"):
            await connect_media(url + "other", MediaSettings())
    with pytest.raises(MediaFailed):
        await connect_media(url + "c0ffee", MediaSettings())


@pytest.mark.parametrize("channel", [{"begin": False}, {"codec": "opus"}, {"passthrough": True}])
async def test_connecting_to_a_channel_that_does_not_start_or_cannot_be_spoken_to_fails(channel: Any) -> None:
    async with serving(**channel) as (url, _):
        with pytest.raises(MediaFailed):
            await connect_media(url + "c0ffee", MediaSettings(start_s=0.5))


@pytest.mark.parametrize(
    ("codec", "optimal", "encode", "decode"),
    [
        ("slin", 320, bytes, bytes),
        ("ulaw", 160, pcm_to_ulaw, ulaw_to_pcm),
        ("alaw", 160, pcm_to_alaw, alaw_to_pcm),
    ],
)
async def test_sound_at_8000_hz_is_exactly_what_the_codec_leaves(
    codec: str, optimal: int, encode: Callable[[bytes], bytes], decode: Callable[[bytes], bytes]
) -> None:
    ours = tone(8000, 60)
    async with switchboard() as board, board.call(codec=codec, optimal=optimal) as (peer, arrival, heard):
        peer.speak(encode(ours))
        await heard.count(3)
        assert b"".join(item.pcm for item in heard) == decode(encode(ours))
        for at in range(0, len(ours), 320):
            arrival.leg.send(ours[at : at + 320])
        await peer.arrived.count(3)
        peer.channel.tick(3)
        assert b"".join(peer.channel.played) == encode(ours)
        assert {len(played) for played in peer.channel.played} == {optimal}


async def test_slin16_keeps_length_and_pitch_both_ways() -> None:
    async with switchboard() as board, board.call(codec="slin16", optimal=640) as (peer, arrival, heard):
        theirs = tone(16000, 400)
        for at in range(0, len(theirs), 640):
            peer.speak(theirs[at : at + 640])
        await heard.count(19)
        ours = tone(8000, 400)
        for at in range(0, len(ours), 320):
            arrival.leg.send(ours[at : at + 320])
        await peer.arrived.count(20)
        peer.channel.tick(20)
        for pcm, rate_hz in (
            (b"".join(item.pcm for item in heard), 8000),
            (b"".join(peer.channel.played), 16000),
        ):
            values = struct.unpack(f"<{len(pcm) // 2}h", pcm)[160:]  # filters ring around zero at first
            crossings = sum((values[n] < 0) != (values[n + 1] < 0) for n in range(len(values) - 1))
            assert crossings == pytest.approx(2 * 400 * len(values) / rate_hz, abs=3)
        assert not peer.channel.dropped


async def test_sound_before_media_start_is_kept_and_used() -> None:
    async with switchboard() as board, connecting(board.url, begin=False, codec="ulaw", optimal=160) as peer:
        peer.speak(pcm_to_ulaw(tone(8000, 40)))
        peer.channel.start()
        peer.speak(pcm_to_ulaw(bytes(320)))
        arrival = (await board.arrivals.count(1))[0]
        heard = Collected()
        arrival.leg.listen(heard)
        await heard.count(3)
        assert b"".join(item.pcm for item in heard) == ulaw_to_pcm(pcm_to_ulaw(tone(8000, 40) + bytes(320)))


async def test_xoff_stops_what_is_sent_and_xon_goes_on_and_nothing_is_lost_in_asterisk() -> None:
    async with switchboard() as board, board.call() as (peer, arrival, heard):
        for number in range(900):
            arrival.leg.send(number.to_bytes(4, "little") * 80)
        await peer.arrived.count(900)
        peer.channel.key("1")  # comes after XOFF, so XOFF has been read
        await heard.count(1)
        for number in range(900, 1020):  # sent at once, these would be over the 1000 that Asterisk keeps
            arrival.leg.send(number.to_bytes(4, "little") * 80)
        arrival.leg.mark("end")
        peer.channel.tick(150)
        await peer.arrived.count(1000)
        peer.channel.tick(1000)
        assert (await heard.count(2))[-1] == MarkIn("end")
        played = [int.from_bytes(pcm[:4], "little") for pcm in peer.channel.played]
        assert played == [*range(900), *range(1020 - media_outflow.MOST_HELD + 1, 1020)]
        assert not peer.channel.dropped


async def test_unknown_events_errors_lost_packets_and_strange_keys_do_no_harm() -> None:
    async with switchboard() as board, board.call() as (peer, arrival, heard):
        peer.send_text("MEDIA_NEWS channel_id:x")
        peer.send_text(peer.channel.event("ERROR", error_text="no such thing"))
        peer.send_text("MEDIA_MARK_PROCESSED m99")
        peer.send_text("QUEUE_DRAINED")
        peer.speak(b"")
        peer.channel.key("x")
        peer.channel.key("d")
        assert list(await heard.count(1)) == [DtmfIn("D")]
        assert arrival.leg.unknown_events == 1


async def test_what_the_media_socket_cannot_do_does_nothing() -> None:
    async with switchboard() as board, board.call() as (peer, arrival, _):
        arrival.leg.send_digits("1")
        with pytest.raises(TransferFailed):
            await arrival.leg.transfer("1001")
        arrival.leg.send(b"s" * 320)
        assert list(await peer.arrived.count(1)) == [b"s" * 320]


@pytest.mark.parametrize(
    "rule",
    [
        test_we_connect_to_a_channel_that_waits,
    ],
)
def test_the_same_holds_on_uvloop_whose_transports_differ(
    rule: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    uvloop.run(rule())
