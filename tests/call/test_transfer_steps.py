"""A call that is given to a person: the last line first, then the person; whatever races, one end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import events as ev
from bot.call import signals as sig
from bot.call.adapters import Adapters
from bot.call.clock import run_virtual
from bot.call.driver import CallDriver
from bot.call.pacer import Pacer
from bot.call.phases import Phase
from bot.call.ports import TransferFailed
from bot.call.session import CallSession
from bot.turn import Line, Reply
from tests.call.one_call import FACTS, QUESTION, UNSURE, OneCall, P, events, reply, requests
from tests.call.test_driver import Brain, Leg, Log, Loudness, Prompts

HOLD_ON = Line(node="utter_transfer", text="好的,我给您转人工,请稍等。", interruptible=False)
SORRY = Line(node="utter_nobody", text="不好意思,人工都在忙,稍后给您回电。")
HANDOVER = {"to": "sales", "reason": "asked", "context": {"plan": "58"}}


def handed(turn: int) -> Reply:
    return msgspec.structs.replace(
        reply(turn, HOLD_ON, ended=True, disposition="callback"), handover=HANDOVER
    )


def moving(transfers: bool = True) -> OneCall:
    """The customer asked for a person; he was told to hold on, and heard it."""
    call = OneCall(transfers=transfers).asked(QUESTION)
    call.say("我要人工")
    while call.session.phase is Phase.LISTENING:
        call.at(call.now + 20)
    call.brain(handed(call.session.turn))
    call.sound(2500)
    assert not moves(call), "nobody is called before the line is said"
    call.at(call.now + 2500)
    call.done(0)
    return call


def moves(call: OneCall) -> list[sig.Transfer]:
    return [c for c in call.commands if isinstance(c, sig.Transfer)]


def hang_ups(call: OneCall) -> int:
    return sum(isinstance(c, sig.HangUp) for c in call.commands)


def ends(call: OneCall) -> list[ev.CallEnded]:
    return [e for e in events(call.commands) if isinstance(e, ev.CallEnded)]


def test_the_person_is_called_once_the_last_line_was_heard_and_told_what_for() -> None:
    call = moving()
    assert moves(call) == [sig.Transfer(to="sales", reason="asked", context={"plan": "58"})]
    assert (call.session.phase, hang_ups(call), ends(call)) == (Phase.MOVING, 0, [])


def test_where_nobody_can_be_reached_the_call_ends_as_the_script_says() -> None:
    call = moving(transfers=False)
    assert (moves(call), hang_ups(call)) == ([], 1)
    assert ends(call)[0].disposition == "callback"


def test_done_is_the_end_and_the_line_is_not_hung_up_under_the_person() -> None:
    call = moving()
    call.send(sig.TransferDone(at_ms=call.now + 3000))
    (ended,) = ends(call)
    assert (ended.by, ended.cause, hang_ups(call)) == ("bot", "transferred", 0)
    assert not call.timers


def test_refused_the_brain_is_told_and_what_it_says_is_said() -> None:
    call = moving()
    call.at(call.now + 3000)
    call.send(sig.TransferRefused(at_ms=call.now, reason="busy"))
    assert requests(call.commands)[-1].kind == "transfer_failed"
    assert "move" not in call.timers and "hold" not in call.timers
    call.brain(reply(call.session.turn, SORRY))
    assert (call.session.phase, call.plays[-1].lines) == (Phase.SPEAKING, (SORRY,))


def test_nobody_who_answers_in_time_is_the_same_as_refused() -> None:
    call = moving()
    began = call.now
    call.at(began + P.move_ms - 20)
    assert requests(call.commands)[-1].kind == "say"
    call.at(began + P.move_ms)
    assert requests(call.commands)[-1].kind == "transfer_failed"


def test_he_who_waits_is_told_so_now_and_then() -> None:
    call = moving()
    began, before = call.now, len(call.plays)
    while call.now < began + P.move_ms - 20:
        call.at(call.now + 1000)
        if len(call.plays) > before and call.session._call.mouth.busy:
            call.sound(1500)
            call.done(0)
    told = call.plays[before:]
    assert {play.lines[0].node for play in told} == {"holding"}
    assert len(told) == (P.move_ms - 20) // P.hold_every_ms
    assert told[0].lines != told[1].lines, "not always in the same words"


def test_a_far_end_that_is_gone_while_it_waits() -> None:
    call = moving()
    call.send(sig.FarHangup(at_ms=call.now, cause="customer"))
    (ended,) = ends(call)
    assert (ended.by, ended.cause, hang_ups(call)) == ("customer", "customer", 0)
    assert call.send(sig.TransferDone(at_ms=call.now)) == []
    assert call.send(sig.TransferRefused(at_ms=call.now, reason="late")) == []


def test_a_line_that_says_it_was_transferred_before_its_switch_does_is_transferred() -> None:
    call = moving()
    call.send(sig.FarHangup(at_ms=call.now, cause="transferred"))
    (ended,) = ends(call)
    assert (ended.by, ended.cause, hang_ups(call)) == ("bot", "transferred", 0)


def test_what_comes_after_the_bot_has_taken_the_call_back_changes_nothing() -> None:
    call = moving()
    call.send(sig.TransferRefused(at_ms=call.now, reason="busy"))
    assert call.send(sig.TransferDone(at_ms=call.now)) == []
    assert call.send(sig.TransferRefused(at_ms=call.now, reason="again")) == []
    assert call.session.phase is Phase.THINKING


def test_keys_and_words_of_the_wait_do_not_cut_off_what_he_is_then_told() -> None:
    call = moving()
    call.send(sig.Key(at_ms=call.now, digit="0"))
    call.at(call.now + 1000)
    call.words("怎么还没有人", final=True)
    call.at(call.now + 10_000)
    call.send(sig.TransferRefused(at_ms=call.now, reason="busy"))
    call.at(call.now + 100)
    call.brain(reply(call.session.turn, SORRY))
    call.at(call.now + 20)
    assert (call.session.phase, call.plays[-1].lines) == (Phase.SPEAKING, (SORRY,))
    call.sound(4000)
    call.at(call.now + 1000)
    call.heard(0, 1000)
    assert call.session.phase is Phase.SPEAKING


def test_ears_that_fail_while_he_is_put_through_do_not_keep_him_from_the_person() -> None:
    call = OneCall(transfers=True)
    call.answer()
    call.brain(handed(1))
    call.sound(2500)
    call.send(sig.EarsFailed(at_ms=call.now, reason="gone"))
    call.done(0)
    assert call.session.phase is Phase.MOVING


RACES: dict[str, Callable[[OneCall], sig.Signal]] = {
    "done": lambda call: sig.TransferDone(at_ms=call.now),
    "refused": lambda call: sig.TransferRefused(at_ms=call.now, reason="busy"),
    "far": lambda call: sig.FarHangup(at_ms=call.now, cause="customer"),
    "stop": lambda call: sig.StopAsked(at_ms=call.now, cause="shutdown"),
    "deaf": lambda call: sig.EarsFailed(at_ms=call.now, reason="gone"),
    "dumb": lambda call: sig.VoiceFailed(at_ms=call.now, play=1, reason="gone"),
    "machine": lambda call: sig.MachineHeard(at_ms=call.now),
    "key": lambda call: sig.Key(at_ms=call.now, digit="1"),
    "words": lambda call: sig.Words(at_ms=call.now, text="喂", final=True),
    "voice": lambda call: sig.VoiceStarted(at_ms=call.now, since_ms=call.now),
}


@given(st.lists(st.tuples(st.sampled_from(sorted(RACES)), st.integers(0, 20_000)), max_size=8))
def test_whatever_races_there_is_one_end_and_at_most_one_hang_up(made: list[tuple[str, int]]) -> None:
    call = moving()
    for name, wait_ms in made:
        call.at(call.now + wait_ms)
        call.send(RACES[name](call))
    call.send(sig.FarHangup(at_ms=call.now, cause="customer"))
    assert len(ends(call)) == 1
    last = call.commands[-1]
    assert isinstance(last, sig.Log) and last.event is ends(call)[0]
    assert hang_ups(call) <= 1
    assert len(moves(call)) == 1
    taken = [name for name, _ in made if name in ("done", "refused", "far", "stop", "dumb", "deaf")]
    if taken[:1] == ["done"] and sum(wait for _, wait in made) < P.move_ms:
        assert hang_ups(call) == 0, "the person has the line"


def carry(
    transfer: Callable[[sig.Transfer], Awaitable[None]], *more: Reply, hangs_up_at: int | None = None
) -> tuple[ev.CallEnded, Leg, Brain]:
    """A whole call whose first reply hands over."""
    leg = Leg([], {}, hangs_up_at)
    brain = Brain(handed(1), *more)

    async def call() -> ev.CallEnded:
        adapters = Adapters(
            leg=leg, brain=brain, prompts=Prompts(), voices=Loudness(), pacer=Pacer(), log=Log(),
            transfer=transfer,
        )  # fmt: skip
        return await CallDriver("c1", CallSession(FACTS, P, UNSURE, transfers=True), adapters, P).run()

    return run_virtual(call()), leg, brain


def test_a_person_who_takes_the_call_ends_it_without_a_hang_up() -> None:
    async def takes(wanted: sig.Transfer) -> None:
        await asyncio.sleep(3)

    ended, leg, _ = carry(takes)
    assert (ended.cause, leg.hung_up) == ("transferred", [])


def test_a_refusal_of_the_switch_goes_to_the_brain() -> None:
    async def refuses(wanted: sig.Transfer) -> None:
        raise TransferFailed("busy")

    ended, leg, brain = carry(refuses, reply(2, SORRY, ended=True, disposition="callback"))
    assert [request.kind for request in brain.asked] == ["open", "transfer_failed"]
    assert (ended.disposition, leg.hung_up) == ("callback", ["normal"])


def test_a_person_who_never_answers_is_not_called_any_longer() -> None:
    """Else he would be put through to a call that the bot has taken back."""
    given_up = []

    async def rings_for_ever(wanted: sig.Transfer) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            given_up.append(asyncio.get_running_loop().time())
            raise

    ended, _, brain = carry(rings_for_ever, reply(2, SORRY, ended=True, disposition="callback"))
    assert [request.kind for request in brain.asked] == ["open", "transfer_failed"]
    assert ended.disposition == "callback"
    assert given_up and given_up[0] * 1000 < ended.at_ms - 1000, "before the bot speaks, not at the end"


def test_he_who_hangs_up_while_the_person_is_called_ends_that_too() -> None:
    given_up = []

    async def rings_for_ever(wanted: sig.Transfer) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            given_up.append(wanted.to)
            raise

    ended, leg, _ = carry(rings_for_ever, hangs_up_at=400)
    assert (ended.by, leg.hung_up, given_up) == ("customer", [], ["sales"])


def test_a_fault_of_the_transfer_is_a_fault_of_this_call_with_one_hang_up() -> None:
    async def breaks(wanted: sig.Transfer) -> None:
        raise RuntimeError("bug")

    leg, log = Leg([], {}), Log()

    async def call() -> None:
        adapters = Adapters(
            leg=leg, brain=Brain(handed(1)), prompts=Prompts(), voices=Loudness(), pacer=Pacer(), log=log,
            transfer=breaks,
        )  # fmt: skip
        await CallDriver("c1", CallSession(FACTS, P, UNSURE, transfers=True), adapters, P).run()

    with pytest.raises(RuntimeError, match="bug"):
        run_virtual(call())
    assert leg.hung_up == ["fault"]
    assert isinstance(log.events[-1], ev.CallEnded)
