"""The event socket's framing: bytes to packets, packets to events.  Pure.

A packet is header lines, an empty line, and `Content-Length` bytes of body.  Bytes may come cut
anywhere.  An event is the body of a packet of type text/event-json (one JSON object) or
text/event-plain (header lines with percent-encoded values, perhaps a body of its own).
Read from FreeSWITCH src/mod/event_handlers/mod_event_socket and switch_event.c.
Raises EslProtocolError for what no event socket sends; the connection is of no more use then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

import msgspec

LARGEST_HEAD = 64 * 1024
LARGEST_BODY = 10 * 1024 * 1024

Event = Mapping[str, str]
"""An event's headers by name; its body, where it has one, under `_body`."""


class EslProtocolError(Exception):
    """The far end does not speak the event socket's protocol."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet; header names are lower case, values as sent."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """The content type, e.g. command/reply; empty where none is given."""
        return self.headers.get("content-type", "")

    @property
    def reply(self) -> str:
        """What a command was answered with, whichever way the switch sends it."""
        if self.kind == "api/response":
            return self.body.decode("utf-8", "replace").rstrip("\n")
        return self.headers.get("reply-text", "")


class PacketReader:
    """Joins bytes to packets."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._headers: dict[str, str] | None = None
        self._length = 0

    def feed(self, data: bytes) -> list[Packet]:
        """The packets that `data` completes, in order."""
        self._buffer += data
        packets: list[Packet] = []
        while True:
            if self._headers is None and not self._read_head():
                return packets
            if len(self._buffer) < self._length:
                return packets
            assert self._headers is not None
            packets.append(Packet(self._headers, bytes(self._buffer[: self._length])))
            del self._buffer[: self._length]
            self._headers = None

    def _read_head(self) -> bool:
        start = 0
        while self._buffer[start : start + 1] == b"\n":
            start += 1
        end = self._buffer.find(b"\n\n", start)
        if end - start > LARGEST_HEAD or (end < 0 and len(self._buffer) - start > LARGEST_HEAD):
            raise EslProtocolError(f"a packet's headers are longer than {LARGEST_HEAD} bytes")
        if end < 0:
            return False
        self._headers = _headers(bytes(self._buffer[start:end]))
        self._length = _length(self._headers)
        del self._buffer[: end + 2]
        return True


def event_of(packet: Packet) -> Event:
    """The event that a packet of type text/event-json or text/event-plain carries."""
    if packet.kind == "text/event-json":
        return _json_event(packet.body)
    if packet.kind == "text/event-plain":
        return _plain_event(packet.body)
    raise EslProtocolError(f"a packet of type {packet.kind[:40]!r} is no event")


def _json_event(body: bytes) -> Event:
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EslProtocolError("an event that is not JSON") from error
    if not isinstance(fields, dict):
        raise EslProtocolError("an event that is not a JSON object")
    return {name: value for name, value in fields.items() if isinstance(value, str)}


def _plain_event(body: bytes) -> Event:
    head, _, rest = body.partition(b"\n\n")
    lines = [line.partition(b":") for line in head.split(b"\n") if line]
    event = {
        name.decode("utf-8", "replace"): unquote(value.strip().decode("utf-8", "replace"))
        for name, _, value in lines
    }
    if rest:
        event["_body"] = rest.decode("utf-8", "replace")
    return event


def _headers(head: bytes) -> dict[str, str]:
    headers = {}
    for line in head.split(b"\n"):
        name, colon, value = line.rstrip(b"\r").partition(b":")
        if not colon:
            raise EslProtocolError("a header line without a colon")
        headers[name.strip().decode("utf-8", "replace").lower()] = value.strip().decode("utf-8", "replace")
    return headers


def _length(headers: Mapping[str, str]) -> int:
    text = headers.get("content-length", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise EslProtocolError("a Content-Length that is not a number")
    if int(text) > LARGEST_BODY:
        raise EslProtocolError(f"a body of more than {LARGEST_BODY} bytes")
    return int(text)
