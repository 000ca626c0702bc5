"""What one call teaches of its timing: how far the words trail the sound, how long this caller pauses.

Both begin with what the parameters say and follow what is seen.  Pure.
"""

from __future__ import annotations

from collections import deque

from bot.call.parameters import Parameters

LONGEST_LAG_MS = 600
SEEN_LAGS = 6
PAUSES_COUNT_FROM_MS = 250
FORGETS = 0.4
"""Weight of the newest turn among those of the call."""

CUT_OFF_MS = 700
"""A caller who goes on this soon after his turn was taken had not finished."""


class Pace:
    """`lag_ms`: no decision before the words can be here; `extra_ms`: patience with this caller."""

    def __init__(self, parameters: Parameters) -> None:
        self._p = parameters
        self._lags: deque[int] = deque(maxlen=SEEN_LAGS)
        self._pause_ms = 0.0  # the longest pause of a turn, smoothed over turns
        self._longest_ms = 0  # of the turn that is going on

    @property
    def lag_ms(self) -> int:
        """How far the recogniser's words trail the sound, at their slowest of late."""
        if len(self._lags) < 3:
            return max(self._p.words_lag_ms, *self._lags) if self._lags else self._p.words_lag_ms
        return min(LONGEST_LAG_MS, max(self._p.least_lag_ms, max(self._lags) + self._p.lag_margin_ms))

    @property
    def extra_ms(self) -> int:
        """Added to the waits for texts that are not surely complete."""
        over = self._pause_ms - PAUSES_COUNT_FROM_MS
        return round(min(self._p.most_patience_ms, max(0.0, over * self._p.patience)))

    def words_came(self, behind_ms: int) -> None:
        """The last word of a turn came so long after the last sound."""
        if 0 <= behind_ms <= LONGEST_LAG_MS:
            self._lags.append(behind_ms)

    def paused(self, ms: int) -> None:
        """The caller paused in mid-turn and went on, or went on after a turn that was taken too soon."""
        self._longest_ms = max(self._longest_ms, ms)

    def turn_over(self) -> None:
        """A turn was taken.  Anybody pauses once; who pauses in one turn after another is waited for."""
        self._pause_ms += FORGETS * (self._longest_ms - self._pause_ms)
        self._longest_ms = 0
