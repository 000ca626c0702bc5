"""What the far end of a media stream really plays: a buffer that plays one frame each 20 ms from arrival.

A frame begins when it arrives or when the one before it ends, whichever is later; `clear` drops what has
not begun.  So times are exact, whenever somebody looks.  All times are seconds of the caller's clock
(time.monotonic), levels are RMS on the int16 scale.  Source: Twilio's documentation of Media Streams
(buffered audio, `mark`, `clear`).  Pure: no clock, no sockets.
"""

from __future__ import annotations

import audioop
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

FRAME_S = 0.02
FRAME_BYTES = 160
"""20 ms of mu-law at 8 kHz."""
AUDIBLE = 40.0
"""RMS above which a frame is a sound: -58 dBFS, under any speech on a line."""
LINE_GAP_S = 0.4
"""So long without a sound ends the bot's line; no prompt of a benchmark pauses longer."""
CUT_GAP_S = 0.15
"""The same after a `clear`: what follows is a new line."""
_LATEST_MS = 400
_KEPT_FRAMES = 500


class Frame(NamedTuple):
    """20 ms that were played: when they began, how loud, the how-manieth since the line's first sound."""

    start_s: float
    level: float
    position: int


@dataclass(slots=True)
class Line:
    """One line of the bot as it was heard, from its first sound to the end of its last so far."""

    number: int
    begin_s: float
    end_s: float
    cleared: bool = False


class PlayOut:
    """One call's buffer.

    `whole`: the lengths of the known prompts in frames; a gap after that many is a pause and not a late
    frame.  Where it is empty, every gap under LINE_GAP_S is one.  `late` counts the frames that were
    due in a running line by how late they came (index: whole ms); `stalls` the gaps beyond LINE_GAP_S
    inside a prompt, or after a line that is none of them.
    """

    def __init__(self, whole: frozenset[int] = frozenset()) -> None:
        self.frames: deque[Frame] = deque(maxlen=_KEPT_FRAMES)
        self.line: Line | None = None
        self.late = [0] * (_LATEST_MS + 1)
        self.stalls = 0
        self._whole = whole | {frames + 1 for frames in whole}  # a last chunk may be filled up
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._marks: deque[tuple[float, str]] = deque()
        self._rest = b""
        self._end_s = 0.0
        self._run = 0  # frames since the last pause
        self._position = 0

    def arrive(self, ulaw: bytes, now: float) -> None:
        """Mu-law of any length has come."""
        if self._rest:
            ulaw = self._rest + ulaw
        whole = len(ulaw) - len(ulaw) % FRAME_BYTES
        for at in range(0, whole, FRAME_BYTES):
            gap_s = now - self._end_s
            if gap_s > 0:
                self._gap(gap_s)
                self._end_s = now
            else:
                self.late[0] += 1
            self._waiting.append((self._end_s, ulaw[at : at + FRAME_BYTES]))
            self._end_s += FRAME_S
            self._run += 1
        self._rest = ulaw[whole:]

    def mark(self, name: str) -> None:
        """To be echoed once all that came before has been played."""
        self._marks.append((self._end_s, name))

    def clear(self, now: float) -> list[str]:
        """Drop what has not begun; the pending marks, which are echoed at once."""
        self.advance(now)
        if self.line is not None and self._end_s > now:
            self.line.cleared = True
            self.line.end_s = min(self.line.end_s, now)
        self._waiting.clear()
        self._rest = b""
        self._end_s = min(self._end_s, now)
        self._run = 0
        names = [name for _, name in self._marks]
        self._marks.clear()
        return names

    def advance(self, now: float) -> list[str]:
        """Play on until now; the marks that are due."""
        waiting = self._waiting
        while waiting and waiting[0][0] <= now:
            self._play(*waiting.popleft())
        names: list[str] = []
        while self._marks and self._marks[0][0] <= now:
            names.append(self._marks.popleft()[1])
        return names

    def quiet_s(self, now: float) -> float:
        """How long nothing has sounded; 0 while it sounds or before the first sound."""
        return max(0.0, now - self.line.end_s) if self.line is not None else 0.0

    def _gap(self, gap_s: float) -> None:
        """The buffer ran dry before the frame that comes now."""
        if self._run and self._run not in self._whole:
            if gap_s < LINE_GAP_S:
                self.late[min(_LATEST_MS, int(gap_s * 1000))] += 1
                return
            self.stalls += bool(self._whole)
        self._run = 0

    def _play(self, start_s: float, ulaw: bytes) -> None:
        level = float(audioop.rms(audioop.ulaw2lin(ulaw, 2), 2))
        line = self.line
        if level > AUDIBLE:
            pause_s = LINE_GAP_S if line is None or not line.cleared else CUT_GAP_S
            if line is None or start_s - line.end_s >= pause_s:
                line = self.line = Line(line.number + 1 if line else 1, start_s, start_s)
                self._position = 0
            line.end_s = start_s + FRAME_S
        self.frames.append(Frame(start_s, level, self._position))
        self._position += 1
