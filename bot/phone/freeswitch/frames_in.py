"""The module's binary messages as frames of 20 ms: mono or stereo, 8 or 16 kHz, any length.

mod_audio_fork sends what has gathered since its last turn, so a message may hold half a frame or
several.  Stereo is interleaved, left first.  Raises OddAudio for half a sample.  Signed 16-bit
little-endian in and out; out 8000 Hz, 320 bytes.
"""

from __future__ import annotations

import audioop
from typing import Literal

from bot.call.ports import AudioIn
from bot.phone.resampling import ToLine

Side = Literal["customer", "agent"]


class OddAudio(ValueError):
    """A message that does not hold whole samples."""


class FramesIn:
    """Cuts one socket's audio."""

    def __init__(self, *, rate_hz: int, stereo: bool, customer_left: bool = True) -> None:
        self._customer = ToLine(rate_hz)
        self._agent = ToLine(rate_hz) if stereo else None
        self._left, self._right = (1, 0) if customer_left else (0, 1)
        self._sample_bytes = 4 if stereo else 2

    def feed(self, message: bytes) -> list[AudioIn]:
        """The frames that a message completes; of stereo both sides in turn, the customer first."""
        if len(message) % self._sample_bytes:
            raise OddAudio(f"{len(message)} bytes of audio are not whole samples of {self._sample_bytes}")
        if not message:
            return []
        if self._agent is None:
            return [AudioIn(pcm) for pcm in self._customer.take(message)]
        customer = self._customer.take(audioop.tomono(message, 2, self._left, self._right))
        agent = self._agent.take(audioop.tomono(message, 2, self._right, self._left))
        return [
            side
            for heard, said in zip(customer, agent, strict=True)
            for side in (AudioIn(heard), AudioIn(said, "agent"))
        ]
