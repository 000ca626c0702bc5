"""Whole calls of the ringback script to their true ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.understanding.acts import ACTS
from tests.scripts.conftest import ActCall

Ring = Callable[..., ActCall]
OBJECTIONS = [
    act for act in ACTS if act.startswith("object_") and act not in ("object_busy", "object_unable")
]
QUESTIONS = [act for act in ACTS if act.startswith("ask_") and act not in ("ask_human", "ask_repeat")]
TO_STAGE: dict[str, tuple[str, ...]] = {
    "name": (),
    "permission": ("affirm",),
    "offer": ("affirm", "affirm"),
    "reason": ("affirm", "affirm", "decline_offer"),
    "concern": ("affirm", "affirm", "object_think_over"),
    "id": ("affirm", "affirm", "accept_offer"),
    "callback_time": ("affirm", "object_busy"),
    "order": ("affirm", "affirm", "accept_offer", "digits"),
}


async def reach(call: ActCall, stage: str) -> ActCall:
    """The call, answered and brought to where `stage` is asked."""
    await call.start()
    for step in TO_STAGE[stage]:
        await (call.act("inform", digits="1234") if step == "digits" else call.act(step))
    return call


async def test_a_sale_with_its_sums(ring: Ring) -> None:
    call = ring()
    assert "张先生" in ((await call.start()).text or "")
    opening = await call.act("affirm")
    assert opening.stage == "opening" and "智能语音" in (opening.text or "")
    pitch = await call.act("affirm")
    assert pitch.stage == "introduction" and pitch.expects == "offer"
    assert all(part in (pitch.text or "") for part in ("60", "30"))
    identity = await call.act("accept_offer")
    assert (identity.stage, identity.expects) == ("identity", "digits")
    details = await call.act("inform", digits="1234")
    assert details.stage == "details"
    assert all(part in (details.text or "") for part in ("30块", "12个月", "12月1号", "幺零幺二三", "同意"))
    done = await call.act("affirm")
    assert (done.ended, done.disposition, done.stage, done.grade) == (True, "accepted", "closing", "A")
    (order,) = call.effects.orders.done.values()
    assert (str(order.price_yuan), order.months, order.starts.isoformat()) == ("30", 12, "2026-12-01")
    (message,) = call.effects.sms.done.values()
    assert "30元" in message.body and "12月1号" in message.body and message.kind == "order"


async def test_without_the_last_four_digits_the_owner_is_asked(ring: Ring) -> None:
    call = await reach(ring(id_last4=None), "offer")
    assert (await call.act("affirm")).node == "utter_ask_owner"
    await call.act("affirm")
    assert (await call.act("accept_offer")).disposition == "accepted"


async def test_not_the_owner_no_sale(ring: Ring) -> None:
    call = await reach(ring(id_last4=None), "offer")
    await call.act("affirm")
    assert (await call.act("deny")).disposition == "wrong_person"
    assert not call.effects.orders.done


@pytest.mark.parametrize("objection", OBJECTIONS)
async def test_an_objection_gets_its_rebuttal_and_the_question_again(ring: Ring, objection: str) -> None:
    call = await reach(ring(), "offer")
    reply = await call.act(objection)
    if objection == "object_think_over":
        assert reply.node == "utter_ask_concern"
        reply = await call.act(objection)
    assert reply.nodes == (f"utter_rebut_{objection.removeprefix('object_')}", "utter_again_offer")
    assert (await call.act("accept_offer")).node == "utter_ask_id"


@pytest.mark.parametrize("objection", OBJECTIONS)
async def test_two_rebuttals_at_most(ring: Ring, objection: str) -> None:
    call = await reach(ring(), "offer")
    await call.act("object_price")
    await call.act("object_distrust")
    last = await call.act(objection)
    assert (last.ended, last.disposition) == (True, "declined")


async def test_a_rebuttal_said_twice_is_not_worded_the_same(ring: Ring) -> None:
    call = await reach(ring(), "offer")
    first, second = await call.act("object_price"), await call.act("object_price")
    assert first.lines[0].text != second.lines[0].text and first.lines[1].text != second.lines[1].text


@pytest.mark.parametrize("stage", ["name", "permission", "offer", "id", "order"])
async def test_a_refusal_gets_one_clarifying_question_and_no_more(ring: Ring, stage: str) -> None:
    call = await reach(ring(), stage)
    first = await call.act("decline_offer")
    assert not first.ended and first.nodes[0] in ("utter_ask_reason", "utter_ask_early_reason")
    second = await call.act("decline_offer")
    assert (second.ended, second.disposition) == (True, "declined")
    assert not call.effects.orders.done


async def test_a_plain_no_to_the_offer_is_a_refusal(ring: Ring) -> None:
    call = await reach(ring(), "offer")
    assert (await call.act("deny")).node == "utter_ask_reason"
    assert (await call.act("deny")).disposition == "declined"


async def test_a_refusal_after_a_rebuttal_ends_the_selling(ring: Ring) -> None:
    call = await reach(ring(), "offer")
    await call.act("object_no_need")
    assert (await call.act("decline_offer")).disposition == "declined"


async def test_the_reason_given_may_be_answered_and_the_sale_won(ring: Ring) -> None:
    call = await reach(ring(), "reason")
    assert (await call.act("object_price")).nodes == ("utter_rebut_price", "utter_again_offer")
    assert (await call.act("accept_offer")).node == "utter_ask_id"


@pytest.mark.parametrize("stage", TO_STAGE)
async def test_do_not_call_at_once_from_everywhere(ring: Ring, stage: str) -> None:
    call = await reach(ring(), stage)
    reply = await call.act("request_dnc")
    assert (reply.ended, reply.disposition, len(reply.lines)) == (True, "do_not_call", 1)
    (request,) = call.effects.do_not_call.done.values()
    assert request.phone == "13800000000" and request.wish.act == "request_dnc"


async def test_do_not_call_with_a_dead_store_claims_nothing(ring: Ring) -> None:
    call = await reach(ring(), "offer")
    call.effects.do_not_call.broken = True
    reply = await call.act("request_dnc")
    assert reply.disposition == "do_not_call" and "登记好" not in (reply.text or "")


@pytest.mark.parametrize("stage", TO_STAGE)
async def test_driving_ends_at_once_without_a_word_of_selling(ring: Ring, stage: str) -> None:
    reply = await (await reach(ring(), stage)).act("object_unable")
    assert reply.ended and reply.disposition == "callback" and len(reply.lines) == 1


@pytest.mark.parametrize("stage", TO_STAGE)
@pytest.mark.parametrize("act", ["wrong_person", "relative_or_other"])
async def test_the_wrong_person_is_left_alone(ring: Ring, stage: str, act: str) -> None:
    call = await reach(ring(), stage)
    reply = await call.act(act)
    assert (reply.ended, reply.disposition) == (True, "wrong_person")


async def test_no_to_the_name_is_the_wrong_person(ring: Ring) -> None:
    assert (await (await reach(ring(), "name")).act("deny")).disposition == "wrong_person"


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_question_is_answered_and_the_offer_asked_again(ring: Ring, question: str) -> None:
    call = await reach(ring(), "offer")
    reply = await call.act(question)
    assert len(reply.lines) == 2 and reply.nodes[1] == "utter_again_offer" and reply.expects == "offer"


@pytest.mark.parametrize("question", [*QUESTIONS, *OBJECTIONS])
async def test_before_the_name_no_word_of_the_account(ring: Ring, question: str) -> None:
    call = await reach(ring(), "name")
    reply = await call.act(question)
    assert reply.nodes[-1] == "utter_again_name"
    assert not any(word in (reply.text or "") for word in ("彩铃", "5块", "60", "30"))


async def test_yes_and_who_are_you_goes_on_to_the_introduction(ring: Ring) -> None:
    reply = await (await reach(ring(), "name")).act("affirm", "ask_identity")
    assert reply.node == "utter_introduce"


async def test_wrong_digits_twice_no_order(ring: Ring) -> None:
    call = await reach(ring(), "id")
    assert (await call.act("inform", digits="9999")).node == "utter_id_retry"
    last = await call.act("inform", digits="8888")
    assert (last.ended, last.disposition) == (True, "failed") and "营业厅" in (last.text or "")
    assert not call.effects.orders.done


async def test_digits_never_reach_slots_or_reply(ring: Ring) -> None:
    call = await reach(ring(id_last4="7391"), "id")
    reply = await call.act("inform", digits="7391")
    assert reply.stage == "details" and "7391" not in repr(reply)


@pytest.mark.parametrize(("heard_lines", "again"), [(0, 3), (1, 2)])
async def test_details_cut_off_are_read_again_before_any_order(
    ring: Ring, heard_lines: int, again: int
) -> None:
    call = await reach(ring(), "order")
    reply = await call.act("affirm", heard_lines=heard_lines)
    assert not call.effects.orders.done
    assert len(reply.lines) == again and reply.nodes[-1] == "utter_ask_order"
    assert (await call.act("affirm")).disposition == "accepted"


async def test_a_yes_into_the_order_question_is_asked_once_more(ring: Ring) -> None:
    call = await reach(ring(), "order")
    assert (await call.act("affirm", heard_lines=2)).nodes == ("utter_again_order",)
    assert (await call.act("affirm")).disposition == "accepted"


@pytest.mark.parametrize(
    "act", ["unsure", "backchannel", "thank", "greet", "hurry_up", "out_of_scope", "inform"]
)
async def test_what_is_no_yes_is_no_consent(ring: Ring, act: str) -> None:
    call = await reach(ring(), "order")
    reply = await call.act(act)
    assert not call.effects.orders.done and not reply.ended and reply.nodes[-1] == "utter_again_order"


@pytest.mark.parametrize("noise", ["嗯", "嗯嗯嗯", "哦,嗯", "啊", "mm hm"])
async def test_a_noise_taken_for_a_yes_is_no_consent(ring: Ring, noise: str) -> None:
    call = await reach(ring(), "order")
    assert (await call.act("affirm", text=noise)).nodes == ("utter_again_order",)
    assert (await call.act("affirm", text="嗯,同意")).disposition == "accepted"


@pytest.mark.parametrize("question", ["ask_price", "ask_cancel", "ask_effective", "object_price"])
async def test_a_yes_with_a_question_is_answered_and_asked_again(ring: Ring, question: str) -> None:
    call = await reach(ring(), "order")
    reply = await call.act("affirm", question)
    assert not call.effects.orders.done and reply.nodes[-1] == "utter_again_order"
    assert (await call.act("affirm")).disposition == "accepted"


async def test_the_guard_refuses_what_a_wrong_rule_lets_through(ring: Ring) -> None:
    call = await reach(ring(), "order")
    state = next(iter(call.engine._calls.values()))
    await call.act("ask_price")
    state.evidence[:] = [proof for proof in state.evidence if proof.what != "cancel"]
    reply = await call.act("affirm")
    assert not call.effects.orders.done and reply.nodes == (
        "utter_terms_price",
        "utter_terms_cancel",
        "utter_ask_order",
    )
    assert (await call.act("affirm")).disposition == "accepted"


async def test_a_dead_order_book_ends_with_a_persons_callback(ring: Ring) -> None:
    call = await reach(ring(), "order")
    call.effects.orders.broken = True
    reply = await call.act("affirm")
    assert (reply.ended, reply.disposition) == (True, "failed") and "同事" in (reply.text or "")
    (callback,) = call.effects.callbacks.done.values()
    assert callback.by_person and not call.effects.sms.done


async def test_an_order_without_its_message_is_still_an_order_and_promises_none(ring: Ring) -> None:
    call = await reach(ring(phone=None), "order")
    reply = await call.act("affirm")
    assert reply.disposition == "accepted" and "短信" not in (reply.text or "")


async def test_an_action_that_breaks_is_apologised_for(ring: Ring) -> None:
    class Broken:
        async def place(self, order: Any) -> str:
            raise RuntimeError("bug")

    call = await reach(ring(), "order")
    call.effects.orders = Broken()  # type: ignore[assignment]
    reply = await call.act("affirm")
    assert (reply.node, reply.disposition) == ("utter_action_failed", "failed")
    assert call.effects.callbacks.done


async def test_silence_two_different_tries_then_the_end(ring: Ring) -> None:
    call = await reach(ring(), "offer")
    first, second, third = [await call.silence(6000) for _ in range(3)]
    assert first.text != second.text and not second.ended
    assert (third.ended, third.disposition) == (True, "not_understood")


@pytest.mark.parametrize("act", ["out_of_scope", "no_match"])
async def test_not_understood_rephrase_offer_a_person_end(ring: Ring, act: str) -> None:
    call = await reach(ring(), "offer")
    replies = [await (call.signal(act) if act == "no_match" else call.act(act)) for _ in range(3)]
    assert replies[0].nodes == ("utter_not_understood", "utter_again_offer")
    assert replies[1].node == "utter_offer_person"
    assert replies[2].disposition == "not_understood"


async def test_the_person_offered_can_be_had_or_not(ring: Ring) -> None:
    call = await reach(ring(), "offer")
    await call.acts("out_of_scope", "out_of_scope")
    assert (await call.act("deny")).nodes == ("utter_again_offer",)
    call = await reach(ring(), "offer")
    await call.acts("out_of_scope", "out_of_scope")
    assert (await call.act("affirm")).disposition == "transferred"


async def test_busy_with_a_time_is_booked_and_read_back(ring: Ring) -> None:
    call = await reach(ring(), "permission")
    assert (await call.act("object_busy")).expects == "time"
    reply = await call.act("inform", datetime="2026-11-24T15:30:00+08:00")
    assert reply.disposition == "callback" and "明天下午3点半" in (reply.text or "")
    (callback,) = call.effects.callbacks.done.values()
    assert callback.asked_for and callback.when.isoformat() == "2026-11-24T15:30:00+08:00"


async def test_busy_with_the_time_in_one_breath(ring: Ring) -> None:
    call = await reach(ring(), "name")
    reply = await call.act("object_busy", datetime="2026-11-24T15:30:00+08:00")
    assert reply.disposition == "callback"


@pytest.mark.parametrize("act", ["object_busy", "unsure", "deny", "decline_offer", "goodbye"])
async def test_busy_is_asked_for_a_time_once(ring: Ring, act: str) -> None:
    reply = await (await reach(ring(), "callback_time")).act(act)
    assert (reply.ended, reply.disposition) == (True, "busy")


async def test_handover_takes_the_state_along(ring: Ring) -> None:
    call = await reach(ring(), "offer")
    reply = await call.act("ask_human")
    assert reply.disposition == "transferred" and reply.handover is not None
    (request,) = call.effects.handovers.done.values()
    assert request.context["asked"] == "offer" and "13800000000" not in repr(request.context)


async def test_with_no_person_free_a_person_calls_back(ring: Ring) -> None:
    call = await reach(ring(), "offer")
    call.effects.handovers.free = False
    reply = await call.act("ask_human")
    assert reply.disposition == "callback" and "同事" in (reply.text or "")


async def test_a_complaint_is_apologised_for_and_handed_over(ring: Ring) -> None:
    call = await reach(ring(), "offer")
    reply = await call.act("complain")
    assert reply.nodes == ("utter_complaint_sorry", "utter_transfer")
    assert next(iter(call.effects.handovers.done.values())).reason == "complaint"


async def test_an_insult_ends_politely(ring: Ring) -> None:
    reply = await (await reach(ring(), "offer")).act("abuse")
    assert (reply.ended and "对不起" in (reply.text or "")) or "抱歉" in (reply.text or "")


async def test_a_failed_transfer_ends_with_a_callback(ring: Ring) -> None:
    call = await reach(ring(), "offer")
    assert (await call.signal("transfer_failed")).disposition == "callback"


async def test_the_details_are_sent_because_the_customer_asked(ring: Ring) -> None:
    call = await reach(ring(), "offer")
    reply = await call.act("ask_sms")
    assert reply.nodes == ("utter_sms_answer", "utter_again_offer")
    (message,) = call.effects.sms.done.values()
    assert message.kind == "details" and message.wish.act == "ask_sms"


async def test_a_machine_is_hung_up_on(ring: Ring) -> None:
    reply = await (await reach(ring(), "name")).act("voicemail")
    assert (reply.ended, reply.disposition, reply.text) == (True, "voicemail", None)


@pytest.mark.parametrize(
    ("now", "contact"),
    [
        ("2028-01-01T10:00:00+08:00", {}),
        ("2025-12-01T10:00:00+08:00", {}),
        (None, {"age": "15"}),
        (None, {"monthly_fee_ringback": "2"}),
    ],
)
async def test_what_is_not_on_offer_is_not_offered(
    ring: Ring, now: str | None, contact: dict[str, str]
) -> None:
    call = ring(**({"now": now} if now else {}), **contact)
    reply = await call.start()
    assert (reply.ended, reply.node, reply.disposition) == (True, "utter_not_on_offer", "failed")


async def test_a_contact_without_a_fee_is_one_clear_error(ring: Ring) -> None:
    reply = await ring(monthly_fee_ringback=None).start()
    assert reply.ended and "monthly_fee_ringback" in (reply.error or "") and "ringback" in (reply.error or "")


async def test_an_interrupted_pitch_may_be_refused(ring: Ring) -> None:
    call = await reach(ring(), "offer")
    assert (await call.act("decline_offer", heard_lines=0)).node == "utter_ask_reason"


async def test_go_ahead_into_the_introduction_hears_who_calls_first(ring: Ring) -> None:
    call = await reach(ring(), "permission")
    assert (await call.act("affirm", heard_lines=0)).nodes == ("utter_identity", "utter_pitch")


async def test_think_it_over_twice_then_leave_it(ring: Ring) -> None:
    call = await reach(ring(), "offer")
    assert (await call.act("object_think_over")).node == "utter_ask_concern"
    await call.act("object_think_over")
    last = await call.act("object_think_over")
    assert (last.node, last.disposition) == ("utter_leave_it", "declined")


async def test_no_further_question_brings_the_offer_back(ring: Ring) -> None:
    call = await reach(ring(), "concern")
    assert (await call.act("deny")).nodes == ("utter_again_offer",)


async def test_the_same_seed_gives_the_same_call(ring: Ring) -> None:
    texts = []
    for _ in range(2):
        call = ring(seed=7)
        texts.append(
            [
                (await call.start()).text,
                *[(await call.act(a)).text for a in ("affirm", "affirm", "object_price")],
            ]
        )
    assert texts[0] == texts[1]
