"""Leases: one owner at a time, for a while, with a fencing token that only grows.

A token is the clock of Redis in µs, or the last token plus one where that is more: it grows even
over a Redis that lost everything.  Whoever writes shows its token; the older one is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from redis.asyncio import Redis

from bot.bus import keys
from bot.bus.errors import Fenced
from bot.bus.script import Script

NEW_TOKEN = """
local function new_token(key)
  local time = redis.call('TIME')
  local token = math.max(tonumber(redis.call('GET', key) or '0') + 1, time[1] * 1000000 + time[2])
  token = string.format('%.0f', token)
  redis.call('SET', key, token)
  return token
end
"""
"""A Lua function that gives the next fencing token, as a string of digits."""

_ACQUIRE = Script(
    NEW_TOKEN
    + """
-- KEYS: last token, lease   ARGV: owner, ms
local held = redis.call('GET', KEYS[2])
if held then return redis.error_reply('HUASHU_HELD ' .. held) end
local token = new_token(KEYS[1])
redis.call('SET', KEYS[2], ARGV[1] .. ' ' .. token, 'PX', ARGV[2])
return token
"""
)

_RENEW = Script("""
-- KEYS: lease   ARGV: owner and token, ms
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
""")

_RELEASE = Script("""
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
""")


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease held: its name, owner and fencing token."""

    name: str
    owner: str
    token: int

    @property
    def value(self) -> str:
        """What Redis keeps of it."""
        return f"{self.owner} {self.token}"


async def acquire(redis: Redis, name: str, owner: str, ttl_ms: int) -> Lease:
    """Take the lease `name` for `ttl_ms` milliseconds.  Raises LeaseHeld, BusDown."""
    token = await _ACQUIRE.run(redis, [keys.LAST_TOKEN, keys.lease(name)], owner, ttl_ms)
    return Lease(name, owner, int(token))


async def renew(redis: Redis, lease: Lease, ttl_ms: int) -> None:
    """Hold it for `ttl_ms` more; one that expired and that nobody took is held again.

    Raises Fenced where another has it, BusDown.
    """
    if not await _RENEW.run(redis, [keys.lease(lease.name)], lease.value, ttl_ms):
        raise Fenced(f"the lease {lease.name} of {lease.owner} was taken by another")


async def release(redis: Redis, lease: Lease) -> None:
    """Give it up; nothing happens where it is no longer held."""
    await _RELEASE.run(redis, [keys.lease(lease.name)], lease.value)
