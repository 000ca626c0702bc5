"""Length and rhythm of what is spoken: who says 喂 and stops waits for an answer; a recording does not.

Takes starts and stops of the voice; what lies nearer than a breath belongs to one stretch.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Stretch:
    """Speech without a long pause; `talk_ms` of it voice."""

    start_ms: int
    end_ms: int
    talk_ms: int


class Greeting:
    """The stretches of the far end's speech so far."""

    def __init__(self, stretch_gap_ms: int) -> None:
        self._gap_ms = stretch_gap_ms
        self._since: int | None = None
        self.stretches: list[Stretch] = []

    @property
    def active(self) -> bool:
        """Whether somebody speaks now."""
        return self._since is not None

    @property
    def since_ms(self) -> int | None:
        """When the voice that is heard now began."""
        return self._since

    @property
    def ended_ms(self) -> int | None:
        """When the last voice ended; None where none did."""
        return self.stretches[-1].end_ms if self.stretches else None

    def voice(self, started: bool, at_ms: int) -> None:
        """A start or stop; one that repeats the state is nothing."""
        if started:
            if self._since is None:
                self._since = max(at_ms, self.ended_ms or at_ms)
            return
        if self._since is None:
            return
        start, end = self._since, max(at_ms, self._since)
        self._since = None
        if self.stretches and start - self.stretches[-1].end_ms < self._gap_ms:
            last = self.stretches[-1]
            last.end_ms, last.talk_ms = end, last.talk_ms + end - start
        else:
            self.stretches.append(Stretch(start, end, end - start))

    def talk_before(self, at_ms: int, gap_ms: int) -> int:
        """How much was spoken, in ms, in the stretch that ended at most `gap_ms` before `at_ms` (or
        goes on then: a detector may take a beep for the end of the speech)."""
        talk = 0
        if self._since is not None and self._since < at_ms:
            talk = at_ms - self._since
            if not self.stretches or self._since - self.stretches[-1].end_ms >= self._gap_ms:
                return talk
        for stretch in reversed(self.stretches):
            if stretch.start_ms < at_ms:
                over = max(0, stretch.end_ms - at_ms)
                near = at_ms - stretch.end_ms <= gap_ms
                return talk + (max(0, stretch.talk_ms - over) if near or talk else 0)
        return talk

    def paused(self, now_ms: int) -> bool:
        """Whether he has spoken shortly, waited, and spoken again or still waits."""
        first = self.stretches[0] if self.stretches else None
        if first is None or first.talk_ms > 2 * self._gap_ms:
            return False
        return len(self.stretches) > 1 or (not self.active and now_ms - first.end_ms >= 2 * self._gap_ms)
