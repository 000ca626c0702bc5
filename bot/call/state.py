"""What one call knows of itself, and the steps that lead from phase to phase.  No clock, no I/O.

The steps put commands into `out`, in the order in which they are to be carried out: what stops comes
before what starts, and nothing follows call.ended.
"""

from __future__ import annotations

from typing import Any

from bot import events as ev
from bot.call import signals as sig
from bot.call.asking import Asking, Timing
from bot.call.customer import Customer
from bot.call.journal import CallFacts, Journal
from bot.call.mouth import Mouth
from bot.call.own_lines import own_line
from bot.call.parameters import Parameters
from bot.call.phases import Phase, Step, step
from bot.call.timers import Timers
from bot.turn import Expects, Line, Reply, TurnKind
from bot.understanding.completeness import Completeness

OF_LISTENING = ("silence", "no_match", "comfort", "turn_end", "stable", "keys")
"""Timers that are of use only while it is the customer's turn."""


class CallState:
    """One call.  `now`: of the signal that is handled, ms of the call's clock."""

    def __init__(
        self,
        facts: CallFacts,
        parameters: Parameters,
        completeness: Completeness,
        *,
        final_on_demand: bool,
        transfers: bool,
    ) -> None:
        self.phase = Phase.NEW
        self.p = parameters
        self.completeness = completeness
        self.final_on_demand = final_on_demand
        self.transfers = transfers
        self.facts = facts
        self.journal = Journal(facts)
        self.customer = Customer(parameters)
        self.asking = Asking(facts, parameters)
        self.now = 0
        self.out: list[sig.Command] = []
        self.timers = Timers(self.out)
        self.mouth = Mouth(self.journal, self.out, self.budget)
        self.answered_ms = 0
        self.expects: Expects = "none"
        self.reply: Reply | None = None  # the newest that decides what comes next
        self.held: Reply | None = None  # came while the customer was speaking
        self.foreseen: Reply | None = None  # played before the true reply was there
        self.listening_ms = 0
        self.closing = False  # waiting for the recogniser's final text
        self.keys = ""
        self.keys_ms = 0
        self.fillers = 0
        self.cause = "normal"
        self.moving_to: sig.Transfer | None = None  # what follows the last lines
        self.message: Reply | None = None  # for a machine that records: waits for its beep
        self.message_ms = 0  # since then
        self.deaf_until_ms = 0  # the recogniser is behind: its words are waited for

    def speak(self, reply: Reply) -> None:
        """Say a reply; the last one is followed by hanging up."""
        if reply.ended:
            self.interrupt()
            self.cause, self.closing = "normal", False
            handover = reply.handover if self.transfers else None
            self.moving_to = None if handover is None else _transfer(handover)
            self.phase = step(self.phase, Step.FAREWELL)
        elif not reply.lines:
            self.listen(reply.expects)
            return
        else:
            self.phase = step(self.phase, Step.SPEAK)
        self.expects = reply.expects
        self.mouth.play(reply.lines, reply, reply.turn)

    def ask(self, kind: TurnKind) -> None:
        """A turn goes to the brain."""
        customer = self.customer
        quiet = customer.quiet_ms if customer.quiet_ms is not None else self.now
        timing = Timing(min(quiet, self.now), customer.words_ms if kind == "say" else 0, self.now)
        utterance_id, confidence, text, digits = customer.utterance_id, customer.confidence, None, None
        if kind in ("voicemail", "transfer_failed"):
            self.overheard()
        if kind == "say":
            self.log_final()
            text = customer.take()
        if kind == "dtmf":
            digits, self.keys = self.keys, ""
        self.phase = step(self.phase, Step.ASK)
        self.timers.cancel(*OF_LISTENING, "final", "retry", "hold", "move", "guard")
        self.held, self.foreseen, self.closing = None, None, False
        request = self.asking.real(
            kind,
            self.now,
            self.mouth.heard,
            timing,
            text=text,
            digits=digits,
            confidence=confidence,
            utterance_id=utterance_id if kind == "say" else None,
        )
        self.out.append(sig.AskBrain(request))
        self.timers.set("filler", self.now + self.p.filler_ms)
        self.timers.set("give_up", self.now + self.p.give_up_ms)

    def overheard(self) -> None:
        """What a machine said, or he to nobody while he waited for a person, is no turn."""
        if self.customer.text:
            self.log_final()
            self.drop_words()
        self.keys = ""

    def drop_words(self) -> None:
        """What he said is no turn.  The ears begin anew too: an utterance that goes on in them would
        swallow his next words."""
        self.customer.take()
        if self.final_on_demand:
            self.out.append(sig.EndUtterance())

    def go_on(self, reply: Reply) -> bool:
        """A false start: what stopped the bot was a listener's noise after all.  It goes on where it was
        stopped; False where there is nothing to go on with."""
        if any(act.get("name") != "backchannel" for act in reply.acts) or self.customer.voice:
            return False
        if self.asking.kind != "say" or not self.mouth.resume(self.p.resume_back_ms):
            return False
        self.phase = step(self.phase, Step.SPEAK)
        self.expects = reply.expects
        return True

    def move(self, transfer: sig.Transfer) -> None:
        """The last lines are said: a person is called, the customer waits."""
        self.moving_to = None
        self.phase = step(self.phase, Step.MOVE)
        self.out.append(transfer)
        self.timers.set("hold", self.now + self.p.hold_every_ms)
        self.timers.set("move", self.now + self.p.move_ms)

    def comfort(self, node: str) -> None:
        """A line of the voice's own, so that the customer does not sit in silence."""
        self.mouth.play((self.own(node),), None, self.asking.turn)
        self.fillers += 1

    def listen(self, expects: Expects) -> None:
        self.phase = step(self.phase, Step.LISTEN)
        self.expects, self.listening_ms = expects, self.now

    def interrupt(self) -> None:
        """Whatever plays is stopped; who was spoken to may speak."""
        self.mouth.stop(self.now)
        if self.phase is Phase.SPEAKING:
            self.listen(self.expects)

    def farewell(self, node: str, cause: str) -> None:
        """Say a line of the voice's own and hang up."""
        if self.phase is Phase.ENDING:
            return
        self.interrupt()
        self.mouth.stop(self.now)
        self.timers.cancel_all()
        self.asking.answered, self.cause, self.moving_to, self.closing = True, cause, None, False
        self.phase = step(self.phase, Step.FAREWELL)
        self.mouth.play((self.own(node),), None, self.asking.turn)

    def end(self, by: str, cause: str, otherwise: str, *, far: bool = False, sure: bool = False) -> None:
        """The one end: nothing comes after it.  `otherwise`: the disposition where the script gave none,
        or where `sure`."""
        self.mouth.stop(self.now)
        if self.message is not None:
            self.mouth.unsaid(self.message, self.now)
        if self.customer.text:
            self.log_final()
        if self.customer.voice:
            self.log(ev.SpeechEnded, party="customer")
        self.timers.cancel_all()
        if not far:
            self.out.append(sig.HangUp(cause))
        if self.phase is Phase.NEW:
            self.out.append(sig.Log(self.journal.started()))
        reply = None if sure else self.reply
        ended = self.journal.ended(self.now, by, cause, reply, otherwise, self.answered_ms)
        self.out.append(sig.Log(ended))
        self.phase = step(self.phase, Step.END)

    def lower(self) -> None:
        if self.phase not in (Phase.ENDING, Phase.MOVING):
            self.mouth.lower()

    def own(self, node: str) -> Line:
        return own_line(node, self.facts.language, self.fillers)

    def budget(self, reply: Reply) -> dict[str, float]:
        return self.asking.timing.budget(reply, speculated=reply.speculation is not None)

    def log(self, kind: type[ev.Event], **fields: object) -> None:
        self.out.append(sig.Log(self.journal.event(kind, self.now, **fields)))

    def log_final(self) -> None:
        customer = self.customer
        begin = customer.begin_ms if customer.begin_ms is not None else self.now
        end = customer.quiet_ms if customer.quiet_ms is not None else customer.words_ms
        event = self.journal.final(
            self.now,
            customer.utterance_id,
            customer.text,
            min(begin, end),
            end,
            customer.confidence,
            new_number=self.expects == "digits",
        )
        self.out.append(sig.Log(event))

    @property
    def waiting_for_words(self) -> bool:
        """Whether it is the customer's turn, and nothing is heard of him."""
        return self.phase is Phase.LISTENING and not self.customer.voice and not self.customer.text


def _transfer(handover: dict[str, Any]) -> sig.Transfer:
    return sig.Transfer(
        to=str(handover.get("to", "agent")),
        reason=str(handover.get("reason", "")),
        context=dict(handover.get("context") or {}),
    )
