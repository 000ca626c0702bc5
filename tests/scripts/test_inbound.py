"""Customers who call us: a known one is told why we had called; nobody else learns a thing or is sold one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actions.inbound import opening_slots, sale, when_called
from actions.offers import ContactError
from actions.script import load_script
from bot.dialogue.script_files import PROJECT
from bot.understanding.acts import ACTS
from tests.scripts.conftest import CONTACT, NOW, ActCall
from tests.scripts.test_random_calls import hold, steps

Ring = Callable[..., ActCall]
SHOWN = {"phone": "13900139000", "do_not_call": False}
WITHHELD = {"do_not_call": False}
KNOWN = {**CONTACT, "called_at": "2026-11-23T09:30:00+08:00", "do_not_call": False}
LISTED = {**KNOWN, "do_not_call": True}
STRANGERS = [SHOWN, WITHHELD]
NEVER_SOLD = [SHOWN, WITHHELD, LISTED, {**SHOWN, "do_not_call": True}, {**KNOWN, "monthly_fee_ringback": "2"}]
SELLING = ("utter_introduce", "utter_pitch", "utter_rebut_", "utter_early_", "utter_ask_reason")
OF_AN_ACCOUNT = ("张", "彩铃", "5块", "60", "30", "省")
SCRIPT = load_script(PROJECT / "stories" / "ringback" / "script.yml")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_known_caller_hears_who_we_are_and_why_we_had_called_and_is_asked_the_name(
    ring: Ring,
) -> None:
    for seed in range(4):
        call = ring(caller=KNOWN, seed=seed)
        opening = await call.start()
        text = opening.text or ""
        assert all(part in text for part in ("华声通信", "智能语音", "刚才", "优惠", "张先生"))
        assert (opening.expects, opening.slots["direction"]) == ("identity_check", "inbound")
        assert not any(word in text for word in ("彩铃", "5", "30", "60"))


async def test_a_known_caller_may_buy_with_the_same_proofs_as_one_whom_we_call(ring: Ring) -> None:
    call = ring(caller=KNOWN)
    await call.start()
    await call.acts("affirm", "affirm", "accept_offer")
    await call.act("inform", digits="1234")
    done = await call.act("affirm")
    assert done.disposition == "accepted"
    (order,) = call.effects.orders.done.values()
    assert {proof.what for proof in order.consent.heard} >= {"identity", "price", "term", "cancel"}


async def test_without_the_digits_a_known_number_buys_nothing(ring: Ring) -> None:
    call = ring(caller=KNOWN)
    await call.start()
    await call.acts("affirm", "affirm", "accept_offer")
    await call.act("inform", digits="9999")
    assert (await call.act("inform", digits="8888")).disposition == "failed"
    assert not call.effects.orders.done


async def test_somebody_else_at_a_known_number_learns_nothing(ring: Ring) -> None:
    call = ring(caller=KNOWN)
    await call.start()
    told = [(await call.act("ask_price")).text or "", (await call.act("relative_or_other")).text or ""]
    assert call.disposition == "wrong_person"
    assert not any(word in text for text in told for word in ("彩铃", "5", "30", "60"))


@pytest.mark.parametrize("who", STRANGERS)
async def test_a_stranger_is_first_asked_who_he_is_then_what_he_wants(
    ring: Ring, who: dict[str, Any]
) -> None:
    call = ring(caller=who)
    opening = await call.start()
    assert "华声通信" in (opening.text or "") and "智能语音" in (opening.text or "")
    assert (opening.node, opening.expects) == ("utter_inbound_stranger", "open_question")
    assert (await call.act("inform", text="我叫张伟")).node == "utter_ask_help"
    assert (await call.act("deny")).disposition == "completed"


@pytest.mark.parametrize(
    "act", [a for a in ACTS if a.startswith("ask_") and a not in ("ask_human", "ask_robot")]
)
async def test_a_name_proves_nothing_a_stranger_is_told_no_fact(ring: Ring, act: str) -> None:
    for seed in range(3):
        call = ring(caller=SHOWN, seed=seed)
        await call.start()
        await call.act("inform", text="我就是张伟")
        text = (await call.act(act)).text or ""
        assert text and not any(word in text for word in OF_AN_ACCOUNT)


async def test_a_stranger_is_not_told_that_we_called_him(ring: Ring) -> None:
    shown, withheld = ring(caller=SHOWN), ring(caller=WITHHELD)
    for call, words in ((shown, "没查到"), (withheld, "没显示号码")):
        await call.start()
        assert words in ((await call.act("ask_purpose")).text or "")


@pytest.mark.parametrize("who", STRANGERS)
async def test_a_stranger_who_wants_to_order_is_given_to_a_person(ring: Ring, who: dict[str, Any]) -> None:
    call = ring(caller=who)
    await call.start()
    reply = await call.act("accept_offer")
    assert reply.disposition == "transferred" and reply.handover and reply.handover["to"] == "agent"
    assert not call.effects.orders.done


async def test_a_caller_on_the_list_hears_that_nobody_will_call_him_and_is_helped(ring: Ring) -> None:
    call = ring(caller=LISTED)
    opening = await call.start()
    assert (
        "不会" in (opening.text or "") and "打" in (opening.text or "") and "张" not in (opening.text or "")
    )
    assert (await call.act("inform", text="我宽带坏了")).node == "utter_inbound_person"
    assert (await call.act("affirm")).disposition == "transferred"


@pytest.mark.parametrize("act", ["object_busy", "request_callback"])
async def test_no_call_is_promised_to_one_on_the_list(ring: Ring, act: str) -> None:
    call = ring(caller=LISTED)
    await call.start()
    reply = await call.act(act)
    assert reply.disposition == "busy" and not call.effects.callbacks.done


async def test_no_call_is_promised_to_a_number_that_is_not_known(ring: Ring) -> None:
    call = ring(caller=WITHHELD)
    await call.start()
    call.effects.handovers.free = False
    reply = await call.act("ask_human")
    assert reply.disposition == "failed" and not call.effects.callbacks.done
    assert "幺零幺二三" in (reply.text or "")


async def test_a_stranger_is_called_back_by_a_person(ring: Ring) -> None:
    call = ring(caller=SHOWN)
    await call.start()
    call.effects.handovers.free = False
    assert (await call.act("accept_offer")).disposition == "callback"
    (booked,) = call.effects.callbacks.done.values()
    assert booked.by_person and booked.phone == "13900139000"


@pytest.mark.parametrize("who", [KNOWN, SHOWN, LISTED])
async def test_no_more_calls_is_recorded_whoever_rings(ring: Ring, who: dict[str, Any]) -> None:
    call = ring(caller=who)
    await call.start()
    assert (await call.act("request_dnc", text="别再打了")).disposition == "do_not_call"
    (wish,) = call.effects.do_not_call.done.values()
    assert wish.phone == who["phone"]


async def test_where_no_number_is_shown_none_is_said_to_be_recorded(ring: Ring) -> None:
    call = ring(caller=WITHHELD)
    await call.start()
    reply = await call.act("request_dnc", text="别再打了")
    assert "登记不了" in (reply.text or "") and not call.effects.do_not_call.done


async def test_the_callers_of_a_queue_go_to_it_at_once(ring: Ring) -> None:
    call = ring(caller={**KNOWN, "queue": "billing"})
    reply = await call.start()
    assert reply.disposition == "transferred" and "华声通信" in (reply.text or "")
    assert reply.handover is not None
    assert (reply.handover["to"], reply.handover["reason"]) == ("billing", "inbound")


async def test_where_the_queue_is_empty_a_call_back_is_promised(ring: Ring) -> None:
    call = ring(caller={**SHOWN, "queue": "billing"})
    call.effects.handovers.free = False
    assert (await call.start()).disposition == "callback"


@pytest.mark.parametrize("who", NEVER_SOLD)
@pytest.mark.parametrize("act", ACTS)
async def test_who_talks_over_the_opening_is_answered_and_sold_nothing(
    ring: Ring, who: dict[str, Any], act: str
) -> None:
    call = ring(caller=who)
    await call.start()
    reply = await call.act(act, heard_lines=0)
    assert reply.error is None and "utter_action_failed" not in reply.nodes
    assert reply.lines or reply.ended
    assert not any(word in (reply.text or "") for word in ("彩铃", "5块", "60", "张先生"))


async def hold_unsold(call: ActCall, turns: list[tuple[str, str | None, int | None]]) -> None:
    replies = [await call.start()]
    for act, digits, heard_lines in turns:
        if call.ended:
            break
        if act == "silence":
            reply = await call.silence(6000)
        else:
            reply = await call.act(act, heard_lines=heard_lines, **({"digits": digits} if digits else {}))
        assert reply.error is None, reply.error
        assert not [node for node in reply.nodes if node.startswith(SELLING)]
        assert reply.lines or reply.ended, f"nothing said to {act}"
        assert "utter_action_failed" not in reply.nodes
        assert replies[-1].text is None or reply.text != replies[-1].text
        replies.append(reply)
    assert not call.effects.orders.done and not call.effects.sms.done
    spoken = "".join(reply.text or "" for reply in replies)
    assert not any(word in spoken for word in ("彩铃", "5块", "60", "张"))


@given(steps, st.sampled_from(NEVER_SOLD), st.integers(0, 3))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_they_say_they_learn_nothing_and_buy_nothing(
    ring: Ring, turns: list[tuple[str, str | None, int | None]], who: dict[str, Any], seed: int
) -> None:
    asyncio.run(hold_unsold(ring(caller=who, seed=seed), turns))


@given(steps, st.integers(0, 3))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_invariants_of_every_call_hold_for_known_callers(
    ring: Ring, turns: list[tuple[str, str | None, int | None]], seed: int
) -> None:
    asyncio.run(hold(ring(caller=KNOWN, seed=seed), turns))


@pytest.mark.parametrize(
    ("ago", "word"),
    [
        (timedelta(minutes=5), "刚才"), (timedelta(hours=3), "今天"), (timedelta(hours=12), "昨天"),
        (timedelta(days=3), "前几天"), (timedelta(days=30), "之前"), (timedelta(hours=-1), "今天"),
        (timedelta(days=-3), "之前"),
    ],
)  # fmt: skip
def test_when_we_called_is_said_as_people_do(ago: timedelta, word: str) -> None:
    assert when_called((at(NOW) - ago).isoformat(), at(NOW)) == word


@pytest.mark.parametrize("nothing", [None, "", "yesterday", 3])
def test_where_it_is_not_known_when_we_called_no_time_is_claimed(nothing: Any) -> None:
    assert when_called(nothing, at(NOW)) == "之前"


def test_a_contact_that_we_call_must_be_whole_and_a_caller_need_not() -> None:
    with pytest.raises(ContactError):
        sale(SCRIPT, {"phone": "139"}, "outbound", at(NOW))
    assert sale(SCRIPT, {"phone": "139"}, "inbound", at(NOW)) == "no_contact"


@pytest.mark.parametrize("who", NEVER_SOLD)
def test_no_fact_of_an_account_has_a_value_for_those_who_are_sold_nothing(who: dict[str, Any]) -> None:
    slots = opening_slots(SCRIPT, who, "inbound", at(NOW))
    assert not {"title", "monthly_fee", "year_cost", "price", "saving", "per_month"} & set(slots)
