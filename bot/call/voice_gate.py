"""From the chance of a voice in each 20 ms frame to the start and the stop of a voice.  Pure."""

from __future__ import annotations

from bot.call.parameters import Parameters
from bot.call.ports import FRAME_MS
from bot.call.signals import VoiceStarted, VoiceStopped


class VoiceGate:
    """Turns a detector's chances into starts and stops, with hysteresis."""

    def __init__(self, parameters: Parameters) -> None:
        self._p = parameters
        self._voice = False
        self._run_ms = 0  # how long the frames have spoken against the present state

    def step(self, chance: float, at_ms: int) -> VoiceStarted | VoiceStopped | None:
        """A frame that ended at `at_ms` holds a voice with that chance; a finding where it changes."""
        against = chance < self._p.voice_off if self._voice else chance >= self._p.voice_on
        self._run_ms = self._run_ms + FRAME_MS if against else 0
        if self._run_ms < (self._p.voice_stop_ms if self._voice else self._p.voice_start_ms):
            return None
        since = max(0, at_ms - self._run_ms)
        self._voice, self._run_ms = not self._voice, 0
        if self._voice:
            return VoiceStarted(at_ms=at_ms, since_ms=since)
        return VoiceStopped(at_ms=at_ms, since_ms=since)
