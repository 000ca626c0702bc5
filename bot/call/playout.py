"""The bot's side of one line: which frame is sent when, how loud, and how much of it was played.

Frames are due one each 20 ms.  On a line that can be flushed they are sent `lead_ms` ahead, so that
a late tick is not heard; on one that cannot, each at its moment.  A line of the bot counts as played
when its mark comes back; where the switch has no marks, when our own clock says so.
Decides nothing about the call and reads no clock.  PCM 8000 Hz, 320 bytes a frame; times are ms of
the call's clock.
"""

from __future__ import annotations

import audioop
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bot.call.parameters import Parameters
from bot.call.pcm import SILENT_FRAME
from bot.call.ports import FRAME_BYTES, FRAME_MS, PhoneLeg
from bot.call.signals import LineDone, PlaybackAt, PlaybackStarted

LATEST_MS = 2 * FRAME_MS
"""Frames later than this are not made up for: they would lie in the far end's queue for ever."""

SLACK_MS = 6
"""A frame that is due this much after a tick goes out with it: ticks come a little early or late."""

MARK_PATIENCE_MS = 1500
"""So long after its due moment a line counts as played although its mark did not come back."""

MOST_BEHIND_MS = 500
"""More delay of the far end than this is taken for a fault of its marks."""

Found = PlaybackStarted | LineDone
Record = Callable[[bytes, int], None]


@dataclass(slots=True)
class _Row:
    play: int
    sounds: tuple[bytes, ...]
    line: int = 0
    offset: int = 0  # bytes of the line that were sent
    begun: bool = False


@dataclass(frozen=True, slots=True)
class _Sent:
    """A line that was sent to its end; it is over at `over_ms` if the far end plays at once."""

    play: int
    line: int
    length_ms: int
    over_ms: int


class Playout:
    """Sends what is to be played; knows what was."""

    def __init__(self, leg: PhoneLeg, parameters: Parameters, record: Record | None = None) -> None:
        """`record` gets each frame that is not silence with the moment at which it is played."""
        self._leg = leg
        self._marks = leg.capabilities.marks
        self._lead_ms = leg.capabilities.lead_ms
        self._continuous = leg.capabilities.continuous
        self._record = record
        self._low = 10.0 ** (parameters.duck_db / 20.0)
        self._gain = self._wanted = 1.0
        self._rows: deque[_Row] = deque()
        self._sent: deque[_Sent] = deque()
        self._next_ms = 0  # when the next frame will be played
        self._behind_ms = 0.0  # how long after our clock the far end plays, by its marks

    def play(self, play: int, sounds: tuple[bytes, ...], skip_ms: int = 0) -> None:
        """Queue lines' sounds; the first is entered `skip_ms` after its beginning.

        Raises ValueError where a sound is not whole frames.
        """
        for number, sound in enumerate(sounds):
            if len(sound) % FRAME_BYTES:
                raise ValueError(
                    f"sound {number} has {len(sound)} bytes; it must be a multiple of {FRAME_BYTES}"
                )
        offset = min(skip_ms // FRAME_MS * FRAME_BYTES, len(sounds[0])) if sounds else 0
        self._rows.append(_Row(play, sounds, offset=offset))

    def stop(self) -> None:
        """Nothing more of what was queued or sent."""
        if self._leg.capabilities.flush and (self._rows or self._sent):
            self._leg.flush()
        self._rows.clear()
        self._sent.clear()
        self._gain = self._wanted = 1.0
        self._next_ms = 0

    def duck(self, low: bool) -> None:
        """Lower or raise the voice, from the next frame on."""
        self._wanted = self._low if low else 1.0

    @property
    def busy(self) -> bool:
        """Whether anything is queued or playing."""
        return bool(self._rows or self._sent)

    def position(self, now_ms: int) -> PlaybackAt | None:
        """How far the present line was played; None where nothing plays."""
        if self._sent:
            sent = self._sent[0]
            heard = sent.length_ms - self._unheard(sent.over_ms, now_ms)
            return PlaybackAt(at_ms=now_ms, play=sent.play, line=sent.line, heard_ms=max(0, heard))
        row = self._rows[0] if self._rows else None
        if row is None or not row.begun:
            return None
        heard = _ms(row.offset) - self._unheard(self._next_ms, now_ms)
        return PlaybackAt(at_ms=now_ms, play=row.play, line=row.line, heard_ms=max(0, heard))

    def tick(self, now_ms: int) -> list[Found]:
        """Send what is due; what began and what was played to its end."""
        found: list[Found] = []
        if self._sent and not self._marks:
            self._clocked(now_ms, found)
        elif self._sent:
            self._clocked(now_ms - MARK_PATIENCE_MS, found)
        if not (self._rows or self._continuous):
            return found
        if self._next_ms < now_ms - LATEST_MS:
            self._next_ms = now_ms
        due_ms = now_ms + SLACK_MS
        while self._next_ms <= due_ms + self._lead_ms:
            pcm = self._frame(now_ms, found) if self._rows else None
            if pcm is not None:
                self._leg.send(pcm)
                if self._record is not None:
                    self._record(pcm, self._next_ms)
            elif self._continuous and self._next_ms <= due_ms:
                self._leg.send(SILENT_FRAME)
            else:
                break
            self._next_ms += FRAME_MS
        return found

    def marked(self, name: str, now_ms: int) -> list[Found]:
        """A mark came back: all up to its line was played.  One that is not waited for says nothing."""
        found: list[Found] = []
        wanted = [f"{sent.play}.{sent.line}" for sent in self._sent]
        if name in wanted:
            late = now_ms - self._sent[wanted.index(name)].over_ms
            if late <= MOST_BEHIND_MS:
                self._behind_ms += 0.3 * (max(0, late) - self._behind_ms)
            for _ in range(wanted.index(name) + 1):
                self._over(now_ms, found)
        return found

    def _unheard(self, over_ms: int, now_ms: int) -> int:
        """ms that were sent and not played yet, of sound that is over at `over_ms`."""
        return max(0, over_ms - now_ms + round(self._behind_ms))

    def _clocked(self, now_ms: int, found: list[Found]) -> None:
        while self._sent and self._sent[0].over_ms <= now_ms:
            self._over(now_ms, found)

    def _over(self, now_ms: int, found: list[Found]) -> None:
        sent = self._sent.popleft()
        found.append(LineDone(at_ms=now_ms, play=sent.play, line=sent.line))

    def _frame(self, now_ms: int, found: list[Found]) -> bytes | None:
        """The next frame of what is queued, None where there is none."""
        while self._rows:
            row = self._rows[0]
            if not row.begun:
                row.begun = True
                lengths = tuple(_ms(len(sound)) for sound in row.sounds)
                found.append(PlaybackStarted(at_ms=now_ms, play=row.play, line_ms=lengths))
            if row.line < len(row.sounds):
                sound = row.sounds[row.line]
                pcm = sound[row.offset : row.offset + FRAME_BYTES]
                row.offset += FRAME_BYTES
                if pcm:
                    return pcm if self._gain == self._wanted == 1.0 else self._louder(pcm)
                self._sent.append(_Sent(row.play, row.line, _ms(len(sound)), self._next_ms))
                if self._marks:
                    self._leg.mark(f"{row.play}.{row.line}")
                row.line, row.offset = row.line + 1, 0
            else:
                self._rows.popleft()
        return None

    def _louder(self, pcm: bytes) -> bytes:
        """The frame at the wanted volume; a change is spread over one frame, so that it does not click."""
        if self._gain == self._wanted:
            return audioop.mul(pcm, 2, self._gain)
        samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
        ramp = np.linspace(self._gain, self._wanted, samples.size, dtype=np.float32)
        self._gain = self._wanted
        return (samples * ramp).astype("<i2").tobytes()


def _ms(size: int) -> int:
    return size // FRAME_BYTES * FRAME_MS
