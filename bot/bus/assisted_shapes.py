"""What an assisted call begins with, what is posted to it, and who holds it.  Data only."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from bot.bus.errors import BusError

Outcome = Literal["new", "repeat", "dropped", "ended", "unknown"]


class NoWorker(BusError):
    """No assist worker serves the script."""


class OpenCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call to assist.  `at`: wall time, ISO 8601 with offset; `contact`: the customer's file, raw;
    `earlier`: what was said before (a bot call handed over): utterances with their acts;
    `facts`: what is known from then."""

    call_id: str
    script: str
    agent_id: str
    contact: dict[str, Any]
    at: str
    direction: Literal["outbound", "inbound"] = "outbound"
    tenant_id: str = "default"
    earlier: tuple[dict[str, Any], ...] = ()
    facts: dict[str, Any] = {}
    handed_over: str | None = None


class Utterance(msgspec.Struct, frozen=True, kw_only=True):
    """Words of one side (CONTRACT, POST utterances); times in ms on the call's own clock."""

    utterance_id: str
    party: Literal["customer", "agent"]
    text: str
    begin_ms: int
    end_ms: int
    final: bool
    asr_confidence: float | None = None


class Posted(msgspec.Struct, frozen=True):
    """What became of it: `seq` in the call's log (that of the first, for a repeat; 0 where none)."""

    outcome: Outcome
    seq: int = 0


class CallMeta(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a call.  `worker` as it was pinned at the start."""

    call_id: str
    tenant_id: str
    agent_id: str
    script: str
    script_version: str
    direction: str
    started: str
    started_ms: int
    worker: str
    handed_over: str | None = None
