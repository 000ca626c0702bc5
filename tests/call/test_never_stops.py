"""Callers who never speak, and who never stop: neither holds a line until its longest time is over."""

from __future__ import annotations

from bot import events as ev
from bot.call import signals as sig
from bot.call.parameters import Parameters
from bot.call.phases import Phase
from tests.call.one_call import GOODBYE, QUESTION, OneCall, P, events, reply, requests

AGAIN_MS = 2000


def says_again(call: OneCall) -> None:
    """The script asks once more, and it is heard out."""
    call.brain(reply(call.session.turn, QUESTION))
    call.at(call.now + P.noise_ms)
    call.sound(AGAIN_MS)
    call.at(call.now + AGAIN_MS)
    call.done(0)


def test_a_voice_that_never_stops_and_brings_no_word_is_answered_as_not_understood() -> None:
    call = OneCall().asked(QUESTION)
    call.voice(True)
    began = call.now
    call.at(began + P.endless_voice_ms - 20)
    assert [r.kind for r in requests(call.commands)] == ["open"]
    call.at(began + P.endless_voice_ms)
    assert requests(call.commands)[-1].kind == "no_match"
    says_again(call)
    assert (call.session.phase, len(call.plays)) == (Phase.LISTENING, 2), "it is said over the noise"


def test_it_is_not_answered_again_before_as_much_time_has_passed_once_more() -> None:
    call = OneCall().asked(QUESTION)
    call.voice(True)
    call.at(call.now + P.endless_voice_ms)
    says_again(call)
    listening = call.now
    call.at(listening + P.endless_voice_ms - 20)
    assert call.session.turn == 2
    call.at(listening + P.endless_voice_ms)
    assert (requests(call.commands)[-1].kind, call.session.turn) == ("no_match", 3)


def test_a_script_that_then_says_goodbye_ends_the_call() -> None:
    call = OneCall().asked(QUESTION)
    call.voice(True)
    call.at(call.now + P.endless_voice_ms)
    call.brain(reply(2, GOODBYE, ended=True, disposition="no_answer"))
    call.sound(2000)
    call.at(call.now + 2000)
    call.done(0)
    assert isinstance(events(call.commands)[-1], ev.CallEnded)


def test_a_word_in_it_makes_it_a_turn_as_ever() -> None:
    call = OneCall().asked(QUESTION)
    call.voice(True)
    call.at(call.now + 4000)
    call.words("我想想", final=True)
    call.at(call.now + P.endless_voice_ms)
    assert [r.kind for r in requests(call.commands)] == ["open", "say"]


def test_a_short_sound_is_forgotten_and_no_attempt_to_speak() -> None:
    call = OneCall().asked(QUESTION)
    call.voice(True)
    call.at(call.now + 300)
    call.voice(False)
    call.at(call.now + P.silence_ms + 200)
    assert [r.kind for r in requests(call.commands)] == ["open", "silence"]


def test_one_who_talks_without_a_pause_is_heard_and_ended_politely_at_the_longest_time() -> None:
    short = Parameters(longest_call_ms=30_000)
    call = OneCall(parameters=short).asked(QUESTION)
    call.voice(True)
    text = ""
    while call.session.phase is Phase.LISTENING:
        text += "还有"
        call.words(text)
        call.at(call.now + 400)
    assert call.now >= short.longest_call_ms
    assert (call.session.phase, call.plays[-1].lines[0].node) == (Phase.ENDING, "closing_time")
    call.sound(3000)
    call.words(text + "吗", final=True)
    call.done(0)
    ended = events(call.commands)[-1]
    assert isinstance(ended, ev.CallEnded)
    assert ended.cause == "too_long"


def test_one_who_never_makes_a_sound_is_asked_and_each_time_counts_from_the_end_of_the_line() -> None:
    call = OneCall().asked(QUESTION)
    for turn in (2, 3, 4):
        listening = call.now
        call.at(listening + P.silence_ms - 20)
        assert call.session.turn == turn - 1
        call.at(listening + P.silence_ms)
        assert (requests(call.commands)[-1].kind, call.session.turn) == ("silence", turn)
        says_again(call)
    silences = [e.ms for e in events(call.commands) if isinstance(e, ev.Silence)]
    assert silences == [P.silence_ms] * 3
    assert not any(isinstance(c, sig.HangUp) for c in call.commands)
