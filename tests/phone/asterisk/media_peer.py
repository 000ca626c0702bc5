"""Asterisk's chan_websocket seen from the network, both directions of connection.

Written from Asterisk f0c1c1a: channels/chan_websocket.c (incoming_ws_http_callback, webchan_call,
webchan_hangup) and res/res_http_websocket.c (the size of a message).  Imports nothing of bot.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from tests.phone.asterisk.media_channel import MediaChannel
from tests.phone.asterisk.media_waiting import Collected

LARGEST_MESSAGE = 65_500


class MediaPeer:
    """A channel on an open WebSocket, of either side's making.

    `arrived`: each message that came, after the channel took it.  `closed`: the code with which the
    socket was closed, 1006 where it was cut.  `begin` False: says no MEDIA_START by itself.  `deaf`:
    does not close when it is told to hang up, as a switch that hangs.
    """

    def __init__(self, socket: Any, begin: bool = True, deaf: bool = False, **channel: Any) -> None:
        self.socket = socket
        self.deaf = deaf
        self.arrived = Collected()
        self.closed: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._sending: list[asyncio.Task[None]] = []
        self.channel = MediaChannel(self.send_text, **channel)
        if begin:
            self.channel.start()

    def send_text(self, message: str) -> None:
        """In order: a task runs no earlier than those made before it."""
        self._sending.append(asyncio.create_task(self.socket.send_str(message)))

    def speak(self, payload: bytes) -> None:
        """Sound of the channel's other side (webchan_write)."""
        self._sending.append(asyncio.create_task(self.socket.send_bytes(payload)))

    async def serve(self) -> None:
        """Take what comes until the socket ends."""
        async for message in self.socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.channel.text(message.data)
            elif message.type is aiohttp.WSMsgType.BINARY:
                self.channel.binary(message.data)
            self.arrived(message.data)
            if self.channel.hung_up and not self.deaf:
                await self.socket.close(code=1000)
        if not self.closed.done():
            self.closed.set_result(self.socket.close_code)

    async def close(self, code: int = 1000) -> None:
        """The channel hung up: webchan_hangup closes with 1000, a fault with another."""
        await asyncio.gather(*self._sending)
        await self.socket.close(code=code)

    async def cut(self) -> None:
        """The connection breaks (where this side opened it)."""
        await asyncio.gather(*self._sending)
        self.socket._response.connection.transport.abort()


@asynccontextmanager
async def connecting(
    url: str,
    *,
    headers: dict[str, str] | None = None,
    protocols: tuple[str, ...] = ("media",),
    **channel: Any,
) -> AsyncIterator[MediaPeer]:
    """Asterisk as the client (websocket_client.conf): it connects to us."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            url,
            protocols=protocols,
            headers=headers,
            max_msg_size=LARGEST_MESSAGE,
            timeout=aiohttp.ClientWSTimeout(ws_close=2),
        ) as socket,
    ):
        peer = MediaPeer(socket, **channel)
        serving = asyncio.create_task(peer.serve())
        try:
            yield peer
        finally:
            await socket.close()
            await serving


@asynccontextmanager
async def serving(**channel: Any) -> AsyncIterator[tuple[str, Collected]]:
    """Asterisk as the server: /media/<connection id>; (address of it, the peers as they connect)."""
    peers = Collected()
    known = channel.get("connection_id", "c0ffee")

    async def media(request: web.Request) -> web.StreamResponse:
        if request.match_info["connection"] != known:
            return web.Response(status=404, text="WebSocket instance not found")
        if peers:
            return web.Response(status=409, text="Another websocket connection exists for this connection id")
        if "media" not in request.headers.get("Sec-WebSocket-Protocol", ""):
            return web.Response(status=400, text="no protocol that is known")
        socket = web.WebSocketResponse(protocols=("media",), max_msg_size=LARGEST_MESSAGE, timeout=2)
        await socket.prepare(request)
        peer = MediaPeer(socket, **channel)
        peers(peer)
        await peer.serve()
        return socket

    app = web.Application()
    app.router.add_get("/media/{connection}", media)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"ws://127.0.0.1:{port}/media/", peers
    finally:
        await runner.cleanup()


async def never_reading(port: int, path: str, text: str) -> asyncio.StreamWriter:
    """A client that says one text message (under 126 bytes) after its handshake and reads nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    writer.write(bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text.encode())  # masked with zeros
    return writer
