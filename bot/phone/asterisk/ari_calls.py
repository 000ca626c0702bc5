"""Placing calls through Asterisk's REST interface: nothing without a permit, and each intent once.

The channel's id is made of the intent, so whatever is sent twice meets the same channel: Asterisk
refuses an id that is in use (409), and this process remembers those that are over.  Where it cannot
be known whether Asterisk took a dial, DialFailed says so (`certain` false) and nothing is sent again.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from datetime import datetime

from bot.phone.asterisk import ari_messages as said
from bot.phone.asterisk.ari_channels import AriChannels
from bot.phone.asterisk.ari_client import AriFault, AriNoAnswer, AriRefused
from bot.phone.asterisk.ari_leftovers import OUR_PREFIX
from bot.phone.asterisk.ari_operations import Operations
from bot.phone.dialling import Dial, DialFailed, DialPermit, LineNews, LineState, Permits

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_LONGEST_ARGS = 3000
"""Characters of application arguments: Asterisk copies them on the stack."""
_LATE_S = 60.0
"""So long after the last ring an unconfirmed dial may still turn up."""


class AriOriginator:
    """Implements Originator."""

    def __init__(
        self,
        operations: Operations,
        channels: AriChannels,
        permits: Permits,
        now: Callable[[], datetime],
    ) -> None:
        self._operations = operations
        self._channels = channels
        self._permits = permits
        self._now = now

    async def originate(self, dial: Dial) -> str:
        """Dial; the channel's id.  Raises DialRefused, DialFailed."""
        permit = dial.permit
        for number in (permit.callee, permit.caller):
            if not _E164.fullmatch(number):
                raise DialFailed("a number that is not E.164 (+ and 7 to 15 digits)", certain=True)
        args = said.args_of({**dial.parameters, "call_id": dial.call_id})
        if len(args) > _LONGEST_ARGS or len(dial.parameters) > 60:
            raise DialFailed(f"parameters of over {_LONGEST_ARGS} characters", certain=True)
        self._permits.use(permit, self._now())
        line_id = line_id_of(permit)
        if self._channels.knows(line_id):
            return line_id
        channel = self._channels.make(line_id, dialled=True)
        try:
            await self._send(dial, line_id, args)
        except AriRefused as refused:
            if refused.status != 409 and refused.status not in (502, 503, 504):
                self._channels.forget(line_id)
                raise DialFailed(str(refused), certain=True) from refused
            if refused.status != 409:
                await self._look(dial, line_id, refused)
        except AriNoAnswer as silence:
            if not silence.sent:
                self._channels.forget(line_id)
                raise DialFailed(str(silence), certain=True) from silence
            await self._look(dial, line_id, silence)
        self._channels.confirm(channel)
        return line_id

    async def state(self, line_id: str) -> LineNews | None:
        """What became of a line.  Raises DialFailed where Asterisk cannot be asked."""
        if self._channels.is_over(line_id):
            return LineNews(line_id, LineState.ENDED, self._channels.outcome(line_id))
        try:
            there = await self._operations.channel(line_id)
        except AriFault as fault:
            raise DialFailed(f"what became of a line cannot be asked: {fault}", certain=False) from fault
        if there is not None:
            return LineNews(line_id, said.line_state(there.state))
        if self._channels.is_over(line_id):
            return LineNews(line_id, LineState.ENDED, self._channels.outcome(line_id))
        return None

    async def end(self, line_id: str) -> None:
        """Hang up a line, ringing or answered.  Raises DialFailed."""
        channel = self._channels.get(line_id)
        if channel is not None:
            channel.cancelled = True
        try:
            await self._operations.hang_up(line_id)
        except AriFault as fault:
            raise DialFailed(f"the line could not be hung up: {fault}", certain=False) from fault

    async def _send(self, dial: Dial, line_id: str, args: str) -> None:
        settings, permit = self._operations.settings, dial.permit
        callee = permit.callee if settings.plus else permit.callee[1:]
        caller = permit.caller if settings.plus else permit.caller[1:]
        await self._operations.originate(
            line_id,
            settings.trunk.replace("{number}", callee),
            ring_s=dial.ring_s,
            args=args,
            caller=caller,
            variables={
                "HUASHU_CALL": dial.call_id,
                "HUASHU_INTENT": permit.intent_id,
                "TIMEOUT(absolute)": str(dial.ring_s + settings.longest_call_s),
            },
        )

    async def _look(self, dial: Dial, line_id: str, why: AriFault) -> None:
        """Was it dialled after all?  Raises DialFailed where that is not known."""
        try:
            if await self._operations.channel(line_id) is not None or self._channels.is_over(line_id):
                return
        except AriFault:
            pass
        loop = asyncio.get_running_loop()
        loop.call_later(dial.ring_s + _LATE_S, self._channels.forget, line_id)
        raise DialFailed(f"it is not known whether the call was placed: {why}", certain=False) from why


def line_id_of(permit: DialPermit) -> str:
    """The channel id of an intent: the same for the same tenant and intent, whoever dials."""
    key = f"{permit.tenant_id}\n{permit.intent_id}".encode()
    return f"{OUR_PREFIX}{hashlib.sha256(key).hexdigest()[:32]}"
