"""Placing a call: nothing dials without a DialPermit, and each permit dials once.

The permit is the evidence that a person may be called now (the campaign's rules, the dial ledger);
adapters check it again at the last moment and refuse without it.  Outcomes come as LineNews, which
only move forward, whatever order a switch's callbacks arrive in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Literal, Protocol

LONGEST_PERMIT = timedelta(minutes=5)

Cause = Literal["normal", "busy", "no_answer", "rejected", "unreachable", "congestion", "cancelled", "failed"]


class DialRefused(Exception):
    """The permit does not cover this dial; says why.  Nothing was sent to the switch."""


class DialFailed(Exception):
    """The switch refused the dial, or could not be asked.

    `certain`: it is known that nobody was called; else the dial may have happened and must be looked
    up by `Originator.state` and never simply tried again.
    """

    def __init__(self, message: str, *, certain: bool) -> None:
        super().__init__(message)
        self.certain = certain


@dataclass(frozen=True, slots=True, kw_only=True)
class DialPermit:
    """One person may be called once, for one intent.  Times are aware.

    `callee`, `caller`: E.164 with +.  `rules`: (rule id, verdict) of what was checked.
    """

    intent_id: str
    tenant_id: str
    callee: str
    caller: str
    not_before: datetime
    not_after: datetime
    rules: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        if self.not_before.tzinfo is None or self.not_after.tzinfo is None:
            raise ValueError("a dial permit's times need an offset")
        if not timedelta() < self.not_after - self.not_before <= LONGEST_PERMIT:
            raise ValueError(f"a dial permit holds for up to {LONGEST_PERMIT}, not longer and not shorter")
        if not self.rules:
            raise ValueError("a dial permit names the rules that were checked; none is given")


class Permits:
    """Which permits were used here: the last check before a switch is asked."""

    def __init__(self, callers: frozenset[str]) -> None:
        """`callers`: the numbers that this installation may call from."""
        self._callers = callers
        self._used: dict[str, datetime] = {}

    def use(self, permit: DialPermit, now: datetime) -> None:
        """Use up a permit.  Raises DialRefused: outside its time, used before, or a caller number
        that is not on the list."""
        if not permit.not_before <= now <= permit.not_after:
            raise DialRefused(f"the permit of intent {permit.intent_id} does not hold now")
        if permit.caller not in self._callers:
            raise DialRefused("the caller number is not on the list of this installation's numbers")
        bad = [rule for rule, verdict in permit.rules if verdict != "allow"]
        if bad:
            raise DialRefused(f"the permit of intent {permit.intent_id} was not allowed by {', '.join(bad)}")
        if permit.intent_id in self._used:
            raise DialRefused(f"the permit of intent {permit.intent_id} was used before")
        self._used = {intent: until for intent, until in self._used.items() if until >= now}
        self._used[permit.intent_id] = permit.not_after


class LineState(IntEnum):
    """Where a dialled line stands; it only ever rises."""

    SENT = 1
    RINGING = 2
    ANSWERED = 3
    ENDED = 4


@dataclass(frozen=True, slots=True)
class LineNews:
    """What a switch says of a dialled line.  `cause` only where it ended."""

    line_id: str
    state: LineState
    cause: Cause | None = None


News = Callable[[LineNews], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """What to dial: `call_id` is ours; `parameters` come back with the Arrival; times in seconds."""

    permit: DialPermit
    call_id: str
    ring_s: int = 30
    parameters: Mapping[str, str] = field(default_factory=dict)


class Originator(Protocol):
    """A switch that can place calls."""

    async def originate(self, dial: Dial) -> str:
        """Place a call; the switch's id of the line.  Raises DialRefused, DialFailed."""
        ...

    async def state(self, line_id: str) -> LineNews | None:
        """What became of a line; None where the switch does not know it.  Raises DialFailed."""
        ...

    async def end(self, line_id: str) -> None:
        """Hang up; one that is over already is success.  Raises DialFailed."""
        ...


class LineHistory:
    """Joins a switch's news of its lines: each state once, forward only, whatever comes how often."""

    def __init__(self, tell: News, *, remembered: int = 10_000) -> None:
        self._tell = tell
        self._states: dict[str, LineState] = {}
        self._remembered = remembered

    def take(self, news: LineNews) -> bool:
        """News that goes forward is told on; False for what is old or known."""
        if news.state <= self._states.get(news.line_id, 0):
            return False
        self._states.pop(news.line_id, None)
        self._states[news.line_id] = news.state
        while len(self._states) > self._remembered:
            del self._states[next(iter(self._states))]
        self._tell(news)
        return True
