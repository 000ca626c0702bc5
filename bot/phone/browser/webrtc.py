"""A page's line over WebRTC (aiortc): sound by RTP, the JSON of the WebSocket line on a data channel.

aiortc's clock takes a frame of ours each 20 ms; what it has not taken can be flushed.  What the page
has played nobody tells, so there are no marks.  Importing this needs the extra `webrtc`.
"""

from __future__ import annotations

import asyncio
import fractions
import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from bot.call.ports import FRAME_BYTES, FRAME_MS, SAMPLE_RATE_HZ, LegCapabilities
from bot.phone.browser.messages import Offer, PageFault, decode_says, encode
from bot.phone.browser.page_leg import PageLeg, Renew
from bot.phone.resampling import ToLine

LEAD_MS = 60
LONGEST_QUEUE = 50
"""Frames of ours that wait for aiortc's clock: a second; of more the oldest is dropped."""

STALL_S = 1.0
"""A frame this late is a stall: the deadlines start anew."""

ANSWER_S = 10.0
"""For making the answer."""

CONNECT_S = 15.0
"""From the answer to the connection."""

MOST_UNSENT = 200
"""Messages that wait for the data channel to open."""

LARGEST_BACKLOG = 64 * 1024
SAMPLES = SAMPLE_RATE_HZ * FRAME_MS // 1000
_SILENCE = bytes(FRAME_BYTES)
_log = logging.getLogger(__name__)


class LineTrack(MediaStreamTrack):
    """Our side: one frame each 20 ms on absolute deadlines, silence where there is none."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.queue: deque[bytes] = deque(maxlen=LONGEST_QUEUE)
        self._taken = 0
        self._due_s = 0.0

    async def recv(self) -> AudioFrame:
        """The next frame, when it is due."""
        if self.readyState != "live":
            raise MediaStreamError
        loop = asyncio.get_running_loop()
        if self._taken == 0 or loop.time() > self._due_s + STALL_S:
            self._due_s = loop.time()
        await asyncio.sleep(self._due_s - loop.time())
        self._due_s += FRAME_MS / 1000
        frame = AudioFrame(format="s16", layout="mono", samples=SAMPLES)
        frame.planes[0].update(self.queue.popleft() if self.queue else _SILENCE)
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.pts = self._taken * SAMPLES
        frame.time_base = fractions.Fraction(1, SAMPLE_RATE_HZ)
        self._taken += 1
        return frame


class WebRtcLeg(PageLeg):
    """The line of one peer connection."""

    def __init__(
        self, offer: Offer, *, words: bool, ice_servers: tuple[str, ...] = (), renew: Renew | None = None
    ) -> None:
        """`words`: there is no recogniser, or the page wants none: typed lines alone are heard."""
        super().__init__(offer.kind, renew)
        self.capabilities = LegCapabilities(
            words=words, flush=True, dtmf=True, continuous=False, lead_ms=LEAD_MS
        )
        servers = RTCConfiguration(iceServers=[RTCIceServer(urls=list(ice_servers))] if ice_servers else [])
        self._peer = RTCPeerConnection(servers)
        self._out = LineTrack()
        self._channel: RTCDataChannel | None = None
        self._unsent: deque[str] = deque(maxlen=MOST_UNSENT)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._connected = False
        self._patience = asyncio.get_running_loop().call_later(ANSWER_S, self._gone)
        self._when_closed: Callable[[], None] = lambda: None

    def when_closed(self, tell: Callable[[], None]) -> None:
        """`tell` is called once the connection is let go of."""
        self._when_closed = tell

    async def answer(self, offer: Offer, connected: Callable[[], None]) -> str:
        """Our description for the page's; `connected` is called when the sound flows both ways.

        Raises PageFault where the offer is none, or has no sound in it.
        """
        peer = self._peer

        def state() -> None:
            if peer.connectionState in ("connected", "failed", "closed"):
                self._patience.cancel()
            if peer.connectionState == "connected" and not self._connected:
                self._connected = True
                connected()
            elif peer.connectionState in ("failed", "closed"):
                self._gone()

        peer.on("connectionstatechange", state)
        peer.on("track", lambda track: self._start(self._hear(track)))
        peer.on("datachannel", self._open)
        try:
            await peer.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
            sounds = [sender for sender in peer.getTransceivers() if sender.kind == "audio"]
            if len(sounds) != 1:
                raise PageFault(f"the offer has {len(sounds)} sounds: send one, of the microphone")
            peer.addTrack(self._out)
            await peer.setLocalDescription(await peer.createAnswer())
            self._patience.cancel()
            self._patience = asyncio.get_running_loop().call_later(CONNECT_S, self._gone)
        except PageFault:
            self._end("bad_data")
            raise
        except Exception as error:  # whatever aiortc's parsers make of a stranger's text
            self._end("bad_data")
            raise PageFault(f"no usable session description ({type(error).__name__})") from error
        return str(peer.localDescription.sdp)

    def send(self, pcm: bytes) -> None:
        """Play one frame of 320 bytes after those sent before."""
        if not self.ended:
            self._out.queue.append(pcm)

    def flush(self) -> None:
        """Drop what aiortc has not taken yet."""
        self._out.queue.clear()

    def _open(self, channel: RTCDataChannel) -> None:
        if self._channel is not None or channel.label != "control":
            channel.close()
            return
        self._channel = channel
        channel.on("message", self._message)
        channel.on("close", self._gone)
        while self._unsent:
            channel.send(self._unsent.popleft())

    def _message(self, message: str | bytes) -> None:
        if self.ended:
            return
        try:
            if isinstance(message, bytes) or len(message) > LARGEST_BACKLOG:
                raise PageFault("a message that is no text, or over 64 KiB")
            self._said(decode_says(message))
        except PageFault as fault:
            _log.warning("a page's line is closed: %s", fault)
            self._broke(fault)

    async def _hear(self, track: MediaStreamTrack) -> None:
        if track.kind != "audio":
            return
        line, rate_hz = None, 0
        try:
            while not self.ended:
                frame = await track.recv()
                if not isinstance(frame, AudioFrame):
                    return
                if line is None or frame.sample_rate != rate_hz:
                    rate_hz = frame.sample_rate
                    line = ToLine(rate_hz)
                self._sound(line.take(mono(frame)), frame.samples / rate_hz)
        except MediaStreamError:
            return  # the track ended; the connection's state tells of the line
        except PageFault as fault:
            self._broke(fault)

    def _tell(self, message: Mapping[str, Any]) -> None:
        channel = self._channel
        if self._closing:
            return
        if channel is None:
            self._unsent.append(encode(message))
        elif channel.readyState == "open":
            if channel.bufferedAmount > LARGEST_BACKLOG:
                _log.warning("a page does not read: its line is given up")
                self._close()
                self._gone()
            else:
                channel.send(encode(message))

    def _close(self) -> None:
        if not self._closing:
            self._closing = True
            self._patience.cancel()
            self._start(self._shut())

    async def _shut(self) -> None:
        await asyncio.sleep(0)  # what was told goes out first
        self._out.stop()
        await self._peer.close()
        self._when_closed()

    def _start(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work, name="browser line")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def mono(frame: AudioFrame) -> bytes:
    """The samples of a decoded frame (signed 16 bit, interleaved), its channels averaged."""
    samples = frame.to_ndarray().reshape(-1, len(frame.layout.channels))
    if samples.shape[1] == 1:
        return bytes(samples.astype("<i2").tobytes())
    return bytes((samples.astype(np.int32).sum(axis=1) // samples.shape[1]).astype("<i2").tobytes())
