"""Two ears: voice detection and a recogniser stream for each side of a call, joined to words with times.

Time is that of the frames; no clock is read.  A recogniser that fails leaves its side deaf, is
named in the log once, and the other side goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from bot.bus.tasks import end
from bot.call.parameters import Parameters
from bot.call.ports import Recogniser, RecogniserError, RecogniserStream, VoiceDetector
from bot.call.signals import EndUtterance
from bot.call.voice_gate import VoiceGate
from bot.listening.ports import SIDES, Heard, Side, TrackIn
from bot.listening.side import Output, SideOfCall, SideParameters

LAST_WORDS_S = 1.0
"""How long the recogniser may take for its last final texts when the call is over."""

_log = logging.getLogger(__name__)


class TwoEars:
    """Both sides of one call.  Open it, feed it frames in order of time, read `heard()`, close it."""

    def __init__(
        self,
        call_id: str,
        recogniser: Recogniser,
        detector: Callable[[], VoiceDetector],
        parameters: SideParameters | None = None,
    ) -> None:
        """`detector` makes a voice detector; each side gets one of its own."""
        self._call_id, self._recogniser = call_id, recogniser
        self._out: asyncio.Queue[Heard | None] = asyncio.Queue()
        self._ears = {side: _Ear(call_id, side, detector(), parameters, self._out) for side in SIDES}

    async def open(self) -> None:
        """Begin to listen.  Raises RecogniserError where there is no recogniser."""
        for side, ear in self._ears.items():
            ear.listen(await self._recogniser.open(f"{self._call_id}-{side}"))

    async def expect(self, side: Side, phrases: Sequence[str]) -> None:
        """What this side will probably say, for recognisers with a closed grammar."""
        await self._ears[side].expect(phrases)

    async def feed(self, track: TrackIn) -> None:
        """20 ms of one side."""
        await self._ears[track.side].feed(track)

    async def heard(self) -> AsyncIterator[Heard]:
        """Words of both sides as they come, until `close`."""
        while (heard := await self._out.get()) is not None:
            yield heard

    async def close(self) -> None:
        """Wait for the last words, then free the streams; `heard` ends."""
        await asyncio.gather(*(ear.close() for ear in self._ears.values()))
        self._out.put_nowait(None)


class _Ear:
    """One side: its voice detection, its stream, its utterances."""

    def __init__(
        self,
        call_id: str,
        side: Side,
        detector: VoiceDetector,
        parameters: SideParameters | None,
        out: asyncio.Queue[Heard | None],
    ) -> None:
        self._call_id, self._side, self._out = call_id, side, out
        self._detector, self._gate = detector, VoiceGate(Parameters())
        self._utterances = SideOfCall(side, parameters)
        self._stream: RecogniserStream | None = None
        self._deaf = False
        self._words: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()

    def listen(self, stream: RecogniserStream) -> None:
        """Take this stream for the call."""
        self._stream = stream
        self._words = asyncio.create_task(self._hear(stream), name=f"words {self._call_id} {self._side}")

    async def expect(self, phrases: Sequence[str]) -> None:
        """Tell the recogniser."""
        await self._safely(lambda stream: stream.expect(phrases))

    async def feed(self, track: TrackIn) -> None:
        """20 ms: to the recogniser first, then to the voice detection, which may end an utterance."""
        if self._deaf:
            return
        await self._safely(lambda stream: stream.feed(track.pcm))
        found = self._gate.step(self._detector.probability(track.pcm), track.at_ms)
        await self._obey(self._utterances.voice(found) if found else self._utterances.tick(track.at_ms))

    async def close(self) -> None:
        """End what is being said, wait for its words a little, free the stream."""
        await self._obey(self._utterances.end())
        if not self._deaf and self._utterances.waits:
            self._settled.clear()
            try:
                await asyncio.wait_for(self._settled.wait(), LAST_WORDS_S)
            except TimeoutError:
                _log.warning("call %s: the last words of the %s did not come", self._call_id, self._side)
        if self._stream is not None:
            await self._stream.close()
        if self._words is not None:
            await end(self._words)
        await self._obey(self._utterances.give_up())

    async def _hear(self, stream: RecogniserStream) -> None:
        try:
            async for words in stream.words():
                await self._obey(self._utterances.words(words))
                if not self._utterances.waits:
                    self._settled.set()
        except RecogniserError as error:
            await self._failed(error)

    async def _obey(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if isinstance(output, Heard):
                self._out.put_nowait(output)
            elif isinstance(output, EndUtterance):
                await self._safely(lambda stream: stream.end_utterance())

    async def _safely(self, work: Callable[[RecogniserStream], Awaitable[None]]) -> None:
        if self._stream is None or self._deaf:
            return
        try:
            await work(self._stream)
        except RecogniserError as error:
            await self._failed(error)

    async def _failed(self, error: RecogniserError) -> None:
        """Deaf from now on; what was half heard is passed on."""
        if not self._deaf:
            self._deaf = True
            _log.error("call %s: the %s is not heard any more: %s", self._call_id, self._side, error)
            await self._obey(self._utterances.give_up())
            self._settled.set()
