"""Joins one call's state machine to the world: a leg, ears, a voice, a brain, a log.

Everything runs on the event loop's clock, real or virtual (`clock`).  Signals are handled one after
the other; frames go out on absolute deadlines, so that a late one does not shift those after it.
Events are written in order by one writer.  Nothing here decides anything about the call.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.call import signals as sig
from bot.call.audio_path import Speaker, VoiceGate
from bot.call.parameters import Parameters
from bot.call.phases import Phase
from bot.call.ports import (
    FRAME_MS,
    AudioIn,
    Brain,
    CallLog,
    DtmfIn,
    HungUpIn,
    LegInput,
    PhoneLeg,
    Prompts,
    Recogniser,
    RecogniserError,
    RecogniserStream,
    VoiceDetector,
    VoiceError,
    WordsIn,
)
from bot.call.session import CallSession
from bot.events import AnyEvent, CallEnded
from bot.turn import Line, Reply, TurnRequest

log = logging.getLogger(__name__)

LATEST_FRAME_MS = 200
"""A frame later than this is not made up for: the clock of the outgoing side starts anew."""


class Recording(Protocol):
    """Takes both sides of a call; times are the beginnings of frames in ms of the call's clock."""

    def customer(self, pcm: bytes, at_ms: int) -> None: ...

    def bot(self, pcm: bytes, at_ms: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Adapters:
    """What one call runs on.

    `recogniser`: None where the leg delivers words itself.  `phrases`: likely answers after a reply,
    for recognisers with a closed grammar.  `line_started`: told when a line begins to play.
    """

    leg: PhoneLeg
    brain: Brain
    prompts: Prompts
    detector: VoiceDetector
    log: CallLog
    recogniser: Recogniser | None = None
    recording: Recording | None = None
    phrases: Callable[[Reply], Sequence[str]] | None = None
    line_started: Callable[[Line], None] | None = None


class CallDriver:
    """Runs one call from the answer to its end."""

    def __init__(
        self, call_id: str, session: CallSession, adapters: Adapters, parameters: Parameters
    ) -> None:
        self._call_id = call_id
        self._session = session
        self._to = adapters
        self._gate = VoiceGate(adapters.detector, parameters)
        self._speaker = Speaker(parameters)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._events: asyncio.Queue[AnyEvent | None] = asyncio.Queue()
        self._plays: asyncio.Queue[sig.Play] = asyncio.Queue()
        self._lines: dict[int, tuple[Line, ...]] = {}
        self._stops = 0
        self._ears: RecogniserStream | None = None
        self._hanging_up: asyncio.Task[None] | None = None
        self._ended: CallEnded | None = None

    async def run(self) -> CallEnded:
        """Carry the call to its end; its last event.

        Raises what an adapter raised that no call can survive (the log above all), after hanging up.
        """
        loop = asyncio.get_running_loop()
        self._started = loop.time()
        self._over: asyncio.Future[None] = loop.create_future()
        writer = asyncio.create_task(self._write())
        writer.add_done_callback(self._finished)
        if self._to.recogniser is not None:
            self._ears = await self._to.recogniser.open(self._call_id)
            self._spawn(self._hear_words(self._ears))
        self._signal(sig.Answered(at_ms=0))
        for work in (self._read_leg(), self._send_frames(), self._render()):
            self._spawn(work)
        try:
            await self._over
        finally:
            if self._session.phase is not Phase.ENDED:
                self._signal(sig.StopAsked(at_ms=self._now(), cause="fault"))
            for timer in self._timers.values():
                timer.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if self._hanging_up is not None:
                await self._hanging_up
            if self._ears is not None:
                await self._ears.close()
            self._events.put_nowait(None)
            await asyncio.wait({writer})
        if not writer.cancelled() and (fault := writer.exception()) is not None:
            raise fault
        if self._ended is None:
            raise RuntimeError(f"call {self._call_id} is over without call.ended")
        return self._ended

    def stop(self, cause: str) -> None:
        """End the call now, from outside."""
        self._signal(sig.StopAsked(at_ms=self._now(), cause=cause))

    def machine_heard(self) -> None:
        """Whoever listens for answering machines found one."""
        self._signal(sig.MachineHeard(at_ms=self._now()))

    # -- signals in

    def _now(self) -> int:
        return round((asyncio.get_running_loop().time() - self._started) * 1000)

    def _signal(self, signal: sig.Signal) -> None:
        """Tell the state machine, and do what it says; where playing stands comes first."""
        position = self._speaker.position(signal.at_ms)
        if position is not None and not isinstance(signal, sig.PlaybackStarted | sig.LineDone):
            self._obey(self._session.handle(position))
        self._obey(self._session.handle(signal))
        if self._session.phase is Phase.ENDED and not self._over.done():
            self._over.set_result(None)

    async def _read_leg(self) -> None:
        async for item in self._to.leg.incoming():
            await self._take(item)
            if isinstance(item, HungUpIn):
                return
        self._signal(sig.FarHangup(at_ms=self._now(), cause="line_lost"))

    async def _take(self, item: LegInput) -> None:
        now = self._now()
        match item:
            case AudioIn(pcm=pcm):
                if self._to.recording is not None:
                    self._to.recording.customer(pcm, max(0, now - FRAME_MS))
                found = self._gate.feed(pcm, now)
                if found is not None:
                    self._signal(found)
                if self._ears is not None:
                    await self._listen(self._ears, pcm)
            case WordsIn():
                self._words(item)
            case DtmfIn(digit=digit):
                self._signal(sig.Key(at_ms=now, digit=digit))
            case HungUpIn(cause=cause):
                self._signal(sig.FarHangup(at_ms=now, cause=cause))

    async def _listen(self, ears: RecogniserStream, pcm: bytes) -> None:
        try:
            await ears.feed(pcm)
        except RecogniserError as error:
            self._deaf(error)

    async def _hear_words(self, ears: RecogniserStream) -> None:
        try:
            async for words in ears.words():
                self._words(words)
        except RecogniserError as error:
            self._deaf(error)

    def _deaf(self, error: RecogniserError) -> None:
        log.error("call %s: the recogniser failed: %s", self._call_id, error)
        self._ears = None
        self._signal(sig.EarsFailed(at_ms=self._now(), reason=str(error)))

    def _words(self, words: WordsIn) -> None:
        self._signal(
            sig.Words(
                at_ms=self._now(),
                text=words.text,
                final=words.final,
                utterance_id=words.utterance_id,
                confidence=words.confidence,
            )
        )

    # -- commands out

    def _obey(self, commands: list[sig.Command]) -> None:
        for command in commands:
            match command:
                case sig.Log(event=event):
                    self._events.put_nowait(event)
                    if isinstance(event, CallEnded):
                        self._ended = event
                case sig.SetTimer(name=name, at_ms=at_ms):
                    self._set_timer(name, at_ms)
                case sig.CancelTimer(name=name):
                    if (timer := self._timers.pop(name, None)) is not None:
                        timer.cancel()
                case sig.Play():
                    self._lines[command.play] = command.lines
                    self._plays.put_nowait(command)
                case sig.StopPlayback():
                    self._silence()
                case sig.Duck():
                    self._speaker.duck(True)
                case sig.Unduck():
                    self._speaker.duck(False)
                case sig.AskBrain(request=request):
                    self._spawn(self._ask(request))
                case sig.Prepare(lines=lines):
                    self._spawn(self._prepare(lines))
                case sig.EndUtterance():
                    if self._ears is not None:
                        self._spawn(self._ears.end_utterance())
                case sig.HangUp(cause=cause):
                    self._hanging_up = asyncio.create_task(self._to.leg.hang_up(cause))

    def _set_timer(self, name: str, at_ms: int) -> None:
        if (old := self._timers.pop(name, None)) is not None:
            old.cancel()

        def ring() -> None:
            self._timers.pop(name, None)
            self._signal(sig.TimerFired(at_ms=max(at_ms, self._now()), name=name))

        loop = asyncio.get_running_loop()
        self._timers[name] = loop.call_at(self._started + at_ms / 1000, ring)

    def _silence(self) -> None:
        self._stops += 1
        self._speaker.stop()
        while not self._plays.empty():
            self._plays.get_nowait()
        if self._to.leg.capabilities.flush:
            self._spawn(self._to.leg.flush())

    async def _ask(self, request: TurnRequest) -> None:
        try:
            reply = await self._to.brain.ask(request)
        except (TimeoutError, ConnectionError) as error:
            if not request.speculative:
                log.warning("call %s turn %d: no reply: %r", self._call_id, request.turn, error)
                reason = "deadline" if isinstance(error, TimeoutError) else "unreachable"
                self._signal(sig.BrainLate(at_ms=self._now(), turn=request.turn, reason=reason))
            return
        self._signal(sig.ReplyReady(at_ms=self._now(), reply=reply, text=request.text))
        if self._ears is not None and self._to.phrases is not None and not request.speculative:
            await self._ears.expect(self._to.phrases(reply))

    async def _prepare(self, lines: tuple[Line, ...]) -> None:
        try:
            await asyncio.gather(*(self._to.prompts.audio(line) for line in lines))
        except VoiceError as error:
            log.warning("call %s: a line could not be prepared: %s", self._call_id, error)

    async def _render(self) -> None:
        """Turns what is to be played into sound, row by row."""
        while True:
            wanted = await self._plays.get()
            stops = self._stops
            try:
                sounds = await asyncio.gather(*(self._to.prompts.audio(line) for line in wanted.lines))
            except VoiceError as error:
                log.error("call %s: a line could not be spoken: %s", self._call_id, error)
                self._signal(sig.VoiceFailed(at_ms=self._now(), play=wanted.play, reason=str(error)))
                return
            if stops == self._stops:
                self._speaker.play(wanted.play, tuple(sounds))

    async def _send_frames(self) -> None:
        """One frame each 20 ms on absolute deadlines, silence where nothing is said."""
        loop = asyncio.get_running_loop()
        deadline = loop.time()
        while True:
            now = self._now()
            pcm, found = self._speaker.frame(now)
            stops = self._stops
            for signal in found:
                self._signal(signal)
                self._tell(signal)
            if stops == self._stops:
                if self._to.recording is not None:
                    self._to.recording.bot(pcm, now)
                await self._to.leg.send(pcm)
            deadline += FRAME_MS / 1000
            late = loop.time() - deadline
            if late * 1000 > LATEST_FRAME_MS:
                log.warning("call %s: frames are %.0f ms late", self._call_id, late * 1000)
                deadline = loop.time()
            await asyncio.sleep(max(0.0, -late))

    def _tell(self, signal: sig.PlaybackStarted | sig.LineDone) -> None:
        """Whoever wants to know which line begins is told."""
        lines = self._lines.get(signal.play, ())
        number = 0 if isinstance(signal, sig.PlaybackStarted) else signal.line + 1
        if number < len(lines) and self._to.line_started is not None:
            self._to.line_started(lines[number])

    # -- tasks

    async def _write(self) -> None:
        while (event := await self._events.get()) is not None:
            await self._to.log.append(event)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        """A fault in any task is a fault of the call: it ends, and `run` raises it."""
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None and not self._over.done():
            self._over.set_exception(fault)
