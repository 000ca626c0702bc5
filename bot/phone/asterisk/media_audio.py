"""Our frames (320 bytes, 8000 Hz, 20 ms) at a line's own PCM rate and frame length.

Live audio, so soxr's QQ (cubic, under a sample of delay at 8 kHz; nothing folds on the way up); where
the line is 8 kHz and its frames are 20 ms nothing is copied.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr

from bot.call.ports import FRAME_BYTES, SAMPLE_RATE_HZ


class Outgoing:
    """Our frames as PCM at the line's rate, in whole multiples of `unit` bytes.

    The few samples that the resampler first keeps back are made up for by silence before the first
    frame, so that each frame of 20 ms gives 20 ms.
    """

    def __init__(self, rate_hz: int, unit: int) -> None:
        self._resampler = _resampler(SAMPLE_RATE_HZ, rate_hz)
        self._per_frame = rate_hz // 50 * 2
        self._unit = unit
        self._rest = b""
        self._begun = self._resampler is None

    def feed(self, pcm: bytes) -> bytes:
        """What can be sent now; b"" where less than one unit is there."""
        if self._resampler is not None:
            expected = len(pcm) * self._per_frame // FRAME_BYTES
            pcm = _resample(self._resampler, pcm)
            if not self._begun:
                self._begun = True
                pcm = b"\0" * (expected - len(pcm)) + pcm
        if self._rest:
            pcm = self._rest + pcm
        over = len(pcm) % self._unit
        if not over:
            self._rest = b""
            return pcm
        self._rest = pcm[-over:]
        return pcm[:-over]

    def finish(self) -> bytes:
        """What was kept back, filled up with silence to one unit; b"" where nothing was."""
        rest, self._rest = self._rest, b""
        return rest + b"\0" * (self._unit - len(rest)) if rest else b""

    def clear(self) -> None:
        """Forget what was kept back."""
        self._rest = b""


def _resampler(from_hz: int, to_hz: int) -> Any:
    return None if from_hz == to_hz else soxr.ResampleStream(from_hz, to_hz, 1, dtype="int16", quality="QQ")


def _resample(stream: Any, pcm: bytes) -> bytes:
    return bytes(stream.resample_chunk(np.frombuffer(pcm, dtype="<i2")).tobytes())
