"""Effects in SQL: once for each key, the first result again, raw values only in the vault."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from actions.evidence import OrderConsent, Proof, Wish
from actions.ports import (
    CallbackRequest,
    DoNotCallRequest,
    EffectFailed,
    Effects,
    HandoverRequest,
    Order,
    SmsMessage,
)
from bot.store import schema
from bot.store.calls import archive
from bot.store.database import Database
from bot.store.do_not_call import DoNotCallRegister
from bot.store.effects import StoreEffects
from bot.store.keys import Keys
from bot.store.vault import Vault
from store.conftest import NOW
from store.test_calls import whole_call

WISH = Wish("affirm", "u7", "好的办一个吧", NOW)
PHONE = "13800138000"


def origin(effect: str, call_id: str = "c1", **changes: Any) -> dict[str, Any]:
    fields = {"key": f"{call_id}/{effect}", "tenant_id": "t", "call_id": call_id, "script": "ringback",
              "contact_id": "42", "phone": PHONE, "at": NOW}  # fmt: skip
    return fields | changes


def order(**changes: Any) -> Order:
    proof = Proof("heard", "price", "utter_price", NOW)
    return Order(
        **origin("order", **changes),
        product="ringback",
        price_yuan=Decimal("5.00"),
        months=12,
        starts=date(2026, 12, 1),
        consent=OrderConsent(WISH, (proof,), Proof("confirmed", "identity", "u5", NOW)),
    )


def count(database: Database, table: sa.Table) -> int:
    with database.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


@pytest.fixture
def effects(database: Database, keys: Keys) -> Effects:
    return StoreEffects(database, keys, people=1)


async def test_an_order_asked_for_many_times_at_once_is_one_order(
    effects: Effects, database: Database
) -> None:
    numbers = await asyncio.gather(*(effects.orders.place(order()) for _ in range(8)))
    assert len(set(numbers)) == 1
    assert count(database, schema.orders) == 1
    assert count(database, schema.vault) == 1


async def test_one_call_orders_a_product_once_whatever_its_key(effects: Effects, database: Database) -> None:
    first = await effects.orders.place(order())
    assert await effects.orders.place(order(key="another")) == first
    assert await effects.orders.place(order(call_id="c2")) != first
    assert count(database, schema.orders) == 2


async def test_an_order_keeps_its_evidence_and_no_raw_number(
    effects: Effects, database: Database, keys: Keys
) -> None:
    await effects.orders.place(order())
    with database.read() as connection:
        row = connection.execute(sa.select(schema.orders)).mappings().one()
        assert Vault(keys).get(connection, "t", row["phone_token"]) == PHONE
    assert row["consent"]["yes"]["text"] == "好的办一个吧"
    assert row["consent"]["heard"][0]["what"] == "price"
    assert row["price_yuan"] == "5.00"
    assert PHONE not in str(dict(row))


async def test_do_not_call_is_in_force_when_it_returns(
    effects: Effects, database: Database, keys: Keys
) -> None:
    request = DoNotCallRequest(**origin("do_not_call"), wish=WISH)
    await effects.do_not_call.add(request)
    await effects.do_not_call.add(request)
    with database.read() as connection:
        assert DoNotCallRegister(keys).blocks(connection, "t", phone="+86" + PHONE)
    assert PHONE not in str(request.wish)


async def test_nobody_to_block_or_to_send_to_fails_aloud(effects: Effects) -> None:
    with pytest.raises(EffectFailed, match="nobody"):
        await effects.do_not_call.add(
            DoNotCallRequest(**origin("do_not_call", phone=None, contact_id=None), wish=WISH)
        )
    with pytest.raises(EffectFailed, match="no phone number"):
        await effects.sms.queue(
            SmsMessage(**origin("sms/order", phone=None), kind="order", sender="10086", body="x", wish=WISH)
        )


async def test_a_message_is_queued_once_and_is_readable_only_with_the_key(
    effects: Effects, database: Database, keys: Keys
) -> None:
    message = SmsMessage(
        **origin("sms/order"), kind="order", sender="10086", body="张先生，已为您办理", wish=WISH
    )
    await effects.sms.queue(message)
    await effects.sms.queue(replace(message, body="又一条"))
    with database.read() as connection:
        row = connection.execute(sa.select(schema.sms_outbox)).mappings().one()
        assert Vault(keys).get(connection, "t", row["body_token"]) == "张先生，已为您办理"
    assert row["status"] == "queued"
    assert count(database, schema.vault) == 2


async def test_a_callback_is_booked_once_at_its_time(effects: Effects, database: Database) -> None:
    due = NOW + timedelta(days=1)
    request = CallbackRequest(**origin("callback"), when=due, by_person=False, asked_for=True, wish=WISH)
    await effects.callbacks.book(request)
    await effects.callbacks.book(request)
    with database.read() as connection:
        row = connection.execute(sa.select(schema.callbacks)).mappings().one()
    assert (row["due_at"], row["asked_for"]) == (due, True)


async def test_a_person_takes_one_call_at_a_time(effects: Effects, database: Database) -> None:
    def asks(call_id: str) -> HandoverRequest:
        return HandoverRequest(
            **origin("handover", call_id), reason="customer_asked", context={"stage": "intent"}, wish=WISH
        )

    assert await effects.handovers.request(asks("c1"))
    assert await effects.handovers.request(asks("c1"))
    assert not await effects.handovers.request(asks("c2"))
    with database.write() as connection:
        archive(connection, whole_call("c1"))
    assert await effects.handovers.request(asks("c3"))
    assert not await effects.handovers.request(asks("c2")), "the first result stands"


async def test_without_people_nobody_takes_a_call(database: Database, keys: Keys) -> None:
    request = HandoverRequest(**origin("handover"), reason="complaint", context={}, wish=WISH)
    assert not await StoreEffects(database, keys).handovers.request(request)


async def test_a_broken_database_is_told_to_the_talk(tmp_path: Path, keys: Keys) -> None:
    database = Database.open(f"sqlite:///{tmp_path / 'x.db'}")
    with database.write() as connection:
        connection.execute(sa.text("DROP TABLE orders"))
    with pytest.raises(EffectFailed, match="check the database"):
        await StoreEffects(database, keys).orders.place(order())
    database.close()
