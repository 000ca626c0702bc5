"""No person answered: what becomes of the call.  Pure."""

from __future__ import annotations

from dataclasses import dataclass

from bot import events as ev

_OF_ANNOUNCEMENT: dict[str, ev.Disposition] = {
    "busy": "busy",
    "no_answer": "no_answer",
    "voicemail": "voicemail",
    "assistant": "voicemail",
    "forwarded": "voicemail",
}


@dataclass(frozen=True, slots=True)
class Nobody:
    """`disposition`: the call ends at once with it; None: the script says what to do with a machine."""

    disposition: ev.Disposition | None
    cause: str


def nobody(what: str, reason: str) -> Nobody:
    """`what` and `reason` are those of MachineHeard.  Nobody hears a word said to an announcement."""
    if what == "announcement":
        disposition = _OF_ANNOUNCEMENT.get(reason, "unreachable")
        return Nobody(None if disposition == "voicemail" else disposition, reason or "announcement")
    if what == "busy_tone":
        return Nobody("busy", "busy_tone")
    if what == "fax":
        return Nobody("unreachable", "fax")
    return Nobody(None, what)
