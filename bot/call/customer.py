"""The customer's side of one call: his voice, his words, his pace, and the ids of his utterances."""

from __future__ import annotations

from bot.call.pace import CUT_OFF_MS, Pace
from bot.call.parameters import Parameters
from bot.call.signals import VoiceStarted, VoiceStopped, Words
from bot.call.transcript import Transcript
from bot.call.turns import Hearing


class Customer:
    """What has been heard of the customer since his turn began."""

    def __init__(self, parameters: Parameters) -> None:
        self._p = parameters
        self._transcript = Transcript()
        self._number = 1
        self.voice = False
        self.voice_since_ms = 0
        self.quiet_ms: int | None = None  # last sound of this turn, None: no voice was detected in it
        self.begin_ms: int | None = None
        self.words_ms = 0
        self.voiced_ms = 0  # how long the voice was heard in this turn
        self.slow = False
        self.pace = Pace(parameters)
        self._taken_quiet_ms: int | None = None  # his last sound before his turn was taken

    @property
    def utterance_id(self) -> str:
        """The id of the utterance that is going on."""
        return f"u{self._number}"

    @property
    def text(self) -> str:
        """His words so far."""
        return self._transcript.text

    @property
    def unfinished(self) -> bool:
        """Whether the recogniser still owes the final text."""
        return self._transcript.open

    @property
    def confidence(self) -> float | None:
        """The recogniser's confidence, where it gives one."""
        return self._transcript.confidence

    @property
    def hearing(self) -> Hearing:
        """All of it, for decisions."""
        pace = self.pace
        return Hearing(
            self.text, self.voice, self.quiet_ms, self.words_ms, self.slow, pace.lag_ms, pace.extra_ms
        )

    def voice_started(self, signal: VoiceStarted, now_ms: int) -> bool:
        """His voice is there; False where it was already."""
        if self.voice:
            return False
        since = min(signal.since_ms, now_ms)
        if self.quiet_ms is not None and self.text and since - self.quiet_ms >= self._p.slow_pause_ms:
            self.slow = True
        self._paused(since)
        self.voice, self.voice_since_ms = True, since
        self.begin_ms = since if self.begin_ms is None else self.begin_ms
        return True

    def voice_stopped(self, signal: VoiceStopped, now_ms: int) -> bool:
        """His voice is gone; False where it was already."""
        if not self.voice:
            return False
        self.voice = False
        self.quiet_ms = max(self.voice_since_ms, min(signal.since_ms, now_ms))
        self.voiced_ms += self.quiet_ms - self.voice_since_ms
        return True

    def add(self, words: Words, now_ms: int) -> bool:
        """Words came; whether the text changed."""
        if not self._transcript.add(words):
            return False
        self.words_ms = now_ms
        if self.begin_ms is None:
            self.begin_ms = max(0, now_ms - self._p.words_lag_ms)
        return True

    def take(self) -> str:
        """The turn is over: its words; all that belongs to the next turn starts anew."""
        text = self._transcript.take()
        self._taken_quiet_ms = self.quiet_ms if text and not self.voice else None
        if self._taken_quiet_ms is not None:
            self.pace.words_came(self.words_ms - self._taken_quiet_ms)
            self.pace.turn_over()
        self._number += bool(text)
        self.voiced_ms, self.slow = 0, False
        self.begin_ms = self.voice_since_ms if self.voice else None
        if not self.voice:
            self.quiet_ms = None
        return text

    def _paused(self, since_ms: int) -> None:
        """He goes on after a pause in his turn, or after a turn that was taken too soon."""
        if self.quiet_ms is not None and self.text:
            self.pace.paused(since_ms - self.quiet_ms)
        elif self._taken_quiet_ms is not None and since_ms - self._taken_quiet_ms <= CUT_OFF_MS:
            self.pace.paused(since_ms - self._taken_quiet_ms)
        self._taken_quiet_ms = None
