"""A phone leg that is a channel of Asterisk with our audio beside it in a bridge.

Audio and marks are the media leg's; keys, transfer and the end are the channel's.  One hang-up,
whatever races: the far end's, ours, a lost socket.
"""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import replace

from bot.call.ports import AudioIn, DtmfIn, HungUpIn, LegInput, Receive, TransferFailed
from bot.phone.asterisk.ari_channels import AriChannel
from bot.phone.asterisk.ari_client import AriFault
from bot.phone.asterisk.ari_media import AriMedia, Media
from bot.phone.asterisk.ari_operations import Operations
from bot.phone.asterisk.media_inbox import Inbox

_TARGET = re.compile(r"[+*#0-9A-Za-z][0-9A-Za-z*#._-]{0,63}")
_KEYS = frozenset("0123456789*#ABCD")

TRANSFERRED = "transferred"
"""HungUpIn's cause where the customer goes on with somebody else."""

_log = logging.getLogger(__name__)


def dial_string(pattern: str, number: str) -> str:
    """Where a number or extension is dialled.  Raises ValueError for what is none: nothing in it may
    mean anything to the switch."""
    if not _TARGET.fullmatch(number):
        raise ValueError("a number or an extension: digits, letters, * # . _ - and a + in front")
    return pattern.replace("{number}", number)


class AriLeg:
    """One channel's line: implements PhoneLeg."""

    def __init__(
        self, channel: AriChannel, bridge_id: str, media: Media, operations: Operations, opener: AriMedia
    ) -> None:
        self.channel = channel
        self.bridge_id = bridge_id
        self.capabilities = replace(media.leg.capabilities, dtmf=True, dtmf_out=True, transfer=True)
        self._media = media
        self._operations = operations
        self._opener = opener
        self._inbox = Inbox()
        self._keys = ""
        self._transferring = False
        self._bridge_kept = False
        channel.pressed = self._pressed
        channel.gone.add_done_callback(self._far_end)

    # -- PhoneLeg

    def listen(self, receive: Receive) -> None:
        self._inbox.listen(receive)
        self._media.leg.listen(self._from_media)

    def send(self, pcm: bytes) -> None:
        self._media.leg.send(pcm)

    def mark(self, name: str) -> None:
        self._media.leg.mark(name)

    def flush(self) -> None:
        self._media.leg.flush()

    def send_digits(self, digits: str) -> None:
        """In order: one request at a time."""
        wanted = "".join(key for key in digits.upper() if key in _KEYS)
        if self._inbox.ended or not wanted:
            return
        idle = not self._keys
        self._keys += wanted
        if idle:
            self._operations.client.later(self._send_keys())

    async def transfer(self, target: str) -> None:
        """Cold, by the switch's REFER: done when the channel has left."""
        try:
            endpoint = dial_string(self._operations.settings.transfer_to, target)
        except ValueError as error:
            raise TransferFailed(str(error)) from error
        if self._inbox.ended or self._transferring:
            raise TransferFailed("the line is over, or being transferred already")
        self._transferring = True
        try:
            await self._refer(endpoint)
        finally:
            self._transferring = False

    async def hang_up(self, cause: str) -> None:
        self.stop(cause)

    # -- for those who hold legs

    @property
    def ended(self) -> bool:
        """The end is known; nothing more comes or goes."""
        return self._inbox.ended

    def stop(self, cause: str = "normal") -> None:
        """Hang up, in the background; a second call does nothing."""
        if not self._inbox.ended:
            self.channel.cancelled = True
            self._end(cause, hang_up=True)

    def release(self, *, keep_bridge: bool) -> None:
        """We leave; the channel stays, and is somebody else's to end.  So is the bridge where kept."""
        self._bridge_kept = keep_bridge
        self._end(TRANSFERRED, hang_up=False)

    # -- inside

    async def _refer(self, endpoint: str) -> None:
        operations, settings = self._operations, self._operations.settings
        try:
            # Asterisk reads the answer to its REFER from the channel itself, so the channel must not
            # be in a bridge meanwhile (main/channel.c, ast_transfer_protocol).
            await operations.remove(self.bridge_id, self.channel.id)
            await operations.redirect(self.channel.id, endpoint)
        except AriFault as fault:
            await self._back(f"the switch refused: {fault}")
        await asyncio.wait((self.channel.gone,), timeout=settings.transfer_s)
        if not self.channel.gone.done():
            await self._back(f"nobody took the call within {settings.transfer_s:g} s")
        if self.channel.cancelled or self.channel.outcome() != "normal":
            raise TransferFailed("the line ended meanwhile")

    async def _back(self, why: str) -> None:
        """The customer stays with the bot.  Raises TransferFailed."""
        if not self.channel.gone.done():
            try:
                await self._operations.add(self.bridge_id, [self.channel.id])
            except AriFault as fault:
                _log.error("after a transfer that failed the line has no audio: %s", fault)
                await self.hang_up("line_lost")
        raise TransferFailed(why)

    async def _send_keys(self) -> None:
        while self._keys and not self._inbox.ended:
            keys = self._keys
            try:
                await self._operations.send_digits(self.channel.id, keys)
            except AriFault:
                self._keys = ""
                raise
            self._keys = self._keys[len(keys) :]

    def _pressed(self, digit: str) -> None:
        if digit in _KEYS:
            self._inbox.put(DtmfIn(digit))

    def _from_media(self, item: LegInput) -> None:
        if isinstance(item, AudioIn):
            self._inbox.put(item)
        elif isinstance(item, HungUpIn):
            self._end("line_lost" if item.cause in ("customer", "normal") else item.cause, hang_up=True)
        elif not isinstance(item, DtmfIn):  # keys come from the channel; the bridge repeats them
            self._inbox.put(item)

    def _far_end(self, gone: asyncio.Future[int]) -> None:
        cause: str = self.channel.outcome()
        if cause == "normal":
            cause = TRANSFERRED if self._transferring else "customer"
        self._end(cause, hang_up=False)

    def _end(self, cause: str, *, hang_up: bool) -> None:
        if not self._inbox.end(cause):
            return
        self.channel.pressed = _ignore
        self._opener.close(self._media)
        self._operations.undo(
            channels=[self.channel.id] if hang_up else [],
            bridges=[] if self._bridge_kept else [self.bridge_id],
        )


def _ignore(digit: str) -> None:
    """Keys after the end."""
