"""A warm transfer: the agent's extension is rung, briefed alone, then bridged with the customer.

The customer stays with the bot until the agent is in the bridge, so a transfer that fails for any
reason leaves them talking.  A customer who hangs up meanwhile frees the agent.  Afterwards the two
are held together here: when one hangs up, so does the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar
from uuid import uuid4

from bot.call.ports import PhoneLeg, TransferFailed
from bot.phone.asterisk.ari_bridge import Attacher, AttachFailed
from bot.phone.asterisk.ari_channels import AriChannel, AriChannels
from bot.phone.asterisk.ari_client import AriFault, AriRefused
from bot.phone.asterisk.ari_leftovers import AGENT_PREFIX, Pair
from bot.phone.asterisk.ari_leg import AriLeg, dial_string
from bot.phone.asterisk.ari_operations import Operations

Brief = Callable[[PhoneLeg], Awaitable[None]]
"""Speaks to the agent alone; may wait for a key.  Raises TransferFailed where the agent declines."""

T = TypeVar("T")

_WHY = {
    "busy": "the agent is on the phone",
    "no_answer": "the agent did not answer",
    "rejected": "the agent declined",
    "unreachable": "the agent's phone is not there",
    "normal": "the agent hung up during the briefing",
}


class TwoPeople:
    """A customer and an agent in one bridge, without the bot.

    `over` is done when they are: with the side that hung up first, or "us".
    """

    def __init__(
        self, customer: AriChannel, agent: AriChannel, bridge_id: str, operations: Operations
    ) -> None:
        self.customer_channel_id = customer.id
        self.agent_channel_id = agent.id
        self.bridge_id = bridge_id
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._operations = operations
        customer.gone.add_done_callback(lambda _: self._end("customer"))
        agent.gone.add_done_callback(lambda _: self._end("agent"))

    async def hang_up(self) -> None:
        """End both lines; a second call does nothing."""
        self._end("us")

    def _end(self, who: str) -> None:
        if self.over.done():
            return
        self.over.set_result(who)
        both = [self.customer_channel_id, self.agent_channel_id]
        self._operations.undo(channels=both, bridges=[self.bridge_id])


class AriTransfers:
    """Brings agents in."""

    def __init__(self, operations: Operations, channels: AriChannels, attacher: Attacher) -> None:
        self._operations = operations
        self._channels = channels
        self._attacher = attacher

    def resume(self, pair: Pair) -> TwoPeople:
        """Hold a customer and an agent together whom a process that died has joined."""
        customer, agent = self._channels.adopt(pair.customer_id), self._channels.adopt(pair.agent_id)
        return TwoPeople(customer, agent, pair.bridge_id, self._operations)

    async def call_agent(self, extension: str, *, caller: str | None = None) -> AriLeg:
        """Ring an agent's extension; their line, once they answer: their own ear and mouth.

        `caller`: what their phone shows.  Raises TransferFailed; whoever is called off is not left
        ringing.
        """
        settings = self._operations.settings
        try:
            endpoint = dial_string(settings.agent, extension)
        except ValueError as error:
            raise TransferFailed(str(error)) from error
        agent = self._channels.make(f"{AGENT_PREFIX}{uuid4().hex}")
        try:
            await self._operations.originate(
                agent.id, endpoint, ring_s=settings.ring_s, args="agent=1", caller=caller
            )
            self._channels.confirm(agent)
            if not await agent.wait_started(settings.ring_s + settings.timeout_s):
                raise TransferFailed(_reason(agent) if agent.gone.done() else _WHY["no_answer"])
            return await self._attacher.attach(agent)
        except BaseException as error:
            agent.cancelled = True
            self._operations.undo(channels=[agent.id])
            if isinstance(error, AriRefused):
                self._channels.forget(agent.id)
                raise TransferFailed(f"the switch cannot call the agent: {error}") from error
            if isinstance(error, AriFault | AttachFailed):
                raise TransferFailed(f"the agent's line: {error}") from error
            raise

    async def warm(
        self, customer: AriLeg, extension: str, brief: Brief, *, caller: str | None = None
    ) -> TwoPeople:
        """Ring, brief, join.  The bot's leg then ends with HungUpIn "transferred".

        Raises TransferFailed: the customer is with the bot as before, or has hung up.
        """
        agent = await self._while_there(customer, self.call_agent(extension, caller=caller))
        try:
            await self._while_there(customer, self._brief(agent, brief))
        except BaseException:
            agent.stop("transfer_failed")
            raise
        return await self.join(customer, agent)

    async def join(self, customer: AriLeg, agent: AriLeg) -> TwoPeople:
        """Let a customer and an agent talk to each other; both legs end with HungUpIn "transferred".

        Raises TransferFailed: the agent is let go, the customer is on their leg as before.
        """
        try:
            await self._while_there(customer, self._move(customer, agent))
        except BaseException:
            agent.stop("transfer_failed")
            raise
        people = TwoPeople(customer.channel, agent.channel, customer.bridge_id, self._operations)
        agent.release(keep_bridge=False)
        customer.release(keep_bridge=True)
        return people

    async def _while_there(self, customer: AriLeg, work: Coroutine[Any, Any, T]) -> T:
        """`work`, given up when the customer hangs up."""
        task = asyncio.ensure_future(work)
        gone = customer.channel.gone
        try:
            if not customer.ended:
                await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
            if customer.ended or gone.done():
                raise TransferFailed("the customer hung up")
            return task.result()
        except BaseException:
            task.cancel()
            [made] = await asyncio.gather(task, return_exceptions=True)
            if isinstance(made, AriLeg):
                made.stop("transfer_failed")
            raise

    async def _brief(self, agent: AriLeg, brief: Brief) -> None:
        speaking = asyncio.ensure_future(brief(agent))
        try:
            await asyncio.wait((speaking, agent.channel.gone), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
            raise
        if agent.channel.gone.done() or agent.ended:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
            raise TransferFailed(_reason(agent.channel) if agent.channel.gone.done() else _WHY["normal"])
        if speaking.cancelled():
            raise TransferFailed("the briefing was given up")
        try:
            speaking.result()
        except TransferFailed:
            raise
        except Exception as error:
            raise TransferFailed(f"the briefing broke: {type(error).__name__}") from error

    async def _move(self, customer: AriLeg, agent: AriLeg) -> None:
        """The agent moves to the customer's bridge, where the bot still is."""
        try:
            await self._operations.remove(agent.bridge_id, agent.channel.id)
            await self._operations.add(customer.bridge_id, [agent.channel.id])
        except AriFault as fault:
            raise TransferFailed(f"the agent could not be joined: {fault}") from fault
        if agent.channel.gone.done() or agent.ended:
            raise TransferFailed(_WHY["normal"])


def _reason(agent: AriChannel) -> str:
    outcome = agent.outcome()
    return _WHY.get(outcome, f"the agent's line ended ({outcome})")
