"""What a product costs and saves this customer, to the fen, and the words that say how. Pure.

Money in yuan a month (exact Decimal, rounded half up to the fen where a share is taken), data in GB
a month, terms in months.  What depends on a fact that is not known is None, never a guess; negative
money counts as unknown.  The catalogue gives the rules (DOMAIN.md, Catalogue).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

import msgspec

from assist.suggest.catalogue import Charge, Product
from assist.suggest.conditions import as_number

BILL: Final = "monthly_bill"
DATA: Final = "data_used_gb"
FEN: Final = Decimal("0.01")
HAS_NOT: Final = frozenset({"false", "no", "none", "无", "没有", "没"})
"""Values of a fact that mean: the customer has no such thing."""
_REPLACED: Final = {"broadband_price": "宽带"}


class Arithmetic(msgspec.Struct, frozen=True, kw_only=True):
    """`now`: all that the customer pays a month for what the product covers; `then`: with it;
    `saving` = now - then, negative where it costs more; `saving_term`: over the whole term;
    `lines`: how it was summed; `missing`: facts without which something above stays None."""

    now: Decimal | None = None
    then: Decimal | None = None
    saving: Decimal | None = None
    saving_year: Decimal | None = None
    saving_term: Decimal | None = None
    lines: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def reckon(product: Product, facts: Mapping[str, Any]) -> Arithmetic:
    """The arithmetic of one product for a customer of these facts."""
    bill, then = amount(facts, BILL), charged(product.charge, facts)
    replaced = {name: replaced_price(name, facts) for name in product.replaces}
    missing = [name for name, price in replaced.items() if price is None]
    if bill is None:
        missing.insert(0, BILL)
    if product.charge.kind == "usage" and amount(facts, DATA) is None:
        missing.append(DATA)
    prices = [price for price in replaced.values() if price is not None]
    now = bill + sum(prices) if bill is not None and len(prices) == len(replaced) else None
    saving = now - then if now is not None and then is not None else None
    return Arithmetic(
        now=now,
        then=then,
        saving=saving,
        saving_year=saving * 12 if saving is not None and (product.term_months or 12) >= 12 else None,
        saving_term=saving * product.term_months if saving is not None and product.term_months else None,
        lines=_lines(product, facts, replaced, now, then, saving),
        missing=tuple(missing),
    )


def charged(charge: Charge, facts: Mapping[str, Any]) -> Decimal | None:
    """What the customer pays us a month with the product; None where that needs an unknown fact."""
    if charge.kind == "fixed":
        return charge.yuan
    if charge.kind == "usage":
        used = amount(facts, DATA)
        return None if used is None else _fen(charge.yuan + charge.per_gb * used)
    bill = amount(facts, BILL)
    if bill is None:
        return None
    if charge.kind == "at_least":
        return max(bill, charge.yuan)
    if charge.kind == "share":
        return _fen(bill * charge.percent / 100)
    return max(bill - charge.yuan, Decimal(0)) if charge.kind == "less" else bill


def amount(facts: Mapping[str, Any], name: str) -> Decimal | None:
    """A fact as an amount: a number not below zero; None where it is unknown or no such number."""
    number = as_number(facts.get(name))
    return None if number is None or number < 0 else number


def void(name: str, facts: Mapping[str, Any]) -> bool:
    """Whether `name` asks for a detail of something that the customer has not: the price of a
    broadband line where there is none."""
    owner, _, detail = name.partition("_")
    return bool(detail) and owner in facts and str(facts[owner]).strip().lower() in HAS_NOT


def replaced_price(name: str, facts: Mapping[str, Any]) -> Decimal | None:
    """What ends with the product, a month: nothing where the customer has no such thing."""
    return Decimal(0) if void(name, facts) else amount(facts, name)


def money(value: Decimal) -> str:
    """An amount as it is spoken and shown: 58, 89.6."""
    text = f"{value.quantize(FEN, ROUND_HALF_UP):f}"
    return text.rstrip("0").rstrip(".")


def placeholders_of(
    product: Product, sum_: Arithmetic, facts: Mapping[str, Any], today: date | None = None
) -> dict[str, str]:
    """What {placeholders} of a text become: only what is known and true, a saving only above zero."""
    charge = product.charge
    price = charge.yuan if charge.kind in ("at_least", "fixed") else sum_.then
    found: dict[str, str] = {"product": product.name.zh}
    for name, value in (("price", price), ("now", sum_.now), ("then", sum_.then)):
        if value is not None:
            found[name] = money(value)
    if sum_.saving is not None and sum_.saving > 0:
        for name, value in (
            ("saving", sum_.saving),
            ("saving_year", sum_.saving_year),
            ("saving_term", sum_.saving_term),
        ):
            if value is not None:
                found[name] = money(value)
    if product.term_months:
        found["months"] = str(product.term_months)
    if product.leaving_early_yuan_per_month > 0:
        found["leaving_early"] = money(product.leaving_early_yuan_per_month)
    return {**found, **customer_placeholders(facts, today)}


def customer_placeholders(facts: Mapping[str, Any], today: date | None = None) -> dict[str, str]:
    """Those that need no product: {over_gb}, {tenure_years}, {contract_end_spoken}."""
    found: dict[str, str] = {}
    used, plan = amount(facts, DATA), amount(facts, "plan_data_gb")
    if used is not None and plan is not None and used > plan:
        found["over_gb"] = money(used - plan)
    tenure = amount(facts, "tenure_months")
    if tenure is not None and tenure >= 12:
        found["tenure_years"] = str(int(tenure // 12))
    try:
        end = date.fromisoformat(str(facts.get("contract_end"))[:10])
    except ValueError:
        return found
    year = {0: "", 1: "明年"}.get(end.year - today.year) if today is not None else None
    found["contract_end_spoken"] = f"{f'{end.year}年' if year is None else year}{end.month}月{end.day}号"
    return found


def _fen(value: Decimal) -> Decimal:
    return value.quantize(FEN, ROUND_HALF_UP)


def _lines(
    product: Product,
    facts: Mapping[str, Any],
    replaced: Mapping[str, Decimal | None],
    now: Decimal | None,
    then: Decimal | None,
    saving: Decimal | None,
) -> tuple[str, ...]:
    lines: list[str] = []
    bill = amount(facts, BILL)
    if now is not None and bill is not None:
        parts = [f"话费{money(bill)}元"]
        parts += [
            f"{_REPLACED.get(name, '另付')}{money(price)}元" for name, price in replaced.items() if price
        ]
        total = f"={money(now)}元" if len(parts) > 1 else ""
        lines.append(f"现在每月:{'+'.join(parts)}{total}")
    if then is not None:
        lines.append(f"以后每月:{_charge_words(product.charge, facts, bill, then)}")
    if saving is not None:
        term = product.term_months
        if saving > 0:
            whole = f",{term}个月共省{money(saving * term)}元" if term else ""
            lines.append(f"每月省{money(saving)}元{whole}")
        else:
            lines.append(f"每月多付{money(-saving)}元" if saving < 0 else "每月费用不变")
    return tuple(lines)


def _charge_words(charge: Charge, facts: Mapping[str, Any], bill: Decimal | None, then: Decimal) -> str:
    if charge.kind == "fixed":
        return f"{money(then)}元"
    if charge.kind == "usage":
        used = amount(facts, DATA) or Decimal(0)
        return f"{money(charge.yuan)}元+{money(used)}GB×{money(charge.per_gb)}元={money(then)}元"
    paid = money(bill or Decimal(0))
    if charge.kind == "share":
        return f"{paid}元×{money(charge.percent)}%={money(then)}元"
    if charge.kind == "less":
        return f"{paid}元-{money(charge.yuan)}元={money(then)}元"
    if charge.kind == "at_least" and bill is not None and bill < charge.yuan:
        return f"按最低消费{money(then)}元"
    return f"仍为{money(then)}元"
