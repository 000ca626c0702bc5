"""How AudioSocket calls end, and what bad far ends can do: to their own call, and to no other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import uuid4

import pytest
import uvloop

from bot.call.ports import AudioIn, HungUpIn
from bot.phone.asterisk import audiosocket, audiosocket_leg
from tests.phone.asterisk.audiosocket_board import end, end_of, switchboard
from tests.phone.asterisk.audiosocket_peer import AudioSocketPeer, message


@pytest.mark.parametrize(
    ("bad", "cause"),
    [
        (message(0x10, b"odd"), "bad_data"),
        (message(0x10, bytes(16002)), "bad_data"),
        (message(0x44, b"unknown"), "bad_data"),
        (message(0x01, uuid4().bytes), "bad_data"),
        (message(0x03, b""), "bad_data"),
        (message(0xFF, b"\1"), "customer"),
        (message(0xFF, b"\2"), "switch_frame_forwarding"),
        (message(0xFF, b"\4"), "switch_memory"),
        (message(0xFF, b"\x63"), "switch_error"),
        (message(0x00), "customer"),
    ],
)
async def test_each_bad_or_last_message_ends_that_call_alone_with_its_cause(bad: bytes, cause: str) -> None:
    async with switchboard() as board:
        other, other_arrival, other_heard = await board.call()
        peer, arrival, heard = await board.call()
        peer.raw(message(0x10, b"k" * 320) + bad + message(0x10, bytes(320)))
        assert await end_of(heard) == cause
        assert list(heard) == [AudioIn(b"k" * 320), HungUpIn(cause)]
        assert await end(peer) in ("hang-up", "closed")
        arrival.leg.send(bytes(320))
        other.sound(b"o" * 320)
        await other_heard.count(1)
        other_arrival.leg.send(b"u" * 320)
        await other.heard.count(1)
        await other.close()
        assert await end_of(other_heard) == "customer"


async def test_a_half_closed_connection_is_a_caller_who_hung_up() -> None:
    async with switchboard() as board:
        peer, _, heard = await board.call()
        peer.sound(b"q" * 320)
        peer.half_close()
        assert await end_of(heard) == "customer"
        assert await end(peer) == "closed"


async def test_a_connection_cut_in_mid_frame_is_a_lost_line() -> None:
    async with switchboard() as board:
        peer, arrival, heard = await board.call()
        peer.raw(message(0x10, bytes(320))[:100])
        await peer.close()
        assert await end_of(heard) == "line_lost"
        arrival.leg.send(bytes(320))
        await arrival.leg.hang_up("again")
        assert len(heard) == 1


@pytest.mark.parametrize(
    "first", [message(0x10, bytes(320)), message(0x01, b"short"), b"GET / HTTP/1.1\r\n\r\n"]
)
async def test_a_first_message_that_is_no_uuid_is_hung_up_on(first: bytes) -> None:
    async with switchboard() as board:
        peer = await AudioSocketPeer.connect(board.port, None)
        peer.raw(first)
        assert await end(peer) == "hang-up"
        assert not board.arrivals


async def test_a_connection_that_says_nothing_is_hung_up_on() -> None:
    async with switchboard(first_message_s=0.01) as board:
        peer = await AudioSocketPeer.connect(board.port, None)
        assert await end(peer) == "hang-up"
        assert not board.arrivals


async def test_a_line_from_which_nothing_comes_is_lost() -> None:
    async with switchboard(idle_s=0.01) as board:
        peer, _, heard = await board.call()
        assert await end_of(heard) == "line_lost"
        assert await end(peer) == "hang-up"


async def test_connections_without_a_name_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audiosocket, "MOST_UNNAMED", 2)
    async with switchboard() as board:
        silent = [await AudioSocketPeer.connect(board.port, None) for _ in range(2)]
        third = await AudioSocketPeer.connect(board.port, None)
        assert await end(third) in ("closed", "killed: cut in a message")
        silent[0].raw(message(0x01, uuid4().bytes))
        await board.arrivals.count(1)
        named, _, _ = await board.call()
        for peer in (*silent, named):
            await peer.close()


async def test_a_far_end_that_does_not_read_is_given_up() -> None:
    async with switchboard() as board:
        peer, arrival, heard = await board.call(reads=False)
        for _ in range(100_000):
            arrival.leg.send(bytes(320))
            if arrival.leg.ended:
                break
        assert await end_of(heard) == "line_lost"
        await peer.close()


async def test_hanging_up_twice_tells_asterisk_once_and_the_first_cause_stays() -> None:
    async with switchboard() as board:
        peer, arrival, heard = await board.call()
        await asyncio.gather(arrival.leg.hang_up("first"), arrival.leg.hang_up("second"))
        assert await end(peer) == "hang-up"
        assert await end_of(heard) == "first"


async def test_a_switch_that_does_not_close_after_our_hang_up_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audiosocket_leg, "GOODBYE_S", 0.01)
    async with switchboard() as board:
        peer, arrival, heard = await board.call(reads=False)
        await arrival.leg.hang_up("bot")
        peer.sound(bytes(320))
        await board.empty()
        assert list(heard) == [HungUpIn("bot")]
        await peer.close()


async def test_a_line_to_which_nothing_is_sent_is_ended_by_asterisk() -> None:
    """Why the leg is `continuous`: app_audiosocket gives up when neither side says anything."""
    async with switchboard() as board:
        peer, _, heard = await board.call(idle_s=0.01)
        assert await end(peer) == "idle"
        assert await end_of(heard) == "customer"


async def test_one_that_takes_calls_and_fails_ends_that_call_only() -> None:
    async with switchboard() as board:

        def fail(arrival: Any) -> None:
            raise RuntimeError("no")

        board.server.arrived = fail
        peer = await AudioSocketPeer.connect(board.port, uuid4())
        assert await end(peer) == "hang-up"
        board.server.arrived = board.arrivals
        other, _, _ = await board.call()
        await other.close()


@pytest.mark.parametrize(
    "rule",
    [
        test_a_half_closed_connection_is_a_caller_who_hung_up,
        test_a_connection_cut_in_mid_frame_is_a_lost_line,
        test_a_far_end_that_does_not_read_is_given_up,
    ],
)
def test_the_same_holds_on_uvloop_whose_transports_differ(
    rule: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    uvloop.run(rule())
