"""What the voice asks the brain each turn, and what the brain answers.

Both sides share this vocabulary and never import each other.  A turn's key is
(call_id, turn): a repeat is answered from memory.

This module imports nothing of ours.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Expects = Literal[
    "yes_no_question",  # affirm or deny
    "offer",  # will you take it
    "pitch",  # nothing yet: a statement goes on
    "identity_check",  # are you so-and-so
    "open_question",  # anything
    "digits",  # a dictated number: be patient
    "time",  # a day or an hour
    "none",  # nothing more will be said
]
"""What the last bot line expects next.  In `parse --after`, the first five and null are used;
digits and time count as open_question there."""

TurnKind = Literal[
    "open",  # the call was answered: speak first
    "say",  # the customer said `text`
    "silence",  # nothing was said when something was expected
    "no_match",  # sound, but no words could be made of it
    "dtmf",  # a key was pressed: `digits`
    "action_failed",
    "transfer_failed",
    "voicemail",  # a machine answered (found on the line, not by words)
]


class HeardLine(msgspec.Struct, frozen=True, kw_only=True):
    """How far one line of the reply before was really heard by the customer."""

    node: str
    finished: bool
    heard_text: str = ""
    heard_ms: int = 0


class TurnRequest(msgspec.Struct, frozen=True, kw_only=True, tag="turn"):
    """One turn of a call for the brain.

    `heard` holds the lines of the reply before, in order, with how far they were heard; None
    means all of it was heard.  `at` is wall time, ISO 8601 with offset.  `deadline_ms` is how
    long an answer is of use, counted from sending.  A speculative turn runs on a fork where
    effects are forbidden and leaves no trace.  `contact`, `script`, `script_version`, `seed`
    and `direction` come with kind "open" only.  `acts` and `entities` are given where the meaning is
    known already (a replay, a clicked act): the words are then not understood again.
    """

    call_id: str
    turn: int
    kind: TurnKind
    at: str
    tenant_id: str = "default"
    text: str | None = None
    digits: str | None = None
    heard: tuple[HeardLine, ...] | None = None
    asr_confidence: float | None = None
    utterance_id: str | None = None
    at_ms: int = 0
    deadline_ms: int = 4000
    speculative: bool = False
    script: str | None = None
    script_version: str | None = None
    contact: dict[str, Any] | None = None
    seed: int = 0
    campaign: dict[str, Any] | None = None
    direction: Literal["outbound", "inbound"] = "outbound"
    acts: tuple[dict[str, Any], ...] | None = None
    entities: tuple[dict[str, Any], ...] = ()


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a line: fixed words, or the value of a variable (so that recordings splice)."""

    text: str
    variable: str | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line to speak.  `variant` numbers the wording from 0 within its node; `guarded`: spans of
    `text` (characters from, to) in which the customer cannot stop it; `discloses` names what hearing
    it to its end proves (identity, robot, price, term, cancel)."""

    node: str
    text: str
    variant: int = 0
    parts: tuple[Part, ...] = ()
    interruptible: bool = True
    guarded: tuple[tuple[int, int], ...] = ()
    discloses: tuple[str, ...] = ()


class Reply(msgspec.Struct, frozen=True, kw_only=True, tag="reply"):
    """What the brain decided.  `lines` empty means: say nothing, go on listening (or speaking).

    `node` is the line that decided the turn (the first), `nodes` all of them.  `slots` holds
    masked values.  `ms` holds understand and decide, in milliseconds.  `speculation` is None for
    a real turn, "ready" for a forked one, "effect" where the fork met an effect and stopped.
    `grade` and `reasons` are those of a call that ends with this reply, or is hung up after it.
    """

    call_id: str
    turn: int
    node: str | None = None
    nodes: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    stage: str | None = None
    expects: Expects = "none"
    ended: bool = False
    disposition: str | None = None
    grade: str | None = None
    reasons: tuple[str, ...] = ()
    slots: dict[str, Any] = {}
    acts: tuple[dict[str, Any], ...] = ()
    entities: tuple[dict[str, Any], ...] = ()
    actions: tuple[dict[str, Any], ...] = ()
    handover: dict[str, Any] | None = None
    ms: dict[str, float] = {}
    speculation: str | None = None
    error: str | None = None

    @property
    def text(self) -> str | None:
        """All lines as one text, None where nothing is said."""
        return "".join(line.text for line in self.lines) or None


_turn_encoder = msgspec.json.Encoder()
_turn_decoder: msgspec.json.Decoder[TurnRequest | Reply] = msgspec.json.Decoder(TurnRequest | Reply)


def encode_message(message: TurnRequest | Reply) -> bytes:
    """A request or a reply as JSON bytes."""
    return _turn_encoder.encode(message)


def decode_message(data: bytes | str) -> TurnRequest | Reply:
    """The request or reply of JSON bytes; msgspec.ValidationError where it is neither."""
    return _turn_decoder.decode(data)
