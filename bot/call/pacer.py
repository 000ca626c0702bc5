"""One clock of 20 ms for all lines of an event loop: every line is served at each of its ticks.

Ticks lie on absolute deadlines, so that a late one does not shift those after it; after a stall the
missed ones are not made up for.  One timer for all lines costs a hundredth of one a line.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from bot.call.ports import FRAME_MS

STALL_MS = 60
"""A tick this late is a stall of the process: the deadlines start anew."""

_log = logging.getLogger(__name__)


class Pacer:
    """Calls `first` and then every line, each 20 ms, while there are lines."""

    def __init__(self, first: Callable[[], None] | None = None) -> None:
        """`first`: what is done for all lines together, before them."""
        self._first = first
        self._watch: Callable[[float], None] | None = None
        self._lines: dict[object, Callable[[], None]] = {}
        self._failing: set[object] = set()
        self._next_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def lines(self) -> int:
        """How many lines are served."""
        return len(self._lines)

    def watch(self, watch: Callable[[float], None]) -> None:
        """`watch` is told at every tick how late it is, in ms; it replaces the one before."""
        self._watch = watch

    def add(self, key: object, line: Callable[[], None]) -> None:
        """Serve a line from now on.  One that fails is told in the log, once, and served on."""
        self._lines[key] = line
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._next_s = loop.time()
            self._timer = loop.call_at(self._next_s, self._tick)

    def remove(self, key: object) -> None:
        """Serve it no more; idempotent."""
        self._lines.pop(key, None)
        self._failing.discard(key)

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        if not self._lines:
            self._timer = None
            return
        now = loop.time()
        late_ms = (now - self._next_s) * 1000
        if late_ms > STALL_MS:
            _log.warning("the lines were served %.0f ms late", late_ms)
            self._next_s = now
        if self._watch is not None:
            self._watch(late_ms)
        if self._first is not None:
            self._serve(None, self._first)
        for key, line in list(self._lines.items()):
            if key in self._lines:
                self._serve(key, line)
        self._next_s += FRAME_MS / 1000
        self._timer = loop.call_at(self._next_s, self._tick)

    def _serve(self, key: object, line: Callable[[], None]) -> None:
        try:
            line()
        except Exception:
            if key not in self._failing:
                self._failing.add(key)
                _log.exception("what all lines share broke" if key is None else "a line broke in a tick")
