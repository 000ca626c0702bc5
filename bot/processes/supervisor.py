"""The processes of one machine: Redis, brains, recogniser, voices, others; started, watched, stopped.

    async with Supervisor(["ringback"], voices=1, others=[Other("web", "assist.web")]) as here:
        …  # here.redis_url, here.recogniser, here.processes["web"].ready_words

A process that dies is started again; when the supervisor ends, however it ends, all end.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bot.bus.tasks import end
from bot.data_folder import data_folder
from bot.processes.managed import Managed
from bot.redis_server import PrivateRedis, RedisServerError

WATCH_S = 0.5
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Other:
    """A process of another package: `name`, the module that `python -m` runs, its own arguments.

    It gets --redis, --name and --database like all (bot/processes/child.py) and prints `ready …`.
    """

    name: str
    module: str
    words: tuple[str, ...] = ()


class Supervisor:
    """One machine's processes."""

    def __init__(
        self,
        scripts: Sequence[str],
        *,
        brains: int = 1,
        voices: int = 0,
        voice_words: Sequence[str] = (),
        recogniser: Sequence[str] | None = None,
        redis_url: str | None = None,
        database_url: str | None = None,
        people: int = 0,
        environment: Mapping[str, str] | None = None,
        others: Sequence[Other] = (),
    ) -> None:
        """`voice_words`: further arguments of the voice processes.  `recogniser`: arguments of
        bot.processes.recogniser, None for none.  `redis_url`: default REDIS_URL, else a private Redis.
        `people`: persons who take handed-over calls."""
        self.redis_url = redis_url or os.environ.get("REDIS_URL") or ""
        self.recogniser: str | None = None
        self.processes: dict[str, Managed] = {}
        self.redis: PrivateRedis | None = None
        self._scripts = list(scripts)
        self._counts = {"brain": brains, "voice": voices}
        self._voice_words = list(voice_words)
        self._recogniser_arguments = recogniser
        self._database_url = database_url
        self._people = people
        self._others = list(others)
        self._environment = dict(environment or {})
        self.logs = data_folder("logs")
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start all; returns when all serve.  Raises RedisServerError, ProcessFailed (all is stopped)."""
        try:
            if not self.redis_url:
                self.redis = await asyncio.to_thread(PrivateRedis)
                await asyncio.to_thread(self.redis.start)
                self.redis_url = self.redis.url
                self._watch = asyncio.create_task(self._watch_redis(), name="watch redis")
            first = [self._brain(number) for number in range(1, self._counts["brain"] + 1)]
            first += [self._other(other) for other in self._others]
            if self._recogniser_arguments is not None:
                first.append(self._python("recogniser", *self._recogniser_arguments))
            await self._start_all(first)
            if self._recogniser_arguments is not None:
                [self.recogniser] = self.processes["recogniser"].ready_words
            await self._start_all([self._voice(number) for number in range(1, self._counts["voice"] + 1)])
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop all: others and voices first, Redis last; a second call does nothing."""
        others = {other.name for other in self._others}
        for kind in ("other", "voice", "recogniser", "brain"):
            mine = [
                self.processes.pop(name)
                for name in list(self.processes)
                if (name in others if kind == "other" else name.startswith(kind))
            ]
            await asyncio.gather(*(process.stop() for process in mine))
        if self._watch is not None:
            await end(self._watch)
            self._watch = None
        if self.redis is not None:
            await asyncio.to_thread(self.redis.stop)
            self.redis = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def _start_all(self, processes: Sequence[Managed]) -> None:
        self.processes.update({process.name: process for process in processes})
        async with asyncio.TaskGroup() as group:
            for process in processes:
                group.create_task(process.start())

    def _brain(self, number: int) -> Managed:
        return self._python(
            "brain", "--scripts", *self._scripts, "--people", str(self._people), number=number
        )

    def _voice(self, number: int) -> Managed:
        words = ["--recogniser", self.recogniser] if self.recogniser else []
        return self._python("voice", *words, *self._voice_words, number=number)

    def _other(self, other: Other) -> Managed:
        return self._managed(other.name, other.module, *other.words, *self._meeting(other.name))

    def _python(self, module: str, *words: str, number: int = 0) -> Managed:
        name = f"{module}-{number}" if number else module
        return self._managed(
            name, f"bot.processes.{module}", *words, *(self._meeting(name) if number else ())
        )

    def _meeting(self, name: str) -> list[str]:
        """Where a process meets the others, and as whom."""
        words = ["--redis", self.redis_url, "--name", name]
        return [*words, "--database", self._database_url] if self._database_url else words

    def _managed(self, name: str, module: str, *words: str) -> Managed:
        command = [sys.executable, "-m", module, *words]
        root = str(Path(__file__).parents[2])
        paths = os.pathsep.join(path for path in (root, os.environ.get("PYTHONPATH")) if path)
        environment = {"PYTHONPATH": paths, **self._environment}
        return Managed(name, command, self.logs / f"{name}.log", environment)

    async def _watch_redis(self) -> None:
        """Start the private Redis again when it died; its append-only file holds what it held."""
        while True:
            await asyncio.sleep(WATCH_S)
            if self.redis is not None and not self.redis.running:
                _log.error("the private Redis ended: started again")
                try:
                    await asyncio.to_thread(self.redis.restart)
                except RedisServerError as error:
                    _log.error("%s", error)
