"""PURE: a browser's session cookie and the CSRF token that goes with it.

The cookie holds 32 random bytes; the database knows only their hash.  The CSRF token is an HMAC of
them, so it needs no place of its own; pages send it back in a header with every write.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from aiohttp import web

COOKIE = "__Host-huashu"
"""`__Host-`: only over TLS (or on loopback, which browsers count as safe), only this host, all paths."""
CSRF_HEADER = "X-CSRF-Token"
SESSION_S = 12 * 3600


def new_session_id() -> str:
    """What the cookie of a new session holds."""
    return secrets.token_urlsafe(32)


def session_hash(session_id: str) -> str:
    """What the database knows a session by."""
    return hashlib.sha256(session_id.encode()).hexdigest()


def csrf_token(key: bytes, id_hash: str) -> str:
    """The CSRF token of a session."""
    return hmac.new(key, id_hash.encode(), hashlib.sha256).hexdigest()


def is_csrf_token(key: bytes, id_hash: str, shown: str | None) -> bool:
    """Whether the token shown is that of the session."""
    return shown is not None and hmac.compare_digest(csrf_token(key, id_hash).encode(), shown.encode())


def set_cookie(response: web.Response, session_id: str) -> None:
    """Give the browser its session."""
    response.set_cookie(
        COOKIE, session_id, max_age=SESSION_S, path="/", secure=True, httponly=True, samesite="Strict"
    )


def drop_cookie(response: web.Response) -> None:
    """Take it away again."""
    response.set_cookie(COOKIE, "", max_age=0, path="/", secure=True, httponly=True, samesite="Strict")
