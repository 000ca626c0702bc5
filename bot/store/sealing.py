"""Short-lived personal data outside SQL (a customer's file while a call lasts), sealed.

AES-256-GCM with a key of the tenant; tenant and place are authenticated with it, so that a value
cannot be moved elsewhere.  A sealed value is nonce (12 bytes), then ciphertext with its tag.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.store.keys import Keys
from bot.store.vault import NONCE_BYTES, VaultError


class Sealer:
    """Seals bytes for one place, and opens them again."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._ciphers: dict[str, AESGCM] = {}

    def seal(self, tenant_id: str, place: str, value: bytes) -> bytes:
        """`value`, sealed for `place` (a call id, say)."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher(tenant_id).encrypt(nonce, value, f"{tenant_id}\n{place}".encode())

    def open(self, tenant_id: str, place: str, sealed: bytes) -> bytes:
        """What was sealed.  Raises VaultError where key, tenant or place is another."""
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return self._cipher(tenant_id).decrypt(nonce, rest, f"{tenant_id}\n{place}".encode())
        except InvalidTag as error:
            raise VaultError(f"{place} was not sealed with this key: restore the key file") from error

    def _cipher(self, tenant_id: str) -> AESGCM:
        if tenant_id not in self._ciphers:
            self._ciphers[tenant_id] = AESGCM(self._keys.derive("contact", tenant_id))
        return self._ciphers[tenant_id]
