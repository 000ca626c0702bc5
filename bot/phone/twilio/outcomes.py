"""Twilio's words for the state of a call, as LineNews.  PURE.

`completed` only says that a call was answered and is over.  Where a call `failed`, the SIP response
of the carrier, which Twilio sends along, says more (RFC 3261 section 21, RFC 8197, ITU-T Q.850).
"""

from __future__ import annotations

from bot.phone.dialling import Cause, LineNews, LineState

_STATES: dict[str, tuple[LineState, Cause | None]] = {
    "queued": (LineState.SENT, None),
    "initiated": (LineState.SENT, None),
    "ringing": (LineState.RINGING, None),
    "in-progress": (LineState.ANSWERED, None),
    "answered": (LineState.ANSWERED, None),
    "completed": (LineState.ENDED, "normal"),
    "busy": (LineState.ENDED, "busy"),
    "no-answer": (LineState.ENDED, "no_answer"),
    "canceled": (LineState.ENDED, "cancelled"),
    "failed": (LineState.ENDED, "failed"),
}
_FAILURES: dict[str, Cause] = {
    "403": "rejected",
    "603": "rejected",
    "607": "rejected",
    "608": "rejected",
    "404": "unreachable",
    "410": "unreachable",
    "480": "unreachable",
    "484": "unreachable",
    "604": "unreachable",
    "408": "no_answer",
    "486": "busy",
    "600": "busy",
    "487": "cancelled",
    "503": "congestion",
}


def line_news(line_id: str, status: str, sip_response: str = "") -> LineNews | None:
    """What a CallStatus tells; None for a status that is not known."""
    found = _STATES.get(status)
    if found is None:
        return None
    state, cause = found
    if cause == "failed":
        cause = _FAILURES.get(sip_response, cause)
    return LineNews(line_id, state, cause)
