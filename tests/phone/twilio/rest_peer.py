"""Twilio's REST API from the other side, as documented: Calls.json for one account.

Knows nothing of our code.  It checks the account's basic authentication and the form of each request;
`faults` are answered first, one a request.  Source: https://www.twilio.com/docs/voice/api/call-resource
"""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from aiohttp import web

ACCOUNT, TOKEN = "AC0123", "a-secret"
LIVE = {"queued", "ringing", "in-progress"}


class TwilioRest:
    """`calls` by sid, as Twilio shows them; `asked`: (method, path, form) of all that came."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.calls: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, str, list[tuple[str, str]]]] = []
        self.faults: deque[int | str] = deque()
        self.queue_ms = "0"
        self.silent = asyncio.Event()

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._gate])
        base = f"/2010-04-01/Accounts/{ACCOUNT}/Calls"
        app.router.add_post(f"{base}.json", self._create)
        app.router.add_get(f"{base}.json", self._list)
        app.router.add_get(base + "/{sid}.json", self._show)
        app.router.add_post(base + "/{sid}.json", self._update)
        return app

    def add(
        self,
        sid: str,
        to: str,
        caller: str,
        status: str,
        created: datetime | None = None,
        direction: str = "outbound-api",
    ) -> None:
        self.calls[sid] = {
            "sid": sid,
            "to": to,
            "from": caller,
            "status": status,
            "direction": direction,
            "date_created": format_datetime(created or self.now),
            "start_time": None,
            "queue_time": self.queue_ms,
        }

    @web.middleware
    async def _gate(self, request: web.Request, handler: Any) -> web.StreamResponse:
        form = [(name, str(value)) for name, value in (await request.post()).items()]
        self.asked.append((request.method, request.path, form))
        expected = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if request.headers.get("Authorization") != expected:
            return problem(401, 20003, "Authenticate")
        if not self.faults:
            return await handler(request)  # type: ignore[no-any-return]
        fault = self.faults.popleft()
        if isinstance(fault, int):
            answer = problem(fault, 20429 if fault == 429 else 0, "fault")
            if 300 <= fault < 400:
                answer.headers["Location"] = "/elsewhere"
            return answer
        if fault == "lost":  # the call is made, and its answer is lost
            await handler(request)
            assert request.transport is not None
            request.transport.abort()
        if fault == "silent":
            await self.silent.wait()
        return web.Response(text="<html>", status=200)

    async def _create(self, request: web.Request) -> web.Response:
        form = await request.post()
        if not str(form.get("To", "")).startswith("+"):
            return problem(400, 21211, f"The 'To' number {form.get('To')} is not a valid phone number.")
        if not form.get("Twiml") or not form.get("From"):
            return problem(400, 21205, "Url or Twiml is required")
        sid = f"CA{len(self.calls) + 1:032d}"
        self.add(sid, str(form["To"]), str(form["From"]), "queued")
        return web.json_response(self.calls[sid], status=201)

    async def _list(self, request: web.Request) -> web.Response:
        query = request.query
        found = [
            call
            for call in reversed(self.calls.values())
            if call["to"] == query.get("To") and call["from"] == query.get("From")
        ]
        return web.json_response({"calls": found, "page": 0, "next_page_uri": None})

    async def _show(self, request: web.Request) -> web.Response:
        call = self.calls.get(request.match_info["sid"])
        return (
            web.json_response(call) if call else problem(404, 20404, "The requested resource was not found")
        )

    async def _update(self, request: web.Request) -> web.Response:
        form = await request.post()
        call = self.calls.get(request.match_info["sid"])
        if call is None:
            return problem(404, 20404, "The requested resource was not found")
        if call["status"] not in LIVE:
            return problem(400, 21220, "Call is not in-progress. Cannot redirect.")
        if "Status" in form:
            call["status"] = str(form["Status"])
        return web.json_response(call)


def problem(status: int, code: int, message: str) -> web.Response:
    """Twilio's form of an error."""
    return web.json_response(
        {"code": code, "message": message, "more_info": "https://www.twilio.com/docs", "status": status},
        status=status,
    )


def moment(minute: int, second: int = 0) -> datetime:
    """A moment of one fixed hour."""
    return datetime(2026, 11, 22, 10, minute, second, tzinfo=UTC)
