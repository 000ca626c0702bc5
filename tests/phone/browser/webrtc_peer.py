"""A page's side of a WebRTC line, by aiortc, from docs/phones/browser.md; knows nothing of the bot."""

from __future__ import annotations

import asyncio
import fractions
import json
from typing import Any

import aiohttp
import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from tests.phone.browser.peer import tone

RATE = 48000


class ToneTrack(MediaStreamTrack):
    """A microphone that hears a sine for ever."""

    kind = "audio"

    def __init__(self, hz: float) -> None:
        super().__init__()
        self._hz = hz
        self._samples = 0
        self._started = 0.0

    async def recv(self) -> AudioFrame:
        """20 ms."""
        loop = asyncio.get_running_loop()
        self._started = self._started or loop.time()
        await asyncio.sleep(self._started + self._samples / RATE - loop.time())
        frame = AudioFrame(format="s16", layout="mono", samples=RATE // 50)
        frame.planes[0].update(tone(self._hz, RATE, 20, start=self._samples))
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._samples, fractions.Fraction(1, RATE)
        self._samples += RATE // 50
        return frame


class WebRtcPeer:
    """One page.  `heard`: what came, PCM at RATE; `said`: the messages of the data channel."""

    def __init__(self, base: str, hz: float = 440.0) -> None:
        self.base = base
        self.peer = RTCPeerConnection()
        self.channel = self.peer.createDataChannel("control")
        self.heard = bytearray()
        self.said: list[dict[str, Any]] = []
        self.news = asyncio.Event()
        self.closed = asyncio.Event()
        self._hearing: asyncio.Task[None] | None = None
        self.peer.addTrack(ToneTrack(hz))
        self.peer.on("track", self._track)
        self.channel.on("message", self._message)
        self.channel.on("open", self.news.set)
        self.channel.on("close", self.closed.set)

    async def offer(self, **more: Any) -> tuple[int, dict[str, Any]]:
        """Offer the line; status and body of the answer."""
        headers = {"Origin": self.base}
        async with aiohttp.ClientSession(headers=headers) as session:
            async with session.post(f"{self.base}/talk/tickets") as answer:
                ticket = (await answer.json())["ticket"]
            await self.peer.setLocalDescription(await self.peer.createOffer())
            sdp = self.peer.localDescription.sdp
            body = {"kind": "talk", "ticket": ticket, "sdp": sdp, **more}
            async with session.post(f"{self.base}/talk/offer", json=body) as answer:
                return answer.status, await answer.json()

    async def call(self, **more: Any) -> None:
        """Open a line and wait for its channel."""
        status, body = await self.offer(**more)
        assert status == 200, body
        await self.peer.setRemoteDescription(RTCSessionDescription(body["sdp"], "answer"))
        await self.until(lambda: self.channel.readyState == "open")

    def tell(self, message: Any) -> None:
        """One message."""
        self.channel.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def until(self, holds: Any) -> None:
        """Wait until something holds of what came."""
        async with asyncio.timeout(20):
            while not holds():
                self.news.clear()
                await self.news.wait()

    async def leave(self) -> None:
        """Go away."""
        await self.peer.close()
        if self._hearing is not None:
            await asyncio.wait((self._hearing,))

    def _message(self, message: str) -> None:
        self.said.append(json.loads(message))
        self.news.set()

    def _track(self, track: MediaStreamTrack) -> None:
        self._hearing = asyncio.create_task(self._hear(track))

    async def _hear(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                assert isinstance(frame, AudioFrame) and frame.sample_rate == RATE
                samples = frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0]
                self.heard += samples.astype(np.int16).tobytes()
                self.news.set()
        except MediaStreamError:
            return
