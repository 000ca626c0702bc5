"""What the engine remembers of one call between turns."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rasa.shared.core.trackers import DialogueStateTracker

from actions.evidence import Proof
from bot.dialogue.version import ScriptVersion
from bot.turn import Expects, Line, Reply, TurnRequest

REMEMBERED_ANSWERS = 8


@dataclass(frozen=True)
class SpokenLine:
    """A line of the reply before: `begun` where any of it was heard, `finished` where all was."""

    node: str
    metadata: dict[str, Any]
    finished: bool
    begun: bool


@dataclass
class CallState:
    """One call in the engine.  `evidence` grows with what was heard to the end and agreed to."""

    call_id: str
    tenant_id: str
    version: ScriptVersion
    tracker: DialogueStateTracker
    contact: dict[str, Any]
    campaign: dict[str, Any]
    seed: int
    direction: Literal["outbound", "inbound"] = "outbound"
    said: dict[tuple[str, int], int] = field(default_factory=dict)
    last_text: str = ""
    last_lines: tuple[tuple[Line, dict[str, Any]], ...] = ()
    stage: str | None = None
    expects: Expects = "none"
    acts: set[str] = field(default_factory=set)
    heard: set[str] = field(default_factory=set)
    evidence: list[Proof] = field(default_factory=list)
    ended: Reply | None = None
    turn: int = -1
    answers: OrderedDict[int, Reply] = field(default_factory=OrderedDict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def names(self) -> tuple[str, ...]:
        """Names to mask in anything that leaves the call."""
        name = str(self.contact.get("name") or "")
        return (name,) if name else ()

    def fork(self) -> CallState:
        """A copy that may be run and thrown away."""
        return replace(
            self,
            tracker=self.tracker.copy(),
            said=dict(self.said),
            acts=set(self.acts),
            heard=set(self.heard),
            evidence=list(self.evidence),
            answers=OrderedDict(),
            lock=asyncio.Lock(),
        )

    def remember(self, reply: Reply) -> None:
        """Keep the answer of a turn: a repeat of the request gets the same."""
        self.answers[reply.turn] = reply
        while len(self.answers) > REMEMBERED_ANSWERS:
            self.answers.popitem(last=False)

    def heard_lines(self, request: TurnRequest) -> tuple[SpokenLine, ...]:
        """The lines of the reply before, each with how far it was heard."""
        lines = []
        for index, (line, metadata) in enumerate(self.last_lines):
            begun = finished = True
            if request.heard is not None:
                part = request.heard[index] if index < len(request.heard) else None
                finished = part is not None and part.finished
                begun = part is not None and (part.finished or part.heard_ms > 0)
            lines.append(SpokenLine(line.node, metadata, finished, begun))
        return tuple(lines)

    @property
    def zone(self) -> ZoneInfo:
        """The callee's time zone; raises ValueError for a name that is none."""
        name = str(self.contact.get("timezone") or "Asia/Shanghai")
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"contact: unknown timezone '{name}' → write it as Asia/Shanghai") from error


def wall_time(request: TurnRequest) -> datetime:
    """The request's wall time; raises ValueError where it is no ISO time with an offset."""
    at = datetime.fromisoformat(request.at)
    if at.tzinfo is None:
        raise ValueError(f"'at' has no offset: {request.at} → write it as 2026-11-22T10:00:00+08:00")
    return at
