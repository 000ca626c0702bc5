"""Our end of a channel's audio: an external media channel of Asterisk and the phone leg behind it.

AudioSocket: Asterisk connects to our AudioSocket server with a UUID that we chose; whoever gets the
arrivals of that server offers them to `take` first.  WebSocket: Asterisk waits, we connect to the
address that it names in its reply.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import UUID, uuid4

from bot.call.ports import PhoneLeg
from bot.phone.arrivals import Arrival
from bot.phone.asterisk.ari_channels import AriChannels
from bot.phone.asterisk.ari_client import AriFault
from bot.phone.asterisk.ari_operations import Operations
from bot.phone.asterisk.settings import MediaSettings

CONNECTION_ID = "MEDIA_WEBSOCKET_CONNECTION_ID"

ConnectMedia = Callable[[str], Awaitable[PhoneLeg]]
"""Connects to an address and gives the leg; raises an Exception where it cannot."""

_log = logging.getLogger(__name__)


class MediaFault(Exception):
    """A channel got no audio; says why."""


@dataclass(frozen=True, slots=True)
class Media:
    """Audio of ours: the switch's channel and our leg."""

    channel_id: str
    leg: PhoneLeg


class AriMedia:
    """Opens external media."""

    def __init__(
        self,
        operations: Operations,
        channels: AriChannels,
        connect: ConnectMedia,
        media: MediaSettings,
        *,
        new_uuid: Callable[[], UUID] = uuid4,
    ) -> None:
        """`connect` is used for the WebSocket transport only."""
        self._operations = operations
        self._channels = channels
        self._connect = connect
        self._media = media
        self._new_uuid = new_uuid
        self._awaited: dict[str, asyncio.Future[PhoneLeg]] = {}

    def take(self, arrival: Arrival) -> bool:
        """True where an AudioSocket connection is one that we asked for; else it is somebody's call."""
        awaited = self._awaited.get(arrival.line_id)
        if awaited is None or awaited.done():
            return False
        awaited.set_result(arrival.leg)
        return True

    async def open(self, channel_id: str) -> Media:
        """Audio in a channel of that id, which is in our application when this returns.

        Raises MediaFault or AriFault, after everything was taken down again.
        """
        settings = self._operations.settings
        channel = self._channels.make(channel_id)
        leg: PhoneLeg | None = None
        try:
            async with asyncio.timeout(settings.setup_s):
                if settings.transport == "audiosocket":
                    leg = await self._by_audiosocket(channel_id)
                else:
                    leg = await self._by_websocket(channel_id)
                self._channels.confirm(channel)
                if not await channel.wait_started(settings.setup_s):
                    raise MediaFault("the media channel ended before it began")
            return Media(channel_id, leg)
        except BaseException as error:
            self._operations.undo(channels=[channel_id])
            self._channels.forget(channel_id)
            if leg is not None:
                await leg.hang_up("setup_failed")
            if isinstance(error, TimeoutError):
                raise MediaFault(f"no audio within {settings.setup_s:g} s") from error
            raise

    def close(self, media: Media) -> None:
        """End it, in the background."""
        self._operations.client.later(media.leg.hang_up("normal"))
        self._operations.undo(channels=[media.channel_id])

    async def _by_audiosocket(self, channel_id: str) -> PhoneLeg:
        settings = self._operations.settings
        if settings.external_host is None:
            raise MediaFault("ari.external_host is not set")
        name = str(self._new_uuid())
        awaited: asyncio.Future[PhoneLeg] = asyncio.get_running_loop().create_future()
        self._awaited[name] = awaited
        try:
            await self._operations.external_media(
                channel_id,
                transport="tcp",
                encapsulation="audiosocket",
                external_host=settings.external_host,
                format="slin",
                data=name,
            )
            return await awaited
        except BaseException:
            if awaited.done() and not awaited.cancelled():
                self._operations.client.later(awaited.result().hang_up("setup_failed"))
            raise
        finally:
            del self._awaited[name]

    async def _by_websocket(self, channel_id: str) -> PhoneLeg:
        made = await self._operations.external_media(
            channel_id,
            transport="websocket",
            encapsulation="none",
            connection_type="server",
            format=self._media.format,
        )
        connection = (made.channelvars or {}).get(CONNECTION_ID)
        if not isinstance(connection, str) or not connection:
            raise MediaFault(
                "Asterisk named no media connection: is chan_websocket there (20.16, 21.11, 22.6)?"
            )
        try:
            return await self._connect(media_url(self._operations.settings.url, connection))
        except (AriFault, MediaFault, TimeoutError):
            raise
        except Exception as error:
            raise MediaFault(f"the media socket cannot be opened: {type(error).__name__}") from error


def media_url(ari_url: str, connection_id: str) -> str:
    """Where a media connection waits: beside /ari on the same HTTP server, behind the same prefix."""
    parts = urlsplit(ari_url.rstrip("/"))
    prefix = parts.path.removesuffix("/ari")
    scheme = {"http": "ws", "https": "wss"}[parts.scheme]
    return urlunsplit((scheme, parts.netloc, f"{prefix}/media/{quote(connection_id, safe='')}", "", ""))
