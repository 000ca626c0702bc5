"""An agent's line before the customer is on it: who gets what it says changes, and it can be briefed.

The briefing is a whisper: the agent alone hears it.  He ends it by a key, or by speaking: he has heard
enough and is joined at once.  His hello within HELLO_MS of the beginning ends nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bot.call.pacer import Pacer
from bot.call.parameters import Parameters
from bot.call.playout import Found, Playout
from bot.call.ports import (
    AudioIn,
    DtmfIn,
    HungUpIn,
    LegInput,
    MarkIn,
    PhoneLeg,
    Receive,
    TransferFailed,
    VoiceDetection,
)
from bot.call.signals import LineDone, VoiceStarted
from bot.call.voice_gate import VoiceGate

HELLO_MS = 1500
"""Who answers a phone says hello."""


class AgentLine:
    """One agent's line, listened to from here on.  `ended`: how it hung up, None while it is there."""

    def __init__(self, agent_id: str, leg: PhoneLeg) -> None:
        """`agent_id`: "" where nobody knows whose it is."""
        self.agent_id, self.leg = agent_id, leg
        self.ended: HungUpIn | None = None
        self._receive: Receive | None = None
        self._when_ended: Callable[[], None] | None = None
        leg.listen(self._take)

    def when_ended(self, tell: Callable[[], None]) -> None:
        """`tell` is told of the end, whoever gets what the line gives; at once where it is over."""
        self._when_ended = tell
        if self.ended is not None:
            tell()

    def give_to(self, receive: Receive | None) -> None:
        """From now on this one gets what the line gives (None: nobody), its end where that came before."""
        self._receive = receive
        if receive is not None and self.ended is not None:
            receive(self.ended)

    async def brief(self, sound: bytes, pacer: Pacer, voices: VoiceDetection, parameters: Parameters) -> None:
        """Play `sound` (whole frames) to the agent; done when he has heard it, or enough of it.

        Raises TransferFailed where he hangs up.
        """
        whisper = _Whisper(self.leg, sound, pacer, voices, parameters)
        self.give_to(whisper.take)
        try:
            await whisper.run()
        finally:
            self.give_to(None)

    def _take(self, item: LegInput) -> None:
        if isinstance(item, HungUpIn):
            self.ended = item
            if self._when_ended is not None:
                self._when_ended()
        if self._receive is not None:
            self._receive(item)


class _Whisper:
    """One briefing."""

    def __init__(
        self, leg: PhoneLeg, sound: bytes, pacer: Pacer, voices: VoiceDetection, parameters: Parameters
    ) -> None:
        loop = asyncio.get_running_loop()
        self._time, self._began_s = loop.time, loop.time()
        self._pacer, self._playout = pacer, Playout(leg, parameters)
        self._gate, self._voice = VoiceGate(parameters), voices.open(self._chance)
        self._done: asyncio.Future[None] = loop.create_future()
        self._playout.play(1, (sound,))

    async def run(self) -> None:
        """To its end.  Raises TransferFailed."""
        self._pacer.add(self, self._tick)
        try:
            await self._done
        finally:
            self._pacer.remove(self)
            self._voice.close()
            self._playout.stop()

    def take(self, item: LegInput) -> None:
        """What the agent's line gives."""
        if self._done.done():
            return
        if isinstance(item, AudioIn):
            self._voice.feed(item.pcm)
        elif isinstance(item, MarkIn):
            self._played(self._playout.marked(item.name, self._now()))
        elif isinstance(item, DtmfIn):
            self._done.set_result(None)
        elif isinstance(item, HungUpIn):
            self._done.set_exception(TransferFailed(f"the agent hung up in the briefing ({item.cause})"))

    def _now(self) -> int:
        return round((self._time() - self._began_s) * 1000)

    def _tick(self) -> None:
        self._played(self._playout.tick(self._now()))

    def _played(self, found: list[Found]) -> None:
        if any(isinstance(one, LineDone) for one in found) and not self._done.done():
            self._done.set_result(None)

    def _chance(self, chance: float) -> None:
        found = self._gate.step(chance, self._now())
        if isinstance(found, VoiceStarted) and found.since_ms >= HELLO_MS and not self._done.done():
            self._done.set_result(None)
