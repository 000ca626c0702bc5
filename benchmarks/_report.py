"""What every benchmark prints: the machine, percentiles, intervals, and one last line of JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def machine() -> str:
    """One line: processor, cores that this process may use, load, memory, Python, system."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    memory = (
        os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30 if hasattr(os, "sysconf") else 0.0
    )
    python = f"Python {platform.python_version()}, {platform.system()} {platform.release()}"
    return f"{model}, {cores} cores, load {load}, {memory:.0f} GB, {python}"


def percentiles(values: Sequence[float], at: Sequence[float] = (50, 95, 99)) -> dict[str, float]:
    """{"p50": …, "p95": …, "p99": …} of `values`, in their unit; empty where there are none."""
    if not values:
        return {}
    return {f"p{point:g}": round(float(np.percentile(values, point)), 3) for point in at}


def of_counts(counts: Sequence[int], at: Sequence[float] = (50, 95, 99, 99.9)) -> dict[str, int]:
    """Percentiles and the latest of counts by whole ms: {"frames": n, "p50": …, "latest": …}."""
    total, passed = sum(counts), 0
    found = {"frames": total}
    for ms, count in enumerate(counts):
        for point in at:
            if passed < point / 100 * total <= passed + count:
                found[f"p{point:g}"] = ms
        passed += count
        if count:
            found["latest"] = ms
    return found


def interval(
    statistic: Callable[[NDArray[np.int64]], float], count: int, *, rounds: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """The 95 % bootstrap interval of `statistic`, which is given the line numbers of a resample."""
    draw = np.random.default_rng(seed)
    values = [statistic(draw.integers(0, count, count)) for _ in range(rounds)]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return round(float(low), 4), round(float(high), 4)


def finish(figures: dict[str, Any]) -> None:
    """Print `figures` as the last line, one JSON object; the machine is added."""
    print(json.dumps({**figures, "machine": machine()}, ensure_ascii=False), flush=True)
