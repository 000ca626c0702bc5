"""Takes jobs for calls with simulated customers (bot/processes/jobs.py), holds them, tells the results."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from redis.asyncio import Redis

from bot.bus import BusDown, BusError
from bot.bus.journal import JournalError
from bot.bus.tasks import end
from bot.call.ports import SpeechError
from bot.phone.persona import load_persona
from bot.phone.simulated import SimulatedLeg
from bot.processes import jobs
from bot.processes.call_facts import call_facts
from bot.processes.calls import CallRefused, Calls, Wishes
from bot.processes.jobs import CallResult, SimulatedCall
from bot.processes.line_calls import Versions
from bot.processes.script_data import ScriptDataError
from bot.processes.voices import voice_of
from bot.typed_yaml import YamlError

RETRY_S = 1.0
_log = logging.getLogger(__name__)


class SimulatedCalls:
    """The jobs of the voice process `name`; `most` at once, more wait."""

    def __init__(self, redis: Redis, name: str, calls: Calls, brain: Versions, most: int) -> None:
        self._redis, self._name, self._calls, self._brain = redis, name, calls, brain
        self._room = asyncio.Semaphore(most)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Take jobs for ever.  Those of an earlier life are answered first.  Raises BusDown at the start."""
        await jobs.cut_off(self._redis, self._name)
        try:
            while True:
                try:
                    async for job in jobs.jobs(self._redis, self._name):
                        await self._room.acquire()
                        task = asyncio.create_task(self._whole(job), name=f"call {job.call_id}")
                        self._tasks.add(task)
                        task.add_done_callback(self._tasks.discard)
                except BusDown as error:
                    _log.warning("no calls are taken: %s", error)
                    await asyncio.sleep(RETRY_S)
        except asyncio.CancelledError:
            await self._calls.stop()
            await end(*self._tasks)
            raise

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
        self._calls.prompts(await self._calls.script_data(script, version))
        leg = SimulatedLeg(persona, voice_of(persona.voice), words=job.words, lag_ms=job.words_lag_ms)
        await leg.ring()
        facts = call_facts(job, persona, version)
        ended, recording = await self._calls.hold(facts, leg, Wishes(line_started=leg.bot_speaks))
        return CallResult(
            call_id=job.call_id, disposition=ended.disposition, grade=ended.grade, reasons=ended.reasons,
            duration_ms=ended.duration_ms, recording=str(recording),
        )  # fmt: skip
