"""Who must not be called: for good, for all campaigns of a tenant, as keyed hashes.

The list outlives erasure: it holds no number, only HMAC-SHA-256 of the number in E.164 form, so
that the same number written in other ways is found, and nobody reads numbers out of it.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import Any

import phonenumbers
import sqlalchemy as sa

from bot.store.database import insert_once
from bot.store.keys import Keys
from bot.store.schema import do_not_call


class DoNotCallRegister:
    """Adds to the list and asks it.  `region` reads numbers without a country code."""

    def __init__(self, keys: Keys, region: str = "CN") -> None:
        self._keys = keys
        self._region = region

    def add(
        self,
        connection: sa.Connection,
        tenant_id: str,
        at: datetime,
        *,
        phone: str | None = None,
        contact_id: str | None = None,
        call_id: str | None = None,
        wish: dict[str, Any] | None = None,
    ) -> None:
        """Block a number, a contact or both; a second time changes nothing.

        Raises ValueError where there is neither.
        """
        marks = self._marks(tenant_id, phone, contact_id)
        if not marks:
            raise ValueError("neither a phone number nor a contact id: nobody to block")
        for mark in marks:
            row = {"tenant_id": tenant_id, "hash": mark, "call_id": call_id, "at": at, "wish": wish or {}}
            insert_once(connection, do_not_call, row)

    def blocks(
        self,
        connection: sa.Connection,
        tenant_id: str,
        *,
        phone: str | None = None,
        contact_id: str | None = None,
    ) -> bool:
        """Whether the number or the contact must not be called."""
        marks = self._marks(tenant_id, phone, contact_id)
        found = do_not_call.c.hash.in_(marks) & (do_not_call.c.tenant_id == tenant_id)
        return connection.execute(sa.select(sa.exists().where(found))).scalar_one()

    def _marks(self, tenant_id: str, phone: str | None, contact_id: str | None) -> list[str]:
        key = self._keys.derive("do_not_call", tenant_id)
        whats = [f"phone {self._e164(phone)}"] if phone else []
        whats += [f"contact {contact_id}"] if contact_id else []
        return [hmac.new(key, what.encode(), hashlib.sha256).hexdigest() for what in whats]

    def _e164(self, phone: str) -> str:
        try:
            number = phonenumbers.parse(phone, self._region)
        except phonenumbers.NumberParseException as error:
            raise ValueError("the phone number to block is not one") from error
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
