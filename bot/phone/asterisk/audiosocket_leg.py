"""One call on an AudioSocket connection: frames to inputs, sound to frames.

There is no flush and there are no marks: what was sent will be played, so nothing may be sent ahead.
The rate is the one that the far end sends (8000 Hz until it has sent sound).  Source for what Asterisk
sends: f0c1c1a, res/res_audiosocket.c, ast_audiosocket_send_frame, and main/abstract_jb.c: its jitter
buffer makes frames of no data for packets that were lost, so audio of length 0 is no fault here.
"""

from __future__ import annotations

import asyncio
import logging

from bot.call.ports import (
    FRAME_BYTES,
    FRAME_MS,
    SAMPLE_RATE_HZ,
    AudioIn,
    DtmfIn,
    LegCapabilities,
    Receive,
    TransferFailed,
)
from bot.phone.asterisk import audiosocket_frames as frames
from bot.phone.asterisk.media_audio import Outgoing
from bot.phone.asterisk.media_inbox import Inbox
from bot.phone.media_server import LARGEST_BACKLOG
from bot.phone.resampling import ToLine

GOODBYE_S = 1.0
"""After our hang-up the far end has so long to close the connection."""

ERROR_CAUSES = {1: "customer", 2: "switch_frame_forwarding", 4: "switch_memory"}
"""Asterisk's error byte: the called party hung up, a frame could not be given on, memory failed."""

_KEYS = frozenset("0123456789*#ABCD")
_EIGHT_KHZ = frames.audio(bytes(FRAME_BYTES))[:3]

_log = logging.getLogger(__name__)


class AudioSocketLeg:
    """A PhoneLeg over AudioSocket."""

    capabilities = LegCapabilities(dtmf=True, continuous=True, lead_ms=0)

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._inbox = Inbox()
        self._rate_hz = SAMPLE_RATE_HZ
        self._incoming = ToLine(SAMPLE_RATE_HZ)
        self._outgoing: Outgoing | None = None

    @property
    def ended(self) -> bool:
        """The end is known; nothing more comes or goes."""
        return self._inbox.ended

    def listen(self, receive: Receive) -> None:
        self._inbox.listen(receive)

    def send(self, pcm: bytes) -> None:
        if self._inbox.ended or not pcm:
            return
        if self._transport.get_write_buffer_size() > LARGEST_BACKLOG:
            _log.warning("an AudioSocket's far end does not read: given up")
            self.drop("line_lost")
        elif self._outgoing is not None:
            sound = self._outgoing.feed(pcm)
            if sound:
                self._transport.write(frames.audio(sound, self._rate_hz))
        elif len(pcm) == FRAME_BYTES:
            self._transport.write(_EIGHT_KHZ + pcm)
        else:
            self._transport.write(frames.audio(pcm))

    def mark(self, name: str) -> None:
        """AudioSocket has no marks."""

    def flush(self) -> None:
        """AudioSocket has no flush."""

    def send_digits(self, digits: str) -> None:
        """A key sent to Asterisk would kill the call (it reads audio and hang-up only)."""

    async def transfer(self, target: str) -> None:
        raise TransferFailed("AudioSocket alone cannot transfer a call; ARI or the dialplan can")

    async def hang_up(self, cause: str) -> None:
        self.finish(cause)

    def finish(self, cause: str) -> None:
        """End politely: the far end is told and given GOODBYE_S to close (closing first could reset
        the connection before it has read that).  A second call does nothing."""
        if self._inbox.end(cause) and not self._transport.is_closing():
            self._transport.write(frames.HANG_UP)
            asyncio.get_running_loop().call_later(GOODBYE_S, self._transport.abort)

    def drop(self, cause: str) -> None:
        """End at once, without a word.  A second call does nothing."""
        if self._inbox.end(cause):
            self._transport.abort()

    def far_end_gone(self, cause: str) -> None:
        """The connection has ended."""
        self._inbox.end(cause)

    def take(self, kind: int, payload: bytes) -> None:
        """One message from the far end.  Raises BadFrame: a UUID where one was given already."""
        rate_hz = frames.AUDIO_RATES.get(kind)
        if rate_hz is not None:
            if rate_hz != self._rate_hz:
                self._change_rate(rate_hz)
            if payload:
                for pcm in self._incoming.take(payload):
                    self._inbox.put(AudioIn(pcm))
        elif kind == frames.KIND_DTMF:
            digit = payload.decode("latin-1").upper()
            if digit in _KEYS:
                self._inbox.put(DtmfIn(digit))
        elif kind == frames.KIND_HANG_UP:
            self._far_end_ended("customer")
        elif kind == frames.KIND_ERROR:
            _log.warning("Asterisk tells of an error on an AudioSocket: byte %d", payload[0])
            self._far_end_ended(ERROR_CAUSES.get(payload[0], "switch_error"))
        elif kind == frames.KIND_UUID:
            raise frames.BadFrame("a second UUID on one connection")

    def _far_end_ended(self, cause: str) -> None:
        self._inbox.end(cause)
        self._transport.close()

    def _change_rate(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._incoming = ToLine(rate_hz)
        unit = rate_hz * FRAME_MS // 1000 * 2
        self._outgoing = Outgoing(rate_hz, unit) if rate_hz != SAMPLE_RATE_HZ else None
