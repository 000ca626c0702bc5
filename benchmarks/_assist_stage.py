"""The processes of the assist benchmark: a private Redis, an assist worker, web processes, users."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from assist.auth.passwords import hash_password
from bot.processes.managed import Managed
from bot.redis_server import PrivateRedis
from bot.store.database import Database
from bot.store.users import add_user

ROOT = Path(__file__).parents[1]
PASSWORD = "benchmark-only"
OPERATOR = "bench"


class Stage:
    """Starts all, in a folder of its own; `ports` are those of the web processes."""

    def __init__(self, scripts: Sequence[str], agents: Sequence[str], webs: int = 2) -> None:
        self._scripts, self._agents, self._count = scripts, agents, webs
        self._folder = tempfile.TemporaryDirectory(prefix="huashu-bench-")
        self.folder = Path(self._folder.name)
        self.redis = PrivateRedis(self.folder)
        self.webs: list[Managed] = []
        self.ports: list[int] = []
        self.worker: Managed | None = None

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.redis.start)
        url = f"sqlite:///{self.folder / 'huashu.db'}"
        await asyncio.to_thread(self._users, url)
        common = ["--redis", self.redis.url, "--database", url]
        self.worker = self._python("assist.worker", "worker", *common, "--name", "assist-1",
                                   "--scripts", *self._scripts)  # fmt: skip
        await self.worker.start()
        for number in range(1, self._count + 1):
            web = self._python(
                "assist.web", f"web-{number}", *common, "--port", "0", "--name", f"web-{number}"
            )
            self.webs.append(web)
            [address] = await web.start()
            self.ports.append(int(address.rpartition(":")[2].strip("/")))
        return self

    async def __aexit__(self, *exc: object) -> None:
        for process in [*self.webs, *([self.worker] if self.worker else [])]:
            await process.stop()
        await asyncio.to_thread(self.redis.stop)
        self._folder.cleanup()

    def cpu_seconds(self, process: Managed | None) -> float:
        """User and system time of a process so far."""
        pid = getattr(getattr(process, "_process", None), "pid", None)
        return 0.0 if pid is None else tree_seconds(pid)

    def _users(self, url: str) -> None:
        database = Database.open(url)
        hashed = hash_password(PASSWORD)
        with database.write() as connection:
            add_user(connection, OPERATOR, "operator", hashed, datetime.now(UTC))
            for agent in self._agents:
                add_user(connection, agent, "agent", hashed, datetime.now(UTC))
        database.close()

    def _python(self, module: str, name: str, *words: str) -> Managed:
        environment = {"PYTHONPATH": str(ROOT), "HUASHU_KEY_FILE": str(self.folder / "key")}
        command = [sys.executable, "-m", module, *words]
        return Managed(name, command, self.folder / f"{name}.log", environment)


def tree_seconds(pid: int) -> float:
    """CPU seconds of a process and all below it (Linux)."""
    ticks = os.sysconf("SC_CLK_TCK")
    children: dict[int, list[int]] = {}
    times: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(entry.name))
        times[int(entry.name)] = (int(fields[11]) + int(fields[12])) / ticks
    total, waiting = 0.0, [pid]
    while waiting:
        here = waiting.pop()
        total += times.get(here, 0.0)
        waiting += children.get(here, [])
    return total
