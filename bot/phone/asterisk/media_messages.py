"""chan_websocket's control messages, plain text and JSON: events from Asterisk, commands to it.

PURE.  Read in Asterisk f0c1c1a, channels/chan_websocket.c: events in the _create_event_* functions
(plain: the name, then `key:value` words; a mark's and a buffering's id stands alone; an error's text is
the rest of the line), commands in handle_command (names are compared case and all; the id is the rest
of the line or `correlation_id`), the limit in MAX_TEXT_MESSAGE_LEN: longer text is ignored there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

LONGEST_COMMAND = 128
"""Bytes of text; Asterisk ignores what is longer."""

Command = Literal[
    "ANSWER",
    "HANGUP",
    "START_MEDIA_BUFFERING",
    "STOP_MEDIA_BUFFERING",
    "MARK_MEDIA",
    "FLUSH_MEDIA",
    "PAUSE_MEDIA",
    "CONTINUE_MEDIA",
    "GET_STATUS",
    "REPORT_QUEUE_DRAINED",
]


class BadEvent(ValueError):
    """A control message that cannot be read; says why."""


class MediaStart(msgspec.Struct, frozen=True, kw_only=True):
    """The channel is ready.  `format`: Asterisk's name of the codec.  `optimal_frame_size`: bytes, 0
    where media is passed through unframed.  `ptime`: milliseconds.  `as_json`: the form it came in,
    which is the form that commands must have."""

    connection_id: str
    channel: str
    channel_id: str
    format: str
    optimal_frame_size: int
    ptime: int
    variables: Mapping[str, str]
    as_json: bool


class MediaXoff(msgspec.Struct, frozen=True):
    """900 frames wait in Asterisk: stop sending."""


class MediaXon(msgspec.Struct, frozen=True):
    """Fewer than 800 wait: go on."""


class BufferingCompleted(msgspec.Struct, frozen=True):
    """What was sent before STOP_MEDIA_BUFFERING has been played."""

    correlation_id: str


class MarkProcessed(msgspec.Struct, frozen=True):
    """What was sent before MARK_MEDIA has been played."""

    correlation_id: str


class QueueDrained(msgspec.Struct, frozen=True):
    """Nothing waits any more (asked for by REPORT_QUEUE_DRAINED, told once)."""


class DtmfEnd(msgspec.Struct, frozen=True):
    """A key was pressed and let go."""

    digit: str


class Status(msgspec.Struct, frozen=True):
    """The answer to GET_STATUS."""

    queue_length: int
    queue_full: bool
    bulk_media: bool
    media_paused: bool


class MediaError(msgspec.Struct, frozen=True):
    """Asterisk did not do what it was told."""

    text: str


Event = (
    MediaStart
    | MediaXoff
    | MediaXon
    | BufferingCompleted
    | MarkProcessed
    | QueueDrained
    | DtmfEnd
    | Status
    | MediaError
)


class _Fields(msgspec.Struct):
    """Every field that an event of ours can have; JSON's names and the plain form's are the same."""

    connection_id: str = ""
    channel: str = ""
    channel_id: str = ""
    format: str = ""
    optimal_frame_size: int = -1
    ptime: int = 20
    channel_variables: dict[str, Any] | None = None
    correlation_id: str = ""
    digit: str = ""
    queue_length: int = 0
    queue_full: bool = False
    bulk_media: bool = False
    media_paused: bool = False
    error_text: str = ""


class _Name(msgspec.Struct):
    event: str


_name_of = msgspec.json.Decoder(_Name)
_fields_of = msgspec.json.Decoder(_Fields)
_IDS_ALONE = ("MEDIA_MARK_PROCESSED", "MEDIA_BUFFERING_COMPLETED")
_KNOWN = frozenset(
    (*_IDS_ALONE, "MEDIA_START", "MEDIA_XOFF", "MEDIA_XON", "QUEUE_DRAINED", "DTMF_END", "STATUS", "ERROR")
)


def parse_event(message: bytes) -> Event | None:
    """The event of a text message; None for one that is not known.  Raises BadEvent."""
    as_json = message.lstrip()[:1] == b"{"
    try:
        if as_json:
            name = _name_of.decode(message).event
        else:
            name, _, rest = message.decode().strip().partition(" ")
        if name not in _KNOWN:
            return None
        fields = _fields_of.decode(message) if as_json else _plain(name, rest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadEvent(f"a control message that cannot be read: {error}") from error
    return _event(name, fields, as_json)


def command(name: Command, *, correlation_id: str = "", as_json: bool = False) -> bytes:
    """A command as Asterisk reads it.  Raises ValueError: an id that would not come back unchanged, or
    over 128 bytes of text."""
    if correlation_id and not (correlation_id.isascii() and correlation_id.isprintable()):
        raise ValueError("a correlation id is printable ASCII")
    if correlation_id != correlation_id.strip():
        raise ValueError("a correlation id neither begins nor ends with a space")
    if as_json:
        fields: dict[str, str] = {"command": name}
        if correlation_id:
            fields["correlation_id"] = correlation_id
        text = msgspec.json.encode(fields)
    else:
        text = f"{name} {correlation_id}".rstrip().encode()
    if len(text) > LONGEST_COMMAND:
        raise ValueError(f"a command of {len(text)} bytes; Asterisk ignores text over {LONGEST_COMMAND}")
    return text


def _event(name: str, fields: _Fields, as_json: bool) -> Event:
    match name:
        case "MEDIA_START":
            return _start(fields, as_json)
        case "MEDIA_XOFF":
            return MediaXoff()
        case "MEDIA_XON":
            return MediaXon()
        case "MEDIA_MARK_PROCESSED":
            return MarkProcessed(fields.correlation_id)
        case "MEDIA_BUFFERING_COMPLETED":
            return BufferingCompleted(fields.correlation_id)
        case "QUEUE_DRAINED":
            return QueueDrained()
        case "DTMF_END":
            if len(fields.digit) != 1:
                raise BadEvent("DTMF_END without one digit")
            return DtmfEnd(fields.digit)
        case "STATUS":
            return Status(fields.queue_length, fields.queue_full, fields.bulk_media, fields.media_paused)
        case _:
            return MediaError(fields.error_text)


def _start(fields: _Fields, as_json: bool) -> MediaStart:
    if not (fields.channel_id or fields.connection_id) or not fields.format or fields.optimal_frame_size < 0:
        raise BadEvent("MEDIA_START needs an id, a format and optimal_frame_size")
    return MediaStart(
        connection_id=fields.connection_id,
        channel=fields.channel,
        channel_id=fields.channel_id or fields.connection_id,
        format=fields.format,
        optimal_frame_size=fields.optimal_frame_size,
        ptime=fields.ptime,
        variables={k: v for k, v in (fields.channel_variables or {}).items() if isinstance(v, str)},
        as_json=as_json,
    )


def _plain(name: str, rest: str) -> _Fields:
    """`key:value key:value`; digits and true/false become what JSON would have had."""
    if name in _IDS_ALONE:
        return _Fields(correlation_id=rest)
    rest, _, error_text = rest.partition("error_text:")
    found: dict[str, Any] = {}
    for word in rest.split():
        key, _, value = word.partition(":")
        found[key] = value
    found.pop("channel_variables", None)
    found["error_text"] = error_text
    return msgspec.convert(found, _Fields, strict=False)
