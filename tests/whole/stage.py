"""The processes of live assist for tests: a private Redis, SQLite, one worker, two web servers, people.

They are the commands that run in service, started and kept by the keeper that runs them in service.
`kill` ends one with SIGKILL.  Times: LIMIT_S is how long a condition may take before a test fails.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from aiohttp import web
from redis.asyncio import Redis

from assist.auth.passwords import hash_password
from bot.bus import connect
from bot.bus.assisted import AssistedCalls
from bot.bus.log import EventLog
from bot.data_folder import PROJECT
from bot.events import AnyEvent
from bot.processes.assist_workers import RegisteredWorkers
from bot.processes.managed import Managed
from bot.redis_server import PrivateRedis
from bot.store.database import Database
from bot.store.keys import Keys
from bot.store.sealing import Sealer
from bot.store.users import add_user
from tests.web.conftest import PASSWORD, Server

LIMIT_S = 90.0
PEOPLE = {
    "li": ("agent", "north"),
    "wang": ("agent", "north"),
    "wu": ("agent", "north"),
    "sun": ("agent", "north"),
    "chen": ("agent", "east"),
    "lin": ("agent", "east"),
    "qian": ("supervisor", "east"),
    "zhou": ("operator", None),
}
"""Name → role, team.  `sun` is the neighbour whom other people's bad input must not disturb."""


class Stage:
    """All that runs.  `fronts`: the web servers, as clients see them."""

    def __init__(self, folder: Path, scripts: Sequence[str]) -> None:
        self.folder = folder
        self._scripts = scripts
        self._server = PrivateRedis(folder)
        self.url = f"sqlite:///{folder / 'huashu.db'}"
        self.worker: Managed
        self.webs: list[Managed] = []
        self.fronts: list[Server] = []
        self.redis: Redis
        self.database: Database
        self.log: EventLog

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._server.start)
        self.redis, self.log = connect(self._server.url), EventLog(connect(self._server.url))
        self.database = Database.open(self.url)
        self._people()
        self.worker = self.process(
            "assist.worker", "worker", "--name", "assist-1", "--scripts", *self._scripts
        )
        calls = AssistedCalls(
            self.redis, Sealer(Keys.load(self.folder / "key")), RegisteredWorkers(self.redis)
        )
        for number, port in enumerate(_free_ports(2), start=1):
            self.webs.append(self.process("assist.web", f"web-{number}", "--port", str(port)))
            origin = f"http://127.0.0.1:{port}"
            elsewhere = web.Application()  # the application itself is in the other process
            self.fronts.append(Server(origin, origin, elsewhere, self.redis, self.database, calls))
        await asyncio.gather(*(process.start() for process in (self.worker, *self.webs)))
        return self

    async def __aexit__(self, *exc: object) -> None:
        for front in self.fronts:
            for session in front.sessions:
                await session.close()
        for process in (*self.webs, self.worker):
            await process.stop()
        self.database.close()
        await self.redis.aclose()
        await asyncio.to_thread(self._server.stop)

    def process(self, module: str, name: str, *words: str, **environment: str) -> Managed:
        """A process of ours, not started yet."""
        own = {"PYTHONPATH": str(PROJECT), "HUASHU_KEY_FILE": str(self.folder / "key")}
        command = [sys.executable, "-m", module, *words]
        command += ["--redis", self._server.url, "--database", self.url]
        return Managed(name, command, self.folder / f"{name}.log", own | environment)

    async def kill(self, process: Managed) -> None:
        """SIGKILL; its keeper will start it again (see `back`)."""
        running = process._process
        assert running is not None
        os.killpg(running.pid, signal.SIGKILL)  # of the session that was made for it
        async with asyncio.timeout(LIMIT_S):
            while process.running:
                await asyncio.sleep(0.01)

    async def back(self, process: Managed) -> None:
        """Wait until it was started again and serves."""
        async with asyncio.timeout(LIMIT_S):
            await process.wait_until_up()

    async def until(self, call_id: str, holds: Callable[[list[AnyEvent]], Any]) -> list[AnyEvent]:
        """The call's log as soon as this holds of it."""
        events = await self.log.read(call_id)
        cursors = {call_id: events[-1].seq if events else 0}
        try:
            async with asyncio.timeout(LIMIT_S):
                while not holds(events):
                    events += await self.log.tail(cursors, block_ms=500)
        except TimeoutError:
            told = "\n".join(str(event) for event in events[-12:])
            raise AssertionError(f"call {call_id} never came so far; its log ends:\n{told}") from None
        return events

    def complaints(self) -> list[str]:
        """What the processes wrote about defects of their own so far."""
        lines: list[str] = []
        for process in (self.worker, *self.webs):
            text = (self.folder / f"{process.name}.log").read_text("utf-8")
            lines += [line for line in text.splitlines() if " ERROR " in line or "Traceback" in line]
        return lines

    def starts(self) -> list[int]:
        """How often each process was started."""
        return [process.starts for process in (self.worker, *self.webs)]

    def _people(self) -> None:
        hashed = hash_password(PASSWORD, cost=4)
        with self.database.write() as connection:
            for name, (role, team) in PEOPLE.items():
                add_user(connection, name, role, hashed, datetime.now(UTC), team=team)


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now: a server that is started again keeps its own."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports
