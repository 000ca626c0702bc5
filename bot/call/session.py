"""One call's state machine: signals in, commands out; no clock, no input or output.

Phases and their legal steps are the table in `phases`.  Decisions about turns are in `turns`; this
file only carries them out.  A signal that cannot come raises IllegalStep and changes nothing; one
that lost a race (a reply to an older turn, anything after the end) does nothing.
Order within one answer: what stops comes before what starts, and nothing follows call.ended.
"""

from __future__ import annotations

from typing import Any

from bot import events as ev
from bot.call import signals as sig
from bot.call.asking import Asking, Timing
from bot.call.customer import Customer
from bot.call.journal import CallFacts, Journal
from bot.call.mouth import Mouth
from bot.call.nobody import nobody
from bot.call.own_lines import APOLOGY, CLOSING, FILLER, HOLDING, own_line
from bot.call.parameters import Parameters
from bot.call.phases import IllegalStep, Phase, Step, step
from bot.call.timers import Timers
from bot.call.turns import Asked, Floor, Hearing, asked_now, floor, silence_ms, turn_ends_ms
from bot.turn import Expects, Line, Reply, TurnKind
from bot.understanding.completeness import Completeness

_OF_LISTENING = ("silence", "no_match", "comfort", "turn_end", "stable", "keys")


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
        self.phase = Phase.NEW
        self._p = parameters
        self._completeness = completeness
        self._final_on_demand = final_on_demand
        self._transfers = transfers
        self._facts = facts
        self._journal = Journal(facts)
        self._customer = Customer(parameters)
        self._asking = Asking(facts, parameters)
        self._now = 0
        self._out: list[sig.Command] = []
        self._timers = Timers(self._out)
        self._mouth = Mouth(self._journal, self._out, self._budget)
        self._answered_ms = 0
        self._expects: Expects = "none"
        self._reply: Reply | None = None  # the newest that decides what comes next
        self._held: Reply | None = None  # came while the customer was speaking
        self._foreseen: Reply | None = None  # played before the true reply was there
        self._listening_ms = 0
        self._closing = False  # waiting for the recogniser's final text
        self._keys = ""
        self._keys_ms = 0
        self._fillers = 0
        self._cause = "normal"
        self._moving: sig.Transfer | None = None  # what follows the last lines
        self._deaf_until_ms = 0  # the recogniser is behind: its words are waited for

    def handle(self, signal: sig.Signal) -> list[sig.Command]:
        """The commands that follow, in order.  Raises IllegalStep for what cannot come now."""
        if self.phase is Phase.ENDED:
            return []
        if self.phase is Phase.NEW:
            legal = isinstance(signal, sig.Answered | sig.FarHangup | sig.StopAsked)
        else:
            legal = not isinstance(signal, sig.Answered)
        if not legal:
            raise IllegalStep(f"{type(signal).__name__} cannot come while a call is {self.phase.value}")
        self._now = max(self._now, signal.at_ms)
        self._take(signal)
        self._review()
        out = list(self._out)
        self._out.clear()
        return out

    # -- signals

    def _take(self, signal: sig.Signal) -> None:
        match signal:
            case sig.Answered():
                self._answer()
            case sig.VoiceStarted():
                if self._customer.voice_started(signal, self._now):
                    self._log(ev.SpeechStarted, party="customer")
                    self._lower()
            case sig.VoiceStopped():
                if self._customer.voice_stopped(signal, self._now):
                    self._log(ev.SpeechEnded, party="customer")
            case sig.Words():
                self._hear(signal)
            case sig.ReplyReady(reply=reply) if reply.speculation is not None:
                if self._asking.keep(reply, signal.text):
                    self._out.append(sig.Prepare(reply.lines))
            case sig.ReplyReady():
                self._answered(signal.reply)
            case sig.BrainLate():
                if signal.turn == self._asking.turn and not self._asking.answered:
                    self._timers.set("retry", self._now + 200)
            case sig.PlaybackStarted():
                self._sounds(signal)
            case sig.PlaybackAt():
                self._mouth.at(signal)
            case sig.LineDone():
                self._mouth.done(signal, self._now)
            case sig.TimerFired():
                if self._timers.fired(signal.name, self._now):
                    self._ring(signal.name)
            case sig.Key():
                self._log(ev.Dtmf, digit=signal.digit)
                self._keys, self._keys_ms = self._keys + signal.digit, self._now
            case sig.MachineHeard():
                self._nobody(signal)
            case sig.TransferDone():
                if self.phase is Phase.MOVING:
                    self._end("bot", "transferred", "transferred", far=True)
            case sig.TransferRefused():
                if self.phase is Phase.MOVING:
                    self._mouth.stop(self._now)
                    self._ask("transfer_failed")
            case sig.EarsBehind():
                self._slow_ears(signal)
            case sig.FarHangup():
                self._end(
                    "customer",
                    signal.cause,
                    "hung_up" if self.phase is not Phase.NEW else "no_answer",
                    far=True,
                )
            case sig.StopAsked():
                self._end("system", signal.cause, "failed")
            case sig.VoiceFailed():
                self._end("system", "voice_failed", "failed")
            case sig.EarsFailed():
                self._farewell(APOLOGY, "ears_failed")

    def _nobody(self, heard: sig.MachineHeard) -> None:
        """A machine, an announcement or a tone answered."""
        if self.phase in (Phase.ENDING, Phase.MOVING):
            return
        found = nobody(heard.what, heard.reason)
        if found.disposition is not None:
            self._end("system", found.cause, found.disposition, sure=True)
            return
        self._interrupt()
        self._ask("voicemail")

    def _slow_ears(self, signal: sig.EarsBehind) -> None:
        """His words are on their way: neither silence nor no_match is due."""
        self._deaf_until_ms = self._now + self._p.slow_ears_wait_ms
        quiet = self._customer.quiet_ms
        if self.phase is Phase.LISTENING and quiet is not None and not self._customer.voice:
            self._timers.set("comfort", max(self._now, quiet + self._p.filler_ms))

    def _answer(self) -> None:
        self._out.append(sig.Log(self._journal.started()))
        self._answered_ms = self._now
        self._log(ev.CallAnswered)
        self._timers.set("longest", self._now + self._p.longest_call_ms)
        self._ask("open")

    def _hear(self, words: sig.Words) -> None:
        customer = self._customer
        if customer.add(words, self._now) and customer.text:
            begin = customer.begin_ms if customer.begin_ms is not None else self._now
            event = self._journal.partial(
                self._now, customer.utterance_id, customer.text, begin, words.confidence
            )
            self._out.append(sig.Log(event))
            self._lower()
        if words.final and self._closing:
            self._commit()

    def _answered(self, reply: Reply) -> None:
        """The true reply to a turn is there."""
        asking = self._asking
        if (late := asking.late.pop(reply.turn, None)) is not None:
            self._out += [sig.Log(event) for event in self._journal.understood(self._now, reply, late)]
        if (
            reply.turn != asking.turn
            or asking.answered
            or asking.request is None
            or self.phase is Phase.ENDING
        ):
            return
        asking.answered, asking.timing.replied_ms = True, self._now
        self._timers.cancel("filler", "give_up", "retry")
        self._out += [sig.Log(event) for event in self._journal.understood(self._now, reply, asking.request)]
        foreseen, self._foreseen = self._foreseen, None
        self._reply = reply
        if foreseen is not None:
            if foreseen.lines == reply.lines and not reply.ended:
                return
            self._interrupt()
        if reply.error and not reply.lines:
            self._farewell(APOLOGY, "brain_error")
        elif reply.ended:
            self._speak(reply)
        elif not reply.lines:
            if not self._go_on(reply):
                self._listen(reply.expects)
        elif not (self._customer.voice or self._customer.text):
            self._speak(reply)
        elif self.phase is Phase.THINKING:
            self._held = reply
        else:
            self._mouth.unsaid(reply, self._now)

    def _sounds(self, started: sig.PlaybackStarted) -> None:
        self._asking.timing.sounded_ms = self._now
        if self._mouth.begin(started, self._now) and self._customer.voice:
            self._lower()

    def _ring(self, name: str) -> None:
        """A timer ran out; those not named here only lead to the review."""
        match name:
            case "silence":
                if self._waiting_for_words:
                    self._log(ev.Silence, ms=self._now - self._listening_ms)
                    self._ask("silence")
            case "no_match":
                if self._waiting_for_words:
                    self._customer.take()
                    self._ask("no_match")
            case "comfort":
                if self._waiting_for_words and not self._mouth.busy:
                    self._comfort(FILLER)
            case "final":
                if self._closing:
                    self._commit()
            case "filler":
                if self.phase is Phase.THINKING and not self._mouth.busy and not self._customer.voice:
                    self._comfort(FILLER)
            case "hold":
                if self.phase is Phase.MOVING:
                    self._comfort(HOLDING)
                    self._timers.set("hold", self._now + self._p.hold_every_ms)
            case "move":
                if self.phase is Phase.MOVING:
                    self._mouth.stop(self._now)
                    self._ask("transfer_failed")
            case "retry":
                if not self._asking.answered and self._asking.request is not None:
                    self._out.append(sig.AskBrain(self._asking.request))
            case "give_up":
                self._farewell(APOLOGY, "brain_down")
            case "longest":
                self._farewell(CLOSING, "too_long")

    # -- what follows from what is known now

    def _review(self) -> None:
        """Nothing applies once the call is over."""
        if self.phase is Phase.ENDING and not self._mouth.busy:
            if self._moving is not None and self._cause == "normal":
                self._move(self._moving)
            else:
                self._end("bot", self._cause, "failed" if self._cause != "normal" else "completed")
        if self.phase is Phase.SPEAKING and not self._mouth.busy:
            self._listen(self._expects)
        if self.phase is Phase.SPEAKING or (self.phase is Phase.THINKING and self._mouth.busy):
            self._review_speaking()
        elif self.phase is Phase.THINKING and self._held is not None:
            self._review_held(self._held)
        if self.phase is Phase.LISTENING:
            self._review_listening()

    def _review_speaking(self) -> None:
        """The bot speaks: does the customer stop it?"""
        mouth, customer = self._mouth, self._customer
        if self._keys and mouth.interruptible:
            self._interrupt()
            return
        if not (customer.voice or customer.text or mouth.lowered):
            return
        asked = asked_now(self._expects if mouth.begun else "none", mouth.left_ms, self._p)
        verdict = self._floor(mouth.line.text if mouth.line else "", asked)
        if verdict is Floor.STOP and mouth.guard_left_ms:
            self._timers.set("guard", self._now + mouth.guard_left_ms)
        elif verdict is Floor.STOP and mouth.interruptible:
            if self.phase is Phase.SPEAKING:
                self._interrupt()
            else:
                mouth.stop(self._now)  # a filler
        elif verdict is Floor.RAISE:
            mouth.lift()
            self._ignore()

    def _review_held(self, reply: Reply) -> None:
        """A reply waits because the customer was speaking: was it to us?"""
        verdict = self._floor("", "none") if self._customer.voice or self._customer.text else Floor.RAISE
        if verdict is Floor.STOP:
            self._held = None
            self._mouth.unsaid(reply, self._now)
            self._listen(reply.expects)
        elif verdict is Floor.RAISE:
            self._held = None
            self._ignore()
            self._speak(reply)

    def _floor(self, bot_line: str, asked: Asked) -> Floor:
        hearing, since = self._customer.hearing, self._customer.voice_since_ms
        verdict = floor(hearing, bot_line, asked, self._now, since, self._p)
        if verdict is Floor.WAIT:
            quiet = hearing.quiet_ms if hearing.quiet_ms is not None else since
            moments = (
                hearing.words_ms + self._p.settle_ms,
                quiet + self._p.raise_ms,
                since + self._p.noise_ms,
            )
            later = [moment for moment in moments if moment > self._now]
            if later:
                self._timers.set("floor", min(later))
        return verdict

    def _ignore(self) -> None:
        """What he said was a listener's noise: it goes to the log and is no turn."""
        if self._customer.text:
            self._log_final()
        if not self._customer.voice or self._customer.text:
            self._customer.take()

    def _review_listening(self) -> None:
        """The customer may speak: is his turn over?"""
        customer, timers = self._customer, self._timers
        if self._closing:
            return
        if self._keys and not customer.text:
            due = self._keys_ms + (
                self._p.key_gap_ms if self._expects == "digits" and "#" not in self._keys else 0
            )
            if self._now >= due:
                self._ask("dtmf")
            else:
                timers.set("keys", due)
            return
        hearing = customer.hearing
        if hearing.text:
            self._review_turn(hearing)
            return
        timers.cancel("turn_end", "stable")
        if hearing.voice:
            timers.cancel("silence", "no_match", "comfort")
            return
        quiet = hearing.quiet_ms
        deaf = self._deaf_until_ms
        if quiet is not None and customer.voiced_ms >= self._p.no_match_voice_ms:
            timers.set("no_match", max(deaf, quiet + self._p.no_match_wait_ms))
        began = max(self._listening_ms, quiet or 0)
        timers.set("silence", max(deaf, began + silence_ms(self._expects, self._p)))

    def _review_turn(self, hearing: Hearing) -> None:
        self._timers.cancel("silence", "no_match", "comfort")
        bot_line = self._reply.text or "" if self._reply else ""
        done = self._completeness.probability(hearing.text, self._expects, bot_line)
        ends = turn_ends_ms(hearing, done, self._expects, self._p)
        if self._now >= ends:
            self._turn_over()
            return
        self._timers.set("turn_end", ends)
        stable = hearing.words_ms + (self._p.stable_ms if hearing.voice else 0)
        if self._now < stable:
            self._timers.set("stable", stable)
            return
        request = self._asking.speculative(
            self._now, self._mouth.heard, hearing.text, self._customer.utterance_id
        )
        if request is not None:
            self._out.append(sig.AskBrain(request))

    # -- steps

    def _turn_over(self) -> None:
        self._timers.cancel("turn_end", "stable")
        if not self._final_on_demand:
            self._commit()
            return
        self._out.append(sig.EndUtterance())
        if self._customer.unfinished:
            self._closing = True
            self._timers.set("final", self._now + self._p.final_wait_ms)
        else:
            self._commit()

    def _commit(self) -> None:
        """The customer's words become a turn."""
        self._closing = False
        self._timers.cancel("final")
        if not self._customer.text:
            return
        foreseen = self._asking.foreseen(self._customer.text)
        self._ask("say")
        if foreseen is not None:
            self._foreseen = foreseen
            self._asking.timing.replied_ms = self._now
            self._speak(foreseen)

    def _ask(self, kind: TurnKind) -> None:
        """A turn goes to the brain."""
        customer = self._customer
        quiet = customer.quiet_ms if customer.quiet_ms is not None else self._now
        timing = Timing(min(quiet, self._now), customer.words_ms if kind == "say" else 0, self._now)
        utterance_id, confidence, text, digits = customer.utterance_id, customer.confidence, None, None
        if kind == "say":
            self._log_final()
            text = customer.take()
        if kind == "dtmf":
            digits, self._keys = self._keys, ""
        self.phase = step(self.phase, Step.ASK)
        self._timers.cancel(*_OF_LISTENING, "retry", "hold", "move", "guard")
        self._held = self._foreseen = None
        request = self._asking.real(
            kind,
            self._now,
            self._mouth.heard,
            timing,
            text=text,
            digits=digits,
            confidence=confidence,
            utterance_id=utterance_id if kind == "say" else None,
        )
        self._out.append(sig.AskBrain(request))
        self._timers.set("filler", self._now + self._p.filler_ms)
        self._timers.set("give_up", self._now + self._p.give_up_ms)

    def _speak(self, reply: Reply) -> None:
        """Say a reply; the last one is followed by hanging up."""
        if reply.ended:
            self._interrupt()
            self._cause = "normal"
            handover = reply.handover if self._transfers else None
            self._moving = None if handover is None else _transfer(handover)
            self.phase = step(self.phase, Step.FAREWELL)
        elif not reply.lines:
            self._listen(reply.expects)
            return
        else:
            self.phase = step(self.phase, Step.SPEAK)
        self._expects = reply.expects
        self._mouth.play(reply.lines, reply, reply.turn)

    def _go_on(self, reply: Reply) -> bool:
        """A false start: what stopped the bot was a listener's noise after all.  It goes on where it was
        stopped; False where there is nothing to go on with."""
        if any(act.get("name") != "backchannel" for act in reply.acts) or self._customer.voice:
            return False
        if self._asking.kind != "say" or not self._mouth.resume(self._p.resume_back_ms):
            return False
        self.phase = step(self.phase, Step.SPEAK)
        self._expects = reply.expects
        return True

    def _move(self, transfer: sig.Transfer) -> None:
        """The last lines are said: a person is called, the customer waits."""
        self._moving = None
        self.phase = step(self.phase, Step.MOVE)
        self._out.append(transfer)
        self._timers.set("hold", self._now + self._p.hold_every_ms)
        self._timers.set("move", self._now + self._p.move_ms)

    def _comfort(self, node: str) -> None:
        """A line of the voice's own, so that the customer does not sit in silence."""
        self._mouth.play((self._own(node),), None, self._asking.turn)
        self._fillers += 1

    def _listen(self, expects: Expects) -> None:
        self.phase = step(self.phase, Step.LISTEN)
        self._expects, self._listening_ms = expects, self._now

    def _interrupt(self) -> None:
        """Whatever plays is stopped; who was spoken to may speak."""
        self._mouth.stop(self._now)
        if self.phase is Phase.SPEAKING:
            self._listen(self._expects)

    def _farewell(self, node: str, cause: str) -> None:
        """Say a line of the voice's own and hang up."""
        if self.phase is Phase.ENDING:
            return
        self._interrupt()
        self._mouth.stop(self._now)
        self._timers.cancel_all()
        self._asking.answered, self._cause, self._moving = True, cause, None
        self.phase = step(self.phase, Step.FAREWELL)
        self._mouth.play((self._own(node),), None, self._asking.turn)

    def _end(
        self, by: str, cause: str, otherwise: str, *, far: bool = False, sure: bool = False
    ) -> None:
        """The one end: nothing comes after it.  `otherwise`: the disposition where the script gave none,
        or where `sure`."""
        self._mouth.stop(self._now)
        if self._customer.text:
            self._log_final()
        if self._customer.voice:
            self._log(ev.SpeechEnded, party="customer")
        self._timers.cancel_all()
        if not far:
            self._out.append(sig.HangUp(cause))
        if self.phase is Phase.NEW:
            self._out.append(sig.Log(self._journal.started()))
        reply = None if sure else self._reply
        ended = self._journal.ended(self._now, by, cause, reply, otherwise, self._answered_ms)
        self._out.append(sig.Log(ended))
        self.phase = step(self.phase, Step.END)

    # -- small things

    @property
    def _waiting_for_words(self) -> bool:
        """Whether it is the customer's turn, and nothing is heard of him."""
        return self.phase is Phase.LISTENING and not self._customer.voice and not self._customer.text

    def _lower(self) -> None:
        if self.phase not in (Phase.ENDING, Phase.MOVING):
            self._mouth.lower()

    def _own(self, node: str) -> Line:
        return own_line(node, self._facts.language, self._fillers)

    def _budget(self, reply: Reply) -> dict[str, float]:
        return self._asking.timing.budget(reply, speculated=reply.speculation is not None)

    def _log(self, kind: type[ev.Event], **fields: object) -> None:
        self._out.append(sig.Log(self._journal.event(kind, self._now, **fields)))

    def _log_final(self) -> None:
        customer = self._customer
        begin = customer.begin_ms if customer.begin_ms is not None else self._now
        end = customer.quiet_ms if customer.quiet_ms is not None else customer.words_ms
        event = self._journal.final(
            self._now,
            customer.utterance_id,
            customer.text,
            min(begin, end),
            end,
            customer.confidence,
            new_number=self._expects == "digits",
        )
        self._out.append(sig.Log(event))


def _transfer(handover: dict[str, Any]) -> sig.Transfer:
    return sig.Transfer(
        to=str(handover.get("to", "agent")),
        reason=str(handover.get("reason", "")),
        context=dict(handover.get("context") or {}),
    )
