"""Agents at extensions are rung, briefed and joined like others; called off, nobody is left ringing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.call.clock import run_virtual
from bot.call.ports import PhoneLeg, TransferFailed
from bot.phone.arrivals import Arrival
from bot.processes.extensions import AgentArrivals, Extension
from tests.phone.scripted_leg import ScriptedLeg
from tests.processes.office import BotCall, Office, play, spoken, until


class Switch:
    """Rings extensions.  `leg`: who answers, after a second; None where nobody does."""

    def __init__(self, leg: PhoneLeg | None) -> None:
        self.leg, self.rung, self.called_off = leg, [], False  # type: ignore[var-annotated]

    async def ring_agent(self, extension: str, shown: str) -> PhoneLeg:
        self.rung.append((extension, shown))
        try:
            await asyncio.sleep(1.0 if self.leg is not None else 3600)
        except asyncio.CancelledError:
            self.called_off = True
            raise
        assert self.leg is not None
        return self.leg


def test_an_extension_is_rung_briefed_and_joined_as_a_softphone_is(tmp_path: Path) -> None:
    agent = ScriptedLeg(continuous=True)
    switch = Switch(agent)

    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        await until(lambda: office.transfers.joined)
        assert switch.rung == [("1001", "95588")] and spoken(agent) == 300
        assert office.assist.opened[0][1].agent_id == "li"
        customer.leaves()
        await until(lambda: agent.hung_up)

    play(tmp_path, scene, ways=[Extension(switch, "1001", "li", "95588")])


def test_an_extension_that_does_not_answer_stops_ringing_and_the_next_way_is_tried(tmp_path: Path) -> None:
    away, agent = Switch(None), ScriptedLeg()

    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        await until(lambda: office.transfers.joined)
        assert away.called_off
        assert office.assist.opened == [], "an agent without a name has no page"
        agent.leaves("agent")
        await until(lambda: customer.hung_up)

    ways = [Extension(away, "1001", "li", "95588"), Extension(Switch(agent), "1002", "", "95588")]
    play(tmp_path, scene, ways=ways)


class Rings:
    """FreeSWITCH's warm transfer: the agent's line comes as an Arrival of its own, where it has sound."""

    def __init__(self, *, brings_sound: bool = True) -> None:
        self.arrivals: list[Arrival] = []
        self.killed: list[str] = []
        self._brings_sound = brings_sound
        self.agents = AgentArrivals(self, self.killed.append)

    async def ring(self, agent: str, *, shown: str, parameters: Any) -> str:
        if self._brings_sound:
            sent = {**parameters, "role": "agent"}
            self.arrivals.append(Arrival(ScriptedLeg(), "freeswitch", "u", parameters=sent))
        return "u"


def test_an_agents_line_that_arrives_goes_to_whoever_rang_and_to_nobody_else() -> None:
    async def whole() -> None:
        switch = Rings()
        ringing = asyncio.create_task(switch.agents.ring_agent("1001", "95588"))
        await until(lambda: switch.arrivals)
        [came] = switch.arrivals
        assert not switch.agents.take(Arrival(ScriptedLeg(), "freeswitch", "v", parameters={"role": "agent"}))
        assert not switch.agents.take(Arrival(ScriptedLeg(), "freeswitch", "v"))
        assert switch.agents.take(came)
        assert await ringing is came.leg
        again = ScriptedLeg()
        assert switch.agents.take(Arrival(again, "freeswitch", "w", parameters=came.parameters))
        await until(lambda: again.hung_up)
        assert came.leg.hung_up == switch.killed == []  # type: ignore[attr-defined]

    run_virtual(whole())


def test_an_agents_line_without_sound_is_ended_and_the_transfer_has_failed() -> None:
    async def whole() -> None:
        switch = Rings(brings_sound=False)
        with pytest.raises(TransferFailed, match="no sound"):
            await switch.agents.ring_agent("1001", "95588")
        assert switch.killed == ["u"]

    run_virtual(whole())


@pytest.mark.parametrize("arrived", [True, False])
def test_called_off_an_agents_line_is_ended_whether_it_arrived_or_not(arrived: bool) -> None:
    async def whole() -> None:
        switch = Rings()
        ringing = asyncio.create_task(switch.agents.ring_agent("1001", "95588"))
        await until(lambda: switch.arrivals)
        [came] = switch.arrivals
        if arrived:
            switch.agents.take(came)
        ringing.cancel()
        await asyncio.gather(ringing, return_exceptions=True)
        assert came.leg.hung_up == (["cancelled"] if arrived else [])  # type: ignore[attr-defined]
        assert switch.killed == ([] if arrived else ["u"])

    run_virtual(whole())
