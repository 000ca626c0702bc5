"""Scenes of a call, each by signals and the commands that must follow."""

from __future__ import annotations

import pytest

from bot import events as ev
from bot.call import signals as sig
from bot.call.phases import IllegalStep, Phase
from tests.call.one_call import GOODBYE, QUESTION, STORY, OneCall, P, events, reply, requests


def kinds(commands: list[sig.Command]) -> list[str]:
    return [type(command).__name__ for command in commands]


def test_the_bot_is_asked_to_open_as_soon_as_the_line_is_up() -> None:
    out = OneCall().answer()
    assert [type(e).__name__ for e in events(out)] == ["CallStarted", "CallAnswered"]
    (request,) = requests(out)
    assert (request.kind, request.turn, request.script, request.heard) == ("open", 1, "ringback", None)


def test_an_answer_twice_is_refused_and_changes_nothing() -> None:
    call = OneCall().opened(STORY)
    with pytest.raises(IllegalStep, match="Answered cannot come while a call is speaking"):
        call.answer()
    assert call.session.phase is Phase.SPEAKING
    assert requests(call.commands)[-1].turn == 1


def test_a_yes_after_a_yes_no_question_ends_the_turn_when_its_words_are_there() -> None:
    call = OneCall().asked(QUESTION)
    call.say("好的")
    (request,) = requests(call.commands[-12:])
    assert (request.kind, request.text, request.turn) == ("say", "好的", 2)
    assert request.heard is not None and request.heard[0].finished


def test_a_trailing_because_is_waited_for() -> None:
    call = OneCall().asked(QUESTION, expects="open_question")
    call.say("我不想办因为")
    assert not requests(call.at(call.now + 900))
    call.voice(True)
    call.at(call.now + 500)
    call.voice(False)
    call.at(call.now + 100)
    call.words("我用不上", final=True)
    call.at(call.now + P.uncertain_ms + P.most_patience_ms)
    assert [r.text for r in requests(call.commands)][-1] == "我不想办因为我用不上"
    assert [r.turn for r in requests(call.commands)] == [1, 2]


def test_a_dictated_number_is_waited_for_until_it_has_its_digits() -> None:
    line = QUESTION.__class__(node="utter_ask_id", text="请说一下身份证的后四位。")
    call = OneCall().asked(line, expects="digits")
    call.say("三七")
    assert not requests(call.at(call.now + 1200))
    call.say("二一")
    assert requests(call.commands)[-1].text == "三七二一"


def test_a_listeners_noise_lowers_the_voice_and_raises_it_again_and_is_no_turn() -> None:
    call = OneCall().opened(STORY, line_ms=9000)
    call.at(1500)
    call.heard(0, 1400)
    assert "Duck" in kinds(call.voice(True))
    call.at(1900)
    call.voice(False)
    call.words("嗯嗯", final=True)
    out = call.at(2600)
    assert "Unduck" in kinds(out)
    assert "StopPlayback" not in kinds(call.commands)
    assert [r.turn for r in requests(call.commands)] == [1]
    assert [e.text for e in events(call.commands) if isinstance(e, ev.UtteranceFinal)] == ["嗯嗯"]


def test_an_objection_stops_the_bot_and_what_was_heard_goes_to_the_brain() -> None:
    call = OneCall().opened(STORY, QUESTION, line_ms=8000)
    call.at(2540)
    call.voice(True)
    call.at(2900)
    call.heard(0, 2860)
    out = call.words("等一下我先问你")
    assert kinds(out)[0] == "Log" and "StopPlayback" in kinds(out)
    call.at(3300)
    call.voice(False)
    call.words("等一下我先问你这个多少钱", final=True)
    call.at(4800)
    request = requests(call.commands)[-1]
    assert request.text == "等一下我先问你这个多少钱"
    story, question = request.heard or ()
    assert not story.finished and story.heard_ms == 2860 and STORY.text.startswith(story.heard_text)
    assert 0 < len(story.heard_text) < len(STORY.text)
    assert (question.finished, question.heard_text, question.heard_ms) == (False, "", 0)


def test_yes_in_the_middle_of_the_story_is_no_answer_but_at_the_question_it_is() -> None:
    early = OneCall().opened(STORY, QUESTION, line_ms=4000)
    early.at(1000)
    early.heard(0, 900)
    early.voice(True)
    early.at(1300)
    early.voice(False)
    early.words("对", final=True)
    early.at(1900)
    assert "StopPlayback" not in kinds(early.commands)

    late = OneCall().opened(QUESTION, line_ms=2000)
    late.at(1700)
    late.heard(0, 1660)
    late.voice(True)
    late.words("对", final=True)
    assert "StopPlayback" in kinds(late.commands)


def test_what_may_not_be_interrupted_is_heard_out_and_then_answered() -> None:
    line = STORY.__class__(node="utter_terms", text=STORY.text, interruptible=False)
    call = OneCall().opened(line, line_ms=4000)
    call.at(1000)
    call.voice(True)
    call.at(1800)
    call.voice(False)
    call.words("我不要了别再打电话给我", final=True)
    call.at(4000)
    assert "Duck" not in kinds(call.commands) and "StopPlayback" not in kinds(call.commands)
    call.done(0)
    call.at(4100)
    assert requests(call.commands)[-1].text == "我不要了别再打电话给我"


def test_words_are_understood_in_advance_and_the_ready_reply_is_played_at_once() -> None:
    call = OneCall().asked(QUESTION, expects="open_question")
    call.voice(True)
    call.at(call.now + 1200)
    call.voice(False)
    call.at(call.now + 100)
    out = call.words("最近老是有点卡")
    (asked,) = requests(out, speculative=True)
    assert asked.turn == 2
    foreseen = reply(2, STORY, expects="offer", speculation="ready")
    out = call.brain(foreseen, "最近老是有点卡")
    assert kinds(out) == ["Prepare"]
    out = call.at(call.now + P.unfinished_ms)
    assert [r.text for r in requests(out)] == ["最近老是有点卡"]
    assert kinds(out).count("Play") == 1, "played before the true reply is there"
    call.sound(8000)
    out = call.brain(reply(2, STORY, expects="offer"))
    assert "Play" not in kinds(out) and "StopPlayback" not in kinds(out)


def test_a_true_reply_that_differs_from_the_foreseen_one_replaces_it() -> None:
    call = OneCall().asked(QUESTION, expects="open_question")
    call.voice(True)
    call.at(call.now + 1200)
    call.voice(False)
    call.at(call.now + 100)
    call.words("最近老是有点卡")
    call.brain(reply(2, STORY, speculation="ready"), "最近老是有点卡")
    call.at(call.now + P.unfinished_ms)
    call.sound(8000)
    out = call.brain(reply(2, QUESTION))
    assert kinds(out).index("StopPlayback") < kinds(out).index("Play")


def test_an_effect_met_in_advance_is_never_used() -> None:
    call = OneCall().asked(QUESTION, expects="open_question")
    call.voice(True)
    call.at(call.now + 1200)
    call.voice(False)
    call.at(call.now + 100)
    call.words("最近老是有点卡")
    assert call.brain(reply(2, speculation="effect"), "最近老是有点卡") == []
    out = call.at(call.now + P.unfinished_ms)
    assert requests(out) and "Play" not in kinds(out)


def test_silence_counts_from_the_end_of_the_line_and_not_before() -> None:
    call = OneCall().opened(QUESTION, line_ms=30_000)
    assert not [e for e in events(call.at(29_000)) if isinstance(e, ev.Silence)]
    call.at(30_040)
    call.done(0)
    assert not requests(call.at(30_040 + P.silence_ms - 10))
    out = call.at(30_040 + P.silence_ms)
    assert [e.ms for e in events(out) if isinstance(e, ev.Silence)] == [P.silence_ms]
    assert requests(out)[0].kind == "silence"


def test_a_late_brain_is_bridged_then_given_up_politely() -> None:
    call = OneCall().asked(QUESTION)
    call.say("好的")
    filler = [c for c in call.at(call.now + P.filler_ms) if isinstance(c, sig.Play)]
    assert [line.node for line in filler[0].lines] == ["filler"]
    call.sound(900)
    call.at(call.now + 900)
    call.done(0)
    call.send(sig.BrainLate(at_ms=call.now, turn=2))
    again = requests(call.at(call.now + 300))
    assert [(r.turn, r.text) for r in again] == [(2, "好的")], "the same turn is asked again"
    call.at(call.now + P.give_up_ms)
    assert call.plays[-1].lines[0].node == "apology"
    call.sound(3000)
    call.at(call.now + 3000)
    out = call.done(0)
    assert kinds(out)[-2:] == ["HangUp", "Log"]
    ended = events(out)[-1]
    assert isinstance(ended, ev.CallEnded) and (ended.cause, ended.disposition) == ("brain_down", "failed")


def test_the_last_line_is_played_to_its_end_then_the_bot_hangs_up_once() -> None:
    call = OneCall().asked(QUESTION)
    call.say("不要")
    call.brain(reply(2, GOODBYE, ended=True, disposition="declined", expects="none"))
    call.sound(2000)
    assert "HangUp" not in kinds(call.commands)
    call.at(call.now + 2000)
    call.done(0)
    call.send(sig.FarHangup(at_ms=call.now, cause="customer"))
    assert kinds(call.commands).count("HangUp") == 1
    ended = [e for e in events(call.commands) if isinstance(e, ev.CallEnded)]
    assert [(e.by, e.disposition) for e in ended] == [("bot", "declined")]


def test_a_customer_who_hangs_up_while_the_bot_speaks() -> None:
    call = OneCall().opened(STORY, line_ms=8000)
    call.at(3000)
    call.heard(0, 2900)
    out = call.send(sig.FarHangup(at_ms=3000, cause="customer"))
    assert "HangUp" not in kinds(out)
    playback = next(e for e in events(out) if isinstance(e, ev.Playback))
    assert (playback.outcome, playback.heard_ms) == ("interrupted", 2900)
    ended = events(out)[-1]
    assert isinstance(ended, ev.CallEnded) and (ended.by, ended.disposition) == ("customer", "hung_up")


def test_a_late_final_text_of_a_turn_taken_is_no_second_turn() -> None:
    call = OneCall().asked(QUESTION)
    call.voice(True)
    call.at(call.now + 500)
    call.voice(False)
    call.at(call.now + 100)
    call.words("好的", utterance_id="u")
    call.at(call.now + 300)
    assert requests(call.commands)[-1].text == "好的"
    call.words("好的。", final=True, utterance_id="u")
    call.brain(reply(2, STORY))
    assert kinds(call.commands).count("Play") == 2, "the reply is spoken at once"


def test_a_reply_that_comes_while_the_customer_goes_on_waits_and_is_dropped() -> None:
    call = OneCall().asked(QUESTION)
    call.say("好的")
    call.at(call.now + 10)
    call.voice(True)
    assert "Play" not in kinds(call.brain(reply(2, STORY)))
    call.at(call.now + 600)
    call.voice(False)
    call.words("不过到底多少钱一个月啊", final=True)
    call.at(call.now + 1500)
    request = requests(call.commands)[-1]
    assert request.text == "不过到底多少钱一个月啊"
    assert [(h.node, h.finished, h.heard_ms) for h in request.heard or ()] == [(STORY.node, False, 0)]


def test_ears_that_give_the_final_text_on_demand_are_asked_for_it() -> None:
    call = OneCall(final_on_demand=True).asked(QUESTION)
    call.voice(True)
    call.at(call.now + 500)
    call.voice(False)
    call.at(call.now + 100)
    call.words("好")
    call.at(call.now + 100)
    assert "EndUtterance" in kinds(call.commands) and len(requests(call.commands)) == 1
    out = call.words("好的", final=True)
    assert [r.text for r in requests(out)] == ["好的"]


def test_keys_are_gathered_while_a_number_is_expected() -> None:
    call = OneCall().asked(QUESTION, expects="digits")
    for digit in "3721":
        call.at(call.now + 400)
        call.send(sig.Key(at_ms=call.now, digit=digit))
    assert len(requests(call.commands)) == 1
    (request,) = requests(call.at(call.now + P.key_gap_ms))
    assert (request.kind, request.digits) == ("dtmf", "3721")
    assert [e.digit for e in events(call.commands) if isinstance(e, ev.Dtmf)] == list("3721")


def test_sound_without_words_is_answered_as_not_understood() -> None:
    call = OneCall().asked(QUESTION)
    call.voice(True)
    call.at(call.now + 1500)
    call.voice(False)
    (request,) = requests(call.at(call.now + P.no_match_wait_ms))
    assert request.kind == "no_match"


def test_the_reply_carries_where_the_time_went() -> None:
    call = OneCall().asked(QUESTION)
    call.say("好的")
    call.at(call.now + 12)
    call.brain(reply(2, STORY))
    call.at(call.now + 8)
    out = call.sound(8000)
    logged = next(e for e in events(out) if isinstance(e, ev.ReplyEvent))
    assert logged.ms == {
        "endpoint": 0.0,
        "recognise": 200.0,
        "understand": 3.0,
        "decide": 2.0,
        "voice": 8.0,
        "network": 7.0,
    }


def test_numbers_do_not_reach_the_log() -> None:
    call = OneCall().asked(QUESTION, expects="open_question")
    call.say("我的手机号是13812345678")
    call.at(call.now + 1500)
    texts = [getattr(e, "text", "") or "" for e in events(call.commands)]
    assert not any("13812345678" in text for text in texts)
    assert requests(call.commands)[-1].text == "我的手机号是13812345678"
