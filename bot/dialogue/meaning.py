"""What an utterance means: the acts that count, typed values, and the act that steers.

Pure: takes what the NLU pipeline gave, decides, and masks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.turn import Expects, TurnRequest

NO_MATCH_BELOW = 0.22
"""Below this confidence of the best act nothing was understood; a short question back is the
robust answer to a line half understood."""

PERSONAL = {"phone": "<PHONE>", "id_number": "<ID>", "card": "<CARD>", "digits": "<DIGITS>"}

ID_LAST4_TOKEN = "<ID4>"
"""Stands for the last four of the contact's ID, in entities and in the contact that actions see."""
SHORT_TOKEN = "<#>"
"""Stands for digits too few to be compared with it; shorter than ID_LAST4_TOKEN, as they were."""

TOKENS = {ID_LAST4_TOKEN, SHORT_TOKEN, *PERSONAL.values()}

AFTER: dict[Expects, str | None] = {
    "yes_no_question": "yes_no_question",
    "offer": "offer",
    "pitch": "pitch",
    "identity_check": "identity_check",
    "open_question": "open_question",
    "digits": "open_question",
    "time": "open_question",
    "none": None,
}
"""What the NLU is told was asked before, for what the last line expects."""


@dataclass(frozen=True)
class Meaning:
    """`acts`: at most two, best first, name and confidence.  `entities`: typed values."""

    acts: tuple[dict[str, Any], ...]
    entities: tuple[dict[str, Any], ...]

    @property
    def understood(self) -> bool:
        """Whether the best act is sure enough to be acted upon."""
        return bool(self.acts) and self.acts[0]["confidence"] >= NO_MATCH_BELOW


def meaning_of(parsed: dict[str, Any]) -> Meaning:
    """The meaning in what Rasa's pipeline returned for one message."""
    acts = parsed.get("acts")
    if not acts:
        intent = parsed["intent"]
        acts = [intent] if intent.get("name") else []
    return Meaning(
        acts=tuple({"name": act["name"], "confidence": round(float(act["confidence"]), 4)} for act in acts),
        entities=tuple(
            {key: entity[key] for key in entity if key != "extractor"}
            for entity in parsed.get("entities", ())
        ),
    )


def keypad_meaning(digits: str, expects: Expects) -> Meaning:
    """What pressed keys mean: a dictated number where one is expected, 1 yes and 2 no at a question."""
    if expects == "digits":
        entity = {"entity": "digits", "value": digits, "text": digits, "start": 0, "end": len(digits)}
        return Meaning(({"name": "inform", "confidence": 1.0},), (entity,))
    if expects in ("yes_no_question", "offer", "identity_check") and digits in ("1", "2"):
        name = "affirm" if digits == "1" else "deny"
        return Meaning(({"name": name, "confidence": 1.0},), ())
    return Meaning(({"name": "dtmf", "confidence": 1.0},), ())


def signal_meaning(request: TurnRequest) -> Meaning | None:
    """The meaning of a turn that is no speech; None where words must be understood."""
    if request.kind == "say" or request.kind == "dtmf":
        return None
    name = "call_start" if request.kind == "open" else request.kind
    return Meaning(({"name": name, "confidence": 1.0},), ())


def tokenised(meaning: Meaning, id_last4: str | None) -> Meaning:
    """The meaning with personal numbers replaced by placeholders, before anything keeps them.

    A number that ends in the contact's own last four of the ID becomes ID_LAST4_TOKEN, so that
    the identity check works on tokens and a replay of the record gives the same turns.
    """
    entities = []
    for entity in meaning.entities:
        token = PERSONAL.get(entity["entity"])
        if token is not None and entity["value"] not in TOKENS:
            value = str(entity["value"]).upper()
            if id_last4 and value.endswith(id_last4.upper()) and entity["entity"] in ("digits", "id_number"):
                token = ID_LAST4_TOKEN
            elif id_last4 and len(value) < len(id_last4):
                token = SHORT_TOKEN
            entity = {**entity, "value": token, "text": token}
        entities.append(entity)
    return Meaning(meaning.acts, tuple(entities))
