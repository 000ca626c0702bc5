"""A page's line over one WebSocket: its sound in its own rate, ours in 8000 Hz, JSON between.

    page → us   Hello, then binary PCM (signed 16-bit little-endian mono) and {"say"|"digit"|"played"|…}
    us → page   binary frames of 20 ms, {"mark": id}, {"flush": true}, {"event": {…}}, {"end": {…}}

The page plays from a queue that it empties at a flush, and says which marks it has reached.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from typing import Any

from aiohttp import WebSocketError, WSCloseCode, WSMsgType, web

from bot.call.ports import LegCapabilities
from bot.phone.browser.messages import Hello, PageFault, decode_says, encode
from bot.phone.browser.page_leg import PageLeg, Renew
from bot.phone.resampling import ToLine

LARGEST_MESSAGE = 64 * 1024
LARGEST_BACKLOG = 64 * 1024
"""Bytes waiting for a page that does not read: four seconds of sound; then the line is lost."""

LEAD_MS = 60
SEND_S = 5.0
HEARTBEAT_S = 10.0
"""A page that answers no ping for half of this is gone."""

_log = logging.getLogger(__name__)


def new_socket() -> web.WebSocketResponse:
    """A WebSocket with the limits of this protocol."""
    return web.WebSocketResponse(
        max_msg_size=LARGEST_MESSAGE, heartbeat=HEARTBEAT_S, timeout=2.0, compress=False
    )


class BrowserLeg(PageLeg):
    """The line of one WebSocket; `serve` runs as long as it is open."""

    def __init__(self, hello: Hello, *, words: bool, renew: Renew | None = None) -> None:
        """`words`: there is no recogniser, or the page wants none: typed lines alone are heard."""
        super().__init__(hello.kind, renew)
        self.capabilities = LegCapabilities(
            words=words, marks=True, flush=True, dtmf=True, continuous=False, lead_ms=LEAD_MS
        )
        self._rate_hz = hello.sample_rate
        self._line = ToLine(hello.sample_rate)
        self._out: deque[bytes | str] = deque()
        self._backlog = 0
        self._wake = asyncio.Event()
        self._closing = False
        self._cause_code: int = WSCloseCode.OK

    def send(self, pcm: bytes) -> None:
        """Play one frame of 320 bytes after those sent before."""
        if not self.ended:
            self._put(pcm)

    def flush(self) -> None:
        """Drop what was sent and not yet played, with its marks."""
        if self.ended:
            return
        kept = [item for item in self._out if isinstance(item, str) and not item.startswith('{"mark"')]
        self._out = deque(kept)
        self._backlog = sum(map(len, kept))
        self._marks.clear()
        self._tell({"flush": True})

    async def serve(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        """Read and write until the line is over.  Never fails."""
        writing = asyncio.create_task(self._write(socket, transport), name="browser line")
        try:
            async for message in socket:
                if self.ended:
                    continue
                if message.type is WSMsgType.BINARY:
                    self._heard(message.data)
                elif message.type is WSMsgType.TEXT:
                    self._said(decode_says(message.data))
                elif message.type is WSMsgType.ERROR and isinstance(message.data, WebSocketError):
                    self._end("bad_data", "a message over 64 KiB, or no WebSocket frame")
        except PageFault as fault:
            _log.warning("a page's line is closed: %s", fault)
            self._cause_code = WSCloseCode.POLICY_VIOLATION
            self._broke(fault)
            await asyncio.wait((writing,))
        except Exception:
            _log.exception("a page's line broke")
            self._cause_code = WSCloseCode.INTERNAL_ERROR
            self._end("fault")
            await asyncio.wait((writing,))
        finally:
            self._gone()
            await asyncio.wait((writing,), timeout=SEND_S)
            writing.cancel()

    def _heard(self, pcm: bytes) -> None:
        if not pcm or len(pcm) % 2:
            raise PageFault(f"{len(pcm)} bytes of sound: send whole samples of 2 bytes, one at least")
        self._sound(self._line.take(pcm), len(pcm) / 2 / self._rate_hz)

    def _tell(self, message: Mapping[str, Any]) -> None:
        if not self._closing:
            self._put(encode(message))

    def _close(self) -> None:
        self._closing = True
        self._wake.set()

    def _put(self, item: bytes | str) -> None:
        self._out.append(item)
        self._backlog += len(item)
        self._wake.set()
        if self._backlog > LARGEST_BACKLOG and not self._closing:
            _log.warning("a page does not read: its line is given up")
            self._out.clear()
            self._backlog = 0
            self._closing = True
            self._gone()

    async def _write(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                async with asyncio.timeout(SEND_S):
                    while self._out:
                        item = self._out.popleft()
                        self._backlog -= len(item)
                        if isinstance(item, bytes):
                            await socket.send_bytes(item)
                        else:
                            await socket.send_str(item)
                    if self._closing:
                        await socket.close(code=self._cause_code)
                        return
        except (ConnectionError, RuntimeError, TimeoutError):  # gone, closing, or it does not read
            if transport is not None:
                transport.abort()
            self._gone()
