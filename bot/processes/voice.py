"""A voice process: many calls on one event loop, each a driver with its leg; holds no Rasa.

    python -m bot.processes.voice --redis URL --name voice-1 [--recogniser HOST:PORT]

prints `ready` when it takes calls (bot.processes.jobs).  Every event of a call goes to the call's
own file first, then to Redis; at its end the call is archived to SQL.  On start, calls of processes
that died on this machine are ended and archived.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from bot import events as ev
from bot.bus import BusDown, BusError, connect
from bot.bus.journal import JournalError
from bot.bus.journaled import JournaledCall, JournaledLog
from bot.bus.log import EventLog
from bot.bus.tasks import end
from bot.bus.trackers import TrackerLog
from bot.call.designer_audio import DesignerAudio
from bot.call.driver import Adapters, CallDriver
from bot.call.journal import CallFacts
from bot.call.own_lines import own_lines
from bot.call.parameters import Parameters
from bot.call.ports import Recogniser, SpeechError
from bot.call.prompts import LinePrompts
from bot.call.recorder import Recorder
from bot.call.session import CallSession
from bot.data_folder import PROJECT, data_folder
from bot.phone.persona import load_persona
from bot.phone.simulated import SimulatedLeg
from bot.processes import child, jobs
from bot.processes.archiver import Archiver
from bot.processes.call_facts import broken, call_facts, started
from bot.processes.jobs import CallResult, SimulatedCall
from bot.processes.remote_brain import RemoteBrain
from bot.processes.script_data import ScriptDataError, VoiceData, fetch
from bot.processes.voices import voice_of
from bot.speech.remote import RemoteRecogniser
from bot.speech.tts_espeak import EspeakVoice
from bot.speech.vad_silero import SileroDetector
from bot.store.database import Database
from bot.typed_yaml import YamlError

RETRY_S = 1.0
CLOSING_S = 5.0
"""How long calls may take to end when the process stops."""

_log = logging.getLogger(__name__)


class CallRefused(Exception):
    """A call cannot begin; says why."""


class VoiceProcess:
    """All that the calls of one process share."""

    def __init__(
        self, redis: Redis, name: str, database: Database, *, recogniser: Recogniser | None, calls: int
    ) -> None:
        """`name`: its jobs come under this; `calls`: so many at once, more wait."""
        self._redis = redis
        self._name = name
        self._brain = RemoteBrain(redis, f"{name}-{os.getpid()}-{time.time_ns()}")
        self._log = JournaledLog(EventLog(redis), data_folder("journal"))
        self._archiver = Archiver(self._log, TrackerLog(redis), database)
        self._recogniser = recogniser
        self._room = asyncio.Semaphore(calls)
        self._voice = EspeakVoice()
        self._prompts: dict[str, LinePrompts] = {}
        self._data: dict[tuple[str, str], VoiceData] = {}
        self._drivers: dict[str, CallDriver] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._closing = False

    async def start(self) -> None:
        """Be ready for calls.  Raises BusDown, VoiceError (no voice: here, not in mid-call)."""
        await self._voice.synthesize("您好")
        self._log.start()
        await self._brain.start()
        for call_id in await self._archiver.recover():
            _log.warning("call %s of a process that died was ended and archived", call_id)
        await jobs.cut_off(self._redis, self._name)

    async def serve(self, stop: asyncio.Event) -> None:
        """Take calls until `stop` is set; then end those that run, politely short."""
        taking = asyncio.create_task(self._take_jobs(), name="jobs")
        stopped = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait((taking, stopped), return_when=asyncio.FIRST_COMPLETED)
            if taking in done:
                taking.result()
        finally:
            self._closing = True
            await end(taking, stopped)
            for driver in list(self._drivers.values()):
                driver.stop("shutdown")
            if self._calls:
                await asyncio.wait(self._calls, timeout=CLOSING_S)
            await end(*self._calls)
            await self._brain.stop()
            await self._log.stop()

    async def _take_jobs(self) -> None:
        while True:
            try:
                async for job in jobs.jobs(self._redis, self._name):
                    await self._room.acquire()
                    task = asyncio.create_task(self._whole(job), name=f"call {job.call_id}")
                    self._calls.add(task)
                    task.add_done_callback(self._calls.discard)
            except BusDown as error:
                _log.warning("no calls are taken: %s", error)
                await asyncio.sleep(RETRY_S)

    async def _whole(self, job: SimulatedCall) -> None:
        """One call from its job to its result; whatever goes wrong in it stays in it."""
        result = CallResult(call_id=job.call_id, error="the process stopped")
        try:
            result = await self._call(job)
        except (CallRefused, SpeechError, BusError, JournalError, ScriptDataError, YamlError) as error:
            _log.error("call %s cannot be held: %s", job.call_id, error)
            result = CallResult(call_id=job.call_id, error=str(error))
        except Exception as error:
            _log.exception("call %s broke", job.call_id)
            result = CallResult(call_id=job.call_id, error=f"{type(error).__name__}: {error}")
        finally:
            self._room.release()
            try:
                await jobs.tell(self._redis, self._name, job.asker, result)
            except BusDown as error:
                _log.warning("nobody hears the result of call %s: %s", job.call_id, error)

    async def _call(self, job: SimulatedCall) -> CallResult:
        persona = load_persona(Path(job.persona))
        script = job.script or persona.script
        version = self._brain.version(script)
        if version is None:
            raise CallRefused(f"no brain serves the script '{script}': start one with --scripts {script}")
        data = await self._script_data(script, version)
        prompts = self._prompts_of(data)
        log = await self._log.open(job.call_id)
        facts = call_facts(job, persona, version)
        try:
            leg = SimulatedLeg(persona, voice_of(persona.voice), words=job.words, lag_ms=job.words_lag_ms)
            await leg.ring()
            facts = call_facts(job, persona, version)
            with Recorder(data_folder("recordings"), job.call_id) as recorder:
                ended = await self._drive(facts, data, prompts, leg, log, recorder)
        finally:
            await self._finish(log, facts)
        return CallResult(
            call_id=job.call_id, disposition=ended.disposition, grade=ended.grade, reasons=ended.reasons,
            duration_ms=ended.duration_ms, recording=str(recorder.path),
        )  # fmt: skip

    async def _drive(
        self, facts: CallFacts, data: VoiceData, prompts: LinePrompts, leg: SimulatedLeg, log: JournaledCall,
        recorder: Recorder,
    ) -> ev.CallEnded:  # fmt: skip
        listens = not leg.capabilities.words
        if listens and self._recogniser is None:
            raise CallRefused("this call needs ears: start the voice process with --recogniser HOST:PORT")
        parameters = Parameters()
        session = CallSession(facts, parameters, data.model(), final_on_demand=listens)
        adapters = Adapters(
            leg=leg, brain=self._brain, prompts=prompts, detector=SileroDetector(), log=log,
            recogniser=self._recogniser if listens else None, recording=recorder, phrases=data.after,
            line_started=leg.bot_speaks,
        )  # fmt: skip
        driver = self._drivers[facts.call_id] = CallDriver(facts.call_id, session, adapters, parameters)
        try:
            if self._closing:
                raise CallRefused("the voice process is stopping")
            return await driver.run()
        finally:
            del self._drivers[facts.call_id]

    async def _finish(self, log: JournaledCall, facts: CallFacts) -> None:
        """Archive the call; one that never spoke, or broke, gets its final record first."""
        tags = [type(ev.decode(record)) for record in log.journal.records]
        try:
            if ev.CallStarted not in tags:
                await log.append(started(facts))
            if ev.CallEnded not in tags:
                await log.append(broken(facts))
        except (BusError, JournalError) as error:
            _log.error("call %s has no final record yet: %s", facts.call_id, error)
            return
        await self._archiver.archive(log)

    async def _script_data(self, script: str, version: str) -> VoiceData:
        if (script, version) not in self._data:
            self._data[script, version] = await fetch(self._redis, script, version)
        return self._data[script, version]

    def _prompts_of(self, data: VoiceData) -> LinePrompts:
        """The script's sounds; its fixed lines are rendered from the first call on, while it rings."""
        if data.script not in self._prompts:
            recordings = DesignerAudio(PROJECT / "stories" / data.script / "audio")
            made = LinePrompts(self._voice, folder=data_folder("prompts"), recordings=recordings)
            self._prompts[data.script] = made
            lines = [*own_lines("zh"), *data.fixed_lines()]
            task = asyncio.create_task(self._render(made, lines), name=f"prompts {data.script}")
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
        return self._prompts[data.script]

    async def _render(self, prompts: LinePrompts, lines: list[Any]) -> None:
        try:
            for line in lines:
                await prompts.audio(line)
        except SpeechError as error:
            _log.error("lines are not rendered in advance: %s", error)


async def main(options: argparse.Namespace, stop: asyncio.Event) -> None:
    """Join what a voice process needs, serve."""
    redis = connect(options.redis)
    database = await asyncio.to_thread(Database.open, options.database)
    recogniser = RemoteRecogniser(options.recogniser) if options.recogniser else None
    name = options.name or f"voice-{os.getpid()}"
    voice = VoiceProcess(redis, name, database, recogniser=recogniser, calls=options.calls)
    await voice.start()
    child.ready(name)
    try:
        await voice.serve(stop)
    finally:
        if recogniser is not None:
            await recogniser.close()
        database.close()
        await redis.aclose()


def cli() -> None:
    """The command line."""
    parser = child.arguments(__doc__ or "")
    parser.add_argument("--recogniser", help="HOST:PORT of a recogniser process")
    parser.add_argument("--calls", type=int, default=60, help="calls at once; more wait")
    options = parser.parse_args()
    if not options.redis:
        parser.error("--redis or REDIS_URL is needed: a voice process meets its brains there")
    try:
        child.run(lambda stop: main(options, stop))
    except (BusError, SpeechError) as error:
        sys.exit(f"voice: {error}")


if __name__ == "__main__":
    cli()
