"""Plivo's dialect of media streaming: playAudio, clearAudio, checkpoints; keys can be sent.  PURE.

The stream must be `contentType="audio/x-mulaw;rate=8000"` (Plivo's default is 16-bit PCM) and
bidirectional.  It begins with start, and ends with the socket.  `extraHeaders` come as parameters.
Source: https://plivo.com/docs/voice/audio-streaming/audio-streaming
"""

from __future__ import annotations

import re
from binascii import b2a_base64

import msgspec

from bot.phone.media_server import BadMessage
from bot.phone.twilio.messages import (
    AnyMark,
    AnyStart,
    Dialect,
    Dtmf,
    Media,
    Opening,
    Track,
    require_mulaw,
)


class _Format(msgspec.Struct, rename="camel"):
    encoding: str
    sample_rate: int


class _StartBody(msgspec.Struct, rename="camel"):
    call_id: str
    stream_id: str
    media_format: _Format
    tracks: tuple[Track, ...] = ("inbound",)


class _Start(AnyStart, tag="start", kw_only=True):
    stream: str = msgspec.field(default="", name="streamId")
    start: _StartBody
    extra_headers: str = ""


class _Media(Media, tag="media"):
    stream: str = msgspec.field(default="", name="streamId")


class _Dtmf(Dtmf, tag="dtmf"):
    stream: str = msgspec.field(default="", name="streamId")


class _PlayedStream(AnyMark, tag="playedStream", kw_only=True):
    stream: str = msgspec.field(default="", name="streamId")
    name: str

    def named(self) -> str:
        return self.name


class PlivoEncoder:
    """playAudio, checkpoint, clearAudio and sendDTMF for one stream."""

    def __init__(self, stream_id: str) -> None:
        stream = msgspec.json.encode(stream_id)
        self._checkpoint = b'{"event":"checkpoint","streamId":' + stream + b',"name":'
        self._clear = b'{"event":"clearAudio","streamId":' + stream + b"}"
        self._media = (
            b'{"event":"playAudio","media":{"contentType":"audio/x-mulaw","sampleRate":8000,"payload":"'
        )

    def media(self, ulaw: bytes) -> bytes:
        """20 ms of mu-law, to be played after what was sent before."""
        return self._media + b2a_base64(ulaw, newline=False) + b'"}}'

    def mark(self, name: str) -> bytes:
        """To be answered by playedStream when all before it has been played."""
        return self._checkpoint + msgspec.json.encode(name) + b"}"

    def clear(self) -> bytes:
        """Drop what was not played; its checkpoints go with it."""
        return self._clear

    def digits(self, digits: str) -> bytes:
        """Keys to the far end."""
        return b'{"event":"sendDTMF","dtmf":' + msgspec.json.encode(digits) + b"}"


def _opening(message: _Start) -> Opening:
    body = message.start
    require_mulaw(body.media_format.encoding, body.media_format.sample_rate, 1, ("audio/x-mulaw",))
    if not body.stream_id or not body.call_id or not body.tracks:
        raise BadMessage("a start without streamId, callId or tracks")
    pairs = (pair.partition("=") for pair in re.split("[;,]", message.extra_headers.strip("{}")))
    given = {name.strip(): value.strip() for name, equals, value in pairs if equals}
    return Opening(body.stream_id, body.call_id, body.tracks, given, given.get("from"), given.get("to"))


PLIVO = Dialect(_Start | _Media | _Dtmf | _PlayedStream, _opening, PlivoEncoder, says_stop=False)
