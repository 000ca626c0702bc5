"""What the benchmarks' callers say and measure: words in order, a lowered voice found where it is lowered."""

from __future__ import annotations

import audioop
from random import Random
from types import SimpleNamespace

import pytest

from benchmarks import _talks as talks
from benchmarks._play_out import PlayOut
from benchmarks._turns_of_callers import Answers, Prompt, Utterance, decided_s, prompt_of, speech_of
from benchmarks._twilio_caller import Spoken
from benchmarks._versus_configs import QUESTIONS, story
from bot.call.pcm import frames


@pytest.fixture(scope="module")
def told() -> Prompt:
    return story()


def _played(told: Prompt, lowered_from_s: float, gain: float = 1.0) -> PlayOut:
    """The story from second 100 on, at a quarter of its level from a moment on."""
    played = PlayOut()
    for number, frame in enumerate(frames(told.pcm)):
        at = 100.0 + number * 0.02
        level = gain * (0.25 if at >= lowered_from_s else 1.0)
        played.arrive(audioop.lin2ulaw(audioop.mul(frame, 2, level), 2), at)
        if at > 108.5:
            break
    played.advance(200.0)
    return played


@pytest.mark.parametrize("gain", [1.0, 0.6])
@pytest.mark.parametrize("onset_s", [103.003, 105.0, 107.49])
def test_a_lowered_voice_is_found_within_three_frames(told: Prompt, onset_s: float, gain: float):
    caller = SimpleNamespace(play_out=_played(told, onset_s + 0.1, gain))
    found = talks.lowered_s(caller, told, Spoken(onset_s, onset_s + 1.0), None)
    assert found is not None and 0.0999 <= found - onset_s <= 0.16


def test_a_voice_that_stays_is_not_lowered(told: Prompt):
    caller = SimpleNamespace(play_out=_played(told, 1e9))
    assert talks.lowered_s(caller, told, Spoken(105.0, 106.0), None) is None


def test_a_voice_that_stops_is_lowered_when_it_stops(told: Prompt):
    caller = SimpleNamespace(play_out=_played(told, 1e9))
    assert talks.lowered_s(caller, told, Spoken(105.0, 106.0), 105.4) == 105.4


def test_the_story_has_no_pause_that_a_stop_could_be_taken_for(told: Prompt):
    assert told.longest_pause_s < talks.STOPPED_S / 2


def test_questions_are_told_apart_by_their_lengths_and_pause_less_than_callers_wait():
    prompts = [prompt_of(text, expects) for expects, text in QUESTIONS.items()]
    assert len({prompt.sound_s for prompt in prompts}) == len(prompts)
    assert all(prompt.longest_pause_s < talks.QUIET_S for prompt in prompts)


def test_words_grow_in_order_and_end_with_a_final_at_each_pause():
    speech = speech_of(["我的意思是", "能不能取消"], [800])
    assert [text for _, text, final in speech.words if final] == ["我的意思是", "能不能取消"]
    assert [at for at, _, _ in speech.words] == sorted(at for at, _, _ in speech.words)
    assert speech.words[-1][0] == pytest.approx(speech.sound_s + 0.2)
    assert decided_s(speech, "我的意思是能不") < speech.words[-1][0]


def test_english_stretches_are_joined_with_a_space():
    assert speech_of(["mostly the price", "I guess"], [300]).text == "mostly the price I guess"


def test_one_turn_in_five_pauses_where_it_can():
    answers = Answers([Utterance("offer", ("好的", "你办吧")), Utterance("offer", ("行",))], Random(1))
    paused = sum(answers.to("offer")[1] for _ in range(200))
    assert 25 <= paused <= 55
