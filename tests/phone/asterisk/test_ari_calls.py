"""Placing calls by ARI: only with a permit, never twice for one intent, every outcome named."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.phone.asterisk.ari_calls import line_id_of
from bot.phone.dialling import DialFailed, DialRefused, LineNews, LineState
from tests.phone.asterisk.ari_harness import NOW, OURS, THEIRS, bench, dial, permit
from tests.phone.asterisk.ari_peer import Fault

LINE = line_id_of(permit())


async def test_a_permitted_dial_reaches_the_switch_with_our_id_our_numbers_and_the_call() -> None:
    async with bench() as b:
        switch = await b.switch()
        assert await switch.originator.originate(dial()) == LINE
        [params] = b.peer.asked("POST", f"/channels/{LINE}")
        assert params["endpoint"] == f"PJSIP/{THEIRS[1:]}@trunk"
        assert (params["callerId"], params["timeout"], params["app"]) == (OURS[1:], 30, "huashu")
        assert params["variables"]["HUASHU_CALL"] == "call-i-1"
        assert b.news == [LineNews(LINE, LineState.SENT)]


@pytest.mark.parametrize(
    "bad",
    [
        {"rules": (("calling_hours", "deny"),)},
        {"caller": "+8610000000"},
        {"not_before": NOW - timedelta(minutes=4), "not_after": NOW - timedelta(seconds=1)},
    ],
)
async def test_without_a_permit_that_holds_nothing_is_sent(bad: dict[str, object]) -> None:
    async with bench() as b:
        switch = await b.switch()
        with pytest.raises(DialRefused):
            await switch.originator.originate(dial(**bad))
        assert not b.peer.asked("POST", ".*") and not b.news


async def test_a_used_permit_dials_no_second_time() -> None:
    async with bench() as b:
        switch = await b.switch()
        await switch.originator.originate(dial())
        with pytest.raises(DialRefused):
            await switch.originator.originate(dial())
        assert len(b.world.dialled) == 1


async def test_the_same_intent_from_another_process_meets_the_same_line() -> None:
    async with bench() as b:
        first, second = await b.switch(), await b.switch(app="other")
        assert await first.originator.originate(dial()) == await second.originator.originate(dial()) == LINE
        assert len(b.world.dialled) == 1


@pytest.mark.parametrize("number", ["+86138&PJSIP/1", "13800138000", "+", "+86 138", "+861/../2", ""])
async def test_what_is_no_number_is_never_dialled(number: str) -> None:
    async with bench() as b:
        switch = await b.switch()
        with pytest.raises(DialFailed) as failed:
            await switch.originator.originate(dial(callee=number))
        assert failed.value.certain and not b.world.dialled


async def test_a_reply_that_is_lost_after_dialling_is_looked_up_and_not_sent_again() -> None:
    async with bench() as b:
        switch = await b.switch()
        b.peer.faults.append(Fault("POST", f"/channels/{LINE}", None, done=True))
        assert await switch.originator.originate(dial()) == LINE
        assert len(b.world.dialled) == 1
        b.world.answer(b.world.dialled[0])
        await b.arrivals.count(1)


async def test_a_request_that_is_lost_on_the_way_is_not_known_to_be_placed() -> None:
    async with bench() as b:
        switch = await b.switch()
        b.peer.faults.append(Fault("POST", f"/channels/{LINE}", None))
        with pytest.raises(DialFailed) as failed:
            await switch.originator.originate(dial())
        assert not failed.value.certain and not b.world.dialled
        assert await switch.originator.state(LINE) is None


async def test_a_lookup_that_fails_too_leaves_it_not_known() -> None:
    async with bench() as b:
        switch = await b.switch()
        b.peer.faults += [Fault("POST", f"/channels/{LINE}", 504), Fault("GET", f"/channels/{LINE}", 500)]
        with pytest.raises(DialFailed) as failed:
            await switch.originator.originate(dial())
        assert not failed.value.certain


async def test_a_switch_that_refuses_has_certainly_called_nobody() -> None:
    async with bench(trunk="PJSIP/{number}@unregistered") as b:
        switch = await b.switch()
        with pytest.raises(DialFailed) as failed:
            await switch.originator.originate(dial())
        assert failed.value.certain and not b.news


async def test_a_switch_that_is_not_there_has_certainly_called_nobody() -> None:
    async with bench() as b:
        switch = await b.switch(connected=False, url="http://127.0.0.1:1/ari")
        with pytest.raises(DialFailed) as failed:
            await switch.originator.originate(dial())
        assert failed.value.certain
        assert b.peer.password not in str(failed.value) and THEIRS[1:] not in str(failed.value)


@pytest.mark.parametrize(
    ("cause", "status", "outcome"),
    [
        (17, "BUSY", "busy"),
        (19, "NOANSWER", "no_answer"),
        (18, "", "no_answer"),
        (21, "CONGESTION", "rejected"),
        (1, "CHANUNAVAIL", "unreachable"),
        (3, "", "unreachable"),
        (20, "", "unreachable"),
        (34, "CONGESTION", "congestion"),
        (38, "", "congestion"),
        (42, "", "congestion"),
        (127, "", "failed"),
        (0, "BUSY", "busy"),
        (0, "", "failed"),
        (16, "", "no_answer"),
    ],
)
async def test_an_unanswered_line_ends_with_its_outcome(cause: int, status: str, outcome: str) -> None:
    async with bench() as b:
        switch = await b.switch()
        b.world.on_dial = b.world.ring
        await switch.originator.originate(dial())
        await b.news.count(2)
        b.world.hang_up(b.world.dialled[0], cause, status=status)
        await b.news.count(3)
        assert [one.state for one in b.news] == [LineState.SENT, LineState.RINGING, LineState.ENDED]
        assert b.news[-1].cause == outcome
        assert await switch.originator.state(LINE) == b.news[-1]
        assert not b.arrivals


@pytest.mark.parametrize("destroyed_first", [False, True])
async def test_an_answered_line_goes_from_sent_to_ended_once_each(destroyed_first: bool) -> None:
    async with bench() as b:
        b.world.destroyed_first = destroyed_first
        switch = await b.switch()
        await b.call(switch)
        assert await switch.originator.state(LINE) == LineNews(LINE, LineState.ANSWERED)
        b.world.hang_up(b.world.dialled[0], 16)
        await b.news.count(3)
        await b.nothing_left()
        assert [one.state for one in b.news] == [LineState.SENT, LineState.ANSWERED, LineState.ENDED]
        assert b.news[-1].cause == "normal"


async def test_a_line_that_we_end_while_it_rings_was_cancelled() -> None:
    async with bench() as b:
        switch = await b.switch()
        b.world.on_dial = b.world.ring
        await switch.originator.originate(dial())
        await asyncio.gather(switch.originator.end(LINE), switch.originator.end(LINE))
        await b.news.until(lambda news: news[-1].state == LineState.ENDED)
        assert b.news[-1].cause == "cancelled"
        await switch.originator.end(LINE)


async def test_state_of_a_line_that_rings_and_of_one_that_nobody_knows() -> None:
    async with bench() as b:
        switch = await b.switch()
        b.world.on_dial = b.world.ring
        await switch.originator.originate(dial())
        await b.news.count(2)
        assert await switch.originator.state(LINE) == LineNews(LINE, LineState.RINGING)
        assert await switch.originator.state("huashu-unknown") is None
        b.peer.faults.append(Fault("GET", f"/channels/{LINE}", 500))
        with pytest.raises(DialFailed):
            await switch.originator.state(LINE)


async def test_what_was_sent_along_comes_back_with_the_answered_line() -> None:
    async with bench() as b:
        arrival, _ = await b.call(await b.switch())
        assert (arrival.line_id, arrival.direction, arrival.provider) == (LINE, "outbound", "ari")
        assert arrival.parameters == {"script": "ring,back 话术", "call_id": "call-i-1"}
