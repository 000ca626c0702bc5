"""The media modules from the switch's side: WebSocket clients that behave as their sources do.

`StreamModule`: mod_audio_stream, `edition` community (writes streamAudio to a file and fires an event)
or two_way (plays it, as well as binary).  `ForkModule`: mod_audio_fork of drachtio (files) or of
jambonz (binary into a prebuffer and a playout buffer, marks as samples of 0xFFFF, killAudio).
Nothing here knows our code.  Time is the test's: `write_frame` is one 20 ms turn of the channel.
"""

from __future__ import annotations

import asyncio
import base64
import json
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

MARK = 0xFFFF
FRAME = 160

Fire = Callable[[str, dict[str, object]], None]


class Module:
    """What both modules do: connect, send the metadata first, then binary L16."""

    play_event = failed_event = ""
    file_type = ".r8"
    subprotocols: tuple[str, ...] = ()

    def __init__(self, uuid: str, fire: Fire) -> None:
        self.uuid, self.fire = uuid, fire
        self.files: dict[str, bytes] = {}
        self.texts: list[dict[str, object]] = []
        self.close_code: int | None = None
        self.heard = asyncio.Event()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def socket(self) -> aiohttp.ClientWebSocketResponse:
        assert self._socket is not None, "not connected"
        return self._socket

    async def connect(self, url: str, metadata: str | None) -> None:
        """Raises aiohttp.ClientError where the server refuses."""
        self._session = aiohttp.ClientSession()
        try:
            self._socket = await self._session.ws_connect(url, max_msg_size=0, protocols=self.subprotocols)
        except aiohttp.ClientError:
            await self._session.close()
            raise
        assert self.socket.protocol == next(iter(self.subprotocols), None)
        if metadata is not None:
            await self.socket.send_str(metadata)
        self.reading = asyncio.create_task(self._read())

    async def caller_says(self, pcm: bytes) -> None:
        await self.socket.send_bytes(pcm)

    async def close(self) -> None:
        """The channel is gone: both modules close with 1000."""
        if self._socket is None:
            return
        await self.socket.close(code=1000)
        await self.reading
        assert self._session is not None
        await self._session.close()

    async def cut(self) -> None:
        """The network is gone."""
        assert self.socket._conn is not None and self.socket._conn.transport is not None
        self.socket._conn.transport.abort()
        await self.reading

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something that the server sends."""
        async with asyncio.timeout(10):
            while not holds():
                self.heard.clear()
                await self.heard.wait()

    async def _read(self) -> None:
        async for message in self.socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                text = json.loads(message.data)
                self.texts.append(text)
                await self.text(text)
            elif message.type is aiohttp.WSMsgType.BINARY:
                self.binary(message.data)
            self.heard.set()
        self.close_code = self.socket.close_code
        self.heard.set()

    async def text(self, message: dict[str, object]) -> None:
        raise NotImplementedError

    def binary(self, data: bytes) -> None:
        raise AssertionError("this edition takes no binary")

    def _to_file(self, data: dict[str, object], audio: str) -> None:
        """The audio leaves the message, a file's name takes its place."""
        encoded = data.pop(audio)
        assert isinstance(encoded, str)
        name = f"/tmp/{self.uuid}_{len(self.files)}.tmp{self.file_type}"
        self.files[name] = base64.b64decode(encoded, validate=True)
        self.fire(self.play_event, {**data, "file": name})


class StreamModule(Module):
    """mod_audio_stream."""

    play_event, failed_event = "mod_audio_stream::play", "mod_audio_stream::error"

    def __init__(self, uuid: str, fire: Fire, edition: str = "community") -> None:
        super().__init__(uuid, fire)
        self.edition = edition
        self.played = b""

    async def text(self, message: dict[str, object]) -> None:
        data = message["data"]
        assert message["type"] == "streamAudio" and isinstance(data, dict)
        assert data["audioDataType"] == "raw" and data["sampleRate"] == 8000
        if self.edition == "community":
            self._to_file(data, "audioData")
        else:
            self.played += base64.b64decode(data["audioData"], validate=True)

    def binary(self, data: bytes) -> None:
        assert self.edition == "two_way", "the community edition reads texts only"
        self.played += data


class ForkModule(Module):
    """mod_audio_fork; `bidirectional` as jambonz's is started with `true true 8000`."""

    play_event, failed_event = "mod_audio_fork::play_audio", "mod_audio_fork::connect_failed"
    subprotocols = ("audio.drachtio.org",)

    def __init__(self, uuid: str, fire: Fire, bidirectional: bool) -> None:
        super().__init__(uuid, fire)
        self.bidirectional = bidirectional
        self.prebuffer: deque[int] = deque()
        self.playout: deque[int] = deque()
        self.threshold = 1280
        self.clear = False
        self.inventory: deque[str] = deque()
        self.in_use: deque[str] = deque()
        self.cleared: deque[str] = deque()

    async def text(self, message: dict[str, object]) -> None:
        kind, data = message["type"], message.get("data")
        if kind == "playAudio" and not self.bidirectional:
            assert isinstance(data, dict)
            assert data["audioContentType"] == "raw" and data["sampleRate"] == 8000
            self._to_file(data, "audioContent")
        elif kind == "killAudio":
            self.clear = True
        elif kind == "mark":
            assert isinstance(data, dict) and isinstance(data["name"], str)
            self.inventory.append(data["name"])
        else:
            raise AssertionError(f"mod_audio_fork knows no {kind}")

    def binary(self, data: bytes) -> None:
        assert self.bidirectional, "received unexpected binary frame"
        self.in_use.extend(self.inventory)
        self.prebuffer.extend([MARK] * len(self.inventory))
        self.inventory.clear()
        self.prebuffer.extend(struct.unpack(f"<{len(data) // 2}H", data))
        if len(self.prebuffer) >= self.threshold:
            self.threshold = 640
            self.playout.extend(self.prebuffer)
            self.prebuffer.clear()

    async def write_frame(self) -> bytes:
        """20 ms of the channel's outgoing side."""
        out: list[int] = []
        if self.clear:
            self.clear = False
            self.playout.clear()
            for name in [*self.in_use, *self.inventory]:
                await self._mark(name, "cleared")
            self.cleared.extend(self.in_use)
            self.in_use.clear()
            self.inventory.clear()
            return bytes(FRAME * 2)
        marked = bool(self.in_use or self.cleared)
        taken = [self.playout.popleft() for _ in range(min(FRAME, len(self.playout)))]
        for sample in taken:
            if marked and sample == MARK:
                if self.cleared:
                    self.cleared.popleft()
                elif self.in_use:
                    await self._mark(self.in_use.popleft(), "playout")
            else:
                out.append(sample)
        if not taken and self.inventory:
            await self._mark(self.inventory.popleft(), "playout")
        out += [0] * (FRAME - len(out))
        return struct.pack(f"<{FRAME}H", *out)

    async def _mark(self, name: str, event: str) -> None:
        await self.socket.send_str(f'{{"type": "mark", "data": {{"name":"{name}", "event": "{event}"}}}}')


@dataclass
class Channel:
    """One call leg in the switch."""

    uuid: str
    dial_string: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    answer_state: str = "ringing"
    queued: list[str] = field(default_factory=list)
    played: bytes = b""
    keys: str = ""
    transferred_to: str = ""
    bridged_to: str = ""
    module: Module | None = None
    hangup_cause: str = ""
