"""A customer who rings back is known by his number: found as it is written, kept so that nobody reads it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.store.callers import Callers
from bot.store.database import Database
from bot.store.keys import Keys
from bot.store.schema import callers
from bot.store.vault import VaultError
from store.conftest import NOW

CONTACT: dict[str, Any] = {"id": "c-1", "name": "张伟", "phone": "13800138000", "id_last4": "1234"}


@pytest.fixture
def book(keys: Keys) -> Callers:
    return Callers(keys)


def remember(
    database: Database, book: Callers, *, phone: str = "13800138000", name: str = "张伟", hours: int = 0,
    tenant_id: str = "t", call_id: str = "out-1",
) -> bool:  # fmt: skip
    with database.write() as connection:
        return book.remember(
            connection, tenant_id, NOW + timedelta(hours=hours), phone=phone,
            contact={**CONTACT, "name": name}, script="ringback", call_id=call_id,
        )  # fmt: skip


@pytest.mark.parametrize(
    "shown",
    ["13800138000", "+8613800138000", "8613800138000", "008613800138000", "013800138000", "138 0013 8000"],
)
def test_a_number_is_found_however_the_switch_writes_it(
    database: Database, book: Callers, shown: str
) -> None:
    assert remember(database, book)
    with database.read() as connection:
        found = book.find(connection, "t", shown)
    assert found is not None
    assert (found.contact, found.script, found.call_id, found.at) == (CONTACT, "ringback", "out-1", NOW)


@pytest.mark.parametrize("shown", ["13800138001", "", "anonymous", "10", "+266696687", "张伟", "1" * 400])
def test_others_and_what_is_no_number_are_nobody(database: Database, book: Callers, shown: str) -> None:
    remember(database, book)
    with database.read() as connection:
        assert book.find(connection, "t", shown) is None


def test_what_is_no_number_is_not_kept(database: Database, book: Callers) -> None:
    assert not remember(database, book, phone="withheld")
    with database.read() as connection:
        assert connection.execute(sa.select(callers)).all() == []


def test_the_newest_call_stands_whatever_order_they_are_told_in(database: Database, book: Callers) -> None:
    remember(database, book, name="old", hours=1, call_id="a")
    remember(database, book, name="new", hours=3, call_id="b")
    remember(database, book, name="late news", hours=2, call_id="c")
    with database.read() as connection:
        found = book.find(connection, "t", "13800138000")
    assert found is not None and (found.contact["name"], found.call_id) == ("new", "b")


def test_neither_number_nor_contact_stands_in_the_table(database: Database, book: Callers) -> None:
    remember(database, book)
    with database.read() as connection:
        row = connection.execute(sa.select(callers)).one()
    text = repr(tuple(row)).encode() + bytes(row.sealed)
    for secret in ("13800138000", "138001", "张伟", "1234"):
        assert secret.encode() not in text.replace(row.hash.encode(), b"")


def test_one_tenant_does_not_know_the_callers_of_another(database: Database, book: Callers) -> None:
    remember(database, book, tenant_id="t")
    with database.read() as connection:
        assert book.find(connection, "other", "13800138000") is None
    with database.write() as connection:
        connection.execute(
            sa.update(callers).values(tenant_id="other", hash=book._mark("other", "13800138000"))
        )
        with pytest.raises(VaultError, match="key"):
            book.find(connection, "other", "13800138000")


def test_what_is_forgotten_is_gone(database: Database, book: Callers) -> None:
    remember(database, book, phone="13800138000")
    remember(database, book, phone="13900139000", hours=5)
    with database.write() as connection:
        assert book.forget(connection, "t", "+8613800138000")
        assert not book.forget(connection, "t", "+8613800138000")
        assert book.find(connection, "t", "13800138000") is None
        assert book.forget_before(connection, NOW + timedelta(hours=5)) == 0
        assert book.forget_before(connection, NOW + timedelta(hours=6)) == 1
        assert book.find(connection, "t", "13900139000") is None
