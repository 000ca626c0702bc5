"""An Asterisk as seen over ARI: HTTP operations and the event WebSocket, with its shapes and statuses.

Written from Asterisk's sources (f0c1c1a: rest-api/api-docs/*.json, res/ari/resource_*.c); imports
nothing of ours.  Faults can be set for requests; far ends are moved through `world`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from aiohttp import WSCloseCode, web

from tests.phone.asterisk.ari_peer_media import ExternalMedia
from tests.phone.asterisk.ari_peer_operations import Operations, Refused
from tests.phone.asterisk.ari_peer_world import World


@dataclass
class Fault:
    """The next request that matches fails: with `status`, or cut off without a word where None;
    carried out all the same where `done`."""

    method: str
    path: str
    status: int | None = None
    done: bool = False


class AriPeer:
    """One switch.  `start` gives the base address."""

    def __init__(self, user: str = "huashu", password: str = "secret") -> None:
        self.user, self.password = user, password
        self.world = World(self.emit)
        self._media = ExternalMedia(self.world)
        self._operations = Operations(self.world, self._media)
        self.requests: list[tuple[str, str, dict[str, Any]]] = []
        self.faults: list[Fault] = []
        self.sockets: dict[str, web.WebSocketResponse] = {}
        self.queues: dict[str, asyncio.Queue[str | None]] = {}
        self.lost: list[str] = []
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self, port: int = 0) -> str:
        app = web.Application()
        app.router.add_get("/ari/events", self._events)
        app.router.add_get("/media/{id}", self._media.media)
        app.router.add_route("*", "/ari/{path:.*}", self._operation)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.port = int(self._runner.addresses[0][1])
        return f"http://127.0.0.1:{self.port}/ari"

    async def stop(self) -> None:
        await self.world.close()
        for app in list(self.sockets):
            await self.drop_events(app)
        if self._runner is not None:
            await self._runner.cleanup()

    def asked(self, method: str, pattern: str) -> list[dict[str, Any]]:
        """The parameters of all requests that match."""
        return [
            params for verb, path, params in self.requests if verb == method and re.fullmatch(pattern, path)
        ]

    # -- events

    def emit(self, kind: str, app: str | None, fields: dict[str, Any]) -> None:
        """To the application's socket; lost where there is none."""
        self.world.moved.set()
        queue = self.queues.get(app or "")
        if queue is None:
            self.lost.append(kind)
            return
        head = {"type": kind, "timestamp": "2026-11-22T10:00:00.000+0800", "application": app}
        queue.put_nowait(json.dumps(head | fields | {"asterisk_id": "00:15:5d:01:02:03"}))

    async def drop_events(self, app: str) -> None:
        """The event socket is lost."""
        self.queues.pop(app, None)
        socket = self.sockets.pop(app, None)
        if socket is not None:
            await socket.close(code=WSCloseCode.GOING_AWAY)

    def raw_event(self, app: str, text: str) -> None:
        """Any text on the event socket."""
        self.queues[app].put_nowait(text)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if not self._allowed(request):
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="Asterisk REST"'})
        app = request.query.get("app")
        if not app:
            return web.Response(status=400)
        older = self.queues.get(app)
        if older is not None:
            older.put_nowait(json.dumps({"type": "ApplicationReplaced", "application": app}))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self.sockets[app], self.queues[app] = socket, queue
        sender = asyncio.ensure_future(self._send(socket, queue))
        async for _ in socket:
            pass
        sender.cancel()
        if self.queues.get(app) is queue:
            del self.queues[app], self.sockets[app]
        self.world.moved.set()
        return socket

    async def _send(self, socket: web.WebSocketResponse, queue: asyncio.Queue[str | None]) -> None:
        while (text := await queue.get()) is not None:
            await socket.send_str(text)

    def _allowed(self, request: web.Request) -> bool:
        """HTTP Basic, else `api_key`."""
        pair = f"{self.user}:{self.password}"
        basic = request.headers.get("Authorization")
        if basic is not None:
            return basic == "Basic " + base64.b64encode(pair.encode()).decode()
        return request.query.get("api_key") == pair

    # -- operations

    async def _operation(self, request: web.Request) -> web.StreamResponse:
        if not self._allowed(request):
            return web.json_response({"message": "Authentication required"}, status=401)
        path = "/" + request.match_info["path"]
        params: dict[str, Any] = dict(request.query)
        if request.can_read_body:
            body = json.loads(await request.text())
            params |= body
        self.requests.append((request.method, path, params))
        self.world.moved.set()
        fault = next(
            (one for one in self.faults if one.method == request.method and re.fullmatch(one.path, path)),
            None,
        )
        if fault is not None:
            self.faults.remove(fault)
            if fault.done:
                await self._operations.carry_out(request.method, path, params)
            if fault.status is not None:
                return web.json_response({"message": "A fault"}, status=fault.status)
            assert request.transport is not None
            request.transport.abort()
            raise ConnectionResetError
        try:
            content = await self._operations.carry_out(request.method, path, params)
        except Refused as refused:
            return web.json_response({"message": str(refused)}, status=refused.status)
        return web.Response(status=204) if content is None else web.json_response(content)
