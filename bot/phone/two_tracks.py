"""A line with a track for each side, listened to: its frames and words on one clock, the call's.

Each track comes at its sender's pace, up to some percent fast or slow, and late by what the network
adds.  A frame's place on the call's clock is therefore found anew: its number times 20 ms, plus the
least lateness that was seen lately.  Counting frames alone would put the two sides 12 s apart after
ten minutes at 2 %.  Times are ms since the line came up.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from typing import Protocol

from bot.call.ports import (
    FRAME_MS,
    AudioIn,
    HungUpIn,
    LegCapabilities,
    LegInput,
    Receive,
    TransferFailed,
    WordsIn,
)
from bot.listening.ports import SIDES, Heard, Side, TrackIn

WINDOW_FRAMES = 25
"""The least lateness is that of the last 25 to 50 frames: a slow track is 20 ms early at 2 %."""

GAP_MS = 1000
"""A track that was silent for so long starts anew: it is not late, it had nothing to send."""

MOST_WAITING = 3000
"""Frames kept for whoever listens: half a minute of both sides; then the oldest go."""

_log = logging.getLogger(__name__)


class TrackClock:
    """Where the frames of one track lie on the call's clock.  Pure."""

    __slots__ = ("_before_ms", "_came_ms", "_frames", "_last_ms", "_least_ms")

    def __init__(self) -> None:
        self._frames = 0
        self._last_ms = 0
        self._came_ms = float("-inf")
        self._before_ms = self._least_ms = float("inf")

    def place(self, came_ms: float) -> int:
        """When the frame that comes now ended; never before the one before it."""
        self._frames += 1
        late_ms = came_ms - self._frames * FRAME_MS
        if came_ms - self._came_ms > GAP_MS:
            self._before_ms = self._least_ms = late_ms
        elif self._frames % WINDOW_FRAMES == 0:
            self._before_ms, self._least_ms = self._least_ms, late_ms
        elif late_ms < self._least_ms:
            self._least_ms = late_ms
        self._came_ms = came_ms
        ended_ms = self._frames * FRAME_MS + min(self._before_ms, self._least_ms)
        self._last_ms = max(self._last_ms, round(ended_ms))
        return self._last_ms


class LineWords:
    """One side's words where the line itself delivers them; they are timed by when they come.  Pure."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._number = 1
        self._begin_ms: int | None = None
        self._last: Heard | None = None

    def take(self, words: WordsIn, at_ms: int) -> Heard | None:
        """What is to be passed on; None for what holds no word."""
        text = words.text.strip()
        if not text and words.final and self._last is not None:
            text = self._last.text
        if not text:
            return None
        if self._begin_ms is None:
            self._begin_ms = at_ms
        name = f"{self._side[0]}{self._number}"
        heard = Heard(self._side, name, text, self._begin_ms, at_ms, words.final, words.confidence)
        if words.final:
            self._number += 1
            self._begin_ms = self._last = None
        else:
            self._last = heard
        return heard

    def end(self, at_ms: int) -> Heard | None:
        """The call is over: what was half said is all there will be."""
        return self.take(WordsIn("", True), at_ms)


class Source(Protocol):
    """What has two tracks: a PhoneLeg, or both sides of somebody else's channel."""

    def listen(self, receive: Receive) -> None: ...

    async def hang_up(self, cause: str) -> None: ...


class TwoTrackLine:
    """One line; what comes is kept from now on until `tracks` and `heard` are read."""

    def __init__(self, source: Source, *, words: bool = False) -> None:
        """`words`: the line delivers them itself.  On a running loop."""
        self.delivers_words = words
        self._source = source
        self._time_s = asyncio.get_running_loop().time
        self._began_s = self._came_s = self._time_s()
        self._clocks = {side: TrackClock() for side in SIDES}
        self._speakers = {side: LineWords(side) for side in SIDES}
        self._sound: deque[TrackIn] = deque(maxlen=MOST_WAITING)
        self._words: deque[Heard] = deque(maxlen=MOST_WAITING)
        self._more_sound, self._more_words = asyncio.Event(), asyncio.Event()
        self._lost = False
        self.over: HungUpIn | None = None
        source.listen(self._take)

    @property
    def now_ms(self) -> int:
        """The call's clock."""
        return int((self._time_s() - self._began_s) * 1000)

    @property
    def quiet_s(self) -> float:
        """How long nothing has come, not even silence."""
        return self._time_s() - self._came_s

    async def tracks(self) -> AsyncIterator[TrackIn | HungUpIn]:
        """Both sides' frames as they come; ends after HungUpIn."""
        while True:
            while self._sound:
                yield self._sound.popleft()
            if self.over is not None:
                yield self.over
                return
            self._more_sound.clear()
            await self._more_sound.wait()

    async def heard(self) -> AsyncIterator[Heard]:
        """The words that the line delivers; ends with it."""
        while True:
            while self._words:
                yield self._words.popleft()
            if self.over is not None:
                return
            self._more_words.clear()
            await self._more_words.wait()

    async def hang_up(self, cause: str) -> None:
        """Listen no more; the people go on talking.  A second call does nothing."""
        self._end(cause)
        await self._source.hang_up(cause)

    def _take(self, item: LegInput) -> None:
        if self.over is not None:
            return
        self._came_s = self._time_s()
        if isinstance(item, AudioIn):
            ended_ms = self._clocks[item.side].place((self._came_s - self._began_s) * 1000)
            if len(self._sound) == MOST_WAITING and not self._lost:
                self._lost = True
                _log.error("a line with two tracks is not listened to fast enough: sound is lost")
            self._sound.append(TrackIn(item.side, item.pcm, ended_ms))
            self._more_sound.set()
        elif isinstance(item, WordsIn):
            self._say(self._speakers[item.side].take(item, self.now_ms))
        elif isinstance(item, HungUpIn):
            self._end(item.cause)

    def _say(self, heard: Heard | None) -> None:
        if heard is not None:
            self._words.append(heard)
            self._more_words.set()

    def _end(self, cause: str) -> None:
        if self.over is None:
            for speaker in self._speakers.values():
                self._say(speaker.end(self.now_ms))
            self.over = HungUpIn(cause)
            self._more_sound.set()
            self._more_words.set()


class OverheardLeg:
    """A source that is no PhoneLeg (two snoop channels) as one that can only be listened to."""

    capabilities = LegCapabilities(two_tracks=True, continuous=False)

    def __init__(self, source: Source) -> None:
        self._source = source

    def listen(self, receive: Receive) -> None:
        """Both sides, then HungUpIn."""
        self._source.listen(receive)

    async def hang_up(self, cause: str) -> None:
        """Listen no more."""
        await self._source.hang_up(cause)

    def send(self, pcm: bytes) -> None:
        """Nothing can be said here."""

    def mark(self, name: str) -> None:
        """Nothing is played here."""

    def flush(self) -> None:
        """Nothing is played here."""

    def send_digits(self, digits: str) -> None:
        """No keys either."""

    async def transfer(self, target: str) -> None:
        """Raises TransferFailed: the call is not ours."""
        raise TransferFailed("a line that is only listened to cannot be transferred")
