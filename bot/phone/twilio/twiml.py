"""TwiML: what Twilio is told to do with a call.  PURE.

All values are escaped; characters that XML 1.0 cannot hold are dropped.  Raises ValueError for what
Twilio would refuse: a parameter over 500 characters, a target that is no number, SIP address or
client.  Source: https://www.twilio.com/docs/voice/twiml (Connect, Start, Stream, Dial, Reject).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

LONGEST_PARAMETER = 500
"""Characters of a parameter's name and value together."""
LONGEST_TWIML = 4000
"""Characters that the REST API takes as `Twiml`."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NUMBER = re.compile(r"\+[0-9]{4,15}")
_SIP = re.compile(r"sips?:[^\s@]+@[^\s@]+")
_CLIENT = re.compile(r"client:[\w.-]{1,121}", re.ASCII)


def connect_stream(url: str, parameters: Mapping[str, str]) -> str:
    """The call's audio both ways over a WebSocket; the call ends when the socket is closed."""
    return _response(f"<Connect>{_stream(url, parameters)}</Connect>")


def listen_and_dial(url: str, parameters: Mapping[str, str], target: str) -> str:
    """Connect the call to a person, and let us hear both sides.  Raises ValueError."""
    stream = _stream(url, parameters, ' track="both_tracks"')
    return _response(f"<Start>{stream}</Start>{_dial(target, None)}")


def dial(target: str, caller_id: str | None = None) -> str:
    """Give the call to another number, SIP address or client.  Raises ValueError."""
    return _response(_dial(target, caller_id))


def reject() -> str:
    """Do not take the call: the caller hears that the line is busy, and nothing is billed."""
    return _response('<Reject reason="busy"/>')


def is_target(target: str) -> bool:
    """Whether this can be dialled: +number, sip:user@host or client:name."""
    return any(kind.fullmatch(target) for kind in (_NUMBER, _SIP, _CLIENT))


def _response(inside: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>'


def _stream(url: str, parameters: Mapping[str, str], track: str = "") -> str:
    inside = "".join(_parameter(name, value) for name, value in parameters.items())
    return f"<Stream url={_attribute(url)}{track}>{inside}</Stream>"


def _parameter(name: str, value: str) -> str:
    if len(name) + len(value) > LONGEST_PARAMETER:
        raise ValueError(
            f"the parameter {name[:40]!r} has {len(name) + len(value)} characters, Twilio takes "
            f"{LONGEST_PARAMETER} → send an id and look the rest up"
        )
    return f"<Parameter name={_attribute(name)} value={_attribute(value)}/>"


def _dial(target: str, caller_id: str | None) -> str:
    if _NUMBER.fullmatch(target):
        noun = f"<Number>{target}</Number>"
    elif _SIP.fullmatch(target):
        noun = f"<Sip>{escape(_clean(target))}</Sip>"
    elif _CLIENT.fullmatch(target):
        noun = f"<Client>{target.removeprefix('client:')}</Client>"
    else:
        raise ValueError("the target of a dial is neither +number, sip:user@host nor client:name")
    caller = f" callerId={_attribute(caller_id)}" if caller_id else ""
    return f"<Dial{caller}>{noun}</Dial>"


def _attribute(value: str) -> str:
    return quoteattr(_clean(value))


def _clean(value: str) -> str:
    return _NOT_XML.sub("", value)
