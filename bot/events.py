"""The event vocabulary of a call, and the one codec for it.

The log of a call is a sequence of these events; everything heard, inferred and said can be
replayed from it.  Events are frozen; `encode` and `decode` are exact inverses.  Times: `at_ms`
is the call's own clock in milliseconds from its start, `wall` is ISO 8601 with offset.
`seq` is 0 until the log has given the event its number.

This module imports nothing of ours.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import msgspec

Party = Literal["customer", "agent", "bot"]

Disposition = Literal[
    "accepted",
    "declined",
    "callback",
    "do_not_call",
    "transferred",
    "wrong_person",
    "busy",
    "no_answer",
    "voicemail",
    "unreachable",
    "hung_up",
    "completed",
    "not_understood",
    "failed",
]
DISPOSITIONS: tuple[str, ...] = get_args(Disposition)


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=False):
    """What every event carries.  `v` is the version of the vocabulary."""

    call_id: str
    at_ms: int
    wall: str
    v: int = 1
    tenant_id: str = "default"
    seq: int = 0


class CallStarted(Event, frozen=True, kw_only=True, tag="call.started"):
    """A call exists: dialled or arrived.  `customer` holds masked values only."""

    direction: Literal["outbound", "inbound"]
    mode: Literal["bot", "assist"]
    script: str
    script_version: str
    customer: dict[str, Any] = {}
    agent_id: str | None = None


class CallAnswered(Event, frozen=True, kw_only=True, tag="call.answered"):
    """Somebody, or something, picked up."""

    by: str = "customer"
    cause: str | None = None
    disposition: Disposition | None = None
    grade: str | None = None
    duration_ms: int = 0


class CallEnded(Event, frozen=True, kw_only=True, tag="call.ended"):
    """The one final record of a call.  `by` is who ended it: customer, bot, agent or system."""

    by: str
    cause: str
    disposition: Disposition
    grade: str | None = None
    reasons: list[str] = []
    duration_ms: int = 0


class SpeechStarted(Event, frozen=True, kw_only=True, tag="speech.started"):
    """A voice was detected on one party's side."""

    party: Party


class SpeechEnded(Event, frozen=True, kw_only=True, tag="speech.ended"):
    """The voice of one party stopped."""

    party: Party


class UtterancePartial(Event, frozen=True, kw_only=True, tag="utterance.partial"):
    """Words recognised so far; may still change."""

    party: Party
    utterance_id: str
    text: str
    begin_ms: int
    end_ms: int
    asr_confidence: float | None = None


class UtteranceFinal(Event, frozen=True, kw_only=True, tag="utterance.final"):
    """Words that will not change any more."""

    party: Party
    utterance_id: str
    text: str
    begin_ms: int
    end_ms: int
    asr_confidence: float | None = None


class MeaningEvent(Event, frozen=True, kw_only=True, tag="meaning"):
    """What an utterance means: acts best first, typed entities."""

    utterance_id: str
    acts: list[dict[str, Any]]
    entities: list[dict[str, Any]] = []
    sentiment: str | None = None


class ReplyEvent(Event, frozen=True, kw_only=True, tag="reply"):
    """What the bot decided to say.  `ms` is the latency budget of the turn:
    endpoint, recognise, understand, decide, voice, network."""

    node: str
    text: str
    audio_ms: int = 0
    interruptible: bool = True
    turn: int = 0
    stage: str | None = None
    expects: str | None = None
    ms: dict[str, float] = {}


class Playback(Event, frozen=True, kw_only=True, tag="playback"):
    """How far a line was really heard."""

    node: str
    heard_text: str
    heard_ms: int
    outcome: Literal["finished", "interrupted"]
    turn: int = 0


class ActionEvent(Event, frozen=True, kw_only=True, tag="action"):
    """An action ran; effects on the world carry their result."""

    name: str
    result: Any = None


class SlotEvent(Event, frozen=True, kw_only=True, tag="slot"):
    """A slot of the dialogue changed."""

    name: str
    value: Any = None


class Dtmf(Event, frozen=True, kw_only=True, tag="dtmf"):
    """A key was pressed."""

    digit: str


class Silence(Event, frozen=True, kw_only=True, tag="silence"):
    """The customer said nothing for `ms` milliseconds when something was expected."""

    ms: int


class Handover(Event, frozen=True, kw_only=True, tag="handover"):
    """The call goes to a person."""

    to: str
    reason: str


class Compliance(Event, frozen=True, kw_only=True, tag="compliance"):
    """A rule was applied; what it said and on which evidence."""

    rule: str
    verdict: str
    evidence: list[Any] = []


class SuggestionEvent(Event, frozen=True, kw_only=True, tag="suggestion"):
    """Advice pushed to an agent's screen (shape: CONTRACT, Suggestion)."""

    suggestion: dict[str, Any]


class FeedbackEvent(Event, frozen=True, kw_only=True, tag="feedback"):
    """What the agent did with a suggestion."""

    suggestion_id: str
    action: Literal["shown", "used", "edited", "dismissed", "spoken"]
    text: str | None = None


class PanelEvent(Event, frozen=True, kw_only=True, tag="panel"):
    """What changed on the agent's page: the parts that differ, whole.  `after`: the utterance that led
    to it; `ms`: where the milliseconds went (queue, think)."""

    changes: dict[str, Any]
    after: str | None = None
    ms: dict[str, float] = {}


class DecisionEvent(Event, frozen=True, kw_only=True, tag="decision"):
    """One decision of the ranker of cards, with all that it was made from (for learning and replay)."""

    number: int
    candidates: list[dict[str, Any]]
    context: dict[str, float]
    key: str
    propensity: float
    policy_version: str
    suggestion_id: str | None = None


AnyEvent = (
    CallStarted
    | CallAnswered
    | CallEnded
    | SpeechStarted
    | SpeechEnded
    | UtterancePartial
    | UtteranceFinal
    | MeaningEvent
    | ReplyEvent
    | Playback
    | ActionEvent
    | SlotEvent
    | Dtmf
    | Silence
    | Handover
    | Compliance
    | SuggestionEvent
    | FeedbackEvent
    | PanelEvent
    | DecisionEvent
)

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def encode(event: Event) -> bytes:
    """The event as one JSON object in UTF-8 bytes."""
    return _encoder.encode(event)


def decode(data: bytes | str) -> AnyEvent:
    """The event of one JSON object.

    Raises msgspec.ValidationError (a ValueError) where a field is missing or of a wrong type,
    msgspec.DecodeError where it is not JSON.
    """
    return _decoder.decode(data)


def numbered(event: AnyEvent, seq: int) -> AnyEvent:
    """The same event with the sequence number that the log gave it."""
    return msgspec.structs.replace(event, seq=seq)
