"""Offers: eligible ones only, sums to the fen, the guard against selling down, an order without luck."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from assist.suggest.catalogue import Catalogue, Charge, eligibility
from assist.suggest.conditions import holds_all, parse_condition
from assist.suggest.offers import MAX_WHY, describe, placeholders, recommend
from tests.assist.suggest.products import BUNDLE, RETENTION, TODAY, product

money = st.decimals(min_value=0, max_value=6000, places=2) | st.integers(0, 6000) | st.just("128.50")
customers = st.fixed_dictionaries(
    {},
    optional={
        "monthly_bill": money,
        "broadband": st.sampled_from(["none", "rival", True, False]),
        "broadband_price": money,
        "data_used_gb": st.integers(0, 200),
        "family_numbers": st.integers(0, 9),
        "home_users": st.integers(1, 8),
        "tv_use": st.booleans(),
        "port": st.booleans(),
        "leaving": st.booleans(),
        "value_tier": st.sampled_from(["diamond", "gold", "silver", "standard"]),
        "reason_to_leave": st.sampled_from(["price", "signal"]),
    },
)
catalogues = st.sampled_from([BUNDLE, RETENTION])


@given(catalogues, customers)
def test_nothing_is_offered_against_its_conditions(catalogue: Catalogue, facts: dict[str, Any]) -> None:
    for offer in recommend(catalogue, facts, TODAY):
        held = holds_all(eligibility(offer.source), facts)
        assert (offer.eligible == "no") == (held is False)
        if offer.eligible == "yes":
            assert held is True
        if held is None:
            unknown = {c.fact for c in eligibility(offer.source) if c.holds(facts) is None}
            assert unknown <= set(offer.missing)


@given(catalogues, customers)
def test_the_guard_holds_whatever_the_facts(catalogue: Catalogue, facts: dict[str, Any]) -> None:
    """What may be offered never takes more of the bill than is allowed, unless the customer is leaving."""
    leaving = any(parse_condition(text).holds(facts) for text in catalogue.guard.unless)
    for offer in recommend(catalogue, facts, TODAY):
        if not offer.recommended or leaving:
            continue
        then = offer.arithmetic.then
        if "monthly_bill" not in facts:
            assert offer.source.charge.kind in ("at_least", "same")
            continue
        assert then is not None
        bill = Decimal(str(facts["monthly_bill"]))
        assert (bill - then) * 100 <= catalogue.guard.max_loss_percent * bill


@given(catalogues, customers)
def test_sums_agree(catalogue: Catalogue, facts: dict[str, Any]) -> None:
    for offer in recommend(catalogue, facts, TODAY):
        sums = offer.arithmetic
        if sums.now is not None and sums.then is not None:
            assert sums.saving == sums.now - sums.then
            assert sums.then >= 0
        else:
            assert sums.saving is None and offer.missing
        if sums.saving is not None and offer.source.term_months:
            assert sums.saving_year == sums.saving * 12
            assert sums.saving_term == sums.saving * offer.source.term_months
        shown = placeholders(offer, facts, TODAY)
        assert ("saving" in shown) == (sums.saving is not None and sums.saving > 0)
        assert 0 < len(offer.why) <= MAX_WHY


@given(catalogues, customers, st.randoms())
def test_order_does_not_depend_on_how_things_were_listed(
    catalogue: Catalogue, facts: dict[str, Any], luck: Any
) -> None:
    names, products = list(facts), list(catalogue.products)
    luck.shuffle(names)
    luck.shuffle(products)
    other = Catalogue(products=tuple(products), guard=catalogue.guard)
    assert recommend(other, {name: facts[name] for name in names}, TODAY) == recommend(
        catalogue, facts, TODAY
    )


@given(catalogues, customers)
def test_what_may_be_offered_comes_before_what_may_not(catalogue: Catalogue, facts: dict[str, Any]) -> None:
    recommended = [offer.recommended for offer in recommend(catalogue, facts, TODAY)]
    assert recommended == sorted(recommended, reverse=True)


def test_a_rivals_broadband_is_saved_in_full() -> None:
    facts = {"monthly_bill": 68, "broadband": "rival", "broadband_price": "60", "port": True}
    best = recommend(BUNDLE, facts, TODAY)[0]
    assert best.product == "bundle48"
    sums = best.arithmetic
    assert (sums.now, sums.then, sums.saving, sums.saving_year) == (128, 68, 60, 720)
    assert sums.lines == (
        "现在每月:话费68元+宽带60元=128元",
        "以后每月:仍为68元",
        "每月省60元,12个月共省720元",
    )
    assert best.why == "每月省60元,一年省720元"
    assert placeholders(best, facts) == {
        "product": "产品bundle48",
        "price": "48",
        "now": "128",
        "then": "68",
        "saving": "60",
        "saving_year": "720",
        "saving_term": "720",
        "months": "12",
        "leaving_early": "20",
    }


def test_preferences_decide_between_tiers_that_cost_the_same() -> None:
    facts = {"monthly_bill": 88, "broadband": "none", "port": True}
    assert recommend(BUNDLE, facts, TODAY)[0].product == "bundle48"
    fitting = recommend(BUNDLE, {**facts, "tv_use": True, "home_users": 5}, TODAY)[0]
    assert (fitting.product, fitting.why) == ("bundle58", "bundle58的好处")


def test_no_broadband_costs_nothing_and_is_not_missing() -> None:
    offer = recommend(BUNDLE, {"monthly_bill": 88, "broadband": "none", "port": True}, TODAY)[0]
    assert offer.missing == () and offer.arithmetic.now == 88


def test_a_big_customer_is_not_sold_down_because_it_saves() -> None:
    """5000 a month is not offered less, until the customer is leaving."""
    facts = {"monthly_bill": 5000, "value_tier": "standard", "data_used_gb": 100}
    offers = {offer.product: offer for offer in recommend(RETENTION, facts, TODAY)}
    assert offers["fit"].guard == "月收入会少95.62%,超过允许的20%"
    assert offers["keep"].guard is not None
    leaving = {offer.product: offer for offer in recommend(RETENTION, {**facts, "leaving": True}, TODAY)}
    assert leaving["fit"].guard is None and leaving["fit"].arithmetic.then == 219


def test_a_leaving_customer_is_not_given_more_than_keeps_them() -> None:
    """70 % of the bill beats the number kept for 8 yuan, which saves more."""
    facts = {"monthly_bill": 300, "value_tier": "diamond", "leaving": True}
    assert next(offer.product for offer in recommend(RETENTION, facts, TODAY)) == "diamond"


def test_nobody_gets_what_is_above_the_tier() -> None:
    facts = {"monthly_bill": 300, "value_tier": "gold", "leaving": True}
    offers = recommend(RETENTION, facts, TODAY)
    assert offers[-1].eligible == "no" and {o.product for o in offers if o.eligible == "no"} == {
        "diamond",
        "fit",
    }


def test_what_costs_the_customer_more_and_fits_nothing_is_held_back() -> None:
    facts = {"monthly_bill": 30, "broadband": "none", "port": True}
    assert [offer.guard for offer in recommend(BUNDLE, facts, TODAY)] == [
        "客户每月多付18元,不划算",
        "客户每月多付28元,不划算",
    ]
    assert recommend(BUNDLE, {**facts, "family_numbers": 3, "tv_use": True}, TODAY)[0].product == "bundle58"


def test_a_check_rules_a_product_out_only_when_it_failed() -> None:
    catalogue = Catalogue(products=(product("line", Charge(kind="same"), needs_check=("port == yes",)),))
    found = {
        port: recommend(catalogue, facts, TODAY)[0].eligible
        for port, facts in (("unknown", {}), ("yes", {"port": True}), ("no", {"port": False}))
    }
    assert found == {"unknown": "yes", "yes": "yes", "no": "no"}


def test_products_outside_their_dates_are_left_out() -> None:
    same = Charge(kind="same")
    catalogue = Catalogue(
        products=(
            product("over", same, valid_to=date(2026, 11, 21)),
            product("last-day", same, valid_to=TODAY),
            product("first-day", same, valid_from=TODAY),
            product("later", same, valid_from=date(2026, 11, 23)),
        )
    )
    assert [offer.product for offer in recommend(catalogue, {}, TODAY)] == ["first-day", "last-day"]


def test_an_unknown_bill_leaves_a_lowering_offer_unknown() -> None:
    offers = {offer.product: offer for offer in recommend(RETENTION, {"value_tier": "standard"}, TODAY)}
    assert offers["credit"].eligible == "unknown" and "monthly_bill" in offers["credit"].missing
    assert set(offers["fit"].missing) == {"monthly_bill", "data_used_gb"}


def test_of_what_may_turn_out_to_fit_the_nearest_comes_first() -> None:
    """Nothing known: not the cheapest way out, which hangs on most conditions."""
    same, fixed = Charge(kind="same"), Charge(kind="fixed", yuan=Decimal(8))
    catalogue = Catalogue(
        products=(
            product("keep", fixed, eligible=("leaving == yes", "hardly_used == yes"), term_months=0),
            product("data", same, eligible=("value_tier == gold",)),
        )
    )
    assert [offer.product for offer in recommend(catalogue, {}, TODAY)] == ["data", "keep"]


def test_a_bill_that_is_no_amount_counts_as_unknown() -> None:
    for nonsense in ("很多", -5, float("nan"), float("inf"), True):
        offer = recommend(RETENTION, {"monthly_bill": nonsense}, TODAY)[0]
        assert offer.arithmetic.now is None


def test_what_the_customer_uses_over_the_plan_and_when_the_contract_ends_can_be_said() -> None:
    facts = {
        "data_used_gb": "26.5",
        "plan_data_gb": 20,
        "tenure_months": 47,
        "contract_end": "2027-03-31",
    }
    offer = recommend(RETENTION, facts, TODAY)[0]
    said = placeholders(offer, facts, TODAY)
    assert (said["over_gb"], said["tenure_years"], said["contract_end_spoken"]) == ("6.5", "3", "明年3月31号")
    assert placeholders(offer, facts)["contract_end_spoken"] == "2027年3月31号"
    assert "over_gb" not in placeholders(offer, {**facts, "data_used_gb": 20}, TODAY)


def test_the_panel_gets_money_as_text() -> None:
    facts = {"monthly_bill": "158.33", "value_tier": "diamond", "leaving": True}
    shown = describe(recommend(RETENTION, facts, TODAY)[0])
    assert (shown["now"], shown["then"], shown["saving"]) == ("158.33", "110.83", "47.5")
    assert shown["eligible"] == "yes" and shown["guard"] is None
