"""The world of a call kept in memory: for chat, play and tests.  Idempotent by key, like the SQL one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from actions.ports import (
    CallbackRequest,
    DoNotCallRequest,
    EffectFailed,
    HandoverRequest,
    Order,
    Origin,
    SmsMessage,
)

T = TypeVar("T", bound=Origin)


@dataclass
class _Book(Generic[T]):
    """What was asked, by key.  `broken` makes every new request fail, as a dead store would."""

    done: dict[str, T] = field(default_factory=dict)
    broken: bool = False

    def keep(self, request: T) -> int:
        """The request's place, from 1; the same key keeps its first one."""
        if request.key not in self.done:
            if self.broken:
                raise EffectFailed(f"{type(self).__name__} cannot store {request.key}")
            self.done[request.key] = request
        return list(self.done).index(request.key) + 1


class MemoryOrders(_Book[Order]):
    """Orders, numbered in the order they came."""

    async def place(self, order: Order) -> str:
        """The order's number."""
        return f"M{self.keep(order):06d}"


class MemoryDoNotCall(_Book[DoNotCallRequest]):
    """Who wants no more calls."""

    async def add(self, request: DoNotCallRequest) -> None:
        """Keep the request."""
        self.keep(request)


class MemorySms(_Book[SmsMessage]):
    """Messages; one without a number to send to fails."""

    async def queue(self, message: SmsMessage) -> None:
        """Keep the message."""
        if message.phone is None:
            raise EffectFailed("the contact has no phone number → give the contact 'phone'")
        self.keep(message)


class MemoryCallbacks(_Book[CallbackRequest]):
    """Callbacks promised."""

    async def book(self, request: CallbackRequest) -> None:
        """Keep the request."""
        self.keep(request)


class MemoryHandovers(_Book[HandoverRequest]):
    """Handovers; `free` tells whether a person is there to take them."""

    free: bool = True

    async def request(self, request: HandoverRequest) -> bool:
        """Keep the request; whether a person takes the call."""
        self.keep(request)
        return self.free


class MemoryEffects:
    """All effects in memory."""

    def __init__(self) -> None:
        self.orders = MemoryOrders()
        self.do_not_call = MemoryDoNotCall()
        self.sms = MemorySms()
        self.callbacks = MemoryCallbacks()
        self.handovers = MemoryHandovers()
