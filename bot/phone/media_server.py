"""One TCP port for the media WebSockets of all switches: paths, limits, whole messages.

A subclass of MediaSocket speaks one switch's protocol.  RFC 6455; frames are joined to messages of
at most 64 KiB, UTF-8 is checked, and a peer that breaks the protocol is closed with 1002 (order),
1003 (kind), 1007 (text) or 1009 (size) without touching any other socket.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

LARGEST_MESSAGE = 64 * 1024
LARGEST_BACKLOG = 64 * 1024
"""Bytes waiting for a peer that does not read: four seconds of audio; then the line is lost."""

CLOSES_S = 1.0
"""So long the far end has to answer our close frame; then the connection is cut."""

_log = logging.getLogger(__name__)


class BadMessage(Exception):
    """A peer broke the protocol: the socket is closed with `code`."""

    def __init__(self, why: str, code: WSCloseCode = WSCloseCode.PROTOCOL_ERROR) -> None:
        super().__init__(why)
        self.code = code


class MediaSocket(WSListener):  # type: ignore[misc]
    """One socket of a switch.  Subclasses implement `text`, `binary` and `closed`."""

    def __init__(self) -> None:
        self.transport: WSTransport | None = None
        self.why_closed = "line_lost"
        self._given_up = False
        self._parts: list[bytes] = []
        self._size = 0
        self._kind = WSMsgType.TEXT

    def opened(self) -> None:
        """The socket is up."""

    def text(self, message: bytes) -> None:
        """One whole text message, valid UTF-8.  Raises BadMessage."""
        raise BadMessage("no text is expected", WSCloseCode.UNSUPPORTED_DATA)

    def binary(self, message: bytes) -> None:
        """One whole binary message.  Raises BadMessage."""
        raise BadMessage("no binary data is expected", WSCloseCode.UNSUPPORTED_DATA)

    def closed(self, why: str) -> None:
        """The socket is gone: `bad_data` where the peer broke the protocol, else `line_lost`."""

    def write_text(self, message: bytes) -> None:
        """Send a text message; on a socket that is gone nothing; a full one is given up."""
        self._write(WSMsgType.TEXT, message)

    def write_binary(self, message: bytes) -> None:
        """Send a binary message likewise."""
        self._write(WSMsgType.BINARY, message)

    def close(self, code: WSCloseCode = WSCloseCode.OK, reason: str = "") -> None:
        """Close politely; a second call does nothing."""
        transport = self.transport
        if transport is not None and not transport.is_close_frame_sent and not transport.is_disconnected:
            transport.send_close(code, reason.encode()[:120])
            asyncio.get_running_loop().call_later(CLOSES_S, transport.disconnect, False)

    def _write(self, kind: WSMsgType, message: bytes) -> None:
        transport = self.transport
        if self._given_up or transport is None or transport.is_disconnected or transport.is_close_frame_sent:
            return
        if transport.underlying_transport.get_write_buffer_size() > LARGEST_BACKLOG:
            _log.warning("a media socket's far end does not read: given up")
            self._given_up = True
            transport.disconnect(False)
            return
        transport.send(kind, message)

    # -- picows

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self.opened()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        try:
            if frame.payload_size > LARGEST_MESSAGE:  # picows closes it too, but hands it over first
                raise BadMessage("a message over 64 KiB", WSCloseCode.MESSAGE_TOO_BIG)
            if kind == WSMsgType.TEXT or kind == WSMsgType.BINARY or kind == WSMsgType.CONTINUATION:
                if frame.fin and not self._parts and kind != WSMsgType.CONTINUATION:
                    self._message(kind, frame.get_payload_as_bytes())
                else:
                    self._join(kind, frame)
            elif kind == WSMsgType.CLOSE:
                self.close(WSCloseCode.OK)
                transport.disconnect()
        except BadMessage as bad:
            _log.warning("a media socket is closed (%d): %s", bad.code.value, bad)
            self.why_closed = "bad_data"
            self.close(bad.code, str(bad))
        except Exception:
            _log.exception("a media socket broke")
            self.why_closed = "fault"
            self.close(WSCloseCode.INTERNAL_ERROR)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        handshake = transport.close_handshake
        sent = handshake.sent if handshake is not None else None
        bad = (WSCloseCode.MESSAGE_TOO_BIG, WSCloseCode.PROTOCOL_ERROR, WSCloseCode.INVALID_TEXT)
        if sent is not None and sent.code in bad:
            self.why_closed = "bad_data"
        self.closed(self.why_closed)

    def _message(self, kind: WSMsgType, payload: bytes) -> None:
        if kind == WSMsgType.BINARY:
            self.binary(payload)
            return
        if not payload.isascii():
            try:
                payload.decode()
            except UnicodeDecodeError as error:
                raise BadMessage("text that is not UTF-8", WSCloseCode.INVALID_TEXT) from error
        self.text(payload)

    def _join(self, kind: WSMsgType, frame: WSFrame) -> None:
        """A message in several frames (RFC 6455 section 5.4)."""
        if (kind == WSMsgType.CONTINUATION) != bool(self._parts):
            raise BadMessage("a continuation without its beginning, or none where one was due")
        if not self._parts:
            self._kind = kind
        self._parts.append(frame.get_payload_as_bytes())
        self._size += frame.payload_size
        if self._size > LARGEST_MESSAGE or len(self._parts) > 1000:
            raise BadMessage("a message over 64 KiB", WSCloseCode.MESSAGE_TOO_BIG)
        if frame.fin:
            whole = b"".join(self._parts)
            self._parts, self._size = [], 0
            self._message(self._kind, whole)


Upgrade = WSUpgradeRequest
Endpoint = Callable[[Upgrade], MediaSocket | WSUpgradeResponseWithListener | HTTPStatus]
"""What speaks on a path: a socket (with an answer of its own, where it names a subprotocol), or the
status that refuses (403, 503 …)."""


class MediaServer:
    """Serves endpoints by path; many calls on one event loop."""

    def __init__(self, endpoints: Mapping[str, Endpoint]) -> None:
        """`endpoints`: by path, e.g. "/twilio"."""
        self._endpoints = dict(endpoints)
        self._server: asyncio.Server | None = None

    async def start(
        self, host: str, port: int, tls: ssl.SSLContext | None = None, *, shared: bool = False
    ) -> int:
        """Listen; the port (of use where `port` is 0).  `shared`: other processes may listen there too,
        and the kernel spreads the sockets.  Raises OSError."""
        self._server = await ws_create_server(
            self._route, host, port, ssl=tls, max_frame_size=LARGEST_MESSAGE, reuse_address=True,
            reuse_port=shared, backlog=1024, enable_auto_ping=True, logger_name="media",
        )  # fmt: skip
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Take no new sockets; those that are open stay with their calls."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _route(self, request: WSUpgradeRequest) -> Any:
        path = request.path.split(b"?", 1)[0].decode("ascii", "replace")
        endpoint = self._endpoints.get(path)
        if endpoint is None:
            return None
        found = endpoint(request)
        if isinstance(found, HTTPStatus):
            refused = WSUpgradeResponse.create_error_response(found, found.phrase.encode())
            return WSUpgradeResponseWithListener(refused, None)
        return found
