"""What stands on the agent's screen, and when it goes: one primary card, at most two folded. Pure.

A card is not replaced while the agent reads it aloud; it goes when its time is over, when it was
spoken, dismissed or marked used, or when the customer has moved on.  Times are ms on the call's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from assist.suggest.model import Suggestion

FOLDED: Final = 2
READING_MS: Final = 6_000
"""How long a card that the agent began to read is kept, at most, without further words."""


@dataclass
class Screen:
    """The cards of one call that are up now."""

    primary: Suggestion | None = None
    folded: tuple[Suggestion, ...] = ()
    reading_since: int | None = None
    waiting: tuple[Suggestion, ...] = field(default=())

    def show(self, cards: Sequence[Suggestion], now_ms: int) -> bool:
        """Put these up, best first; none clears the screen.  Whether anything changed.

        While the agent reads the primary card they wait (see `spoken`)."""
        if self.reading(now_ms) and self.primary is not None:
            self.waiting = (*filter(_whispered, self.waiting), *cards)
            return False
        before = (self.primary, self.folded)
        self._rise(now_ms)
        kept = self.primary
        if kept is not None and _whispered(kept) and not self.expired(kept, now_ms):
            self.folded = tuple(cards[:FOLDED])  # the supervisor's whisper stays until it is dealt with
            return before != (self.primary, self.folded)
        self.primary = cards[0] if cards else None
        self.folded = tuple(cards[1 : 1 + FOLDED])
        self.reading_since = None
        return before != (self.primary, self.folded)

    def whisper(self, card: Suggestion, now_ms: int) -> None:
        """A supervisor's card goes before all others; while the agent reads it is the first that waits."""
        if self.reading(now_ms) and self.primary is not None:
            self.waiting = (card, *self.waiting)
            return
        self.primary, self.folded, self.reading_since = card, self.cards()[:1], None

    def begin_reading(self, now_ms: int) -> None:
        """The agent's words so far are those of the primary card."""
        if self.primary is not None and not self.reading(now_ms):
            self.reading_since = now_ms

    def end_reading(self, now_ms: int) -> bool:
        """The agent's line is over: what waited comes up.  Whether anything waited."""
        self.reading_since = None
        return self._rise(now_ms)

    def reading(self, now_ms: int) -> bool:
        """Whether the primary card is being read aloud."""
        return self.reading_since is not None and now_ms - self.reading_since <= READING_MS

    def remove(self, suggestion_id: str) -> bool:
        """A card was spoken, used or dismissed: it goes; what waited comes up.  Whether it was there."""
        if self.primary is not None and self.primary.id == suggestion_id:
            waiting, self.waiting = self.waiting, ()
            self.primary = waiting[0] if waiting else None
            self.folded = waiting[1 : 1 + FOLDED] if waiting else ()
            self.reading_since = None
            return True
        before = self.folded
        self.folded = tuple(card for card in self.folded if card.id != suggestion_id)
        return before != self.folded

    def expire(self, now_ms: int) -> bool:
        """Take down what has had its time.  Whether anything changed."""
        before = (self.primary, self.folded)
        self._rise(now_ms)
        if self.primary is not None and self.expired(self.primary, now_ms) and not self.reading(now_ms):
            self.primary = None
        self.folded = tuple(card for card in self.folded if not self.expired(card, now_ms))
        return before != (self.primary, self.folded)

    def cards(self) -> tuple[Suggestion, ...]:
        """All that is up, the primary one first."""
        return ((self.primary,) if self.primary is not None else ()) + self.folded

    def _rise(self, now_ms: int) -> bool:
        """Put up what waited for the end of a reading, unless its time is over.  Whether there was any."""
        if not self.waiting or self.reading(now_ms):
            return False
        up = [card for card in self.waiting if not self.expired(card, now_ms)]
        self.waiting = ()
        if up:
            self.primary, self.folded = up[0], tuple(up[1 : 1 + FOLDED])
            self.reading_since = None
        return bool(up)

    @staticmethod
    def expired(card: Suggestion, now_ms: int) -> bool:
        """Whether its time is over."""
        return now_ms - card.t_sent_ms > card.ttl_ms


def _whispered(card: Suggestion) -> bool:
    """Whether a supervisor sent it."""
    return card.pinned and card.kind == "action"
