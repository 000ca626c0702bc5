"""One child process that is kept running: started, awaited until ready, started again when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.bus.tasks import end
from bot.guarded_child import guarded

PAUSES_S = (0.2, 1.0, 3.0, 10.0)
"""Before the first, second, … start again in a row; the last holds for all further ones."""

STEADY_S = 30.0
"""A process that ran for so long has not failed in a row."""

STOP_S = 10.0
_log = logging.getLogger(__name__)


class ProcessFailed(Exception):
    """A process ended before it was ready; says how, with the end of its log."""


class Managed:
    """Runs `command`, which prints a line `ready …` when it serves; its stderr goes to `log`."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.ready_words: list[str] = []
        self.starts = 0
        self._command = list(command)
        self._log = log
        self._environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})}
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._up = asyncio.Event()

    @property
    def running(self) -> bool:
        """Whether it runs and serves."""
        return self._up.is_set()

    async def start(self, timeout_s: float = 300.0) -> list[str]:
        """Start it, wait until it is ready, keep it running; the words after `ready`.

        Raises ProcessFailed.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._spawn()
        except TimeoutError as error:
            await self.stop()
            raise ProcessFailed(f"{self.name} was not ready in {timeout_s:g} s; {self._tail()}") from error
        except asyncio.CancelledError:
            await self.stop()
            raise
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")
        return self.ready_words

    async def wait_until_up(self) -> None:
        """Wait while it is being started again."""
        await self._up.wait()

    async def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL where that does not help; a second call does nothing."""
        if self._keeper is not None:
            await end(self._keeper)
            self._keeper = None
        process, self._process = self._process, None
        self._up.clear()
        if process is None or process.returncode is not None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            _log.error("%s does not stop: killed", self.name)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            await process.wait()

    async def _spawn(self) -> None:
        self.starts += 1
        with open(self._log, "ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *guarded(self._command),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                env=self._environment,
            )
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            words = line.decode("utf-8", "replace").split()
            if words[:1] == ["ready"]:
                self.ready_words = words[1:]
                self._up.set()
                return
        code = await self._process.wait()
        raise ProcessFailed(f"{self.name} ended with code {code}; {self._tail()}")

    async def _keep(self) -> None:
        failures = 0
        while True:
            assert self._process is not None
            started = time.monotonic()
            code = await self._process.wait()
            self._up.clear()
            failures = 0 if time.monotonic() - started > STEADY_S else failures
            _log.error("%s ended with code %s: started again", self.name, code)
            while not self._up.is_set():
                await asyncio.sleep(PAUSES_S[min(failures, len(PAUSES_S) - 1)])
                failures += 1
                try:
                    await self._spawn()
                except ProcessFailed as error:
                    _log.error("%s", error)

    def _tail(self) -> str:
        """The end of its log, for an error message."""
        try:
            text = self._log.read_text("utf-8", "replace").strip()
        except OSError:
            text = ""
        return f"its log {self._log} ends:\n{text[-1500:]}" if text else f"its log {self._log} is empty"
