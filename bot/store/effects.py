"""The effect ports of `actions`, kept in SQL: each effect once for its key, in one transaction.

An effect that was asked for again (another brain took the call over, a turn was sent twice) finds
its row and gives the first result.  Database failures become EffectFailed: the talk must say so.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from actions.ports import (
    CallbackRequest,
    DoNotCallRequest,
    EffectFailed,
    HandoverRequest,
    Order,
    Origin,
    SmsMessage,
)
from bot.store.database import Database, insert_once
from bot.store.do_not_call import DoNotCallRegister
from bot.store.keys import Keys
from bot.store.schema import callbacks, handovers, orders, outcomes, sms_outbox
from bot.store.vault import Vault

Result = TypeVar("Result")
_log = logging.getLogger(__name__)


class _Stored:
    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def _write(self, what: str, serial: str, work: Callable[[sa.Connection], Result]) -> Result:
        """Run `work` in one transaction, in a thread; those of one `serial` one after another."""

        def transaction() -> Result:
            with self._database.write(serial) as connection:
                return work(connection)

        try:
            return await asyncio.to_thread(transaction)
        except SQLAlchemyError as error:
            _log.error("%s not stored: %s", what, type(error).__name__)
            reason = f"{what} cannot be stored: {type(error).__name__}; check the database"
            raise EffectFailed(reason) from error

    def _hidden(self, connection: sa.Connection, origin: Origin, value: str | None) -> str | None:
        """The vault's token for a raw value."""
        if not value:
            return None
        return self._vault.put(connection, origin.tenant_id, value, origin.at, origin.call_id)


class StoredOrders(_Stored):
    """OrderBook: one order for each (tenant, call, product) and each key."""

    async def place(self, order: Order) -> str:
        """The order's number.  Raises EffectFailed."""

        def work(connection: sa.Connection) -> str:
            same = (orders.c.key == order.key) | (
                (orders.c.call_id == order.call_id) & (orders.c.product == order.product)
            )
            there = sa.select(orders.c.number).where(orders.c.tenant_id == order.tenant_id, same)
            number = connection.execute(there).scalar()
            if number is None:
                row = _origin(order) | {
                    "number": _number(order),
                    "product": order.product,
                    "price_yuan": str(order.price_yuan),
                    "months": order.months,
                    "starts": order.starts,
                    "phone_token": self._hidden(connection, order, order.phone),
                    "consent": _plain(order.consent),
                }
                insert_once(connection, orders, row)
                number = connection.execute(there).scalar_one()
            return str(number)

        return await self._write("the order", order.call_id, work)


class StoredDoNotCall(_Stored):
    """DoNotCallList: in force when `add` returns."""

    def __init__(self, database: Database, vault: Vault, register: DoNotCallRegister) -> None:
        super().__init__(database, vault)
        self._register = register

    async def add(self, request: DoNotCallRequest) -> None:
        """Block the number and the contact, for good.  Raises EffectFailed."""

        def work(connection: sa.Connection) -> None:
            self._register.add(
                connection, request.tenant_id, request.at, phone=request.phone,
                contact_id=request.contact_id, call_id=request.call_id, wish=_plain(request.wish),
            )  # fmt: skip

        try:
            await self._write("the do-not-call request", request.call_id, work)
        except ValueError as error:
            raise EffectFailed(f"the do-not-call request names nobody: {error}") from error


class StoredSms(_Stored):
    """SmsOutbox: stored for sending; number and words in the vault."""

    async def queue(self, message: SmsMessage) -> None:
        """Store a message once.  Raises EffectFailed, also where there is no number."""
        if not message.phone:
            raise EffectFailed("the contact has no phone number to send to")

        def work(connection: sa.Connection) -> None:
            if _there(connection, sms_outbox, message):
                return
            row = _origin(message) | {
                "kind": message.kind,
                "sender": message.sender,
                "phone_token": self._hidden(connection, message, message.phone),
                "body_token": self._hidden(connection, message, message.body),
                "wish": _plain(message.wish),
                "status": "queued",
            }
            insert_once(connection, sms_outbox, row)

        await self._write("the message", message.call_id, work)


class StoredCallbacks(_Stored):
    """Callbacks: promises with their evidence."""

    async def book(self, request: CallbackRequest) -> None:
        """Book a call back once.  Raises EffectFailed."""

        def work(connection: sa.Connection) -> None:
            if _there(connection, callbacks, request):
                return
            row = _origin(request) | {
                "due_at": request.when,
                "by_person": request.by_person,
                "asked_for": request.asked_for,
                "phone_token": self._hidden(connection, request, request.phone),
                "wish": _plain(request.wish),
            }
            insert_once(connection, callbacks, row)

        await self._write("the callback", request.call_id, work)


class StoredHandovers(_Stored):
    """Handovers: each of `people` persons has one call at a time, until that call's outcome is kept."""

    def __init__(self, database: Database, vault: Vault, people: int) -> None:
        super().__init__(database, vault)
        self._people = people

    async def request(self, request: HandoverRequest) -> bool:
        """Whether a person takes the call now; kept either way.  Raises EffectFailed."""

        def work(connection: sa.Connection) -> bool:
            whose = (handovers.c.tenant_id == request.tenant_id, handovers.c.key == request.key)
            before = connection.execute(sa.select(handovers.c.taken).where(*whose)).scalar()
            if before is not None:
                return bool(before)
            over = sa.exists().where(
                outcomes.c.tenant_id == handovers.c.tenant_id, outcomes.c.call_id == handovers.c.call_id
            )
            busy = sa.select(sa.func.count()).select_from(handovers).where(whose[0], handovers.c.taken, ~over)
            taken = connection.execute(busy).scalar_one() < self._people
            row = _origin(request) | {
                "reason": request.reason,
                "context": _plain(request.context),
                "wish": _plain(request.wish),
                "taken": taken,
            }
            insert_once(connection, handovers, row)
            return taken

        return await self._write("the handover", "handovers", work)


class StoreEffects:
    """The world of calls, in `database` (the Effects port)."""

    def __init__(self, database: Database, keys: Keys, people: int = 0) -> None:
        """`people`: how many persons take handed-over calls."""
        vault = Vault(keys)
        self.orders = StoredOrders(database, vault)
        self.do_not_call = StoredDoNotCall(database, vault, DoNotCallRegister(keys))
        self.sms = StoredSms(database, vault)
        self.callbacks = StoredCallbacks(database, vault)
        self.handovers = StoredHandovers(database, vault, people)


def _origin(origin: Origin) -> dict[str, Any]:
    names = ("key", "tenant_id", "call_id", "script", "contact_id", "at")
    return {name: getattr(origin, name) for name in names}


def _there(connection: sa.Connection, table: sa.Table, origin: Origin) -> bool:
    mine = (table.c.tenant_id == origin.tenant_id) & (table.c.key == origin.key)
    return connection.execute(sa.select(sa.exists().where(mine))).scalar_one()


def _number(order: Order) -> str:
    """The order's number: its day and ten characters of a hash of what makes it one order."""
    mark = hashlib.sha256(f"{order.tenant_id}\n{order.call_id}\n{order.product}".encode()).hexdigest()
    return f"{order.at:%Y%m%d}-{mark[:10].upper()}"


def _plain(value: Any) -> Any:
    """A dataclass or mapping as JSON values: decimals and times as strings."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    return msgspec.to_builtins(value)
