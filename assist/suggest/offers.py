"""Which products fit this customer, best first, with arithmetic, reason, and what still must be known. Pure.

Score, in yuan a month: what the customer gains (saving and worth of what comes on top) less the
revenue that we would lose, plus a step for each preference that fits.  So a saving that only comes
out of our own pocket weighs nothing; one that a rival pays for weighs in full.  With a customer who
is leaving (Guard.unless) the guard against selling down is lifted, and revenue given up counts half
as long as it is a share that may keep them, more than full beyond.

Products outside their dates are left out.  Raises ConditionError for a condition that cannot be read
(assist.loading has refused these).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, Literal

import msgspec

from assist.suggest.arithmetic import BILL, Arithmetic, amount, money, placeholders_of, reckon
from assist.suggest.catalogue import Catalogue, Charge, Guard, Product, Text, eligibility
from assist.suggest.conditions import Condition, holds_all, parse_condition
from assist.suggest.model import FactValue

Eligible = Literal["yes", "no", "unknown"]

STAYS_FOR: Final = Decimal("0.3")
RISK_WITHIN: Final = Decimal("0.5")
RISK_BEYOND: Final = Decimal("1.5")
"""A leaving customer: up to this share of the bill half of what is given would have been lost anyway;
what goes beyond keeps nobody."""
PREFERENCE_SHARE: Final = Decimal("0.1")
PREFERENCE_LEAST: Final = Decimal(10)
"""One step of preference: a tenth of the bill, at least 10 yuan."""
MAX_WHY: Final = 24


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One product for one customer.  `missing`: facts that its conditions or sums still need;
    `guard`: why it may not be recommended (None: it may); `score`: yuan a month, see the module."""

    product: str
    name: Text
    eligible: Eligible
    missing: tuple[str, ...]
    arithmetic: Arithmetic
    why: str
    guard: str | None
    score: Decimal
    source: Product

    @property
    def recommended(self) -> bool:
        """Whether it may be offered now."""
        return self.eligible == "yes" and self.guard is None


class Rules(msgspec.Struct, frozen=True):
    """The parsed conditions of one product.  `checks` (Product.needs_check) are seen in the agent's
    own systems before the order: one that is false rules the product out, an unknown one does not."""

    eligible: tuple[Condition, ...]
    checks: tuple[Condition, ...]
    prefer: tuple[Condition, ...]
    worth: tuple[Condition | None, ...]


def recommend(catalogue: Catalogue, facts: Mapping[str, FactValue], today: date) -> tuple[Offer, ...]:
    """All products valid today: those that may be offered first, by score; then those that may turn
    out to be, with the fewest facts missing; then those held back by the guard; last those that the
    customer cannot have."""
    offers = [_offer(product, catalogue.guard, facts) for product in on_sale(catalogue, today)]
    return tuple(sorted(offers, key=lambda offer: (_standing(offer), -offer.score, *tie_break(offer.source))))


def on_sale(catalogue: Catalogue, today: date) -> tuple[Product, ...]:
    """The products that may be sold today."""
    return tuple(item for item in catalogue.products if item.valid_from <= today <= item.valid_to)


def placeholders(offer: Offer, facts: Mapping[str, FactValue], today: date | None = None) -> dict[str, str]:
    """What {placeholders} become in a text about this offer; only what is known and true."""
    return placeholders_of(offer.source, offer.arithmetic, facts, today)


def tie_break(product: Product) -> tuple[int, str]:
    """Between equals the shorter term, then the name of the key."""
    return (product.term_months, product.key)


@lru_cache(maxsize=1024)
def rules_of(product: Product) -> Rules:
    """The conditions of a product, parsed once.  Raises ConditionError."""
    return Rules(
        eligibility(product),
        tuple(parse_condition(text) for text in product.needs_check),
        tuple(parse_condition(text) for text in product.prefer),
        tuple(parse_condition(worth.when) if worth.when else None for worth in product.worth),
    )


def possible(rules: Rules, facts: Mapping[str, FactValue]) -> bool:
    """Whether no condition is known to be false."""
    return all(item.holds(facts) is not False for item in (*rules.eligible, *rules.checks))


@lru_cache(maxsize=64)
def guard_rules(guard: Guard) -> tuple[Condition, ...]:
    """The conditions that lift the guard, parsed once.  Raises ConditionError."""
    return tuple(parse_condition(text) for text in guard.unless)


def preference_step(bill: Decimal | None) -> Decimal:
    """What one fitting preference adds to a score."""
    return max(PREFERENCE_LEAST, (bill or Decimal(0)) * PREFERENCE_SHARE)


def revenue_at_risk(lost: Decimal, bill: Decimal, leaving: bool) -> Decimal:
    """What `lost` yuan of a bill weigh."""
    if not leaving:
        return lost
    within = min(lost, bill * STAYS_FOR)
    return within * RISK_WITHIN + (lost - within) * RISK_BEYOND


def may_lower(charge: Charge) -> bool:
    """Whether the bill could fall with this charge."""
    return charge.kind in ("fixed", "less", "usage") or (charge.kind == "share" and charge.percent < 100)


def _standing(offer: Offer) -> tuple[int, int]:
    if offer.eligible == "no":
        return (3, 0)
    if offer.guard is not None:
        return (2, 0)
    return (0, 0) if offer.eligible == "yes" else (1, len(offer.missing))


def _offer(product: Product, guard: Guard, facts: Mapping[str, FactValue]) -> Offer:
    rules, sums = rules_of(product), reckon(product, facts)
    leaving = any(item.holds(facts) for item in guard_rules(guard))
    bill = amount(facts, BILL)
    lost = max(bill - sums.then, Decimal(0)) if bill is not None and sums.then is not None else None
    met = holds_all(rules.eligible, facts)
    unchecked = lost is None and may_lower(product.charge) and not leaving
    eligible: Eligible = "unknown" if met is None or unchecked else "yes"
    if not possible(rules, facts):
        eligible = "no"
    worths = [
        worth
        for worth, when in zip(product.worth, rules.worth, strict=True)
        if when is None or when.holds(facts)
    ]
    fits = sum(1 for item in rules.prefer if item.holds(facts))
    gain = (sums.saving or Decimal(0)) + sum((worth.yuan for worth in worths), Decimal(0))
    steps = preference_step(bill) * fits
    risk = revenue_at_risk(lost or Decimal(0), bill or Decimal(0), leaving)
    reasons: list[tuple[Decimal, str]] = [(steps, product.fab.benefit)] if fits else []
    reasons += [(worth.yuan, f"{worth.what.zh},每月值{money(worth.yuan)}元") for worth in worths]
    if sums.saving is not None and sums.saving > 0:
        year = f",一年省{money(sums.saving_year)}元" if sums.saving_year is not None else ""
        reasons.append((sums.saving, f"每月省{money(sums.saving)}元{year}"))
    unknown = [item.fact for item in rules.eligible if item.holds(facts) is None]
    return Offer(
        product=product.key,
        name=product.name,
        eligible=eligible,
        missing=tuple(dict.fromkeys([*unknown, *sums.missing])),
        arithmetic=sums,
        why=_strongest(reasons, product),
        guard=_held_back(product, guard, bill, lost, leaving) or _worse_off(gain, fits),
        score=gain - risk + steps,
        source=product,
    )


def _strongest(reasons: list[tuple[Decimal, str]], product: Product) -> str:
    """The weightiest reason that can be read at a glance."""
    ordered = [text for _, text in sorted(reasons, key=lambda item: -item[0])]
    short = [text for text in (*ordered, product.fab.benefit, product.fab.advantage) if len(text) <= MAX_WHY]
    return short[0] if short else product.name.zh[:MAX_WHY]


def _held_back(
    product: Product, guard: Guard, bill: Decimal | None, lost: Decimal | None, leaving: bool
) -> str | None:
    """Why the product would sell down by more than the guard allows; None where it would not."""
    if leaving:
        return None
    if lost is not None:
        percent = lost * 100 / bill if bill else Decimal(0)
    elif product.charge.kind == "share":
        percent = 100 - product.charge.percent
    else:
        return None
    if percent <= guard.max_loss_percent:
        return None
    return f"月收入会少{money(percent)}%,超过允许的{money(guard.max_loss_percent)}%"


def _worse_off(gain: Decimal, fits: int) -> str | None:
    """Why the customer would lose by it; None where something is gained or a preference fits."""
    return None if gain >= 0 or fits else f"客户每月多付{money(-gain)}元,不划算"


def describe(offer: Offer) -> dict[str, Any]:
    """The offer as the panel shows it, money as decimal strings."""
    sums = offer.arithmetic
    as_text = {
        name: None if value is None else money(value)
        for name, value in (("now", sums.now), ("then", sums.then), ("saving", sums.saving))
    }
    return {
        "product": offer.product,
        "name": {"zh": offer.name.zh, "en": offer.name.en},
        **as_text,
        "months": offer.source.term_months,
        "why": offer.why,
        "sums": list(sums.lines),
        "conditions": list(offer.source.conditions),
        "say": list(offer.source.say),
        "eligible": offer.eligible,
        "missing": list(offer.missing),
        "guard": offer.guard,
    }
