"""Warm transfer: the agent first, then both; whatever fails, the customer stays with the bot."""

from __future__ import annotations

import asyncio
import struct

import pytest

from bot.call.ports import AudioIn, TransferFailed
from bot.phone.freeswitch.leg import FreeSwitchLeg
from bot.phone.freeswitch.transfer import WarmTransfer
from tests.phone.freeswitch.conftest import Heard, Open, Site
from tests.phone.freeswitch.module_peer import Channel, ForkModule

FRAME = struct.pack("<160h", *[300] * 160)


async def agent_answers(site: Site) -> Channel:
    await site.peer.until(
        lambda: any(one.dial_string.startswith("user/") for one in site.peer.channels.values())
    )
    agent = next(one for one in site.peer.channels.values() if one.dial_string.startswith("user/"))
    site.peer.answer(agent.uuid)
    return agent


async def connected(site: Site) -> tuple[Channel, Heard, FreeSwitchLeg, Channel, FreeSwitchLeg]:
    """A customer with the bot, and an agent who has answered."""
    customer, _, leg, heard = await site.call()
    ringing = asyncio.ensure_future(
        WarmTransfer(site.switch).ring("1001", shown="95588", parameters={"call_id": "c-1"})
    )
    agent = await agent_answers(site)
    assert await ringing == agent.uuid
    arrival = await site.arrival(2)
    assert arrival.parameters == {"call_id": "c-1", "role": "agent"} and arrival.line_id == agent.uuid
    assert isinstance(arrival.leg, FreeSwitchLeg)
    return customer, heard, leg, agent, arrival.leg


async def test_the_agent_hears_the_whisper_then_both_are_joined_and_listened_to(site: Open) -> None:
    here = await site("jambonz")
    customer, heard, leg, agent, whisper = await connected(here)
    assert agent.dial_string == "user/1001"
    assert agent.variables["origination_caller_id_number"] == "95588"
    for _ in range(8):
        whisper.send(FRAME)
    module = agent.module
    assert isinstance(module, ForkModule)
    await module.until(lambda: len(module.playout) >= 1280)
    await WarmTransfer(here.switch).join(leg, whisper, listen={"call_id": "c-1"})
    assert customer.bridged_to == agent.uuid
    assert await heard.over() == "transferred"
    arrival = await here.arrival(3)
    assert arrival.parameters == {"call_id": "c-1", "role": "assist"} and arrival.line_id == customer.uuid
    both = Heard(arrival.leg)  # type: ignore[arg-type]
    assert customer.module is not None
    await customer.module.caller_says(struct.pack("<320h", *([1, 2] * 160)))
    await both.until(lambda items: len(items) == 2)
    await arrival.leg.hang_up("assist is done")
    await here.peer.until(lambda: customer.module is None)
    assert here.peer.ran("uuid_kill") == []


async def test_joined_and_left_alone_where_nobody_listens(site: Open) -> None:
    here = await site("jambonz")
    customer, _, leg, agent, whisper = await connected(here)
    await WarmTransfer(here.switch).join(leg, whisper)
    await here.peer.until(lambda: customer.module is None and agent.module is None)
    assert len(here.arrivals) == 2 and here.peer.ran("uuid_kill") == []


async def still_with_the_bot(channel: Channel, heard: Heard) -> bool:
    assert channel.module is not None
    await channel.module.caller_says(FRAME)
    await heard.until(lambda items: bool(items))
    return heard.items[-1] == AudioIn(FRAME)


async def test_a_join_that_fails_leaves_both_where_they_are(site: Open) -> None:
    here = await site("jambonz")
    customer, heard, leg, agent, whisper = await connected(here)
    here.peer.refuse["uuid_bridge"] = "-ERR Invalid uuid\n"
    with pytest.raises(TransferFailed, match="not joined"):
        await WarmTransfer(here.switch).join(leg, whisper)
    assert await still_with_the_bot(customer, heard)
    assert {customer.uuid, agent.uuid} <= set(here.peer.channels)


async def test_an_agent_who_does_not_answer_is_a_failed_transfer(site: Open) -> None:
    here = await site("jambonz")
    customer, _, _, heard = await here.call()
    ringing = asyncio.ensure_future(WarmTransfer(here.switch).ring("1001", shown="95588", parameters={}))
    await here.peer.until(lambda: len(here.peer.channels) == 2)
    here.peer.hang_up(next(line for line in here.peer.channels if line != customer.uuid), "NO_ANSWER")
    with pytest.raises(TransferFailed, match="NO_ANSWER"):
        await ringing
    assert await still_with_the_bot(customer, heard)


async def test_an_agent_whose_media_fails_is_hung_up(site: Open) -> None:
    here = await site("jambonz")
    here.peer.refuse["uuid_audio_fork"] = "-ERR Operation Failed\n"
    ringing = asyncio.ensure_future(WarmTransfer(here.switch).ring("1001", shown="95588", parameters={}))
    agent = await agent_answers(here)
    with pytest.raises(TransferFailed):
        await ringing
    await here.peer.until(lambda: agent.uuid in here.peer.gone)


@pytest.mark.parametrize("channel_is_late", [False, True])
async def test_a_transfer_that_is_given_up_stops_ringing(site: Open, channel_is_late: bool) -> None:
    here = await site("jambonz")
    here.peer.hold_channels = channel_is_late
    ringing = asyncio.ensure_future(WarmTransfer(here.switch).ring("1001", shown="95588", parameters={}))
    await here.peer.until(lambda: bool(here.peer.ran("originate")))
    ringing.cancel()
    await here.peer.until(lambda: bool(here.peer.ran("uuid_kill")))
    here.peer.release_channels()
    await here.peer.until(lambda: not here.peer.channels and len(here.peer.gone) == 1)


@pytest.mark.parametrize("agent", ["1001|1002", "1001 &park()", "{a=b}1001", ""])
async def test_an_extension_that_is_more_than_one_is_not_called(site: Open, agent: str) -> None:
    here = await site("jambonz")
    with pytest.raises(TransferFailed):
        await WarmTransfer(here.switch).ring(agent, shown="95588", parameters={})
    assert here.peer.commands == []
