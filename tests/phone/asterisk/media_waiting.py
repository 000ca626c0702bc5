"""Waiting for what must come, without sleeping: a list that tells when it has grown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

PATIENCE_S = 10.0
"""So long a thing that must happen may take on a busy machine before the test fails."""


class Collected(list[Any]):
    """What came, in order; `until` waits for more."""

    def __init__(self) -> None:
        super().__init__()
        self._grown = asyncio.Event()

    def __call__(self, item: Any) -> None:
        self.append(item)
        self._grown.set()

    async def until(self, holds: Callable[[Collected], bool]) -> Collected:
        """Come back once it holds; TimeoutError where it never does."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds(self):
                self._grown.clear()
                await self._grown.wait()
        return self

    async def count(self, number: int) -> Collected:
        """At least so many came."""
        return await self.until(lambda seen: len(seen) >= number)
