"""A customer and an agent who talk to each other here: bridged, recorded, heard for the assist page.

The assisted call opens before the agent says hello and ends with the first who hangs up; what both say
reaches it as the lines' own words, or through the recogniser.  Without an assist worker, a recogniser
or a bus the two talk all the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bot.bus import BusError
from bot.bus.assisted import CallMeta, NoWorker, OpenCall, Posted, Utterance
from bot.bus.tasks import end
from bot.call.pacer import Pacer
from bot.call.ports import PhoneLeg, Recogniser, RecogniserError, VoiceDetector
from bot.call.recorder import Recorder
from bot.listening.two_ears import TwoEars
from bot.phone.agent_line import AgentLine
from bot.phone.bridge import Bridge, Over
from bot.processes.listener import CallGone, Listener, listen

LAST_WORDS_S = 3.0
"""So long the last words may take when the two have hung up."""

END_AGAIN_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""The end of an assisted call is told again where the bus is away."""

_log = logging.getLogger(__name__)


class Assist(Protocol):
    """As much of bot.bus.assisted.AssistedCalls as is needed."""

    async def open(self, call: OpenCall) -> CallMeta: ...

    async def post(self, call_id: str, utterances: Sequence[Utterance]) -> list[Posted]: ...

    async def end(self, call_id: str, by: str, at_ms: int, disposition: str | None = None) -> Posted: ...


@dataclass(frozen=True, slots=True)
class Around:
    """What joined calls share.  `assist`: None where nobody is assisted; `recogniser`: None where the
    lines deliver the words.  `detector` makes a voice detector for one side."""

    pacer: Pacer
    recordings: Path
    assist: Assist | None = None
    recogniser: Recogniser | None = None
    detector: Callable[[], VoiceDetector] | None = None


class JoinedCall:
    """One of them.  Made before the agent is briefed; then `join` and `run`, or `give_up`."""

    def __init__(self, call_id: str, around: Around) -> None:
        """`call_id`: of the assisted call and the recording.  Raises OSError: it cannot be recorded."""
        self.call_id, self._around = call_id, around
        self._time = asyncio.get_running_loop().time
        self._began_s = self._time()
        self._opened = self._assisted = False
        self._recorder = Recorder(around.recordings, call_id)
        self._bridge: Bridge | None = None

    async def assist(self, call: OpenCall) -> None:
        """Fill the agent's page; where that cannot be done, the log says why."""
        if self._around.assist is None:
            return
        self._opened = True  # where it is not known whether it did, it is ended all the same
        try:
            await self._around.assist.open(call)
        except BusError as error:
            _log.error("call %s is not assisted: %s", self.call_id, error)
            self._opened = not isinstance(error, NoWorker)
            return
        self._began_s = self._time()
        self._assisted = True

    def join(self, customer: PhoneLeg, agent: AgentLine) -> Bridge:
        """From now on the two hear each other; whoever has the customer's line gives it to the bridge."""
        self._bridge = Bridge(
            customer, agent.leg, self._around.pacer, began_s=self._began_s, record=self._recorder
        )
        agent.give_to(self._bridge.from_agent)
        self._bridge.start()
        return self._bridge

    async def run(self) -> Over:
        """Until one hangs up; nothing is left over then."""
        bridge = self._bridge
        assert bridge is not None, "join comes first"
        hearing = [asyncio.create_task(self._safely(work)) for work in self._hearing(bridge)]
        over = Over("us", "cancelled")
        try:
            over = await bridge.run()
            if hearing:
                await asyncio.wait(hearing, timeout=LAST_WORDS_S)
        finally:
            self._recorder.close()
            await end(*hearing)
            await self._end(over.by if over.by != "us" else "system")
        return over

    async def give_up(self) -> None:
        """They are not joined after all."""
        self._recorder.close()
        self._recorder.path.unlink(missing_ok=True)
        await self._end("system")

    def stop(self, cause: str) -> None:
        """End it from here; `run` returns."""
        if self._bridge is not None:
            self._bridge.stop(cause)

    def _hearing(self, bridge: Bridge) -> list[Coroutine[Any, Any, object]]:
        around, name = self._around, self.call_id
        if not self._assisted or around.assist is None:
            return []
        works: list[Coroutine[Any, Any, object]] = [Listener(around.assist, name).pass_on(bridge.words())]
        if around.recogniser is not None and around.detector is not None:
            ears = TwoEars(name, around.recogniser, around.detector)
            works.append(listen(bridge, ears, Listener(around.assist, name)))
        return works

    async def _safely(self, work: Coroutine[Any, Any, object]) -> None:
        """Whoever does not listen any more leaves the two talking."""
        try:
            await work
        except CallGone as gone:
            _log.warning("%s", gone)
        except RecogniserError as error:
            _log.error("call %s is not heard: %s", self.call_id, error)
        except Exception:
            _log.exception("call %s is not heard any more", self.call_id)

    async def _end(self, by: str) -> None:
        if not self._opened or self._around.assist is None:
            return
        self._opened = False
        at_ms = round((self._time() - self._began_s) * 1000)
        for wait_s in (*END_AGAIN_S, None):
            try:
                await self._around.assist.end(self.call_id, by, at_ms, None)
                return
            except BusError as error:
                _log.warning("the end of call %s is not told yet: %s", self.call_id, error)
            if wait_s is not None:
                await asyncio.sleep(wait_s)
        _log.error("the end of call %s was never told", self.call_id)
