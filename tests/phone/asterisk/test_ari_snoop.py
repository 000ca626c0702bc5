"""Assist listens to both sides of a channel, and the channel notices nothing."""

from __future__ import annotations

import pytest

from bot.call.ports import AudioIn, HungUpIn
from bot.phone.asterisk.ari_snoop import SnoopFailed
from tests.phone.asterisk.ari_harness import OTHER, TONE, Heard, bench
from tests.phone.asterisk.ari_peer import Fault
from tests.phone.asterisk.media_waiting import Collected


@pytest.mark.parametrize("transport", ["audiosocket", "websocket"])
async def test_each_side_comes_by_itself_and_the_end_once(transport: str) -> None:
    async with bench(transport=transport) as b:
        switch = await b.switch()
        arrival, heard = await b.call(switch)
        tracks = await switch.snoop.open(arrival.line_id)
        got = Collected()
        tracks.listen(got)

        def side(name: str) -> bytes:
            return b"".join(one.pcm for one in got if isinstance(one, AudioIn) and one.side == name)

        customer = b.world.dialled[0]
        customer.speak(TONE)
        arrival.leg.send(OTHER)
        await got.until(lambda _: TONE in side("customer") and OTHER in side("agent"))
        assert OTHER not in side("customer") and TONE not in side("agent")
        await heard.until_audio(TONE)
        assert bytes(customer.heard) == OTHER
        b.world.hang_up(customer, 16)
        await got.until(lambda seen: isinstance(seen[-1], HungUpIn))
        await b.nothing_left()
        assert [one for one in got if isinstance(one, HungUpIn)] == [HungUpIn("customer")]


async def test_who_stops_listening_leaves_the_call_as_it_was() -> None:
    async with bench() as b:
        switch = await b.switch()
        arrival, heard = await b.call(switch)
        tracks = await switch.snoop.open(arrival.line_id)
        got = Collected()
        tracks.listen(got)
        await tracks.hang_up("normal")
        await tracks.hang_up("normal")
        await b.world.until(lambda: len(b.world.channels) == 2 and len(b.world.bridges) == 1)
        b.world.dialled[0].speak(TONE)
        await heard.until_audio(TONE)
        assert [one for one in got if isinstance(one, HungUpIn)] == [HungUpIn("normal")]
        assert heard.others() == []


async def test_after_a_warm_transfer_assist_hears_customer_and_agent() -> None:
    async with bench() as b:
        switch = await b.switch()
        arrival, _ = await b.call(switch)

        async def brief(leg: object) -> None:
            pass

        people = await switch.transfers.warm(arrival.leg, "1001", brief)
        tracks = Heard(await switch.snoop.open(people.customer_channel_id))
        b.world.dialled[0].speak(TONE)
        b.world.dialled[1].speak(OTHER)
        await tracks.until_audio(TONE, "customer")
        await tracks.until_audio(OTHER, "agent")


@pytest.mark.parametrize("path", [".*/snoop/.*", "/channels/externalMedia", "/bridges/[^/]+"])
@pytest.mark.parametrize("done", [False, True])
async def test_one_side_that_fails_takes_the_other_down_and_the_call_goes_on(path: str, done: bool) -> None:
    async with bench() as b:
        switch = await b.switch()
        arrival, heard = await b.call(switch)
        b.peer.faults.append(Fault("POST", path, 500, done=done))
        with pytest.raises(SnoopFailed):
            await switch.snoop.open(arrival.line_id)
        await b.world.until(lambda: len(b.world.channels) == 2 and len(b.world.bridges) == 1)
        b.world.dialled[0].speak(TONE)
        await heard.until_audio(TONE)


async def test_a_channel_that_is_not_there_cannot_be_listened_to() -> None:
    async with bench() as b:
        switch = await b.switch()
        with pytest.raises(SnoopFailed):
            await switch.snoop.open("nobody")
        await b.nothing_left()
