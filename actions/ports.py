"""What the effects of a call need from the world, as Protocols, and the errors they raise.

Every effect carries a `key`: asking twice with the same key does it once and returns the first
result.  Adapters: `actions.memory` (chat, tests), the SQL store (calls).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NoReturn, Protocol

from actions.evidence import OrderConsent, Wish


class EffectFailed(RuntimeError):
    """The world could not do it (store down, no number to send to): the talk must say so."""


class EffectForbidden(RuntimeError):
    """An effect was tried in a speculative fork.  Actions let it pass: the engine stops the fork."""

    def __init__(self, effect: str) -> None:
        self.effect = effect
        super().__init__(f"effect '{effect}' is forbidden in a speculative turn → run it in the real turn")


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where an effect comes from.  `contact_id` and `phone` are None where the contact has none."""

    key: str
    tenant_id: str
    call_id: str
    script: str
    contact_id: str | None
    phone: str | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Order(Origin):
    """An order: what, for how much, from when; `consent` proves that it may be placed."""

    product: str
    price_yuan: Decimal
    months: int
    starts: date
    consent: OrderConsent


@dataclass(frozen=True, kw_only=True)
class DoNotCallRequest(Origin):
    """The customer wants no more calls: all campaigns, for good."""

    wish: Wish


@dataclass(frozen=True, kw_only=True)
class SmsMessage(Origin):
    """A text message from the official number; `kind` is order or details."""

    kind: str
    sender: str
    body: str
    wish: Wish


@dataclass(frozen=True, kw_only=True)
class CallbackRequest(Origin):
    """A call back at `when`.  `asked_for` is true only where the customer asked for it or agreed:
    such a callback is exempt from the frequency rule, with `wish` as its evidence."""

    when: datetime
    by_person: bool
    asked_for: bool
    wish: Wish


@dataclass(frozen=True, kw_only=True)
class HandoverRequest(Origin):
    """The call should go to a person, who gets `context` (masked slots and what was agreed)."""

    reason: str
    context: Mapping[str, Any]
    wish: Wish


class OrderBook(Protocol):
    """Takes orders."""

    async def place(self, order: Order) -> str:
        """The order's number; the same key gives the same number.  Raises EffectFailed."""
        ...


class DoNotCallList(Protocol):
    """The do-not-call list of a tenant."""

    async def add(self, request: DoNotCallRequest) -> None:
        """In force when this returns.  Raises EffectFailed."""
        ...


class SmsOutbox(Protocol):
    """Text messages to be sent."""

    async def queue(self, message: SmsMessage) -> None:
        """Stored for sending when this returns.  Raises EffectFailed."""
        ...


class Callbacks(Protocol):
    """Calls promised to customers."""

    async def book(self, request: CallbackRequest) -> None:
        """Booked when this returns.  Raises EffectFailed."""
        ...


class Handovers(Protocol):
    """The queue of people who take calls over."""

    async def request(self, request: HandoverRequest) -> bool:
        """True where a person takes the call now, False where none is free.  Raises EffectFailed."""
        ...


class Effects(Protocol):
    """The world of one call, as far as its actions may change it."""

    @property
    def orders(self) -> OrderBook: ...

    @property
    def do_not_call(self) -> DoNotCallList: ...

    @property
    def sms(self) -> SmsOutbox: ...

    @property
    def callbacks(self) -> Callbacks: ...

    @property
    def handovers(self) -> Handovers: ...


class _Forbidden:
    async def place(self, order: Order) -> NoReturn:
        raise EffectForbidden("order")

    async def add(self, request: DoNotCallRequest) -> NoReturn:
        raise EffectForbidden("do_not_call")

    async def queue(self, message: SmsMessage) -> NoReturn:
        raise EffectForbidden("sms")

    async def book(self, request: CallbackRequest) -> NoReturn:
        raise EffectForbidden("callback")

    async def request(self, request: HandoverRequest) -> NoReturn:
        raise EffectForbidden("handover")


class ForbiddenEffects:
    """The world of a speculative fork: every effect raises EffectForbidden."""

    def __init__(self) -> None:
        self.orders = self.do_not_call = self.sms = self.callbacks = self.handovers = _Forbidden()
