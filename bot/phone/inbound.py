"""Who answers a call that comes in: the route from the called number to a script or a queue.  Pure.

Customers ring back the number that called them.  The first route whose number matches answers; `*`
matches any.  A route names a script, or a queue of people.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

_NUMBER = re.compile(r"\+?[0-9]{3,20}|\*")
_ADDRESS = re.compile(r"(?:sips?:|tel:)?(\+?[0-9][0-9 .()-]{2,24})(?:[@;].*)?", re.IGNORECASE | re.DOTALL)
LONGEST_ADDRESS = 256

WITHHELD: Final = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})
"""What Twilio gives where a caller shows no number: ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN,
UNAVAILABLE on the keys of a phone."""


class Route(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`number`: the called one (E.164, or as the switch gives it), `*` for any.  `script`: the bot answers
    with it; `queue`: people do.  `tenant_id`: whose number it is."""

    number: str
    script: str | None = None
    queue: str | None = None
    tenant_id: str = "default"

    def __post_init__(self) -> None:
        if not _NUMBER.fullmatch(self.number):
            raise ValueError("number: digits with or without +, or *")
        if (self.script is None) == (self.queue is None):
            raise ValueError("a route has either a script or a queue")


class InboundSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`routes`: tried in order."""

    routes: tuple[Route, ...] = ()


def route(settings: InboundSettings, called: str | None) -> Route | None:
    """The first route for a called number; the same number counts with and without its +."""
    wanted = (number_in(called) or "").lstrip("+")
    for candidate in settings.routes:
        if candidate.number == "*" or (wanted and candidate.number.lstrip("+") == wanted):
            return candidate
    return None


def number_in(address: str | None) -> str | None:
    """The digits, with their +, of what a switch calls a number (`sip:+8610…@host`, `tel:…`, digits);
    None for a name, for nothing, and for a number that was withheld."""
    if not address or len(address) > LONGEST_ADDRESS:
        return None
    found = _ADDRESS.fullmatch(address.strip())
    if found is None:
        return None
    digits = re.sub(r"[^0-9+]", "", found[1])
    return None if digits in WITHHELD or len(digits.lstrip("+")) < 3 else digits
