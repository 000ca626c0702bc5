"""One Asterisk driven by ARI, put together: events in, answered lines out as Arrivals.

A channel that comes into our application without our having made it is an inbound call; one that a
process before us dialled comes as an outbound one, with the parameters that were sent along.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Literal, NamedTuple

from bot.phone.arrivals import Arrival, Arrived, Refusal
from bot.phone.asterisk import ari_messages as said
from bot.phone.asterisk.ari_bridge import Attacher, AttachFailed
from bot.phone.asterisk.ari_calls import AriOriginator
from bot.phone.asterisk.ari_channels import AriChannel, AriChannels
from bot.phone.asterisk.ari_client import AriClient, AriFault
from bot.phone.asterisk.ari_events import AriEvents
from bot.phone.asterisk.ari_leftovers import OUR_PREFIX, is_useless, leftovers
from bot.phone.asterisk.ari_media import AriMedia, ConnectMedia
from bot.phone.asterisk.ari_messages import Channel
from bot.phone.asterisk.ari_operations import Operations
from bot.phone.asterisk.ari_snoop import AriSnoop
from bot.phone.asterisk.ari_transfer import AriTransfers
from bot.phone.asterisk.settings import AriSettings, MediaSettings
from bot.phone.dialling import LineHistory, News, Permits

_log = logging.getLogger(__name__)


class AriSwitch:
    """Everything that ARI gives of one Asterisk.

    `originator` places calls, `transfers` brings an agent in, `snoop` gives both sides of a channel
    to assist.  The AudioSocket server that Asterisk reaches at `external_host` offers its arrivals to
    `media.take` first; it must refuse none of them for load, since their calls are answered already.
    """

    def __init__(
        self,
        settings: AriSettings,
        media: MediaSettings,
        password: str,
        *,
        arrived: Arrived,
        refuse: Refusal,
        news: News,
        permits: Permits,
        now: Callable[[], datetime],
        connect_media: ConnectMedia,
    ) -> None:
        self._settings = settings
        self._arrived = arrived
        self._refuse = refuse
        self._first = True
        self._client = AriClient(settings, password)
        self._operations = Operations(self._client)
        self._channels = AriChannels(settings.app, LineHistory(news), self._came)
        self.media = AriMedia(self._operations, self._channels, connect_media, media)
        self._attacher = Attacher(self._operations, self.media)
        self.events = AriEvents(self._client, self._channels.take, self._look_again)
        self.originator = AriOriginator(self._operations, self._channels, permits, now)
        self.transfers = AriTransfers(self._operations, self._channels, self._attacher)
        self.snoop = AriSnoop(self._operations, self._channels, self._attacher)

    async def start(self) -> None:
        """Begin to listen for events; `events.connected` tells when they come."""
        await self._client.start()
        self.events.start()

    async def drain(self) -> None:
        """Wait until what is done in the background (hang-ups, lines being taken in) is done."""
        await self._client.drain()

    async def stop(self) -> None:
        """No more events; what is under way is finished first."""
        await self.drain()
        await self.events.stop()
        await self._client.close()

    # -- events

    async def _look_again(self) -> None:
        """The socket is up: what happened while it was not?"""
        before = self._channels.there()
        there = await self._operations.channels()
        if self._first:
            await self._clear(there)
            self._first = False
        self._channels.look_again(there, before)

    async def _clear(self, there: list[Channel]) -> None:
        """We have just begun: another process may have died."""
        left = leftovers(self._settings.app, there, await self._operations.bridges())
        for pair in left.pairs:
            self.transfers.resume(pair)
        if left.channels or left.bridges:
            _log.warning("what a process left behind is ended: %d channels", len(left.channels))
            self._operations.undo(channels=left.channels, bridges=left.bridges)
        gone = set(left.channels)
        there[:] = [channel for channel in there if channel.id not in gone]

    def _came(self, channel: AriChannel, shown: Channel, args: list[str]) -> None:
        """A channel that nobody waits for has come into our application."""
        ours = shown.id.startswith(OUR_PREFIX)
        if is_useless(shown):
            _log.warning("a media channel of a process that is gone is ended")
            self._operations.undo(channels=[shown.id])
            return
        why = None if ours else self._refuse()
        if why is not None:
            _log.warning("an inbound call is refused: %s", why)
            self._client.later(self._operations.hang_up(shown.id, "congestion"))
            return
        arrival = _Coming(
            "outbound" if ours else "inbound",
            None if ours else (shown.dialplan.exten or None),
            None if ours else (shown.caller.number or None),
            said.parameters_of(args),
        )
        self._client.later(self._take_in(channel, shown.state, arrival))

    async def _take_in(self, channel: AriChannel, state: str, coming: _Coming) -> None:
        try:
            if state != "Up":
                await self._operations.answer(channel.id)
            leg = await self._attacher.attach(channel)
        except (AriFault, AttachFailed) as fault:
            if not channel.gone.done():
                _log.error("an answered line got no audio and is hung up: %s", fault)
                self._operations.undo(channels=[channel.id])
            return
        self._arrived(
            Arrival(
                leg,
                "ari",
                channel.id,
                direction=coming.direction,
                called=coming.called,
                caller=coming.caller,
                parameters=coming.parameters,
            )
        )


class _Coming(NamedTuple):
    """What is known of a line before it has audio."""

    direction: Literal["inbound", "outbound"]
    called: str | None
    caller: str | None
    parameters: dict[str, str]
