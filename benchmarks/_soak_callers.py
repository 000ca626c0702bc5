"""The callers of a soak: so many lines, on each of which call follows call, and what was dialled."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import msgspec

from benchmarks._rough_callers import ROUGH, Behaviour, RoughCaller, talks
from benchmarks._twilio_caller import CallFailed, Clock
from benchmarks.call_density import CONTACT

SURNAMES, GIVEN = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平"


@dataclass(slots=True)
class Dialled:
    """What the callers did."""

    kinds: dict[str, str] = field(default_factory=dict)
    """What each caller was, by the id of his call."""
    refused: Counter[str] = field(default_factory=Counter)


class Callers:
    """So many lines in use at once."""

    def __init__(self, port: int, calls: int, rough: float, contacts: int) -> None:
        self.dialled = Dialled()
        self._url = f"ws://127.0.0.1:{port}/twilio"
        self._calls, self._rough, self._contacts = calls, rough, contacts
        self._clock = Clock()
        self._tasks: list[asyncio.Task[None]] = []
        self._up: set[RoughCaller] = set()

    async def start(self) -> None:
        """Call, one line after the other."""
        self._clock.start()
        for number in range(self._calls):
            self._tasks.append(asyncio.create_task(self._line(Random(number)), name=f"line {number}"))
            await asyncio.sleep(0.1)

    def check(self) -> None:
        """Raises what a line died of."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def stop(self) -> None:
        """Everybody hangs up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for caller in tuple(self._up):
            await self._leave(caller)
        await self._clock.stop()

    async def _line(self, random: Random) -> None:
        while True:
            behaviour: Behaviour = random.choice(ROUGH) if random.random() < self._rough else talks
            sid = "CA" + uuid.UUID(int=random.getrandbits(128)).hex
            try:
                caller = await RoughCaller.dial(self._clock, self._url, sid, {"contact": self._contact()})
            except CallFailed as failed:
                self.dialled.refused[re.sub(r"\s+", " ", str(failed))[:120]] += 1
                await asyncio.sleep(0.5)
                continue
            assert isinstance(caller, RoughCaller)
            self._up.add(caller)
            self.dialled.kinds[sid] = behaviour.__name__
            with suppress(CallFailed):
                await behaviour(caller, random)
            await self._leave(caller)
            await asyncio.sleep(random.uniform(0.0, 0.5))

    def _contact(self) -> str:
        """Somebody new, or the next of so many."""
        number = len(self.dialled.kinds)
        random = Random(number % self._contacts if self._contacts else number)
        name = random.choice(SURNAMES) + "".join(random.choices(GIVEN, k=random.randint(1, 2)))
        phone = f"13{random.randrange(10**9):09d}"
        return msgspec.json.encode({**CONTACT, "id": phone, "name": name, "phone": phone}).decode()

    async def _leave(self, caller: RoughCaller) -> None:
        try:
            async with asyncio.timeout(5.0):
                await caller.hang_up()
        except TimeoutError:
            caller.cut()
        self._up.discard(caller)
