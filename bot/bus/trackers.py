"""A call's dialogue in Redis: an append-only list of items, so that another brain can rebuild it.

One brain owns a call: loading takes it over, and the former owner's appends are refused from then
on.  The items of one append become visible together or not at all, so a turn is kept whole or not
at all: a brain that asks itself whether a turn was done finds it here, with its reply.  The owner
keeps its items in memory too: what a Redis lost, or did not take, goes with the next append.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from redis.asyncio import Redis

from bot.bus import keys
from bot.bus.connection import command
from bot.bus.errors import BusDown, Fenced
from bot.bus.lease import NEW_TOKEN
from bot.bus.script import Script

KEEP_S = 6 * 3600
"""How long a call's dialogue stays where nobody drops it."""

_log = logging.getLogger(__name__)

_APPEND = Script(
    NEW_TOKEN
    + """
-- KEYS: last token, fence, items   ARGV: token (0: a new call), seconds, index of the first item, items …
-- gives {token, items that the list now holds}; nothing is written where items before the first are missing
local token, fence = ARGV[1], tonumber(redis.call('GET', KEYS[2]) or '0')
if tonumber(token) < fence then
  return redis.error_reply('HUASHU_FENCED another brain has taken over this call')
end
if token == '0' then token = new_token(KEYS[1]) end
redis.call('SET', KEYS[2], token, 'EX', ARGV[2])
local held, first = redis.call('LLEN', KEYS[3]), tonumber(ARGV[3])
if held >= first and held - first < #ARGV - 3 then
  held = redis.call('RPUSH', KEYS[3], unpack(ARGV, 4 + held - first))
end
redis.call('EXPIRE', KEYS[3], ARGV[2])
return {token, held}
"""
)

_LOAD = Script(
    NEW_TOKEN
    + """
-- KEYS: last token, fence, items   ARGV: seconds
local token = new_token(KEYS[1])
redis.call('SET', KEYS[2], token, 'EX', ARGV[1])
return {token, redis.call('LRANGE', KEYS[3], 0, -1)}
"""
)


@dataclass(slots=True)
class _Owned:
    """A call that this brain owns: token (0 before the first append), items, how many Redis has."""

    token: int = 0
    items: list[bytes] = field(default_factory=list)
    stored: int = 0


class TrackerLog:
    """The dialogues of the calls of one brain."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._calls: dict[str, _Owned] = {}

    async def append(self, call_id: str, items: Sequence[bytes]) -> None:
        """Add items to a call, all or none, in one round trip; the first append of a new call takes it.

        Raises Fenced where another brain has the call (of a new call too: load it then), and the
        items do not count; BusDown, and the items go with the next append: do not add them again.
        """
        owned = self._calls.setdefault(call_id, _Owned())
        owned.items.extend(items)
        wanted = len(owned.items)
        while owned.stored < wanted:
            missing = owned.items[owned.stored :]
            arguments: tuple[str | bytes | int, ...] = (owned.token, KEEP_S, owned.stored, *missing)
            token, held = await _APPEND.run(self._redis, self._keys(call_id), *arguments)
            owned.token, owned.stored = int(token), int(held)

    async def load(self, call_id: str) -> list[bytes]:
        """Take the call over, give all its items; [] where nothing is known of it.  Raises BusDown."""
        token, items = await _LOAD.run(self._redis, self._keys(call_id), KEEP_S)
        self._calls[call_id] = _Owned(int(token), list(items), len(items))
        return list(items)

    def owns(self, call_id: str) -> bool:
        """Whether this brain has loaded the call or begun it."""
        return call_id in self._calls

    def forget(self, call_id: str) -> None:
        """This brain no longer holds the call; what Redis keeps of it stays."""
        self._calls.pop(call_id, None)

    async def drop(self, call_id: str) -> None:
        """The call is archived: remove its dialogue; late appends of a former owner are still refused."""
        self.forget(call_id)
        await command(self._redis, "DEL", keys.tracker(call_id))

    @staticmethod
    def _keys(call_id: str) -> list[str]:
        return [keys.LAST_TOKEN, keys.tracker_fence(call_id), keys.tracker(call_id)]


class RedisTurns:
    """The records of turns that a dialogue engine keeps (its `Turns` port), in Redis."""

    def __init__(self, trackers: TrackerLog) -> None:
        self._trackers = trackers

    async def append(self, tenant_id: str, call_id: str, record: bytes) -> None:
        """Keep one record.  While Redis is away it is kept here and goes with the next.

        A first turn that another brain has recorded already, and nothing after it, is not recorded
        twice: the call is taken over.  Raises Fenced where another brain has taken the call.
        """
        name = f"{tenant_id}/{call_id}"
        new = not self._trackers.owns(name)
        try:
            await self._trackers.append(name, [record])
        except BusDown as error:
            _log.error("call %s: its turns are kept here until Redis is back: %s", call_id, error)
        except Fenced:
            self._trackers.forget(name)
            if not new or await self._trackers.load(name) != [record]:
                self._trackers.forget(name)
                raise

    async def load(self, tenant_id: str, call_id: str) -> list[bytes]:
        """Take the call over: all its records, in order; [] where there is none.  Raises BusDown."""
        return await self._trackers.load(f"{tenant_id}/{call_id}")

    def forget(self, tenant_id: str, call_id: str) -> None:
        """This brain no longer holds the call."""
        self._trackers.forget(f"{tenant_id}/{call_id}")
