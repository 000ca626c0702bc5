"""Voice detection for all calls of a process at once: silero in one run for all, some 60 µs a window.

The network, its rate and its windows are those of vad_silero; run for one alone a window takes twice
as long.
Frames of quiet do not reach it (vad_levels).  Interface: the VoiceDetection port.
"""

from __future__ import annotations

import audioop
from collections.abc import Callable
from typing import Any

import numpy as np

from bot.call.ports import SAMPLE_RATE_HZ
from bot.speech.vad_levels import Levels
from bot.speech.vad_silero import CONTEXT, MODEL_HZ, WINDOW_MS, silero_session

WINDOW_BYTES = SAMPLE_RATE_HZ * WINDOW_MS // 1000 * 2
_STATE = (2, 128)


class SileroDetection:
    """Streams of many calls.  Raises SpeechError, naming the remedy, where the model is not there."""

    def __init__(self) -> None:
        self._session: Any = silero_session()
        self._rate = np.array(MODEL_HZ, dtype=np.int64)
        self._fed: list[_Stream] = []

    def open(self, found: Callable[[float], None]) -> _Stream:
        """A call's stream; `found` is told the chance of a voice once a frame."""
        return _Stream(found, self._fed)

    def run(self) -> None:
        """Look at all that was fed since; tells every stream that was fed."""
        if not self._fed:
            return
        fed, self._fed[:] = list(self._fed), []
        ready = [stream for stream in fed if len(stream.waiting) >= WINDOW_BYTES]
        while ready:
            self._windows(ready)
            ready = [stream for stream in ready if len(stream.waiting) >= WINDOW_BYTES]
        for stream in fed:
            frames, stream.frames = stream.frames, 0
            for _ in range(frames):
                if stream.open:
                    stream.found(0.0 if stream.levels.hushed else stream.chance)

    def _windows(self, streams: list[_Stream]) -> None:
        """One window of each of these."""
        raw = b"".join([stream.waiting[:WINDOW_BYTES] for stream in streams])
        sound = np.frombuffer(raw, dtype="<i2").reshape(len(streams), -1).astype(np.float32)
        sound *= np.float32(1 / 32768)
        sound = np.repeat(sound, MODEL_HZ // SAMPLE_RATE_HZ, axis=1)
        context = np.stack([stream.context for stream in streams])
        state = np.stack([stream.state for stream in streams], axis=1)
        chances, state = self._session.run(
            None, {"input": np.concatenate((context, sound), axis=1), "state": state, "sr": self._rate}
        )
        for number, stream in enumerate(streams):
            del stream.waiting[:WINDOW_BYTES]
            stream.context = sound[number, -CONTEXT:]
            stream.state = state[:, number]
            stream.chance = float(chances[number, 0])


class _Stream:
    """One call's sound on its way to the network, and what the network remembers of it."""

    __slots__ = ("_fed", "chance", "context", "found", "frames", "levels", "open", "state", "waiting")

    def __init__(self, found: Callable[[float], None], fed: list[_Stream]) -> None:
        self.found = found
        self.open = True
        self.frames = 0
        self.levels = Levels()
        self.state = np.zeros(_STATE, dtype=np.float32)
        self._fed = fed
        self._rest()

    def _rest(self) -> None:
        """Quiet follows: the network's state stays, for one that begins anew hears late."""
        self.chance = 0.0
        self.waiting = bytearray()
        self.context = np.zeros(CONTEXT, dtype=np.float32)

    def feed(self, pcm: bytes) -> None:
        """20 ms of audio; half a sample at its end is dropped."""
        if not self.open:
            return
        whole = pcm if len(pcm) % 2 == 0 else pcm[:-1]
        if self.levels.hear(audioop.rms(whole, 2)):
            self._rest()
        if self.levels.resting:
            if self.frames:
                self.frames += 1
            else:
                self.found(0.0)
            return
        self.waiting += whole
        self.frames += 1
        if self.frames == 1:
            self._fed.append(self)

    def close(self) -> None:
        """Nothing more is found; idempotent."""
        self.open = False
