"""An AudioSocket server with all that arrives at it, for the tests of its calls."""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from bot.call.ports import AudioIn, HungUpIn
from bot.phone.asterisk.audiosocket import AudioSocketServer
from bot.phone.asterisk.settings import AudioSocketSettings
from tests.phone.asterisk.audiosocket_peer import AudioSocketPeer
from tests.phone.asterisk.media_waiting import PATIENCE_S, Collected


class Switchboard:
    """The server with all that arrived at it."""

    def __init__(self, refuse: Callable[[], str | None], **settings: Any) -> None:
        self.arrivals = Collected()
        self.server = AudioSocketServer(self.arrivals, refuse, AudioSocketSettings(port=0, **settings))
        self.port = 0

    async def call(self, line: UUID | None = None, **options: Any) -> tuple[AudioSocketPeer, Any, Collected]:
        """A call that is up: the peer, its Arrival, and what its leg hears."""
        peer = await AudioSocketPeer.connect(self.port, line or uuid4(), **options)
        arrival = (await self.arrivals.count(len(self.arrivals) + 1))[-1]
        heard = Collected()
        arrival.leg.listen(heard)
        return peer, arrival, heard

    async def empty(self) -> None:
        """Every call's connection is closed."""
        async with asyncio.timeout(PATIENCE_S):
            while self.server.lines:
                await asyncio.sleep(0)


@asynccontextmanager
async def switchboard(
    refuse: Callable[[], str | None] = lambda: None, **settings: Any
) -> AsyncIterator[Switchboard]:
    board = Switchboard(refuse, **settings)
    board.port = await board.server.start()
    try:
        yield board
    finally:
        await board.server.stop()


async def end_of(heard: Collected) -> str:
    await heard.until(lambda seen: bool(seen) and isinstance(seen[-1], HungUpIn))
    assert [item for item in heard if isinstance(item, HungUpIn)] == [heard[-1]]
    return str(heard[-1].cause)


async def end(peer: AudioSocketPeer) -> str:
    return await asyncio.wait_for(asyncio.shield(peer.ended), PATIENCE_S)


def tone(rate_hz: int, ms: int, hz: int = 400) -> bytes:
    samples = (round(9000 * math.sin(2 * math.pi * hz * n / rate_hz)) for n in range(rate_hz * ms // 1000))
    return struct.pack(f"<{rate_hz * ms // 1000}h", *samples)


def sound(heard: Collected) -> bytes:
    return b"".join(item.pcm for item in heard if isinstance(item, AudioIn))
