"""What Asterisk's REST interface says, typed: its events, its channels, its causes.  Pure.

Shapes as in Asterisk's rest-api/api-docs/events.json and channels.json (master of August 2026; the
fields used here are the same in 18 to 23).  Fields that we do not use are dropped, events that we
do not use are ignored.  Raises BadEvent for text that is not an event at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from bot.phone.dialling import Cause, LineState

NO_CAUSE = 0
"""AST_CAUSE_NOTDEFINED."""


class BadEvent(Exception):
    """Text of the event socket that is no event; says why without its content."""


class Party(msgspec.Struct, frozen=True):
    """Name and number as the line gives them; empty where it does not."""

    name: str = ""
    number: str = ""


class Dialplan(msgspec.Struct, frozen=True):
    """Where a channel stands.  For one in Stasis: app_name Stasis, app_data `app,arg,…`."""

    context: str = ""
    exten: str = ""
    app_name: str = ""
    app_data: str = ""


class Channel(msgspec.Struct, frozen=True):
    """A channel.  `state`: Down, Rsrved, OffHook, Dialing, Ring, Ringing, Up, Busy …"""

    id: str
    name: str = ""
    state: str = "Unknown"
    caller: Party = Party()
    connected: Party = Party()
    dialplan: Dialplan = Dialplan()
    channelvars: Mapping[str, Any] | None = None


class Bridge(msgspec.Struct, frozen=True):
    """A bridge and the ids of the channels in it."""

    id: str
    channels: list[str] = []


class Event(msgspec.Struct, frozen=True, tag_field="type"):
    """Any event that we use."""


class ChannelEvent(Event, frozen=True):
    """An event of one channel."""

    channel: Channel


class StasisStart(ChannelEvent, frozen=True, tag="StasisStart"):
    """The channel is ours now.  `args` as the dialplan or the origination gave them."""

    args: list[str] = []


class StasisEnd(ChannelEvent, frozen=True, tag="StasisEnd"):
    """The channel has left our application."""


class ChannelStateChange(ChannelEvent, frozen=True, tag="ChannelStateChange"):
    """Down → Ringing → Up."""


class ChannelHangupRequest(ChannelEvent, frozen=True, tag="ChannelHangupRequest"):
    """Someone hangs up; the channel ends soon."""

    cause: int = NO_CAUSE


class ChannelDestroyed(ChannelEvent, frozen=True, tag="ChannelDestroyed"):
    """The channel is over, with its Q.850 cause."""

    cause: int
    cause_txt: str = ""


class ChannelDtmfReceived(ChannelEvent, frozen=True, tag="ChannelDtmfReceived"):
    """A key was pressed, and released."""

    digit: str


class Dial(Event, frozen=True, tag="Dial"):
    """How dialling `peer` goes: "" at its begin, RINGING, PROGRESS, ANSWER, BUSY, NOANSWER …"""

    peer: Channel
    dialstatus: str = ""


class ApplicationReplaced(Event, frozen=True, tag="ApplicationReplaced"):
    """Another event socket took our application's name: this one gets nothing more."""

    application: str = ""


class _Head(msgspec.Struct):
    type: str = ""


_DECODERS = {
    kind.__name__: msgspec.json.Decoder(kind)
    for kind in (
        StasisStart,
        StasisEnd,
        ChannelStateChange,
        ChannelHangupRequest,
        ChannelDestroyed,
        ChannelDtmfReceived,
        Dial,
        ApplicationReplaced,
    )
}
_head = msgspec.json.Decoder(_Head)


def event_of(text: str | bytes) -> Event | None:
    """The event in one message of the socket; None for one that we do not use.  Raises BadEvent."""
    try:
        decoder = _DECODERS.get(_head.decode(text).type)
        return decoder.decode(text) if decoder is not None else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadEvent(str(error)) from error


_CAUSES: dict[int, Cause] = {
    1: "unreachable",  # unallocated number (空号)
    2: "unreachable",  # no route to the transit network
    3: "unreachable",  # no route to the destination
    5: "unreachable",  # wrong trunk prefix
    16: "normal",
    17: "busy",
    18: "no_answer",  # no user response
    19: "no_answer",
    20: "unreachable",  # subscriber absent (关机)
    21: "rejected",
    22: "unreachable",  # number changed
    26: "cancelled",  # answered elsewhere
    27: "unreachable",  # destination out of order (停机)
    28: "unreachable",  # invalid number
    29: "rejected",  # facility rejected
    31: "normal",
    34: "congestion",
    38: "congestion",
    41: "congestion",
    42: "congestion",
    44: "congestion",
    54: "rejected",  # incoming calls barred
}
_STATUSES: dict[str, Cause] = {
    "BUSY": "busy",
    "NOANSWER": "no_answer",
    "CONGESTION": "congestion",
    "CHANUNAVAIL": "unreachable",
    "CANCEL": "cancelled",
}


def is_end(dialstatus: str) -> bool:
    """Does a Dial event's status say that the dialling is over, and not well?"""
    return dialstatus in _STATUSES


def cause_of(code: int, *, answered: bool, cancelled: bool = False, dialstatus: str = "") -> Cause:
    """A line's outcome.  `cancelled`: we ended it.  `dialstatus`: of its last Dial event.

    A line that ended normally but was never answered was cancelled, by us, or rang in vain.
    """
    if code == NO_CAUSE:
        found = _STATUSES.get(dialstatus, "normal" if answered else "failed")
    else:
        found = _CAUSES.get(code, "failed")
    if not answered and cancelled:
        return "cancelled"
    if found == "normal" and not answered:
        return "no_answer"
    return found


_RINGING = frozenset({"Ring", "Ringing"})


def line_state(channel_state: str) -> LineState:
    """How far a channel that is there has come."""
    if channel_state == "Up":
        return LineState.ANSWERED
    return LineState.RINGING if channel_state in _RINGING else LineState.SENT


def args_of(parameters: Mapping[str, str]) -> str:
    """Parameters as an application's arguments (`name=value`, percent-encoded, so that no comma,
    quote or backslash of a value means anything to the dialplan)."""
    return ",".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters.items())


def parameters_of(args: list[str]) -> dict[str, str]:
    """The parameters in an application's arguments; those without a name count as arg1, arg2 …"""
    found: dict[str, str] = {}
    for place, arg in enumerate(args, 1):
        name, equals, value = arg.partition("=")
        if equals:
            found[unquote(name)] = unquote(value)
        else:
            found[f"arg{place}"] = arg
    return found


def in_application(channel: Channel, app: str) -> list[str] | None:
    """The arguments with which a channel is in the Stasis application `app`; None where it is not."""
    if channel.dialplan.app_name != "Stasis":
        return None
    name, *args = channel.dialplan.app_data.split(",")
    return args if name == app else None
