"""Conditions over a customer's facts, as designers write them: `monthly_bill >= 58`. Pure.

A condition is true, false, or unknown (None) where its fact is not known yet.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

_SHAPE: Final = re.compile(r"^\s*([a-z_][a-z0-9_]*)\s*(>=|<=|!=|==|=|>|<)\s*([^\s<>=!](?:.*\S)?)\s*$")
_ORDERED: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}

MOST: Final = Decimal(10) ** 12
"""No amount, volume or term of a customer is so large: such a figure is none."""


_WORDS: Final = {True: ("yes", "true"), False: ("no", "false")}
NEITHER: Final = "neither"
"""A value that is neither yes nor no."""


class ConditionError(ValueError):
    """A condition that cannot be read or can never be true; the message says which and the remedy."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`fact` `op` `value`; ops >= <= > < compare numbers, == and != also words and yes/no."""

    fact: str
    op: str
    value: Decimal | str | bool

    def holds(self, facts: Mapping[str, Any]) -> bool | None:
        """Whether it is true of these facts; None where the fact is unknown."""
        known = facts.get(self.fact)
        if known is None:
            return None
        if self.op in _ORDERED:
            number = as_number(known)
            return None if number is None else _ORDERED[self.op](number, self.value)
        if isinstance(self.value, Decimal):
            number = as_number(known)
            same = number is not None and number == self.value
        elif isinstance(self.value, bool):
            same = known is self.value or str(known).lower() in _WORDS[self.value]
        else:
            same = known == self.value or str(known).lower() == str(self.value).lower()
        return same if self.op == "==" else not same

    def __str__(self) -> str:
        value = {True: "yes", False: "no"}.get(self.value) if isinstance(self.value, bool) else self.value
        return f"{self.fact} {self.op} {value}"


def parse_condition(text: str, known: Collection[str] | None = None) -> Condition:
    """The condition of `text`.  `known`: names of the facts that exist.  Raises ConditionError."""
    found = _SHAPE.match(text)
    if found is None:
        raise ConditionError(f"'{text}' is no condition → write it as: monthly_bill >= 58")
    fact, op, word = found.groups()
    if known is not None and fact not in known:
        import difflib

        near = difflib.get_close_matches(fact, list(known), n=1)
        raise ConditionError(
            f"'{text}': no fact '{fact}' → "
            + (f"did you mean '{near[0]}'?" if near else f"facts: {', '.join(sorted(known))}")
        )
    value = _value(word)
    if op in _ORDERED and not isinstance(value, Decimal):
        raise ConditionError(f"'{text}': {op} compares numbers → use == or != for '{word}'")
    return Condition(fact, "==" if op == "=" else op, value)


def check_possible(conditions: Iterable[Condition]) -> None:
    """Raises ConditionError where the conditions can never be true together."""
    by_fact: dict[str, list[Condition]] = {}
    for condition in conditions:
        by_fact.setdefault(condition.fact, []).append(condition)
    for fact, mine in by_fact.items():
        trials = [edge for item in mine for edge in _edges(item)]
        if not any(all(item.holds({fact: trial}) for item in mine) for trial in trials):
            together = " and ".join(map(str, mine))
            raise ConditionError(f"no customer can meet {together} → correct one of them")


def holds_all(conditions: Iterable[Condition], facts: Mapping[str, Any]) -> bool | None:
    """False where one is false, else None where one is unknown, else True."""
    unknown = False
    for condition in conditions:
        held = condition.holds(facts)
        if held is False:
            return False
        unknown = unknown or held is None
    return None if unknown else True


def as_number(value: Any) -> Decimal | None:
    """The number in a fact's value (int, float, Decimal or digits as text), None where it is none."""
    if isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < MOST else None


def _value(word: str) -> Decimal | str | bool:
    if word.lower() in ("yes", "true"):
        return True
    if word.lower() in ("no", "false"):
        return False
    number = as_number(word)
    return word.strip("'\"") if number is None else number


def _edges(condition: Condition) -> tuple[Any, ...]:
    """Values around which the condition changes."""
    if isinstance(condition.value, Decimal):
        small = Decimal("0.001")
        return (condition.value - small, condition.value, condition.value + small)
    if isinstance(condition.value, bool):
        return (True, False, NEITHER)
    return (condition.value, f"not {condition.value}")
