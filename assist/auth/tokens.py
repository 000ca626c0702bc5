"""PURE: bearer tokens of machines: JWT (RFC 7519) signed with HMAC-SHA-256, that algorithm alone.

A token carries tenant, name and the user's generation.  Role and team are not in it: they are
looked up at each use, so that a change holds at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

ALGORITHM = "HS256"
AUDIENCE = "huashu"
DEFAULT_TTL_S = 12 * 3600
MAX_TTL_S = 30 * 86_400


class BadToken(ValueError):
    """A token that does not hold: says why."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says."""

    tenant_id: str
    name: str
    generation: int
    expires_at: datetime


def make_token(key: bytes, tenant_id: str, name: str, generation: int, now: datetime, ttl_s: int) -> str:
    """A token for a user, valid from `now` for `ttl_s` seconds."""
    claims = {
        "aud": AUDIENCE, "sub": name, "tenant": tenant_id, "gen": generation,
        "iat": now, "exp": now + timedelta(seconds=ttl_s),
    }  # fmt: skip
    return jwt.encode(claims, key, algorithm=ALGORITHM)


def read_token(key: bytes, token: str) -> Claims:
    """What a token says, its signature and times checked.  Raises BadToken."""
    try:
        claims = jwt.decode(
            token, key, algorithms=[ALGORITHM], audience=AUDIENCE,
            options={"require": ["exp", "iat", "sub", "aud"]},
        )  # fmt: skip
        tenant_id, name, generation = claims["tenant"], claims["sub"], claims["gen"]
    except jwt.ExpiredSignatureError as error:
        raise BadToken("the token has expired: ask for a new one (POST /api/tokens)") from error
    except (jwt.InvalidTokenError, KeyError, UnicodeError) as error:
        raise BadToken("the token is not one of ours: ask for one (POST /api/tokens)") from error
    if not (isinstance(tenant_id, str) and isinstance(name, str) and isinstance(generation, int)):
        raise BadToken("the token is not one of ours: ask for one (POST /api/tokens)")
    return Claims(tenant_id, name, generation, datetime.fromtimestamp(claims["exp"], UTC))
