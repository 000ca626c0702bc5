"""The event log of a call: a Redis Stream whose ids are `seq-0`, written by one Lua append.

Many processes may write to one log, each in a role (`voice`, `assist`, …).  A role belongs to the
process that took it last: `take` gives a fencing token, and an append with an older one is refused.
A writer numbers its own events 1, 2, 3 …; the append takes each number once and in order, so that
a writer who is not sure what arrived just sends it again: repeats are recognised, gaps refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.bus import keys
from bot.bus.connection import BLOCK_MS, command, typed
from bot.bus.errors import BusError
from bot.bus.lease import NEW_TOKEN
from bot.bus.script import Script
from bot.events import AnyEvent, decode, numbered

_TAKE = Script(
    NEW_TOKEN
    + """
-- KEYS: last token, state   ARGV: role
if redis.call('HGET', KEYS[2], 'closed') then
  return redis.error_reply('HUASHU_CLOSED the log is archived')
end
local token = new_token(KEYS[1])
redis.call('HSET', KEYS[2], 'fence:' .. ARGV[1], token)
return {token, tonumber(redis.call('HGET', KEYS[2], 'n:' .. ARGV[1]) or '0')}
"""
)

_APPEND = Script("""
-- KEYS: log, state   ARGV: role, token, writer's number (0: none), event, channel of the feed
-- gives {'new', seq}, {'repeat', seq or 0}, {'gap', last number taken}
local role, n = ARGV[1], tonumber(ARGV[3])
local s = redis.call('HMGET', KEYS[2], 'fence:' .. role, 'n:' .. role, 'closed', 'seq:' .. role)
local fence, last = tonumber(s[1] or '0'), tonumber(s[2] or '0')
if tonumber(ARGV[2]) < fence then
  return redis.error_reply('HUASHU_FENCED another ' .. role .. ' process has taken over this call')
end
if n > 0 and n <= last then
  return {'repeat', n == last and tonumber(s[4] or '0') or 0}
end
if s[3] then return redis.error_reply('HUASHU_CLOSED the log is archived') end
if n > last + 1 then return {'gap', last} end
local seq = redis.call('HINCRBY', KEYS[2], 'seq', 1)
redis.call('XADD', KEYS[1], seq .. '-0', 'e', ARGV[4])
redis.call('PUBLISH', ARGV[5], seq .. ' ' .. ARGV[4])
redis.call('HSET', KEYS[2], 'fence:' .. role, ARGV[2], 'seq:' .. role, seq)
if n > 0 then redis.call('HSET', KEYS[2], 'n:' .. role, n) end
if seq % 50 == 1 then  -- what nobody archives goes at last
  redis.call('EXPIRE', KEYS[1], 172800)
  redis.call('EXPIRE', KEYS[2], 172800)
end
return {'new', seq}
""")

_CLOSE = Script("""
-- KEYS: log, state   ARGV: seconds that the log stays readable, seconds that it stays closed
redis.call('HSET', KEYS[2], 'closed', 1)
redis.call('EXPIRE', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return 1
""")


@dataclass(frozen=True, slots=True)
class Writer:
    """The right to write to one call's log: role and fencing token.  `last`: the last number of
    this role that the log took when the right was given."""

    call_id: str
    role: str
    token: int
    last: int = 0


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of one append: `outcome` is new, repeat or gap; `seq` the event's number in the
    log (0 where not known); `last`, for a gap, the last of the writer's numbers that the log has."""

    outcome: str
    seq: int = 0
    last: int = 0


class EventLog:
    """All calls' logs in one Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def take(self, call_id: str, role: str) -> Writer:
        """Become the one writer of `role`; whoever was it before is fenced off.

        Raises CallClosed where the call is archived, BusDown.
        """
        token, last = await _TAKE.run(self._redis, [keys.LAST_TOKEN, keys.log_state(call_id)], role)
        return Writer(call_id, role, int(token), int(last))

    async def append(self, writer: Writer, data: bytes, number: int = 0) -> Appended:
        """Write one encoded event.  `number` is the writer's own (from 1; 0 for none).

        Raises Fenced, CallClosed, BusDown.
        """
        [result] = await self.append_many([(writer, data, number)])
        if isinstance(result, BusError):
            raise result
        return result

    async def append_many(self, records: Sequence[tuple[Writer, bytes, int]]) -> list[Appended | BusError]:
        """Write many records, of any calls, in one round trip, in order; a refusal stands in its place.

        Raises BusDown where it is not known what arrived: send all of them again, with their numbers.
        """
        results = await _APPEND.run_many(
            self._redis,
            [
                (
                    [keys.log(w.call_id), keys.log_state(w.call_id)],
                    (w.role, w.token, number, data, keys.feed(w.call_id)),
                )
                for w, data, number in records
            ],
        )
        return [_appended(result) for result in results]

    async def read(self, call_id: str, after: int = 0, count: int | None = None) -> list[AnyEvent]:
        """The events after sequence number `after`, in order; [] where there are none."""
        limit: list[Any] = ["COUNT", count] if count is not None else []
        start = f"({after}-0" if after else "-"
        entries = await command(self._redis, "XRANGE", keys.log(call_id), start, "+", *limit)
        return [_event(entry_id, fields) for entry_id, fields in entries]

    async def tail(self, cursors: dict[str, int], block_ms: int = BLOCK_MS) -> list[AnyEvent]:
        """New events of the calls in `cursors` (call id → last seq seen), waiting up to `block_ms`.

        Moves the cursors on.
        """
        if not cursors:
            return []
        names = {keys.log(call_id): call_id for call_id in cursors}
        after = [f"{seq}-0" for seq in cursors.values()]
        streams = await command(self._redis, "XREAD", "BLOCK", block_ms, "STREAMS", *names, *after)
        events = []
        for name, entries in streams or []:
            for entry_id, fields in entries:
                events.append(_event(entry_id, fields))
            cursors[names[name.decode()]] = events[-1].seq
        return events

    async def close(self, call_id: str, readable_s: int = 60, closed_s: int = 86_400) -> None:
        """Trim an archived call: its log goes after `readable_s`, late appends are refused for `closed_s`."""
        await _CLOSE.run(self._redis, [keys.log(call_id), keys.log_state(call_id)], readable_s, closed_s)


def _appended(result: Any) -> Appended | BusError:
    if isinstance(result, RedisError):
        return typed(result)
    outcome, value = result[0].decode(), int(result[1])
    return Appended(outcome, last=value) if outcome == "gap" else Appended(outcome, seq=value)


def _event(entry_id: bytes, fields: dict[bytes, bytes]) -> AnyEvent:
    return numbered(decode(fields[b"e"]), int(entry_id.partition(b"-")[0]))
