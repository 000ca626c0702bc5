"""Joins one call's state machine to the world: a leg, ears, a voice, a brain, a log.

Everything runs on the event loop's clock, real or virtual (`clock`).  Signals are handled one after
the other; frames go out at the ticks of the process's one Pacer.  Events are written in order by one
writer.  Nothing here decides anything about the call.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from bot.call import signals as sig
from bot.call.adapters import Adapters, Answering
from bot.call.hearing import Ears
from bot.call.parameters import Parameters
from bot.call.phases import Phase
from bot.call.playout import Found, Playout
from bot.call.ports import (
    FRAME_MS,
    AudioIn,
    DtmfIn,
    HungUpIn,
    LegInput,
    MarkIn,
    Receive,
    RecogniserError,
    TransferFailed,
    VoiceError,
    VoiceStream,
    WordsIn,
)
from bot.call.session import CallSession
from bot.call.voice_gate import VoiceGate
from bot.events import AnyEvent, CallEnded
from bot.turn import Line, TurnRequest

SAY_BEHIND_EVERY_MS = 500
"""How often the state machine is told that the recogniser is slow."""

log = logging.getLogger(__name__)


class CallDriver:
    """Runs one call from the answer to its end."""

    def __init__(
        self, call_id: str, session: CallSession, adapters: Adapters, parameters: Parameters
    ) -> None:
        self._call_id = call_id
        self._session = session
        self._to = adapters
        self._gate = VoiceGate(parameters)
        self._slow_ears_ms, self._say_behind_ms = parameters.slow_ears_ms, 0
        self._move_s = parameters.move_ms / 1000
        recording = adapters.recording
        self._playout = Playout(adapters.leg, parameters, recording.bot if recording else None)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._events: asyncio.Queue[AnyEvent | None] = asyncio.Queue()
        self._plays: asyncio.Queue[sig.Play] = asyncio.Queue()
        self._lines: dict[int, tuple[Line, ...]] = {}
        self._stops = 0
        self._ears: Ears | None = None
        self._voice: VoiceStream | None = None
        self._taken: Receive | None = None
        self._hanging_up: asyncio.Task[None] | None = None
        self._judged = self._beeped = False
        self._ended: CallEnded | None = None
        self._over: asyncio.Future[None] | None = None

    async def run(self) -> CallEnded:
        """Carry the call to its end; its last event.

        Raises what an adapter raised that no call can survive (the log above all), after hanging up.
        """
        loop = asyncio.get_running_loop()
        self._time = loop.time
        self._started = self._time()
        self._over = loop.create_future()
        writer = asyncio.create_task(self._write())
        writer.add_done_callback(self._finished)
        try:
            if self._to.recogniser is not None:
                self._ears = Ears(await self._to.recogniser.open(self._call_id), self._hears, self._deaf)
            self._voice = self._to.voices.open(self._chance)
            self._signal(sig.Answered(at_ms=0))
            self._spawn(self._render())
            self._to.leg.listen(self._receive)
            self._to.pacer.add(self, self._tick)
            await self._over
        finally:
            self._to.pacer.remove(self)
            if self._session.phase is not Phase.ENDED:
                self._signal(sig.StopAsked(at_ms=self._now(), cause="fault"))
            await self._close()
            self._events.put_nowait(None)
            await asyncio.wait({writer})
        if not writer.cancelled() and (fault := writer.exception()) is not None:
            raise fault
        if self._ended is None:
            raise RuntimeError(f"call {self._call_id} is over without call.ended")
        return self._ended

    async def _close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._hanging_up is not None:
            await self._hanging_up
        if self._voice is not None:
            self._voice.close()
        if self._ears is not None:
            await self._ears.close()

    def stop(self, cause: str) -> None:
        """End the call now, from outside."""
        self._signal_or_break(sig.StopAsked(at_ms=self._now(), cause=cause))

    def give_away(self, receive: Receive) -> None:
        """From now on another one gets what comes from the leg: the call was transferred to him."""
        self._taken = receive

    # -- signals in

    def _now(self) -> int:
        return int((self._time() - self._started) * 1000 + 0.5)

    def _signal(self, signal: sig.Signal) -> None:
        """Tell the state machine, and do what it says; where playing stands comes first."""
        if not isinstance(signal, sig.PlaybackStarted | sig.LineDone):
            position = self._playout.position(signal.at_ms)
            if position is not None:
                self._obey(self._session.handle(position))
        self._obey(self._session.handle(signal))
        if self._session.phase is Phase.ENDED and self._over is not None and not self._over.done():
            self._over.set_result(None)

    def _signal_or_break(self, signal: sig.Signal) -> None:
        """The same, where nobody above would make a fault the call's own."""
        try:
            self._signal(signal)
        except Exception as fault:
            self._broken(fault)

    def _receive(self, item: LegInput) -> None:
        """Whatever the leg gives; a fault in here is a fault of this call alone."""
        if self._taken is not None:
            self._taken(item)
            return
        try:
            self._take(item)
        except Exception as fault:
            self._broken(fault)

    def _take(self, item: LegInput) -> None:
        if self._session.phase is Phase.ENDED:
            return
        match item:
            case AudioIn(pcm=pcm):
                now = self._now()
                if self._to.recording is not None:
                    self._to.recording.customer(pcm, max(0, now - FRAME_MS))
                if self._voice is not None:
                    self._voice.feed(pcm)
                if self._ears is not None:
                    self._feed_ears(self._ears, pcm)
                if self._to.answering is not None:
                    self._to.answering.hear_frame(pcm, now)
                    self._judge_answering(self._to.answering)
            case WordsIn():
                self._words(item)
            case MarkIn(name=name):
                self._played(self._playout.marked(name, self._now()))
            case DtmfIn(digit=digit):
                self._signal(sig.Key(at_ms=self._now(), digit=digit))
            case HungUpIn(cause=cause):
                self._signal(sig.FarHangup(at_ms=self._now(), cause=cause))

    def _feed_ears(self, ears: Ears, pcm: bytes) -> None:
        ears.feed(pcm)
        now = self._now()
        if ears.behind_ms >= self._slow_ears_ms and now >= self._say_behind_ms:
            self._say_behind_ms = now + SAY_BEHIND_EVERY_MS
            self._signal(sig.EarsBehind(at_ms=now, behind_ms=ears.behind_ms))

    def _chance(self, chance: float) -> None:
        """The chance of a voice in one frame."""
        try:
            found = self._gate.step(chance, self._now())
            if found is not None:
                if self._to.answering is not None:
                    self._to.answering.voice(isinstance(found, sig.VoiceStarted), found.since_ms)
                self._signal(found)
        except Exception as fault:
            self._broken(fault)

    def _hears(self, words: WordsIn) -> None:
        """What the recogniser gives."""
        try:
            self._words(words)
        except Exception as fault:
            self._broken(fault)

    def _words(self, words: WordsIn) -> None:
        now = self._now()
        if self._to.answering is not None:
            self._to.answering.hear_words(words.text, words.final, now)
            self._judge_answering(self._to.answering)
        self._signal(
            sig.Words(
                at_ms=now,
                text=words.text,
                final=words.final,
                utterance_id=words.utterance_id,
                confidence=words.confidence,
                typed=words.typed,
            )
        )

    def _judge_answering(self, answering: Answering) -> None:
        verdict = answering.verdict
        if verdict is not None and not self._judged:
            self._judged = True
            if verdict.kind not in ("person", "unknown", "beep"):
                heard = sig.MachineHeard(at_ms=self._now(), what=verdict.kind, reason=verdict.reason)
                self._signal(heard)
        if answering.beep_ms is not None and not self._beeped:
            self._beeped = True
            self._signal(sig.BeepHeard(at_ms=self._now()))

    def _deaf(self, error: RecogniserError) -> None:
        log.error("call %s: the recogniser failed: %s", self._call_id, error)
        if self._ears is not None:
            self._spawn(self._ears.close())
        self._ears = None
        self._signal_or_break(sig.EarsFailed(at_ms=self._now(), reason=str(error)))

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
                    self._playout.duck(True)
                case sig.Unduck():
                    self._playout.duck(False)
                case sig.AskBrain(request=request):
                    self._spawn(self._ask(request))
                case sig.Prepare(lines=lines):
                    self._spawn(self._prepare(lines))
                case sig.EndUtterance():
                    if self._ears is not None:
                        self._ears.end_utterance()
                case sig.Transfer():
                    self._spawn(self._transfer(command))
                case sig.HangUp(cause=cause):
                    self._hanging_up = asyncio.create_task(self._to.leg.hang_up(cause))

    def _set_timer(self, name: str, at_ms: int) -> None:
        if (old := self._timers.pop(name, None)) is not None:
            old.cancel()

        def ring() -> None:
            self._timers.pop(name, None)
            self._signal_or_break(sig.TimerFired(at_ms=max(at_ms, self._now()), name=name))

        loop = asyncio.get_running_loop()
        self._timers[name] = loop.call_at(self._started + at_ms / 1000, ring)

    def _silence(self) -> None:
        self._stops += 1
        self._playout.stop()
        while not self._plays.empty():
            self._plays.get_nowait()

    async def _transfer(self, wanted: sig.Transfer) -> None:
        try:
            if self._to.transfer is None:
                raise TransferFailed("nobody can be reached from here")
            async with asyncio.timeout(self._move_s):  # the bot takes the call back then
                await self._to.transfer(wanted)
        except (TransferFailed, TimeoutError) as error:
            log.warning("call %s is not transferred: %s", self._call_id, error)
            self._signal(sig.TransferRefused(at_ms=self._now(), reason=str(error)))
        else:
            self._signal(sig.TransferDone(at_ms=self._now()))

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
            self._ears.expect(self._to.phrases(reply))

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
                self._playout.play(wanted.play, tuple(sounds), wanted.skip_ms)
                self._played(self._playout.tick(self._now()))

    def _tick(self) -> None:
        """One tick of the pacer."""
        try:
            self._played(self._playout.tick(self._now()))
        except Exception as fault:
            self._broken(fault)

    def _played(self, found: list[Found]) -> None:
        stops = self._stops
        for signal in found:
            if stops != self._stops:
                return
            self._signal(signal)
            self._tell(signal)

    def _tell(self, signal: Found) -> None:
        """Whoever wants to know which line begins is told."""
        if self._to.line_started is None:
            return
        lines = self._lines.get(signal.play, ())
        number = 0 if isinstance(signal, sig.PlaybackStarted) else signal.line + 1
        if number < len(lines):
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
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._broken(fault)

    def _broken(self, fault: BaseException) -> None:
        """A fault in any part is a fault of the call: it ends, and `run` raises it."""
        if self._over is not None and not self._over.done():
            self._over.set_exception(fault)
