"""The processes of a soak as seen from outside: which they are, their memory, what they hold.

From /proc and the answer of benchmarks._counted_voice to SIGUSR1.  Memory is RSS in MB (2**20 bytes).
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import redis


class SoakFailed(Exception):
    """The run cannot be judged; says why."""


def _descendants(pid: int) -> Iterator[int]:
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, path.read_text().split()):
                yield child
                yield from _descendants(child)


def python_running(module: str) -> int:
    """The process of ours that runs this module.  Raises LookupError."""
    for pid in _descendants(os.getpid()):
        with suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if words[0] == sys.executable.encode() and module.encode() in words:
                return pid
    raise LookupError(f"no process runs {module}")


def rss_mb(pid: int) -> float:
    """Resident memory; raises OSError where the process is gone."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    if found is None:
        raise ProcessLookupError(f"process {pid} has ended")
    return int(found[1]) / 1024


def redis_pid(url: str) -> int:
    """The process id of the server at `url`."""
    with redis.Redis.from_url(url) as client:
        return int(client.info("server")["process_id"])


def _tcp_sockets(pid: int) -> int:
    """Sockets of callers and of those who listen; pooled connections to Redis are none of TCP."""
    tables = (Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6"))
    tcp = {f"socket:[{row.split()[9]}]" for table in tables for row in table}
    count = 0
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            count += os.readlink(path) in tcp
    return count


async def counts(pid: int, log: Path) -> dict[str, Any]:
    """What the voice process answers to SIGUSR1 (_counted_voice).  Raises SoakFailed."""
    before = log.read_text(encoding="utf-8", errors="replace").count(": counts {")
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGUSR1)
    for _ in range(100):
        await asyncio.sleep(0.1)
        text = log.read_text(encoding="utf-8", errors="replace")
        told = re.findall(r": counts (\{.*\})\n", text)
        if len(told) > before:
            counts: dict[str, Any] = msgspec.json.decode(told[-1])
            return {**counts, "sockets": _tcp_sockets(pid)}
    raise SoakFailed(f"the voice process does not answer; its log ends:\n{text[-2000:]}")


def left_over(now: dict[str, Any], then: dict[str, Any], journals: Path) -> dict[str, int]:
    """What there is more of than before the first call; `journals`: the folder of the call files."""
    left = dict(Counter(now["tasks"]) - Counter(then["tasks"]))
    for name in ("drivers", "sockets"):
        if now[name] > then[name]:
            left[name] = now[name] - then[name]
    if files := len(list(journals.iterdir())):
        left["call files"] = files
    return left


def growth(samples: Sequence[tuple[float, float]]) -> dict[str, float]:
    """A straight line through (seconds, MB): MB at its beginning, its rise as a share and in MB an hour."""
    seconds, sizes = np.array(samples).T
    slope, base = np.polyfit(seconds, sizes, 1)
    begin = base + slope * seconds[0]
    rise = slope * (seconds[-1] - seconds[0])
    return {
        "mb": round(float(begin), 1),
        "most_mb": round(float(sizes.max()), 1),
        "growth": round(float(rise / begin), 4),
        "mb_an_hour": round(float(slope * 3600), 2),
    }
