"""Live sound of a far end at its own rate → frames of 20 ms at 8000 Hz.

soxr's QQ has next to no delay, but measured here it folds 5 kHz down to 3 kHz at 0 dB; its better
levels hold back 9-70 ms.  So a short low-pass of our own (windowed sinc, -6 dB at 3.8 kHz, -55 dB from
4.6 kHz on, 1.6 ms of delay) goes before QQ.  PCM signed 16-bit little-endian mono.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import soxr
from numpy.typing import NDArray

from bot.call.ports import FRAME_BYTES, SAMPLE_RATE_HZ

CUT_HZ = 3800
TRANSITION_HZ = 1000

Taps = NDArray[np.float32]


class ToLine:
    """One stream of sound; `take` as it comes."""

    def __init__(self, rate_hz: int) -> None:
        """`rate_hz`: from 8000 up."""
        if rate_hz < SAMPLE_RATE_HZ:
            raise ValueError(f"rate {rate_hz} Hz → {SAMPLE_RATE_HZ} or more")
        self._waiting = b""
        self._resampler = None
        if rate_hz != SAMPLE_RATE_HZ:
            self._taps = low_pass(rate_hz)
            self._past = np.zeros(len(self._taps) - 1, np.float32)
            self._resampler = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32", quality="QQ")

    def take(self, pcm: bytes) -> list[bytes]:
        """The frames that are whole now.  `pcm`: whole samples, any number of them."""
        if self._resampler is not None:
            pcm = self._resampled(pcm)
        if not self._waiting and len(pcm) == FRAME_BYTES:
            return [pcm]
        whole = self._waiting + pcm
        end = len(whole) // FRAME_BYTES * FRAME_BYTES
        self._waiting = whole[end:]
        return [whole[start : start + FRAME_BYTES] for start in range(0, end, FRAME_BYTES)]

    def _resampled(self, pcm: bytes) -> bytes:
        if not pcm:
            return b""
        assert self._resampler is not None
        sound = np.concatenate((self._past, np.frombuffer(pcm, "<i2").astype(np.float32)))
        self._past = sound[len(sound) - len(self._past) :]
        low = np.convolve(sound, self._taps, "valid").astype(np.float32)
        made = self._resampler.resample_chunk(low)
        return bytes(np.clip(np.rint(made), -32768, 32767).astype("<i2").tobytes())


@lru_cache(maxsize=16)
def low_pass(rate_hz: int) -> Taps:
    """Coefficients of the filter (Hamming window: 3.3 over the width of the transition)."""
    half = int(3.3 * rate_hz / TRANSITION_HZ) // 2
    place = np.arange(-half, half + 1)
    taps = np.sinc(2 * CUT_HZ / rate_hz * place) * np.hamming(2 * half + 1)
    return np.asarray(taps / taps.sum(), np.float32)
