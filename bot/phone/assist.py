"""Whose calls are listened to: the `assist` part of phones.yml, and the agent of a line.  Pure.

    assist:
      script: bundle
      agents: {"+15550003": li, "1001": wang}

A call belongs to the agent whose number it is: the called one of an inbound call, the calling one of
an outbound call.
"""

from __future__ import annotations

import re

import msgspec

from bot.phone.arrivals import Arrival

_NUMBER = re.compile(r"\+?[0-9]{2,20}")


class AssistSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`script`: of calls that name none (default: the script of all lines).  `agents`: agent ids, as on
    the pages, by number (E.164 or extension).  `tenant_id`: whose calls they are."""

    script: str | None = None
    agents: dict[str, str] = {}
    tenant_id: str = "default"

    def __post_init__(self) -> None:
        for number, agent_id in self.agents.items():
            if not _NUMBER.fullmatch(number):
                raise ValueError(f"assist.agents: '{number}' is no number → digits, with or without +")
            if not agent_id.strip():
                raise ValueError(f"assist.agents: {number} has no agent → give the name that logs in")


def agent_of(settings: AssistSettings, arrival: Arrival) -> str | None:
    """The agent of a line; the same number counts with and without its +."""
    own = arrival.called if arrival.direction == "inbound" else arrival.caller
    wanted = (own or "").lstrip("+")
    for number, agent_id in settings.agents.items():
        if wanted and number.lstrip("+") == wanted:
            return agent_id
    return None


def customer_number(arrival: Arrival) -> str | None:
    """The other one's number; None where it is withheld (anonymous, unknown, a SIP name)."""
    number = arrival.caller if arrival.direction == "inbound" else arrival.called
    return number if number is not None and _NUMBER.fullmatch(number) else None
