"""One call's events in order: stamped with the call's clock and the wall, personal data masked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar, cast, get_args

from bot import events as ev
from bot.turn import HeardLine, Reply, TurnRequest
from bot.understanding.masking import SlidingMasker, mask, mask_partial

E = TypeVar("E", bound=ev.Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """What is known of a call before it begins.

    `started` is wall time, with offset, at 0 ms of the call's clock.  `names` are to be masked in
    texts.  `customer` holds masked values, for the log; `contact` goes to the brain only.
    """

    call_id: str
    started: datetime
    script: str
    script_version: str
    tenant_id: str = "default"
    direction: Literal["outbound", "inbound"] = "outbound"
    language: str = "zh"
    contact: dict[str, Any] = field(default_factory=dict)
    customer: dict[str, Any] = field(default_factory=dict)
    campaign: dict[str, Any] | None = None
    names: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.started.tzinfo is None:
            raise ValueError("a call's start needs a time zone: its events carry wall time with offset")

    def wall(self, at_ms: int) -> str:
        """Wall time of a moment of the call, ISO 8601 with offset, to the millisecond."""
        return (self.started + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds")


class Journal:
    """Makes the events of one call; times never go back."""

    def __init__(self, facts: CallFacts) -> None:
        self.facts = facts
        self._masker = SlidingMasker(facts.names)
        self._slots: dict[str, Any] = {}

    def event(self, kind: type[E], at_ms: int, **fields: Any) -> ev.AnyEvent:
        """An event of that kind at that time."""
        facts = self.facts
        made = kind(
            call_id=facts.call_id, tenant_id=facts.tenant_id, at_ms=at_ms, wall=facts.wall(at_ms), **fields
        )
        return cast(ev.AnyEvent, made)

    def started(self) -> ev.AnyEvent:
        """call.started, at 0 ms."""
        facts = self.facts
        return self.event(
            ev.CallStarted,
            0,
            direction=facts.direction,
            mode="bot",
            script=facts.script,
            script_version=facts.script_version,
            customer=facts.customer,
        )

    def partial(
        self, at_ms: int, utterance_id: str, text: str, begin_ms: int, confidence: float | None
    ) -> ev.AnyEvent:
        """utterance.partial of the customer."""
        return self.event(
            ev.UtterancePartial,
            at_ms,
            party="customer",
            utterance_id=utterance_id,
            begin_ms=begin_ms,
            end_ms=at_ms,
            text=mask_partial(text, self.facts.names),
            asr_confidence=confidence,
        )

    def final(
        self,
        at_ms: int,
        utterance_id: str,
        text: str,
        begin_ms: int,
        end_ms: int,
        confidence: float | None,
        *,
        new_number: bool,
    ) -> ev.AnyEvent:
        """utterance.final of the customer; `new_number`: the bot has just asked for a number, so
        even its shortest digits are personal and masked."""
        masked = self._masker.push(text, fresh=new_number)
        return self.event(
            ev.UtteranceFinal,
            at_ms,
            party="customer",
            utterance_id=utterance_id,
            begin_ms=begin_ms,
            end_ms=end_ms,
            text=mask_partial(masked) if new_number else masked,
            asr_confidence=confidence,
        )

    def understood(self, at_ms: int, reply: Reply, request: TurnRequest) -> list[ev.AnyEvent]:
        """What the brain made of a turn: meaning, actions, changed slots, a handover."""
        made: list[ev.AnyEvent] = []
        if request.utterance_id is not None and reply.acts:
            made.append(
                self.event(
                    ev.MeaningEvent,
                    at_ms,
                    utterance_id=request.utterance_id,
                    acts=list(reply.acts),
                    entities=list(reply.entities),
                )
            )
        for action in reply.actions:
            made.append(
                self.event(ev.ActionEvent, at_ms, name=str(action.get("name")), result=action.get("result"))
            )
        for name, value in reply.slots.items():
            if name not in self._slots or self._slots[name] != value:
                made.append(self.event(ev.SlotEvent, at_ms, name=name, value=value))
        self._slots = dict(reply.slots)
        if reply.handover is not None:
            to, reason = str(reply.handover.get("to", "")), str(reply.handover.get("reason", ""))
            made.append(self.event(ev.Handover, at_ms, to=to, reason=reason))
        return made

    def reply(self, at_ms: int, reply: Reply, audio_ms: int, ms: dict[str, float]) -> ev.AnyEvent:
        """reply, with the turn's latency budget."""
        return self.event(
            ev.ReplyEvent,
            at_ms,
            node=reply.node or "",
            text=mask(reply.text or "", self.facts.names),
            audio_ms=audio_ms,
            interruptible=all(line.interruptible for line in reply.lines),
            turn=reply.turn,
            stage=reply.stage,
            expects=reply.expects,
            ms=ms,
        )

    def playback(self, at_ms: int, heard: HeardLine, turn: int) -> ev.AnyEvent:
        """playback of one line."""
        return self.event(
            ev.Playback,
            at_ms,
            node=heard.node,
            heard_text=mask(heard.heard_text, self.facts.names),
            heard_ms=heard.heard_ms,
            outcome="finished" if heard.finished else "interrupted",
            turn=turn,
        )

    def ended(
        self, at_ms: int, by: str, cause: str, last: Reply | None, otherwise: str, answered_ms: int
    ) -> ev.AnyEvent:
        """call.ended: the last reply's disposition, else `otherwise`; the line was up at `answered_ms`."""
        known = last is not None and last.disposition in get_args(ev.Disposition)
        return self.event(
            ev.CallEnded,
            at_ms,
            by=by,
            cause=cause,
            disposition=last.disposition if last is not None and known else otherwise,
            grade=last.grade if last else None,
            reasons=list(last.reasons) if last else [],
            duration_ms=at_ms - answered_ms,
        )
