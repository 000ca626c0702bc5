"""Facts as they are kept: from the customer's file, merged with what is said, with what follows. Pure.

A later value that differs replaces the earlier one and keeps it as `was`; a rough figure close to the
exact one changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, Literal

from assist.hearing.amounts import MONTHS_PER_YEAR
from assist.suggest.conditions import MOST
from assist.suggest.model import Fact, FactValue
from assist.suggest.script import FactRule

IMPLIED: Final = frozenset({"broadband"})
"""Yes-no facts that follow from any detail of theirs: `broadband` from `broadband_price`."""
FROM_FILE: Final = frozenset(
    {
        "age", "occupation", "city", "plan", "monthly_bill", "data_used_gb", "plan_data_gb", "call_minutes",
        "tenure_months", "contract_end", "broadband", "family_numbers", "handset", "value_tier", "complaints",
        "sim_type", "service", "monthly_fee_ringback", "sex",
    }
)  # fmt: skip
"""Keys of the customer's file (CONTRACT, Contact) that are facts for any script."""

NUMBERS: Final = frozenset({"money", "data", "count", "minutes", "months"})
"""Kinds of facts that are figures, none below zero."""


def file_facts(
    contact: Mapping[str, Any], rules: Mapping[str, FactRule], known: Iterable[str]
) -> dict[str, Fact]:
    """What the customer's file says: keys of the contact that are facts, where they can be true."""
    wanted = {*rules, *known}
    found = {}
    for key, value in contact.items():
        rule, number = rules.get(key), decimal(value)
        several = isinstance(value, (list, tuple)) and rule is not None and rule.kind == "count"
        if rule is not None and rule.kind in NUMBERS and not several and (number is None or number < 0):
            continue  # no such figure exists: unknown, so it is asked
        if key in wanted and isinstance(value, (int, float, bool, str, Decimal)) and value != "":
            found[key] = Fact(
                name=key, value=_number_if(value, rules.get(key)), source="file", evidence=f"contact.{key}"
            )
        elif key in wanted and isinstance(value, (list, tuple)):
            found[key] = Fact(name=key, value=len(value), source="file", evidence=f"contact.{key}")
    return found


def known_fact(
    name: str,
    value: Any,
    rule: FactRule | None,
    source: Literal["speech", "file"] = "speech",
    evidence: str = "earlier",
    at_ms: int = 0,
) -> Fact:
    """A fact with a given value."""
    return Fact(name=name, value=_number_if(value, rule), source=source, evidence=evidence, at_ms=at_ms)


def merged(facts: Mapping[str, Fact], news: Iterable[Fact]) -> dict[str, Fact]:
    """The facts with the news in: what is repeated stays as it was, what differs replaces."""
    after = dict(facts)
    for fact in news:
        before = after.get(fact.name)
        if before is None:
            after[fact.name] = fact
        elif _same(before.value, fact.value):
            if before.source == "file" or before.guessed:
                after[fact.name] = Fact(
                    name=fact.name,
                    value=before.value,
                    source="speech",
                    evidence=fact.evidence,
                    at_ms=fact.at_ms,
                    was=before.was,
                )
        elif not (fact.guessed and not before.guessed and _close(before.value, fact.value)):
            after[fact.name] = Fact(
                name=fact.name, value=fact.value, source=fact.source, evidence=fact.evidence,
                at_ms=fact.at_ms, guessed=fact.guessed, was=before.value,
            )  # fmt: skip
    return after


def plain(facts: Mapping[str, Fact]) -> dict[str, FactValue]:
    """Name → value, with what follows: the data used beyond the plan's, a month's share of a yearly price."""
    values = {name: fact.value for name, fact in facts.items()}
    used, plan = decimal(values.get("data_used_gb")), decimal(values.get("plan_data_gb"))
    if used is not None and plan is not None:
        values["over_gb"] = max(used - plan, Decimal(0))
    yearly = decimal(values.get("broadband_year_price"))
    if yearly is not None and "broadband_price" not in values:
        values["broadband_price"] = (yearly / MONTHS_PER_YEAR).quantize(Decimal("0.01"))
    for name in tuple(values):
        owner = name.partition("_")[0]
        if owner != name and owner in IMPLIED and values[name] not in (False, 0):
            values.setdefault(owner, True)  # whoever pays for broadband has it
    return values


def decimal(value: Any) -> Decimal | None:
    """A finite number below MOST, or None."""
    if value is None or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return None
    return number if number.is_finite() and abs(number) < MOST else None


def short_number(number: Decimal) -> int | float:
    """A number as facts keep it: whole where it is whole."""
    return int(number) if number == number.to_integral_value() else float(number)


def _number_if(value: Any, rule: FactRule | None) -> FactValue:
    if rule is not None and rule.kind in ("choice", "text", "date", "yes_no"):
        if rule.kind == "yes_no" and isinstance(value, str):
            return {"yes": True, "true": True, "no": False, "false": False}.get(value.lower(), value)
        return value if isinstance(value, (bool, str)) else str(value)
    number = None if isinstance(value, bool) else decimal(value)
    return value if number is None else short_number(number)


def _same(one: FactValue, other: FactValue) -> bool:
    a, b = decimal(one), decimal(other)
    return a == b if a is not None and b is not None else str(one) == str(other)


def _close(one: FactValue, other: FactValue) -> bool:
    """Whether a rough figure says the same as the exact one (within a tenth)."""
    a, b = decimal(one), decimal(other)
    return a is not None and b is not None and abs(a - b) <= max(abs(a), abs(b)) / 10
