"""Ending tasks that wait on Redis.

The client may swallow one cancellation (while it connects, it takes it for a timeout), so it is
repeated until the task has ended.
"""

from __future__ import annotations

import asyncio
from typing import Any


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until all have ended; their results and errors are not looked at."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=0.1)
    await asyncio.gather(*tasks, return_exceptions=True)
