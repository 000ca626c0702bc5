"""A line of ARI as a phone leg: audio both ways by either transport, keys, every end once, and nothing
left on the switch when a part of it fails."""

from __future__ import annotations

import asyncio

import pytest

from bot.call.ports import DtmfIn, HungUpIn, MarkIn
from bot.phone.asterisk.ari_calls import line_id_of
from tests.phone.asterisk.ari_harness import OTHER, TONE, Bench, Heard, bench, dial, permit
from tests.phone.asterisk.ari_peer import Fault
from tests.phone.asterisk.ari_peer_world import PeerChannel

BOTH = pytest.mark.parametrize("transport", ["audiosocket", "websocket"])


def customer(b: Bench) -> PeerChannel:
    return b.world.dialled[0]


@BOTH
@pytest.mark.parametrize("media_first", [False, True])
async def test_the_customer_hears_the_bot_and_the_bot_the_customer(transport: str, media_first: bool) -> None:
    async with bench(transport=transport) as b:
        b.world.media_first = media_first
        arrival, heard = await b.call(await b.switch())
        for _ in range(5):
            customer(b).speak(TONE)
            arrival.leg.send(OTHER)
        await heard.until_audio(TONE * 5)
        await b.world.until(lambda: OTHER * 5 in customer(b).heard)
        [bridge] = b.world.bridges.values()
        assert bridge.kind == "mixing,proxy_media,dtmf_events"
        await arrival.leg.hang_up("normal")
        await b.nothing_left()
        assert heard.others() == [HungUpIn("normal")]
        assert not b.world.violations


async def test_marks_are_the_websockets() -> None:
    async with bench(transport="websocket") as b:
        arrival, heard = await b.call(await b.switch())
        assert arrival.leg.capabilities.marks and arrival.leg.capabilities.flush
        arrival.leg.send(OTHER)
        arrival.leg.mark("end")
        await heard.until_other(MarkIn("end"))


@BOTH
async def test_a_key_comes_once_though_the_bridge_repeats_it(transport: str) -> None:
    async with bench(transport=transport) as b:
        _, heard = await b.call(await b.switch())
        for digit in "1#A":
            b.world.press(customer(b), digit)
        customer(b).speak(TONE)
        last = {"digit": "9", "duration_ms": 90, "channel": customer(b).shape()}
        b.peer.emit("ChannelDtmfReceived", "huashu", last)
        await heard.until_audio(TONE)
        await heard.until_other(DtmfIn("9"))
        assert heard.others() == [DtmfIn(digit) for digit in "1#A9"]


async def test_keys_go_out_in_order_and_nothing_else_does() -> None:
    async with bench() as b:
        arrival, _ = await b.call(await b.switch())
        for digits in ("12", "w&3", "", "*#a"):
            arrival.leg.send_digits(digits)
        await b.world.until(lambda: customer(b).keys_out == "123*#A")


async def test_keys_go_on_after_a_request_that_failed() -> None:
    async with bench() as b:
        arrival, _ = await b.call(await b.switch())
        b.peer.faults.append(Fault("POST", ".*/dtmf", 500))
        arrival.leg.send_digits("1")
        await b.world.until(lambda: len(b.peer.asked("POST", ".*/dtmf")) == 1)
        await b.switches[0].drain()
        arrival.leg.send_digits("2")
        await b.world.until(lambda: customer(b).keys_out == "2")


@BOTH
@pytest.mark.parametrize("destroyed_first", [False, True])
async def test_the_customer_hangs_up(transport: str, destroyed_first: bool) -> None:
    async with bench(transport=transport) as b:
        b.world.destroyed_first = destroyed_first
        arrival, heard = await b.call(await b.switch())
        b.world.hang_up(customer(b), 16)
        await heard.until_other(HungUpIn("customer"))
        await b.nothing_left()
        await arrival.leg.hang_up("normal")
        arrival.leg.send(OTHER)
        arrival.leg.send_digits("1")
        await b.switches[0].drain()
        assert heard.others() == [HungUpIn("customer")]
        assert not b.peer.asked("DELETE", f"/channels/{arrival.line_id}")


@BOTH
@pytest.mark.parametrize("first", ["us", "them"])
async def test_both_hang_up_at_once_and_it_ends_once(transport: str, first: str) -> None:
    async with bench(transport=transport) as b:
        arrival, heard = await b.call(await b.switch())
        if first == "us":
            await arrival.leg.hang_up("normal")
            b.world.hang_up(customer(b), 16)
        else:
            b.world.hang_up(customer(b), 16)
            await arrival.leg.hang_up("normal")
        await asyncio.gather(*(arrival.leg.hang_up("again") for _ in range(3)))
        await b.nothing_left()
        await b.switches[0].drain()
        assert heard.others() == [HungUpIn("normal")]
        assert len(b.peer.asked("DELETE", f"/channels/{arrival.line_id}")) == 1


async def test_a_line_whose_media_is_lost_is_hung_up() -> None:
    async with bench() as b:
        _, heard = await b.call(await b.switch())
        media = next(one for one in b.world.channels.values() if one.name.startswith("AudioSocket/"))
        media.socket.transport.abort()
        await heard.until_other(HungUpIn("line_lost"))
        await b.nothing_left()


async def test_a_hang_up_that_gets_no_answer_is_sent_again() -> None:
    async with bench(timeout_s=0.5) as b:
        arrival, _ = await b.call(await b.switch())
        path = f"/channels/{arrival.line_id}"
        b.peer.faults += [Fault("DELETE", path, None), Fault("DELETE", path, None, done=True)]
        await arrival.leg.hang_up("normal")
        await b.nothing_left()
        assert len(b.peer.asked("DELETE", path)) >= 2


@BOTH
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/bridges/[^/]+"),
        ("POST", "/channels/externalMedia"),
        ("POST", "/bridges/[^/]+/addChannel"),
    ],
)
@pytest.mark.parametrize("done", [False, True])
async def test_a_part_that_fails_takes_everything_down(
    transport: str, method: str, path: str, done: bool
) -> None:
    async with bench(transport=transport) as b:
        switch = await b.switch()
        b.world.on_dial = b.world.answer
        b.peer.faults.append(Fault(method, path, 500, done=done))
        await switch.originator.originate(dial())
        await b.world.until(lambda: b.peer.asked("DELETE", f"/channels/{line_id_of(permit())}"))
        await b.nothing_left()
        await switch.drain()
        assert not b.arrivals and not b.plain


@BOTH
async def test_media_that_never_starts_ends_the_line_in_time(transport: str) -> None:
    async with bench(transport=transport, setup_s=0.2) as b:
        b.world.media_never_starts = True
        b.world.on_dial = b.world.answer
        await (await b.switch()).originator.originate(dial())
        await b.world.until(lambda: b.world.dialled)
        await b.nothing_left()
        assert not b.arrivals


@BOTH
async def test_a_customer_who_hangs_up_while_the_media_is_made_leaves_nothing(transport: str) -> None:
    async with bench(transport=transport, setup_s=60) as b:
        b.world.media_never_starts = True
        b.world.on_dial = b.world.answer
        switch = await b.switch()
        await switch.originator.originate(dial())
        await b.world.until(lambda: b.peer.asked("POST", "/channels/externalMedia"))
        b.world.hang_up(customer(b), 16)
        await b.nothing_left()
        await switch.drain()
        assert not b.arrivals


async def test_an_inbound_call_is_answered_and_named() -> None:
    async with bench() as b:
        await b.switch()
        channel = b.world.call_in("02155550000", "13900139000", "huashu", "queue=sales", "plain")
        [arrival] = await b.arrivals.count(1)
        assert channel.state == "Up"
        assert (arrival.direction, arrival.called, arrival.caller) == (
            "inbound",
            "02155550000",
            "13900139000",
        )
        assert arrival.parameters == {"queue": "sales", "arg2": "plain"}
        heard = Heard(arrival.leg)
        channel.speak(TONE)
        await heard.until_audio(TONE)


async def test_above_the_load_limit_an_inbound_call_is_refused_and_an_answered_one_is_not() -> None:
    async with bench() as b:
        switch = await b.switch()
        await switch.originator.originate(dial())
        b.refusal = "full"
        b.world.call_in("02155550000", "13900139000", "huashu")
        await b.world.until(lambda: b.peer.asked("DELETE", "/channels/1763.*"))
        assert b.peer.asked("DELETE", "/channels/1763.*") == [{"reason": "congestion"}]
        b.world.answer(customer(b))
        await b.arrivals.count(1)


async def test_an_audiosocket_call_of_the_dialplan_is_not_taken_for_aris() -> None:
    async with bench() as b:
        switch = await b.switch()
        host = b.settings.external_host
        assert host is not None
        _, writer = await asyncio.open_connection(*host.split(":"))
        writer.write(b"\x01\x00\x10" + bytes(range(16)))
        [plain] = await b.plain.count(1)
        assert not switch.media.take(plain)
        writer.close()
