"""Whatever customers do: the invariants of a call, over random calls with real policies and actions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.understanding.acts import ACTS
from tests.scripts.conftest import ActCall

LIKELY = ["affirm", "accept_offer", "ask_price", "object_price", "inform"]
ENDING = {
    "request_dnc",
    "wrong_person",
    "relative_or_other",
    "abuse",
    "voicemail",
    "object_unable",
    "goodbye",
}
steps = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from(LIKELY),
            st.sampled_from(sorted(set(ACTS) - ENDING)),
            st.sampled_from(["silence", *ACTS]),
        ),
        st.sampled_from([None, None, "1234", "9999"]),
        st.sampled_from([None, None, None, 0, 1]),
    ),
    min_size=6,
    max_size=14,
)


async def hold(call: ActCall, turns: list[tuple[str, str | None, int | None]]) -> None:
    replies = [await call.start()]
    rebuttals = refusals = 0
    confirmed = False
    for act, digits, heard_lines in turns:
        if call.ended:
            break
        asked = replies[-1].slots.get("name_confirmed")
        if act == "silence":
            reply = await call.silence(6000)
        else:
            reply = await call.act(act, heard_lines=heard_lines, **({"digits": digits} if digits else {}))
        confirmed = bool(reply.slots["name_confirmed"])
        assert reply.error is None, reply.error
        assert reply.lines or reply.ended, f"nothing said to {act}"
        assert confirmed or not any(word in (reply.text or "") for word in ("彩铃", "5块", "60"))
        assert confirmed >= bool(asked)
        assert replies[-1].text is None or reply.text != replies[-1].text
        rebuttals += sum(node.startswith(("utter_rebut_", "utter_early_")) for node in reply.nodes)
        refusals += act == "decline_offer" and not reply.ended
        if act in ENDING:
            assert reply.ended
        if reply.disposition == "accepted":
            assert act in ("affirm", "accept_offer")
        replies.append(reply)
    assert rebuttals <= 2 and refusals <= 3
    assert bool(call.effects.orders.done) == (call.disposition == "accepted")
    for order in call.effects.orders.done.values():
        assert {proof.what for proof in order.consent.heard} >= {"identity", "price", "term", "cancel"}


@given(steps, st.integers(0, 5))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_invariants_of_every_call(
    ring: Callable[..., ActCall], turns: list[tuple[str, str | None, int | None]], seed: int
) -> None:
    asyncio.run(hold(ring(seed=seed), turns))
