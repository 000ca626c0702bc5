"""Our side and the peer's, put together for tests: a switch, an AudioSocket server, what came of it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from bot.call.ports import AudioIn, PhoneLeg
from bot.phone.arrivals import Arrival
from bot.phone.asterisk.ari_switch import AriSwitch
from bot.phone.asterisk.audiosocket import AudioSocketServer
from bot.phone.asterisk.media_leg import connect_media
from bot.phone.asterisk.settings import AriSettings, AudioSocketSettings, MediaSettings
from bot.phone.dialling import Dial, DialPermit, Permits
from tests.phone.asterisk.ari_peer import AriPeer
from tests.phone.asterisk.media_waiting import Collected

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
OURS, THEIRS = "+862155550000", "+8613800138000"
TONE = bytes(range(160)) * 2
OTHER = bytes(range(100, 180)) * 4


def permit(intent: str = "i-1", **more: Any) -> DialPermit:
    """Allows one dial at NOW."""
    fields: dict[str, Any] = {
        "tenant_id": "t-1",
        "callee": THEIRS,
        "caller": OURS,
        "not_before": NOW - timedelta(minutes=1),
        "not_after": NOW + timedelta(minutes=1),
        "rules": (("calling_hours", "allow"),),
    }
    return DialPermit(intent_id=intent, **(fields | more))


def dial(intent: str = "i-1", **more: Any) -> Dial:
    """A dial with its permit."""
    return Dial(
        permit=permit(intent, **more), call_id=f"call-{intent}", parameters={"script": "ring,back 话术"}
    )


class Heard:
    """What a leg delivers."""

    def __init__(self, leg: PhoneLeg) -> None:
        self.inputs = Collected()
        leg.listen(self.inputs)

    def audio(self, side: str = "customer") -> bytes:
        return b"".join(item.pcm for item in self.inputs if isinstance(item, AudioIn) and item.side == side)

    def others(self) -> list[Any]:
        return [item for item in self.inputs if not isinstance(item, AudioIn)]

    async def until_audio(self, wanted: bytes, side: str = "customer") -> None:
        await self.inputs.until(lambda _: wanted in self.audio(side))

    async def until_other(self, wanted: Any) -> None:
        await self.inputs.until(lambda _: wanted in self.others())


class Bench:
    """A peer and a switch of ours that is connected to it."""

    def __init__(self, peer: AriPeer, settings: AriSettings, server: AudioSocketServer) -> None:
        self.peer, self.settings, self.server = peer, settings, server
        self.world = peer.world
        self.arrivals, self.news, self.plain = Collected(), Collected(), Collected()
        self.refusal: str | None = None
        self.switches: list[AriSwitch] = []
        server.arrived = self.take_audiosocket

    def take_audiosocket(self, arrival: Arrival) -> None:
        """As the voice process does it: ARI's own media first, the rest are calls."""
        if not any(switch.media.take(arrival) for switch in self.switches):
            self.plain(arrival)

    async def switch(self, *, connected: bool = True, **changes: Any) -> AriSwitch:
        """A process of ours; several may be there."""
        settings = msgspec.structs.replace(self.settings, **changes)

        async def connect(url: str) -> PhoneLeg:
            return await connect_media(url, MediaSettings())

        made = AriSwitch(
            settings,
            MediaSettings(),
            self.peer.password,
            arrived=self.arrivals,
            refuse=lambda: self.refusal,
            news=self.news,
            permits=Permits(frozenset({OURS})),
            now=lambda: NOW,
            connect_media=connect,
        )
        self.switches.append(made)
        await made.start()
        if connected:
            await made.events.connected.wait()
        return made

    async def call(self, switch: AriSwitch, intent: str = "i-1") -> tuple[Arrival, Heard]:
        """A call that is answered at once."""
        self.world.on_dial = self.world.answer
        before = len(self.arrivals)
        await switch.originator.originate(dial(intent))
        await self.arrivals.count(before + 1)
        arrival: Arrival = self.arrivals[-1]
        return arrival, Heard(arrival.leg)

    async def nothing_left(self) -> None:
        """All channels and bridges of the switch are gone."""
        await self.world.until(lambda: not self.world.channels and not self.world.bridges)


@contextlib.asynccontextmanager
async def bench(**changes: Any) -> AsyncIterator[Bench]:
    """Everything up; everything down at the end."""
    peer = AriPeer()
    url = await peer.start()
    server = AudioSocketServer(lambda arrival: None, lambda: None, AudioSocketSettings(port=0))
    port = await server.start()
    settings = AriSettings(
        url=url,
        app="huashu",
        user=peer.user,
        password_env="ARI_PASSWORD",
        trunk="PJSIP/{number}@trunk",
        external_host=f"127.0.0.1:{port}",
    )
    made = Bench(peer, msgspec.structs.replace(settings, **changes), server)
    try:
        yield made
    finally:
        await peer.world.close()
        for switch in made.switches:
            await switch.stop()
        await server.stop()
        await peer.stop()
