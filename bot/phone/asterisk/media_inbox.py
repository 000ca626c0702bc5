"""What comes from a far end, in order, also before anybody listens; the end comes once and last."""

from __future__ import annotations

from collections import deque

from bot.call.ports import HungUpIn, LegInput, Receive

MOST_HELD = 500
"""Inputs kept for a listener that has not come yet: ten seconds of audio; the oldest go first."""


class Inbox:
    """One leg's way to its listener."""

    def __init__(self) -> None:
        self._held: deque[LegInput] = deque(maxlen=MOST_HELD)
        self._receive: Receive | None = None
        self.ended = False

    def listen(self, receive: Receive) -> None:
        """Give what came, then what comes.  Raises RuntimeError the second time."""
        if self._receive is not None:
            raise RuntimeError("a phone leg is listened to once only")
        while self._held:
            receive(self._held.popleft())
        self._receive = receive

    def put(self, item: LegInput) -> None:
        """Something came; after the end nothing comes."""
        if not self.ended:
            self._give(item)

    def end(self, cause: str) -> bool:
        """The far end is gone; False where that was known."""
        if self.ended:
            return False
        self.ended = True
        self._give(HungUpIn(cause))
        return True

    def _give(self, item: LegInput) -> None:
        if self._receive is None:
            self._held.append(item)
        else:
            self._receive(item)
