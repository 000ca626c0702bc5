"""The messages of Twilio Media Streams.  PURE.

From Twilio: connected, start, media, dtmf, mark, stop, and from our own test callers words
(`{"event":"words","streamSid":…,"text":…,"final":bool}`, with `"track":"outbound"` for the agent's).
To Twilio: media, mark, clear.  JSON is read strictly into typed messages; fields that are not used
here are skipped, counters may be numbers or strings.  A clone of the protocol is a `Dialect` of its
own (telnyx.py, plivo.py), whose messages are subclasses of these.
Source: https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args

import msgspec
from picows import WSCloseCode

from bot.phone.media_server import BadMessage

Track = Literal["inbound", "outbound"]
Counter = int | str

KEYS = frozenset("0123456789*#ABCD")


class Message(msgspec.Struct, tag_field="event"):
    """What all messages have; `stream` is empty where it was left out.  Dialects name it anew."""

    stream: str = msgspec.field(default="", name="streamSid")


class Connected(Message, tag="connected"):
    """The first message; says nothing that matters."""


class MediaFormat(msgspec.Struct, rename="camel"):
    """How the audio is coded; `sample_rate` in Hz."""

    encoding: str = "audio/x-mulaw"
    sample_rate: int = 8000
    channels: int = 1


class StartBody(msgspec.Struct, rename="camel"):
    """`call_sid` is the call, `stream_sid` this stream of it."""

    call_sid: str
    stream_sid: str = ""
    tracks: tuple[Track, ...] = ("inbound",)
    custom_parameters: dict[str, str] = {}
    media_format: MediaFormat = msgspec.field(default_factory=MediaFormat)


class AnyStart(Message):
    """The start message of any dialect."""


class Start(AnyStart, tag="start", kw_only=True):
    """The second message, once."""

    start: StartBody


class MediaBody(msgspec.Struct):
    """`payload`: base64 in the message, here mu-law.  `chunk` counts a track's messages from 1."""

    payload: bytes
    track: Track = "inbound"
    chunk: Counter = 0
    timestamp: Counter = 0


class Media(Message, tag="media", kw_only=True):
    """Audio of one track, 20 ms as a rule."""

    media: MediaBody


class DtmfBody(msgspec.Struct):
    """One key."""

    digit: str


class Dtmf(Message, tag="dtmf", kw_only=True):
    """The customer pressed a key."""

    dtmf: DtmfBody


class MarkBody(msgspec.Struct):
    """The name that we gave."""

    name: str


class AnyMark(Message):
    """The answer to a mark, in any dialect."""

    def named(self) -> str:
        """The name that we gave it."""
        raise NotImplementedError


class Mark(AnyMark, tag="mark", kw_only=True):
    """What was sent before this mark has been played, or cleared."""

    mark: MarkBody

    def named(self) -> str:
        return self.mark.name


class Words(Message, tag="words", kw_only=True):
    """Ours alone: the words so far of who speaks on that track, from simulated people."""

    text: str
    final: bool
    track: Track = "inbound"


class Stop(Message, tag="stop"):
    """The last message: the call, or its stream, is over."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a start message tells, in any dialect.  Numbers as given, None where they are not."""

    stream_id: str
    line_id: str
    tracks: tuple[Track, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    caller: str | None = None
    called: str | None = None


class Encoder(Protocol):
    """Messages to the far end of one stream."""

    def media(self, ulaw: bytes) -> bytes: ...
    def mark(self, name: str) -> bytes: ...
    def clear(self) -> bytes: ...
    def digits(self, digits: str) -> bytes | None:
        """Keys to the far end; None where the protocol has no such message."""
        ...


class TwilioEncoder:
    """media, mark and clear for one stream; what is the same in every message is made once."""

    def __init__(self, stream_id: str) -> None:
        stream = msgspec.json.encode(stream_id)
        self._media = b'{"event":"media","streamSid":' + stream + b',"media":{"payload":"'
        self._mark = b'{"event":"mark","streamSid":' + stream + b',"mark":{"name":'
        self._clear = b'{"event":"clear","streamSid":' + stream + b"}"

    def media(self, ulaw: bytes) -> bytes:
        """20 ms of mu-law, to be played after what was sent before."""
        return self._media + b2a_base64(ulaw, newline=False) + b'"}}'

    def mark(self, name: str) -> bytes:
        """To be echoed when all before it has been played."""
        return self._mark + msgspec.json.encode(name) + b"}}"

    def clear(self) -> bytes:
        """Drop what was not played; every pending mark is echoed."""
        return self._clear

    def digits(self, digits: str) -> None:
        """Media Streams cannot send keys."""


Reader = Callable[[bytes], Message | None]


class _Tag(msgspec.Struct):
    event: str


_tag = msgspec.json.Decoder(_Tag)


@dataclass(frozen=True, slots=True)
class Dialect:
    """One provider's version of the protocol.

    `messages`: its Message classes.  `opening`: reads its start message, raises BadMessage.
    `says_stop`: it tells the end of a call by a message; else the end of the socket is the end.
    `ordered`: its media come in order.
    """

    messages: Any
    opening: Callable[[Any], Opening]
    encoder: Callable[[str], Encoder]
    says_stop: bool = True
    ordered: bool = True

    def reader(self, *, words: bool) -> Reader:
        """Reads messages: None for an event that is not known, BadMessage for one that is wrong.

        `words`: whether the far end may deliver words; else they are unknown.
        """
        messages = self.messages | Words if words else self.messages
        decode = msgspec.json.Decoder(messages).decode
        known = {kind.__struct_config__.tag for kind in get_args(messages)}

        def read(message: bytes) -> Message | None:
            try:
                return decode(message)  # type: ignore[no-any-return]
            except (msgspec.ValidationError, RecursionError) as error:
                if _event(message) not in known:
                    return None
                raise BadMessage(f"a message that does not fit: {str(error)[:80]}") from error
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise BadMessage("text that is not JSON", WSCloseCode.INVALID_TEXT) from error

        return read


def _event(message: bytes) -> str:
    try:
        return _tag.decode(message).event
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadMessage("a message without an event") from error


def require_mulaw(encoding: str, rate_hz: int, channels: int, names: tuple[str, ...]) -> None:
    """Only what every provider can send is taken.  Raises BadMessage."""
    if encoding.lower() not in names or rate_hz != 8000 or channels != 1:
        raise BadMessage("audio is not mu-law, 8000 Hz, mono: set it so", WSCloseCode.UNSUPPORTED_DATA)


def _twilio_opening(message: Start) -> Opening:
    body = message.start
    form = body.media_format
    require_mulaw(form.encoding, form.sample_rate, form.channels, ("audio/x-mulaw",))
    stream_id = body.stream_sid or message.stream
    if not stream_id or not body.call_sid or not body.tracks:
        raise BadMessage("a start without streamSid, callSid or tracks")
    if message.stream and message.stream != stream_id:
        raise BadMessage("a start with two streamSids")
    given = body.custom_parameters
    return Opening(stream_id, body.call_sid, body.tracks, given, given.get("from"), given.get("to"))


TWILIO = Dialect(Connected | Start | Media | Dtmf | Mark | Stop, _twilio_opening, TwilioEncoder)
