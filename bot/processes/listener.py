"""Feeds what two people say to an assisted call: words as they are recognised, or sound to recognise.

    await Listener(calls, call_id).pass_on(words)               # words come by themselves
    await listen(leg, ears, Listener(calls, call_id))           # two tracks of sound

Runs as a task of whatever process has the line.  Words that wait for the bus are joined: of an
utterance only the newest partial text is sent, a final text always, again where it is not known
that it arrived (the bus knows a final by its id).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from bot.bus.assisted import Posted, Utterance
from bot.bus.errors import BusDown
from bot.bus.tasks import end
from bot.call.ports import HungUpIn
from bot.listening.ports import Heard, Side, TwoTracks
from bot.listening.two_ears import TwoEars

RETRY_S = 0.2
MOST_WAITING = 1000
"""Utterances kept for a bus that is away: half an hour of talk; then the oldest go."""

_log = logging.getLogger(__name__)


class CallGone(Exception):
    """The call does not take words (any more): `outcome` is ended or unknown."""

    def __init__(self, call_id: str, outcome: str) -> None:
        super().__init__(f"call {call_id} takes no words: {outcome}")
        self.outcome = outcome


class Calls(Protocol):
    """As much of bot.bus.assisted.AssistedCalls as a listener needs."""

    async def post(self, call_id: str, utterances: Sequence[Utterance]) -> list[Posted]: ...


class Listener:
    """One call's words on their way to the bus."""

    def __init__(self, calls: Calls, call_id: str, *, retry_s: float = RETRY_S) -> None:
        self._calls, self._call_id, self._retry_s = calls, call_id, retry_s
        self._waiting: dict[str, Heard] = {}
        self._more = asyncio.Event()
        self._last = False

    async def pass_on(self, words: AsyncIterator[Heard]) -> None:
        """Post words as they come, until they end and all are posted.

        Raises CallGone where the call has ended meanwhile, or never was.
        """
        sending = asyncio.create_task(self._send(), name=f"listener {self._call_id}")
        reading = asyncio.create_task(self._read(words), name=f"words {self._call_id}")
        try:
            await asyncio.wait((sending, reading), return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
            await sending
        finally:
            await end(sending, reading)

    async def _read(self, words: AsyncIterator[Heard]) -> None:
        try:
            async for heard in words:
                self._waiting.pop(heard.utterance_id, None)
                self._waiting[heard.utterance_id] = heard
                while len(self._waiting) > MOST_WAITING:
                    lost = self._waiting.pop(next(iter(self._waiting)))
                    _log.error(
                        "call %s: the bus is away, utterance %s is lost", self._call_id, lost.utterance_id
                    )
                self._more.set()
        finally:
            self._last = True
            self._more.set()

    async def _send(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            while self._waiting:
                await self._post()
            if self._last:
                return

    async def _post(self) -> None:
        batch = list(self._waiting.values())
        try:
            posted = await self._calls.post(self._call_id, [_utterance(heard) for heard in batch])
        except BusDown as error:
            _log.warning("call %s: words wait: %s", self._call_id, error)
            await asyncio.sleep(self._retry_s)
            return
        for heard in batch:
            if self._waiting.get(heard.utterance_id) is heard:
                del self._waiting[heard.utterance_id]
        for result in posted:
            if result.outcome in ("ended", "unknown"):
                raise CallGone(self._call_id, result.outcome)


async def listen(
    leg: TwoTracks,
    ears: TwoEars,
    listener: Listener,
    phrases: Mapping[Side, Sequence[str]] | None = None,
) -> str:
    """Recognise both tracks of `leg` and pass the words on until it hangs up; the cause of that.

    `phrases`: what each side will probably say, for recognisers with a closed grammar.
    Raises RecogniserError where there is no recogniser, CallGone.
    """
    await ears.open()
    for side, likely in (phrases or {}).items():
        await ears.expect(side, likely)
    passing = asyncio.create_task(listener.pass_on(ears.heard()))
    cause = "line_lost"
    try:
        async for item in leg.tracks():
            if isinstance(item, HungUpIn):
                cause = item.cause
                break
            if passing.done():
                break
            await ears.feed(item)
        await ears.close()
        await passing
    finally:
        await end(passing)
    return cause


def _utterance(heard: Heard) -> Utterance:
    return Utterance(
        utterance_id=heard.utterance_id, party=heard.side, text=heard.text, begin_ms=heard.begin_ms,
        end_ms=heard.end_ms, final=heard.final, asr_confidence=heard.confidence,
    )  # fmt: skip
