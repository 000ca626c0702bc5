"""What the bot is saying in one call: rows of lines in a queue, the volume, and the log of both.

Only frames that were played count as heard.  A reply is logged when its first sound goes out, since
only then its latency is known; one that is never heard is logged when that is certain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot import events as ev
from bot.call.journal import Journal
from bot.call.playback import Ledger
from bot.call.signals import (
    Command,
    Duck,
    LineDone,
    Log,
    Play,
    PlaybackAt,
    PlaybackStarted,
    StopPlayback,
    Unduck,
)
from bot.turn import HeardLine, Line, Reply

Budget = Callable[[Reply], dict[str, float]]


@dataclass(slots=True)
class _Row:
    ledger: Ledger
    reply: Reply | None  # None: a line of the voice's own
    logged: bool = False


class Mouth:
    """Asks for playing and stopping; knows what was heard."""

    def __init__(self, journal: Journal, out: list[Command], budget: Budget) -> None:
        self._journal = journal
        self._out = out
        self._budget = budget
        self._rows: list[_Row] = []
        self._plays = 0
        self._last: Ledger | None = None  # of the newest reply
        self.lowered = False
        self.silent_ms = 0
        """When the last of what was to be played was over."""

    @property
    def busy(self) -> bool:
        """Whether anything is, or will be, played."""
        return bool(self._rows)

    @property
    def begun(self) -> bool:
        """Whether the first sound of what is to be played is out."""
        return bool(self._rows) and self._rows[0].ledger.begun

    @property
    def line(self) -> Line | None:
        """The line that is being played."""
        return self._rows[0].ledger.current if self._rows else None

    @property
    def interruptible(self) -> bool:
        """Whether the customer may stop it now."""
        return self.line is not None and self.line.interruptible and not self.guard_left_ms

    @property
    def guard_left_ms(self) -> int:
        """How long he may not, in a line that he may stop otherwise."""
        return self._rows[0].ledger.guard_left_ms if self._rows else 0

    @property
    def left_ms(self) -> int:
        """What is left to play."""
        return sum(row.ledger.left_ms for row in self._rows)

    @property
    def heard(self) -> tuple[HeardLine, ...] | None:
        """How far the lines of the newest reply were heard; None before the first."""
        return self._last.heard if self._last is not None else None

    def play(self, lines: tuple[Line, ...], reply: Reply | None, turn: int) -> None:
        """Play a reply's lines, or lines of the voice's own, after what plays now."""
        if not lines:
            return
        row = _Row(Ledger(self._plays + 1, turn, lines), reply)
        if reply is not None:
            self._last = row.ledger
        self._append(row)

    def resume(self, back_ms: int) -> bool:
        """Go on with the newest reply's lines where they were stopped, or a little before; False where
        nothing of them is left."""
        if self._last is None or not self._last.over:
            return False
        again = self._last.resumed(self._plays + 1, back_ms)
        if again is None:
            return False
        self._last = again
        self._append(_Row(again, None))
        return True

    def _append(self, row: _Row) -> None:
        self._plays += 1
        self._rows.append(row)
        self._out.append(Play(self._plays, row.ledger.lines, row.ledger.at_ms))

    def begin(self, started: PlaybackStarted, now_ms: int) -> bool:
        """First sound of a row; False for a row that is not wanted any more."""
        row = self._row(started.play)
        if row is None or row.ledger.begun:
            return False
        row.ledger.begin(started.line_ms)
        self._log_reply(row, now_ms)
        self._event(ev.SpeechStarted, now_ms)
        return True

    def at(self, signal: PlaybackAt) -> None:
        """So much was heard."""
        row = self._row(signal.play)
        if row is not None and row.ledger.begun:
            row.ledger.at(signal.line, signal.heard_ms)

    def done(self, signal: LineDone, now_ms: int) -> None:
        """A line was heard to its end."""
        row = self._row(signal.play)
        heard = row.ledger.done(signal.line) if row is not None and row.ledger.begun else None
        if row is None or heard is None:
            return
        self._out.append(Log(self._journal.playback(now_ms, heard, row.ledger.turn)))
        if row.ledger.over:
            self._event(ev.SpeechEnded, now_ms)
            self._rows.remove(row)
            if not self._rows:
                self.silent_ms = now_ms
                self.lift()

    def stop(self, now_ms: int) -> None:
        """Be silent at once; what was not heard to its end goes to the log as interrupted."""
        if not self._rows:
            return
        self._out.append(StopPlayback())
        self.lift()
        rows, self._rows = self._rows, []
        for row in rows:
            self._log_reply(row, now_ms)
            for heard in row.ledger.stop():
                self._out.append(Log(self._journal.playback(now_ms, heard, row.ledger.turn)))
            if row.ledger.begun:
                self._event(ev.SpeechEnded, now_ms)

    def unsaid(self, reply: Reply, now_ms: int) -> None:
        """A reply's lines will not be played: nothing of them was heard."""
        row = _Row(Ledger(0, reply.turn, reply.lines), reply)
        self._last = row.ledger
        self._log_reply(row, now_ms)
        for heard in row.ledger.stop():
            self._out.append(Log(self._journal.playback(now_ms, heard, reply.turn)))

    def lower(self) -> None:
        """The customer makes a sound: lower the voice, if he may stop it."""
        if self.begun and self.interruptible and not self.lowered:
            self.lowered = True
            self._out.append(Duck())

    def lift(self) -> None:
        """Raise the voice again."""
        if self.lowered:
            self.lowered = False
            self._out.append(Unduck())

    def _row(self, play: int) -> _Row | None:
        return next((row for row in self._rows if row.ledger.play == play), None)

    def _log_reply(self, row: _Row, now_ms: int) -> None:
        if row.reply is not None and not row.logged:
            row.logged = True
            budget = self._budget(row.reply)
            self._out.append(Log(self._journal.reply(now_ms, row.reply, row.ledger.audio_ms, budget)))

    def _event(self, kind: type[ev.SpeechStarted] | type[ev.SpeechEnded], now_ms: int) -> None:
        self._out.append(Log(self._journal.event(kind, now_ms, party="bot")))
