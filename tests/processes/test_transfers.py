"""A call goes to a person, or stays with the bot; whatever happens each line ends once, nothing is left."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot import events as ev
from bot.call.clock import run_virtual
from bot.call.pcm import SILENT_FRAME
from bot.call.ports import AudioIn, WordsIn
from bot.phone.settings import TransferSettings, TransferWay
from bot.processes.transfers import Number
from tests.call.one_call import P
from tests.call.test_driver import LOUD
from tests.phone.scripted_leg import ScriptedLeg
from tests.processes.office import BRIEFING_S, BotCall, Office, Phone, joined, kinds, play, spoken, until


def test_warm_the_agent_is_told_alone_his_page_is_filled_and_both_talk(tmp_path: Path) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        phone = office.agent("li")
        await joined(office, phone)
        join_s = asyncio.get_running_loop().time()
        [(rung_s, shown)] = phone.rung
        [(opened_s, opening)] = office.assist.opened
        assert shown == "138****8000"
        assert opened_s == pytest.approx(rung_s + 2.0, abs=0.05)
        assert join_s == pytest.approx(opened_s + BRIEFING_S, abs=0.1)
        assert spoken(phone) == 300
        assert office.voice.said == ["张伟，彩铃包年，现在要找人工。"]
        assert (opening.agent_id, opening.script, opening.handed_over) == ("li", "bundle", "bot-1")
        assert opening.contact["name"] == "张伟" and opening.facts["handover_reason"] == "customer_asked"
        ended = await call.over
        assert (ended.by, ended.cause, ended.disposition) == ("bot", "transferred", "transferred")
        assert customer.hung_up == []
        before = len(customer.sent)
        await asyncio.gather(customer.talks(50), phone.talks(50, first=500))
        await asyncio.sleep(0.1)
        assert phone.heard()[-50:] == list(range(50))
        assert [int.from_bytes(pcm[:2], "little") - 1 for _, pcm in customer.sent[before:]] == list(
            range(500, 550)
        )
        customer.says(WordsIn("多少钱", True, "c9"))
        phone.says(WordsIn("三十块", True, "typed-1"))
        await asyncio.sleep(0.1)
        customer.leaves()
        await until(lambda: office.assist.ended)
        assert phone.hung_up == ["customer"]
        assert office.assist.ended == [(opening.call_id, "customer")]
        assert [(party, text) for _, party, text, _ in office.assist.words] == [
            ("customer", "多少钱"), ("agent", "三十块"),
        ]  # fmt: skip
        [recording] = office.recordings
        assert recording.stem == opening.call_id and recording.stat().st_size > 44
        assert office.softphones.states == {}

    play(tmp_path, scene)


def test_the_customer_hears_the_holding_line_meanwhile_and_not_the_briefing(tmp_path: Path) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        phone = office.agent("li", Phone(9.0))
        await joined(office, phone)
        rung = phone.rung[0][0]
        told = [at for at, _ in phone.sent]
        held = [at for at, pcm in customer.sent if pcm == LOUD and at > rung]
        assert held and min(held) >= rung + P.hold_every_ms / 1000 - 0.1
        assert sum(at >= told[0] for at in held) < len(told), "the customer does not hear what the agent does"
        assert phone.heard() and told[0] == pytest.approx(rung + 9.0, abs=0.1)
        customer.leaves()

    play(tmp_path, scene)


@pytest.mark.parametrize("how", ["key", "voice"])
def test_an_agent_who_has_heard_enough_is_joined_at_once(tmp_path: Path, how: str) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        phone = office.agent("li")
        await until(lambda: spoken(phone) >= 100)
        if how == "key":
            phone.presses("1")
        else:
            await phone.talks(20)
        await asyncio.sleep(0.1)
        assert office.transfers.joined == 1
        assert phone.flushes == 1 and spoken(phone) < 130
        customer.leaves()

    play(tmp_path, scene)


def test_his_hello_does_not_cut_the_briefing_off(tmp_path: Path) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        phone = office.agent("li")
        await until(lambda: spoken(phone))
        await phone.talks(40)
        for _ in range(20):
            phone.says(AudioIn(SILENT_FRAME))
        await joined(office, phone)
        assert spoken(phone) == 300
        customer.leaves()

    play(tmp_path, scene)


def test_with_nobody_there_the_bot_goes_on(tmp_path: Path) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        await until(lambda: len(call.brain.asked) == 2)
        assert kinds(call) == ["open", "transfer_failed"]
        assert not call.over.done() and customer.hung_up == []
        customer.leaves()
        assert (await call.over).disposition == "hung_up"

    play(tmp_path, scene)


def test_who_does_not_answer_is_rung_no_longer_and_the_next_is_rung(tmp_path: Path) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        away, li = office.agent("wang", Phone(None)), office.agent("li")
        await joined(office, li)
        assert li.rung[0][0] - away.rung[0][0] == pytest.approx(10.0, abs=0.05)
        assert office.softphones.states == {"wang": "free", "li": "talking"}
        customer.leaves()

    play(tmp_path, scene)


def test_one_who_declines_is_not_asked_again(tmp_path: Path) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        no, li = office.agent("wang", Phone(1.0, declines=True)), office.agent("li")
        await joined(office, li)
        assert len(no.rung) == 1 and "wang" not in office.softphones.states
        customer.leaves()

    play(tmp_path, scene)


def test_an_agent_who_hangs_up_in_the_briefing_leaves_nothing_and_the_next_takes_it(tmp_path: Path) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        first, li = office.agent("wang"), office.agent("li")
        await until(lambda: spoken(first) > 50)
        first.leaves("agent")
        back = office.agent("wang")  # his page comes back
        await joined(office, li)
        assert back.rung == []
        [(_, one), (_, two)] = office.assist.opened
        assert office.assist.ended == [(one.call_id, "system")]
        assert [path.stem for path in office.recordings] == [two.call_id]
        customer.leaves()

    play(tmp_path, scene)


def test_all_gone_in_the_briefing_the_bot_goes_on(tmp_path: Path) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        phone = office.agent("li")
        await until(lambda: spoken(phone) > 50)
        phone.leaves("line_lost")
        await until(lambda: len(call.brain.asked) == 2)
        assert kinds(call)[-1] == "transfer_failed" and office.transfers.joined == 0
        assert office.recordings == []
        customer.leaves()

    play(tmp_path, scene)


@pytest.mark.parametrize("when", ["ringing", "briefing"])
def test_a_customer_who_hangs_up_meanwhile_frees_the_agent(tmp_path: Path, when: str) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        phone = office.agent("li")
        await until(lambda: spoken(phone) > 20 if when == "briefing" else phone.rung)
        customer.leaves()
        await call.over
        await until(lambda: phone.hung_up)
        assert len(phone.hung_up) == 1
        assert office.transfers.joined == 0
        assert [by for _, by in office.assist.ended] == ["system"] * len(office.assist.opened)
        await until(lambda: office.softphones.states == {})

    play(tmp_path, scene)


@pytest.mark.parametrize("cause", ["agent", "line_lost"])
def test_when_the_agent_goes_in_mid_call_the_customers_line_ends_too(tmp_path: Path, cause: str) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        phone = office.agent("li")
        await joined(office, phone)
        phone.leaves(cause)
        await until(lambda: office.assist.ended)
        assert customer.hung_up == ["agent"]
        assert office.assist.ended[0][1] == "agent"

    play(tmp_path, scene)


def test_nobody_is_waited_for_longer_than_the_call_waits(tmp_path: Path) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        phones = [office.agent(f"a{one}", Phone(None)) for one in range(9)]
        await until(lambda: len(call.brain.asked) == 2)
        rung = [phone.rung[0][0] for phone in phones if phone.rung]
        assert len(rung) == 4 and asyncio.get_running_loop().time() < rung[0] + P.move_ms / 1000
        customer.leaves()

    play(tmp_path, scene, most_s=35.0)


def test_settings_that_wait_longer_than_a_call_does_are_refused(tmp_path: Path) -> None:
    async def made() -> None:
        with pytest.raises(ValueError, match=r"transfer\.most_s 45"):
            Office(tmp_path, most_s=45.0)

    run_virtual(made())


def test_without_a_bus_the_two_talk_all_the_same(tmp_path: Path) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        office.assist.down = True
        phone = office.agent("li")
        await joined(office, phone)
        await customer.talks(20)
        assert len(phone.heard()) >= 15
        customer.leaves()
        await asyncio.sleep(1.0)
        office.assist.down = False
        await until(lambda: office.assist.ended)

    play(tmp_path, scene)


def test_a_slow_bus_delays_neither_the_briefing_nor_the_end_of_what_was_opened(tmp_path: Path) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        office.assist.slow_s = 3.0
        phone = office.agent("li")
        await until(lambda: spoken(phone))
        assert phone.sent[0][0] == pytest.approx(phone.rung[0][0] + 2.0, abs=0.1)
        phone.leaves("agent")
        await until(lambda: office.assist.ended)
        assert office.assist.ended[0][1] == "system"
        customer.leaves()

    play(tmp_path, scene)


def test_a_briefing_that_cannot_be_spoken_is_left_out(tmp_path: Path) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        office.voice.dumb = True
        phone = office.agent("li")
        await joined(office, phone)
        assert spoken(phone) == 0
        customer.leaves()

    play(tmp_path, scene)


def test_a_place_that_cannot_record_keeps_the_call_with_the_bot(tmp_path: Path) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        phone = office.agent("li")
        await until(lambda: len(call.brain.asked) == 2)
        assert phone.hung_up == ["transfer_failed"] and kinds(call)[-1] == "transfer_failed"
        customer.leaves()

    (tmp_path / "file").write_text("no folder")
    play(tmp_path / "file", scene)


def test_the_process_stops_both_lines_end(tmp_path: Path) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        phone = office.agent("li")
        await joined(office, phone)
        await office.transfers.stop()
        assert customer.hung_up == phone.hung_up == ["shutdown"]
        assert office.assist.ended[0][1] == "system"

    play(tmp_path, scene)


# -- cold


def test_cold_the_switch_gets_the_call(tmp_path: Path) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        customer.capabilities = ScriptedLeg(transfer=True).capabilities
        ended = await call.over
        assert customer.transferred_to == "+861095588"
        assert ended.disposition == "transferred" and customer.hung_up == []

    play(tmp_path, scene, ways=[Number("+861095588")])


@pytest.mark.parametrize("can", [True, False])
def test_cold_and_refused_the_bot_goes_on(tmp_path: Path, can: bool) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        customer.capabilities = ScriptedLeg(transfer=can).capabilities
        customer.refuses_transfer = True
        await until(lambda: len(call.brain.asked) == 2)
        assert kinds(call)[-1] == "transfer_failed"
        customer.leaves()

    play(tmp_path, scene, ways=[Number("+861095588")])


@pytest.mark.parametrize("bad", [{}, {"softphone": True, "number": "1"}, {"extension": "1", "number": "1"}])
def test_a_way_is_one_of_three(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        TransferWay(**bad)


def test_times_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="ring_s"):
        TransferSettings(ways=(TransferWay(softphone=True),), ring_s=50, most_s=40)


def test_the_last_event_is_the_calls_end(tmp_path: Path) -> None:
    async def scene(office: Office, customer: ScriptedLeg, call: BotCall) -> None:
        phone = office.agent("li")
        await joined(office, phone)
        await call.over
        await asyncio.sleep(1.0)
        assert isinstance(call.log.events[-1], ev.CallEnded)
        assert sum(isinstance(event, ev.CallEnded) for event in call.log.events) == 1
        customer.leaves()

    play(tmp_path, scene)
