"""Turns of many calls: one after the other within a call, calls beside each other.

A repeat of (call, turn) is answered from memory.  A speculative turn that something newer of its
call overtook is not run.  A turn whose asker has given up is dropped.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Protocol

import msgspec

from bot.bus.errors import Fenced
from bot.bus.streams import Message
from bot.turn import Reply, TurnRequest, decode_message, encode_message

REMEMBERED = 4096
IDLE_S = 900.0
ENDED_S = 60.0

CallKey = tuple[str, str]
_log = logging.getLogger(__name__)


class TurnEngine(Protocol):
    """What answers turns (bot.dialogue.engine.Engine)."""

    async def ask(self, request: TurnRequest) -> Reply: ...

    def forget(self, tenant_id: str, call_id: str) -> None: ...


class Outbox(Protocol):
    """Where answers go."""

    def answer(self, message: Message, reply: bytes) -> None:
        """Send the answer, the message is done."""

    async def drop(self, message: Message) -> None:
        """No answer is of use any more; the message is done."""

    async def fail(self, message: Message, reason: str) -> None:
        """Handling failed: deliver it again or set it aside."""


class CallActors:
    """Runs messages on an engine.  `clock_ms` is Redis's clock, in ms since 1970."""

    def __init__(
        self,
        engine: TurnEngine,
        outbox: Outbox,
        *,
        forget: Callable[[str, str], None],
        clock_ms: Callable[[], float] = lambda: time.time() * 1000,
    ) -> None:
        """`forget(tenant_id, call_id)` frees what is kept of a call beside the engine."""
        self._engine = engine
        self._outbox = outbox
        self._forget_call = forget
        self._clock_ms = clock_ms
        self._queues: dict[CallKey, deque[tuple[Message, TurnRequest]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._answers: OrderedDict[tuple[CallKey, int], bytes] = OrderedDict()
        self._last_used: OrderedDict[CallKey, tuple[float, bool]] = OrderedDict()

    @property
    def calls(self) -> int:
        """How many calls are held."""
        return len(self._last_used)

    async def submit(self, message: Message) -> None:
        """Queue one message.  One that cannot be read fails at once."""
        try:
            request = decode_message(message.data)
        except msgspec.DecodeError as error:
            await self._outbox.fail(message, f"it cannot be read: {error}")
            return
        if not isinstance(request, TurnRequest):
            await self._outbox.fail(message, "it is no request")
            return
        key = (request.tenant_id, request.call_id)
        queue = self._queues.get(key)
        if queue is not None:
            queue.append((message, request))
            return
        self._queues[key] = deque([(message, request)])
        task = asyncio.create_task(self._work(key), name=f"call {request.call_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Wait until everything queued is done."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def sweep(self) -> None:
        """Free calls that ended or were silent for long; they can be rebuilt from their record."""
        now = time.monotonic()
        for key, (used, ended) in list(self._last_used.items()):
            if key not in self._queues and now - used > (ENDED_S if ended else IDLE_S):
                self._drop(key)

    async def _work(self, key: CallKey) -> None:
        queue = self._queues[key]
        try:
            while queue:
                message, request = queue.popleft()
                await self._one(key, message, request, overtaken=bool(queue))
        finally:
            del self._queues[key]

    async def _one(self, key: CallKey, message: Message, request: TurnRequest, overtaken: bool) -> None:
        remembered = None if request.speculative else self._answers.get((key, request.turn))
        if remembered is not None:
            self._outbox.answer(message, remembered)
            return
        if self._clock_ms() - message.sent_ms > request.deadline_ms or (request.speculative and overtaken):
            await self._outbox.drop(message)
            return
        if message.moved:
            self._drop(key)
        try:
            reply = await self._engine.ask(request)
        except Fenced as error:
            _log.warning("call %s left to another brain: %s", request.call_id, error)
            self._drop(key)
            await self._outbox.drop(message)
            return
        except Exception as error:
            _log.exception("call %s turn %d failed", request.call_id, request.turn)
            self._drop(key)
            await self._outbox.fail(message, f"{type(error).__name__}: {error}")
            return
        data = encode_message(reply)
        if not request.speculative:
            self._remember(key, request.turn, data, reply.ended)
        self._outbox.answer(message, data)

    def _remember(self, key: CallKey, turn: int, data: bytes, ended: bool) -> None:
        self._answers[key, turn] = data
        while len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)
        self._last_used[key] = (time.monotonic(), ended)

    def _drop(self, key: CallKey) -> None:
        self._engine.forget(*key)
        self._forget_call(*key)
        self._last_used.pop(key, None)
