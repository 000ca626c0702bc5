"""What a feed reads of a call in Redis: its snapshot, and pages of its log as they are stored."""

from __future__ import annotations

import msgspec
from redis.asyncio import Redis

from assist.feed_cursor import Numbered
from bot.bus import keys
from bot.bus.connection import bus_errors, command

PAGE = 100


class _Seq(msgspec.Struct):
    seq: int = 0


_seq_decoder = msgspec.json.Decoder(_Seq)


async def snapshot_of(redis: Redis, call_id: str) -> tuple[bytes, int]:
    """The call as its worker last stored it, and the number of the last event in it.

    Before the worker has stored one: an empty one, that all events follow.  Raises BusDown.
    """
    data: bytes | None = await command(redis, "GET", keys.snapshot(call_id))
    if data is not None:
        return data, _seq_decoder.decode(data).seq
    meta: bytes | None = await command(redis, "GET", keys.call_meta(call_id))
    call = meta or msgspec.json.encode({"call_id": call_id})
    return b'{"kind":"snapshot","seq":0,"call":' + call + b',"panel":{},"transcript":[],"suggestions":{}}', 0


async def read_page(redis: Redis, call_id: str, after: int) -> tuple[list[Numbered], int]:
    """Up to PAGE events of the log after number `after`, as they are stored, and the number of the
    last that was ever written, both of one moment.  Raises BusDown."""
    with bus_errors():
        pipeline = redis.pipeline(transaction=True)
        pipeline.execute_command("XRANGE", keys.log(call_id), f"({after}-0", "+", "COUNT", PAGE)
        pipeline.execute_command("HGET", keys.log_state(call_id), "seq")
        entries, written = await pipeline.execute()
    return [(_seq(entry_id), fields[b"e"]) for entry_id, fields in entries], int(written or 0)


async def first_seq(redis: Redis, call_id: str) -> int:
    """The number of the first event that the log holds; 1 where it holds none.  Raises BusDown."""
    entries = await command(redis, "XRANGE", keys.log(call_id), "-", "+", "COUNT", 1)
    return _seq(entries[0][0]) if entries else 1


def _seq(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])
