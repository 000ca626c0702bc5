"""Hashes of passwords: scrypt (RFC 7914) with a salt each.

A hash reads `scrypt$log2(N)$r$p$salt$hash` (base64), so that the cost can grow and old hashes still
verify.  Hashing takes some 0.2 s and 32 MiB: run it in a thread, one at a time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

COST = 15
BLOCK = 8
PARALLEL = 3
MIN_LENGTH = 10
MAX_LENGTH = 200
_SALT_BYTES = 16
_HASH_BYTES = 32


class WeakPassword(ValueError):
    """A password that is refused; says why."""


def check_strength(password: str, name: str) -> None:
    """Raises WeakPassword where it is too short, too long, of one character, or the name itself."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPassword(
            f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters"
            f" / 密码需要 {MIN_LENGTH} 到 {MAX_LENGTH} 位"
        )
    if len(set(password)) < 4 or password.casefold() == name.casefold():
        raise WeakPassword("too easy to guess: choose another / 密码太简单，请换一个")


def hash_password(password: str, cost: int = COST) -> str:
    """The hash to keep; `cost` is log2 of scrypt's N."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = _scrypt(password, salt, cost, BLOCK, PARALLEL)
    return "$".join(("scrypt", str(cost), str(BLOCK), str(PARALLEL), _text(salt), _text(digest)))


def verify_password(password: str, kept: str) -> bool:
    """Whether it is the password of the hash; False also for a hash of another kind."""
    try:
        kind, cost, block, parallel, salt, digest = kept.split("$")
        if kind != "scrypt":
            return False
        found = _scrypt(password, base64.b64decode(salt), int(cost), int(block), int(parallel))
        return hmac.compare_digest(found, base64.b64decode(digest))
    except ValueError:
        return False


def _scrypt(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    memory = 128 * block * (2**cost + parallel + 2)
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=salt, n=2**cost, r=block, p=parallel, maxmem=memory, dklen=_HASH_BYTES,
    )  # fmt: skip


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
