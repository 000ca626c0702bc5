"""Whatever order signals come in, a call stays sane."""

from __future__ import annotations

import contextlib
import itertools
from typing import cast

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import events as ev
from bot.call import signals as sig
from bot.call.phases import IllegalStep
from bot.turn import Expects, Line
from tests.call.one_call import GOODBYE, QUESTION, STORY, OneCall, reply, requests

TEXTS = ("嗯", "好的", "等一下我想问一下", "多少钱", "不用了", "三七二一", "wait", "uh huh", "因为", "")
PRICE = Line(node="utter_price", text="一个月5块钱,随时可以退,您放心。", guarded=((0, 6), (7, 12)))
LINES: dict[str, Line] = {line.node: line for line in (STORY, QUESTION, GOODBYE, PRICE)}
BACKCHANNEL = ({"name": "backchannel"},)
MACHINES = ("machine", "assistant", "beep", "announcement", "busy_tone", "fax")

moves = st.one_of(
    st.tuples(st.just("answer")),
    st.tuples(st.just("voice"), st.booleans()),
    st.tuples(st.just("words"), st.sampled_from(TEXTS), st.booleans(), st.sampled_from(["", "a", "b"])),
    st.tuples(
        st.just("brain"),
        st.integers(-1, 1),
        st.lists(st.sampled_from([STORY, QUESTION, PRICE]), max_size=2),
        st.sampled_from(["none", "offer", "digits", "pitch"]),
        st.sampled_from([False, False, False, True]),
        st.sampled_from([None, None, "ready", "effect"]),
        st.booleans(),
    ),
    st.tuples(st.just("noise")),
    st.tuples(st.just("behind"), st.integers(600, 9000)),
    st.tuples(st.just("late"), st.integers(0, 3)),
    st.tuples(st.just("sound")),
    st.tuples(st.just("heard"), st.integers(0, 2), st.integers(0, 6000)),
    st.tuples(st.just("done"), st.integers(0, 2)),
    st.tuples(st.just("wait"), st.integers(0, 3000)),
    st.tuples(st.just("key"), st.sampled_from("0123#")),
    st.tuples(st.just("machine"), st.sampled_from(MACHINES), st.sampled_from(["", "busy", "voicemail"])),
    st.tuples(st.just("beep")),
    st.tuples(st.just("moved"), st.booleans()),
)
rare = st.sampled_from([("far",), ("gone",), ("stop",), ("deaf",), ("dumb",), ("wait", 600_000)])


def carry_out(call: OneCall, move: tuple[object, ...]) -> None:
    match move:
        case ("answer",):
            call.answer()
        case ("voice", bool(on)):
            call.voice(on)
        case ("words", str(text), bool(final), str(name)):
            call.words(text, final, name)
        case ("brain", int(offset), list(lines), str(expects), bool(ended), speculation, bool(hands_over)):
            turn = call.session.turn + offset
            answer = reply(
                turn,
                *lines,
                expects=cast(Expects, expects),
                ended=ended,
                speculation=cast("str | None", speculation),
            )
            if hands_over and ended:
                answer = msgspec.structs.replace(answer, handover={"to": "agent"})
            call.brain(answer, "好的")
        case ("noise",):
            call.brain(msgspec.structs.replace(reply(call.session.turn), acts=BACKCHANNEL))
        case ("behind", int(ms)):
            call.send(sig.EarsBehind(at_ms=call.now, behind_ms=ms))
        case ("late", int(turn)):
            call.send(sig.BrainLate(at_ms=call.now, turn=turn))
        case ("sound",):
            if call.plays:
                call.sound(*[2000 for _ in call.plays[-1].lines])
        case ("heard", int(line), int(ms)):
            if call.plays:
                call.heard(line, ms)
        case ("done", int(line)):
            if call.plays:
                call.done(line)
        case ("wait", int(ms)):
            call.at(call.now + ms)
        case ("key", str(digit)):
            call.send(sig.Key(at_ms=call.now, digit=digit))
        case ("machine", str(what), str(reason)):
            call.send(sig.MachineHeard(at_ms=call.now, what=what, reason=reason))
        case ("beep",):
            call.send(sig.BeepHeard(at_ms=call.now))
        case ("moved", bool(taken)):
            if taken:
                call.send(sig.TransferDone(at_ms=call.now))
            else:
                call.send(sig.TransferRefused(at_ms=call.now, reason="busy"))
        case ("gone",):
            call.send(sig.FarHangup(at_ms=call.now, cause="transferred"))
        case ("far",):
            call.send(sig.FarHangup(at_ms=call.now, cause="customer"))
        case ("stop",):
            call.send(sig.StopAsked(at_ms=call.now, cause="shutdown"))
        case ("deaf",):
            call.send(sig.EarsFailed(at_ms=call.now, reason="gone"))
        case ("dumb",):
            call.send(sig.VoiceFailed(at_ms=call.now, play=1, reason="gone"))


@settings(max_examples=400, deadline=None)
@given(
    st.booleans(), st.booleans(), st.lists(st.one_of(moves, moves, moves, moves, moves, rare), max_size=60)
)
def test_any_order_of_signals_leaves_a_sane_call(
    on_demand: bool, transfers: bool, made: list[tuple[object, ...]]
) -> None:
    call = OneCall(final_on_demand=on_demand, transfers=transfers)
    call.answer()
    for move in made:
        call.now += 10
        before = len(call.commands)
        try:
            carry_out(call, move)
        except IllegalStep:
            assert len(call.commands) == before
            assert move == ("answer",)
    with contextlib.suppress(IllegalStep):
        call.send(sig.FarHangup(at_ms=call.now, cause="customer"))
    assert call.send(sig.FarHangup(at_ms=call.now, cause="again")) == []

    log = [c.event for c in call.commands if isinstance(c, sig.Log)]
    assert [type(e) for e in log].count(ev.CallEnded) == 1 and isinstance(log[-1], ev.CallEnded)
    assert isinstance(log[0], ev.CallStarted)
    last = call.commands[-1]
    assert isinstance(last, sig.Log) and isinstance(last.event, ev.CallEnded), "nothing comes after the end"
    assert sum(isinstance(c, sig.HangUp) for c in call.commands) <= 1
    assert [e.at_ms for e in log] == sorted(e.at_ms for e in log)

    transferred = [n for n, c in enumerate(call.commands) if isinstance(c, sig.Transfer)]
    assert transfers or not transferred
    for one, other in itertools.pairwise(transferred):
        between = requests(call.commands[one:other])
        assert between and between[0].kind == "transfer_failed", "only one person is called at a time"
    if log[-1].cause == "transferred" and log[-1].by == "bot":
        assert transferred and not any(isinstance(c, sig.HangUp) for c in call.commands)

    turns = [
        c.request.turn for c in call.commands if isinstance(c, sig.AskBrain) and not c.request.speculative
    ]
    first_asked = list(dict.fromkeys(turns))
    assert first_asked == list(range(1, len(first_asked) + 1)), "turns count up by one"
    for command in call.commands:
        if isinstance(command, sig.AskBrain):
            for heard in command.request.heard or ():
                assert LINES[heard.node].text.startswith(heard.heard_text)
                assert not heard.finished or heard.heard_text == LINES[heard.node].text
                assert heard.heard_ms or not heard.heard_text, "no text without sound"


@settings(max_examples=200, deadline=None)
@given(st.lists(moves, max_size=60))
def test_nothing_stopped_goes_on_and_nothing_silent_is_stopped(made: list[tuple[object, ...]]) -> None:
    call = OneCall(transfers=True)
    call.answer()
    for move in made:
        call.now += 10
        with contextlib.suppress(IllegalStep):
            carry_out(call, move)
    queued: set[int] = set()
    lowered = False
    for command in call.commands:
        match command:
            case sig.Play(play=play):
                assert play not in queued
                queued.add(play)
            case sig.StopPlayback():
                assert queued, "stopped what was not playing"
                queued.clear()
            case sig.Duck():
                assert not lowered and queued
                lowered = True
            case sig.Unduck():
                assert lowered
                lowered = False
            case _:
                pass


@given(st.sampled_from(["voice", "words", "sound", "timer", "key"]))
def test_nothing_but_an_answer_can_come_before_it(kind: str) -> None:
    call = OneCall()
    signal: dict[str, sig.Signal] = {
        "voice": sig.VoiceStarted(at_ms=0, since_ms=0),
        "words": sig.Words(at_ms=0, text="喂"),
        "sound": sig.PlaybackStarted(at_ms=0, play=1, line_ms=(100,)),
        "timer": sig.TimerFired(at_ms=0, name="silence"),
        "key": sig.Key(at_ms=0, digit="1"),
    }
    try:
        call.send(signal[kind])
    except IllegalStep:
        assert call.answer(), "the call is as if nothing had happened"
        return
    raise AssertionError("accepted")
