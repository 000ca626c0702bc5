"""Runs calls with simulated customers on the real processes, and tells what happens as it happens."""

from __future__ import annotations

import asyncio
import difflib
import logging
import os
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.bus import BusDown, BusError, connect
from bot.bus.log import EventLog
from bot.bus.tasks import end
from bot.data_folder import PROJECT, DataFolderError
from bot.dialogue.script_files import ScriptError
from bot.events import AnyEvent
from bot.phone.persona import Persona, load_personas
from bot.processes import jobs
from bot.processes.jobs import CallResult, SimulatedCall
from bot.processes.managed import ProcessFailed
from bot.processes.supervisor import Supervisor
from bot.redis_server import RedisServerError
from bot.typed_yaml import YamlError

PERSONAS = PROJECT / "personas"
FAULTS = (BusError, DataFolderError, ScriptError, ProcessFailed, RedisServerError, YamlError, ValueError)
"""What may stop a command that runs calls; each says what, where and the remedy."""
TAIL_MS = 200


@dataclass
class SimulatedCalls:
    """Calls under way.  `results` fills as calls end."""

    here: Supervisor
    voice: str
    by_ear: bool
    calls: dict[str, Persona] = field(default_factory=dict)
    results: dict[str, CallResult] = field(default_factory=dict)

    async def place(self, personas: Sequence[Persona], seed: int = 0) -> None:
        """Ring all these customers at once."""
        redis = connect(self.here.redis_url)
        try:
            for persona in personas:
                call_id = f"{persona.name}-{uuid.uuid4().hex[:8]}"
                self.calls[call_id] = persona
                job = SimulatedCall(
                    call_id=call_id,
                    persona=str(PERSONAS / f"{persona.name}.yml"),
                    asker=self.voice + "-asker",
                    words=not self.by_ear,
                    seed=seed,
                )
                await jobs.ask_for(redis, self.voice, job)
        finally:
            await redis.aclose()

    async def events(self) -> AsyncIterator[AnyEvent | None]:
        """Every event of the calls as it is logged; None where for a moment there is none.

        Ends when each call has its result and its log was read.
        """
        redis = connect(self.here.redis_url)
        log = EventLog(redis)
        cursors = dict.fromkeys(self.calls, 0)
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                done = len(self.results) == len(self.calls)
                found = await log.tail(cursors, TAIL_MS)
                for event in found:
                    yield event
                if not found:
                    if done:
                        return
                    yield None
                if listening.done():
                    listening.result()
        finally:
            await end(listening)
            await redis.aclose()

    async def _listen(self) -> None:
        redis = connect(self.here.redis_url)
        try:
            async for result in jobs.results(redis, self.voice + "-asker"):
                if result.call_id in self.calls:
                    self.results[result.call_id] = result
                if len(self.results) == len(self.calls):
                    return
        except BusDown as error:
            logging.getLogger(__name__).error("results cannot be read: %s", error)
            raise
        finally:
            await redis.aclose()


@asynccontextmanager
async def processes(scripts: Sequence[str], *, by_ear: bool) -> AsyncIterator[SimulatedCalls]:
    """The processes of one machine, ready for simulated calls; all end with the block."""
    recogniser = ["--asr", "pocketsphinx"] if by_ear else None
    async with Supervisor(list(scripts), voices=1, recogniser=recogniser, people=0) as here:
        yield SimulatedCalls(here, "voice-1", by_ear)


def choose_personas(names: Sequence[str]) -> list[Persona]:
    """The personas of these names, all where none is named.

    Raises ValueError for an unknown name, YamlError for a faulty file.
    """
    known = load_personas(PERSONAS)
    unknown = [name for name in names if name not in known]
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else "known: " + ", ".join(sorted(known))
        raise ValueError(f"没有这位模拟客户 / unknown persona '{unknown[0]}' → {hint}")
    return [known[name] for name in (names or sorted(known))]


def check_ears(by_ear: bool) -> None:
    """Raises ValueError where calls are to be held by ear and there is no recogniser model."""
    models = os.environ.get("HUASHU_MODELS")
    if by_ear and not (models and (Path(models) / "pocketsphinx-zh-tdt-8k").is_dir()):
        raise ValueError(
            "没有识别模型 / no recogniser model → ./huashu models pull pocketsphinx-zh, or set HUASHU_MODELS"
        )
