"""Inside an Asterisk that is seen over ARI: channels, bridges that mix, media that really connects.

Written from Asterisk's sources (f0c1c1a: rest-api/api-docs, res/ari/resource_channels.c,
channels/chan_audiosocket.c, channels/chan_websocket.c); imports nothing of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

CAUSES = {16: "Normal Clearing", 17: "User busy", 19: "User alerting, no answer", 21: "Call Rejected"}


@dataclass(eq=False)
class PeerChannel:
    """One channel of the switch; `heard` is what was played to its far end."""

    world: World
    id: str
    name: str
    state: str = "Down"
    app: str | None = None
    args: list[str] = field(default_factory=list)
    exten: str = ""
    caller: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    in_stasis: bool = False
    ended: bool = False
    bridge: PeerBridge | None = None
    heard: bytearray = field(default_factory=bytearray)
    keys_out: str = ""
    ring_s: int = 0
    snoops: list[tuple[PeerChannel, str]] = field(default_factory=list)
    socket: Any = None
    on_end: Callable[[], None] | None = None

    def shape(self) -> dict[str, Any]:
        """As in channels.json."""
        app_data = ",".join([self.app or "", *self.args]) if self.in_stasis else ""
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "protocol_id": "",
            "caller": {"name": "", "number": self.caller},
            "connected": {"name": "", "number": ""},
            "accountcode": "",
            "dialplan": {
                "context": "from-trunk",
                "exten": self.exten,
                "priority": 1,
                "app_name": "Stasis" if self.in_stasis else "",
                "app_data": app_data,
            },
            "creationtime": "2026-11-22T10:00:00.000+0800",
            "language": "en",
        }

    def speak(self, pcm: bytes) -> None:
        """Audio from its far end."""
        if self.ended:
            return
        if self.bridge is not None:
            for member in list(self.bridge.members):
                if member is not self:
                    member.play(pcm)
        for snoop, spy in self.snoops:
            if spy in ("in", "both"):
                snoop.speak(pcm)

    def play(self, pcm: bytes) -> None:
        """Audio to its far end."""
        if self.ended:
            return
        self.heard += pcm
        self.world.moved.set()
        if isinstance(self.socket, asyncio.StreamWriter):
            self.socket.write(b"\x10" + len(pcm).to_bytes(2, "big") + pcm)
        elif isinstance(self.socket, web.WebSocketResponse):
            self.world.start(self.socket.send_bytes(pcm))
        for snoop, spy in self.snoops:
            if spy in ("out", "both"):
                snoop.speak(pcm)


@dataclass(eq=False)
class PeerBridge:
    """A mixing bridge."""

    id: str
    kind: str
    members: list[PeerChannel] = field(default_factory=list)

    def shape(self) -> dict[str, Any]:
        """As in bridges.json."""
        return {
            "id": self.id,
            "technology": "softmix",
            "bridge_type": "mixing",
            "bridge_class": "stasis",
            "creator": "Stasis",
            "name": "",
            "channels": [member.id for member in self.members],
            "creationtime": "2026-11-22T10:00:00.000+0800",
        }


class World:
    """All channels and bridges.  `emit` sends an event to the application.

    `destroyed_first`: ChannelDestroyed comes before StasisEnd.  `media_first`: the StasisStart of an
    external media channel comes before the reply to the request that made it.
    """

    def __init__(self, emit: Callable[[str, str | None, dict[str, Any]], None]) -> None:
        self.emit = emit
        self.moved = asyncio.Event()
        self.channels: dict[str, PeerChannel] = {}
        self.bridges: dict[str, PeerBridge] = {}
        self.all_channels: list[PeerChannel] = []
        self.violations: list[str] = []
        self.dialled: list[PeerChannel] = []
        self.destroyed_first = False
        self.media_first = False
        self.media_never_starts = False
        self.on_dial: Callable[[PeerChannel], None] = lambda channel: None
        self.on_redirect: Callable[[PeerChannel, str], None] = lambda channel, endpoint: None
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Any) -> None:
        """In the background, ended with the world."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def until(self, holds: Callable[[], Any], patience_s: float = 10.0) -> None:
        """Come back once it holds; looked at whenever something moved."""
        async with asyncio.timeout(patience_s):
            while not holds():
                self.moved.clear()
                await self.moved.wait()

    async def close(self) -> None:
        for channel in list(self.channels.values()):
            self.hang_up(channel, 16)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- what far ends do

    def make(self, channel_id: str, name: str, **more: Any) -> PeerChannel:
        channel = PeerChannel(self, channel_id, name, **more)
        self.channels[channel_id] = channel
        self.all_channels.append(channel)
        self.emit("ChannelCreated", channel.app, {"channel": channel.shape()})
        return channel

    def call_in(self, exten: str, caller: str, app: str, *args: str) -> PeerChannel:
        """A call comes in and its dialplan says Stasis(app,args)."""
        channel = self.make(
            f"1763800000.{len(self.all_channels)}",
            "PJSIP/trunk-00000001",
            state="Ring",
            app=app,
            args=list(args),
            exten=exten,
            caller=caller,
        )
        self.enter(channel)
        return channel

    def ring(self, channel: PeerChannel) -> None:
        self.dial_status(channel, "")
        channel.state = "Ringing"
        self.emit("ChannelStateChange", channel.app, {"channel": channel.shape()})
        self.dial_status(channel, "RINGING")

    def answer(self, channel: PeerChannel) -> None:
        """The far end takes the call: it comes to its application."""
        if channel.ended:
            return
        channel.state = "Up"
        self.emit("ChannelStateChange", channel.app, {"channel": channel.shape()})
        self.dial_status(channel, "ANSWER")
        self.enter(channel)

    def enter(self, channel: PeerChannel) -> None:
        channel.in_stasis = True
        self.emit("StasisStart", channel.app, {"args": channel.args, "channel": channel.shape()})

    def dial_status(self, channel: PeerChannel, status: str) -> None:
        fields = {"dialstatus": status, "forward": "", "dialstring": "", "peer": channel.shape()}
        self.emit("Dial", channel.app, fields)

    def press(self, channel: PeerChannel, digit: str) -> None:
        """A key of the far end; the bridge gives it on to AudioSocket media as well."""
        fields = {"digit": digit, "duration_ms": 120, "channel": channel.shape()}
        self.emit("ChannelDtmfReceived", channel.app, fields)
        for member in channel.bridge.members if channel.bridge else ():
            if member is not channel and isinstance(member.socket, asyncio.StreamWriter):
                member.socket.write(b"\x03\x00\x01" + digit.encode())

    def hang_up(self, channel: PeerChannel, cause: int, *, soft: bool = False, status: str = "") -> None:
        """The end of a channel, by its far end or (`soft`) by a request."""
        if channel.ended:
            return
        channel.ended = True
        self.channels.pop(channel.id, None)
        shape = channel.shape()
        if status:
            self.dial_status(channel, status)
        if channel.in_stasis:
            request: dict[str, Any] = {"cause": cause, "channel": shape}
            self.emit("ChannelHangupRequest", channel.app, request | ({"soft": True} if soft else {}))
        self.leave(channel)
        end = ("StasisEnd", {"channel": shape})
        destroyed = (
            "ChannelDestroyed",
            {"cause": cause, "cause_txt": CAUSES.get(cause, "Unknown"), "channel": shape},
        )
        both = [end, destroyed] if channel.in_stasis else [destroyed]
        for kind, fields in reversed(both) if self.destroyed_first else both:
            self.emit(kind, channel.app, fields)
        if channel.on_end is not None:
            channel.on_end()
        for snoop, _ in channel.snoops:
            self.hang_up(snoop, 16)
        if isinstance(channel.socket, asyncio.StreamWriter):
            channel.socket.close()
        elif isinstance(channel.socket, web.WebSocketResponse):
            self.start(channel.socket.close())

    # -- bridges

    def join(self, bridge: PeerBridge, channel: PeerChannel) -> None:
        self.leave(channel)
        bridge.members.append(channel)
        channel.bridge = bridge
        fields = {"bridge": bridge.shape(), "channel": channel.shape()}
        self.emit("ChannelEnteredBridge", channel.app, fields)

    def leave(self, channel: PeerChannel) -> None:
        bridge = channel.bridge
        if bridge is not None:
            bridge.members.remove(channel)
            channel.bridge = None
            fields = {"bridge": bridge.shape(), "channel": channel.shape()}
            self.emit("ChannelLeftBridge", channel.app, fields)
