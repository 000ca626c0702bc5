"""Agents who wait at softphones: the longest free is rung first, each has one line, nobody else may."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.phone.arrivals import Arrival
from tests.phone.scripted_leg import ScriptedLeg
from tests.processes.office import BotCall, Office, play, until


def test_who_has_been_free_longest_is_rung_first_and_a_newer_page_replaces_the_older(tmp_path: Path) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        old, wu = office.agent("li"), office.agent("wu")
        new = office.agent("li")
        await until(lambda: wu.rung)
        assert old.hung_up == ["replaced"] and old.rung == new.rung == []
        await until(lambda: office.transfers.joined)
        second = office.agent("wu")
        await asyncio.sleep(0.1)
        assert second.hung_up == ["refused"] and not wu.hung_up
        assert office.softphones.states == {"wu": "talking", "li": "free"}
        customer.leaves()

    play(tmp_path, scene)


def test_a_softphone_of_nobody_is_refused(tmp_path: Path) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        phone, plain = office.agent(""), ScriptedLeg()
        office.softphones.arrived(Arrival(plain, "browser", "x", parameters={"agent_id": "li"}))
        await asyncio.sleep(0.1)
        assert phone.hung_up == plain.hung_up == ["refused"]
        customer.leaves()

    play(tmp_path, scene)
