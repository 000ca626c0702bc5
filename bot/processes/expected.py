"""Calls that are about to come up on a line: who dialled leaves here whom he dialled and why.

One socket takes it, once: a second one that claims the same call finds nothing.  In Redis, for the
lines may come up in another process than the one that dialled.  Holds personal data, for minutes.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from redis.asyncio import Redis

from bot.bus import keys
from bot.bus.connection import command

KEEP_S = 180


class ExpectedCall(msgspec.Struct, frozen=True, kw_only=True):
    """What the voice needs to hold a call: our id of it, its script and the contact it is with.
    `direction`: inbound where the customer called us."""

    call_id: str
    script: str
    contact: dict[str, Any]
    tenant_id: str = "default"
    script_version: str | None = None
    campaign: dict[str, Any] | None = None
    seed: int = 0
    direction: Literal["outbound", "inbound"] = "outbound"


_decoder = msgspec.json.Decoder(ExpectedCall)


async def expect(redis: Redis, call: ExpectedCall, token: str) -> None:
    """Leave word of a call; whoever shows `token` (unguessable) holds it.  Raises BusDown."""
    await command(redis, "SET", keys.expected(token), msgspec.json.encode(call), "EX", KEEP_S, "NX")


async def claim(redis: Redis, token: str) -> ExpectedCall | None:
    """The call of a token, once; None where it is unknown or taken.  Raises BusDown."""
    data = await command(redis, "GETDEL", keys.expected(token))
    return None if data is None else _decoder.decode(data)
