"""How much of a line was heard: monotonic, whole at its end, and true to a real voice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.call.pcm import duration_ms
from bot.call.spoken_time import moments, text_at, weights
from tests.speech.sounds import said

LINES = [
    "您好，请问是张先生吗？",
    "您用的彩铃每个月5块钱，一年就是60。现在一次交30块，就可以用一年，相当于为您节省30块钱。您需要办理吗？",
    "好的，马上给您办。先核对一下，您身份证后四位是多少？",
    "不想用了随时打客服热线就能退，没用完的按月退给您。",
]


@given(st.text("您好，。彩铃30块abc ", max_size=40), st.integers(0, 9000), st.integers(0, 9000))
def test_more_time_never_means_less_text_and_it_is_always_a_beginning(
    text: str, one: int, other: int
) -> None:
    early, late = text_at(text, min(one, other), 9000), text_at(text, max(one, other), 9000)
    assert text.startswith(late)
    assert late.startswith(early)


@given(st.text("您好，。彩铃30块abc ", min_size=1, max_size=40))
def test_nothing_is_heard_at_first_and_all_at_the_end(text: str) -> None:
    assert text_at(text, 9000, 9000) == text
    if any(c.isalnum() for c in text):
        assert text_at(text, 0, 9000) == ""
        assert moments(text, 9000)[-1] == 9000


def test_a_number_weighs_what_is_said_for_it() -> None:
    assert sum(weights("30")) == 2  # 三十
    assert sum(weights("128")) == 5  # 一百二十八
    assert sum(weights("0527")) == 4  # digit by digit
    assert sum(weights("12")) == 2  # 十二


@pytest.mark.parametrize("line", LINES)
def test_the_estimate_follows_a_real_voice(line: str) -> None:
    """At each comma or stop: the clause before it is really that long, within 12 % of the line."""
    total_ms = duration_ms(said(line))
    ends = moments(line, total_ms)
    for at, mark in enumerate(line[:-1]):
        if mark in "，。":
            really_ms = duration_ms(said(line[: at + 1]))
            assert abs(ends[at - 1] - really_ms) < 0.12 * total_ms


def test_a_number_or_a_latin_word_is_heard_whole_or_not_at_all() -> None:
    heard = {text_at("一次交128块,OK吗", ms, 3000) for ms in range(0, 3000, 10)}
    assert {"一次交", "一次交128"} <= heard
    assert not heard & {"一次交1", "一次交12", "一次交128块,O"}
