"""Twilio's side of a media stream, from Twilio's documentation: a caller with a play-out buffer.

Knows nothing of our code.  Time is virtual: `advance` sends 20 ms of the caller's sound for each 20 ms
that pass and plays as much of what came in; a mark is echoed once all before it has been played, and
all pending marks when `clear` comes.  What Twilio would break off on (error 31924, 31951) raises
Broken.  Source: https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

from __future__ import annotations

import base64
import json
from collections import deque
from typing import Any

import aiohttp

FRAME_MS = 20
FRAME_BYTES = 160
SILENCE = b"\xff" * FRAME_BYTES
FURTHEST_AHEAD_MS = 400


class Broken(AssertionError):
    """The server sent what Twilio does not take."""


class TwilioPeer:
    """One call.  `open`, `start`, then `advance`, `press`, `stop`."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        *,
        call_sid: str = "CA0001",
        stream_sid: str = "MZ0001",
        tracks: tuple[str, ...] = ("inbound",),
        parameters: dict[str, str] | None = None,
    ) -> None:
        self._session, self._url = session, url
        self.call_sid, self.stream_sid = call_sid, stream_sid
        self.tracks, self.parameters = tracks, parameters or {}
        self.played = bytearray()
        self.cleared_bytes = 0
        self._buffer: deque[bytes | str] = deque()
        self._sequence = 0
        self._chunks = dict.fromkeys(tracks, 0)
        self._ms = 0
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    @property
    def socket(self) -> aiohttp.ClientWebSocketResponse:
        assert self._socket is not None, "open() comes first"
        return self._socket

    async def open(self, **headers: str) -> None:
        """Connect; raises aiohttp.WSServerHandshakeError where that is refused."""
        self._socket = await self._session.ws_connect(self._url, headers=headers, autoping=True)

    async def send(self, message: dict[str, Any]) -> None:
        await self.socket.send_str(json.dumps(message))

    async def connected(self) -> None:
        await self.send({"event": "connected", "protocol": "Call", "version": "1.0.0"})

    async def begin(self) -> None:
        """The start message."""
        body = {
            "streamSid": self.stream_sid,
            "accountSid": "AC0001",
            "callSid": self.call_sid,
            "tracks": list(self.tracks),
            "customParameters": self.parameters,
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        }
        await self._numbered({"event": "start", "start": body})

    async def start(self, **headers: str) -> None:
        """open, connected and start."""
        await self.open(**headers)
        await self.connected()
        await self.begin()

    async def media(self, payload: bytes | str, track: str = "inbound") -> None:
        """One media message; a text is sent as it is, base64 or not."""
        text = payload if isinstance(payload, str) else base64.b64encode(payload).decode()
        self._chunks[track] = self._chunks.get(track, 0) + 1
        body = {
            "track": track,
            "chunk": str(self._chunks[track]),
            "timestamp": str(self._ms),
            "payload": text,
        }
        await self._numbered({"event": "media", "media": body})

    async def press(self, digit: str) -> None:
        await self._numbered({"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": digit}})

    async def words(self, text: str, final: bool) -> None:
        """Our own extension, for simulated callers."""
        await self.send({"event": "words", "streamSid": self.stream_sid, "text": text, "final": final})

    async def stop(self) -> None:
        await self._numbered({"event": "stop", "stop": {"accountSid": "AC0001", "callSid": self.call_sid}})

    async def advance(self, ms: int, sound: bytes = SILENCE) -> None:
        """Time passes: the caller sounds, the buffer plays, marks whose turn has come are echoed."""
        for _ in range(ms // FRAME_MS):
            for track in self.tracks:
                await self.media(sound, track)
            self._ms += FRAME_MS
            await self._play(FRAME_BYTES)

    async def take(self, count: int = 1) -> list[str]:
        """The next messages from the server, taken into the buffer; their kinds."""
        kinds = []
        for _ in range(count):
            got = await self.socket.receive()
            if got.type is not aiohttp.WSMsgType.TEXT:
                raise Broken(f"{got.type} instead of a text message (close code {self.socket.close_code})")
            kinds.append(await self._take(json.loads(got.data)))
        return kinds

    def cut(self) -> None:
        """The network is gone: no close frame, no stop."""
        connection = self.socket._response.connection
        assert connection is not None and connection.transport is not None
        connection.transport.abort()

    async def closed(self) -> int:
        """Read until the server closes: its close code."""
        while True:
            got = await self.socket.receive()
            if got.type is aiohttp.WSMsgType.CLOSE:
                return int(got.data)  # close_code is 1006 where our own reply came too late
            if got.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING):
                assert self.socket.close_code is not None
                return self.socket.close_code
            if got.type is aiohttp.WSMsgType.ERROR:
                raise Broken(f"the socket broke: {self.socket.exception()}")

    @property
    def buffered_ms(self) -> int:
        """Sound that came and was not played."""
        return sum(len(item) for item in self._buffer if isinstance(item, bytes)) // 8

    async def _take(self, message: dict[str, Any]) -> str:
        if message.get("streamSid") != self.stream_sid:
            raise Broken("a message without our streamSid")
        if "outbound" in self.tracks:
            raise Broken("error 31924: something was sent on a stream that goes one way")
        match message:
            case {"event": "media", "media": {"payload": str() as payload}}:
                sound = base64.b64decode(payload, validate=True)
                if len(sound) != FRAME_BYTES:
                    raise Broken(f"{len(sound)} bytes of audio in a message")
                self._buffer.append(sound)
                if self.buffered_ms > FURTHEST_AHEAD_MS:
                    raise Broken("sent further ahead than was allowed")
            case {"event": "mark", "mark": {"name": str() as name}}:
                self._buffer.append(name)
                await self._play(0)
            case {"event": "clear"}:
                marks = [item for item in self._buffer if isinstance(item, str)]
                self.cleared_bytes += sum(len(item) for item in self._buffer if isinstance(item, bytes))
                self._buffer.clear()
                for name in marks:
                    await self._echo(name)
            case _:
                raise Broken(f"error 31924: {message}")
        return str(message["event"])

    async def _play(self, count: int) -> None:
        while self._buffer:
            head = self._buffer[0]
            if isinstance(head, str):
                self._buffer.popleft()
                await self._echo(head)
            elif count >= len(head):
                count -= len(head)
                self.played += head
                self._buffer.popleft()
            else:
                return

    async def _echo(self, name: str) -> None:
        await self._numbered({"event": "mark", "mark": {"name": name}})

    async def _numbered(self, message: dict[str, Any]) -> None:
        self._sequence += 1
        await self.send({**message, "sequenceNumber": str(self._sequence), "streamSid": self.stream_sid})
