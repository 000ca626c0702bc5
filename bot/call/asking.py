"""The requests of one call to its brain: numbered turns, repeats, speculation, and what a turn cost."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from bot.call.journal import CallFacts
from bot.call.parameters import Parameters
from bot.turn import HeardLine, Reply, TurnKind, TurnRequest
from bot.understanding.interrupts import fold


@dataclass(slots=True)
class Timing:
    """Moments of a turn in ms of the call's clock; the latency budget is made of them."""

    quiet_ms: int  # the customer's last sound
    words_ms: int  # his last word was recognised
    asked_ms: int  # the turn was over and the brain was asked
    replied_ms: int = 0
    sounded_ms: int = 0

    def budget(self, reply: Reply, *, speculated: bool) -> dict[str, float]:
        """endpoint, recognise, understand, decide, voice, network in ms."""
        understand, decide = reply.ms.get("understand", 0.0), reply.ms.get("decide", 0.0)
        away = 0.0 if speculated else max(0.0, self.replied_ms - self.asked_ms - understand - decide)
        return {
            "endpoint": float(self.asked_ms - max(self.quiet_ms, min(self.words_ms, self.asked_ms))),
            "recognise": float(max(0, min(self.words_ms, self.asked_ms) - self.quiet_ms)),
            "understand": 0.0 if speculated else round(understand, 2),
            "decide": 0.0 if speculated else round(decide, 2),
            "voice": float(max(0, self.sounded_ms - self.replied_ms)),
            "network": round(away, 2),
        }


class Asking:
    """Makes requests; turns count up from 1, one for each real request."""

    def __init__(self, facts: CallFacts, parameters: Parameters) -> None:
        self._facts = facts
        self._p = parameters
        self.turn = 0
        self.request: TurnRequest | None = None  # the real one asked last
        self.answered = True  # whether its reply is there
        self.timing = Timing(0, 0, 0)
        self.late: dict[int, TurnRequest] = {}  # older ones whose reply is still to come
        self._speculated = ""  # folded text asked in advance
        self._ready: Reply | None = None

    @property
    def kind(self) -> TurnKind | None:
        """The kind of the newest real turn."""
        return self.request.kind if self.request is not None else None

    def real(
        self,
        kind: TurnKind,
        at_ms: int,
        heard: tuple[HeardLine, ...] | None,
        timing: Timing,
        *,
        text: str | None = None,
        digits: str | None = None,
        utterance_id: str | None = None,
        confidence: float | None = None,
    ) -> TurnRequest:
        """The next turn's request."""
        if self.request is not None and not self.answered:
            self.late[self.turn] = self.request
        self.turn += 1
        request = self._make(kind, at_ms, heard)
        if kind == "open":
            facts = self._facts
            request = msgspec.structs.replace(
                request,
                script=facts.script,
                script_version=facts.script_version,
                contact=facts.contact,
                seed=facts.seed,
                campaign=facts.campaign,
                direction=facts.direction,
            )
        self.request = msgspec.structs.replace(
            request, text=text, digits=digits, utterance_id=utterance_id, asr_confidence=confidence
        )
        self.answered, self.timing = False, timing
        return self.request

    def speculative(
        self, at_ms: int, heard: tuple[HeardLine, ...] | None, text: str, utterance_id: str
    ) -> TurnRequest | None:
        """A request in advance for words that may be all of the turn; None where it was made already."""
        folded = fold(text)
        if not folded or folded == self._speculated:
            return None
        self._speculated, self._ready = folded, None
        request = self._make("say", at_ms, heard, turn=self.turn + 1)
        return msgspec.structs.replace(request, text=text, speculative=True, utterance_id=utterance_id)

    def keep(self, reply: Reply, text: str | None) -> bool:
        """A speculative reply came; whether it is of use: newest, and no effect was met."""
        if (
            reply.turn != self.turn + 1
            or fold(text or "") != self._speculated
            or reply.speculation != "ready"
        ):
            return False
        self._ready = reply
        return True

    def foreseen(self, text: str) -> Reply | None:
        """The reply that was made in advance for these words, if any; asks only once."""
        ready, self._ready = self._ready, None
        asked, self._speculated = self._speculated, ""
        usable = ready is not None and asked == fold(text) and not ready.ended and not ready.error
        return ready if usable else None

    def _make(
        self, kind: TurnKind, at_ms: int, heard: tuple[HeardLine, ...] | None, turn: int | None = None
    ) -> TurnRequest:
        facts = self._facts
        return TurnRequest(
            call_id=facts.call_id,
            turn=self.turn if turn is None else turn,
            kind=kind,
            at=facts.wall(at_ms),
            tenant_id=facts.tenant_id,
            heard=heard,
            at_ms=at_ms,
            deadline_ms=self._p.deadline_ms,
        )
