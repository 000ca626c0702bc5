"""One line with two tracks, heard to its end: its sound recorded, its words brought to the bus."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence

import msgspec

from bot.bus.assisted import Posted, Utterance
from bot.bus.tasks import end
from bot.call.ports import FRAME_MS, HungUpIn, RecogniserError
from bot.call.recorder import Recorder
from bot.data_folder import DataFolderError, data_folder
from bot.listening.ports import TrackIn
from bot.listening.two_ears import TwoEars
from bot.phone.two_tracks import TwoTrackLine
from bot.processes.listener import Calls, Listener, listen

_log = logging.getLogger(__name__)


class Recorded:
    """A line's tracks, recorded as they pass: the customer left, the agent right.

    Where it cannot be recorded the call is listened to all the same: it is not ours to prevent.
    """

    def __init__(self, line: TwoTrackLine, call_id: str) -> None:
        self.line, self._call_id = line, call_id
        self._recorder: Recorder | None = None

    def __enter__(self) -> Recorded:
        try:
            self._recorder = Recorder(data_folder("recordings"), self._call_id)
        except (OSError, DataFolderError) as error:
            self._failed(error)
        return self

    def __exit__(self, *exc: object) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            try:
                recorder.close()
            except OSError as error:
                self._failed(error)

    async def tracks(self) -> AsyncIterator[TrackIn | HungUpIn]:
        """What the line gives."""
        async for item in self.line.tracks():
            if self._recorder is not None and isinstance(item, TrackIn):
                take = self._recorder.customer if item.side == "customer" else self._recorder.bot
                try:
                    take(item.pcm, max(0, item.at_ms - FRAME_MS))
                except OSError as error:
                    self._failed(error)
            yield item

    def _failed(self, error: Exception) -> None:
        self._recorder = None
        _log.error("call %s is not recorded: %s", self._call_id, error)


class Shifted:
    """Posts words of a line that came up `shift_ms` after its call had begun."""

    def __init__(self, calls: Calls, shift_ms: int) -> None:
        self._calls, self._shift_ms = calls, shift_ms

    async def post(self, call_id: str, utterances: Sequence[Utterance]) -> list[Posted]:
        """As the calls' own.  Raises BusDown."""
        return await self._calls.post(call_id, [self._shifted(each) for each in utterances])

    def _shifted(self, said: Utterance) -> Utterance:
        begin_ms, end_ms = said.begin_ms + self._shift_ms, said.end_ms + self._shift_ms
        return msgspec.structs.replace(said, begin_ms=begin_ms, end_ms=end_ms)


async def overhear(call_id: str, tracks: Recorded, ears: TwoEars | None, listener: Listener) -> str:
    """Pass the words of both sides on until the line ends: its cause.  Raises CallGone.

    `ears`: needed where the line does not deliver the words; without them it is only recorded.
    """
    if tracks.line.delivers_words:
        return await _passed_on(tracks, listener)
    try:
        if ears is None:
            raise RecogniserError("the voice process was started without --recogniser HOST:PORT")
        try:
            return await listen(tracks, ears, listener)
        finally:
            await ears.close()
    except RecogniserError as error:
        _log.error("call %s is recorded and not heard: %s", call_id, error)
        return await _to_the_end(tracks)


async def _passed_on(tracks: Recorded, listener: Listener) -> str:
    """The words that the line delivers, to its end: its cause.  Raises CallGone."""
    passing = asyncio.create_task(listener.pass_on(tracks.line.heard()), name="words of a line")
    draining = asyncio.create_task(_to_the_end(tracks), name="sound of a line")
    try:
        await asyncio.wait((passing, draining), return_when=asyncio.FIRST_COMPLETED)
        if passing.done():
            passing.result()
        cause = await draining
        await passing
        return cause
    finally:
        await end(passing, draining)


async def _to_the_end(tracks: Recorded) -> str:
    """Nobody listens; it is recorded."""
    async for item in tracks.tracks():
        if isinstance(item, HungUpIn):
            return item.cause
    return "line_lost"
