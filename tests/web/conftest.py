"""A real web server on a real Redis and SQLite; the assist worker is absent, so tests write its events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from redis.asyncio import Redis

import assist.web_api.feeds
from assist.auth.passwords import hash_password
from assist.web import PAGES, application
from assist.web_api import parts
from assist.web_api.limits import Buckets
from bot.bus.assisted import AssistedCalls, OpenCall
from bot.bus.log import EventLog, Writer
from bot.events import AnyEvent, MeaningEvent, SuggestionEvent, encode
from bot.store.database import Database
from bot.store.keys import Keys
from bot.store.sealing import Sealer
from bot.store.users import add_user, set_disabled
from tests.web.openapi_check import check_answer, check_request

PASSWORD = "多听少说先问再答1次"
PEOPLE = {
    "li": ("agent", "north"),
    "wang": ("agent", "south"),
    "zhao": ("supervisor", "north"),
    "qian": ("supervisor", None),
    "sun": ("designer", None),
    "zhou": ("operator", None),
}
KEYS = Keys(bytes(range(32)))
NOW = "2026-11-22T10:00:00.000+08:00"


class OneWorker:
    """Says that a worker lives and serves every script."""

    async def choose(self, script: str) -> tuple[str, str]:
        return "assist-1", "v1"

    async def alive(self, worker: str) -> bool:
        return True


@dataclass
class Server:
    """A running server and what stands behind it."""

    url: str
    origin: str
    app: web.Application
    redis: Redis
    database: Database
    calls: AssistedCalls
    sessions: list[aiohttp.ClientSession] = field(default_factory=list)
    writers: dict[str, Writer] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    async def login(self, name: str) -> Browser:
        """A browser in which `name` has logged in."""
        jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=self.origin)
        browser = Browser(self, self.session(jar))
        answer = await browser.request("POST", "/api/login", {"name": name, "password": PASSWORD})
        assert answer.status == 200, answer.data
        browser.csrf = answer.data["csrf_token"]
        return browser

    async def machine(self, name: str = "zhou") -> Browser:
        """A machine with a bearer token of `name`."""
        browser = Browser(self, self.session(aiohttp.DummyCookieJar()))
        if name not in self.tokens:
            answer = await browser.request("POST", "/api/tokens", {"name": name, "password": PASSWORD})
            assert answer.status == 201, answer.data
            self.tokens[name] = answer.data["token"]
        browser.token = self.tokens[name]
        return browser

    def stranger(self) -> Browser:
        """Somebody who has not logged in."""
        return Browser(self, self.session(aiohttp.DummyCookieJar()))

    def session(self, jar: aiohttp.abc.AbstractCookieJar) -> aiohttp.ClientSession:
        made = aiohttp.ClientSession(cookie_jar=jar)
        self.sessions.append(made)
        return made

    async def call(self, call_id: str = "c1", agent_id: str = "li", **more: Any) -> str:
        """An assisted call that has begun."""
        contact = more.pop("contact", {"id": "k-1", "name": "张伟", "phone": "13800138000", "city": "杭州"})
        opened = OpenCall(
            call_id=call_id, script="bundle", agent_id=agent_id, contact=contact, at=NOW, **more
        )  # fmt: skip
        await self.calls.open(opened)
        return call_id

    async def worker_says(self, *events: AnyEvent) -> None:
        """Append events to their calls' logs, as the assist worker does."""
        log = EventLog(self.redis)
        for event in events:
            if event.call_id not in self.writers:
                self.writers[event.call_id] = await log.take(event.call_id, "assist")
            await log.append(self.writers[event.call_id], encode(event))

    async def meanings(self, call_id: str, count: int) -> None:
        """`count` events of the worker."""
        for number in range(count):
            await self.worker_says(meaning(call_id, f"u{number}"))

    async def shut_out(self, name: str) -> None:
        """Disable a user, as the command does."""

        def change() -> None:
            with self.database.write() as connection:
                set_disabled(connection, "default", name, True)

        await asyncio.to_thread(change)


@dataclass
class Answer:
    """What the server answered."""

    status: int
    data: Any
    headers: Any


@dataclass
class Browser:
    """A client: cookies and CSRF token, or a bearer token."""

    server: Server
    http: aiohttp.ClientSession
    csrf: str | None = None
    token: str | None = None

    def headers(self) -> dict[str, str]:
        headers = {}
        if self.csrf is not None:
            headers |= {"X-CSRF-Token": self.csrf, "Origin": self.server.origin}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers

    async def request(
        self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str
    ) -> Answer:
        """One request; its answer is held to the OpenAPI description, and its body where it was taken."""
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        all_headers = {**self.headers(), **{name.replace("_", "-"): value for name, value in headers.items()}}
        url = self.server.url + path
        async with self.http.request(
            method, url, data=data, headers=all_headers, allow_redirects=False
        ) as got:
            text = await got.read()
            kind = got.content_type
            answer = Answer(got.status, json.loads(text) if text and "json" in kind else text, got.headers)
        check_answer(method, path, answer.status, kind, answer.data)
        if answer.status < 300 and data is not None:
            check_request(method, path, json.loads(data))
        return answer

    async def get(self, path: str) -> Answer:
        return await self.request("GET", path)

    async def post(self, path: str, body: Any = None) -> Answer:
        return await self.request("POST", path, body)

    async def ticket(self, target: str) -> str:
        answer = await self.post("/api/feed-tickets", {"target": target})
        assert answer.status == 201, answer.data
        return str(answer.data["ticket"])

    async def feed(self, path: str, target: str, after: str | None = None) -> Feed:
        """An open WebSocket."""
        query = f"?ticket={await self.ticket(target)}" + (f"&after={after}" if after is not None else "")
        headers = {"Origin": self.server.origin} if self.csrf else {}
        return Feed(await self.http.ws_connect(self.server.url + path + query, headers=headers))

    async def call_feed(self, call_id: str, after: int | None = None) -> Feed:
        after_seq = None if after is None else str(after)
        return await self.feed(f"/api/calls/{call_id}/feed", f"call:{call_id}", after_seq)

    async def agent_feed(self, agent_id: str, after: str | None = None) -> Feed:
        return await self.feed(f"/api/agents/{agent_id}/feed", f"agent:{agent_id}", after)


@dataclass
class Feed:
    """The client's end of a feed."""

    socket: aiohttp.ClientWebSocketResponse

    async def next(self) -> dict[str, Any]:
        """The next message; fails where the feed ends or nothing comes for long."""
        message = await asyncio.wait_for(self.socket.receive(), 10)
        assert message.type == aiohttp.WSMsgType.TEXT, message
        return dict(json.loads(message.data))

    async def take(self, count: int) -> list[dict[str, Any]]:
        return [await self.next() for _ in range(count)]

    async def closed(self) -> int:
        """Read until the server closes: its code."""
        while (message := await asyncio.wait_for(self.socket.receive(), 10)).type == aiohttp.WSMsgType.TEXT:
            pass
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED), message
        assert self.socket.close_code is not None
        return self.socket.close_code


def meaning(call_id: str, utterance_id: str) -> MeaningEvent:
    return MeaningEvent(call_id=call_id, at_ms=1000, wall=NOW, utterance_id=utterance_id, acts=[])


def suggestion(call_id: str, number: int, **more: Any) -> SuggestionEvent:
    card = {"id": f"{call_id}.{number}", "call_id": call_id, "kind": "question", "text": "您平时流量够用吗?"}
    return SuggestionEvent(call_id=call_id, at_ms=1000, wall=NOW, suggestion=card | more)


def said(utterance_id: str, text: str = "太贵了", party: str = "customer", **more: Any) -> dict[str, Any]:
    words = {"utterance_id": utterance_id, "party": party, "text": text, "begin_ms": 0, "end_ms": 900}
    return words | {"final": True} | more


def form() -> dict[str, Any]:
    follow_up = {"at": "2026-11-23T10:00:00+08:00", "about": "回访张伟"}
    return {
        "summary": ["客户张伟觉得贵"], "disposition": "callback", "grade": "B", "reasons": ["问了价格"],
        "follow_up": follow_up,
    }  # fmt: skip


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done every second or so in service is done at once in tests."""
    monkeypatch.setattr(assist.web_api.feeds, "WATCH_S", 0.02)
    monkeypatch.setattr(assist.web_api.feeds, "LIVE_S", 0.02)
    monkeypatch.setattr("assist.auth.directory.REFRESH_S", 0.02)
    monkeypatch.setattr("assist.web_api.guard.FRESH_S", 0.0)


@pytest_asyncio.fixture
async def server(redis: Redis, tmp_path: Path) -> AsyncIterator[Server]:
    database = Database.open(f"sqlite:///{tmp_path / 'huashu.db'}")
    password = hash_password(PASSWORD, cost=4)
    with database.write() as connection:
        for name, (role, team) in PEOPLE.items():
            add_user(connection, name, role, password, datetime.now(UTC), team=team)
    calls = AssistedCalls(redis, Sealer(KEYS), OneWorker())
    async with running(redis, database, calls) as one:
        yield one
    database.close()


async def refused(server: Server, path: str, status: int, **headers: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await server.session(aiohttp.DummyCookieJar()).ws_connect(server.url + path, headers=headers)
    assert refusal.value.status == status


class running:
    """A server on a free port; several may stand on one Redis and one database."""

    def __init__(
        self, redis: Redis, database: Database, calls: AssistedCalls, buckets: Buckets | None = None
    ) -> None:
        import socket

        self._socket = socket.create_server(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        settings = parts.Settings(frozenset({origin}), KEYS.derive("web", "*"), PAGES)
        scripts = parts.Scripts(lambda: ["bundle", "retention"], _find)
        app = application(redis, database, calls, settings, scripts, buckets)
        self._server = Server(origin, origin, app, redis, database, calls)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def __aenter__(self) -> Server:
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket).start()
        return self._server

    async def __aexit__(self, *exc: object) -> None:
        for session in self._server.sessions:
            await session.close()
        await self._runner.cleanup()


def _find(script: str, words: str) -> list[dict[str, Any]]:
    return [{"node": "utter_price", "title": "价格", "text": f"{script}: {words}", "why": ""}]
