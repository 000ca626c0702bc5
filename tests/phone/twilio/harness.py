"""A media server with a Twilio endpoint, and what reaches whoever runs calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from bot.call.ports import AudioIn, HungUpIn, LegInput
from bot.phone.arrivals import Arrival, Refusal
from bot.phone.media_server import MediaServer
from bot.phone.twilio.leg import LineControl
from bot.phone.twilio.server import twilio_endpoint
from bot.phone.twilio.settings import TwilioSettings
from tests.phone.twilio.peer import TwilioPeer

HANGS_AFTER_S = 30
"""A test that waits for what never comes fails instead of hanging."""


@dataclass
class Heard:
    """A call that arrived; what its leg told, in order."""

    arrival: Arrival
    inputs: asyncio.Queue[LegInput] = field(default_factory=asyncio.Queue)

    async def next(self) -> LegInput:
        return await self.inputs.get()

    async def until_over(self) -> list[LegInput]:
        """All that is left, to the hang-up."""
        found = [await self.next()]
        while not isinstance(found[-1], HungUpIn):
            found.append(await self.next())
        return found

    async def but_audio(self) -> LegInput:
        """The next input that is no sound."""
        while isinstance(found := await self.next(), AudioIn):
            pass
        return found


class Place:
    """Where peers connect and calls arrive."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session, self.url = session, url
        self.arrivals: asyncio.Queue[Arrival] = asyncio.Queue()

    def peer(self, **what: object) -> TwilioPeer:
        return TwilioPeer(self.session, self.url, **what)  # type: ignore[arg-type]

    async def arrived(self) -> Heard:
        """The next call, listened to."""
        heard = Heard(await self.arrivals.get())
        heard.arrival.leg.listen(heard.inputs.put_nowait)
        return heard

    async def call(self, **what: object) -> tuple[TwilioPeer, Heard]:
        """A peer that has started, and its call."""
        peer = self.peer(**what)
        await peer.start()
        return peer, await self.arrived()


@asynccontextmanager
async def serving(
    settings: TwilioSettings | None = None,
    token: str | None = None,
    refuse: Refusal = lambda: None,
    *,
    words: bool = False,
    control: LineControl | None = None,
    start_within_s: float = 60,
) -> AsyncIterator[Place]:
    settings = settings or TwilioSettings()
    async with asyncio.timeout(HANGS_AFTER_S), aiohttp.ClientSession() as session:
        place = Place(session, "")
        endpoint = twilio_endpoint(
            settings,
            token,
            place.arrivals.put_nowait,
            refuse,
            words=words,
            control=control,
            start_within_s=start_within_s,
        )
        server = MediaServer({settings.path: endpoint})
        port = await server.start("127.0.0.1", 0)
        place.url = f"http://127.0.0.1:{port}{settings.path}"
        try:
            yield place
        finally:
            await server.stop()
