"""The text messages between a page and its line, both ways (docs/phones/browser.md).  Pure.

A page's first message is a Hello; after it, each message is one object with one key.  What is not
to the letter raises PageFault: the page's line ends, no other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from bot.phone.browser.access import Kind

RATES_HZ = (8000, 16000, 24000, 44100, 48000)
LONGEST_LINE = 1000
"""Characters of a typed line."""

_KEY = re.compile(r"[0-9*#A-D]")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


T = TypeVar("T")


class PageFault(Exception):
    """A page broke the protocol; says how, in words that may be shown to it."""


class Hello(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Opens a line.  `sample_rate` in Hz of the page's sound; `ears`: what the page wants heard, its
    "sound" or the lines "text" that are typed; `parameters` go with the Arrival (script, contact …)."""

    kind: Kind
    ticket: str
    sample_rate: int = 8000
    ears: str = "sound"
    parameters: dict[str, str] = {}

    def __post_init__(self) -> None:
        if self.sample_rate not in RATES_HZ:
            raise ValueError(f"sample_rate {self.sample_rate} → one of {', '.join(map(str, RATES_HZ))}")
        if self.ears not in ("sound", "text"):
            raise ValueError("ears → sound or text")
        if len(self.parameters) > 16:
            raise ValueError("parameters → 16 at most")
        for key, value in self.parameters.items():
            if not 0 < len(key) <= 64 or len(value) > 8192:
                raise ValueError("parameters → keys of 64 characters, values of 8192 at most")


class Offer(Hello, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Opens a line over WebRTC: a Hello with the session description."""

    sdp: str


class PageSays(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One message of a page after its Hello; exactly one of these is there.

    `say`: a line that the caller typed.  `digit`: a key.  `played`: a mark that was reached.
    `answer`: the softphone's agent takes the call.  `hang_up`: the person ends the line.
    """

    say: str | None = None
    digit: str | None = None
    played: str | None = None
    answer: bool = False
    hang_up: bool = False

    def __post_init__(self) -> None:
        given = (self.say, self.digit, self.played, self.answer or None, self.hang_up or None)
        if sum(part is not None for part in given) != 1:
            raise ValueError("exactly one of say, digit, played, answer, hang_up")
        if self.digit is not None and not _KEY.fullmatch(self.digit):
            raise ValueError("digit → one of 0-9, *, #, A-D")
        if self.say is not None and len(self.say) > LONGEST_LINE:
            raise ValueError(f"say → {LONGEST_LINE} characters at most")
        if self.played is not None and len(self.played) > 64:
            raise ValueError("played → a mark of 64 characters at most")


_hello = msgspec.json.Decoder(Hello)
_offer = msgspec.json.Decoder(Offer)
_says = msgspec.json.Decoder(PageSays)
_encoder = msgspec.json.Encoder()


def decode_hello(message: str | bytes) -> Hello:
    """The first message of a page.  Raises PageFault."""
    return _decode(_hello, message)


def decode_offer(message: str | bytes) -> Offer:
    """The body of POST /talk/offer.  Raises PageFault."""
    return _decode(_offer, message)


def decode_says(message: str | bytes) -> PageSays:
    """A further message of a page.  Raises PageFault."""
    return _decode(_says, message)


def typed_line(text: str) -> str:
    """A typed line as words: without control and bidirectional characters, and outer blanks."""
    return _UNSEEN.sub(" ", text).strip()


def encode(message: Mapping[str, Any]) -> str:
    """A message to the page."""
    return _encoder.encode(message).decode()


def _decode(decoder: msgspec.json.Decoder[T], message: str | bytes) -> T:
    try:
        return decoder.decode(message)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise PageFault(f"not a message of this protocol: {str(error)[:200]}") from error
