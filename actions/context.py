"""What an action may know of its call beyond Rasa's tracker.

The engine sets `current` for each turn; Rasa and its stores never see these values (contact,
words, evidence).  In a speculative fork `evidence` is a copy and `effects` are forbidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol
from zoneinfo import ZoneInfo

from actions.evidence import Proof, Wish
from actions.ports import Effects
from actions.script import Script

DEFAULT_ZONE = "Asia/Shanghai"


class HeardLine(Protocol):
    """One line of the reply before, with how far it was heard: `begun` at all, `finished` to its
    end.  `metadata` is that of the wording said."""

    @property
    def node(self) -> str: ...

    @property
    def metadata(self) -> Mapping[str, Any]: ...

    @property
    def finished(self) -> bool: ...

    @property
    def begun(self) -> bool: ...


@dataclass
class CallContext:
    """One call, at one turn.

    `now` is wall time with offset; `acts` are all acts of the utterance ({"name", "confidence"},
    best first), `act` the one that steers; `text` is masked.  `evidence` lives as long as the call
    and is only ever appended to.  `results` collects what effects gave ({"name", "result", …}),
    `handover` whom the call goes to ({"to", "reason", "context"}), `ends` the disposition of a call
    that ends without a word; all three are for the engine's reply.
    """

    call_id: str
    script: Script
    contact: Mapping[str, Any]
    now: datetime
    effects: Effects
    tenant_id: str = "default"
    turn: int = 0
    campaign: Mapping[str, Any] = field(default_factory=dict)
    heard: Sequence[HeardLine] = ()
    evidence: list[Proof] = field(default_factory=list)
    act: str = ""
    acts: Sequence[Mapping[str, Any]] = ()
    entities: Sequence[Mapping[str, Any]] = ()
    text: str = ""
    utterance_id: str | None = None
    direction: Literal["outbound", "inbound"] = "outbound"
    results: list[dict[str, Any]] = field(default_factory=list)
    handover: dict[str, Any] | None = None
    ends: str | None = None

    @property
    def act_names(self) -> tuple[str, ...]:
        """Names of all acts of the utterance, best first."""
        return tuple(str(act["name"]) for act in self.acts)

    @property
    def local_now(self) -> datetime:
        """`now` in the callee's zone."""
        return self.now.astimezone(ZoneInfo(str(self.contact.get("timezone") or DEFAULT_ZONE)))

    @property
    def wish(self) -> Wish:
        """The customer's words of this turn, as evidence."""
        return Wish(self.act, self.utterance_id or f"turn-{self.turn}", self.text, self.now)

    def origin(self, effect: str) -> dict[str, Any]:
        """The fields of `ports.Origin` for an effect of this call; one key for each kind of effect."""
        return {
            "key": f"{self.call_id}/{effect}",
            "tenant_id": self.tenant_id,
            "call_id": self.call_id,
            "script": self.script.name,
            "contact_id": _text(self.contact.get("id")),
            "phone": _text(self.contact.get("phone")),
            "at": self.now,
        }

    def report(self, name: str, result: str, **more: Any) -> None:
        """Tell the engine what an effect gave."""
        self.results.append({"name": name, "result": result, **more})


def _text(value: Any) -> str | None:
    return None if value in (None, "") else str(value)


current: ContextVar[CallContext] = ContextVar("current_call")
"""The call whose turn is running in this task."""
