"""The 20 ms path of one call: voice detection on what comes in, volume and position of what goes out.

Pure but for the detector's state: frames in, frames and findings out; whoever drives it owns the
clock.  PCM 16-bit little-endian mono, 8000 Hz, 320 bytes a frame.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from bot.call.parameters import Parameters
from bot.call.pcm import SILENT_FRAME
from bot.call.ports import FRAME_BYTES, FRAME_MS, VoiceDetector
from bot.call.signals import LineDone, PlaybackAt, PlaybackStarted, VoiceStarted, VoiceStopped


class VoiceGate:
    """Turns a detector's probabilities into starts and stops, with hysteresis."""

    def __init__(self, detector: VoiceDetector, parameters: Parameters) -> None:
        self._detector = detector
        self._p = parameters
        self._voice = False
        self._run_ms = 0  # how long the frames have spoken against the present state

    def feed(self, pcm: bytes, at_ms: int) -> VoiceStarted | VoiceStopped | None:
        """One frame that ended at `at_ms`; a finding where the state changes."""
        chance = self._detector.probability(pcm)
        against = chance < self._p.voice_off if self._voice else chance >= self._p.voice_on
        self._run_ms = self._run_ms + FRAME_MS if against else 0
        if self._run_ms < (self._p.voice_stop_ms if self._voice else self._p.voice_start_ms):
            return None
        since = max(0, at_ms - self._run_ms)
        self._voice, self._run_ms = not self._voice, 0
        if self._voice:
            return VoiceStarted(at_ms=at_ms, since_ms=since)
        return VoiceStopped(at_ms=at_ms, since_ms=since)


@dataclass(slots=True)
class _Row:
    play: int
    sounds: tuple[bytes, ...]
    line: int = 0
    offset: int = 0  # bytes of the line that were played
    begun: bool = False


class Speaker:
    """Gives the bot's next frame; knows which line is played, and how far."""

    def __init__(self, parameters: Parameters) -> None:
        self._low = 10.0 ** (parameters.duck_db / 20.0)
        self._rows: deque[_Row] = deque()
        self._gain = self._wanted = 1.0

    def play(self, play: int, sounds: tuple[bytes, ...]) -> None:
        """Queue lines' sounds.  Raises ValueError where one is not whole frames."""
        for number, sound in enumerate(sounds):
            if len(sound) % FRAME_BYTES:
                raise ValueError(
                    f"sound {number} has {len(sound)} bytes; it must be a multiple of {FRAME_BYTES}"
                )
        self._rows.append(_Row(play, sounds))

    def stop(self) -> None:
        """Nothing more of what was queued."""
        self._rows.clear()
        self._gain = self._wanted = 1.0

    def duck(self, low: bool) -> None:
        """Lower or raise the voice, from the next frame on."""
        self._wanted = self._low if low else 1.0

    @property
    def busy(self) -> bool:
        """Whether anything is queued or playing."""
        return bool(self._rows)

    def position(self, at_ms: int) -> PlaybackAt | None:
        """How far the present line was played; None where nothing plays."""
        row = self._rows[0] if self._rows else None
        if row is None or not row.begun:
            return None
        return PlaybackAt(at_ms=at_ms, play=row.play, line=row.line, heard_ms=_ms(row.offset))

    def frame(self, at_ms: int) -> tuple[bytes, list[PlaybackStarted | LineDone]]:
        """The frame to play from `at_ms` on, and what began or ended with it.

        A line is over when the frame after its last one is asked for: then its last was heard.
        """
        found: list[PlaybackStarted | LineDone] = []
        while self._rows:
            row = self._rows[0]
            if not row.begun:
                row.begun = True
                lengths = tuple(_ms(len(sound)) for sound in row.sounds)
                found.append(PlaybackStarted(at_ms=at_ms, play=row.play, line_ms=lengths))
            while row.line < len(row.sounds) and row.offset >= len(row.sounds[row.line]):
                found.append(LineDone(at_ms=at_ms, play=row.play, line=row.line))
                row.line, row.offset = row.line + 1, 0
            if row.line < len(row.sounds):
                pcm = row.sounds[row.line][row.offset : row.offset + FRAME_BYTES]
                row.offset += FRAME_BYTES
                return self._louder(pcm), found
            self._rows.popleft()
        return SILENT_FRAME, found

    def _louder(self, pcm: bytes) -> bytes:
        """The frame at the wanted volume; a change is spread over one frame, so that it does not click."""
        if self._gain == self._wanted == 1.0:
            return pcm
        samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
        ramp = np.linspace(self._gain, self._wanted, samples.size, dtype=np.float32)
        self._gain = self._wanted
        return (samples * ramp).astype("<i2").tobytes()


def _ms(size: int) -> int:
    return size // FRAME_BYTES * FRAME_MS
