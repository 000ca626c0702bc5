"""Who is on the line where a customer called us, and what the script may do for him.  Pure.

A caller is told his own facts only where his number is that of a contact, and then after he has said
to be that person, as when we call.  A name that a caller gives proves nothing: for a number we do not
know, and for none, no fact of any account has a value, so that no line can say one.

Keys of the contact that count here beside the script's own: `queue` (people answer this number),
`do_not_call` (true: on the list), `called_at` (when we called him, ISO 8601 with offset), `phone`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from actions.offers import (
    Availability,
    ContactError,
    availability,
    check_contact,
    script_variables,
    variables,
)
from actions.script import Script
from actions.state import Stock

Direction = Literal["outbound", "inbound"]
Sale = Availability | Literal["no_contact", "opted_out", "to_person"]
"""Whether the offer may be made; for callers also: not known, on the do-not-call list, for a person."""

CALLERS: Final = {"open": "known", "no_contact": "stranger", "opted_out": "listed", "to_person": "queued"}
"""The slot `caller`, by which lines choose their wording; any other state of the sale is `closed`."""

FIRST_QUESTION: Final = {"known": "name", "stranger": "who"}
"""What an opening asks, so that a caller who talks over it is asked again; `help` for the others."""

JUST_NOW: Final = timedelta(hours=2)
LATELY: Final = timedelta(days=7)


def sale(script: Script, contact: Mapping[str, Any], direction: Direction, now: datetime) -> Sale:
    """The slot `sale` as the call starts (`now` in the callee's zone).

    Raises ContactError: a contact that we call must have all that the script needs.
    """
    if direction == "outbound":
        return availability(script, contact, now)
    if contact.get("queue"):
        return "to_person"
    if contact.get("do_not_call") is True:
        return "opted_out"
    try:
        check_contact(script, contact)
    except ContactError:
        return "no_contact"
    return availability(script, contact, now)


def opening_slots(
    script: Script, contact: Mapping[str, Any], direction: Direction, now: datetime
) -> dict[str, str]:
    """The slots that are set once, as the call starts.  Raises ContactError."""
    state = sale(script, contact, direction, now)
    slots: dict[str, str] = {"sale": state, "direction": direction, "voicemail_do": script.voicemail.do}
    if direction == "outbound":
        return slots | variables(script, contact, now)
    slots["caller"] = CALLERS.get(state, "closed")
    slots["number"] = "shown" if contact.get("phone") else "withheld"
    slots["called"] = when_called(contact.get("called_at"), now)
    facts = variables(script, contact, now) if state == "open" else script_variables(script, now)
    return slots | facts


def opening_stock(stock: Stock, slots: Mapping[str, str]) -> Stock:
    """The state as the call starts: only a known caller may be sold anything."""
    if slots["direction"] == "outbound":
        return stock
    caller = slots["caller"]
    return replace(stock, pending=FIRST_QUESTION.get(caller, "help"), selling_over=caller != "known")


def when_called(at: Any, now: datetime) -> str:
    """How one says when we called: 刚才, 今天, 昨天, 前几天; 之前 for longer ago and for no time at all."""
    try:
        then = datetime.fromisoformat(str(at)).astimezone(now.tzinfo)
    except ValueError:
        return "之前"
    if timedelta() <= now - then <= JUST_NOW:
        return "刚才"
    days = (now.date() - then.date()).days
    if 0 <= days <= 1:
        return ("今天", "昨天")[days]
    return "前几天" if timedelta() <= now - then <= LATELY else "之前"
