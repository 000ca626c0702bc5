"""Asking a voice process for calls, and hearing what became of them.

A job is a call with a simulated customer.  The call itself can be followed in its event log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from redis.asyncio import Redis

from bot.bus import keys
from bot.bus.connection import BLOCK_MS, command


class SimulatedCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call to place.

    `persona`: path of the persona's YAML file; `words`: its words come as text, `words_lag_ms` behind
    the sound (False: a recogniser must listen).  `script`, `contact`: default those of the persona.
    `asker` gets the result.
    """

    call_id: str
    persona: str
    asker: str
    tenant_id: str = "default"
    script: str | None = None
    contact: dict[str, Any] | None = None
    campaign: dict[str, Any] | None = None
    words: bool = True
    words_lag_ms: int = 200
    seed: int = 0


class CallResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a call.  `error`: it could not be held, and why; `recording`: path of the WAV."""

    call_id: str
    disposition: str = "failed"
    grade: str | None = None
    reasons: list[str] = []
    duration_ms: int = 0
    recording: str | None = None
    error: str | None = None


_log = logging.getLogger(__name__)
_jobs = msgspec.json.Decoder(SimulatedCall)
_results = msgspec.json.Decoder(CallResult)


async def ask_for(redis: Redis, voice: str, job: SimulatedCall) -> None:
    """Have the voice process `voice` place a call.  Raises BusDown."""
    await command(redis, "XADD", keys.jobs(voice), "*", "m", msgspec.json.encode(job))


async def tell(redis: Redis, voice: str, asker: str, result: CallResult) -> None:
    """Give the result of a job that `voice` took.  Raises BusDown."""
    stream = keys.results(asker)
    await command(redis, "HDEL", keys.taken(voice), result.call_id)
    await command(redis, "XADD", stream, "MAXLEN", "~", 10_000, "*", "m", msgspec.json.encode(result))
    await command(redis, "EXPIRE", stream, 86_400)


async def jobs(redis: Redis, voice: str) -> AsyncIterator[SimulatedCall]:
    """Jobs as they come, for ever; each is taken once.  Raises BusDown; iterate again to go on."""
    async for entry_id, data in _stream(redis, keys.jobs(voice)):
        try:
            job = _jobs.decode(data)
        except msgspec.DecodeError as error:
            _log.error("a job for %s cannot be read, it is dropped: %s", voice, error)
            await command(redis, "XDEL", keys.jobs(voice), entry_id)
            continue
        await command(redis, "HSET", keys.taken(voice), job.call_id, job.asker)
        if await command(redis, "XDEL", keys.jobs(voice), entry_id):
            yield job


async def cut_off(redis: Redis, voice: str) -> None:
    """Tell the askers of jobs that an earlier life of `voice` took and did not finish.  Raises BusDown."""
    taken = await command(redis, "HGETALL", keys.taken(voice))
    for call_id, asker in taken.items():
        result = CallResult(call_id=call_id.decode(), error="the voice process died in this call")
        await tell(redis, voice, asker.decode(), result)


async def results(redis: Redis, asker: str) -> AsyncIterator[CallResult]:
    """Results as they come, for ever, from the first.  Raises BusDown."""
    async for _, data in _stream(redis, keys.results(asker)):
        yield _results.decode(data)


async def _stream(redis: Redis, stream: str) -> AsyncIterator[tuple[bytes, bytes]]:
    last: bytes = b"0"
    while True:
        found = await command(redis, "XREAD", "COUNT", 64, "BLOCK", BLOCK_MS, "STREAMS", stream, last)
        for entry_id, fields in found[0][1] if found else []:
            last = entry_id
            yield entry_id, fields[b"m"]
        await asyncio.sleep(0)
