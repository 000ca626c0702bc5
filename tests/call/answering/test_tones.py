"""Tones by their own definitions: what a generator sends is known, what people and music do is not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.call.answering.cadence import Cadence, Signal
from bot.call.answering.parameters import AnsweringParameters
from bot.call.answering.tones import Tones

Sound = NDArray[np.float64]
P = AnsweringParameters()


def sine(ms: int, *hz: float, level: float = 4000.0) -> Sound:
    time = np.arange(ms * 8) / 8000
    return level * sum((np.sin(2 * np.pi * f * time) for f in hz), np.zeros(time.size))


def quiet(ms: int) -> Sound:
    return np.zeros(ms * 8)


def signals(*parts: Sound, noise: float = 20.0) -> list[Signal]:
    sound = np.concatenate([*parts, quiet(1000)])
    sound = sound + np.random.default_rng(1).normal(0, noise, sound.size)
    pcm = np.clip(sound, -32768, 32767).astype("<i2").tobytes()
    tones, cadence, found = Tones(P), Cadence(P), []
    for at in range(320, len(pcm) + 1, 320):
        block = tones.hear(pcm[at - 320 : at], at // 16)
        signal = cadence.hear(block) if block is not None else None
        if signal is not None:
            found.append(signal)
    return found


@pytest.mark.parametrize("hz", [600, 700, 850, 1000, 1100])
@pytest.mark.parametrize("ms", [200, 400, 1000])
def test_a_beep_is_known_with_its_end(hz: float, ms: int) -> None:
    (found,) = signals(quiet(500), sine(ms, hz))
    assert found.what == "beep"
    assert abs(found.end_ms - 500 - ms) <= 60


@pytest.mark.parametrize("level", [300.0, 1000.0, 30_000.0])
def test_a_beep_is_known_at_any_level(level: float) -> None:
    assert [s.what for s in signals(quiet(300), sine(400, 1000, level=level), noise=level / 30)] == ["beep"]


@pytest.mark.parametrize(
    ("hz", "lengths", "reason"),
    [
        ((985.2, 1370.6, 1776.7), (380, 274, 380), "invalid_number"),
        ((913.8, 1370.6, 1776.7), (274, 274, 380), "invalid_number"),
        ((985.2, 1428.5, 1776.7), (380, 380, 380), "unreachable"),
        ((913.8, 1428.5, 1776.7), (274, 380, 380), "unreachable"),
        ((950.0, 1400.0, 1800.0), (330, 330, 330), "unspecified"),
    ],
)
def test_special_information_tones_tell_their_reason(
    hz: tuple[float, ...], lengths: tuple[int, ...], reason: str
) -> None:
    found = signals(quiet(300), *(sine(ms, f) for ms, f in zip(lengths, hz, strict=True)))
    assert [s.reason for s in found if s.what == "sit"] == [reason]


def test_falling_tones_are_no_special_information_tones() -> None:
    found = signals(quiet(300), sine(330, 1800), sine(330, 1400), sine(330, 950))
    assert not [s for s in found if s.what == "sit"]


@pytest.mark.parametrize(
    ("on", "off", "hz"),
    [
        (350, 350, (450.0,)),
        (700, 700, (450.0,)),
        (500, 500, (425.0,)),
        (500, 500, (480.0, 620.0)),
        (250, 250, (480.0, 620.0)),
    ],
)
def test_busy_tones_of_china_europe_and_america_are_known(on: int, off: int, hz: tuple[float, ...]) -> None:
    cycles = [part for _ in range(8) for part in (sine(on, *hz), quiet(off))]
    assert "busy" in {s.what for s in signals(quiet(300), *cycles)}


@pytest.mark.parametrize(
    ("on", "off", "hz"),
    [(1000, 4000, (450.0,)), (2000, 4000, (440.0, 480.0)), (400, 4000, (450.0,)), (350, 350, (1000.0,))],
)
def test_ringback_call_waiting_and_other_beeps_are_no_busy_tone(
    on: int, off: int, hz: tuple[float, ...]
) -> None:
    cycles = [part for _ in range(8) for part in (sine(on, *hz), quiet(off))]
    assert "busy" not in {s.what for s in signals(*cycles)}


def test_unequal_notes_are_no_busy_tone() -> None:
    lengths = (250, 500, 250, 750, 250, 500, 250, 750)
    assert not signals(*(part for ms in lengths for part in (sine(ms, 440), quiet(ms))))


def test_a_fax_is_known_by_its_answer() -> None:
    assert signals(quiet(300), sine(2600, 2100))[0].what == "fax"


@pytest.mark.parametrize("keys", [(697, 1209), (770, 1336), (852, 1477), (941, 1336)])
def test_keys_are_no_beep(keys: tuple[float, float]) -> None:
    assert signals(quiet(300), sine(200, *keys)) == []


def test_a_whistle_that_wanders_is_no_beep() -> None:
    hz = 1000 + 25 * np.sin(2 * np.pi * 3 * np.arange(8000) / 8000)
    whistle = 4000 * np.sin(2 * np.pi * np.cumsum(hz) / 8000)
    assert signals(quiet(300), whistle) == []


def test_notes_on_each_others_heels_are_at_most_one_beep() -> None:
    notes = [sine(300, f) for f in (700, 800, 900, 1000, 800, 700)]
    assert len(signals(quiet(300), *notes)) <= 1


@pytest.mark.parametrize("noise", [0.0, 30.0, 3000.0])
def test_noise_and_silence_hold_no_tone(noise: float) -> None:
    assert signals(quiet(5000), noise=noise) == []


def test_frames_of_other_lengths_are_left_out() -> None:
    tones = Tones(P)
    assert [tones.hear(bytes(size), 20) for size in (0, 1, 319, 321, 1_000_000)] == [None] * 5
