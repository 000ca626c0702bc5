"""A recogniser that is behind: the words are waited for, the line is not left in silence, keys work."""

from __future__ import annotations

import itertools

import pytest

from bot import events as ev
from bot.call import signals as sig
from bot.call.parameters import Parameters
from bot.call.phases import Phase
from tests.call.one_call import QUESTION, OneCall, P, events, reply, requests


def behind(call: OneCall, ms: int = 1000) -> list[sig.Command]:
    return call.send(sig.EarsBehind(at_ms=call.now, behind_ms=ms))


def unheard(parameters: Parameters = P) -> tuple[OneCall, int]:
    """The customer spoke after the question; no word is here yet.  The call, and when he was silent."""
    call = OneCall(parameters=parameters).asked(QUESTION)
    call.voice(True)
    call.at(call.now + 1000)
    call.voice(False)
    return call, call.now - P.voice_stop_ms


def waits(call: OneCall, until: int, said_ms: int = 1200) -> list[int]:
    """Time goes on, the recogniser stays behind as a driver tells it, fillers play; when they begin."""
    began: list[int] = []
    sounding = 0
    while call.now < until:
        before = len(call.plays)
        call.at(call.now + 20)
        if call.now % 500 == 0:
            behind(call)
        if len(call.plays) > before:
            call.sound(said_ms)
            began.append(call.now)
            sounding = call.now + said_ms
        if sounding and call.now >= sounding:
            call.done(0)
            sounding = 0
    return began


def test_a_filler_is_said_a_second_and_a_half_after_his_last_sound() -> None:
    call, quiet_ms = unheard()
    behind(call)
    call.at(quiet_ms + P.filler_ms - 20)
    assert len(call.plays) == 1
    call.at(quiet_ms + P.filler_ms)
    assert [line.node for line in call.plays[-1].lines] == ["filler"]
    assert call.session.phase is Phase.LISTENING


def test_a_recogniser_that_falls_behind_late_is_bridged_at_once() -> None:
    call, quiet_ms = unheard()
    call.at(quiet_ms + P.filler_ms - 400)
    behind(call)
    call.at(quiet_ms + P.filler_ms)
    assert call.plays[-1].lines[0].node == "filler"


def test_neither_silence_nor_not_understood_is_due_while_words_are_on_their_way() -> None:
    call, quiet_ms = unheard()
    behind(call)
    waits(call, quiet_ms + 15_000)
    assert [r.kind for r in requests(call.commands)] == ["open"]
    assert not any(isinstance(e, ev.Silence) for e in events(call.commands))


def test_fillers_do_not_follow_each_other_without_a_pause() -> None:
    call, quiet_ms = unheard()
    behind(call)
    began = waits(call, quiet_ms + 12_000)
    assert len(began) >= 2
    pauses = [b - a - 1200 for a, b in itertools.pairwise(began)]
    assert min(pauses) >= P.filler_ms


def test_without_a_sound_of_his_nothing_is_bridged() -> None:
    call = OneCall().asked(QUESTION)
    behind(call)
    call.at(call.now + P.filler_ms + P.slow_ears_wait_ms - 100)
    assert len(call.plays) == 1


def test_a_customer_who_still_speaks_is_not_spoken_over() -> None:
    call = OneCall().asked(QUESTION)
    call.voice(True)
    call.at(call.now + 1000)
    behind(call)
    call.at(call.now + 4000)
    assert len(call.plays) == 1


def test_words_that_come_late_are_his_turn() -> None:
    call, quiet_ms = unheard()
    behind(call)
    call.at(quiet_ms + P.filler_ms)
    call.sound(1200)
    call.at(call.now + 600)
    call.words("好的可以", final=True)
    call.at(call.now + P.unfinished_ms + P.slow_extra_ms + P.most_patience_ms)
    request = requests(call.commands)[-1]
    assert (request.kind, request.text) == ("say", "好的可以")
    assert request.heard is not None
    assert [h.node for h in request.heard] == [QUESTION.node], "a filler is no line of the script"


def test_keys_work_while_the_ears_are_behind() -> None:
    call, quiet_ms = unheard()
    behind(call)
    call.at(quiet_ms + 2000)
    behind(call)
    call.send(sig.Key(at_ms=call.now, digit="1"))
    assert (requests(call.commands)[-1].kind, requests(call.commands)[-1].digits) == ("dtmf", "1")


def test_ears_that_keep_up_again_without_a_word_are_answered_as_not_understood() -> None:
    call, _ = unheard()
    behind(call)
    told = call.now
    while call.now < told + P.slow_ears_wait_ms + 20:
        before = len(call.plays)
        call.at(call.now + 20)
        if len(call.plays) > before:
            call.sound(400)
            call.at(call.now + 400)
            call.done(0)
    assert requests(call.commands)[-1].kind == "no_match"


@pytest.mark.parametrize("said", [False, True])
def test_ears_that_fail_end_the_call_politely(said: bool) -> None:
    call, quiet_ms = unheard()
    behind(call, 9000)
    if said:
        call.at(quiet_ms + P.filler_ms)
        call.sound(1200)
    call.send(sig.EarsFailed(at_ms=call.now, reason="10 s behind"))
    assert (call.session.phase, call.plays[-1].lines[0].node) == (Phase.ENDING, "apology")
    assert not any(isinstance(c, sig.HangUp) for c in call.commands), "not before it was said"
    call.sound(3000)
    call.done(0)
    last = events(call.commands)[-1]
    assert isinstance(last, ev.CallEnded)
    assert (last.cause, last.disposition) == ("ears_failed", "failed")


def test_a_final_text_that_comes_during_the_goodbye_is_no_turn() -> None:
    call = OneCall(final_on_demand=True).asked(QUESTION)
    call.voice(True)
    call.at(call.now + 600)
    call.voice(False)
    call.words("好的")
    while not any(isinstance(c, sig.EndUtterance) for c in call.commands):
        call.at(call.now + 20)
    call.send(sig.EarsFailed(at_ms=call.now, reason="gone"))
    call.words("好的", final=True)
    assert call.session.phase is Phase.ENDING
    assert requests(call.commands)[-1].kind == "open"


def test_ears_behind_while_the_bot_speaks_or_thinks_say_nothing_twice() -> None:
    call = OneCall().opened(QUESTION)
    assert not [c for c in behind(call) if isinstance(c, sig.Play)]
    call.at(call.now + 4000)
    call.done(0)
    call.say("好的")
    call.at(call.now + 300)
    assert call.session.phase is Phase.THINKING
    assert not [c for c in behind(call) if isinstance(c, sig.Play)]
    call.at(call.now + P.filler_ms)
    assert [p.lines[0].node for p in call.plays].count("filler") == 1
    call.brain(reply(call.session.turn, QUESTION))
    assert call.plays[-1].lines == (QUESTION,)
