"""A script as advice reads it: its lines with their metadata, facts, must-says, must-not-says. Typed.

Lines come from the Rasa domain (responses with metadata), the rest from `assist.yml`, products from
`catalogue.yml`.  Metadata keys of a response that count here: card, stage, asks, rebuts, technique,
answers, about, discloses, when, avoid_after, why, title.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from assist.suggest.catalogue import Catalogue, Text
from assist.suggest.conditions import Condition
from assist.suggest.model import CardKind, CustomerType, Layer

FactKind = Literal["money", "data", "count", "minutes", "months", "date", "choice", "yes_no", "text"]


class Wording(msgspec.Struct, frozen=True):
    """One way to say a line.  `slots`: Rasa conditions (slot → value) that must hold for it."""

    text: str
    slots: tuple[tuple[str, Any], ...] = ()


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the script.  `rebuts`, `answers`: customer acts; `about`: words that call for it;
    `when`: conditions that must not be false; `avoid_after`: acts after which it must not be said."""

    name: str
    wordings: tuple[Wording, ...]
    card: CardKind | None = None
    stage: str | None = None
    asks: str | None = None
    rebuts: tuple[str, ...] = ()
    technique: str | None = None
    answers: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    discloses: tuple[str, ...] = ()
    when: tuple[Condition, ...] = ()
    avoid_after: tuple[str, ...] = ()
    product: str | None = None
    why: str = ""
    title: str = ""


class Likely(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One value that an unknown fact may turn out to have, and how likely (weights need no sum)."""

    value: int | float | bool | str
    weight: float


class FactRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fact worth knowing.

    `ask`: the line that asks it; `cues`: words near a value that tell it is about this fact;
    `choices`: value → words that mean it; `likely`: what it may be while unknown, for choosing the
    question whose answer decides most; `unit` is shown after the value; `need`: how much the fact
    matters to the talk itself, 0 to 1, where it decides nothing between products.
    """

    name: str
    title: Text
    layer: Layer
    kind: FactKind
    ask: str | None = None
    unit: str = ""
    cues: tuple[str, ...] = ()
    choices: dict[str, tuple[str, ...]] = {}
    likely: tuple[Likely, ...] = ()
    need: float = 0.3


class MustSay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must have been said: `node` is the line that says it, `words` patterns (regular
    expressions) one of which is enough in the agent's own words; `by`: the stage at whose beginning
    it is due."""

    key: str
    title: Text
    node: str
    words: tuple[str, ...]
    by: str = "closing"


class MustNotSay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must not be said: `words` patterns in the agent's words, `unless` patterns around them
    that make it harmless (不能保证); `say`: the correction, at most 40 characters."""

    rule: str
    title: Text
    words: tuple[str, ...]
    unless: tuple[str, ...] = ()
    say: str = ""


class TypeCues(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words by which a customer type shows."""

    type: CustomerType
    title: Text
    cues: tuple[str, ...]


class Signals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Buying signals: customer acts, and patterns in the words."""

    acts: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


class Leaving(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Signs that a customer is about to leave: patterns in the words; sets the fact `leaving`."""

    words: tuple[str, ...] = ()


class AssistFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`assist.yml`: every list adds to that of stories/common_assist; an entry of the same name or key
    replaces the common one."""

    facts: tuple[FactRule, ...] = ()
    must_say: tuple[MustSay, ...] = ()
    must_not_say: tuple[MustNotSay, ...] = ()
    types: tuple[TypeCues, ...] = ()
    signals: Signals = Signals()
    leaving: Leaving = Leaving()
    way_in: tuple[str, ...] = ()


class AssistScript(msgspec.Struct, frozen=True, kw_only=True):
    """All that advice needs of a script."""

    name: str
    version: str
    title: Text
    language: str
    nodes: dict[str, Node]
    facts: dict[str, FactRule]
    must_say: tuple[MustSay, ...]
    must_not_say: tuple[MustNotSay, ...]
    types: tuple[TypeCues, ...]
    signals: Signals
    leaving: Leaving
    catalogue: Catalogue
    variables: dict[str, str] = {}
    way_in: tuple[str, ...] = ()
