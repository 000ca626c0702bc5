"""A false start: a noise stopped the bot, and it goes on where it was stopped, saying nothing twice but
the clause it was in; what counts as heard is what was played, whatever is stopped how often."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from bot import events as ev
from bot.call import signals as sig
from bot.call.phases import Phase
from bot.call.playback import Ledger
from bot.call.spoken_time import moments, text_at
from bot.turn import HeardLine, Line, Reply
from tests.call.one_call import QUESTION, STORY, OneCall, P, events, reply, requests

LONG_MS = 12_000
PRICE = Line(node="utter_price", text="这个业务一个月5块钱,一年60块,不用了随时可以退。", discloses=("price",))
BACKCHANNEL = ({"name": "backchannel"},)


def empty(turn: int, *acts: dict[str, object]) -> Reply:
    """The brain has nothing to say."""
    return msgspec.structs.replace(reply(turn), acts=acts or BACKCHANNEL)


def stopped(at_ms: int, *lines: Line) -> OneCall:
    """The customer stopped the first line when `at_ms` of it had been played; his turn is being asked."""
    call = OneCall().opened(*(lines or (STORY,)), line_ms=LONG_MS)
    call.at(40 + at_ms - 400)
    call.voice(True)
    call.at(40 + at_ms)
    call.heard(0, at_ms)
    call.words("等一下我问你", final=True)
    assert call.session.phase is Phase.LISTENING, "the words stop the bot"
    call.voice(False)
    turn_over(call)
    return call


def turn_over(call: OneCall) -> None:
    """He says no more: his turn is taken."""
    latest = call.now + P.unfinished_ms + P.slow_extra_ms + P.most_patience_ms
    while call.session.phase is Phase.LISTENING and call.now < latest:
        call.at(call.now + 20)
    assert call.session.phase is Phase.THINKING


def resumed(at_ms: int, *lines: Line) -> OneCall:
    call = stopped(at_ms, *lines)
    call.brain(empty(call.session.turn))
    assert call.session.phase is Phase.SPEAKING
    return call


def last_heard(call: OneCall) -> tuple[HeardLine, ...]:
    """What the brain is told of it with the next turn."""
    call.send(sig.MachineHeard(at_ms=call.now))
    heard = requests(call.commands)[-1].heard
    assert heard is not None
    return heard


@given(st.integers(800, LONG_MS - 500))
def test_it_goes_on_in_the_clause_it_was_stopped_in_and_never_beyond_its_beginning(at_ms: int) -> None:
    play = resumed(at_ms).plays[-1]
    ends = moments(STORY.text, LONG_MS)
    clauses = [0] + [ends[i] for i, character in enumerate(STORY.text) if character in ",。"]
    clause_ms = max(begin for begin in clauses if begin <= at_ms)
    assert play.lines == (STORY,)
    assert max(clause_ms, at_ms - P.resume_back_ms) == play.skip_ms <= at_ms


def test_lines_that_were_heard_are_not_said_again() -> None:
    call = OneCall().opened(QUESTION, STORY, line_ms=LONG_MS)
    call.at(LONG_MS)
    call.done(0)
    call.at(LONG_MS + 3000)
    call.voice(True)
    call.at(LONG_MS + 3400)
    call.heard(1, 3360)
    call.words("等一下我问你", final=True)
    call.at(LONG_MS + 3600)
    call.voice(False)
    turn_over(call)
    call.brain(empty(call.session.turn))
    assert call.plays[-1].lines == (STORY,)
    call.sound(LONG_MS)
    call.at(call.now + 9000)
    call.done(0)
    assert [(h.node, h.finished, h.heard_text) for h in last_heard(call)] == [
        (QUESTION.node, True, QUESTION.text),
        (STORY.node, True, STORY.text),
    ]


def test_a_meaning_of_its_own_is_no_false_start() -> None:
    call = stopped(3000)
    call.brain(empty(call.session.turn, {"name": "backchannel"}, {"name": "deny"}))
    assert call.session.phase is Phase.LISTENING
    assert len(call.plays) == 1


def test_it_does_not_speak_over_a_customer_who_has_begun_again() -> None:
    call = stopped(3000)
    call.voice(True)
    call.brain(empty(call.session.turn))
    assert call.session.phase is Phase.LISTENING
    assert len(call.plays) == 1


def test_nothing_is_left_of_a_line_that_was_heard_out() -> None:
    call = OneCall().asked(QUESTION)
    call.say("嗯")
    turn_over(call)
    call.brain(empty(call.session.turn))
    assert call.session.phase is Phase.LISTENING
    assert len(call.plays) == 1


def test_heard_text_after_a_resumed_line_is_stopped_again_is_exact() -> None:
    call = resumed(3000)
    call.sound(LONG_MS)
    call.at(call.now + 2000)
    call.heard(0, call.plays[-1].skip_ms + 2000)
    (heard,) = last_heard(call)
    assert not heard.finished
    assert heard.heard_text == text_at(STORY.text, call.plays[-1].skip_ms + 2000, LONG_MS)


def test_what_was_heard_stays_heard_when_the_resumed_line_is_stopped_at_its_first_frame() -> None:
    """The clause is entered at its beginning, before what he had heard already."""
    at_ms = 5000
    before = text_at(STORY.text, at_ms, LONG_MS)
    call = resumed(at_ms)
    assert call.plays[-1].skip_ms < at_ms
    call.sound(LONG_MS)
    call.heard(0, call.plays[-1].skip_ms + 20)
    (heard,) = last_heard(call)
    assert (heard.heard_ms, heard.heard_text, heard.finished) == (at_ms, before, False)


def test_a_resumed_line_that_never_sounded_was_not_heard_whole() -> None:
    at_ms = 5000
    call = resumed(at_ms)
    (heard,) = last_heard(call)
    assert heard.heard_text == text_at(STORY.text, at_ms, LONG_MS) != STORY.text


def test_a_resumed_line_is_stopped_and_resumed_again_without_losing_its_place() -> None:
    call = resumed(5000)
    first = call.plays[-1].skip_ms
    call.sound(LONG_MS)
    began = call.now
    call.at(began + 1600)
    call.voice(True)
    call.at(began + 2000)
    call.heard(0, first + 2000)
    call.words("等一下我问你", final=True)
    call.voice(False)
    turn_over(call)
    call.brain(empty(call.session.turn))
    assert call.session.phase is Phase.SPEAKING
    assert first <= call.plays[-1].skip_ms <= first + 2000


def test_it_goes_on_after_a_filler_too() -> None:
    """The brain was slow: one moment, please, and then the line goes on."""
    call = stopped(3000)
    call.at(call.now + P.filler_ms)
    assert call.plays[-1].lines[0].node == "filler"
    call.sound(900)
    call.brain(empty(call.session.turn))
    assert call.plays[-1].lines == (STORY,)
    assert call.session.phase is Phase.SPEAKING


def test_one_reply_is_logged_once_however_often_it_is_resumed() -> None:
    call = resumed(3000)
    call.sound(LONG_MS)
    call.done(0)
    log = events(call.commands)
    assert len([e for e in log if isinstance(e, ev.ReplyEvent)]) == 1
    outcomes = [e.outcome for e in log if isinstance(e, ev.Playback)]
    assert outcomes == ["interrupted", "finished"]


def test_a_disclosure_is_proven_by_its_end_alone_and_by_a_resumed_one_too() -> None:
    call = resumed(3000, PRICE)
    (heard,) = last_heard(call)
    assert not heard.finished, "stopped: the price was not told"
    call = resumed(3000, PRICE)
    assert call.plays[-1].lines[0].discloses == ("price",)
    call.sound(LONG_MS)
    call.at(call.now + LONG_MS)
    call.done(0)
    (heard,) = last_heard(call)
    assert heard.finished and heard.heard_text == PRICE.text


@given(st.integers(0, 8000), st.booleans(), st.lists(st.integers(0, 9000), max_size=4), st.integers(1, 9000))
def test_heard_never_shrinks_and_never_exceeds_what_was_played(
    first: int, begins: bool, then: list[int], audio_ms: int
) -> None:
    """A ledger, stopped and resumed: the part heard is the furthest that was played in either."""
    ledger = Ledger(1, 1, (STORY,))
    ledger.begin((audio_ms,))
    ledger.at(0, first)
    before = ledger.heard[0]
    again = ledger.resumed(2, P.resume_back_ms)
    assert again is not None
    if begins:
        again.begin((audio_ms,))
        for moment in then:
            again.at(0, moment)
    after = again.heard[0]
    furthest = min(audio_ms, max([first, *(then if begins else [])]))
    assert after.heard_ms == max(before.heard_ms, furthest)
    assert after.heard_text == text_at(STORY.text, after.heard_ms, audio_ms)
    assert not after.finished
