"""The ARI operations of the peer, with Asterisk's own checks and statuses.

Written from Asterisk's sources (f0c1c1a: rest-api/api-docs/*.json, res/ari/resource_channels.c and
resource_bridges.c); imports nothing of ours.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

from tests.phone.asterisk.ari_peer_media import ExternalMedia
from tests.phone.asterisk.ari_peer_world import PeerBridge, PeerChannel, World


class Refused(Exception):
    """An operation's error reply."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Operations:
    """What can be asked of a world."""

    def __init__(self, world: World, media: ExternalMedia) -> None:
        self._world = world
        self._media = media

    async def carry_out(self, method: str, path: str, params: dict[str, Any]) -> Any:
        """The reply's object, None for 204.  Raises Refused."""
        for verb, pattern, operation in self._table():
            found = re.fullmatch(pattern, path)
            if verb == method and found:
                return await operation(params, *found.groups())
        raise Refused(404, "Resource not found")

    def _table(self) -> list[tuple[str, str, Callable[..., Awaitable[Any]]]]:
        one = "/channels/([^/]+)"
        return [
            ("GET", "/channels", self._list),
            ("POST", "/channels/externalMedia", self._external_media),
            ("GET", one, self._get),
            ("POST", one, self._originate),
            ("DELETE", one, self._hang_up),
            ("POST", one + "/answer", self._answer),
            ("POST", one + "/dtmf", self._dtmf),
            ("POST", one + "/redirect", self._redirect),
            ("POST", one + "/snoop/([^/]+)", self._snoop),
            ("GET", "/bridges", self._list_bridges),
            ("POST", "/bridges/([^/]+)", self._make_bridge),
            ("DELETE", "/bridges/([^/]+)", self._end_bridge),
            ("POST", "/bridges/([^/]+)/addChannel", self._add),
            ("POST", "/bridges/([^/]+)/removeChannel", self._remove),
        ]

    def _channel(self, channel_id: str) -> PeerChannel:
        channel = self._world.channels.get(channel_id)
        if channel is None:
            raise Refused(404, "Channel not found")
        return channel

    def _controlled(self, channel_id: str) -> PeerChannel:
        channel = self._channel(channel_id)
        if not channel.in_stasis:
            raise Refused(409, "Channel not in Stasis application")
        return channel

    def _free(self, channel_id: str) -> None:
        if len(channel_id) > 149:
            raise Refused(400, "Uniqueid length exceeds maximum of 149")
        if channel_id in self._world.channels:
            raise Refused(409, "Channel with given unique ID already exists")

    async def _list(self, params: dict[str, Any]) -> Any:
        return [channel.shape() for channel in self._world.channels.values()]

    async def _get(self, params: dict[str, Any], channel_id: str) -> Any:
        return self._channel(channel_id).shape()

    async def _originate(self, params: dict[str, Any], channel_id: str) -> Any:
        self._free(channel_id)
        technology, _, device = params.get("endpoint", "").partition("/")
        if not technology or not device:
            raise Refused(400, "Invalid endpoint specified")
        if not params.get("app"):
            raise Refused(400, "Application or extension must be specified")
        if device.endswith("@unregistered"):
            raise Refused(500, "Allocation failed")
        arguments = params.get("appArgs", "")
        channel = self._world.make(
            channel_id,
            f"{technology}/{device}-0000000{len(self._world.all_channels)}",
            app=params["app"],
            args=arguments.split(",") if arguments else [],
            variables=params.get("variables", {}),
            caller=params.get("callerId", ""),
            exten=device,
            ring_s=int(params.get("timeout", 30)),
        )
        self._world.dialled.append(channel)
        shape = channel.shape()
        asyncio.get_running_loop().call_soon(self._world.on_dial, channel)
        return shape

    async def _hang_up(self, params: dict[str, Any], channel_id: str) -> None:
        reasons = {"normal": 16, "busy": 17, "congestion": 34, "no_answer": 19, "rejected": 21}
        channel = self._channel(channel_id)
        cause = reasons.get(params.get("reason", "normal"))
        if cause is None:
            raise Refused(400, "Invalid reason for hangup reason provided")
        self._world.hang_up(channel, cause, soft=True)

    async def _answer(self, params: dict[str, Any], channel_id: str) -> None:
        channel = self._controlled(channel_id)
        channel.state = "Up"
        self._world.emit("ChannelStateChange", channel.app, {"channel": channel.shape()})

    async def _dtmf(self, params: dict[str, Any], channel_id: str) -> None:
        channel = self._controlled(channel_id)
        if not params.get("dtmf"):
            raise Refused(400, "DTMF is required")
        channel.keys_out += params["dtmf"]

    async def _redirect(self, params: dict[str, Any], channel_id: str) -> None:
        channel = self._controlled(channel_id)
        if channel.state != "Up":
            raise Refused(412, "Channel in invalid state")
        technology, _, device = params.get("endpoint", "").partition("/")
        if not device or technology != channel.name.split("/")[0]:
            raise Refused(422, "Endpoint technology does not match channel technology")
        asyncio.get_running_loop().call_soon(self._world.on_redirect, channel, params["endpoint"])

    async def _snoop(self, params: dict[str, Any], channel_id: str, snoop_id: str) -> Any:
        spied = self._channel(channel_id)
        if params.get("spy") not in ("in", "out", "both"):
            raise Refused(400, "Invalid direction specified for spy")
        if not params.get("app"):
            raise Refused(400, "Application name is required")
        self._free(snoop_id)
        name = f"Snoop/{channel_id}-0000"
        args = [params["appArgs"]] if params.get("appArgs") else []
        snoop = self._world.make(snoop_id, name, state="Up", app=params["app"], args=args)
        spied.snoops.append((snoop, params["spy"]))
        asyncio.get_running_loop().call_soon(self._world.enter, snoop)
        return snoop.shape()

    async def _external_media(self, params: dict[str, Any]) -> Any:
        transport, shape = params.get("transport", "udp"), params.get("encapsulation", "rtp")
        if not params.get("app") or not params.get("format"):
            raise Refused(400, "app and format cannot be empty")
        self._free(params["channelId"])
        if (transport, shape) == ("tcp", "audiosocket"):
            if not params.get("data") or ":" not in params.get("external_host", ""):
                raise Refused(400, "data can not be empty, external_host must be <host>:<port>")
            name = f"AudioSocket/{params['external_host']}-{params['data']}"
            channel = self._world.make(params["channelId"], name, app=params["app"], args=[params["data"]])
            try:
                await self._media.audiosocket(channel, params["external_host"], params["data"])
            except OSError as error:
                self._world.hang_up(channel, 38)
                raise Refused(500, "An internal error prevented this request") from error
        elif (transport, shape) == ("websocket", "none") and params.get("connection_type") == "server":
            channel = self._world.make(params["channelId"], "WebSocket/INCOMING/0x7f", app=params["app"])
            self._media.websocket(channel, params["format"])
        else:
            raise Refused(501, "The encapsulation and/or transport is not supported")
        return channel.shape() | {"channelvars": channel.variables}

    async def _list_bridges(self, params: dict[str, Any]) -> Any:
        return [bridge.shape() for bridge in self._world.bridges.values()]

    async def _make_bridge(self, params: dict[str, Any], bridge_id: str) -> Any:
        if bridge_id in self._world.bridges:
            raise Refused(409, "Bridge already exists")
        bridge = self._world.bridges[bridge_id] = PeerBridge(bridge_id, params.get("type", "mixing"))
        return bridge.shape()

    def _bridge(self, bridge_id: str) -> PeerBridge:
        if bridge_id not in self._world.bridges:
            raise Refused(404, "Bridge not found")
        return self._world.bridges[bridge_id]

    async def _end_bridge(self, params: dict[str, Any], bridge_id: str) -> None:
        for member in list(self._bridge(bridge_id).members):
            self._world.leave(member)
        del self._world.bridges[bridge_id]

    def _members(self, params: dict[str, Any]) -> list[PeerChannel]:
        channels = []
        for channel_id in params.get("channel", "").split(","):
            channel = self._world.channels.get(channel_id)
            if channel is None:
                raise Refused(400, "Channel not found")
            if not channel.in_stasis:
                raise Refused(422, "Channel not in Stasis application")
            channels.append(channel)
        return channels

    async def _add(self, params: dict[str, Any], bridge_id: str) -> None:
        bridge = self._bridge(bridge_id)
        for channel in self._members(params):
            self._world.join(bridge, channel)

    async def _remove(self, params: dict[str, Any], bridge_id: str) -> None:
        bridge = self._bridge(bridge_id)
        channels = self._members(params)
        if any(channel.bridge is not bridge for channel in channels):
            raise Refused(422, "Channel not in this bridge")
        for channel in channels:
            self._world.leave(channel)
