"""The catalogue: what loads, and what is refused with its place and remedy."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from assist.loading import load_catalogue
from assist.suggest.offers import recommend
from bot.typed_yaml import YamlError

FACTS = ("monthly_bill", "broadband_price", "tv_use", "leaving")
GOOD = """\
products:
- key: bundle48
  name: {zh: 融合48, en: Bundle 48}
  charge: {kind: at_least, yuan: 48}
  term_months: 12
  fab: {feature: 百兆宽带, advantage: 一张账单, benefit: 宽带不另花钱}
  say: ["现在{now}元,以后{then}元,好吗?"]
  conditions: [合约12个月]
  eligible: ["monthly_bill >= 20"]
  prefer: ["tv_use == yes"]
  replaces: [broadband_price]
  worth:
  - {what: {zh: 电视盒子, en: TV box}, yuan: 10, when: "tv_use == yes"}
  valid_to: 2027-01-31
guard: {max_loss_percent: 20, unless: ["leaving == yes"]}
"""


def loaded(folder: Path, text: str) -> object:
    path = folder / "catalogue.yml"
    path.write_text(text, encoding="utf-8")
    return load_catalogue(path, FACTS)


def test_a_good_catalogue_loads_with_exact_money(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.yml"
    path.write_text(GOOD.replace("yuan: 48", "yuan: 48.10"), encoding="utf-8")
    catalogue = load_catalogue(path, FACTS)
    found = catalogue.product("bundle48")
    assert found is not None and found.charge.yuan == Decimal("48.10")
    assert catalogue.product("bundle58") is None
    offer = recommend(catalogue, {"monthly_bill": 30, "broadband_price": 50}, date(2026, 11, 22))[0]
    assert offer.arithmetic.saving == Decimal("31.90")


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ('["monthly_bill >= 20"]', '["monthly_bill >= 90", "monthly_bill < 50"]', 9, "no customer can meet"),
        ('["monthly_bill >= 20"]', '["monthly_bil >= 20"]', 9, "did you mean 'monthly_bill'"),
        ('["tv_use == yes"]', '["tv_use"]', 10, "is no condition"),
        ('when: "tv_use == yes"', 'when: "tv_use >= yes"', 12, "compares numbers"),
        ("valid_to: 2027-01-31", "valid_to: 1999-01-31", 2, "valid_to lies before valid_from"),
        ('["leaving == yes"]', '["living == yes"]', 15, "did you mean 'leaving'"),
        ("term_months", "term_month", 5, "term_month"),
        ("kind: at_least", "kind: at_most", 4, "at_most"),
    ],
)
def test_a_faulty_catalogue_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(YamlError) as caught:
        loaded(tmp_path, GOOD.replace(old, new))
    assert says in str(caught.value) and "→" in str(caught.value)
    assert caught.value.line == line


def test_two_products_of_one_key_are_refused(tmp_path: Path) -> None:
    one = GOOD.split("guard:")[0]
    with pytest.raises(YamlError, match="two products are called 'bundle48'"):
        loaded(tmp_path, one + one.replace("products:\n", ""))
