"""40 ms of sound → one pure tone, two at once, or none.

Most sound is dismissed without a spectrum: too quiet, or too peaked (a tone's peak is 1.4 times its
RMS, two tones' twice, speech's and noise's more).  The rest goes through one FFT of 320 samples
(25 Hz a bin, Hann window).  Some 10 µs a frame, 1 µs in silence.  Pure but for the frame in hand.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from bot.call.answering.parameters import AnsweringParameters
from bot.call.ports import FRAME_BYTES, FRAME_MS, SAMPLE_RATE_HZ

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # audioop-lts brings it back in 3.13
    import audioop

BLOCK_MS = 2 * FRAME_MS
_SIZE = SAMPLE_RATE_HZ * BLOCK_MS // 1000
_BIN_HZ = SAMPLE_RATE_HZ / _SIZE
_LOW, _HIGH = int(200 / _BIN_HZ), int(3600 / _BIN_HZ)
_LOBE = 2  # a Hann window spreads a line over its bin and two at each side
_WINDOW = np.hanning(_SIZE).astype(np.float32)
_SILENCE_DBFS = -96.0


@dataclass(frozen=True, slots=True)
class Block:
    """40 ms that ended at `at_ms`.  `hz`: its tone, 0 where there is none; `second_hz`: a second one's,
    the higher of two, 0 for one."""

    at_ms: int
    level_dbfs: float
    hz: float = 0.0
    second_hz: float = 0.0


class Tones:
    """Takes frames, gives a block for every second one."""

    def __init__(self, parameters: AnsweringParameters) -> None:
        self._p = parameters
        self._floor = 32768.0 * 10.0 ** (parameters.floor_dbfs / 20.0)
        self._before = b""

    def hear(self, pcm: bytes, at_ms: int) -> Block | None:
        """One frame of 320 bytes that ended at `at_ms`; longer or shorter ones are left out."""
        if len(pcm) != FRAME_BYTES:
            self._before = b""
            return None
        if not self._before:
            self._before = pcm
            return None
        sound, self._before = self._before + pcm, b""
        rms = audioop.rms(sound, 2)
        if rms < self._floor:
            return Block(at_ms, _dbfs(rms))
        low, high = audioop.minmax(sound, 2)
        if max(high, -low) > self._p.crest * rms:
            return Block(at_ms, _dbfs(rms))
        hz, second_hz = self._lines(sound)
        return Block(at_ms, _dbfs(rms), hz, second_hz)

    def _lines(self, sound: bytes) -> tuple[float, float]:
        """The frequencies of one line or two that hold nearly all the energy; zeros where none do."""
        spectrum = np.fft.rfft(np.frombuffer(sound, dtype="<i2") * _WINDOW)
        power = spectrum.real**2 + spectrum.imag**2
        power[:_LOW] = 0.0
        power[_HIGH:] = 0.0
        total = float(power.sum())
        if total <= 0.0:
            return 0.0, 0.0
        top = int(power.argmax())
        hz = _between(power[top - 1], power[top], power[top + 1], top)
        first = float(power[top - _LOBE : top + _LOBE + 1].sum())
        if first >= self._p.purity * total:
            return hz, 0.0
        power[top - _LOBE : top + _LOBE + 1] = 0.0
        other = int(power.argmax())
        second = float(power[max(0, other - _LOBE) : other + _LOBE + 1].sum())
        if second < self._p.second * first or first + second < self._p.purity * total:
            return 0.0, 0.0
        second_hz = _between(power[other - 1], power[other], power[other + 1], other)
        return min(hz, second_hz), max(hz, second_hz)


def _between(before: float, top: float, after: float, at: int) -> float:
    """The frequency of a line from its bin and the two beside it (parabola over the logarithms)."""
    a, b, c = (math.log(max(float(value), 1e-9)) for value in (before, top, after))
    bend = a - 2 * b + c
    shift = 0.5 * (a - c) / bend if bend < 0 else 0.0
    return (at + max(-0.5, min(0.5, shift))) * _BIN_HZ


def _dbfs(rms: int) -> float:
    return 20.0 * math.log10(rms / 32768.0) if rms else _SILENCE_DBFS
