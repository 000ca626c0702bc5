"""A channel in our application becomes a phone leg: bridge, external media, both in it.

When any part fails, or the channel ends meanwhile, everything made so far is taken down.
"""

from __future__ import annotations

import asyncio
from uuid import uuid4

from bot.phone.asterisk.ari_channels import AriChannel
from bot.phone.asterisk.ari_client import AriFault
from bot.phone.asterisk.ari_leftovers import OUR_PREFIX, bridge_prefix
from bot.phone.asterisk.ari_leg import AriLeg
from bot.phone.asterisk.ari_media import AriMedia, Media, MediaFault
from bot.phone.asterisk.ari_operations import Operations


class AttachFailed(Exception):
    """A channel got no leg; says why.  The channel itself is as it was."""


class Attacher:
    """Gives channels their legs."""

    def __init__(self, operations: Operations, media: AriMedia) -> None:
        self._operations = operations
        self._media = media

    async def attach(self, channel: AriChannel) -> AriLeg:
        """The leg of a channel that is in our application.  Raises AttachFailed."""
        name = f"{channel.id.removeprefix(OUR_PREFIX)[:60]}-{uuid4().hex[:12]}"
        bridge_id = f"{bridge_prefix(self._operations.settings.app)}{name}"
        media_id = f"{OUR_PREFIX}media-{name}"
        work = asyncio.ensure_future(self._build(channel.id, bridge_id, media_id))
        try:
            await asyncio.wait((work, channel.gone), return_when=asyncio.FIRST_COMPLETED)
            if channel.gone.done():
                raise AttachFailed("the line ended before it had audio")
            media = work.result()
        except (AriFault, MediaFault) as fault:
            raise AttachFailed(str(fault)) from fault
        except BaseException:
            self._drop(work, bridge_id)
            raise
        return AriLeg(channel, bridge_id, media, self._operations, self._media)

    async def _build(self, channel_id: str, bridge_id: str, media_id: str) -> Media:
        media: Media | None = None
        try:
            await self._operations.make_bridge(bridge_id)
            media = await self._media.open(media_id)
            await self._operations.add(bridge_id, [channel_id, media_id])
            return media
        except BaseException:
            if media is not None:
                self._media.close(media)
            self._operations.undo(bridges=[bridge_id])
            raise

    def _drop(self, work: asyncio.Future[Media], bridge_id: str) -> None:
        """Nobody needs it any more, be it ready or under way."""
        if not work.done():
            work.cancel()
            work.add_done_callback(_seen)
        elif not work.cancelled() and work.exception() is None:
            self._media.close(work.result())
            self._operations.undo(bridges=[bridge_id])


def _seen(work: asyncio.Future[Media]) -> None:
    """What a cancelled build ended with is known: it took itself down."""
    if not work.cancelled():
        work.exception()
