"""A page's side of a WebSocket line, from docs/phones/browser.md; knows nothing of the bot.

What it was sent waits in a play-out queue until the test plays it: `play` says which marks it reached.
"""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import aiohttp


class PagePeer:
    """One page.  `end` is the server's last word, `events` what it was shown, `close_code` how it closed."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.session = aiohttp.ClientSession()
        self.socket: aiohttp.ClientWebSocketResponse | None = None
        self.queue: list[bytes | str] = []
        self.played = b""
        self.events: list[dict[str, Any]] = []
        self.rings: list[Any] = []
        self.words: bool | None = None
        self.end: dict[str, str] | None = None
        self.flushes = 0
        self.frames = 0

    async def ticket(self) -> str:
        """A caller's ticket."""
        async with self.session.post(f"{self.base}/talk/tickets", headers={"Origin": self.base}) as answer:
            assert answer.status == 200, await answer.text()
            return str((await answer.json())["ticket"])

    async def connect(self, origin: str | None = None) -> None:
        """Open the socket."""
        headers = {"Origin": self.base if origin is None else origin}
        self.socket = await self.session.ws_connect(f"{self.base}/talk/socket", headers=headers)

    async def call(self, rate: int = 8000, ticket: str | None = None, **more: Any) -> None:
        """Open a line and wait until it is up."""
        await self.connect()
        hello = {"kind": "talk", "sample_rate": rate, "ticket": ticket or await self.ticket(), **more}
        await self.tell(hello)
        await self.read_until(lambda: self.words is not None)

    async def tell(self, message: Any) -> None:
        """One text message."""
        assert self.socket is not None
        await self.socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def sound(self, pcm: bytes) -> None:
        """Sound of the microphone."""
        assert self.socket is not None
        await self.socket.send_bytes(pcm)

    async def read_until(self, holds: Any) -> None:
        """Take what comes until something holds; fails where the socket closes before."""
        while not holds():
            assert await self.read(), f"the socket closed ({self.close_code}) before that: {self.end}"

    async def read_to_close(self) -> None:
        """Take all until the server closes."""
        while await self.read():
            pass

    async def read(self) -> bool:
        """Take one message; False at the end."""
        assert self.socket is not None
        message = await self.socket.receive(timeout=10)
        if message.type is aiohttp.WSMsgType.BINARY:
            self.queue.append(message.data)
            self.frames += 1
        elif message.type is aiohttp.WSMsgType.TEXT:
            self._take(json.loads(message.data))
        else:
            return False
        return True

    def _take(self, message: dict[str, Any]) -> None:
        [(key, value)] = message.items()
        if key == "mark":
            self.queue.append(value)
        elif key == "flush":
            self.queue.clear()
            self.flushes += 1
        elif key == "event":
            self.events.append(value)
        elif key == "ready":
            self.words = value["words"]
        elif key == "ring":
            self.rings.append(value)
        elif key == "end":
            self.end = value
        else:
            raise AssertionError(f"the page knows no message {key!r}")

    async def play(self) -> None:
        """Play all that waits."""
        while self.queue:
            item = self.queue.pop(0)
            if isinstance(item, bytes):
                self.played += item
            else:
                await self.tell({"played": item})

    @property
    def close_code(self) -> int | None:
        """How the socket was closed."""
        assert self.socket is not None
        return self.socket.close_code

    async def leave(self) -> None:
        """Go away without a word."""
        await self.session.close()


def tone(hz: float, rate: int, ms: int, *, start: int = 0) -> bytes:
    """A sine at half of full scale; `start`: samples before it."""
    count = rate * ms // 1000
    values = (round(16000 * math.sin(2 * math.pi * hz * (start + n) / rate)) for n in range(count))
    return struct.pack(f"<{count}h", *values)


def share_at(pcm: bytes, hz: float, rate: int = 8000) -> float:
    """How much of a sound's power lies at one frequency (Goertzel, Hann window), 0 to 1."""
    samples = struct.unpack(f"<{len(pcm) // 2}h", pcm)
    count = len(samples)
    windowed = [x * (0.5 - 0.5 * math.cos(2 * math.pi * n / count)) for n, x in enumerate(samples)]
    real = sum(x * math.cos(2 * math.pi * hz * n / rate) for n, x in enumerate(windowed))
    imaginary = sum(x * math.sin(2 * math.pi * hz * n / rate) for n, x in enumerate(windowed))
    power = sum(x * x for x in windowed)
    return (real * real + imaginary * imaginary) / (power * count / 3) if power else 0.0
