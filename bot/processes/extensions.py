"""Agents at extensions of a switch, rung by that switch; each of their lines is an ear and a mouth here.

FreeSWITCH gives an agent's line as an Arrival of its own: `AgentArrivals` brings it to whoever rang.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Protocol
from uuid import uuid4

from bot.call.ports import PhoneLeg, TransferFailed
from bot.phone.agent_line import AgentLine
from bot.phone.arrivals import Arrival

MEDIA_S = 5.0
"""So long an answered line may take to bring its sound."""


class RingsAgents(Protocol):
    """A switch that can ring an extension."""

    async def ring_agent(self, extension: str, shown: str) -> PhoneLeg:
        """The line once its agent has answered.  `shown`: the number that his phone shows.

        Raises TransferFailed; cancelled, it stops ringing."""
        ...


class Extension:
    """One agent's extension."""

    def __init__(self, switch: RingsAgents, extension: str, agent_id: str, shown: str) -> None:
        """`agent_id`: whose assist page is filled."""
        self._switch, self._extension = switch, extension
        self._agent_id, self._shown = agent_id, shown

    async def call(self, _shown: str, ring_s: float, but: Collection[str]) -> AgentLine:
        """Ring it, for up to `ring_s`.  Raises TransferFailed, also where it is the phone of one of `but`."""
        if self._agent_id and self._agent_id in but:
            raise TransferFailed("the extension's agent was asked already")
        try:
            async with asyncio.timeout(ring_s):
                leg = await self._switch.ring_agent(self._extension, self._shown)
        except TimeoutError as error:
            raise TransferFailed("the extension did not answer") from error
        return AgentLine(self._agent_id, leg)


class RingsLine(Protocol):
    """bot.phone.freeswitch.transfer.WarmTransfer."""

    async def ring(self, agent: str, *, shown: str, parameters: Mapping[str, str]) -> str: ...


class AgentArrivals:
    """Rings where the agent's line comes as an Arrival (`role` agent, and our token)."""

    def __init__(self, switch: RingsLine, kill: Callable[[str], None]) -> None:
        """`kill` hangs a line up by its id."""
        self._switch, self._kill = switch, kill
        self._waiting: dict[str, asyncio.Future[PhoneLeg]] = {}
        self._hanging_up: set[asyncio.Task[None]] = set()

    def take(self, arrival: Arrival) -> bool:
        """An arrival; whether it is an agent's who was rung so.  One who is not waited for any more is
        hung up."""
        token = arrival.parameters.get("agent_call")
        if token is None or arrival.parameters.get("role") != "agent":
            return False
        waits = self._waiting.pop(token, None)
        if waits is not None and not waits.done():
            waits.set_result(arrival.leg)
        else:
            task = asyncio.create_task(arrival.leg.hang_up("cancelled"))
            self._hanging_up.add(task)
            task.add_done_callback(self._hanging_up.discard)
        return True

    async def ring_agent(self, extension: str, shown: str) -> PhoneLeg:
        """RingsAgents."""
        token = uuid4().hex
        comes = self._waiting[token] = asyncio.get_running_loop().create_future()
        line_id = None
        try:
            line_id = await self._switch.ring(extension, shown=shown, parameters={"agent_call": token})
            async with asyncio.timeout(MEDIA_S):
                return await asyncio.shield(comes)
        except BaseException as error:
            if comes.done():
                await comes.result().hang_up("cancelled")
            elif line_id is not None:
                self._kill(line_id)
            if isinstance(error, TimeoutError):
                raise TransferFailed("the agent's line brought no sound") from error
            raise
        finally:
            self._waiting.pop(token, None)
