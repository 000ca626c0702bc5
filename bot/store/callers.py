"""Whom we called: so that a customer who rings back is known by his number.

The number is kept as a keyed hash (HMAC-SHA-256 of its E.164 form), the contact sealed; the newest
call to a number stands.  A number rung up but not answered counts as well: a missed call is what most
people ring back for.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import phonenumbers
import sqlalchemy as sa

from bot.store.database import insert_once
from bot.store.keys import Keys
from bot.store.schema import callers
from bot.store.sealing import Sealer
from bot.store.vault import VaultError

_contact = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class KnownCaller:
    """The newest call to a number: with which contact, by which script, when (UTC)."""

    contact: dict[str, Any]
    script: str
    call_id: str
    at: datetime


class Callers:
    """Remembers and finds.  `region` reads numbers without a country code."""

    def __init__(self, keys: Keys, region: str = "CN") -> None:
        self._keys, self._region = keys, region
        self._sealer = Sealer(keys)

    def remember(
        self,
        connection: sa.Connection,
        tenant_id: str,
        at: datetime,
        *,
        phone: str,
        contact: Mapping[str, Any],
        script: str,
        call_id: str,
    ) -> bool:
        """A call goes to `phone`.  False, and nothing is kept, where that is no phone number."""
        mark = self._mark(tenant_id, phone)
        if mark is None:
            return False
        sealed = self._sealer.seal(tenant_id, _place(mark), msgspec.json.encode(dict(contact)))
        row = {"sealed": sealed, "script": script, "call_id": call_id, "at": at}
        if not insert_once(connection, callers, {"tenant_id": tenant_id, "hash": mark, **row}):
            newer = self._row(tenant_id, mark) & (callers.c.at <= at)
            connection.execute(sa.update(callers).where(newer).values(**row))
        return True

    def find(self, connection: sa.Connection, tenant_id: str, phone: str) -> KnownCaller | None:
        """Whom we called at this number; None for nobody, and for what is no number.

        Raises VaultError where it was sealed with another key.
        """
        mark = self._mark(tenant_id, phone)
        if mark is None:
            return None
        wanted = sa.select(callers.c.sealed, callers.c.script, callers.c.call_id, callers.c.at)
        row = connection.execute(wanted.where(self._row(tenant_id, mark))).one_or_none()
        if row is None:
            return None
        try:
            contact = _contact.decode(self._sealer.open(tenant_id, _place(mark), row.sealed))
        except msgspec.DecodeError as error:
            raise VaultError(f"the contact of {_place(mark)} cannot be read: {error}") from error
        return KnownCaller(contact, row.script, row.call_id, row.at)

    def forget(self, connection: sa.Connection, tenant_id: str, phone: str) -> bool:
        """Erase what is kept of a number; whether there was anything."""
        mark = self._mark(tenant_id, phone)
        if mark is None:
            return False
        return connection.execute(sa.delete(callers).where(self._row(tenant_id, mark))).rowcount > 0

    def forget_before(self, connection: sa.Connection, at: datetime) -> int:
        """Erase the calls before `at`, of all tenants; how many there were."""
        return connection.execute(sa.delete(callers).where(callers.c.at < at)).rowcount

    @staticmethod
    def _row(tenant_id: str, mark: str) -> sa.ColumnElement[bool]:
        return (callers.c.tenant_id == tenant_id) & (callers.c.hash == mark)

    def _mark(self, tenant_id: str, phone: str) -> str | None:
        try:
            number = phonenumbers.parse(phone, self._region)
        except phonenumbers.NumberParseException:
            return None
        if not phonenumbers.is_possible_number(number):
            return None
        written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        key = self._keys.derive("callers", tenant_id)
        return hmac.new(key, written.encode(), hashlib.sha256).hexdigest()


def _place(mark: str) -> str:
    return f"caller {mark}"
