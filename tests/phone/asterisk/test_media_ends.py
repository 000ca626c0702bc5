"""How chan_websocket calls end or are refused, and what bad far ends can do to their own call only."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
import pytest
import uvloop

from bot.call.ports import AudioIn, HungUpIn
from bot.phone.asterisk import media_leg
from tests.phone.asterisk.media_board import closed, end_of, switchboard
from tests.phone.asterisk.media_peer import connecting, never_reading
from tests.phone.asterisk.media_waiting import PATIENCE_S, Collected


@pytest.mark.parametrize(
    ("send", "code", "cause"),
    [
        (lambda peer: peer.send_text("{not json"), 1008, "bad_data"),
        (lambda peer: peer.send_text("DTMF_END digit:12"), 1008, "bad_data"),
        (lambda peer: peer.channel.start(), 1002, "bad_data"),
        (lambda peer: peer.speak(b"odd"), 1002, "bad_data"),
        (lambda peer: peer.speak(bytes(1_000_000)), 1009, "bad_data"),
        (lambda peer: peer.send_text("x" * 70_000), 1009, "bad_data"),
    ],
)
async def test_each_bad_message_ends_that_call_alone(send: Any, code: int, cause: str) -> None:
    async with (
        switchboard() as board,
        board.call(channel_id="other") as (other, other_arrival, other_heard),
        board.call() as (peer, _, heard),
    ):
        peer.speak(b"k" * 320)
        await heard.count(1)
        send(peer)
        assert await end_of(heard) == cause
        assert await closed(peer) in ((1009, 1006) if code == 1009 else (code,))
        other.speak(b"o" * 320)
        await other_heard.count(1)
        other_arrival.leg.send(b"u" * 320)
        await other.arrived.count(1)


async def test_a_control_message_before_media_start_ends_the_socket() -> None:
    async with switchboard() as board, connecting(board.url, begin=False) as peer:
        peer.send_text("MEDIA_XOFF")
        assert await closed(peer) == 1002
        assert not board.arrivals


async def test_a_socket_that_never_starts_is_closed() -> None:
    async with switchboard(start_s=0.02) as board, connecting(board.url, begin=False) as peer:
        assert await closed(peer) == 1008
        assert not board.arrivals


@pytest.mark.parametrize("channel", [{"codec": "opus"}, {"passthrough": True}])
async def test_a_channel_that_cannot_be_spoken_to_is_hung_up(channel: Any) -> None:
    async with switchboard() as board, connecting(board.url, **channel) as peer:
        assert await closed(peer) == 1000
        assert peer.channel.commands == ["HANGUP"] and not board.arrivals


@pytest.mark.parametrize(("code", "cause"), [(1000, "customer"), (1001, "line_lost"), (1011, "line_lost")])
async def test_asterisk_closing_with_1000_is_the_caller_hanging_up_and_else_a_lost_line(
    code: int, cause: str
) -> None:
    async with switchboard() as board, board.call() as (peer, arrival, heard):
        peer.speak(b"l" * 320)
        await heard.count(1)
        await peer.close(code)
        assert await end_of(heard) == cause
        arrival.leg.send(bytes(320))
        arrival.leg.mark("m")
        arrival.leg.flush()
        await arrival.leg.hang_up("again")
        assert len(heard) == 2


async def test_a_socket_cut_in_mid_word_is_a_lost_line() -> None:
    async with switchboard() as board, board.call() as (peer, _, heard):
        peer.speak(b"w" * 320)
        await heard.count(1)
        await peer.cut()
        assert await end_of(heard) == "line_lost"


async def test_a_second_socket_of_one_channel_is_closed_and_the_first_never_notices() -> None:
    async with switchboard() as board, board.call() as (peer, arrival, heard):
        async with connecting(board.url) as second:
            assert await closed(second) == 1008
        peer.speak(b"1" * 320)
        assert list(await heard.count(1)) == [AudioIn(b"1" * 320)]
        arrival.leg.send(b"2" * 320)
        await peer.arrived.count(1)
        assert len(board.arrivals) == 1 and list(board.endpoint.lines.values()) == [arrival.leg]
        await peer.close()
        await end_of(heard)
        assert not board.endpoint.lines


async def refused(url: str, **options: Any) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
        async with connecting(url, **options):
            pass
    return raised.value.status


async def test_the_upgrade_needs_the_user_and_password_where_they_are_configured() -> None:
    def basic(pair: str) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}

    async with switchboard(authorization=("asterisk", "s3cret")) as board:
        assert await refused(board.url) == 401
        assert await refused(board.url, headers=basic("asterisk:wrong")) == 401
        assert await refused(board.url, headers={"Authorization": "Basic \u00e9"}) == 401
        async with board.call(headers=basic("asterisk:s3cret")):
            pass


async def test_the_upgrade_is_refused_above_the_limit_and_for_another_subprotocol() -> None:
    async with switchboard(lambda: "full") as board:
        assert await refused(board.url) == 503
    async with switchboard() as board:
        assert await refused(board.url, protocols=("ari",)) == 400
        assert await refused(board.url + "?" + "&".join("abcdefgh" * 10)) == 400
        async with board.call(protocols=()) as (peer, _, _):
            assert peer.socket.protocol is None


async def test_a_far_end_that_does_not_read_is_given_up() -> None:
    async with switchboard() as board:
        start = "MEDIA_START channel_id:1 format:slin optimal_frame_size:320"
        far_end = await never_reading(board.port, "/asterisk/media", start)
        arrival = (await board.arrivals.count(1))[0]
        heard = Collected()
        arrival.leg.listen(heard)
        for _ in range(100_000):
            arrival.leg.send(bytes(320))
            if arrival.leg.transport.underlying_transport.is_closing():
                break
        assert await end_of(heard) == "line_lost"
        far_end.close()


async def test_a_far_end_that_does_not_read_cannot_keep_its_socket_after_our_hang_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(media_leg, "GOODBYE_S", 0.01)
    async with switchboard() as board:
        start = "MEDIA_START channel_id:1 format:slin optimal_frame_size:320"
        far_end = await never_reading(board.port, "/asterisk/media", start)
        leg = (await board.arrivals.count(1))[0].leg
        while leg.transport.underlying_transport.get_write_buffer_size() < 30_000:
            leg.send(bytes(320))
        await leg.hang_up("bot")
        async with asyncio.timeout(PATIENCE_S):
            while board.endpoint.lines:
                await asyncio.sleep(0)
        far_end.close()


async def test_hanging_up_twice_says_so_once_and_the_first_cause_stays() -> None:
    async with switchboard() as board, board.call() as (peer, arrival, heard):
        await asyncio.gather(arrival.leg.hang_up("first"), arrival.leg.hang_up("second"))
        assert await closed(peer) == 1000
        assert await end_of(heard) == "first"
        assert peer.channel.commands == ["HANGUP"]


async def test_a_switch_that_does_not_close_after_our_hang_up_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(media_leg, "GOODBYE_S", 0.01)
    async with switchboard() as board, board.call(deaf=True) as (peer, arrival, heard):
        await arrival.leg.hang_up("bot")
        assert await closed(peer) == 1000
        assert list(heard) == [HungUpIn("bot")] and not board.endpoint.lines


async def test_nothing_is_heard_after_our_hang_up() -> None:
    async with switchboard() as board, board.call(deaf=True) as (peer, arrival, heard):
        await arrival.leg.hang_up("bot")
        await peer.arrived.count(1)
        peer.speak(bytes(320))
        peer.channel.key("1")
        await peer.close()
        await closed(peer)
        assert list(heard) == [HungUpIn("bot")]


@pytest.mark.parametrize(
    "rule",
    [
        test_a_second_socket_of_one_channel_is_closed_and_the_first_never_notices,
        test_a_socket_cut_in_mid_word_is_a_lost_line,
        test_a_far_end_that_does_not_read_is_given_up,
        test_hanging_up_twice_says_so_once_and_the_first_cause_stays,
    ],
)
def test_the_same_holds_on_uvloop_whose_transports_differ(
    rule: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    uvloop.run(rule())
