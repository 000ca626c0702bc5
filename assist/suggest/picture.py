"""The picture of a call that advice is made from: who said what, what is known, where the call stands.

Plain data, changed only by `assist.shadow`; everything in it follows from the call's log.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from assist.suggest.model import Alarm, CheckItem, Fact, FactValue, Layer, Said, Stage
from assist.suggest.script import AssistScript

MAX_REBUTTALS: Final = 2
MAX_REFUSALS: Final = 2
PAUSE_MS: Final = 2500
"""Words that nothing followed for so long were no sentence."""


@dataclass
class Picture:
    """One call, now.

    `variables`: figures for texts that no fact changes; `objection`: the open one; `rebutted`: rebuttals
    spoken to each objection; `asked`: facts that the agent asked, with the number of customer lines
    then; `pending`: the fact that the last agent's line asked; `offered`: values it put to the customer;
    `expects`: what it asked (CONTRACT, parse: after); `refusals`: clear refusals so far; `over`: selling
    is over; `steps`: what the script's policies would do next; `done`: script lines spoken; `pitched`:
    products named, `talked_of` the last of them; `farewell`: the last line says goodbye; `speaking`: the
    customer's line that is not over and when its last words came; `shown`: card keys shown with the
    number of customer lines then; `texts`: card texts shown; `rejected`: keys dismissed.
    """

    call_id: str
    script: AssistScript
    variables: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    stage: Stage = "opening"
    layer: Layer = "permission"
    objection: str | None = None
    objection_evidence: str | None = None
    rebutted: dict[str, list[str]] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    pending: str | None = None
    offered: dict[str, FactValue] = field(default_factory=dict)
    expects: str | None = None
    refusals: int = 0
    over: bool = False
    accepted: bool = False
    signals: list[str] = field(default_factory=list)
    signal_evidence: list[str] = field(default_factory=list)
    acts: tuple[str, ...] = ()
    seen_acts: set[str] = field(default_factory=set)
    steps: tuple[str, ...] = ()
    done: dict[str, str] = field(default_factory=dict)
    pitched: set[str] = field(default_factory=set)
    talked_of: str | None = None
    farewell: bool = False
    checklist: dict[str, CheckItem] = field(default_factory=dict)
    alarms: list[Alarm] = field(default_factory=list)
    type_points: dict[str, int] = field(default_factory=dict)
    customer_type: str | None = None
    shown: dict[str, int] = field(default_factory=dict)
    texts: set[str] = field(default_factory=set)
    rejected: set[str] = field(default_factory=set)
    customer_lines: int = 0
    customer_ms: int = 0
    agent_ms: int = 0
    now_ms: int = 0
    speaking: tuple[str, int] | None = None

    @property
    def mid_sentence(self) -> bool:
        """Whether the customer goes on talking: words of another line came a moment ago."""
        return self.speaking is not None and self.now_ms - self.speaking[1] <= PAUSE_MS

    @property
    def customer(self) -> Said | None:
        """The customer's last line."""
        return next((line for line in reversed(self.said) if line.party == "customer"), None)

    @property
    def agent(self) -> Said | None:
        """The agent's last line."""
        return next((line for line in reversed(self.said) if line.party == "agent"), None)

    @property
    def last(self) -> Said | None:
        """The last line of either."""
        return self.said[-1] if self.said else None

    @property
    def may_rebut(self) -> bool:
        """Whether the open objection may be answered once more."""
        spoken = len(self.rebutted.get(self.objection or "", ()))
        return not self.over and spoken < MAX_REBUTTALS

    def values(self) -> dict[str, FactValue]:
        """Name → value of all known facts, with what follows from them."""
        from assist.hearing.facts import plain

        return plain(self.facts)


def amounts_known(picture: Picture, extra: tuple[Decimal | None, ...]) -> set[Decimal]:
    """All sums of money that may be named in the call: known facts and the given sums."""
    found = {value for value in extra if value is not None}
    for value in picture.values().values():
        if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
            found.add(Decimal(str(value)))
    return found
