"""One-time tickets for WebSocket handshakes: good for one target, one principal, 60 s, once.

A browser cannot set headers on a WebSocket, and a cookie alone would let other sites ride on it.
Tickets are kept in Redis under their hash, so that any web process may take them.
"""

from __future__ import annotations

import hashlib
import secrets

import msgspec
from redis.asyncio import Redis

from assist.auth.roles import Principal
from bot.bus import keys
from bot.bus.connection import command

TTL_S = 60


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """What a ticket is good for: `target` is `call:ID`, `agent:ID` or `live`."""

    target: str
    tenant_id: str
    name: str
    generation: int
    session: str | None


async def issue(redis: Redis, principal: Principal, target: str) -> str:
    """A new ticket.  Raises BusDown."""
    secret = secrets.token_urlsafe(24)
    ticket = Ticket(
        target=target, tenant_id=principal.tenant_id, name=principal.name,
        generation=principal.generation, session=principal.session,
    )  # fmt: skip
    await command(redis, "SET", _key(secret), msgspec.json.encode(ticket), "EX", TTL_S)
    return secret


async def redeem(redis: Redis, secret: str) -> Ticket | None:
    """What the ticket was good for, and from now on for nothing; None where it is none.  Raises BusDown."""
    data = await command(redis, "GETDEL", _key(secret))
    return None if data is None else msgspec.json.decode(data, type=Ticket)


def _key(secret: str) -> str:
    return keys.ticket(hashlib.sha256(secret.encode()).hexdigest())
