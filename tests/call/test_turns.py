"""When a turn ends, and who has the floor: the pure rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.call.parameters import Parameters
from bot.call.turns import Floor, Hearing, asked_now, floor, turn_ends_ms

P = Parameters()


def hearing(
    text: str = "好的",
    *,
    voice: bool = False,
    quiet: int | None = 1000,
    words: int = 1200,
    slow: bool = False,
) -> Hearing:
    return Hearing(text, voice, quiet, words, slow)


def test_a_complete_text_ends_the_turn_when_the_last_word_can_be_there() -> None:
    assert turn_ends_ms(hearing(), 0.97, "offer", P) == 1000 + P.complete_ms


def test_a_word_that_may_still_be_on_its_way_is_waited_for() -> None:
    assert turn_ends_ms(hearing(words=900), 0.97, "offer", P) > 1000 + P.words_lag_ms


def test_a_slow_speaker_gets_more_time_but_a_plain_yes_does_not() -> None:
    for done, more in ((0.97, 0), (0.9, 0), (0.05, P.slow_extra_ms)):
        quick = turn_ends_ms(hearing(), done, "offer", P)
        assert turn_ends_ms(hearing(slow=True), done, "offer", P) == quick + more


@given(st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_the_less_complete_the_longer_the_wait(one: float, other: float, slow: bool) -> None:
    low, high = sorted((one, other))
    assert turn_ends_ms(hearing(slow=slow), low, "offer", P) >= turn_ends_ms(
        hearing(slow=slow), high, "offer", P
    )


def test_a_voice_that_never_stops_does_not_hold_a_turn_for_ever() -> None:
    assert turn_ends_ms(hearing(voice=True), 0.97, "offer", P) < 1200 + 3000


def test_words_without_a_detected_voice_end_by_their_own_rhythm() -> None:
    assert turn_ends_ms(hearing(quiet=None), 0.97, "offer", P) == 1200 + P.settle_ms


def test_a_question_can_be_answered_once_it_was_heard() -> None:
    assert asked_now("offer", 4000, P) == "none"
    assert asked_now("offer", 300, P) == "yes_no"
    assert asked_now("time", None, P) == "open"
    assert asked_now("pitch", None, P) == "none"


@pytest.mark.parametrize(
    ("text", "voice", "now", "verdict"),
    [
        ("", True, 1100, Floor.WAIT),
        ("", True, 900 + P.noise_ms, Floor.RAISE),
        ("", False, 1100, Floor.WAIT),
        ("", False, 1000 + P.raise_ms, Floor.RAISE),
        ("嗯嗯", True, 1300, Floor.WAIT),
        ("嗯嗯", False, 1200 + P.settle_ms, Floor.RAISE),
        ("等一下", True, 1200, Floor.STOP),
        ("不", True, 1250, Floor.WAIT),
        ("不", True, 1200 + P.settle_ms, Floor.STOP),
    ],
)
def test_the_floor(text: str, voice: bool, now: int, verdict: Floor) -> None:
    assert floor(hearing(text, voice=voice), "这次是个优惠", "none", now, 900, P) is verdict


def test_parameters_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="voice_off"):
        Parameters(voice_on=0.3, voice_off=0.6)
    with pytest.raises(ValueError, match="filler_ms"):
        Parameters(filler_ms=20_000)
    with pytest.raises(ValueError, match="must not be negative"):
        Parameters(silence_ms=-1)
