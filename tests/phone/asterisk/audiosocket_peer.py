"""Asterisk's app_audiosocket seen from the network: a client that dies of what Asterisk dies of.

Written from Asterisk f0c1c1a: apps/app_audiosocket.c (audiosocket_run: 2000 ms without activity on
either side ends it) and res/res_audiosocket.c (ast_audiosocket_receive_frame_with_hangup: what it
accepts; ast_audiosocket_init, ast_audiosocket_send_frame: what it sends).  Imports nothing of bot.
"""

from __future__ import annotations

import asyncio
import struct
from uuid import UUID

from tests.phone.asterisk.media_waiting import PATIENCE_S, Collected

AUDIO = {8000: 0x10, 12000: 0x11, 16000: 0x12, 24000: 0x13, 32000: 0x14, 44100: 0x15, 48000: 0x16}
AUDIO |= {96000: 0x17, 192000: 0x18}


def message(kind: int, payload: bytes = b"") -> bytes:
    """Any message, also one that Asterisk would never send."""
    return struct.pack(">BH", kind, len(payload)) + payload


class AudioSocketPeer:
    """One channel in Asterisk's AudioSocket application (or channel driver, for other rates).

    `heard`: (rate, pcm) of each message of sound that came.  `ended` comes true as one of "hang-up"
    (asked for by the other side, dialplan goes on), "closed" (the socket was closed; the same there),
    "killed: …" (the other side broke the protocol), "idle", "gone" (this side ended it).
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, idle_s: float) -> None:
        self.heard = Collected()
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._reader = reader
        self._writer = writer
        self._idle_s = idle_s
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def connect(
        cls, port: int, line: UUID | None, *, idle_s: float = PATIENCE_S, reads: bool = True
    ) -> AudioSocketPeer:
        """Connect; say the UUID where one is given.  Asterisk's idle_s is 2.0.  `reads` False: a far end
        that never reads."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        peer = cls(reader, writer, idle_s)
        if line is not None:
            peer.raw(message(0x01, line.bytes))
        if reads:
            peer._reading = asyncio.create_task(peer._read())
        return peer

    def raw(self, data: bytes) -> None:
        """Any bytes."""
        self._writer.write(data)

    def sound(self, pcm: bytes, rate_hz: int = 8000) -> None:
        """One frame of the channel's voice."""
        self.raw(message(AUDIO[rate_hz], pcm))

    async def speak(self, pcm: bytes) -> None:
        """20 ms frames on absolute deadlines, as a channel's timer gives them."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        for number, at in enumerate(range(0, len(pcm), 320)):
            await asyncio.sleep(start + number * 0.02 - loop.time())
            self.sound(pcm[at : at + 320])

    def key(self, digit: str) -> None:
        """A key was pressed (ast_audiosocket_send_frame, AST_FRAME_DTMF)."""
        self.raw(message(0x03, digit.encode()))

    def half_close(self) -> None:
        """No more from this side; it still reads."""
        self._writer.write_eof()

    async def close(self, how: str = "gone") -> None:
        """The channel hung up: Asterisk closes the socket without a word."""
        if not self.ended.done():
            self.ended.set_result(how)
        if self._reading is not None and self._reading is not asyncio.current_task():
            self._reading.cancel()
        self._writer.close()

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(self._idle_s) as idle:
                await self._receive(idle)
        except TimeoutError:
            await self.close("idle")
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            cut = isinstance(error, ConnectionError) or bool(error.partial)
            await self.close("killed: cut in a message" if cut else "closed")

    async def _receive(self, idle: asyncio.Timeout) -> None:
        loop = asyncio.get_running_loop()
        while True:
            kind, size = struct.unpack(">BH", await self._reader.readexactly(3))
            if kind == 0x00:
                await self.close("hang-up")
                return
            if kind not in AUDIO.values():
                await self.close(f"killed: other than hangup or audio, 0x{kind:02x}")
                return
            if size < 1:
                await self.close("killed: invalid message length")
                return
            pcm = await self._reader.readexactly(size)
            rate_hz = next(rate for rate, audio in AUDIO.items() if audio == kind)
            self.heard((rate_hz, pcm))
            idle.reschedule(loop.time() + self._idle_s)
