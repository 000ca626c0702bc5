"""An assist worker: holds scripts in Rasa, follows live calls, puts advice into their logs.

    python -m assist.worker --redis URL --scripts bundle retention --name assist-1

prints `ready` when it serves.  What happens in its calls comes through its inbox in Redis, in the order
of the calls' logs; what it finds goes into the logs and to those who watch.  A call's log is the truth: a
worker that starts again, or takes over from a dead one, rebuilds its calls from it.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from assist.archive import archive_call
from assist.learning.policy import Policy
from assist.live_call import LiveCall
from assist.policy_file import current_policy
from assist.snapshot import live_row, snapshot_of
from assist.text_call import AssistedScript
from bot import events as ev
from bot.bus import BusDown, BusError, CallClosed, Fenced, LeaseHeld, connect, keys
from bot.bus.assisted import KEPT_S, AssistedCalls
from bot.bus.connection import BLOCK_MS, bus_errors, command
from bot.bus.lease import Lease, release, renew
from bot.bus.log import EventLog, Writer
from bot.bus.tasks import until_first
from bot.dialogue.script_files import ScriptError
from bot.processes import child
from bot.processes.assist_workers import KIND, RegisteredWorkers
from bot.processes.registry import BEAT_S, TTL_MS, BrainInfo, publish, take_name, withdraw
from bot.store.database import Database
from bot.store.keys import Keys
from bot.store.sealing import Sealer

BATCH = 256
ROLE = "assist"
KEEP_S = 0.25
_log = logging.getLogger(__name__)


class AssistWorker:
    """Follows the calls that were given to `name`."""

    def __init__(
        self,
        redis: Redis,
        name: str,
        scripts: dict[str, AssistedScript],
        calls: AssistedCalls,
        database: Database,
        policy: Policy,
    ) -> None:
        self._redis = redis
        self._name = name
        self._scripts = scripts
        self._calls = calls
        self._database = database
        self._policy = policy
        self._log = EventLog(redis)
        self._live: dict[str, LiveCall] = {}
        self._writers: dict[str, Writer] = {}
        self._last: bytes | str = "0"
        self._clock_offset_ms = 0.0

    async def serve(self, lease: Lease, stop: asyncio.Event) -> None:
        """Advise until `stop` is set or the lease is lost (then Fenced is raised)."""
        await until_first(self._beat(lease), self._read(), self._keep(), stop.wait())
        await withdraw(self._redis, self._name, KIND)
        await release(self._redis, lease)

    async def recover(self) -> None:
        """Take up the calls that this worker holds by Redis's word: those of an earlier life."""
        info = await command(self._redis, "XREVRANGE", keys.assist_inbox(self._name), "+", "-", "COUNT", 1)
        self._last = info[0][0] if info else "0"
        for call_id in await command(self._redis, "SMEMBERS", keys.assist_calls(self._name)):
            await self._rebuild(call_id.decode())

    async def announce(self) -> None:
        """Say that this worker serves.  Raises BusDown."""
        with bus_errors():
            seconds, micros = await self._redis.time()
        self._clock_offset_ms = seconds * 1000 + micros / 1000 - time.time() * 1000
        versions = tuple((name, loaded.script.version) for name, loaded in self._scripts.items())
        await publish(self._redis, BrainInfo(self._name, versions, len(self._live)), KIND)

    async def _beat(self, lease: Lease) -> None:
        while True:
            try:
                await renew(self._redis, lease, TTL_MS)
                await self.announce()
                await self._tick()
            except BusDown as error:
                _log.warning("no heartbeat: %s", error)
            await asyncio.sleep(BEAT_S)

    async def _tick(self) -> None:
        for call in list(self._live.values()):
            try:
                await self._write([(call, event) for event in call.tick()])
            except (Fenced, CallClosed) as error:
                self._lost(call.meta.call_id, error)

    async def _keep(self) -> None:
        """Store what changed, a few calls at a time: advice goes first."""
        while True:
            await asyncio.sleep(KEEP_S)
            try:
                for call in [call for call in self._live.values() if call.dirty]:
                    await self._store([call])
                    await asyncio.sleep(0)
            except BusDown as error:
                _log.warning("snapshots wait: %s", error)

    async def _read(self) -> None:
        while True:
            try:
                found = await command(
                    self._redis, "XREAD", "COUNT", BATCH, "BLOCK", BLOCK_MS, "STREAMS",
                    keys.assist_inbox(self._name), self._last,
                )  # fmt: skip
                for entry_id, fields in found[0][1] if found else ():
                    await self._entry(entry_id, fields)
                    self._last = entry_id
            except BusDown as error:
                _log.warning("nothing comes: %s", error)
                await asyncio.sleep(BEAT_S)

    async def _entry(self, entry_id: bytes, fields: dict[bytes, bytes]) -> None:
        call_id = fields[b"c"].decode()
        try:
            call = self._live.get(call_id)
            if call is None:
                call = await self._rebuild(call_id)
            if call is None:
                return
            if b"end" in fields:
                await self._finish(call, msgspec.json.decode(fields[b"end"]))
            elif b"e" in fields:
                await self._take(call, int(fields[b"q"]), fields[b"e"], int(entry_id.partition(b"-")[0]))
        except (Fenced, CallClosed) as error:
            self._lost(call_id, error)
        except BusDown:
            self._forget(call_id)  # what arrived is not known: it is rebuilt from its log
            raise
        except Exception:
            _log.exception("call %s: an event was passed over", call_id)

    async def _take(self, call: LiveCall, seq: int, data: bytes, sent_ms: int) -> None:
        if seq <= call.seq:
            return
        call.seq = seq
        queue_ms = max(0.0, time.time() * 1000 + self._clock_offset_ms - sent_ms)
        await self._write([(call, event) for event in call.take(ev.decode(data), queue_ms)])

    async def _write(self, out: Sequence[tuple[LiveCall, ev.Event]]) -> None:
        """Append events to their calls' logs.  Raises Fenced, CallClosed, BusDown."""
        if not out:
            return
        records = [(self._writers[call.meta.call_id], ev.encode(event), 0) for call, event in out]
        for result in await self._log.append_many(records):
            if isinstance(result, BusError):
                raise result

    async def _store(self, dirty: Sequence[LiveCall]) -> None:
        """Keep the snapshots and the supervisor's rows of calls that changed."""
        if not dirty:
            return
        with bus_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for call in dirty:
                call.dirty = False
                call_id, meta = call.meta.call_id, call.meta
                shot = snapshot_of(
                    meta, call.customer, call.shadow, call.seq, call.reactions, call.after_call
                )
                pipeline.set(keys.snapshot(call_id), msgspec.json.encode(shot), ex=KEPT_S)
                if call.after_call is None:
                    row = msgspec.json.encode(live_row(meta, call.customer, call.shadow))
                    pipeline.hset(keys.live(meta.tenant_id), call_id, row)  # type: ignore[arg-type]
            await pipeline.execute()

    async def _rebuild(self, call_id: str) -> LiveCall | None:
        """The call by its log; what nobody answered yet is answered.  None where it cannot be had."""
        meta = await self._calls.fresh_meta(call_id)
        opening = await self._calls.opening(call_id)
        if meta is None or opening is None:
            self._forget(call_id)
            return None
        loaded = self._scripts.get(meta.script)
        if loaded is None:
            _log.error("call %s is of script %s, which is not served here", call_id, meta.script)
            return None
        self._writers[call_id] = await self._log.take(call_id, ROLE)
        call = self._live[call_id] = LiveCall(meta, opening, loaded, self._policy)
        out = call.replay(await self._log.read(call_id))
        await self._write([(call, event) for event in out])
        how = await command(self._redis, "HGET", keys.log_state(call_id), "ended")
        if how:
            await self._finish(call, msgspec.json.decode(how))
        return call

    async def _finish(self, call: LiveCall, how: dict[str, Any]) -> None:
        """Sum the call up, keep it in SQL, let it go."""
        if call.after_call is not None:
            return
        await self._write([(call, event) for event in call.end(how)])
        await self._store([call])
        call_id, meta = call.meta.call_id, call.meta
        with bus_errors():
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.hdel(keys.live(meta.tenant_id), call_id)
            pipeline.srem(keys.assist_calls(self._name), call_id)
            await pipeline.execute()
        self._forget(call_id)
        await archive_call(self._log, self._database, call_id)

    def _lost(self, call_id: str, error: BusError) -> None:
        _log.warning("call %s is not mine any more: %s", call_id, error)
        self._forget(call_id)

    def _forget(self, call_id: str) -> None:
        self._live.pop(call_id, None)
        self._writers.pop(call_id, None)


async def main(options: argparse.Namespace, stop: asyncio.Event) -> None:
    """Load, take the name, serve."""
    redis = connect(options.redis)
    database = await asyncio.to_thread(Database.open, options.database)
    scripts = {name: AssistedScript.load(name) for name in options.scripts}
    calls = AssistedCalls(redis, Sealer(Keys.load()), RegisteredWorkers(redis))
    name = options.name or f"assist-{os.getpid()}"
    worker = AssistWorker(redis, name, scripts, calls, database, current_policy())
    lease = await take_name(redis, name, KIND)
    await worker.recover()
    child.spare_the_collector()
    await worker.announce()
    child.ready()
    try:
        await worker.serve(lease, stop)
    finally:
        database.close()
        await redis.aclose()


def cli() -> None:
    """The command line."""
    parser = child.arguments(__doc__ or "")
    parser.add_argument("--scripts", nargs="+", required=True, help="scripts to serve")
    options = parser.parse_args()
    if not options.redis:
        parser.error("--redis or REDIS_URL is needed: a worker meets its calls there")
    try:
        child.run(lambda stop: main(options, stop))
    except ScriptError as error:
        sys.exit(f"assist worker: {error}")
    except (Fenced, LeaseHeld) as error:
        sys.exit(f"assist worker {options.name}: another process serves under this name: {error}")
    except BusError as error:
        sys.exit(f"assist worker: {error}")


if __name__ == "__main__":
    cli()
