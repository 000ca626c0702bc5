"""A voice process (bot.processes.voice, the same options) that tells on SIGUSR1 what it holds.

The answer is a line `counts {…}` in its log: asyncio's tasks by the name of their coroutine, and how many
CallDrivers are alive after a garbage collection, so that a call that something still refers to is seen; and
the MB of spoken lines that its LinePrompts keep (bounded: MEMORY_BYTES a script).
Objects made before the process was ready are not counted (gc.freeze).
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections import Counter
from types import FrameType

import msgspec

from bot.call.driver import CallDriver
from bot.call.prompts import LinePrompts
from bot.processes import voice

_log = logging.getLogger(__name__)


def _tell(_number: int, _frame: FrameType | None) -> None:
    gc.collect()
    tasks = Counter(getattr(task.get_coro(), "__qualname__", "?") for task in asyncio.all_tasks())
    found = gc.get_objects()
    drivers = sum(type(one) is CallDriver for one in found)
    spoken = sum(len(sound) for one in found if type(one) is LinePrompts for sound in one._memory.values())
    held = {"tasks": tasks, "drivers": drivers, "spoken_lines_mb": round(spoken / 2**20, 1)}
    _log.info("counts %s", msgspec.json.encode(held).decode())


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, _tell)
    voice.cli()
