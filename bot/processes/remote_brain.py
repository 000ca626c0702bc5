"""The voice's side of asking a brain (the Brain port), over Redis Streams.

A call is pinned to one brain when its first turn is asked, the least busy that serves the script.
A turn that stays unanswered, or whose brain is gone, is asked of another brain that serves the same
version; that one takes the call over from its record.  A turn may safely be asked any number of
times: (call, turn) is answered once and remembered.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections import OrderedDict
from dataclasses import dataclass

import msgspec
from redis.asyncio import Redis

from bot.bus import BusDown, keys
from bot.bus.streams import Replies, Sender
from bot.bus.tasks import end
from bot.processes.registry import BEAT_S, BrainInfo, brains
from bot.turn import Reply, TurnRequest, decode_message, encode_message

ASK_AGAIN_S = 1.2
"""A brain that has not answered for so long is given up for this call, where there is another."""

LOOK_S = 0.1
"""How often a waiting turn looks whether its brain is still there."""

MOVES = 2
"""How often one turn moves to another brain: a turn that kills brains must not kill them all."""

PINNED = 10_000
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Pin:
    brain: str
    script: str
    version: str


class RemoteBrain:
    """Brains behind a Redis, for all calls of the voice process `name` (unique, never used again)."""

    def __init__(self, redis: Redis, name: str) -> None:
        self._redis = redis
        self._sender = Sender(redis)
        self._replies = Replies(redis, name)
        self._references = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._pins: OrderedDict[tuple[str, str], _Pin] = OrderedDict()
        self._brains: dict[str, BrainInfo] = {}
        self._new_calls: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to listen.  Raises BusDown."""
        await self._look()
        self._tasks = [
            asyncio.create_task(self._listen(), name="replies"),
            asyncio.create_task(self._keep_looking(), name="brains"),
        ]

    async def stop(self) -> None:
        """Listen no more; turns that wait get a TimeoutError."""
        await end(*self._tasks)
        with contextlib.suppress(BusDown):
            await self._replies.close()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(TimeoutError("the voice process stops"))

    def version(self, script: str) -> str | None:
        """The version of a script that a call would get now, None where no brain serves it."""
        found = self._least_busy(script, None)
        return found.newest(script) if found else None

    async def ask(self, request: TurnRequest) -> Reply:
        """The reply; raises TimeoutError past the request's deadline (also where no brain serves)."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + request.deadline_ms / 1000
        future: asyncio.Future[Reply] = loop.create_future()
        references: list[int] = []
        moves, failed = 0, False
        try:
            while True:
                pin = self._pinned(request)
                if pin is None:
                    why = f"no brain serves {request.script or 'the version of this call'}"
                    await self._pause(future, give_up, LOOK_S, why)
                    continue
                if failed and moves < MOVES and (other := self._other(pin)) is not None:
                    _log.warning("call %s moves from %s to %s", request.call_id, pin.brain, other.name)
                    pin.brain, moves = other.name, moves + 1
                sent = await self._send(pin, request, future, references, moves > 0, give_up)
                if sent and await self._answered(future, pin, give_up, again=not request.speculative):
                    return future.result()
                failed = True
        finally:
            for reference in references:
                self._waiting.pop(reference, None)

    async def _send(
        self, pin: _Pin, request: TurnRequest, future: asyncio.Future[Reply], references: list[int],
        moved: bool, give_up: float,
    ) -> bool:  # fmt: skip
        """Send a turn to its brain; False where Redis is away (after a pause)."""
        if request.kind == "open" and request.script_version is None:
            request = msgspec.structs.replace(request, script_version=pin.version)
        reference = next(self._references)
        references.append(reference)
        self._waiting[reference] = future
        try:
            await self._sender.send(
                keys.inbox(pin.brain), encode_message(request), self._replies.stream, reference, moved
            )
        except BusDown as error:
            await self._pause(future, give_up, LOOK_S, str(error))
            return False
        return True

    async def _answered(self, future: asyncio.Future[Reply], pin: _Pin, give_up: float, again: bool) -> bool:
        """Wait; False where it is time to ask again.  Raises TimeoutError past the deadline."""
        loop = asyncio.get_running_loop()
        patience = loop.time() + ASK_AGAIN_S
        while not future.done():
            await self._pause(future, give_up, LOOK_S, f"{pin.brain} does not answer")
            gone = pin.brain not in self._brains and self._other(pin) is not None
            if again and not future.done() and (gone or loop.time() >= patience):
                return False
        return True

    async def _pause(self, future: asyncio.Future[Reply], give_up: float, seconds: float, why: str) -> None:
        """Wait for the reply at most `seconds`.  Raises TimeoutError, saying why, past `give_up`."""
        left = give_up - asyncio.get_running_loop().time()
        if left <= 0:
            raise TimeoutError(why)
        await asyncio.wait((future,), timeout=min(seconds, left))

    def _pinned(self, request: TurnRequest) -> _Pin | None:
        """Where the call is; a new one goes to the least busy brain, None where none serves it."""
        key = (request.tenant_id, request.call_id)
        pin = self._pins.get(key)
        if pin is not None or request.script is None:
            return pin
        found = self._least_busy(request.script, request.script_version)
        if found is None:
            return None
        version = request.script_version or found.newest(request.script) or ""
        self._new_calls[found.name] = self._new_calls.get(found.name, 0) + 1
        while len(self._pins) >= PINNED:
            self._pins.popitem(last=False)
        pin = self._pins[key] = _Pin(found.name, request.script, version)
        return pin

    def _least_busy(self, script: str, version: str | None, but: str | None = None) -> BrainInfo | None:
        """The brain with the fewest calls of those that serve a version (any of the script where
        None), without the one named `but`."""
        able = [
            info
            for info in self._brains.values()
            if info.name != but and not info.draining
            and ((script, version) in info.versions if version else info.newest(script))
        ]  # fmt: skip
        return min(able, key=lambda info: info.calls + self._new_calls.get(info.name, 0), default=None)

    def _other(self, pin: _Pin) -> BrainInfo | None:
        """Another brain for a call."""
        return self._least_busy(pin.script, pin.version, but=pin.brain)

    async def _look(self) -> None:
        self._brains = {info.name: info for info in await brains(self._redis)}
        self._new_calls.clear()

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                await self._look()
            except BusDown as error:
                _log.warning("no news of brains: %s", error)

    async def _listen(self) -> None:
        while True:
            try:
                async for reference, data in self._replies.messages():
                    self._take(reference, data)
            except BusDown as error:
                _log.warning("no replies come: %s", error)
                await asyncio.sleep(BEAT_S)

    def _take(self, reference: int, data: bytes) -> None:
        future = self._waiting.pop(reference, None)
        if future is None or future.done():
            return
        try:
            reply = decode_message(data)
        except msgspec.DecodeError as error:
            _log.error("a reply cannot be read: %s", error)
            return
        if isinstance(reply, Reply):
            future.set_result(reply)
