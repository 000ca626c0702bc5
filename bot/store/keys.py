"""The installation's secret key, and the keys derived from it for each use and tenant.

32 random bytes in a file that only its owner reads (0600).  Whoever loses it loses the vault and
cannot match the do-not-call list any more: back it up apart from the database.  Processes on
several machines share one file (HUASHU_KEY_FILE names it).
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.data_folder import data_folder

KEY_BYTES = 32


class KeyFileError(Exception):
    """The key file is missing a proper key or is open to others."""


class Keys:
    """Keys derived from one master key (HKDF, RFC 5869)."""

    def __init__(self, master: bytes) -> None:
        if len(master) != KEY_BYTES:
            raise KeyFileError(f"a key has {KEY_BYTES} bytes, not {len(master)}")
        self._master = master

    @classmethod
    def load(cls, path: Path | None = None) -> Keys:
        """The keys of the file at `path` (default: HUASHU_KEY_FILE, else `key` in the data folder),
        made where there is none.  Raises KeyFileError."""
        named = os.environ.get("HUASHU_KEY_FILE")
        path = path or (Path(named) if named else data_folder() / "key")
        _create_once(path)
        if path.stat().st_mode & 0o077:
            raise KeyFileError(f"{path}: others may read the key; chmod 600 {path}")
        master = path.read_bytes()
        if len(master) != KEY_BYTES:
            reason = f"{path}: holds {len(master)} bytes, not {KEY_BYTES}; restore it from your backup"
            raise KeyFileError(reason)
        return cls(master)

    def derive(self, use: str, tenant_id: str) -> bytes:
        """32 bytes for one use ("vault", "do_not_call") of one tenant."""
        info = f"huashu/{use}/{tenant_id}".encode()
        return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=info).derive(self._master)


def _create_once(path: Path) -> None:
    """Make the file with a new key unless it is there; two at once agree on one key."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_bytes(KEY_BYTES))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
