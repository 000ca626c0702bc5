"""A call between people that the dialplan announces comes as a line with two tracks; it goes on as it was."""

from __future__ import annotations

import pytest

from bot.call.ports import HungUpIn
from bot.phone.arrivals import Arrival
from bot.phone.asterisk.ari_assist import Announced
from bot.phone.asterisk.ari_switch import AriSwitch
from tests.phone.asterisk.ari_harness import OTHER, THEIRS, TONE, Bench, Heard, bench
from tests.phone.asterisk.media_waiting import Collected


async def announced(b: Bench, switch: AriSwitch, *args: str) -> None:
    """The dialplan's short channel comes into our application, and is taken from where calls arrive."""
    before = len(b.arrivals)
    b.world.call_in("announce", "", "huashu", *args)
    await b.arrivals.count(before + 1)


def door(switch: AriSwitch) -> tuple[Announced, Collected]:
    got = Collected()
    return Announced(switch.snoop.open, got), got


async def test_an_announced_call_comes_with_both_tracks_and_the_announcement_is_hung_up() -> None:
    async with bench() as b:
        switch = await b.switch()
        people, heard = await b.call(switch)
        announcements, got = door(switch)
        await announced(
            b, switch, f"snoop={people.line_id}", "agent_id=li", "called=95588", f"caller={THEIRS}"
        )
        announcements.arrived(b.arrivals[-1])
        await got.count(1)
        line: Arrival = got[0]
        assert line.leg.capabilities.two_tracks
        assert (line.line_id, line.called, line.caller) == (people.line_id, "95588", THEIRS)
        assert line.parameters["agent_id"] == "li" and "snoop" not in line.parameters
        both = Heard(line.leg)
        customer = b.world.dialled[0]
        customer.speak(TONE)
        people.leg.send(OTHER)
        await both.until_audio(TONE, "customer")
        await both.until_audio(OTHER, "agent")
        await line.leg.hang_up("refused")
        await b.world.until(lambda: len(b.world.channels) == 2 and len(b.world.bridges) == 1)
        customer.speak(OTHER)
        await heard.until_audio(OTHER)
        assert both.others() == [HungUpIn("refused")]


@pytest.mark.parametrize("channel_id", ["gone", "..%2F..%2Fx", ""])
async def test_a_call_that_is_not_there_is_told_in_the_log_and_leaves_nothing(
    channel_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with bench() as b:
        switch = await b.switch()
        announcements, got = door(switch)
        await announced(b, switch, f"snoop={channel_id}")
        announcements.arrived(b.arrivals[-1])
        await b.nothing_left()
        await b.world.until(lambda: "announced" in caplog.text)
        assert len(got) == 0


async def test_all_other_calls_pass() -> None:
    async with bench() as b:
        switch = await b.switch()
        arrival, _ = await b.call(switch)
        announcements, got = door(switch)
        announcements.arrived(arrival)
        assert list(got) == [arrival]
