"""What advice is made of: facts with their evidence, cards, and what the agent did with them. Pure data.

Times are milliseconds on the call's own clock.  Money is in yuan, data in GB where a fact's name
says so (`data_used_gb`), durations of contracts in months.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, get_args

import msgspec

CardKind = Literal["question", "rebuttal", "offer", "answer", "close", "compliance", "action"]
CARD_KINDS: tuple[str, ...] = get_args(CardKind)
FeedbackAction = Literal["shown", "used", "edited", "dismissed", "spoken"]
Layer = Literal["permission", "facts", "problems", "solutions"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
Stage = Literal["opening", "discovery", "introduction", "objections", "intent", "details", "closing"]
STAGES: tuple[Stage, ...] = get_args(Stage)
CustomerType = Literal["talker", "dominant", "exact", "patient"]
"""沟通型, 支配型, 精确型, 耐心型 (PDP)."""
CUSTOMER_TYPES: tuple[CustomerType, ...] = get_args(CustomerType)

MAX_CARD_CHARACTERS = 40
"""A card can be read in one glance and spoken in one breath: some 9 s of Mandarin."""

FactValue = Decimal | int | float | bool | str


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One thing known of the customer.  `evidence`: the utterance id, or the key of the customer
    file.  `guessed`: inferred, not said outright.  `was`: an earlier value that this contradicts."""

    name: str
    value: FactValue
    source: Literal["speech", "file"]
    evidence: str
    at_ms: int = 0
    guessed: bool = False
    was: FactValue | None = None


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """One card (CONTRACT, Suggestion).  `text` can be spoken as it stands; `asks` is the fact that
    the question would fill; `ttl_ms` is how long the advice is of use."""

    id: str
    call_id: str
    kind: CardKind
    text: str
    title: str = ""
    why: str = ""
    evidence: tuple[str, ...] = ()
    node: str | None = None
    asks: str | None = None
    objection: str | None = None
    technique: str | None = None
    product: str | None = None
    score: float = 0.0
    rank: int = 1
    ttl_ms: int = 20_000
    pinned: bool = False
    t_utterance_end_ms: int = 0
    t_sent_ms: int = 0
    supersedes: str | None = None
    policy_version: str | None = None
    propensity: float | None = None


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A card that could be shown now.  `prior` in [0, 1] is what good sense says of it; `key` names
    it within the script, so that it is not repeated in a call.  `features` are what the ranker
    learns from.  `fixed`: never left out for the sake of learning (what the law wants)."""

    key: str
    kind: CardKind
    text: str
    prior: float
    title: str = ""
    why: str = ""
    evidence: tuple[str, ...] = ()
    node: str | None = None
    asks: str | None = None
    objection: str | None = None
    technique: str | None = None
    product: str | None = None
    ttl_ms: int = 20_000
    pinned: bool = False
    fixed: bool = False
    features: dict[str, float] = {}


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent did with a card (CONTRACT, Feedback); `spoken` is detected from the agent's line."""

    suggestion_id: str
    action: FeedbackAction
    at_ms: int = 0
    text: str | None = None


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One utterance with its meaning.  `nodes`: the script's lines that an agent's words amount to;
    `does`: generic acts of the agent (asks:<fact>, discloses:<what>, promises, …)."""

    utterance_id: str
    party: Literal["customer", "agent"]
    text: str
    begin_ms: int = 0
    end_ms: int = 0
    acts: tuple[dict[str, Any], ...] = ()
    entities: tuple[dict[str, Any], ...] = ()
    sentiment: Literal["negative", "neutral", "positive"] | None = None
    nodes: tuple[str, ...] = ()
    does: tuple[str, ...] = ()


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """Something that must not be said was said: the words, the rule, what to say now."""

    rule: str
    words: str
    utterance_id: str
    at_ms: int
    title: str
    remedy: str = ""


class CheckItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that must be said in this call: done when `at_ms` is set; `due`: should be said by now."""

    key: str
    title: str
    text: str
    at_ms: int | None = None
    evidence: str | None = None
    due: bool = False
