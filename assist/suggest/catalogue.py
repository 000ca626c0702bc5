"""The products that may be offered: what they give, cost and demand (`catalogue.yml`). Typed data.

Money in yuan per month unless a name says otherwise, data in GB per month, terms in months.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from assist.suggest.conditions import Condition, parse_condition


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text for people in both languages."""

    zh: str
    en: str


class Charge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the customer pays us a month with the product, from today's monthly bill.

    at_least: the bill, but no less than `yuan`; fixed: `yuan`; share: `percent` of the bill;
    less: the bill less `yuan`; same: the bill as it is; usage: what the plan that fits the use
    costs, `yuan` its lowest price and `per_gb` for each GB used.
    """

    kind: Literal["at_least", "fixed", "share", "less", "same", "usage"]
    yuan: Decimal = Decimal(0)
    percent: Decimal = Decimal(100)
    per_gb: Decimal = Decimal(0)


class Worth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something given on top, and what it is worth to this customer: `yuan` a month where the
    condition `when` holds (a gift that nobody uses is worth nothing)."""

    what: Text
    yuan: Decimal
    when: str = ""


class Fab(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Feature, advantage, benefit: each a clause that can be spoken."""

    feature: str
    advantage: str
    benefit: str


class Product(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One product.  `eligible`: conditions over facts, all of which must hold; `prefer`: conditions
    that make it the better fit, each adding one step of preference; `replaces`: facts whose monthly
    cost ends with it (broadband_price); `say`: the spoken offer, at most 40 characters, with
    {placeholders} of facts and of the arithmetic ({now}, {then}, {saving}, {saving_year}, {price},
    {months})."""

    key: str
    name: Text
    charge: Charge
    term_months: int
    fab: Fab
    say: tuple[str, ...]
    conditions: tuple[str, ...]
    eligible: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    worth: tuple[Worth, ...] = ()
    valid_from: date = date(2000, 1, 1)
    valid_to: date = date(2099, 12, 31)
    leaving_early_yuan_per_month: Decimal = Decimal(0)
    needs_check: tuple[str, ...] = ()


class Guard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rule against selling down by accident: a product that lowers what the customer pays us by
    more than `max_loss_percent` is not recommended, except where a condition of `unless` holds
    (a customer who is leaving)."""

    max_loss_percent: Decimal = Decimal(0)
    unless: tuple[str, ...] = ()


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All products of a script, and the guard."""

    products: tuple[Product, ...] = ()
    guard: Guard = Guard()

    def product(self, key: str) -> Product | None:
        """The product of that key."""
        return next((product for product in self.products if product.key == key), None)


def eligibility(product: Product, facts: Collection[str] | None = None) -> tuple[Condition, ...]:
    """The parsed conditions of a product.  Raises ConditionError."""
    return tuple(parse_condition(text, facts) for text in product.eligible)
