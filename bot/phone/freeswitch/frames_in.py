"""The module's binary messages as frames of 20 ms: mono or stereo, 8 or 16 kHz, any length.

mod_audio_fork sends what has gathered since its last turn, so a message may hold half a frame or
several.  Stereo is interleaved, left first.  Raises OddAudio for half a sample.  Signed 16-bit
little-endian in and out; out 8000 Hz, 320 bytes.
"""

from __future__ import annotations

import audioop
from typing import Literal

import numpy as np
import soxr

from bot.call.ports import FRAME_BYTES, SAMPLE_RATE_HZ, AudioIn

Side = Literal["customer", "agent"]


class OddAudio(ValueError):
    """A message that does not hold whole samples."""


class _Track:
    """One side: samples in, whole frames out."""

    def __init__(self, rate_hz: int) -> None:
        self._rest = b""
        self._resample = (
            soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="int16", quality="QQ")
            if rate_hz != SAMPLE_RATE_HZ
            else None
        )

    def frames(self, pcm: bytes) -> list[bytes]:
        if self._resample is not None:
            pcm = self._resample.resample_chunk(np.frombuffer(pcm, dtype="<i2")).tobytes()
        if not self._rest and len(pcm) == FRAME_BYTES:
            return [pcm]
        pcm = self._rest + pcm
        whole = len(pcm) // FRAME_BYTES * FRAME_BYTES
        self._rest = pcm[whole:]
        return [pcm[at : at + FRAME_BYTES] for at in range(0, whole, FRAME_BYTES)]


class FramesIn:
    """Cuts one socket's audio."""

    def __init__(self, *, rate_hz: int, stereo: bool, customer_left: bool = True) -> None:
        self._customer = _Track(rate_hz)
        self._agent = _Track(rate_hz) if stereo else None
        self._left, self._right = (1, 0) if customer_left else (0, 1)
        self._sample_bytes = 4 if stereo else 2

    def feed(self, message: bytes) -> list[AudioIn]:
        """The frames that a message completes; of stereo both sides in turn, the customer first."""
        if len(message) % self._sample_bytes:
            raise OddAudio(f"{len(message)} bytes of audio are not whole samples of {self._sample_bytes}")
        if not message:
            return []
        if self._agent is None:
            return [AudioIn(pcm) for pcm in self._customer.frames(message)]
        customer = self._customer.frames(audioop.tomono(message, 2, self._left, self._right))
        agent = self._agent.frames(audioop.tomono(message, 2, self._right, self._left))
        return [
            side
            for heard, said in zip(customer, agent, strict=True)
            for side in (AudioIn(heard), AudioIn(said, "agent"))
        ]
