"""Both sides of a channel for assist: two snoop channels, one for what comes from it, one for what
goes to it, each with external media.  The channel itself notices nothing.

Seen from the customer's channel, `in` is the customer and `out` is who talks to the customer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal
from uuid import uuid4

from bot.call.ports import AudioIn, HungUpIn, LegInput, Receive
from bot.phone.asterisk.ari_bridge import Attacher, AttachFailed
from bot.phone.asterisk.ari_channels import AriChannels
from bot.phone.asterisk.ari_leftovers import OUR_PREFIX
from bot.phone.asterisk.ari_leg import AriLeg
from bot.phone.asterisk.ari_operations import Operations
from bot.phone.asterisk.media_inbox import Inbox

Side = Literal["customer", "agent"]
_SPIES: tuple[tuple[str, Side], ...] = (("in", "customer"), ("out", "agent"))


class SnoopFailed(Exception):
    """A channel could not be listened to; says why."""


class TwoTracks:
    """A line of two sides to listen to; nothing can be said on it."""

    def __init__(self, channel_id: str, legs: dict[Side, AriLeg]) -> None:
        self.channel_id = channel_id
        self._legs = legs
        self._inbox = Inbox()

    def listen(self, receive: Receive) -> None:
        """AudioIn of both sides, then one HungUpIn.  Once only."""
        self._inbox.listen(receive)
        for side, leg in self._legs.items():
            leg.listen(self._taker(side))

    async def hang_up(self, cause: str) -> None:
        """Stop listening; the channel goes on.  A second call does nothing."""
        self._inbox.end(cause)
        for leg in self._legs.values():
            await leg.hang_up(cause)

    def _taker(self, side: Side) -> Callable[[LegInput], None]:
        def take(item: LegInput) -> None:
            if isinstance(item, AudioIn):
                self._inbox.put(AudioIn(item.pcm, side))
            elif isinstance(item, HungUpIn) and self._inbox.end(item.cause):
                for leg in self._legs.values():
                    leg.stop()

        return take


class AriSnoop:
    """Opens two-track lines."""

    def __init__(self, operations: Operations, channels: AriChannels, attacher: Attacher) -> None:
        self._operations = operations
        self._channels = channels
        self._attacher = attacher

    async def open(self, channel_id: str) -> TwoTracks:
        """Listen to a channel in any application or dialplan.  Raises SnoopFailed, with nothing left
        over."""
        nonce = uuid4().hex[:12]
        openings = {
            side: asyncio.ensure_future(
                self._open_side(channel_id, spy, f"{OUR_PREFIX}snoop-{nonce}-{spy}-{channel_id}"[:140])
            )
            for spy, side in _SPIES
        }
        try:
            await asyncio.wait(openings.values())
        except asyncio.CancelledError:
            for opening in openings.values():
                opening.cancel()
                opening.add_done_callback(_stop)
            raise
        faults = [fault for opening in openings.values() if (fault := opening.exception()) is not None]
        if faults:
            for opening in openings.values():
                _stop(opening)
            raise SnoopFailed(f"the line cannot be listened to: {faults[0]}") from faults[0]
        return TwoTracks(channel_id, {side: opening.result() for side, opening in openings.items()})

    async def _open_side(self, channel_id: str, spy: str, snoop_id: str) -> AriLeg:
        channel = self._channels.make(snoop_id)
        try:
            await self._operations.snoop(channel_id, channel.id, spy)
            self._channels.confirm(channel)
            if not await channel.wait_started(self._operations.settings.setup_s):
                raise AttachFailed("the snoop channel did not start")
            return await self._attacher.attach(channel)
        except BaseException:
            self._operations.undo(channels=[channel.id])
            self._channels.forget(channel.id)
            raise


def _stop(opening: asyncio.Future[AriLeg]) -> None:
    """What was opened, if it was, is closed."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().stop()
