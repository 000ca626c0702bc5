"""The people of a voice process, from its settings: a call that is held goes to them, and is archived."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from redis.asyncio import Redis

from bot import events as ev
from bot.bus.journaled import JournaledLog
from bot.bus.log import EventLog
from bot.bus.trackers import TrackerLog
from bot.call.answering.verdict import Answering
from bot.call.journal import CallFacts
from bot.phone.arrivals import Arrival
from bot.phone.browser.access import Tickets
from bot.phone.settings import TransferSettings, TransferWay, read_phones
from bot.processes import script_data
from bot.processes.archiver import Archiver
from bot.processes.calls import Calls, Shared, Wishes
from bot.processes.people import People, script_title
from bot.processes.softphone_tickets import ticket_routes
from bot.store.calls import archived_events
from bot.store.database import Database
from bot.typed_yaml import YamlError
from bot.understanding.completeness import Completeness, dump
from tests.call.one_call import FACTS, reply
from tests.call.test_driver import Brain, Loudness
from tests.phone.scripted_leg import ScriptedLeg
from tests.processes.office import CONNECTING, CONTACT, Assist, Phone

LIMIT_S = 30.0
SOFTPHONE = TransferSettings(ways=(TransferWay(softphone=True),), assist_script="bundle")
DATA = {
    "script": "ringback",
    "version": "v1",
    "completeness": dump(Completeness({})),
    "phrases": {},
    "lines": [],
}


class Agent(Phone):
    """Answers at once, and presses a key at the first sound of the briefing."""

    def __init__(self) -> None:
        super().__init__(0.0)

    def send(self, pcm: bytes) -> None:
        super().send(pcm)
        if len(self.sent) == 1:
            asyncio.get_running_loop().call_soon(self.presses, "1")


async def test_a_call_that_is_held_goes_to_an_agent_and_both_parts_are_kept(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUASHU_DATA", str(tmp_path))
    await script_data.publish(redis, "ringback", "v1", msgspec.json.encode(DATA))
    database = Database.open(f"sqlite:///{tmp_path / 'huashu.db'}")
    log = JournaledLog(EventLog(redis), tmp_path / "journal")
    log.start()
    handing = msgspec.structs.replace(
        reply(1, CONNECTING, ended=True, disposition="transferred"),
        call_id="bot-1", handover={"to": "agent", "reason": "customer_asked"},
    )  # fmt: skip
    shared = Shared(
        redis=redis, brain=Brain(handing), log=log, archiver=Archiver(log, TrackerLog(redis), database),
        voices=Loudness(), answering=Answering,
    )  # fmt: skip
    calls, assist = Calls(shared), Assist()
    people = People(SOFTPHONE, calls, assist)
    people.reach(None)
    agent, customer = Agent(), ScriptedLeg(words=True)
    arrival = Arrival(agent, "browser", "p", parameters={"kind": "softphone", "agent_id": "li"})
    assert people.take(arrival)
    assert not people.take(Arrival(customer, "twilio", "c", parameters={"kind": "softphone"}))
    facts = CallFacts(
        call_id="bot-1", started=FACTS.started, script="ringback", script_version="v1", contact=CONTACT
    )
    async with asyncio.timeout(LIMIT_S):
        ended, recording = await calls.hold(facts, customer, Wishes(transfer=people.give))
        assert (ended.cause, ended.disposition) == ("transferred", "transferred")
        assert people.joined == 1 and customer.hung_up == []
        customer.leaves()
        await assist.over.wait()
        await people.stop()
    assert agent.hung_up == ["customer"] and people.joined == 0
    [(_, opening)] = assist.opened
    assert opening.handed_over == "bot-1" and [line["party"] for line in opening.earlier] == ["bot"]
    with database.read() as connection:
        kept = archived_events(connection, "default", "bot-1")
    assert isinstance(kept[-1], ev.CallEnded)
    assert {path.stem for path in (tmp_path / "recordings").iterdir()} == {recording.stem, opening.call_id}
    await log.stop()
    database.close()


async def test_an_extension_needs_a_switch(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUASHU_DATA", str(tmp_path))
    shared: Any = Shared(
        redis=redis, brain=Brain(), log=None, archiver=None, voices=Loudness(), answering=Answering  # type: ignore[arg-type]
    )  # fmt: skip
    people = People(TransferSettings(ways=(TransferWay(extension="1001"),)), Calls(shared))
    with pytest.raises(ValueError, match=r"extension 1001 → needs asterisk\.ari or freeswitch"):
        people.reach(None)


def test_the_agent_is_told_the_scripts_own_title() -> None:
    assert script_title("ringback", "zh") == "彩铃月费预缴"
    assert script_title("ringback", "fr") is None
    assert script_title("../nothing", "zh") is None


def test_the_settings_are_read_and_a_bad_way_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "phones.yml"
    path.write_text(
        "transfer:\n  ways:\n  - {softphone: true}\n  - {extension: '1001', agent_id: li, shown: '95588'}\n"
        "  - {number: '+861095588'}\n  ring_s: 12\n  assist_script: bundle\n"
    )
    transfer = read_phones(path).transfer
    assert transfer is not None and transfer.ring_s == 12
    assert [bool(way.softphone) for way in transfer.ways] == [True, False, False]
    path.write_text("transfer:\n  ways:\n  - {softphone: true, number: '1'}\n")
    with pytest.raises(YamlError, match=r"phones\.yml:3:.*exactly one"):
        read_phones(path)


async def test_tickets_are_given_to_whoever_holds_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK", "s3cret")
    settings = TransferSettings(ways=(TransferWay(softphone=True),), tickets_env="DESK")
    tickets = Tickets(asyncio.get_running_loop().time)
    app = web.Application()
    app.add_routes(ticket_routes(tickets, settings))

    async def ask(body: bytes, secret: str) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {secret}"}
        async with desk.post("/softphone/tickets", data=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async with TestClient(TestServer(app)) as desk:
        status, made = await ask(b'{"agent_id": "li"}', "s3cret")
        assert status == 200 and made["page"] == f"/softphone#ticket={made['ticket']}"
        redeemed = tickets.redeem(made["ticket"], "softphone")
        assert redeemed is not None and redeemed.agent_id == "li"
        for secret in ("", "S3cret", "s3crets", "é"):
            assert (await ask(b'{"agent_id": "li"}', secret))[0] == 401
        for body in (
            b"",
            b"{",
            b"[]",
            b'{"agent_id": ""}',
            b'{"agent_id": 1}',
            b'{"agent_id":"li","x":1}',
            b"\xff",
        ):
            assert (await ask(body, "s3cret"))[0] == 400


@pytest.mark.parametrize("value", ["", None])
def test_a_secret_that_is_not_set_is_a_fault_at_the_start(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("DESK", raising=False)
    if value is not None:
        monkeypatch.setenv("DESK", value)
    settings = TransferSettings(ways=(TransferWay(softphone=True),), tickets_env="DESK")
    with pytest.raises((KeyError, ValueError), match="DESK"):
        ticket_routes(Tickets(lambda: 0.0), settings)


def test_without_a_secret_no_tickets_are_given() -> None:
    assert ticket_routes(Tickets(lambda: 0.0), SOFTPHONE) == []
