"""Whether one more call may come: so many at once, and none while the lines are served late.

Calls that were answered are never degraded for new ones.  Pure but for what it is told.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.call.pacer import Pacer

LATE_MS = 10.0
"""Lines served this late on average leave no room: a frame must be there every 20 ms."""

SMOOTHING = 0.05
"""Weight of one tick in the average: some 20 ticks, 400 ms."""


class LoadLimit:
    """Refuses calls above `most`, and while ticks are late."""

    def __init__(self, pacer: Pacer, most: int, held: Callable[[], int]) -> None:
        """`held`: how many calls there are now."""
        self._pacer, self._most, self._held = pacer, most, held
        self._late_ms = 0.0
        self._closing = False
        pacer.watch(self._tick)

    def close(self) -> None:
        """Refuse from now on: the process stops."""
        self._closing = True

    def refusal(self) -> str | None:
        """Why no new call is taken now, None where one is."""
        if self._closing:
            return "this process is stopping"
        if self._held() >= self._most:
            return f"{self._most} calls are held, and no more may be"
        if self._late_ms > LATE_MS and self._pacer.lines:  # without lines nothing ticks, and nothing is late
            return f"the lines are served {self._late_ms:.0f} ms late"
        return None

    def _tick(self, late_ms: float) -> None:
        self._late_ms += SMOOTHING * (late_ms - self._late_ms)
