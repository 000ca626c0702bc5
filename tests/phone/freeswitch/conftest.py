"""A switch peer, our Switch connected to it, and a media server; all on free ports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest_asyncio

from bot.call.ports import AudioIn, HungUpIn, LegInput
from bot.phone.arrivals import Arrival
from bot.phone.freeswitch.leg import FreeSwitchLeg
from bot.phone.freeswitch.media import FreeSwitchMedia
from bot.phone.freeswitch.settings import FreeSwitchSettings
from bot.phone.freeswitch.switch import Switch
from bot.phone.media_server import MediaServer
from tests.phone.freeswitch.module_peer import Channel, Module
from tests.phone.freeswitch.peer import Peer


class Heard:
    """What a leg gave, in order."""

    def __init__(self, leg: FreeSwitchLeg) -> None:
        self.items: list[LegInput] = []
        self._news = asyncio.Event()
        leg.listen(self._take)

    def _take(self, item: LegInput) -> None:
        self.items.append(item)
        self._news.set()

    async def until(self, holds: Callable[[list[LegInput]], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds(self.items):
                self._news.clear()
                await self._news.wait()

    async def over(self) -> str:
        """The cause of the end."""
        await self.until(lambda items: any(isinstance(item, HungUpIn) for item in items))
        assert [isinstance(item, HungUpIn) for item in self.items].count(True) == 1
        assert isinstance(self.items[-1], HungUpIn)
        return self.items[-1].cause

    def audio(self, side: str = "customer") -> bytes:
        return b"".join(item.pcm for item in self.items if isinstance(item, AudioIn) and item.side == side)


@dataclass
class Site:
    """Both sides, connected."""

    peer: Peer
    switch: Switch
    settings: FreeSwitchSettings
    url: str
    arrivals: list[Arrival] = field(default_factory=list)
    refusal: str | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, arrival: Arrival) -> None:
        self.arrivals.append(arrival)
        self.arrived.set()

    async def arrival(self, number: int = 1) -> Arrival:
        async with asyncio.timeout(10):
            while len(self.arrivals) < number:
                self.arrived.clear()
                await self.arrived.wait()
        return self.arrivals[number - 1]

    async def module(self, channel: Channel, metadata: str | None, query: str = "") -> Module:
        """The dialplan starts the module on a channel."""
        channel.module = self.peer.module(channel.uuid)
        await channel.module.connect(self.url + query, metadata)
        return channel.module

    async def call(self, more: dict[str, Any] | None = None) -> tuple[Channel, Module, FreeSwitchLeg, Heard]:
        """An inbound call, up."""
        channel = self.peer.new_channel()
        metadata = {"uuid": channel.uuid, "caller": "+8613800138000", "called": "+861012345678"}
        module = await self.module(channel, msgspec.json.encode({**metadata, **(more or {})}).decode())
        arrival = await self.arrival(len(self.arrivals) + 1)
        assert isinstance(arrival.leg, FreeSwitchLeg)
        return channel, module, arrival.leg, Heard(arrival.leg)


EDITIONS = {
    "jambonz": ("fork", "binary"),
    "drachtio": ("fork", "files"),
    "community": ("stream", "files"),
    "two_way": ("stream", "json"),
    "two_way_binary": ("stream", "binary"),
}

Open = Callable[..., Awaitable[Site]]


@pytest_asyncio.fixture
async def site() -> AsyncIterator[Open]:
    """Opens a site: `await site("jambonz", rate_hz=16000)`."""
    async with AsyncExitStack() as stack:

        async def opened(edition: str = "jambonz", *, token: str | None = None, **changes: Any) -> Site:
            peer = Peer(edition=edition.removesuffix("_binary"))
            port = await peer.start()
            stack.push_async_callback(peer.stop)
            module, playback = EDITIONS[edition]
            found: Site

            def arrived(arrival: Arrival) -> None:
                found.take(arrival)

            def refusal() -> str | None:
                return found.refusal

            settings = FreeSwitchSettings(
                esl_port=port,
                media_url="ws://127.0.0.1:1",
                **{"module": module, "playback": playback, **changes},
            )
            switch = Switch(settings, "ClueCon", token)
            media = FreeSwitchMedia(switch, arrived, refusal)
            server = MediaServer(media.endpoints)
            media_port = await server.start("127.0.0.1", 0)
            stack.push_async_callback(server.stop)
            switch.settings = msgspec.structs.replace(settings, media_url=f"ws://127.0.0.1:{media_port}")
            url = f"ws://127.0.0.1:{media_port}/freeswitch/{module}"
            found = Site(peer, switch, switch.settings, url)
            switch.start()
            stack.push_async_callback(switch.stop)
            await switch.ready()
            return found

        yield opened
