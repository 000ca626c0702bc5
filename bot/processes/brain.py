"""A brain process: holds script versions in Rasa, answers the turns of many calls.

    python -m bot.processes.brain --redis URL --scripts ringback

prints `ready` when it serves.  Its inbox is a Redis Stream; what it records of a call lies in
Redis, so that another brain can go on.  Two processes never serve under one name: the later one
waits until the lease of the first has run out, the first ends when it finds its lease taken.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import time
from collections.abc import Sequence

from redis.asyncio import Redis

from bot.bus import BusDown, BusError, Fenced, connect
from bot.bus.connection import bus_errors
from bot.bus.lease import Lease, release, renew
from bot.bus.streams import Inbox, Message, Sender
from bot.bus.tasks import until_first
from bot.bus.trackers import RedisTurns, TrackerLog
from bot.processes import child, script_data
from bot.processes.actors import CallActors, TurnEngine
from bot.processes.registry import BEAT_S, TTL_MS, BrainInfo, publish, take_name, withdraw

_log = logging.getLogger(__name__)


class BrainProcess:
    """Serves an engine's versions under `name` until told to stop."""

    def __init__(
        self,
        redis: Redis,
        name: str,
        engine: TurnEngine,
        versions: Sequence[tuple[str, str]],
        turns: RedisTurns,
    ) -> None:
        self._redis = redis
        self._name = name
        self._versions = tuple(versions)
        self._inbox = Inbox(redis, name)
        self._sender = Sender(redis)
        self._clock_offset_ms = 0.0
        self._started_ms = int(time.time() * 1000)
        self.actors = CallActors(engine, self, forget=turns.forget, clock_ms=self._clock_ms)

    async def serve(self, lease: Lease, stop: asyncio.Event) -> None:
        """Answer until `stop` is set or the lease is lost (then Fenced is raised)."""
        await until_first(self._beat(lease), self._read(), stop.wait())
        await withdraw(self._redis, self._name)
        await self.actors.idle()
        await release(self._redis, lease)

    async def announce(self) -> None:
        """Say that this brain serves.  Raises BusDown."""
        with bus_errors():
            seconds, micros = await self._redis.time()
        self._clock_offset_ms = seconds * 1000 + micros / 1000 - time.time() * 1000
        await publish(
            self._redis,
            BrainInfo(self._name, self._versions, self.actors.calls, started_ms=self._started_ms),
        )

    def answer(self, message: Message, reply: bytes) -> None:
        """Send an answer; while Redis is away the asker asks again, so a failure is only logged."""

        def sent(future: asyncio.Future[object]) -> None:
            if not future.cancelled() and future.exception() is not None:
                _log.warning("an answer was not sent: %s", future.exception())

        self._sender.reply(message, self._inbox.stream, reply).add_done_callback(sent)

    async def drop(self, message: Message) -> None:
        """Take a message out that nobody waits for."""
        try:
            await self._inbox.done(message)
        except BusDown as error:
            _log.warning("message %s stays: %s", message.id.decode(), error)

    async def fail(self, message: Message, reason: str) -> None:
        """Have it delivered again, or set aside."""
        try:
            again = await self._inbox.failed(message, reason)
            if again is not None:
                await self.actors.submit(again)
        except BusDown as error:
            _log.warning("message %s stays: %s", message.id.decode(), error)

    def _clock_ms(self) -> float:
        return time.time() * 1000 + self._clock_offset_ms

    async def _beat(self, lease: Lease) -> None:
        while True:
            try:
                await renew(self._redis, lease, TTL_MS)
                await self.announce()
            except BusDown as error:
                _log.warning("no heartbeat: %s", error)
            self.actors.sweep()
            await asyncio.sleep(BEAT_S)

    async def _read(self) -> None:
        while True:
            try:
                async for message in self._inbox.messages():
                    await self.actors.submit(message)
            except BusDown as error:
                _log.warning("no requests come: %s", error)
                await asyncio.sleep(BEAT_S)


async def main(options: argparse.Namespace, stop: asyncio.Event) -> None:
    """Load, take the name, serve."""
    from bot.dialogue.engine import Engine
    from bot.dialogue.training import models_folder
    from bot.store.database import Database
    from bot.store.effects import StoreEffects
    from bot.store.keys import Keys

    redis = connect(options.redis)
    trackers = RedisTurns(TrackerLog(redis))
    database = await asyncio.to_thread(Database.open, options.database)
    effects = StoreEffects(database, Keys.load(), people=options.people)
    engine = await Engine.load(options.scripts, effects=effects, turns=trackers)
    name = options.name or f"brain-{os.getpid()}"
    for script, version in engine.versions:
        data = (models_folder() / script / f"{version}.voice.json").read_bytes()
        await script_data.publish(redis, script, version, data)
    child.spare_the_collector()
    brain = BrainProcess(redis, name, engine, list(engine.versions), trackers)
    lease = await take_name(redis, name)
    await brain.announce()
    child.ready()
    try:
        await brain.serve(lease, stop)
    finally:
        database.close()
        await redis.aclose()


def cli() -> None:
    """The command line."""
    parser = child.arguments(__doc__ or "")
    parser.add_argument("--scripts", nargs="+", required=True, help="scripts to serve")
    parser.add_argument("--people", type=int, default=0, help="persons who take handed-over calls")
    options = parser.parse_args()
    if not options.redis:
        parser.error("--redis or REDIS_URL is needed: a brain meets its voices there")
    try:
        child.run(lambda stop: main(options, stop))
    except Fenced as error:
        sys.exit(f"brain {options.name}: another process serves under this name: {error}")
    except BusError as error:
        sys.exit(f"brain: {error}")


if __name__ == "__main__":
    cli()
