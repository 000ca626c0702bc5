"""Frames are whole, levels are right, byte streams of any cut give the same frames."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.call import pcm
from bot.call.ports import FRAME_BYTES
from bot.phone import codecs


@given(st.binary(max_size=4000), st.lists(st.integers(1, 700), max_size=20))
def test_a_byte_stream_gives_the_same_frames_however_it_is_cut(data: bytes, cuts: list[int]) -> None:
    framer, got, at = pcm.Framer(), [], 0
    for size in cuts:
        got += framer.push(data[at : at + size])
        at += size
    got += framer.push(data[at:])
    assert all(len(frame) == FRAME_BYTES for frame in got)
    assert b"".join(got) == data[: len(data) // FRAME_BYTES * FRAME_BYTES]


@given(st.binary(max_size=3000))
def test_padding_gives_whole_frames_and_keeps_the_sound(data: bytes) -> None:
    padded = pcm.pad_to_frames(data)
    assert len(padded) % FRAME_BYTES == 0
    even = len(data) // 2 * 2
    assert padded[:even] == data[:even]
    assert not any(padded[even:])


def test_a_full_scale_square_wave_is_0_dbfs_and_half_is_6_less() -> None:
    wave = np.resize(np.array([32767, -32767]), 800)
    assert pcm.level_dbfs(pcm.pcm_of(wave)) == pytest.approx(0, abs=0.01)
    assert pcm.level_dbfs(pcm.gain(pcm.pcm_of(wave), -6.0)) == pytest.approx(-6, abs=0.05)


def test_trim_takes_the_quiet_ends_only() -> None:
    tone = pcm.pcm_of(np.sin(np.arange(1600) * 0.5) * 8000)
    whole = pcm.silence(300) + tone + pcm.silence(100) + tone + pcm.silence(200)
    assert abs(pcm.duration_ms(pcm.trim(whole)) - 500) <= 60
    assert pcm.trim(pcm.silence(200)) == b""


def test_mixing_clips_and_does_not_wrap() -> None:
    loud = pcm.pcm_of(np.full(160, 30000))
    assert set(pcm.samples_of(pcm.mix(loud, loud))) == {32767}


@pytest.mark.parametrize("codec", ["alaw", "ulaw"])
def test_g711_halves_the_bytes_and_keeps_a_voice_within_its_noise(codec: str) -> None:
    encode, decode = getattr(codecs, f"pcm_to_{codec}"), getattr(codecs, f"{codec}_to_pcm")
    tone = pcm.pcm_of(np.sin(np.arange(1600) * 0.3) * 8000)
    back = decode(encode(tone))
    assert len(encode(tone)) == 1600
    error = pcm.samples_of(back).astype(float) - pcm.samples_of(tone)
    assert pcm.level_dbfs(pcm.pcm_of(error)) < pcm.level_dbfs(tone) - 35  # G.711: some 38 dB


def test_g711_drops_half_a_sample() -> None:
    assert len(codecs.pcm_to_alaw(b"\0" * 321)) == 160
