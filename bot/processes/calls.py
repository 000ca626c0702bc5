"""Holds calls, many on one event loop: each a driver with its leg, recorded, logged and archived.

What is shared by all calls of a process is here once: voice detection in one run for all, one pacer,
the sounds of each script, the log, the archive.  Every event goes to the call's own file first, then
to Redis; at its end a call is archived to SQL, whatever ended it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from redis.asyncio import Redis

from bot import events as ev
from bot.bus import BusError
from bot.bus.journal import JournalError
from bot.bus.journaled import JournaledCall, JournaledLog
from bot.call import signals as sig
from bot.call.adapters import Adapters, Answering
from bot.call.designer_audio import DesignerAudio
from bot.call.driver import CallDriver
from bot.call.journal import CallFacts
from bot.call.own_lines import own_lines
from bot.call.pacer import Pacer
from bot.call.parameters import Parameters
from bot.call.ports import (
    Brain,
    PhoneLeg,
    Recogniser,
    SpeechError,
    TransferFailed,
    Voice,
    VoiceDetection,
)
from bot.call.prompts import LinePrompts
from bot.call.recorder import Recorder
from bot.call.session import CallSession
from bot.data_folder import PROJECT, data_folder
from bot.processes.archiver import Archiver
from bot.processes.call_facts import broken, started
from bot.processes.script_data import VoiceData, fetch
from bot.speech.tts_espeak import EspeakVoice
from bot.turn import Line
from bot.understanding.completeness import Completeness

CLOSING_S = 5.0
"""How long calls may take to end when the process stops."""

_log = logging.getLogger(__name__)


class CallRefused(Exception):
    """A call cannot begin; says why."""


@dataclass(frozen=True, slots=True)
class Held:
    """A call that is held now, as others may see and steer it.  `events`: its log so far."""

    facts: CallFacts
    leg: PhoneLeg
    driver: CallDriver
    events: Callable[[], list[ev.AnyEvent]] = list


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one call has that others have not.

    `line_started`: told when the bot begins a line.  `shown`: told every event.  `transfer`: gives
    the call to a person (bot/call/driver.py).  `listen_for_machines`: whether one may have answered.
    """

    line_started: Callable[[Line], None] | None = None
    shown: Callable[[ev.AnyEvent], None] | None = None
    transfer: Callable[[Held, sig.Transfer], object] | None = None
    listen_for_machines: bool = False


@dataclass(slots=True)
class Shared:
    """What the calls of one process share.  `answering`: makes the ears for answering machines."""

    redis: Redis
    brain: Brain
    log: JournaledLog
    archiver: Archiver
    voices: VoiceDetection
    answering: Callable[[], Answering]
    recogniser: Recogniser | None = None
    parameters: Parameters = field(default_factory=Parameters)


class Calls:
    """Holds calls until they end."""

    def __init__(self, shared: Shared) -> None:
        self.held: dict[str, Held] = {}
        self.pacer = Pacer(shared.voices.run)
        self._with = shared
        self._voice = EspeakVoice()
        self._prompts: dict[str, LinePrompts] = {}
        self._data: dict[tuple[str, str], VoiceData] = {}
        self._models: dict[tuple[str, str], Completeness] = {}
        self._rendering: set[asyncio.Task[None]] = set()
        self._begun: set[str] = set()  # from before the log is opened until the archive has it
        self._closing = False

    @property
    def count(self) -> int:
        """How many calls there are: those that begin, that are held, that are being archived."""
        return len(self._begun)

    @property
    def shared(self) -> Shared:
        """What the calls of this process share."""
        return self._with

    @property
    def voice(self) -> Voice:
        """The synthetic voice of all calls."""
        return self._voice

    async def start(self) -> None:
        """Be ready.  Raises VoiceError: where there is no voice, here and not in mid-call."""
        await self._voice.synthesize("您好")

    async def stop(self) -> None:
        """End the calls that are held; new ones are refused."""
        self._closing = True
        for held in list(self.held.values()):
            held.driver.stop("shutdown")
        try:
            async with asyncio.timeout(CLOSING_S):
                while self._begun:
                    await asyncio.sleep(0.02)
        except TimeoutError:
            _log.error("%d calls do not end", len(self._begun))
        for task in self._rendering:
            task.cancel()

    def _model(self, data: VoiceData) -> Completeness:
        """The end-of-turn model of a version, one for all its calls.  Raises ValueError."""
        key = (data.script, data.version)
        if key not in self._models:
            self._models[key] = data.model()
        return self._models[key]

    async def script_data(self, script: str, version: str) -> VoiceData:
        """What the voice needs of a script version.  Raises ScriptDataError, BusDown."""
        if (script, version) not in self._data:
            self._data[script, version] = await fetch(self._with.redis, script, version)
        return self._data[script, version]

    async def hold(self, facts: CallFacts, leg: PhoneLeg, wishes: Wishes) -> tuple[ev.CallEnded, Path]:
        """Carry an answered call to its end; its last event, and where its recording is.

        Raises CallRefused, SpeechError, BusError, JournalError, ScriptDataError: the call was hung up
        and has its final record all the same.  One whose id another call has now is none of its own: it is
        hung up, and that other one notices nothing.
        """
        if facts.call_id in self._begun:
            await leg.hang_up("refused")
            raise CallRefused(f"call {facts.call_id} is held already")
        self._begun.add(facts.call_id)
        try:
            return await self._hold(facts, leg, wishes)
        finally:
            self._begun.discard(facts.call_id)

    async def _hold(self, facts: CallFacts, leg: PhoneLeg, wishes: Wishes) -> tuple[ev.CallEnded, Path]:
        try:
            data = await self.script_data(facts.script, facts.script_version)
            log = await self._with.log.open(facts.call_id)
        except BaseException:
            await leg.hang_up("fault")
            raise
        prompts = self.prompts(data)
        try:
            with Recorder(data_folder("recordings"), facts.call_id) as recorder:
                ended = await self._drive(facts, leg, wishes, data, prompts, log, recorder)
            return ended, recorder.path
        except BaseException:
            await leg.hang_up("fault")
            raise
        finally:
            await self._finish(log, facts)

    async def _drive(
        self, facts: CallFacts, leg: PhoneLeg, wishes: Wishes, data: VoiceData, prompts: LinePrompts,
        log: JournaledCall, recorder: Recorder,
    ) -> ev.CallEnded:  # fmt: skip
        shared = self._with
        listens = not leg.capabilities.words
        if listens and shared.recogniser is None:
            raise CallRefused("this call needs ears: start the voice process with --recogniser HOST:PORT")
        session = CallSession(
            facts, shared.parameters, self._model(data), final_on_demand=listens,
            transfers=wishes.transfer is not None,
        )  # fmt: skip
        transfer = wishes.transfer

        async def give(wanted: sig.Transfer) -> None:
            if transfer is None:
                raise TransferFailed("nobody can be reached from this line")
            found = transfer(self.held[facts.call_id], wanted)
            if asyncio.iscoroutine(found):
                await found

        adapters = Adapters(
            leg=leg, brain=shared.brain, prompts=prompts, voices=shared.voices, pacer=self.pacer,
            log=Shown(log, wishes.shown) if wishes.shown else log,
            recogniser=shared.recogniser if listens else None, recording=recorder, phrases=data.after,
            line_started=wishes.line_started, transfer=give,
            answering=shared.answering() if wishes.listen_for_machines else None,
        )  # fmt: skip
        driver = CallDriver(facts.call_id, session, adapters, shared.parameters)
        if self._closing:
            raise CallRefused("the voice process is stopping")
        self.held[facts.call_id] = Held(
            facts, leg, driver, lambda: [ev.decode(record) for record in log.journal.records]
        )
        try:
            return await driver.run()
        finally:
            del self.held[facts.call_id]

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
        await self._with.archiver.archive(log)

    def prompts(self, data: VoiceData) -> LinePrompts:
        """The script's sounds; its fixed lines are rendered from the first call on."""
        if data.script not in self._prompts:
            recordings = DesignerAudio(PROJECT / "stories" / data.script / "audio")
            made = LinePrompts(self._voice, folder=data_folder("prompts"), recordings=recordings)
            self._prompts[data.script] = made
            lines = [*own_lines("zh"), *data.fixed_lines()]
            task = asyncio.create_task(_render(made, lines), name=f"prompts {data.script}")
            self._rendering.add(task)
            task.add_done_callback(self._rendering.discard)
        return self._prompts[data.script]


class Shown:
    """A call's log that shows every event to somebody as well (a browser page)."""

    def __init__(self, log: JournaledCall, show: Callable[[ev.AnyEvent], None]) -> None:
        self._log, self._show = log, show

    async def append(self, event: ev.AnyEvent) -> int:
        """Record, show."""
        seq = await self._log.append(event)
        self._show(event)
        return seq


async def _render(prompts: LinePrompts, lines: list[Line]) -> None:
    try:
        for line in lines:
            await prompts.audio(line)
    except SpeechError as error:
        _log.error("lines are not rendered in advance: %s", error)


