"""One live assisted call in a worker: events of its log in, events to append out.  No I/O.

After a restart, or when another worker takes the call over, it is rebuilt by its own log: what was
answered then is only followed, what was not is answered now.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from assist.learning.policy import Policy
from assist.shadow import Heard, Shadow
from assist.snapshot import line_of
from assist.suggest.model import Suggestion
from assist.text_call import AssistedScript
from bot import events as ev
from bot.bus.assisted import CallMeta, OpenCall, masked_customer


class LiveCall:
    """A call that this worker holds.  `seq`: all events of others up to this one are taken in; its own may
    stand beyond it (they are idempotent for whoever folds them again)."""

    def __init__(self, meta: CallMeta, opening: OpenCall, loaded: AssistedScript, policy: Policy) -> None:
        self.meta = meta
        self.customer = masked_customer(opening.contact)
        self.started = datetime.fromisoformat(meta.started)
        self.shadow = Shadow(
            loaded.version, loaded.script, loaded.lines, policy,
            call_id=meta.call_id, contact=opening.contact, started=self.started,
        )  # fmt: skip
        self.seq = 0
        self.reactions: dict[str, str] = {}
        self.after_call: dict[str, Any] | None = None
        self.dirty = True
        self._ended = False
        self._clock_ms = 0
        self._clock_set = time.monotonic()
        self._opening = opening

    def begin(self) -> list[ev.Event]:
        """The brief: the first panel; of a call handed over with what was said before."""
        heard = self.shadow.begin(self._opening.earlier, self._opening.facts)
        if self._opening.earlier:
            heard.panel["earlier"] = [line_of(said) for said in self.shadow.picture.said]
        return [self._panel(heard.panel, None, {})] if heard.panel else []

    def now_ms(self) -> int:
        """The call's own clock, going on from the last event."""
        return self._clock_ms + int((time.monotonic() - self._clock_set) * 1000)

    def take(self, event: ev.AnyEvent, queue_ms: float = 0.0, *, answered: bool = False) -> list[ev.Event]:
        """What follows from one event.  `answered`: it was answered before; it is only followed."""
        started = time.perf_counter()
        if isinstance(event, ev.UtterancePartial):
            self._clock(event.end_ms)
            if event.party == "bot":
                return []
            heard = self.shadow.partial(event.utterance_id, event.party, event.text, event.end_ms)
            return [] if answered else self._events(heard, None, {})
        self.dirty = True
        if isinstance(event, ev.UtteranceFinal) and event.party != "bot":
            self._clock(event.end_ms)
            heard = self.shadow.utterance(
                event.utterance_id, event.party, event.text, event.begin_ms, event.end_ms
            )
            if answered:
                return []
            think = (time.perf_counter() - started) * 1000
            ms = {"queue": round(queue_ms, 2), "think": round(think, 2)}
            return self._events(heard, event.utterance_id, ms)
        if isinstance(event, ev.FeedbackEvent):
            if event.action != "shown" or event.suggestion_id not in self.reactions:
                self.reactions[event.suggestion_id] = event.action
            heard = self.shadow.feedback(event.suggestion_id, event.action, event.at_ms)
            return [] if answered else self._events(heard, None, {})
        if isinstance(event, ev.SuggestionEvent) and event.suggestion["id"] not in self.shadow.cards:
            card = msgspec.convert(event.suggestion, Suggestion)
            heard = self.shadow.whisper(replace_time(card, self.now_ms()))
            return [] if answered else self._events(heard, None, {})
        return []

    def tick(self) -> list[ev.Event]:
        """Time has passed: cards whose time is over go."""
        if not self.shadow.screen.cards():
            return []
        heard = self.shadow.tick(self.now_ms())
        self.dirty = self.dirty or bool(heard.panel)
        return self._events(heard, None, {})

    def end(self, how: dict[str, Any]) -> list[ev.Event]:
        """The last events: the after-call form, the final record; none where the log has them already."""
        at_ms = self.shadow.picture.now_ms = max(int(how.get("at_ms") or 0), self.shadow.picture.now_ms)
        ended_at = self.started + timedelta(milliseconds=at_ms)
        self.after_call = self.shadow.end(ended_at, how.get("disposition"))
        self._clock(at_ms)
        self.dirty = True
        if self._ended:
            return []
        changes: dict[str, Any] = {"card": None, "folded": [], "after_call": self.after_call}
        ended = ev.CallEnded(
            **self._stamp(), by=str(how.get("by") or "agent"), cause="hung_up",
            disposition=self.after_call["disposition"], grade=self.after_call["grade"],
            reasons=self.after_call["reasons"], duration_ms=at_ms,
        )  # fmt: skip
        return [self._panel(changes, None, {}), ended]

    def replay(self, log: Sequence[ev.AnyEvent]) -> list[ev.Event]:
        """Take in a call's whole log; the events that answer what nobody answered yet."""
        answered = {event.after for event in log if isinstance(event, ev.PanelEvent) and event.after}
        begun = any(isinstance(event, ev.PanelEvent) for event in log)
        sounded = {(event.rule, *event.evidence[:1]) for event in log if isinstance(event, ev.Compliance)}
        self._ended = any(isinstance(event, ev.CallEnded) for event in log)
        brief = self.begin()
        out: list[ev.Event] = [] if begun else brief
        for event in log:
            self.seq = max(self.seq, event.seq)
            if isinstance(event, ev.UtteranceFinal):
                out += self.take(event, answered=event.utterance_id in answered)
            elif isinstance(event, ev.UtterancePartial):
                found = self.take(event)
                alarms = {(one.rule, *one.evidence[:1]) for one in found if isinstance(one, ev.Compliance)}
                out += found if alarms - sounded else []
            elif isinstance(event, ev.FeedbackEvent) or _whispered(event):
                self.take(event, answered=True)
            elif isinstance(event, ev.PanelEvent) and event.after is None:
                self.shadow.tick(event.at_ms)  # its cards may have gone with time
        return out

    def _events(self, heard: Heard, after: str | None, ms: dict[str, float]) -> list[ev.Event]:
        events: list[ev.Event] = []
        stamp = self._stamp()
        said = heard.said
        if said is not None and said.party == "customer":
            events.append(
                ev.MeaningEvent(
                    **stamp, utterance_id=said.utterance_id, acts=list(said.acts),
                    entities=list(said.entities), sentiment=said.sentiment,
                )
            )  # fmt: skip
        for alarm in heard.alarms:
            events.append(
                ev.Compliance(
                    **stamp, rule=alarm.rule, verdict="alarm", evidence=[alarm.utterance_id, alarm.words]
                )
            )
        for suggestion_id in heard.spoken:
            self.reactions[suggestion_id] = "spoken"
            events.append(ev.FeedbackEvent(**stamp, suggestion_id=suggestion_id, action="spoken"))
        took = int(sum(ms.values()))
        for card in heard.cards:
            sent = msgspec.structs.replace(card, t_sent_ms=card.t_sent_ms + took)
            events.append(ev.SuggestionEvent(**stamp, suggestion=msgspec.to_builtins(sent)))
        if heard.panel or after is not None:
            events.append(self._panel(heard.panel, after, ms))
        if heard.decision is not None:
            made = heard.decision
            events.append(
                ev.DecisionEvent(
                    **stamp, number=made.seq, candidates=msgspec.to_builtins(list(made.candidates)),
                    context=dict(made.context), key=made.key, propensity=made.propensity,
                    policy_version=made.policy_version, suggestion_id=made.suggestion_id,
                )
            )  # fmt: skip
        return events

    def _panel(self, changes: dict[str, Any], after: str | None, ms: dict[str, float]) -> ev.PanelEvent:
        return ev.PanelEvent(**self._stamp(), changes=changes, after=after, ms=ms)

    def _stamp(self) -> dict[str, Any]:
        at_ms = self.shadow.picture.now_ms
        wall = (self.started + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds")
        return {
            "call_id": self.meta.call_id, "tenant_id": self.meta.tenant_id, "at_ms": at_ms, "wall": wall,
        }  # fmt: skip

    def _clock(self, at_ms: int) -> None:
        if at_ms >= self.now_ms() or at_ms >= self._clock_ms:
            self._clock_ms, self._clock_set = at_ms, time.monotonic()


def replace_time(card: Suggestion, now_ms: int) -> Suggestion:
    """The card as sent now: its time runs from here."""
    return msgspec.structs.replace(card, t_sent_ms=now_ms)


def _whispered(event: ev.AnyEvent) -> bool:
    return isinstance(event, ev.SuggestionEvent) and ".w" in str(event.suggestion.get("id", ""))
