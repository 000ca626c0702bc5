"""A voice process: many calls on one event loop, each a driver with its leg; holds no Rasa.

    python -m bot.processes.voice --redis URL --name voice-1 [--recogniser HOST:PORT]
    python -m bot.processes.voice … --listen HOST:PORT --script NAME [--ears script]

prints `ready` when it takes calls: jobs with simulated customers (bot.processes.jobs), and lines of
the switches that its settings name (bot.processes.lines).  On start, calls of processes that died on
this machine are ended and archived.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import time
from pathlib import Path
from typing import Protocol

from redis.asyncio import Redis

from bot.bus import BusError, connect
from bot.bus.journaled import JournaledLog
from bot.bus.log import EventLog
from bot.bus.tasks import end, until_first
from bot.bus.trackers import TrackerLog
from bot.call.answering.verdict import Answering
from bot.call.ports import Brain, Recogniser, SpeechError
from bot.data_folder import data_folder
from bot.phone.settings import PhoneSettings, evaluation_phones, read_phones
from bot.processes import child
from bot.processes.archiver import Archiver
from bot.processes.calls import Calls, Shared
from bot.processes.inbound_calls import CallerBook
from bot.processes.line_calls import Versions
from bot.processes.lines import Lines, LinesFailed
from bot.processes.remote_brain import RemoteBrain
from bot.processes.simulated_calls import SimulatedCalls
from bot.speech.remote import RemoteRecogniser
from bot.speech.vad_batch import SileroDetection
from bot.store.database import Database
from bot.store.keys import Keys
from bot.typed_yaml import YamlError

_log = logging.getLogger(__name__)


class Dialogue(Brain, Versions, Protocol):
    """What answers the turns of all calls."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class VoiceProcess:
    """All that the calls of one process share, and where its calls come from."""

    def __init__(
        self, redis: Redis, name: str, database: Database, *, recogniser: Recogniser | None, calls: int,
        phones: PhoneSettings | None = None, brain: Dialogue | None = None, share_ports: bool = False,
    ) -> None:  # fmt: skip
        """`name`: its jobs come under this; `calls`: so many at once.  `phones`: the lines, None for
        simulated customers only.  `brain`: default those behind Redis.
        `share_ports`: other voice processes of this machine listen there too."""
        self._brain = brain or RemoteBrain(redis, f"{name}-{os.getpid()}-{time.time_ns()}")
        self._log = JournaledLog(EventLog(redis), data_folder("journal"))
        self._archiver = Archiver(self._log, TrackerLog(redis), database)
        shared = Shared(
            redis=redis, brain=self._brain, log=self._log, archiver=self._archiver,
            voices=SileroDetection(), answering=Answering, recogniser=recogniser,
        )  # fmt: skip
        self.calls = Calls(shared)
        self._simulated = SimulatedCalls(redis, name, self.calls, self._brain, calls)
        self.lines: Lines | None = None
        if phones is not None:
            ears = "recogniser" if recogniser is not None else "text"
            self.lines = Lines(
                redis, self.calls, self._brain, phones, calls, book=CallerBook(database, Keys.load()),
                ears=ears, shared=share_ports,
            )  # fmt: skip

    async def start(self) -> None:
        """Be ready for calls.  Raises BusDown, VoiceError (no voice: here, not in mid-call), LinesFailed."""
        await self.calls.start()
        self._log.start()
        await self._brain.start()
        for call_id in await self._archiver.recover():
            _log.warning("call %s of a process that died was ended and archived", call_id)
        if self.lines is not None:
            await self.lines.start()

    async def serve(self, stop: asyncio.Event) -> None:
        """Take calls until `stop` is set; then end those that run, politely short."""
        taking = asyncio.create_task(self._simulated.run(), name="jobs")
        try:
            await until_first(_joined(taking), stop.wait())
        finally:
            if self.lines is not None:
                self.lines.refuse()
            await self.calls.stop()
            await end(taking)
            if self.lines is not None:
                await self.lines.stop()
            await self._brain.stop()
            await self._log.stop()


async def _joined(task: asyncio.Task[None]) -> None:
    await asyncio.shield(task)


async def main(options: argparse.Namespace, stop: asyncio.Event) -> None:
    """Join what a voice process needs, serve."""
    phones = _phones(options)
    redis = connect(options.redis)
    database = await asyncio.to_thread(Database.open, options.database)
    recogniser = RemoteRecogniser(options.recogniser) if options.recogniser else None
    name = options.name or f"voice-{os.getpid()}"
    voice = VoiceProcess(
        redis, name, database, recogniser=recogniser, calls=options.calls, phones=phones,
        share_ports=options.share_ports,
    )
    await voice.start()
    child.ready(name, *(voice.lines.addresses if voice.lines is not None else ()))
    try:
        await voice.serve(stop)
    finally:
        if recogniser is not None:
            await recogniser.close()
        database.close()
        await redis.aclose()


def _phones(options: argparse.Namespace) -> PhoneSettings | None:
    """The lines that the options name.  Raises YamlError, ValueError."""
    if options.phones:
        return read_phones(Path(options.phones))
    if options.listen or options.web:
        return evaluation_phones(options.listen, options.script, options.web, options.ears)
    return None


def cli() -> None:
    """The command line."""
    parser = child.arguments(__doc__ or "")
    parser.add_argument("--recogniser", help="HOST:PORT of a recogniser process")
    parser.add_argument("--calls", type=int, default=150, help="calls at once; more are refused")
    parser.add_argument("--phones", help="the lines of this machine: path of phones.yml")
    parser.add_argument("--listen", metavar="HOST:PORT", help="media WebSockets here, AudioSocket at PORT+1")
    parser.add_argument("--script", help="the script of every call that comes in")
    parser.add_argument("--ears", choices=("script",), help="the lines deliver the words themselves")
    parser.add_argument("--share-ports", action="store_true", help="other voice processes listen there too")
    parser.add_argument("--web", metavar="HOST:PORT", help="the page to talk to the bot from a browser")
    options = parser.parse_args()
    if not options.redis:
        parser.error("--redis or REDIS_URL is needed: a voice process meets its brains there")
    try:
        child.run(lambda stop: main(options, stop))
    except (BusError, SpeechError, YamlError, ValueError, LinesFailed) as error:
        sys.exit(f"voice: {error}")


if __name__ == "__main__":
    cli()
