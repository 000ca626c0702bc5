"""No order without proof, whatever the rules say; no effect without the customer's wish."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.evidence import NoConsent, Proof, Wish, is_noise, order_consent
from actions.ports import EffectForbidden, ForbiddenEffects
from bot.understanding.acts import ACTS

REQUIRED = ("identity", "price", "term", "cancel", "order_question")
AT = datetime.fromisoformat("2026-11-23T10:00:00+08:00")
PROOFS = [
    Proof("confirmed", "name", "u1", AT),
    Proof("confirmed", "identity", "u4", AT),
    *[Proof("heard", what, "utter_terms", AT) for what in REQUIRED],
    Proof("asked", "order", "utter_ask_order", AT),
]


def wish(act: str = "affirm") -> Wish:
    return Wish(act, "u5", "同意", AT)


def test_everything_proven_is_consent() -> None:
    consent = order_consent(PROOFS, ["affirm"], wish())
    assert {proof.what for proof in consent.heard} == set(REQUIRED) and consent.yes.utterance_id == "u5"


@pytest.mark.parametrize("left_out", range(len(PROOFS)))
def test_each_proof_is_needed(left_out: int) -> None:
    with pytest.raises(NoConsent) as refusal:
        order_consent([*PROOFS[:left_out], *PROOFS[left_out + 1 :]], ["affirm"], wish())
    assert len(refusal.value.missing) == 1


def test_a_question_asked_since_takes_the_order_questions_place() -> None:
    with pytest.raises(NoConsent, match="order question"):
        order_consent([*PROOFS, Proof("asked", "reason", "utter_ask_reason", AT)], ["affirm"], wish())


def test_a_refusal_earlier_forbids_an_order() -> None:
    with pytest.raises(NoConsent, match="refused"):
        order_consent([Proof("refused", "selling", "u2", AT), *PROOFS], ["affirm"], wish())


@given(st.sampled_from(sorted(ACTS)))
def test_only_a_yes_is_consent(act: str) -> None:
    if act in ("affirm", "accept_offer"):
        assert order_consent(PROOFS, [act], wish(act))
    else:
        with pytest.raises(NoConsent):
            order_consent(PROOFS, [act], wish(act))


@given(st.sampled_from(sorted(act for act in ACTS if act.startswith(("ask_", "object_")))))
def test_a_yes_with_a_question_or_objection_is_never_consent(act: str) -> None:
    with pytest.raises(NoConsent, match="by itself"):
        order_consent(PROOFS, ["affirm", act], wish())


@pytest.mark.parametrize("noise", ["嗯", "嗯 嗯", "哦。", "啊?", "Mm", "uh huh"])
def test_a_noise_is_no_explicit_yes(noise: str) -> None:
    assert is_noise(noise)
    with pytest.raises(NoConsent, match="explicit yes"):
        order_consent(PROOFS, ["affirm"], Wish("affirm", "u5", noise, AT))


@pytest.mark.parametrize("words", ["好", "对", "嗯好", "同意", "嗯,办吧", "yes", "", "1"])
def test_words_are_no_noise(words: str) -> None:
    assert not is_noise(words)


async def test_a_fork_can_change_nothing() -> None:
    world = ForbiddenEffects()
    for attempt in (
        world.orders.place,
        world.do_not_call.add,
        world.sms.queue,
        world.callbacks.book,
        world.handovers.request,
    ):
        with pytest.raises(EffectForbidden):
            await attempt(None)  # type: ignore[arg-type]
