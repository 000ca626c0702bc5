"""Telnyx's dialect of media streaming: other names, and media that may come out of order.  PURE.

The stream must be PCMU both ways (`stream_codec`, `stream_bidirectional_codec`), and bidirectional
in mode `rtp`.  Source:
https://developers.telnyx.com/api-reference/websockets/stream-call-media-over-websocket
"""

from __future__ import annotations

from binascii import b2a_base64

import msgspec

from bot.phone.media_server import BadMessage
from bot.phone.twilio.messages import (
    AnyStart,
    Connected,
    Counter,
    Dialect,
    Dtmf,
    Mark,
    Media,
    Opening,
    Stop,
    Track,
    require_mulaw,
)

WINDOW = 3
"""Messages (60 ms) that wait for one that is late; then it is taken as lost."""


class _Connected(Connected, tag="connected"):
    stream: str = msgspec.field(default="", name="stream_id")


class _Format(msgspec.Struct):
    encoding: str = "PCMU"
    sample_rate: int = 8000
    channels: int = 1


class _StartBody(msgspec.Struct, rename={"caller": "from", "called": "to"}):
    call_control_id: str
    caller: str | None = None
    called: str | None = None
    tracks: tuple[Track, ...] = ("inbound",)
    custom_parameters: dict[str, str] = {}
    media_format: _Format = msgspec.field(default_factory=_Format)


class _Start(AnyStart, tag="start", kw_only=True):
    stream: str = msgspec.field(default="", name="stream_id")
    start: _StartBody


class _Media(Media, tag="media"):
    stream: str = msgspec.field(default="", name="stream_id")


class _Dtmf(Dtmf, tag="dtmf"):
    stream: str = msgspec.field(default="", name="stream_id")


class _Mark(Mark, tag="mark"):
    stream: str = msgspec.field(default="", name="stream_id")


class _Stop(Stop, tag="stop"):
    stream: str = msgspec.field(default="", name="stream_id")


class TelnyxEncoder:
    """media, mark and clear; the socket alone says which stream is meant."""

    def __init__(self, stream_id: str) -> None:
        self._mark = b'{"event":"mark","mark":{"name":'

    def media(self, ulaw: bytes) -> bytes:
        """20 ms of mu-law, to be played after what was sent before."""
        return b'{"event":"media","media":{"payload":"' + b2a_base64(ulaw, newline=False) + b'"}}'

    def mark(self, name: str) -> bytes:
        """To be echoed when all before it has been played."""
        return self._mark + msgspec.json.encode(name) + b"}}"

    def clear(self) -> bytes:
        """Drop what was not played."""
        return b'{"event":"clear"}'

    def digits(self, digits: str) -> None:
        """The media socket cannot send keys."""


class Reorder:
    """Puts the media of one track in order; what comes too late, or twice, is dropped.  `chunk` counts."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._early: dict[int, bytes] = {}

    def push(self, chunk: Counter, payload: bytes) -> list[bytes]:
        """The payloads that can be played now, in order.  Raises BadMessage."""
        try:
            place = int(chunk)
        except ValueError as error:
            raise BadMessage("a chunk that is no number") from error
        if self._next is None:
            self._next = 1 if 1 <= place <= WINDOW else place
        if place < self._next:
            return []
        self._early[place] = payload
        if len(self._early) > WINDOW:
            self._next = min(self._early)
        ready = []
        while (found := self._early.pop(self._next, None)) is not None:
            ready.append(found)
            self._next += 1
        return ready


def _opening(message: _Start) -> Opening:
    body = message.start
    form = body.media_format
    require_mulaw(form.encoding, form.sample_rate, form.channels, ("pcmu",))
    if not message.stream or not body.call_control_id or not body.tracks:
        raise BadMessage("a start without stream_id, call_control_id or tracks")
    return Opening(
        message.stream, body.call_control_id, body.tracks, body.custom_parameters, body.caller, body.called
    )


TELNYX = Dialect(_Connected | _Start | _Media | _Dtmf | _Mark | _Stop, _opening, TelnyxEncoder, ordered=False)
