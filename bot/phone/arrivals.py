"""How a call comes from a phone adapter to whoever runs calls: an Arrival, handed to one function.

An adapter never decides what becomes of a call; it names what the switch told it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.call.ports import PhoneLeg

Provider = Literal["twilio", "audiosocket", "ari", "freeswitch", "browser", "simulated"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One line with its media, up.

    `line_id`: the switch's own id of the call (callSid, channel id, UUID).  `called`, `caller`: the
    numbers as the switch gives them, None where it does not.  `parameters`: what was sent along
    (customParameters, metadata, appArgs), as it came: data of strangers.
    """

    leg: PhoneLeg
    provider: Provider
    line_id: str
    direction: Literal["inbound", "outbound"] = "inbound"
    called: str | None = None
    caller: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


Arrived = Callable[[Arrival], None]
"""Called on the event loop as soon as a line is up.  Must not block and must not fail."""

Refusal = Callable[[], str | None]
"""Why no new line is taken now (above the load limit, shutting down); None where one is."""
