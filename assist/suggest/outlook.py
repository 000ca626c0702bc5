"""How likely each product is to turn out the best, and what each answer would tell about it. Pure.

The unknown facts are independent, each drawn from its weights.  The gain of a fact is the expected
entropy reduction (bits) over which product is best: H(mixture) - sum of w * H(best | answer), computed over
every combination where these are few, else over quasi-random ones that are the same for every
answer, so that a fact which decides nothing gains exactly 0.  `_scores` says for many customers at
once what assist/suggest/offers.py says exactly for one; a test holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import product as combinations
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from assist.suggest.arithmetic import BILL, DATA, amount, void
from assist.suggest.catalogue import Catalogue, Charge, Guard, Product
from assist.suggest.conditions import Condition
from assist.suggest.model import FactValue
from assist.suggest.offers import (
    PREFERENCE_LEAST,
    PREFERENCE_SHARE,
    RISK_BEYOND,
    RISK_WITHIN,
    STAYS_FOR,
    guard_rules,
    may_lower,
    on_sale,
    possible,
    rules_of,
    tie_break,
)

MAX_PARTICLES: Final = 256
LEAST_PARTICLES: Final = 32
MAX_ROWS: Final = 4096
"""Particles times answers: what a few milliseconds allow."""

Floats = NDArray[np.float64]
Spread = tuple[str, tuple[tuple[FactValue, float], ...]]
"""A fact and what it may be, with weights that sum to 1."""
Known = tuple[tuple[str, str, FactValue], ...]
"""Known facts: name, name of the value's type, value."""


@dataclass(frozen=True)
class Outlook:
    """`gains`: bits by unknown fact; `shares`: how likely each product is to be the best."""

    gains: Mapping[str, float]
    shares: Mapping[str, float]


@lru_cache(maxsize=64)
def deciding_facts(catalogue: Catalogue) -> dict[str, tuple[Condition, ...]]:
    """Every fact that a product or the guard looks at, with the conditions on it."""
    found: dict[str, list[Condition]] = {BILL: []}
    for item in guard_rules(catalogue.guard):
        found.setdefault(item.fact, []).append(item)
    for product in catalogue.products:
        rules = rules_of(product)
        for when in (*rules.eligible, *rules.checks, *rules.prefer, *rules.worth):
            if when is not None:
                found.setdefault(when.fact, []).append(when)
        for name in (*product.replaces, *([DATA] if product.charge.kind == "usage" else [])):
            found.setdefault(name, [])
            owner = name.partition("_")[0]
            if owner != name:
                found.setdefault(owner, [])
    return {name: tuple(conditions) for name, conditions in found.items()}


@lru_cache(maxsize=4096)
def outlook(catalogue: Catalogue, spreads: tuple[Spread, ...], known: Known, today: date) -> Outlook:
    """What the unknown facts would tell.  Raises ConditionError for an unreadable condition."""
    facts = {name: value for name, _, value in known}
    products = [
        product
        for product in sorted(on_sale(catalogue, today), key=tie_break)
        if possible(rules_of(product), facts)
    ]
    live = _looked_at(products, catalogue)
    unknown = tuple(
        (name, values)
        for name, values in spreads
        if name in live and name not in facts and not void(name, facts)
    )
    if not products:
        return Outlook({}, {})
    weights = [np.array([weight for _, weight in values]) for _, values in unknown]
    overall, parts = _shares_by_answer(products, catalogue, facts, unknown, weights)
    gains = {name: _gain(weights[n], np.array(parts[n])) for n, (name, _) in enumerate(unknown)}
    return Outlook(gains, {item.key: round(float(overall[n]), 9) for n, item in enumerate(products)})


def _shares_by_answer(
    products: list[Product],
    catalogue: Catalogue,
    facts: Mapping[str, FactValue],
    unknown: tuple[Spread, ...],
    weights: list[Floats],
) -> tuple[Floats, list[list[Floats]]]:
    """How often each product is the best: in all, and for every answer to every unknown fact."""
    sizes, many = [len(each) for each in weights], len(products)
    if math.prod(sizes) <= MAX_PARTICLES:
        every = list(combinations(*map(range, sizes)))
        drawn = np.array(every, dtype=np.intp).reshape(len(every), len(sizes)).T
        likely = np.ones(len(every))
        for each, column in zip(weights, drawn, strict=True):
            likely *= each[column]
        best = _best(products, catalogue, _Customers(facts, unknown, drawn, len(every)))
        return _shares(best, likely, many), [
            [_shares(best[here], likely[here], many) for here in (column == v for v in range(size))]
            for column, size in zip(drawn, sizes, strict=True)
        ]
    answers = sum(sizes)
    count = min(MAX_PARTICLES, max(LEAST_PARTICLES, MAX_ROWS // answers))
    drawn = np.tile(_particles(weights, count), answers)
    block = 0
    for n, size in enumerate(sizes):
        for v in range(size):
            drawn[n, block * count : (block + 1) * count] = v
            block += 1
    customers = _Customers(facts, unknown, drawn, drawn.shape[1])
    best = _best(products, catalogue, customers).reshape(answers, count)
    each_one = iter([_shares(row, np.ones(count), many) for row in best])
    parts = [[next(each_one) for _ in range(size)] for size in sizes]
    mixtures = [each @ np.array(part) for each, part in zip(weights, parts, strict=True)]
    return np.mean(mixtures, axis=0), parts


def _looked_at(products: Collection[Product], catalogue: Catalogue) -> frozenset[str]:
    """The facts that can still make a difference between these products.  What only the agent's own
    systems show (Product.needs_check) is taken to be in order until it is known not to be."""
    lowers = any(may_lower(item.charge) for item in products)
    unchecked = tuple(msgspec.structs.replace(item, needs_check=()) for item in products)
    guard = catalogue.guard if lowers else Guard()
    return frozenset(deciding_facts(Catalogue(products=unchecked, guard=guard)))


class _Customers:
    """Many possible customers: what is known, and for each unknown fact a row of drawn answers."""

    def __init__(
        self,
        facts: Mapping[str, FactValue],
        unknown: tuple[Spread, ...],
        drawn: NDArray[np.intp],
        count: int,
    ) -> None:
        self.count = count
        self._facts = facts
        self._drawn = {name: (values, row) for (name, values), row in zip(unknown, drawn, strict=True)}
        self._held: dict[Condition, NDArray[np.bool_]] = {}
        self._amounts: dict[str, Floats] = {}

    def holds(self, condition: Condition) -> NDArray[np.bool_]:
        """Whether the condition surely holds, for each."""
        if condition not in self._held:
            self._held[condition] = self._each(
                condition.fact, lambda facts: bool(condition.holds(facts)), np.bool_
            )
        return self._held[condition]

    def fails(self, condition: Condition) -> NDArray[np.bool_]:
        """Whether the condition surely does not hold, for each."""
        return self._each(condition.fact, lambda facts: condition.holds(facts) is False, np.bool_)

    def amounts(self, name: str) -> Floats:
        """The amount of a fact for each, NaN where it is none."""
        if name not in self._amounts:
            self._amounts[name] = self._each(name, lambda facts: _number(facts, name), np.float64)
        return self._amounts[name]

    def replaced(self, name: str) -> Floats:
        """What ends with a product, 0 where the customer has no such thing (arithmetic.replaced_price)."""
        owner = name.partition("_")[0]
        nothing = self._each(owner, lambda facts: void(name, facts), np.bool_)
        return np.where(nothing, 0.0, self.amounts(name))

    def _each(self, fact: str, tell: Callable[[Mapping[str, Any]], Any], kind: type) -> NDArray[Any]:
        if fact not in self._drawn:
            return np.full(self.count, tell(self._facts), dtype=kind)
        values, row = self._drawn[fact]
        table: NDArray[Any] = np.array([tell({fact: value}) for value, _ in values], dtype=kind)
        return np.asarray(table[row])


def _number(facts: Mapping[str, Any], name: str) -> float:
    number = amount(facts, name)
    return math.nan if number is None else float(number)


def _best(products: list[Product], catalogue: Catalogue, customers: _Customers) -> NDArray[np.intp]:
    """The place of the best product for each, `len(products)` where none may be offered."""
    bill = customers.amounts(BILL)
    leaving = np.zeros(customers.count, dtype=np.bool_)
    for item in guard_rules(catalogue.guard):
        leaving |= customers.holds(item)
    place = np.full(customers.count, len(products))
    top = np.full(customers.count, -np.inf)
    for n, product in enumerate(products):
        score = _scores(product, catalogue.guard.max_loss_percent, customers, bill, leaving)
        better = score > top
        place[better], top[better] = n, score[better]
    return place


def _scores(
    product: Product, allowed: Decimal, customers: _Customers, bill: Floats, leaving: NDArray[np.bool_]
) -> Floats:
    """A product's score for each, as offers.py reckons it; -inf where it may not be offered."""
    rules, paid = rules_of(product), _or_zero(bill)
    then = _charged(product.charge, bill, customers)
    now = bill + sum((customers.replaced(name) for name in product.replaces), np.zeros(customers.count))
    gain = _or_zero(now - then)
    for worth, when in zip(product.worth, rules.worth, strict=True):
        gain += float(worth.yuan) * (1.0 if when is None else customers.holds(when))
    fits = np.zeros(customers.count)
    for item in rules.prefer:
        fits += customers.holds(item)
    step = np.maximum(float(PREFERENCE_LEAST), paid * float(PREFERENCE_SHARE))
    score = gain + step * fits
    shut = (gain < -1e-9) & (fits == 0)
    if may_lower(product.charge):
        lost = np.maximum(_or_zero(bill - then), 0.0)
        within = np.minimum(lost, paid * float(STAYS_FOR))
        halved = within * float(RISK_WITHIN) + (lost - within) * float(RISK_BEYOND)
        score -= np.where(leaving, halved, lost)
        shut |= (lost * 100 > float(allowed) * paid + 1e-9) & ~leaving
        if product.charge.kind == "share" and 100 - product.charge.percent > allowed:
            shut |= np.isnan(bill) & ~leaving
    for item in rules.eligible:
        shut |= ~customers.holds(item)
    for item in rules.checks:
        shut |= customers.fails(item)
    return np.where(shut, -np.inf, np.round(score, 6))


def _charged(charge: Charge, bill: Floats, customers: _Customers) -> Floats:
    """The monthly charge for each (arithmetic.charged), to the fen."""
    yuan = float(charge.yuan)
    if charge.kind == "fixed":
        return np.full(customers.count, yuan)
    if charge.kind == "usage":
        return _fen(yuan + float(charge.per_gb) * customers.amounts(DATA))
    if charge.kind == "at_least":
        return np.maximum(bill, yuan)
    if charge.kind == "share":
        return _fen(bill * float(charge.percent) / 100)
    return np.maximum(bill - yuan, 0.0) if charge.kind == "less" else bill


def _or_zero(values: Floats) -> Floats:
    return np.where(np.isnan(values), 0.0, values)


def _fen(values: Floats) -> Floats:
    return np.asarray(np.floor(values * 100 + 0.5 + 1e-9) / 100, dtype=np.float64)


def _particles(weights: list[Floats], count: int) -> NDArray[np.intp]:
    """Deterministic combinations, spread well, a row for each fact: an additive recurrence."""
    base = 2.0
    for _ in range(40):  # the root of x^(d+1) = x + 1, whose powers spread best in d dimensions
        base = (1.0 + base) ** (1.0 / (len(weights) + 1))
    steps = np.arange(1, count + 1)
    columns = [
        np.searchsorted(np.cumsum(weight)[:-1], (0.5 + steps * base ** -(n + 1.0)) % 1.0, side="right")
        for n, weight in enumerate(weights)
    ]
    return np.stack(columns).astype(np.intp)


def _shares(best: NDArray[np.intp], weights: Floats, products: int) -> Floats:
    counts = np.bincount(best, weights=weights, minlength=products + 1)
    return np.asarray(counts / counts.sum(), dtype=np.float64)


def _gain(weights: Floats, shares: Floats) -> float:
    """Bits: the entropy of the mixture less the mean entropy of its parts (one a row)."""
    entropies = _entropy(np.vstack((weights @ shares, shares)))
    return max(0.0, round(float(entropies[0] - weights @ entropies[1:]), 9))


def _entropy(shares: Floats) -> Floats:
    some = np.where(shares > 1e-12, shares, 1.0)
    return np.asarray(-(some * np.log2(some)).sum(axis=1), dtype=np.float64)
