"""Recordings: both sides where they belong in time, whole after a crash, in constant memory."""

from __future__ import annotations

import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.call.pcm import pcm_of
from bot.call.recorder import Recorder, safe_name


def frame(value: int) -> bytes:
    return pcm_of(np.full(160, value))


def tracks(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with wave.open(str(path)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (2, 2, 8000)
        both = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2").reshape(-1, 2)
    return both[:, 0], both[:, 1]


def test_the_customer_is_left_the_bot_is_right_each_at_its_time(tmp_path: Path) -> None:
    with Recorder(tmp_path, "call-1") as recorder:
        for at_ms in range(0, 6000, 20):
            recorder.customer(frame(1000), at_ms)
            if 2000 <= at_ms < 3000:
                recorder.bot(frame(-2000), at_ms)
    left, right = tracks(tmp_path / "call-1.wav")
    assert len(left) == 6000 * 8
    assert (left == 1000).all()
    assert (np.flatnonzero(right)[[0, -1]] == (16000, 23999)).all()
    assert set(right[16000:24000]) == {-2000}


def test_late_and_early_frames_follow_each_other_without_gaps(tmp_path: Path) -> None:
    with Recorder(tmp_path, "jitter") as recorder:
        for number in range(100):
            recorder.customer(frame(500), number * 20 + (35 if number % 3 == 0 else 0))
    left, _ = tracks(tmp_path / "jitter.wav")
    assert abs(len(left) - 16000) <= 35 * 8
    assert (left[400:] == 500).all()


def test_a_lost_second_is_silence_and_what_follows_is_in_its_place(tmp_path: Path) -> None:
    with Recorder(tmp_path, "gap") as recorder:
        recorder.customer(frame(7), 0)
        recorder.customer(frame(9), 5000)
    left, right = tracks(tmp_path / "gap.wav")
    assert set(left[:160]) == {7}
    assert set(left[160:40000]) == {0}
    assert set(left[40000:]) == {9}
    assert not right.any()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3000), st.integers(0, 330)), max_size=60))
def test_any_frames_in_any_order_leave_a_sound_file(
    tmp_path_factory: pytest.TempPathFactory, given_frames: list
) -> None:
    folder = tmp_path_factory.mktemp("any")
    with Recorder(folder, "x") as recorder:
        for is_bot, at_ms, size in given_frames:
            (recorder.bot if is_bot else recorder.customer)(b"\x01" * size, at_ms)
    left, right = tracks(folder / "x.wav")
    assert len(left) == len(right)


def test_a_file_that_was_never_closed_plays_to_within_a_second(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "killed")
    for at_ms in range(0, 10_000, 20):
        recorder.customer(frame(3), at_ms)
        recorder.bot(frame(4), at_ms)
    (size,) = struct.unpack("<I", recorder.path.read_bytes()[40:44])
    left, _ = tracks(recorder.path)
    assert len(left) * 4 == size
    assert len(left) >= 8.8 * 8000
    recorder.close()


def test_memory_does_not_grow_while_one_side_is_silent(tmp_path: Path) -> None:
    with Recorder(tmp_path, "long") as recorder:
        for at_ms in range(0, 600_000, 20):
            recorder.customer(frame(1), at_ms)
            assert recorder._sides[0].end - recorder._sides[0].begin <= 8000 * 2


def test_closing_twice_and_frames_after_it_do_no_harm(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "closed")
    recorder.close()
    recorder.customer(frame(1), 0)
    recorder.close()
    assert recorder.path.stat().st_size == 44


@pytest.mark.parametrize("call_id", ["../../etc/passwd", "call 1", "张先生", "out-13800138000", ""])
def test_file_names_hold_no_path_and_no_person(tmp_path: Path, call_id: str) -> None:
    name = safe_name(call_id)
    assert name.isalnum()
    assert name.isascii()
    assert safe_name(call_id) == name
    assert call_id == "" or call_id not in name
