"""Two lines joined in this process: the customer and an agent hear each other, and so may others.

Frames go over at the ticks of the process's pacer, from a small buffer for each direction: one frame
is waited for before the first, so that jitter of a tick does no harm; what a stall or a fast clock
piles up is dropped again, a frame a second, and at once above MOST_WAITING.  No frame is copied.
Keys are passed on, marks mean nothing here, and the first side that hangs up ends the other, once.
Times are ms of the joined call's own clock.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from bot.call.adapters import Recording
from bot.call.pacer import Pacer
from bot.call.pcm import SILENT_FRAME
from bot.call.ports import FRAME_MS, AudioIn, DtmfIn, HungUpIn, LegInput, PhoneLeg, WordsIn
from bot.listening.ports import Heard, Side, TrackIn

FIRST_AFTER = 2
"""Frames that must be there before a direction begins, and begins again after it ran dry."""

MOST_WAITING = 10
"""Frames, 200 ms: of more, all but FIRST_AFTER are dropped: they would delay every later word."""

LOOK_EVERY = 50
"""Ticks, 1 s: a direction that had a frame too many all this time loses one."""

MOST_UNHEARD = 1000
"""Frames and words, 10 s of both sides, kept for a listener that is slow; then the oldest go."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Over:
    """Who ended the joined call ("us": this process), and the cause that his line gave."""

    by: Literal["customer", "agent", "us"]
    cause: str


class Bridge:
    """Customer and agent, joined.

    Whoever gives the lines away makes `from_customer` and `from_agent` their receivers, in one go with
    `start`; `run` lasts until the end.
    """

    def __init__(
        self, customer: PhoneLeg, agent: PhoneLeg, pacer: Pacer, *, began_s: float,
        record: Recording | None = None,
    ) -> None:  # fmt: skip
        """`began_s`: the loop's time at 0 ms of the joined call.  `record` gets the agent as its bot."""
        loop = asyncio.get_running_loop()
        self._time, self._began_s = loop.time, began_s
        self._legs: dict[Side, PhoneLeg] = {"customer": customer, "agent": agent}
        self._pacer, self._record = pacer, record
        self._to_agent, self._to_customer = _Direction(agent), _Direction(customer)
        self._over: asyncio.Future[Over] = loop.create_future()
        self._tracks: _Feed[TrackIn | HungUpIn] | None = None
        self._words: _Feed[Heard] | None = None
        self._begun_ms: dict[str, int] = {}

    def start(self) -> None:
        """From now on frames go over; what the customer was still to hear of the bot is dropped."""
        customer = self._legs["customer"]
        if customer.capabilities.flush:
            customer.flush()
        self._pacer.add(self, self._tick)

    async def run(self) -> Over:
        """Until one side hangs up, or `stop`; then both lines are ended.  Cancelled, it ends them too."""
        over = Over("us", "cancelled")
        try:
            over = await asyncio.shield(self._over)
            return over
        finally:
            self._pacer.remove(self)
            self._finish(over)
            cause = "shutdown" if over.by == "us" else over.by
            await asyncio.gather(*(leg.hang_up(cause) for leg in self._legs.values()))

    def stop(self, cause: str) -> None:
        """End it from here."""
        self._finish(Over("us", cause))

    @property
    def now_ms(self) -> int:
        """The joined call's clock."""
        return round((self._time() - self._began_s) * 1000)

    # -- from the lines

    def from_customer(self, item: LegInput) -> None:
        """The customer's line gives this."""
        self._take("customer", item, self._to_agent)

    def from_agent(self, item: LegInput) -> None:
        """The agent's line gives this."""
        self._take("agent", item, self._to_customer)

    def _take(self, side: Side, item: LegInput, onward: _Direction) -> None:
        if self._over.done():
            return
        if isinstance(item, AudioIn):
            onward.put(item.pcm)
            if self._record is not None or self._tracks is not None:
                self._heard(side, item.pcm)
        elif isinstance(item, DtmfIn):
            if onward.leg.capabilities.dtmf_out:
                onward.leg.send_digits(item.digit)
        elif isinstance(item, WordsIn):
            self._said(side, item)
        elif isinstance(item, HungUpIn):
            self._finish(Over(side, item.cause))

    def _heard(self, side: Side, pcm: bytes) -> None:
        now = self.now_ms
        if self._record is not None:
            record = self._record.customer if side == "customer" else self._record.bot
            record(pcm, max(0, now - FRAME_MS))
        if self._tracks is not None and not self._legs[side].capabilities.words:
            self._tracks.put(TrackIn(side, pcm, now))

    def _said(self, side: Side, words: WordsIn) -> None:
        """Words that a line delivers itself; it is not told when they began to be spoken."""
        if self._words is None:
            return
        name, now = f"{side}-{words.utterance_id or 'line'}", self.now_ms
        begin = self._begun_ms.setdefault(name, now)
        if words.final:
            del self._begun_ms[name]
        if not words.utterance_id:
            name = f"{name}-{begin}"
        self._words.put(Heard(side, name, words.text, begin, now, words.final, words.confidence))

    # -- for those who listen

    def tracks(self) -> AsyncIterator[TrackIn | HungUpIn]:
        """The TwoTracks port, from this call on: sound of the sides whose line brings no words itself."""
        self._tracks = self._tracks or _Feed()
        if self._over.done():
            self._tracks.close()
        return self._tracks.items()

    def words(self) -> AsyncIterator[Heard]:
        """What the lines deliver as words, from this call on."""
        self._words = self._words or _Feed()
        if self._over.done():
            self._words.close()
        return self._words.items()

    # -- time

    def _tick(self) -> None:
        self._to_agent.tick()
        self._to_customer.tick()

    def _finish(self, over: Over) -> None:
        if self._over.done():
            return
        self._over.set_result(over)
        if self._tracks is not None:
            self._tracks.put(HungUpIn(over.by))
            self._tracks.close()
        if self._words is not None:
            self._words.close()


class _Direction:
    """Frames on their way to one line."""

    __slots__ = ("_begun", "_continuous", "_least", "_ticks", "_waiting", "leg")

    def __init__(self, leg: PhoneLeg) -> None:
        self.leg = leg
        self._continuous = leg.capabilities.continuous
        self._waiting: deque[bytes] = deque()
        self._begun = False
        self._ticks, self._least = 0, MOST_WAITING

    def put(self, pcm: bytes) -> None:
        """A frame came from the other line."""
        waiting = self._waiting
        waiting.append(pcm)
        if len(waiting) > MOST_WAITING:
            while len(waiting) > FIRST_AFTER:
                waiting.popleft()

    def tick(self) -> None:
        """A frame is due."""
        waiting = self._waiting
        if not self._begun:
            self._begun = len(waiting) >= FIRST_AFTER
        if self._begun and waiting:
            self.leg.send(waiting.popleft())
        else:
            self._begun = False
            if self._continuous:
                self.leg.send(SILENT_FRAME)
        self._ticks += 1
        self._least = min(self._least, len(waiting))
        if self._ticks == LOOK_EVERY:
            if self._least >= FIRST_AFTER:
                waiting.popleft()
            self._ticks, self._least = 0, MOST_WAITING


class _Feed(Generic[T]):
    """Items for one listener, bounded; no task and no queue for each."""

    def __init__(self) -> None:
        self._items: deque[T] = deque(maxlen=MOST_UNHEARD)
        self._more = asyncio.Event()
        self._closed = False

    def put(self, item: T) -> None:
        self._items.append(item)
        self._more.set()

    def close(self) -> None:
        """What is there still comes, then the end."""
        self._closed = True
        self._more.set()

    async def items(self) -> AsyncIterator[T]:
        while True:
            while self._items:
                yield self._items.popleft()
            if self._closed:
                return
            self._more.clear()
            await self._more.wait()
