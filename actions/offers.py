"""The sums, dates and forms of address of an offer, computed from the contact.  Pure.

Money is Decimal yuan.  What the customer saves is counted from the customer's own fee, never from
the list price, and an offer that saves nothing is not made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from actions.script import Script
from actions.times import spoken_hours

Availability = Literal["open", "expired", "not_yet", "no_saving", "minor"]

COMPOUND_SURNAMES = frozenset(
    [
        "欧阳",
        "司马",
        "上官",
        "诸葛",
        "司徒",
        "东方",
        "独孤",
        "南宫",
        "夏侯",
        "尉迟",
        "皇甫",
        "公孙",
        "慕容",
        "令狐",
        "长孙",
        "宇文",
        "端木",
        "轩辕",
    ]
)
ADULT_AGE = 18


class ContactError(ValueError):
    """A contact lacks what the script needs, or holds it in a form that cannot be used."""


@dataclass(frozen=True)
class Sums:
    """`monthly` × months = `normal`; the offer costs `price`; `saving` = normal - price."""

    monthly: Decimal
    normal: Decimal
    price: Decimal

    @property
    def saving(self) -> Decimal:
        """What the customer saves over the term; not above 0 where the offer is no gain."""
        return self.normal - self.price


def check_contact(script: Script, contact: Mapping[str, Any]) -> None:
    """Raises ContactError naming the first key that the script needs and the contact lacks."""
    for key in script.needs_contact:
        if contact.get(key) in (None, ""):
            raise ContactError(
                f"contact has no '{key}', which script '{script.name}' needs "
                f"→ add it to the contact (script.yml, needs_contact)"
            )


def sums(script: Script, contact: Mapping[str, Any]) -> Sums:
    """The offer's sums for this contact.  Raises ContactError for a fee that is no amount."""
    check_contact(script, contact)
    monthly = _amount(script, contact, "monthly_fee_ringback")
    return Sums(monthly, monthly * script.offer.months, script.offer.price_yuan)


def _amount(script: Script, contact: Mapping[str, Any], key: str) -> Decimal:
    try:
        value = Decimal(str(contact[key]))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value < 0:
        raise ContactError(
            f"contact key '{key}' is not an amount of yuan, which script '{script.name}' needs "
            f'→ write it as 5 or "5.00"'
        )
    return value


def availability(script: Script, contact: Mapping[str, Any], now: datetime) -> Availability:
    """Whether the offer may be made to this contact now (`now` in the callee's zone).

    Raises ContactError.  Whoever dials asks this first; the call itself asks again, since midnight
    may lie between.
    """
    found = sums(script, contact)
    if now.date() > script.offer.valid_to:
        return "expired"
    if now.date() < script.offer.valid_from:
        return "not_yet"
    age = str(contact.get("age") or "")
    if age.isdigit() and int(age) < ADULT_AGE:
        return "minor"
    return "open" if found.saving > 0 else "no_saving"


def yuan(amount: Decimal) -> str:
    """An amount as people write and say it: 30, 5.5."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def form_of_address(name: str, sex: str | None) -> str:
    """张先生, 张女士; 张老师 where the sex is not known.  A name that is not Chinese stands alone."""
    name = name.strip()
    if not name or not "\u4e00" <= name[0] <= "\u9fff":
        return name
    surname = name[:2] if name[:2] in COMPOUND_SURNAMES and len(name) > 2 else name[0]
    known = {"m": "先生", "male": "先生", "男": "先生", "f": "女士", "female": "女士", "女": "女士"}
    return surname + known.get((sex or "").strip().lower(), "老师")


def first_of_next_month(day: date) -> date:
    """When an order of `day` takes effect."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def variables(script: Script, contact: Mapping[str, Any], now: datetime) -> dict[str, str]:
    """All variables that lines and messages of the script may use, as text.

    Raises ContactError for a key that is missing or of no use.
    """
    found = sums(script, contact)
    return script_variables(script, now) | {
        "title": form_of_address(str(contact["name"]), contact.get("sex")),
        "monthly_fee": yuan(found.monthly),
        "year_cost": yuan(found.normal),
        "price": yuan(found.price),
        "saving": yuan(found.saving),
        "per_month": yuan((found.price / script.offer.months).quantize(Decimal("0.01"))),
    }


def script_variables(script: Script, now: datetime) -> dict[str, str]:
    """Those of the variables that tell nothing of any contact, nor the offer's price."""
    starts = first_of_next_month(now.date())
    return {
        "company": script.company.name,
        "hotline": script.company.hotline,
        "hotline_spoken": script.company.hotline_spoken,
        "sms_number": script.company.sms_number,
        "product": script.offer.product,
        "payment": script.offer.payment,
        "months": str(script.offer.months),
        "effective_date": f"{starts.month}月1号",
        "callback_hours": spoken_hours(script.callback_hours),
        "voicemail_message": script.voicemail.message,
    }
