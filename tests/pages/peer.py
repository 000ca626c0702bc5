"""A small server that speaks the pages' side of CONTRACT: HTTP, tickets, WebSocket feeds with resume.

It keeps one call's log in memory and remembers all that the pages send, so that tests can say what
must have arrived.  Security headers are those of the real server.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import WSCloseCode, web

from assist.web_api.headers import policy
from commands import page_state

PAGES = Path(__file__).resolve().parents[2] / "assist" / "page"
Json = dict[str, Any]
CSRF = "csrf-of-the-test"


class Peer:
    """The server.  `snapshot`: what a fresh feed begins with (None: no call)."""

    def __init__(self) -> None:
        self.role = "agent"
        self.name = page_state.AGENT
        self.logged_in = True
        self.snapshot: Json | None = None
        self.rows: list[Json] = []
        self.log: list[Json] = []
        self.feedback: list[tuple[str, Json]] = []
        self.forms: list[Json] = []
        self.whispers: list[tuple[str, Json]] = []
        self.handshakes: list[str] = []
        self.asked: list[str] = []
        self.failing: dict[str, int] = {}
        self.seq = 0
        self._tickets: dict[str, str] = {}
        self._sockets: dict[web.WebSocketResponse, str] = {}
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> None:
        """Listen on a free port."""
        app = web.Application()
        app.on_response_prepare.append(_headers)
        app.router.add_get("/{page:login|agent|supervisor}", self._page)
        app.router.add_static("/static/", PAGES / "static")
        app.router.add_post("/api/login", self._login)
        app.router.add_get("/api/me", self._me)
        app.router.add_post("/api/feed-tickets", self._ticket)
        app.router.add_get("/api/agents/{id}/feed", self._feed)
        app.router.add_get("/api/calls/{id}/feed", self._feed)
        app.router.add_get("/api/live", self._feed)
        app.router.add_get("/api/calls/{id}/customer", self._customer)
        app.router.add_get("/api/knowledge", self._knowledge)
        app.router.add_post("/api/suggestions/{id}/feedback", self._feedback)
        app.router.add_post("/api/calls/{id}/after-call", self._form)
        app.router.add_post("/api/calls/{id}/whisper", self._whisper)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        """Close everything."""
        await self.cut()
        if self._runner is not None:
            await self._runner.cleanup()

    def begin(self, snapshot: Json) -> None:
        """This call is the agent's from now on."""
        self.snapshot, self.seq, self.log = snapshot, snapshot["seq"], []

    async def event(self, kind: str, **fields: Any) -> int:
        """Append one event to the call's log and send it to whoever listens."""
        self.seq += 1
        call_id = self.snapshot["call"]["call_id"] if self.snapshot else page_state.CALL
        event = {
            "kind": kind, "call_id": call_id, "seq": self.seq, "at_ms": self.seq * 1_000, "v": 1,
            "wall": datetime.now(UTC).isoformat(), "tenant_id": "default",
        } | fields  # fmt: skip
        self.log.append(event)
        await self.send(event)
        return self.seq

    async def says(self, party: str, key: str, text: str, *, final: bool = True, begin: int = 90_000) -> None:
        """Words of one side."""
        kind = "utterance.final" if final else "utterance.partial"
        times = {"begin_ms": begin, "end_ms": begin + 2_000}
        await self.event(kind, party=party, utterance_id=key, text=text, asr_confidence=None, **times)

    async def advise(self, card: Json, folded: tuple[Json, ...] = ()) -> None:
        """A card goes up, others folded beneath it."""
        for each in (card, *folded):
            await self.event("suggestion", suggestion=each)
        await self.panel(card=card["id"], folded=[each["id"] for each in folded])

    async def panel(self, **changes: Any) -> None:
        """Parts of the panel change."""
        await self.event("panel", changes=changes, ms={})

    async def send(self, message: Json, path: str = "") -> None:
        """One message to every open feed whose path holds `path`."""
        for socket, where in list(self._sockets.items()):
            if path in where:
                await socket.send_str(json.dumps(message))

    async def cut(self, code: int = WSCloseCode.SERVICE_RESTART) -> None:
        """Close every feed."""
        for socket in list(self._sockets):
            self._sockets.pop(socket, None)
            await socket.close(code=code)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(PAGES / f"{request.match_info['page']}.html")

    async def _login(self, request: web.Request) -> web.Response:
        said = await request.json()
        if status := self.failing.get("login"):
            return _problem(status, "too_many")
        if said != {"name": self.name, "password": "right horse"}:
            return _problem(401, "wrong_credentials")
        self.logged_in = True
        return await self._me(request)

    async def _me(self, request: web.Request) -> web.Response:
        if not self.logged_in:
            return _problem(401, "not_logged_in")
        return web.json_response({"name": self.name, "role": self.role, "csrf_token": CSRF})

    async def _ticket(self, request: web.Request) -> web.Response:
        if status := self.failing.get("ticket"):
            return _problem(status, "unavailable")
        target = (await request.json())["target"]
        ticket = f"t{len(self._tickets)}"
        self._tickets[ticket] = target
        return web.json_response({"ticket": ticket}, status=201)

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        target = self._tickets.pop(request.query.get("ticket", ""), None)
        if target is None or (target.partition(":")[2] or "live") not in request.path:
            return _problem(401, "bad_ticket")
        self.handshakes.append(request.path_qs)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for message in self._first(request.path, request.query.get("after")):
            await socket.send_str(json.dumps(message))
        self._sockets[socket] = request.path
        async for _ in socket:
            pass
        self._sockets.pop(socket, None)
        return socket

    def _first(self, path: str, after: str | None) -> list[Json]:
        if path == "/api/live":
            return [{"kind": "live", "rows": self.rows}]
        if self.snapshot is None:
            return [{"kind": "no_call"}]
        if after is not None:
            seq = int(after.rpartition(":")[2])
            return [event for event in self.log if event["seq"] > seq]
        return [self.snapshot, *self.log]

    async def _customer(self, request: web.Request) -> web.Response:
        return web.json_response({"call_id": request.match_info["id"], "contact": page_state.CONTACT})

    async def _knowledge(self, request: web.Request) -> web.Response:
        self.asked.append(request.query["q"])
        found = [item for item in page_state.KNOWLEDGE if request.query["q"] in item["title"]]
        return web.json_response({"results": found})

    async def _feedback(self, request: web.Request) -> web.Response:
        return await self._write(request, "feedback", self.feedback, 202)

    async def _whisper(self, request: web.Request) -> web.Response:
        return await self._write(request, "whisper", self.whispers, 202)

    async def _form(self, request: web.Request) -> web.Response:
        kept: list[tuple[str, Json]] = []
        response = await self._write(request, "form", kept, 200)
        self.forms += [{"call_id": call_id, **form} for call_id, form in kept]
        return response

    async def _write(
        self, request: web.Request, name: str, kept: list[tuple[str, Json]], status: int
    ) -> web.Response:
        if request.headers.get("X-CSRF-Token") != CSRF:
            return _problem(403, "csrf")
        if failure := self.failing.get(name):
            return _problem(failure, "unavailable")
        kept.append((request.match_info["id"], await request.json()))
        return web.json_response({"seq": self.seq, "outcome": "new"}, status=status)


async def _headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Content-Security-Policy"] = policy("nonce")
    response.headers["Cache-Control"] = "no-store"


def _problem(status: int, code: str) -> web.Response:
    body = {"type": f"urn:huashu:problem:{code}", "status": status, "code": code, "detail": code}
    return web.json_response(body, status=status, content_type="application/problem+json")
