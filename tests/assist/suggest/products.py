"""Products and two small catalogues that the tests of offers and questions share."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from assist.suggest.catalogue import Catalogue, Charge, Fab, Guard, Product, Text, Worth

TODAY = date(2026, 11, 22)


def product(key: str, charge: Charge, **more: Any) -> Product:
    """A product with what a test does not care about filled in."""
    fab = Fab(feature="特点", advantage="优势", benefit=f"{key}的好处")
    return Product(
        **{
            "key": key,
            "name": Text(zh=f"产品{key}", en=f"Product {key}"),
            "charge": charge,
            "term_months": 12,
            "fab": fab,
            "say": ("给您办上好吗?",),
            "conditions": (),
            **more,
        }
    )


FAMILY_CALLS = Worth(
    what=Text(zh="家人互打免费", en="free family calls"), yuan=Decimal(15), when="family_numbers >= 2"
)
BUNDLE = Catalogue(
    products=(
        product(
            "bundle48",
            Charge(kind="at_least", yuan=Decimal(48)),
            eligible=("port != no",),
            replaces=("broadband_price",),
            worth=(FAMILY_CALLS,),
            leaving_early_yuan_per_month=Decimal(20),
        ),
        product(
            "bundle58",
            Charge(kind="at_least", yuan=Decimal(58)),
            eligible=("port != no",),
            prefer=("tv_use == yes", "home_users >= 4"),
            replaces=("broadband_price",),
            worth=(FAMILY_CALLS,),
            term_months=24,
            leaving_early_yuan_per_month=Decimal(20),
        ),
    ),
    guard=Guard(max_loss_percent=Decimal(10)),
)
RETENTION = Catalogue(
    products=(
        product(
            "diamond",
            Charge(kind="share", percent=Decimal(70)),
            eligible=("value_tier == diamond",),
        ),
        product(
            "fit",
            Charge(kind="usage", yuan=Decimal(19), per_gb=Decimal(2)),
            eligible=("value_tier == standard",),
        ),
        product("credit", Charge(kind="less", yuan=Decimal(10)), prefer=("reason_to_leave == price",)),
        product("keep", Charge(kind="fixed", yuan=Decimal(8)), term_months=0),
        product("same", Charge(kind="same"), worth=(Worth(what=Text(zh="10GB", en=""), yuan=Decimal(9)),)),
    ),
    guard=Guard(max_loss_percent=Decimal(20), unless=("leaving == yes",)),
)
