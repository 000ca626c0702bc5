"""What was really heard of the lines that the bot was to say: a ledger kept by the frames played.

Positions come from the driver's frame clock (PlaybackAt, LineDone); nothing here guesses.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.call.spoken_time import clause_at, moments, text_at
from bot.turn import HeardLine, Line


@dataclass(slots=True)
class _Entry:
    line: Line
    audio_ms: int = 0
    heard_ms: int = 0  # the furthest that was played of it
    at_ms: int = 0  # where playing stands: before that, where a clause is said again
    finished: bool = False

    def heard(self) -> HeardLine:
        text = self.line.text if self.finished else text_at(self.line.text, self.heard_ms, self.audio_ms)
        return HeardLine(node=self.line.node, finished=self.finished, heard_text=text, heard_ms=self.heard_ms)


class Ledger:
    """One row of lines: asked for, begun, heard line by line."""

    def __init__(self, play: int, turn: int, lines: tuple[Line, ...]) -> None:
        self.play = play
        self.turn = turn
        self.begun = False
        self.over = False
        self.before: tuple[HeardLine, ...] = ()  # lines of the same reply that were heard earlier
        self._entries = [_Entry(line) for line in lines]

    def begin(self, line_ms: tuple[int, ...]) -> None:
        """The first frame went out; lengths by line."""
        self.begun = True
        for entry, audio_ms in zip(self._entries, line_ms, strict=False):
            entry.audio_ms = audio_ms

    def at(self, line: int, heard_ms: int) -> None:
        """So much of a line has been played; never less than before."""
        if 0 <= line < len(self._entries) and not self._entries[line].finished:
            entry = self._entries[line]
            entry.at_ms = min(max(entry.at_ms, heard_ms), entry.audio_ms)
            entry.heard_ms = max(entry.heard_ms, entry.at_ms)

    def done(self, line: int) -> HeardLine | None:
        """A line was played to its end: its record, None where that is known already."""
        if not 0 <= line < len(self._entries) or self._entries[line].finished:
            return None
        entry = self._entries[line]
        entry.finished, entry.heard_ms, entry.at_ms = True, entry.audio_ms, entry.audio_ms
        self.over = all(e.finished for e in self._entries)
        return entry.heard()

    def stop(self) -> tuple[HeardLine, ...]:
        """Playing is over: the records of the lines that were not finished, for the log."""
        self.over = True
        return tuple(entry.heard() for entry in self._entries if not entry.finished)

    @property
    def heard(self) -> tuple[HeardLine, ...]:
        """All lines of the reply, with how far each was heard."""
        return (*self.before, *(entry.heard() for entry in self._entries))

    @property
    def current(self) -> Line | None:
        """The line that is being played, or will be next; None where all are finished."""
        return next((entry.line for entry in self._entries if not entry.finished), None)

    @property
    def guard_left_ms(self) -> int:
        """How long the line that is played cannot be stopped yet: 0 outside its guarded spans."""
        entry = next((entry for entry in self._entries if not entry.finished), None)
        if entry is None or not entry.line.guarded or not entry.audio_ms:
            return 0
        ends = moments(entry.line.text, entry.audio_ms)
        for begin, end in entry.line.guarded:
            begins_ms = ends[begin - 1] if begin else 0
            if begins_ms <= entry.at_ms < ends[end - 1]:
                return ends[end - 1] - entry.at_ms
        return 0

    def resumed(self, play: int, back_ms: int) -> Ledger | None:
        """A row that goes on with what is left of these lines, None where nothing is.

        It enters the first of them at the beginning of the clause that was being said, at most `back_ms`
        back; what was heard stays heard.
        """
        left = [entry for entry in self._entries if not entry.finished]
        if not left:
            return None
        again = Ledger(play, self.turn, tuple(entry.line for entry in left))
        again.before = self.heard[: -len(left)]
        again._entries = [_Entry(entry.line, entry.audio_ms, entry.heard_ms) for entry in left]
        first = left[0]
        again._entries[0].at_ms = clause_at(first.line.text, first.at_ms, first.audio_ms, back_ms)
        return again

    @property
    def lines(self) -> tuple[Line, ...]:
        """All of them."""
        return tuple(entry.line for entry in self._entries)

    @property
    def at_ms(self) -> int:
        """Where playing stands in the present line, or will begin."""
        return next((entry.at_ms for entry in self._entries if not entry.finished), 0)

    @property
    def left_ms(self) -> int:
        """How much is left to play, as far as lengths are known."""
        return sum(e.audio_ms - e.at_ms for e in self._entries if not e.finished)

    @property
    def audio_ms(self) -> int:
        """The length of all lines."""
        return sum(entry.audio_ms for entry in self._entries)
