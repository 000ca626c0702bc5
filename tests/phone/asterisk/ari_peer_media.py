"""External media of the peer: it connects to an AudioSocket server, or waits for a media WebSocket.

Written from Asterisk's sources (f0c1c1a: channels/chan_audiosocket.c, channels/chan_websocket.c);
imports nothing of ours.
"""

from __future__ import annotations

import asyncio
import uuid

from aiohttp import web

from tests.phone.asterisk.ari_peer_world import PeerChannel, World


class ExternalMedia:
    """Both kinds."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: dict[str, PeerChannel] = {}

    async def audiosocket(self, channel: PeerChannel, host_port: str, name: str) -> None:
        """Connects before the request is answered; says the UUID when the channel is called."""
        host, port = host_port.rsplit(":", 1)
        reader, writer = await asyncio.open_connection(host, int(port))
        channel.socket = writer
        writer.write(b"\x01\x00\x10" + uuid.UUID(name).bytes)
        self._world.start(self._audiosocket(channel, reader))
        if not self._world.media_never_starts:
            if self._world.media_first:
                self._world.answer(channel)
            else:
                asyncio.get_running_loop().call_soon(self._world.answer, channel)

    async def _audiosocket(self, channel: PeerChannel, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                kind, high, low = await reader.readexactly(3)
                payload = await reader.readexactly(high * 256 + low)
                if kind == 0x10 and payload:
                    channel.speak(payload)
                else:
                    if kind != 0x00:
                        self._world.violations.append(f"type 0x{kind:02x} of {len(payload)} bytes")
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        self._world.hang_up(channel, 16)

    def websocket(self, channel: PeerChannel, codec: str) -> None:
        """Waits for a connection to /media/<id>."""
        connection = str(uuid.uuid4())
        channel.variables |= {
            "MEDIA_WEBSOCKET_CONNECTION_ID": connection,
            "MEDIA_WEBSOCKET_OPTIMAL_FRAME_SIZE": "320",
        }
        channel.args = [codec]
        self._waiting[connection] = channel

    async def media(self, request: web.Request) -> web.StreamResponse:
        """A connection to /media/<id>."""
        connection = request.match_info["id"]
        channel = self._waiting.pop(connection, None)
        if channel is None or channel.ended:
            return web.Response(status=404)
        socket = web.WebSocketResponse(protocols=("media",))
        await socket.prepare(request)
        channel.socket = socket
        await socket.send_str(
            f"MEDIA_START connection_id:{connection} channel:{channel.name} channel_id:{channel.id} "
            f"format:{channel.args[0]} optimal_frame_size:320 ptime:20"
        )
        channel.args = []
        if not self._world.media_never_starts:
            self._world.answer(channel)
        async for message in socket:
            if isinstance(message.data, bytes):
                channel.speak(message.data)
                continue
            command, _, name = str(message.data).partition(" ")
            if command == "MARK_MEDIA":
                await socket.send_str(f"MEDIA_MARK_PROCESSED {name}")
            elif command == "HANGUP":
                break
        self._world.hang_up(channel, 16)
        return socket
