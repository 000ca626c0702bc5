"""Gives calls of the bot to people: softphones, extensions, numbers, tried in the order of the settings.

Warm: an agent is rung, his assist page is filled, he is told in a few words what it is about while the
customer hears the holding line, and the two are joined in this process.  Cold: the switch gives the
call to a number, and nobody is told anything.  Until then the customer stays with the bot: whatever
fails raises TransferFailed, and a customer who hangs up cancels it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.bus.assisted import OpenCall
from bot.bus.handed_over import NotHandedOver, handed_over
from bot.bus.tasks import end
from bot.call.parameters import Parameters
from bot.call.pcm import pad_to_frames
from bot.call.ports import TransferFailed, Voice, VoiceDetection, VoiceError
from bot.call.signals import Transfer
from bot.phone.agent_line import AgentLine
from bot.phone.briefing import briefing
from bot.phone.settings import TransferSettings
from bot.processes.calls import Held
from bot.processes.joined_calls import Around, JoinedCall

CLOSING_S = 5.0
FILLING_S = 4.0
"""So long the opening of an assisted call that is not wanted any more is waited for."""

_log = logging.getLogger(__name__)


class AgentLines(Protocol):
    """Where agents can be reached."""

    async def call(self, shown: str, ring_s: float, but: Collection[str]) -> AgentLine:
        """The line of one who answered, none of `but`.  `shown`: who calls, masked.

        Raises TransferFailed; cancelled, nobody is left ringing."""
        ...


@dataclass(frozen=True, slots=True)
class Number:
    """A cold transfer to this number."""

    number: str


Way = AgentLines | Number


@dataclass(frozen=True, slots=True)
class Speaking:
    """How agents are briefed.  `title`: what a script is about, in a language, None where unknown."""

    voice: Voice
    voices: VoiceDetection
    parameters: Parameters
    title: Callable[[str, str], str | None]


class Transfers:
    """All transfers and joined calls of one process."""

    def __init__(
        self, settings: TransferSettings, ways: Sequence[Way], around: Around, speaking: Speaking
    ) -> None:
        """Raises ValueError where the settings give more time than a call waits for a person."""
        most_s = speaking.parameters.move_ms / 1000
        if settings.most_s >= most_s:
            raise ValueError(
                f"transfer.most_s {settings.most_s:g} → below {most_s:g}: a call waits no longer"
            )
        self._settings, self._ways = settings, tuple(ways)
        self._around, self._speaking = around, speaking
        self._joined: dict[str, JoinedCall] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def joined(self) -> int:
        """How many calls are joined now."""
        return len(self._joined)

    async def give(self, held: Held, wanted: Transfer) -> None:
        """Give this call to a person (Wishes.transfer).  Raises TransferFailed, saying what was tried."""
        sound = self._background(self._told(held, wanted))
        failed: list[str] = []
        asked: set[str] = set()
        try:
            async with asyncio.timeout(self._settings.most_s):
                for way in self._ways:
                    if await self._try(way, held, sound, asked, failed):
                        return
        except TimeoutError:
            failed.append(f"nobody took the call within {self._settings.most_s:g} s")
        finally:
            sound.cancel()
        raise TransferFailed("; ".join(failed) or "there is nobody to transfer to")

    async def stop(self) -> None:
        """End the calls that are joined, and wait until nothing is left of them."""
        for joined in list(self._joined.values()):
            joined.stop("shutdown")
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSING_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _try(
        self, way: Way, held: Held, sound: asyncio.Task[bytes], asked: set[str], failed: list[str]
    ) -> bool:
        """Whether somebody has the call now."""
        try:
            if isinstance(way, Number):
                if not held.leg.capabilities.transfer:
                    raise TransferFailed("the customer's line cannot be given to a number")
                await held.leg.transfer(way.number)
                return True
        except TransferFailed as error:
            failed.append(str(error))
            return False
        while True:
            try:
                line = await way.call(_shown(held), self._settings.ring_s, asked)
            except TransferFailed as error:
                failed.append(str(error))
                return False
            asked.add(line.agent_id)
            try:
                await self._take(held, line, sound)
                return True
            except TransferFailed as error:
                failed.append(str(error))
                if not line.agent_id:
                    return False

    async def _take(self, held: Held, line: AgentLine, sound: asyncio.Task[bytes]) -> None:
        """An agent has answered: fill his page, brief him, join.  Raises TransferFailed."""
        joined: JoinedCall | None = None
        filling: asyncio.Task[None] | None = None
        speaking = self._speaking
        try:
            joined = JoinedCall(f"c{secrets.token_hex(10)}", self._around)
            if (call := self._opening(held, line, joined.call_id)) is not None:
                filling = self._background(joined.assist(call))
            if told := await asyncio.shield(sound):
                await line.brief(told, self._around.pacer, speaking.voices, speaking.parameters)
            if filling is not None:
                await asyncio.shield(filling)
            if line.ended is not None:
                raise TransferFailed(f"the agent hung up ({line.ended.cause})")
        except BaseException as error:
            self._background(_let_go(line, joined, filling))
            if isinstance(error, OSError) and not isinstance(error, TimeoutError):
                raise TransferFailed(f"the call with the agent cannot be recorded: {error}") from error
            raise
        self._join(held, line, joined)

    def _join(self, held: Held, line: AgentLine, joined: JoinedCall) -> None:
        """In one go: from one frame to the next the customer hears the agent instead of the bot."""
        bridge = joined.join(held.leg, line)
        held.driver.give_away(bridge.from_customer)
        self._joined[joined.call_id] = joined
        _log.info("call %s goes on between two people as %s", held.facts.call_id, joined.call_id)
        task = self._background(joined.run())
        task.add_done_callback(lambda _: self._joined.pop(joined.call_id, None))

    async def _told(self, held: Held, wanted: Transfer) -> bytes:
        """The briefing's sound; b"" where it cannot be spoken."""
        facts = held.facts
        text = briefing(
            held.events(), language=facts.language, reason=wanted.reason,
            name=str(facts.contact.get("name") or ""),
            about=self._speaking.title(facts.script, facts.language),
        )  # fmt: skip
        try:
            return pad_to_frames(await self._speaking.voice.synthesize(text))
        except VoiceError as error:
            _log.error("call %s: the agent is not briefed: %s", facts.call_id, error)
            return b""

    def _opening(self, held: Held, line: AgentLine, call_id: str) -> OpenCall | None:
        """What the assisted call opens with; None where this agent is not assisted."""
        script = self._settings.assist_script
        if script is None or not line.agent_id:
            return None
        facts = held.facts
        try:
            return handed_over(
                held.events(), call_id=call_id, script=script, agent_id=line.agent_id,
                contact=facts.contact,
                at=datetime.now(facts.started.tzinfo).isoformat(timespec="milliseconds"),
            )  # fmt: skip
        except NotHandedOver as error:
            _log.error("call %s: the agent is not assisted: %s", facts.call_id, error)
            return None

    def _background(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            _log.error("a transfer broke", exc_info=fault)


async def _let_go(line: AgentLine, joined: JoinedCall | None, filling: asyncio.Task[None] | None) -> None:
    """An agent who is not joined after all."""
    await line.leg.hang_up("transfer_failed")
    if filling is not None:  # what may have been opened must not open after its end
        await asyncio.wait({filling}, timeout=FILLING_S)
        await end(filling)
    if joined is not None:
        await joined.give_up()


def _shown(held: Held) -> str:
    """Who calls, as an agent's phone may show it: 138****8000."""
    phone = str(held.facts.contact.get("phone") or "")
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 11 else "****"
