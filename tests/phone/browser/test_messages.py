"""What a page may say, and its sound as frames: whatever comes, and however it is cut."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.phone.browser.allowance import Allowance
from bot.phone.browser.messages import PageFault, PageSays, decode_hello, decode_says, typed_line
from bot.phone.resampling import ToLine
from tests.phone.browser.peer import tone

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
KEYS = st.sampled_from(["say", "digit", "played", "answer", "hang_up", "kind", "ticket", "sample_rate"])


@given(st.text() | st.binary() | JSON.map(json.dumps) | st.dictionaries(KEYS, JSON).map(json.dumps))
def test_any_message_is_understood_whole_or_refused(message: str | bytes) -> None:
    try:
        said = decode_says(message)
    except PageFault:
        return
    there = [said.say is not None, said.digit is not None, said.played is not None, said.answer, said.hang_up]
    assert there.count(True) == 1


@given(st.text() | st.binary() | st.dictionaries(KEYS, JSON).map(json.dumps))
def test_any_first_message_is_a_hello_or_refused(message: str | bytes) -> None:
    try:
        hello = decode_hello(message)
    except PageFault:
        return
    assert hello.kind in ("talk", "softphone") and hello.sample_rate in (8000, 16000, 24000, 44100, 48000)


@given(st.text(max_size=1000))
def test_a_typed_line_keeps_its_words_and_loses_what_is_no_writing(text: str) -> None:
    message = json.dumps({"say": text})
    said = decode_says(message)
    assert said == PageSays(say=text)
    line = typed_line(text)
    assert not set(line) & set("\0\n\x1b\u200f\u202e\u2066\ufeff")
    assert line == line.strip() and typed_line(line) == line


@given(
    st.lists(st.integers(min_value=1, max_value=1500), min_size=1, max_size=40),
    st.sampled_from([8000, 48000]),
)
def test_sound_is_the_same_however_it_is_cut(cuts: list[int], rate: int) -> None:
    sound = tone(700, rate, 200)
    whole = b"".join(ToLine(rate).take(sound))
    line, start, made = ToLine(rate), 0, b""
    for cut in [*cuts, len(sound)]:
        made += b"".join(line.take(sound[start * 2 : (start + cut) * 2]))
        start += cut
    assert made == whole
    assert len(whole) % 320 == 0 and len(whole) >= 8 * 320


def test_an_allowance_refills_with_time_up_to_its_burst() -> None:
    left = Allowance("messages", a_second=10, burst=20, now_s=0)
    left.use(20, 0)
    with pytest.raises(PageFault, match="10 a second"):
        left.use(1, 0.05)
    left.use(9, 1.0)
    left.use(20, 100.0)
    with pytest.raises(PageFault):
        left.use(1, 100.0)


def test_a_rate_below_the_lines_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="8000"):
        ToLine(4000)
