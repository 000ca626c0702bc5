"""The agents whose softphones wait in this process: free, ringing or talking, and who is rung next.

A softphone's line lasts for one call; its page comes back with a new one.  The agent who has been free
longest is rung first.  Only the lines of this process are known: voice processes that share their
agents are another matter (presence in Redis).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, Protocol, cast, runtime_checkable

from bot.call.ports import PhoneLeg, TransferFailed
from bot.phone.agent_line import AgentLine
from bot.phone.arrivals import Arrival

_log = logging.getLogger(__name__)


@runtime_checkable
class RingingLeg(PhoneLeg, Protocol):
    """A leg that waits until it is rung (bot/phone/browser/page_leg.py)."""

    async def ring(self, caller: str, seconds: float = 30.0) -> bool:
        """Whether its agent answered in time; one who declines ends the leg."""
        ...


@dataclass(slots=True)
class Softphone:
    """One agent's waiting line."""

    line: AgentLine
    state: Literal["free", "ringing", "talking"] = "free"

    @property
    def leg(self) -> RingingLeg:
        """The line as one that can ring."""
        return cast(RingingLeg, self.line.leg)


class Softphones:
    """All of them, by agent, the longest free first."""

    def __init__(self) -> None:
        self._phones: dict[str, Softphone] = {}
        self._hanging_up: set[asyncio.Task[None]] = set()

    @property
    def states(self) -> dict[str, str]:
        """Agent → free, ringing or talking."""
        return {agent: phone.state for agent, phone in self._phones.items()}

    def arrived(self, arrival: Arrival) -> None:
        """A softphone's line is up.  An agent's newer free line replaces the older one; a second one
        beside a call is refused."""
        agent = arrival.parameters.get("agent_id", "")
        if not agent or not isinstance(arrival.leg, RingingLeg):
            _log.error("a softphone without an agent is refused")
            self._hang_up(arrival.leg, "refused")
            return
        before = self._phones.get(agent)
        if before is not None and before.state != "free":
            _log.warning("a second softphone of agent %s is refused: he is %s", agent, before.state)
            self._hang_up(arrival.leg, "refused")
            return
        if before is not None:
            del self._phones[agent]
            self._hang_up(before.line.leg, "replaced")
        self._phones[agent] = phone = Softphone(AgentLine(agent, arrival.leg))
        phone.line.when_ended(lambda: self._gone(phone))

    async def call(self, shown: str, ring_s: float, but: Collection[str]) -> AgentLine:
        """Ring the agents who are free, one after the other, each for up to `ring_s`, until one answers.

        `shown`: who calls, masked.  `but`: agents who are not to be rung (again).  Raises TransferFailed.
        """
        asked = set(but)
        while (phone := self._longest_free(asked)) is not None:
            asked.add(phone.line.agent_id)
            if await self._ring(phone, shown, ring_s):
                return phone.line
        raise TransferFailed("no agent's softphone is free" if asked == set(but) else "no agent answered")

    async def stop(self) -> None:
        """The process stops: lines that wait are ended; those in calls end with their calls."""
        for phone in list(self._phones.values()):
            if phone.state == "free":
                self._hang_up(phone.line.leg, "shutdown")
        await asyncio.gather(*self._hanging_up)

    def _longest_free(self, but: Collection[str]) -> Softphone | None:
        for agent, phone in self._phones.items():
            if phone.state == "free" and agent not in but:
                return phone
        return None

    async def _ring(self, phone: Softphone, shown: str, ring_s: float) -> bool:
        phone.state = "ringing"
        try:
            answered = await phone.leg.ring(shown, ring_s) and phone.line.ended is None
        except BaseException:
            # whoever called is gone: the page must stop ringing, and comes back with a new line
            self._gone(phone)
            self._hang_up(phone.leg, "cancelled")
            raise
        if answered:
            phone.state = "talking"
            return True
        if phone.line.ended is None:  # he did not come to the phone: others are rung before him again
            phone.state = "free"
            self._phones[phone.line.agent_id] = self._phones.pop(phone.line.agent_id)
        return False

    def _gone(self, phone: Softphone) -> None:
        if self._phones.get(phone.line.agent_id) is phone:
            del self._phones[phone.line.agent_id]

    def _hang_up(self, leg: PhoneLeg, cause: str) -> None:
        task = asyncio.create_task(leg.hang_up(cause), name="softphone ends")
        self._hanging_up.add(task)
        task.add_done_callback(self._hanging_up.discard)
