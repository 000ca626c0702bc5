"""Transfers: cold by the switch, warm with a whispered briefing; one that fails leaves the customer with
the bot, and a customer who hangs up leaves nobody ringing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from bot.call.ports import DtmfIn, HungUpIn, PhoneLeg, TransferFailed
from bot.phone.arrivals import Arrival
from bot.phone.asterisk.ari_leg import AriLeg
from bot.phone.asterisk.ari_switch import AriSwitch
from tests.phone.asterisk.ari_harness import OTHER, TONE, Bench, Heard, bench
from tests.phone.asterisk.ari_peer import Fault
from tests.phone.asterisk.ari_peer_world import PeerChannel


@dataclass
class Talk:
    """A customer who talks with the bot, and an agent's phone that does as told when it is dialled."""

    b: Bench
    switch: AriSwitch
    arrival: Arrival
    heard: Heard

    @property
    def leg(self) -> AriLeg:
        assert isinstance(self.arrival.leg, AriLeg)
        return self.arrival.leg

    @property
    def customer(self) -> PeerChannel:
        return self.b.world.dialled[0]

    @property
    def agent(self) -> PeerChannel:
        return self.b.world.dialled[1]

    async def goes_on(self) -> None:
        """The bot and the customer hear each other, and nobody else is on the switch."""
        await self.switch.drain()
        mark = bytes([len(self.customer.heard) % 251 + 1, 7]) * 160
        self.customer.speak(mark)
        await self.heard.until_audio(mark)
        self.leg.send(mark)
        await self.b.world.until(lambda: mark in self.customer.heard)
        assert self.heard.others() == []
        await self.b.world.until(lambda: len(self.b.world.channels) == 2 and len(self.b.world.bridges) == 1)


@asynccontextmanager
async def talk(**changes: object) -> AsyncIterator[Talk]:
    async with bench(**changes) as b:
        switch = await b.switch()
        arrival, heard = await b.call(switch)
        yield Talk(b, switch, arrival, heard)


async def silent(leg: PhoneLeg) -> None:
    """A briefing of nothing."""


async def test_warm_the_agent_alone_hears_the_briefing_then_both_hear_each_other() -> None:
    async with talk() as t:
        whisper = bytes([9, 3]) * 160

        async def brief(leg: PhoneLeg) -> None:
            agent_heard = Heard(leg)
            leg.send(whisper)
            await t.b.world.until(lambda: whisper in t.agent.heard)
            t.agent.speak(TONE)
            await agent_heard.until_audio(TONE)
            t.b.world.press(t.agent, "1")
            await agent_heard.until_other(DtmfIn("1"))

        people = await t.switch.transfers.warm(t.leg, "1001", brief, caller="13800138000")
        await t.heard.until_other(HungUpIn("transferred"))
        assert t.b.peer.asked("POST", "/channels/huashu-agent-.*")[0]["endpoint"] == "PJSIP/1001"
        await t.b.world.until(lambda: len(t.b.world.channels) == 2 and len(t.b.world.bridges) == 1)
        assert whisper not in t.customer.heard and TONE not in t.customer.heard
        t.agent.speak(OTHER)
        t.customer.speak(TONE)
        await t.b.world.until(lambda: OTHER in t.customer.heard and TONE in t.agent.heard)
        assert not people.over.done()


async def test_an_agents_line_without_a_bot_is_joined_with_a_customers() -> None:
    async with talk() as t:
        agent = await t.switch.transfers.call_agent("1001")
        agent_heard = Heard(agent)
        await t.switch.transfers.join(t.leg, agent)
        await agent_heard.until_other(HungUpIn("transferred"))
        t.agent.speak(OTHER)
        t.customer.speak(TONE)
        await t.b.world.until(lambda: OTHER in t.customer.heard and TONE in t.agent.heard)


@pytest.mark.parametrize("who", ["customer", "agent", "us"])
async def test_after_a_warm_transfer_one_who_hangs_up_ends_both(who: str) -> None:
    async with talk() as t:
        people = await t.switch.transfers.warm(t.leg, "1001", silent)
        if who == "us":
            await people.hang_up()
            await people.hang_up()
        else:
            t.b.world.hang_up(t.customer if who == "customer" else t.agent, 16)
        assert await people.over == who
        await t.b.nothing_left()
        assert t.heard.others() == [HungUpIn("transferred")]


@pytest.mark.parametrize(
    ("cause", "status", "why"),
    [
        (17, "BUSY", "on the phone"),
        (19, "NOANSWER", "did not answer"),
        (21, "", "declined"),
        (20, "CHANUNAVAIL", "not there"),
        (38, "", "congestion"),
    ],
)
async def test_an_agent_who_does_not_answer_leaves_the_customer_with_the_bot(
    cause: int, status: str, why: str
) -> None:
    async with talk() as t:
        t.b.world.on_dial = lambda channel: t.b.world.hang_up(channel, cause, status=status)
        with pytest.raises(TransferFailed, match=why):
            await t.switch.transfers.warm(t.leg, "1001", silent)
        await t.goes_on()


async def test_a_transfer_that_is_given_up_leaves_nobody_ringing() -> None:
    async with talk() as t:
        t.b.world.on_dial = t.b.world.ring
        ringing = asyncio.ensure_future(t.switch.transfers.warm(t.leg, "1001", silent))
        await t.b.world.until(lambda: len(t.b.world.dialled) == 2)
        ringing.cancel()
        await asyncio.gather(ringing, return_exceptions=True)
        await t.b.world.until(lambda: t.agent.ended)
        await t.goes_on()


@pytest.mark.parametrize("extension", ["", "1001&PJSIP/2", "../x", "1001@evil", "a b", "1" * 65])
async def test_what_is_no_extension_is_not_dialled(extension: str) -> None:
    async with talk() as t:
        with pytest.raises(TransferFailed):
            await t.switch.transfers.warm(t.leg, extension, silent)
        with pytest.raises(TransferFailed):
            await t.leg.transfer(extension)
        assert len(t.b.world.dialled) == 1
        await t.goes_on()


async def test_an_agent_who_hangs_up_during_the_briefing_leaves_the_customer_with_the_bot() -> None:
    async with talk() as t:
        started = asyncio.Event()

        async def brief(leg: PhoneLeg) -> None:
            started.set()
            t.b.world.hang_up(t.agent, 16)
            await asyncio.Event().wait()

        with pytest.raises(TransferFailed, match="during the briefing"):
            await t.switch.transfers.warm(t.leg, "1001", brief)
        assert started.is_set()
        await t.goes_on()


@pytest.mark.parametrize("fault", [ValueError("broken"), TransferFailed("the agent said no")])
async def test_a_briefing_that_fails_leaves_the_customer_with_the_bot(fault: Exception) -> None:
    async with talk() as t:

        async def brief(leg: PhoneLeg) -> None:
            raise fault

        with pytest.raises(TransferFailed):
            await t.switch.transfers.warm(t.leg, "1001", brief)
        await t.b.world.until(lambda: t.agent.ended)
        await t.goes_on()


@pytest.mark.parametrize("when", ["ringing", "briefing"])
async def test_a_customer_who_hangs_up_meanwhile_frees_the_agent(when: str) -> None:
    async with talk() as t:

        def dialled(channel: PeerChannel) -> None:
            if when == "ringing":
                t.b.world.ring(channel)
                t.b.world.hang_up(t.customer, 16)
            else:
                t.b.world.answer(channel)

        async def brief(leg: PhoneLeg) -> None:
            t.b.world.hang_up(t.customer, 16)
            await asyncio.Event().wait()

        t.b.world.on_dial = dialled
        with pytest.raises(TransferFailed, match="customer hung up"):
            await t.switch.transfers.warm(t.leg, "1001", brief)
        await t.b.nothing_left()
        assert t.agent.ended and t.heard.others() == [HungUpIn("customer")]


@pytest.mark.parametrize(
    "path", ["/channels/huashu-agent-[^/]+", "/channels/externalMedia", "/bridges/.*/removeChannel"]
)
@pytest.mark.parametrize("status", [500, None])
async def test_a_switch_that_fails_half_way_leaves_the_customer_with_the_bot(
    path: str, status: int | None
) -> None:
    async with talk() as t:
        t.b.peer.faults.append(Fault("POST", path, status))
        with pytest.raises(TransferFailed):
            await t.switch.transfers.warm(t.leg, "1001", silent)
        await t.goes_on()


async def test_cold_the_customer_goes_on_elsewhere() -> None:
    async with talk() as t:
        asked: list[str] = []

        def redirect(channel: PeerChannel, endpoint: str) -> None:
            asked.append(endpoint)
            t.b.world.hang_up(channel, 16)

        t.b.world.on_redirect = redirect
        await t.leg.transfer("8008")
        await t.heard.until_other(HungUpIn("transferred"))
        await t.b.nothing_left()
        assert asked == ["PJSIP/8008"] and t.heard.others() == [HungUpIn("transferred")]


async def test_cold_nobody_takes_the_call_and_the_customer_is_back_with_the_bot() -> None:
    async with talk(transfer_s=0.05) as t:
        with pytest.raises(TransferFailed, match="nobody took the call"):
            await t.leg.transfer("8008")
        await t.goes_on()


@pytest.mark.parametrize("step", ["removeChannel", "redirect"])
async def test_cold_a_switch_that_refuses_leaves_the_customer_with_the_bot(step: str) -> None:
    async with talk() as t:
        t.b.peer.faults.append(Fault("POST", f".*/{step}", 409))
        with pytest.raises(TransferFailed, match="refused"):
            await t.leg.transfer("8008")
        await t.goes_on()


@pytest.mark.parametrize("who", ["bot", "network"])
async def test_cold_a_line_that_ends_otherwise_was_not_transferred(who: str) -> None:
    async with talk() as t:
        transfer = asyncio.ensure_future(t.leg.transfer("8008"))
        await t.b.world.until(lambda: t.b.peer.asked("POST", ".*/redirect"))
        if who == "bot":
            await t.leg.hang_up("normal")
        else:
            t.b.world.hang_up(t.customer, 38)
        with pytest.raises(TransferFailed, match="ended meanwhile"):
            await transfer
        await t.b.nothing_left()
        assert t.heard.others() == [HungUpIn("normal" if who == "bot" else "congestion")]


async def test_a_line_that_cannot_come_back_after_a_cold_transfer_is_hung_up() -> None:
    async with talk(transfer_s=0.05) as t:
        t.b.peer.faults.append(Fault("POST", ".*/addChannel", 500))
        with pytest.raises(TransferFailed):
            await t.leg.transfer("8008")
        await t.heard.until_other(HungUpIn("line_lost"))
        await t.b.nothing_left()


async def test_a_line_that_is_over_is_not_transferred() -> None:
    async with talk() as t:
        t.b.world.hang_up(t.customer, 16)
        await t.heard.until_other(HungUpIn("customer"))
        with pytest.raises(TransferFailed):
            await t.leg.transfer("8008")
        with pytest.raises(TransferFailed, match="customer hung up"):
            await t.switch.transfers.warm(t.leg, "1001", silent)
        await t.b.nothing_left()
