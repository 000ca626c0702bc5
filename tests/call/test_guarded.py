"""Spans of a line that cannot be stopped: the stop waits for their end, and he is heard meanwhile."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.call import signals as sig
from bot.call.phases import Phase
from bot.call.playback import Ledger
from bot.call.spoken_time import moments
from bot.turn import Line
from tests.call.one_call import GOODBYE, OneCall, P, reply, requests

TEXT = "先跟您说明,这个业务一个月5块钱,随时可以退,您看今天给您开通可以吗?"
SPAN = (TEXT.index("这个业务"), TEXT.index(",随时"))
LINE = Line(node="utter_price", text=TEXT, guarded=(SPAN,))
LINE_MS = 8000
ENDS = moments(TEXT, LINE_MS)
BEGIN_MS, END_MS = ENDS[SPAN[0] - 1], ENDS[SPAN[1] - 1]
INSIDE_MS = (BEGIN_MS + END_MS) // 2 // 20 * 20


def speaking(line: Line = LINE) -> OneCall:
    return OneCall().opened(line, line_ms=LINE_MS)


def plays_to(call: OneCall, line_ms: int) -> list[sig.Command]:
    """The line plays on; timers ring, and each time the driver first tells how far it is."""
    out: list[sig.Command] = []
    while call.timers and min(call.timers.values()) <= 40 + line_ms:
        moment = max(call.now, min(call.timers.values()))
        out += call.heard(0, moment - 40)
        out += call.at(moment)
    return out + call.at(40 + line_ms)


def objects(call: OneCall, line_ms: int) -> list[sig.Command]:
    """He objects, and his words are there when so much was played."""
    out = plays_to(call, line_ms - 300)
    call.heard(0, line_ms - 300)
    out += call.voice(True)
    out += plays_to(call, line_ms)
    call.heard(0, line_ms)
    return out + call.words("等一下我不需要这个")


def stops(commands: list[sig.Command]) -> int:
    return sum(isinstance(c, sig.StopPlayback) for c in commands)


def test_an_objection_outside_the_span_stops_at_once() -> None:
    call = speaking()
    assert stops(objects(call, BEGIN_MS - 200)) == 1
    assert call.session.phase is Phase.LISTENING


def test_an_objection_inside_the_span_stops_the_bot_at_its_end_and_not_before() -> None:
    call = speaking()
    assert stops(objects(call, INSIDE_MS)) == 0
    assert stops(plays_to(call, END_MS - 20)) == 0
    assert stops(plays_to(call, END_MS + 20)) == 1
    assert call.session.phase is Phase.LISTENING


def test_the_voice_is_not_lowered_inside_the_span() -> None:
    call = speaking()
    assert not any(isinstance(c, sig.Duck) for c in objects(call, INSIDE_MS))


def test_what_was_said_inside_the_span_is_the_next_turn() -> None:
    call = speaking()
    objects(call, INSIDE_MS)
    call.voice(False)
    plays_to(call, END_MS + 20)
    call.at(call.now + P.unfinished_ms + P.slow_extra_ms + P.most_patience_ms)
    request = requests(call.commands)[-1]
    assert (request.kind, request.text) == ("say", "等一下我不需要这个")
    assert request.heard is not None
    assert not request.heard[0].finished
    assert TEXT[SPAN[0] : SPAN[1]] in request.heard[0].heard_text, "the guarded words were all heard"


def test_a_listeners_noise_inside_the_span_stops_nothing() -> None:
    call = speaking()
    plays_to(call, INSIDE_MS - 300)
    call.voice(True)
    plays_to(call, INSIDE_MS)
    call.heard(0, INSIDE_MS)
    call.words("嗯嗯", final=True)
    call.voice(False)
    assert stops(plays_to(call, LINE_MS - 20)) == 0
    assert call.session.phase is Phase.SPEAKING


def test_a_key_inside_the_span_stops_the_bot_at_its_end() -> None:
    call = speaking()
    plays_to(call, INSIDE_MS)
    call.heard(0, INSIDE_MS)
    assert stops(call.send(sig.Key(at_ms=call.now, digit="1"))) == 0
    assert stops(plays_to(call, END_MS - 20)) == 0
    assert stops(plays_to(call, END_MS + 20)) == 1
    assert requests(call.commands)[-1].digits == "1"


def test_he_who_hangs_up_inside_the_span_is_gone() -> None:
    call = speaking()
    plays_to(call, INSIDE_MS)
    call.send(sig.FarHangup(at_ms=call.now, cause="customer"))
    assert call.session.phase is Phase.ENDED


def test_a_machine_found_inside_the_span_is_not_told_the_rest() -> None:
    call = speaking()
    plays_to(call, INSIDE_MS)
    assert stops(call.send(sig.MachineHeard(at_ms=call.now, what="beep"))) == 1
    assert requests(call.commands)[-1].kind == "voicemail"


def test_a_guard_that_is_over_does_not_ring_in_the_next_line() -> None:
    """The objection was taken at the span's end; the reply that follows is not stopped by it."""
    call = speaking()
    objects(call, INSIDE_MS)
    call.voice(False)
    plays_to(call, END_MS + 20)
    call.at(call.now + 3000)
    call.brain(reply(call.session.turn, GOODBYE))
    call.sound(3000)
    assert stops(call.at(call.now + 2000)) == 0


@pytest.mark.parametrize("span", [(0, len(TEXT)), (0, 1), (len(TEXT) - 1, len(TEXT)), (5, 5)])
def test_spans_at_the_edges_of_a_line_hold(span: tuple[int, int]) -> None:
    call = speaking(msgspec.structs.replace(LINE, guarded=(span,)))
    objects(call, 4000)
    plays_to(call, LINE_MS)
    call.done(0)
    call.voice(False)
    call.at(call.now + P.unfinished_ms + P.slow_extra_ms + P.most_patience_ms)
    assert requests(call.commands)[-1].text == "等一下我不需要这个"


@given(st.integers(0, LINE_MS), st.integers(1, 9000))
def test_a_guard_never_holds_longer_than_its_span(heard_ms: int, audio_ms: int) -> None:
    ledger = Ledger(1, 1, (LINE,))
    ledger.begin((audio_ms,))
    ledger.at(0, heard_ms)
    ends = moments(TEXT, audio_ms)
    begin_ms, end_ms = ends[SPAN[0] - 1], ends[SPAN[1] - 1]
    at_ms = min(heard_ms, audio_ms)
    assert ledger.guard_left_ms == (end_ms - at_ms if begin_ms <= at_ms < end_ms else 0)
