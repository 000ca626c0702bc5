"""One call's state machine: signals in, commands out; no clock, no input or output.

Phases and their legal steps are the table in `phases`.  Decisions about turns are in `turns`; this
file only carries them out.  A signal that cannot come raises IllegalStep and changes nothing; one
that lost a race (a reply to an older turn, anything after the end) does nothing.
Order within one answer: what stops comes before what starts, and nothing follows call.ended.
"""

from __future__ import annotations

from bot import events as ev
from bot.call import signals as sig
from bot.call.floor_taking import FloorTaking
from bot.call.journal import CallFacts
from bot.call.listening import Listening
from bot.call.nobody import nobody
from bot.call.own_lines import APOLOGY, CLOSING, FILLER, HOLDING
from bot.call.parameters import Parameters
from bot.call.phases import IllegalStep, Phase
from bot.call.state import CallState
from bot.call.voicemail import Voicemail
from bot.turn import Reply
from bot.understanding.completeness import Completeness


class CallSession:
    """`handle` takes one signal and gives the commands it leads to."""

    def __init__(
        self,
        facts: CallFacts,
        parameters: Parameters,
        completeness: Completeness,
        *,
        final_on_demand: bool = False,
        transfers: bool = False,
    ) -> None:
        """`final_on_demand`: the ears give their final text when told that the turn is over.
        `transfers`: a call that the brain hands over is really given to a person."""
        self._call = CallState(
            facts, parameters, completeness, final_on_demand=final_on_demand, transfers=transfers
        )
        self._listening = Listening(self._call)
        self._floor = FloorTaking(self._call)
        self._voicemail = Voicemail(self._call)

    @property
    def phase(self) -> Phase:
        """Where the call stands."""
        return self._call.phase

    @property
    def turn(self) -> int:
        """The newest turn's number."""
        return self._call.asking.turn

    def handle(self, signal: sig.Signal) -> list[sig.Command]:
        """The commands that follow, in order.  Raises IllegalStep for what cannot come now."""
        if self._call.phase is Phase.ENDED:
            return []
        if self._call.phase is Phase.NEW:
            legal = isinstance(signal, sig.Answered | sig.FarHangup | sig.StopAsked)
        else:
            legal = not isinstance(signal, sig.Answered)
        if not legal:
            raise IllegalStep(f"{type(signal).__name__} cannot come while a call is {self._call.phase.value}")
        self._call.now = max(self._call.now, signal.at_ms)
        self._take(signal)
        self._review()
        out = list(self._call.out)
        self._call.out.clear()
        return out

    def _take(self, signal: sig.Signal) -> None:
        match signal:
            case sig.Answered():
                self._answer()
            case sig.VoiceStarted():
                if self._call.customer.voice_started(signal, self._call.now):
                    self._call.log(ev.SpeechStarted, party="customer")
                    self._call.lower()
            case sig.VoiceStopped():
                if self._call.customer.voice_stopped(signal, self._call.now):
                    self._call.log(ev.SpeechEnded, party="customer")
            case sig.Words():
                self._listening.hear(signal)
            case sig.ReplyReady(reply=reply) if reply.speculation is not None:
                if self._call.asking.keep(reply, signal.text):
                    self._call.out.append(sig.Prepare(reply.lines))
            case sig.ReplyReady():
                self._answered(signal.reply)
            case sig.BrainLate():
                if signal.turn == self._call.asking.turn and not self._call.asking.answered:
                    self._call.timers.set("retry", self._call.now + 200)
            case sig.PlaybackStarted():
                self._sounds(signal)
            case sig.PlaybackAt():
                self._call.mouth.at(signal)
            case sig.LineDone():
                self._call.mouth.done(signal, self._call.now)
            case sig.TimerFired():
                if self._call.timers.fired(signal.name, self._call.now):
                    self._ring(signal.name)
            case sig.Key():
                self._call.log(ev.Dtmf, digit=signal.digit)
                self._call.keys, self._call.keys_ms = self._call.keys + signal.digit, self._call.now
            case sig.MachineHeard():
                self._nobody(signal)
            case sig.BeepHeard():
                self._voicemail.beep()
            case sig.TransferDone():
                if self._call.phase is Phase.MOVING:
                    self._call.end("bot", "transferred", "transferred", far=True)
            case sig.TransferRefused():
                if self._call.phase is Phase.MOVING:
                    self._call.mouth.stop(self._call.now)
                    self._call.ask("transfer_failed")
            case sig.EarsBehind():
                self._listening.slow_ears(signal)
            case sig.FarHangup(cause="transferred") if self._call.phase is Phase.MOVING:
                self._call.end("bot", "transferred", "transferred", far=True)  # the line tells it first
            case sig.FarHangup():
                self._call.end(
                    "customer",
                    signal.cause,
                    "hung_up" if self._call.phase is not Phase.NEW else "no_answer",
                    far=True,
                    sure=self._call.phase is Phase.MOVING,
                )
            case sig.StopAsked():
                self._call.end("system", signal.cause, "failed")
            case sig.VoiceFailed():
                self._call.end("system", "voice_failed", "failed")
            case sig.EarsFailed():
                self._call.farewell(APOLOGY, "ears_failed")

    def _nobody(self, heard: sig.MachineHeard) -> None:
        """A machine, an announcement or a tone answered."""
        if self._call.phase in (Phase.ENDING, Phase.MOVING):
            return
        found = nobody(heard.what, heard.reason)
        if found.disposition is not None:
            self._call.end("system", found.cause, found.disposition, sure=True)
            return
        self._call.interrupt()
        self._call.ask("voicemail")

    def _answer(self) -> None:
        self._call.out.append(sig.Log(self._call.journal.started()))
        self._call.answered_ms = self._call.now
        self._call.log(ev.CallAnswered)
        self._call.timers.set("longest", self._call.now + self._call.p.longest_call_ms)
        self._call.ask("open")

    def _answered(self, reply: Reply) -> None:
        """The true reply to a turn is there."""
        asking = self._call.asking
        if (late := asking.late.pop(reply.turn, None)) is not None:
            self._call.out += [
                sig.Log(event) for event in self._call.journal.understood(self._call.now, reply, late)
            ]
        if (
            reply.turn != asking.turn
            or asking.answered
            or asking.request is None
            or self._call.phase is Phase.ENDING
        ):
            return
        asking.answered, asking.timing.replied_ms = True, self._call.now
        self._call.timers.cancel("filler", "give_up", "retry")
        self._call.out += [
            sig.Log(event) for event in self._call.journal.understood(self._call.now, reply, asking.request)
        ]
        foreseen, self._call.foreseen = self._call.foreseen, None
        self._call.reply = reply
        if foreseen is not None:
            if foreseen.lines == reply.lines and not reply.ended:
                return
            self._call.interrupt()
        if reply.error and not reply.lines:
            self._call.farewell(APOLOGY, "brain_error")
        elif self._voicemail.is_message(reply):
            self._voicemail.keep(reply)
        elif reply.ended:
            self._call.speak(reply)
        elif not reply.lines:
            if not self._call.go_on(reply):
                self._call.listen(reply.expects)
        elif not (self._call.customer.voice or self._call.customer.text):
            self._call.speak(reply)
        elif self._call.phase is Phase.THINKING:
            self._call.held = reply
        else:
            self._call.mouth.unsaid(reply, self._call.now)

    def _sounds(self, started: sig.PlaybackStarted) -> None:
        self._call.asking.timing.sounded_ms = self._call.now
        if self._call.mouth.begin(started, self._call.now) and self._call.customer.voice:
            self._call.lower()

    def _ring(self, name: str) -> None:
        """A timer ran out; those not named here only lead to the review."""
        match name:
            case "silence":
                if self._call.waiting_for_words:
                    self._call.log(ev.Silence, ms=self._call.now - self._call.listening_ms)
                    self._call.ask("silence")
            case "no_match":
                if self._call.phase is Phase.LISTENING and not self._call.customer.text:
                    self._call.drop_words()
                    self._call.ask("no_match")
            case "comfort":
                if self._call.waiting_for_words and not self._call.mouth.busy:
                    self._call.comfort(FILLER)
            case "final":
                if self._call.closing:
                    self._listening.commit()
            case "filler":
                if (
                    self._call.phase is Phase.THINKING
                    and self._call.asking.kind != "voicemail"
                    and not self._call.mouth.busy
                    and not self._call.customer.voice
                ):
                    self._call.comfort(FILLER)
            case "hold":
                if self._call.phase is Phase.MOVING:
                    self._call.comfort(HOLDING)
                    self._call.timers.set("hold", self._call.now + self._call.p.hold_every_ms)
            case "move":
                if self._call.phase is Phase.MOVING:
                    self._call.mouth.stop(self._call.now)
                    self._call.ask("transfer_failed")
            case "retry":
                if not self._call.asking.answered and self._call.asking.request is not None:
                    self._call.out.append(sig.AskBrain(self._call.asking.request))
            case "give_up":
                self._call.farewell(APOLOGY, "brain_down")
            case "longest":
                self._call.farewell(CLOSING, "too_long")

    def _review(self) -> None:
        """Nothing applies once the call is over."""
        if self._call.phase is Phase.ENDING:
            self._voicemail.review()
        if self._call.phase is Phase.ENDING and not self._call.mouth.busy and self._call.message is None:
            if self._call.moving_to is not None and self._call.cause == "normal":
                self._call.move(self._call.moving_to)
            else:
                self._call.end(
                    "bot", self._call.cause, "failed" if self._call.cause != "normal" else "completed"
                )
        if self._call.phase is Phase.SPEAKING and not self._call.mouth.busy:
            self._call.listen(self._call.expects)
        if self._call.phase is Phase.SPEAKING or (
            self._call.phase is Phase.THINKING and self._call.mouth.busy
        ):
            self._floor.review_speaking()
        elif self._call.phase is Phase.THINKING and self._call.held is not None:
            self._floor.review_held(self._call.held)
        if self._call.phase is Phase.LISTENING:
            self._listening.review()
