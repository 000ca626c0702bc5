"""Where a call stands, and the slots that steer the script's policies. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from assist.suggest.model import LAYERS, Layer, Stage
from assist.suggest.picture import Picture

_PHASES: Final[Mapping[Layer, str]] = {
    "permission": "opening",
    "facts": "facts",
    "problems": "problems",
    "solutions": "solution",
}
READY_SHARE: Final = 0.7
"""A product can be recommended surely where it is the best with this probability."""


def stage_of(picture: Picture) -> Stage:
    """The stage by what was done: the furthest that holds now."""
    if picture.over or picture.farewell or "goodbye" in picture.acts:
        return "closing"
    if picture.objection is not None:
        return "objections"
    if picture.accepted:
        return "details"
    if picture.pitched and (picture.signals or picture.expects == "offer"):
        return "intent"
    if picture.pitched:
        return "introduction"
    asked = [name for name in picture.asked if name in picture.script.facts]
    if any(picture.script.facts[name].layer != "permission" for name in asked):
        return "discovery"
    rules = picture.script.facts
    told = [fact for fact in picture.facts.values() if fact.source == "speech" and fact.name in rules]
    beyond = any(rules[fact.name].layer != "permission" for fact in told)
    allowed = any(fact.name == "permission_granted" and fact.value is True for fact in told)
    return "discovery" if beyond or allowed else "opening"


def layer_of(picture: Picture) -> Layer:
    """The deepest layer of questions that was reached."""
    reached = LAYERS.index(picture.layer)
    for name in picture.asked:
        if name in picture.script.facts:
            reached = max(reached, LAYERS.index(picture.script.facts[name].layer))
    if reached == 0 and picture.stage not in ("opening", "closing"):
        reached = 1
    return LAYERS[reached]


def slots_of(picture: Picture, ready: bool) -> dict[str, Any]:
    """The slots that steer an assisted script (stories/common_assist/domain.yml)."""
    phase = _PHASES[picture.layer]
    if picture.stage in ("introduction", "intent", "objections") and picture.pitched:
        phase = "solution"
    if picture.stage in ("details", "closing"):
        phase = "closing"
    return {
        "phase": phase,
        "may_rebut": picture.may_rebut,
        "ready": ready,
        "buying": bool(picture.signals),
        "refused": picture.over,
        "customer_type": picture.customer_type,
    }
