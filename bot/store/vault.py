"""Raw personal values, encrypted at rest: AES-256-GCM with a key for each tenant.

Other tables hold tokens.  A sealed value is nonce (12 bytes), then ciphertext with its tag; tenant
and token are authenticated with it, so that a value cannot be moved to another's place.
"""

from __future__ import annotations

import secrets
from datetime import datetime

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.store.keys import Keys
from bot.store.schema import vault

NONCE_BYTES = 12


class VaultError(Exception):
    """A token is unknown, or its value was not sealed with this key."""


class Vault:
    """Puts values away and gives them back."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def put(
        self, connection: sa.Connection, tenant_id: str, value: str, at: datetime, call_id: str | None = None
    ) -> str:
        """Seal `value`, give its token."""
        token = "v_" + secrets.token_hex(16)
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + self._cipher(tenant_id).encrypt(nonce, value.encode(), _place(tenant_id, token))
        row = {"tenant_id": tenant_id, "token": token, "call_id": call_id, "sealed": sealed, "at": at}
        connection.execute(sa.insert(vault).values(**row))
        return token

    def get(self, connection: sa.Connection, tenant_id: str, token: str) -> str:
        """The value of a token.  Raises VaultError."""
        query = sa.select(vault.c.sealed).where(vault.c.tenant_id == tenant_id, vault.c.token == token)
        sealed = connection.execute(query).scalar_one_or_none()
        if sealed is None:
            raise VaultError(f"the vault has no {token} of tenant {tenant_id}: it was erased, or never was")
        try:
            opened = self._cipher(tenant_id).decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _place(tenant_id, token)
            )
        except InvalidTag as error:
            raise VaultError(f"{token} was not sealed with this key: restore the key file") from error
        return opened.decode()

    def erase_call(self, connection: sa.Connection, tenant_id: str, call_id: str) -> int:
        """Erase all values of a call; how many there were."""
        mine = (vault.c.tenant_id == tenant_id) & (vault.c.call_id == call_id)
        return connection.execute(sa.delete(vault).where(mine)).rowcount

    def _cipher(self, tenant_id: str) -> AESGCM:
        return AESGCM(self._keys.derive("vault", tenant_id))


def _place(tenant_id: str, token: str) -> bytes:
    return f"{tenant_id}\n{token}".encode()
