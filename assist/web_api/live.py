"""The rows of all live calls for one supervisor: sent whole, when something in them changed."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from redis.asyncio import Redis

from assist.feed import Client
from bot.bus import keys
from bot.bus.connection import command


class _Row(msgspec.Struct):
    agent_id: str = ""
    call_id: str = ""


_decoder = msgspec.json.Decoder(_Row)


class LiveRows:
    """What one client of /api/live must get; `visible(agent_id)`: whether it may see that agent's calls."""

    def __init__(self, redis: Redis, client: Client, tenant_id: str, visible: Callable[[str], bool]) -> None:
        self._redis = redis
        self._client = client
        self._key = keys.live(tenant_id)
        self._visible = visible
        self._sent: list[bytes] | None = None
        self._asked = True
        client.wake()

    def look(self) -> None:
        """Time to look again."""
        self._asked = True
        self._client.wake()

    async def fetch(self) -> bool:
        """Send the rows where they changed; nothing more to fetch until asked.  Raises BusDown."""
        if not self._asked:
            return False
        rows: list[bytes] = await command(self._redis, "HVALS", self._key)
        mine = sorted(row for row in rows if self._visible(_decoder.decode(row).agent_id))
        if mine != self._sent:
            self._client.push(b'{"kind":"live","rows":[' + b",".join(mine) + b"]}")
            self._sent = mine
        self._asked = False
        return False
