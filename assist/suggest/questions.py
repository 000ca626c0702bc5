"""Which question to ask next: the one whose answer would change the recommendation most. Pure.

Gains are in bits (assist/suggest/outlook.py); the order is that of four-layer questioning: permission,
facts, problems, solutions.  Raises ConditionError for a condition that cannot be read (assist.loading
has refused these).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from assist.suggest.arithmetic import void
from assist.suggest.catalogue import Catalogue
from assist.suggest.conditions import Condition
from assist.suggest.model import LAYERS, FactValue, Layer
from assist.suggest.outlook import Known, Outlook, Spread, deciding_facts, outlook
from assist.suggest.script import FactRule

WORTHWHILE: Final = 0.05
NEEDED: Final = 0.5
"""A question is worth its time with this gain (bits) or this need; others wait until the end."""
NEED_WEIGHT: Final = 0.5
"""Bits that a need of 1 counts for: the talk itself wants some answers that decide no product."""


def information_gain(
    catalogue: Catalogue, rules: Mapping[str, FactRule], facts: Mapping[str, FactValue], today: date
) -> dict[str, float]:
    """For each unknown fact of `rules`, how many bits its answer tells about which product is best."""
    gains = _outlook(catalogue, rules, facts, today).gains
    return {name: gains.get(name, 0.0) for name in rules if facts.get(name) is None}


def best_shares(
    catalogue: Catalogue, rules: Mapping[str, FactRule], facts: Mapping[str, FactValue], today: date
) -> dict[str, float]:
    """How likely each product is to be the best once all is known; what is missing from 1 is none."""
    return dict(_outlook(catalogue, rules, facts, today).shares)


def order(
    rules: Mapping[str, FactRule],
    facts: Mapping[str, FactValue],
    gains: Mapping[str, float],
    *,
    reached: Layer = "permission",
    asked: Collection[str] = (),
    refused: Collection[str] = (),
) -> list[str]:
    """Facts to ask for, next one first: permission, facts, problems, solutions; within a layer by
    gain and need.  Those that decide little come after all that decide, and those of a layer before
    `reached` only if they decide much.  Never one that is known, was asked, was refused, has no line
    that asks it, or is about something that the customer has not or may not have."""

    known = {name for name, value in facts.items() if value is not None}
    askable = {
        rule.name
        for rule in rules.values()
        if rule.ask is not None
        and not {rule.name} & {*known, *asked, *refused}
        and not void(rule.name, facts)
    }

    def timely(rule: FactRule) -> bool:
        """A detail waits for the yes or no that it hangs on; known details answer that themselves."""
        if rule.kind == "yes_no" and any(name.startswith(f"{rule.name}_") for name in known):
            return False
        owner = rule.name.partition("_")[0]
        return owner == rule.name or owner not in askable or rules[owner].kind != "yes_no"

    def place(rule: FactRule) -> tuple[bool, int, float]:
        gain, layer = round(gains.get(rule.name, 0.0), 6), LAYERS.index(rule.layer)
        idle = gain < WORTHWHILE and (rule.need < NEEDED or layer < LAYERS.index(reached))
        return (idle, layer, -gain - NEED_WEIGHT * rule.need)

    ready = [rule for rule in rules.values() if rule.name in askable and timely(rule)]
    return [rule.name for rule in sorted(ready, key=place)]


def _outlook(
    catalogue: Catalogue, rules: Mapping[str, FactRule], facts: Mapping[str, FactValue], today: date
) -> Outlook:
    """Memoised by what products look at: 1, 1.0 and True are not the same."""
    scalar = (Decimal, int, float, bool, str)
    pairs = ((name, facts.get(name)) for name in sorted(deciding_facts(catalogue)))
    known: Known = tuple(
        (name, type(value).__name__, value) for name, value in pairs if isinstance(value, scalar)
    )
    return outlook(catalogue, _spreads(catalogue, rules), known, today)


def _spreads(catalogue: Catalogue, rules: Mapping[str, FactRule]) -> tuple[Spread, ...]:
    """What each deciding fact may be: its `likely` values, else values on both sides of every condition."""
    found: list[Spread] = []
    for name, conditions in sorted(deciding_facts(catalogue).items()):
        if name not in rules:
            continue
        pairs: list[tuple[FactValue, float]] = []
        pairs += [(item.value, item.weight) for item in rules[name].likely if item.weight > 0]
        pairs = pairs or [(value, 1.0) for value in _sides(conditions)]
        total = math.fsum(weight for _, weight in pairs)
        if len(pairs) > 1:
            found.append((name, tuple((value, weight / total) for value, weight in pairs)))
    return tuple(found)


def _sides(conditions: Collection[Condition]) -> tuple[FactValue, ...]:
    """A value on each side of every condition."""
    found: dict[str, FactValue] = {}
    for item in conditions:
        if isinstance(item.value, bool):
            sides: tuple[FactValue, ...] = (True, False)
        elif isinstance(item.value, Decimal):
            sides = (
                (item.value - 1, item.value, item.value + 1)
                if item.op in ("==", "!=")
                else (
                    (item.value - 1, item.value) if item.op in (">=", "<") else (item.value, item.value + 1)
                )
            )
        else:
            sides = (item.value, f"not {item.value}")
        found.update((str(side), side) for side in sides)
    return tuple(found[key] for key in sorted(found))
