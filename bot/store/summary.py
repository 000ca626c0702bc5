"""PURE: the events of a call → the rows of its call, its turns and its outcome.

A turn is a reply of the bot together with what the customer said before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot import events as ev


class IncompleteCall(ValueError):
    """The events are not those of a whole call: no start, or no end."""


@dataclass
class CallSummary:
    """Rows, without tenant_id and call_id, for the tables calls, outcomes and turns."""

    tenant_id: str
    call_id: str
    call: dict[str, Any]
    outcome: dict[str, Any]
    turns: list[dict[str, Any]] = field(default_factory=list)


def summarise(log: Sequence[ev.AnyEvent]) -> CallSummary:
    """The summary of a whole call.  Raises IncompleteCall."""
    started = next((event for event in log if isinstance(event, ev.CallStarted)), None)
    ended = next((event for event in log if isinstance(event, ev.CallEnded)), None)
    if started is None or ended is None:
        missing = "call.started" if started is None else "call.ended"
        raise IncompleteCall(f"{len(log)} events without {missing}: the call is not over or not whole")
    answered = next((event for event in log if isinstance(event, ev.CallAnswered)), None)
    call = {
        "direction": started.direction,
        "mode": started.mode,
        "script": started.script,
        "script_version": started.script_version,
        "agent_id": started.agent_id,
        "customer": started.customer,
        "started_at": _when(started),
        "answered_at": _when(answered) if answered else None,
        "ended_at": _when(ended),
        "duration_ms": ended.duration_ms,
    }
    outcome = {
        "disposition": ended.disposition,
        "grade": ended.grade,
        "reasons": list(ended.reasons),
        "ended_by": ended.by,
        "cause": ended.cause,
        "at": _when(ended),
    }
    return CallSummary(started.tenant_id, started.call_id, call, outcome, _turns(log))


def _when(event: ev.AnyEvent) -> datetime:
    return datetime.fromisoformat(event.wall)


def _turns(log: Sequence[ev.AnyEvent]) -> list[dict[str, Any]]:
    rows: dict[int, dict[str, Any]] = {}
    words: list[str] = []
    acts: list[str] = []
    last = -1
    for event in log:
        if isinstance(event, ev.UtteranceFinal) and event.party == "customer":
            words.append(event.text)
        elif isinstance(event, ev.MeaningEvent):
            acts += [str(act.get("name")) for act in event.acts]
        elif isinstance(event, ev.ReplyEvent):
            last = event.turn
            row = rows.setdefault(last, _row(last, event.at_ms))
            row["customer_text"] = _joined(row["customer_text"], words)
            row["acts"] = row["acts"] + acts
            row["bot_text"] = _joined(row["bot_text"], [event.text])
            row["node"] = row["node"] or event.node
            row["stage"], row["ms"] = event.stage, dict(event.ms)
            words, acts = [], []
        elif isinstance(event, ev.Playback) and event.turn in rows:
            rows[event.turn]["heard"] = event.outcome
    if words or acts:
        trailing = _row(last + 1, log[-1].at_ms)
        rows[last + 1] = trailing | {"customer_text": _joined(None, words), "acts": acts}
    return list(rows.values())


def _row(turn: int, at_ms: int) -> dict[str, Any]:
    nothing = dict.fromkeys(("customer_text", "node", "bot_text", "stage", "heard"))
    return {"turn": turn, "at_ms": at_ms, **nothing, "acts": [], "ms": {}}


def _joined(before: str | None, texts: Sequence[str]) -> str | None:
    return " ".join(text for text in (before, *texts) if text) or None
