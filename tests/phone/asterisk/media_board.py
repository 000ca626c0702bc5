"""Our media server with the endpoint for Asterisk and all that arrives at it, for the tests of its calls."""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from bot.call.ports import HungUpIn
from bot.phone.asterisk.media_endpoint import MediaEndpoint
from bot.phone.asterisk.settings import MediaSettings
from bot.phone.media_server import MediaServer
from tests.phone.asterisk.media_peer import MediaPeer, connecting
from tests.phone.asterisk.media_waiting import PATIENCE_S, Collected


class Switchboard:
    """Our media server with one endpoint, and what arrived."""

    def __init__(self, port: int, arrivals: Collected, endpoint: MediaEndpoint) -> None:
        self.port = port
        self.url = f"ws://127.0.0.1:{port}/asterisk/media"
        self.arrivals = arrivals
        self.endpoint = endpoint

    @asynccontextmanager
    async def call(self, query: str = "", **options: Any) -> AsyncIterator[tuple[MediaPeer, Any, Collected]]:
        """A call that is up: the peer, its Arrival, and what its leg hears."""
        number = len(self.arrivals) + 1
        async with connecting(self.url + query, **options) as peer:
            arrival = (await self.arrivals.count(number))[-1]
            heard = Collected()
            arrival.leg.listen(heard)
            yield peer, arrival, heard


@asynccontextmanager
async def switchboard(
    refuse: Callable[[], str | None] = lambda: None,
    authorization: tuple[str, str] | None = None,
    **settings: Any,
) -> AsyncIterator[Switchboard]:
    arrivals = Collected()
    endpoint = MediaEndpoint(arrivals, refuse, MediaSettings(**settings), authorization)
    server = MediaServer({"/asterisk/media": endpoint})
    port = await server.start("127.0.0.1", 0)
    try:
        yield Switchboard(port, arrivals, endpoint)
    finally:
        await server.stop()


async def end_of(heard: Collected) -> str:
    await heard.until(lambda seen: bool(seen) and isinstance(seen[-1], HungUpIn))
    assert [item for item in heard if isinstance(item, HungUpIn)] == [heard[-1]]
    return str(heard[-1].cause)


async def closed(peer: MediaPeer) -> int | None:
    return await asyncio.wait_for(asyncio.shield(peer.closed), PATIENCE_S)


def tone(rate_hz: int, ms: int, hz: int = 400) -> bytes:
    samples = (round(9000 * math.sin(2 * math.pi * hz * n / rate_hz)) for n in range(rate_hz * ms // 1000))
    return struct.pack(f"<{rate_hz * ms // 1000}h", *samples)
