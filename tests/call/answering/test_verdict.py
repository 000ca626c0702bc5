"""Who answered: one verdict at most, never against a living person, never from silence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.call.answering.kinds import PEOPLE
from bot.call.answering.parameters import AnsweringParameters
from bot.call.answering.verdict import Answering

SILENT = bytes(320)


class Line:
    """A far end by script: its words and voice on a clock of 20 ms frames."""

    def __init__(self) -> None:
        self.ear = Answering()
        self.now = 0

    def sound(self, ms: int, pcm: bytes = b"") -> Line:
        for number in range(ms // 20):
            self.now += 20
            self.ear.hear_frame(pcm[number * 320 : number * 320 + 320] or SILENT, self.now)
        return self

    def say(self, text: str, ms: int = 2000) -> Line:
        self.ear.voice(True, self.now)
        self.sound(ms)
        self.ear.voice(False, self.now)
        self.sound(200)
        self.ear.hear_words(text, True, self.now)
        return self

    def beep(self, hz: float = 1000.0, ms: int = 400) -> Line:
        wave = 4000 * np.sin(2 * np.pi * hz * np.arange(ms * 8) / 8000)
        return self.sound(ms, wave.astype("<i2").tobytes())

    @property
    def kind(self) -> str:
        return self.ear.verdict.kind if self.ear.verdict is not None else "none"


def test_an_announcement_is_told_after_a_pause() -> None:
    line = Line().say("您拨打的用户已关机，请稍后再拨")
    assert line.kind == "none"
    line.sound(1500)
    assert line.ear.verdict is not None
    assert (line.kind, line.ear.verdict.reason) == ("announcement", "powered_off")


def test_the_pause_is_for_a_joker() -> None:
    line = Line().say("您拨打的用户已关机，请稍后再拨").sound(600).say("哈哈骗你的", 800).sound(40_000)
    assert line.kind in PEOPLE


def test_a_joker_who_repeats_himself_is_not_dropped() -> None:
    line = Line().say("您拨打的用户正在通话中您拨打的用户正在通话中哈哈哈").sound(40_000)
    assert line.kind in PEOPLE


def test_an_announcement_in_two_languages_is_told_at_once() -> None:
    line = Line().say("您拨打的用户已关机，请稍后再拨")
    line.say("sorry the subscriber you dialed is powered off please redial later")
    assert line.kind == "announcement"


def test_an_announcement_that_never_ends_is_told() -> None:
    line = Line()
    line.ear.voice(True, 0)
    line.ear.hear_words("您拨打的用户已关机", False, 20)
    assert line.sound(6000).kind == "announcement"


def test_a_greeting_and_its_beep_are_a_machine_that_records_from_there() -> None:
    line = Line().say("您好我现在不在请在嘟声后留言", 3000).sound(300)
    begun = line.now
    line.beep().sound(1000)
    assert line.kind == "machine"
    assert line.ear.beep_ms is not None and abs(line.ear.beep_ms - begun - 400) <= 60


def test_a_beep_that_comes_after_the_verdict_is_still_told() -> None:
    line = Line().say("at the tone please record your message when you have finished recording hang up")
    line.sound(2500)
    assert line.kind == "machine" and line.ear.beep_ms is None and line.ear.listening
    line.beep().sound(400)
    assert line.ear.beep_ms is not None and not line.ear.listening


def test_long_speech_without_any_words_and_a_beep_are_only_likely_a_machine() -> None:
    line = Line()
    line.ear.voice(True, 0)
    line.sound(5000)
    line.ear.voice(False, 5000)
    line.sound(500).beep().sound(4000)
    assert line.kind == "beep"
    assert line.ear.verdict is not None and line.ear.verdict.confidence < 0.8


def test_a_beep_in_a_persons_kitchen_means_nothing() -> None:
    line = Line().say("上次你说的事情我问过了月底之前都可以办", 5000).sound(300).beep().sound(40_000)
    assert line.kind in PEOPLE


def test_who_speaks_on_after_a_beep_is_no_machine() -> None:
    line = Line()
    line.ear.voice(True, 0)
    line.sound(5000)
    line.ear.voice(False, 5000)
    line.sound(300).beep().sound(800)
    line.ear.voice(True, line.now)
    assert line.sound(20_000).kind == "none"


def test_hello_then_waiting_is_a_person() -> None:
    assert Line().say("喂你好", 800).sound(6000).kind == "person"


def test_a_receptionist_is_a_person() -> None:
    line = Line().say("您好这里是华宁公司很高兴为您服务请讲", 4500).sound(3000).say("您好请讲", 800)
    assert line.sound(40_000).kind in PEOPLE


def test_a_call_that_is_being_forwarded_waits_for_a_person() -> None:
    line = Line().say("您的呼叫正在转接请稍候").sound(8000)
    assert line.kind == "none"
    assert line.say("喂你好", 600).sound(40_000).kind in PEOPLE


def test_nothing_withdraws_a_verdict() -> None:
    line = Line().say("您拨打的号码是空号请核对后再拨").sound(2000)
    first = line.ear.verdict
    assert first is not None
    line.say("喂你好").beep().sound(3000)
    assert line.ear.verdict is first


def test_words_beside_a_busy_tone_are_a_person() -> None:
    cycle = np.r_[4000 * np.sin(2 * np.pi * 450 * np.arange(2800) / 8000), np.zeros(2800)]
    pcm = np.tile(cycle, 8).astype("<i2").tobytes()
    assert Line().sound(5600, pcm).kind == "busy_tone"
    spoken = Line()
    for second in range(5):
        spoken.ear.hear_words("喂你等一下" * (second + 1), False, spoken.now)
        spoken.sound(1000, pcm[second * 16_000 :])
    assert spoken.kind == "none"


def test_what_nobody_can_tell_is_unknown_in_the_end() -> None:
    line = Line()
    line.ear.voice(True, 0)
    assert line.sound(AnsweringParameters().horizon_ms + 200).kind == "unknown"


@given(st.integers(0, 4000), st.booleans())
@settings(max_examples=20, deadline=None)
def test_digital_silence_is_never_judged(frames: int, tones: bool) -> None:
    ear = Answering(tones=tones)
    for number in range(frames):
        ear.hear_frame(SILENT, number * 20)
    assert ear.verdict is None


WORDS = st.sampled_from(
    ["喂", "您拨打的用户已关机", "请在嘟声后留言", "哈哈", "", " ", "at the tone", "\ud800", "请稍候"]
)
STEPS = st.one_of(
    st.tuples(st.just("frame"), st.binary(max_size=700)),
    st.tuples(st.just("noise"), st.integers(0, 2**32 - 1)),
    st.tuples(st.just("words"), WORDS, st.booleans()),
    st.tuples(st.just("voice"), st.booleans()),
    st.tuples(st.just("wait"), st.integers(-3000, 40_000)),
)


@given(st.lists(STEPS, max_size=60))
@settings(deadline=None)
def test_anything_may_come_and_there_is_one_verdict_at_most(steps: Sequence[tuple[object, ...]]) -> None:
    ear, now, verdicts = Answering(), 0, set()
    for step in steps:
        match step:
            case ("frame", bytes(pcm)):
                ear.hear_frame(pcm, now)
            case ("noise", int(seed)):
                noise = np.random.default_rng(seed).normal(0, 3000, 160).astype("<i2").tobytes()
                for _ in range(6):
                    ear.hear_frame(noise, now)
            case ("words", str(text), bool(final)):
                ear.hear_words(text, final, now)
            case ("voice", bool(started)):
                ear.voice(started, now)
            case ("wait", int(ms)):
                now += ms
        now += 20
        if ear.verdict is not None:
            verdicts.add(id(ear.verdict))
    assert len(verdicts) <= 1


@pytest.mark.parametrize("field", ["certain", "confirm_ms", "busy_cycles"])
def test_parameters_that_cannot_be_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        AnsweringParameters(**{field: -1})
