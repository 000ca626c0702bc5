"""Phone engines as processes under measurement: started on a core of their own, their CPU read, stopped.

CPU is that of the process and all its descendants, user and system, from /proc.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ENGINE_CORE = 0
CALLER_CORE = 1
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class EngineFailed(Exception):
    """The engine does not start or has died; says how its output ends."""


@contextmanager
def pinned_caller() -> Iterator[bool]:
    """Keeps this process on the callers' core; False where the machine has but one."""
    if not _two_cores():
        yield False
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {CALLER_CORE})
    try:
        yield True
    finally:
        os.sched_setaffinity(0, before)


def free_port() -> int:
    """A TCP port that nobody uses now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Engine:
    """A process that takes calls on a port."""

    def __init__(
        self, command: Sequence[str], port: int, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        """`environment`: added to this process's own.  What the engine prints goes to `log`."""
        self._command = list(command)
        self._port = port
        self._log = log
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, longest_s: float = 300.0) -> None:
        """Start it on its core and wait until it listens.  Raises EngineFailed."""
        pinned = ["taskset", "-c", str(ENGINE_CORE)] if _two_cores() else []
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*pinned, *self._command],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )
        give_up = time.monotonic() + longest_s
        while time.monotonic() < give_up:
            if self._process.poll() is not None:
                raise EngineFailed(f"{self._command[0]} ended at once:\n{self.tail()}")
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.1)
        self.stop()
        raise EngineFailed(f"nothing listens on port {self._port} after {longest_s:.0f} s:\n{self.tail()}")

    def cpu_s(self) -> float:
        """Seconds of CPU so far."""
        return sum(_cpu_s(pid) for pid in _tree(self._process.pid)) if self._process else 0.0

    def stop(self) -> None:
        """End it and what it started; a second call does nothing."""
        process = self._process
        if process is None:
            return
        self._process = None
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def tail(self) -> str:
        """The end of what it printed."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-1500:]


def _two_cores() -> bool:
    return (os.cpu_count() or 1) > 1 and shutil.which("taskset") is not None


def _tree(pid: int) -> list[int]:
    """A process and its descendants."""
    found, left = [], [pid]
    while left:
        parent = left.pop()
        found.append(parent)
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                left += [int(child) for child in task.read_text().split()]
            except OSError:  # it has ended meanwhile
                continue
    return found


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(value) for value in fields[11:13]) / _TICKS_A_SECOND
