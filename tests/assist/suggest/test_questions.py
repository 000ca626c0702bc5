"""Questions: what decides most is asked first, what is known never, what decides nothing gains nothing."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assist.suggest.catalogue import Catalogue, Charge, Guard, Text
from assist.suggest.model import LAYERS
from assist.suggest.offers import recommend
from assist.suggest.questions import best_shares, information_gain, order
from assist.suggest.script import FactRule, Likely
from tests.assist.suggest.products import BUNDLE, RETENTION, TODAY, product


def rule(name: str, layer: str = "facts", likely: dict[Any, float] | None = None, **more: Any) -> FactRule:
    """A fact that can be asked for."""
    values = tuple(Likely(value=value, weight=weight) for value, weight in (likely or {}).items())
    return FactRule(
        **{
            "name": name,
            "title": Text(zh=name, en=name),
            "layer": layer,
            "kind": "text",
            "ask": f"utter_ask_{name}",
            "likely": values,
            **more,
        }
    )


RULES = {
    item.name: item
    for item in (
        rule("permission", "permission"),
        rule("monthly_bill", likely={38: 1, 68: 2, 128: 2, 300: 1}),
        rule("broadband", likely={"none": 1, "rival": 2}),
        rule("broadband_price", likely={40: 1, 60: 2, 100: 1}),
        rule("data_used_gb", likely={2: 1, 20: 2, 60: 1}),
        rule("family_numbers", likely={0: 1, 2: 1, 4: 1}),
        rule("home_users", likely={1: 1, 3: 2, 5: 1}),
        rule("value_tier", likely={"diamond": 1, "gold": 2, "silver": 3, "standard": 4}, ask=None),
        rule("favourite_colour", likely={"red": 1, "blue": 1}),
        rule("tv_use", "problems"),
        rule("reason_to_leave", "problems", likely={"price": 2, "signal": 1}),
        rule("leaving", "problems", likely={True: 1, False: 3}),
        rule("port", "solutions"),
    )
}
catalogues = st.sampled_from([BUNDLE, RETENTION])
some_facts = st.fixed_dictionaries(
    {},
    optional={
        name: st.sampled_from([item.value for item in each.likely])
        for name, each in RULES.items()
        if each.likely
    }
    | {"tv_use": st.booleans(), "port": st.booleans()},
)


@given(catalogues, some_facts)
def test_gains_are_of_unknown_facts_and_never_negative(catalogue: Catalogue, facts: dict[str, Any]) -> None:
    gains = information_gain(catalogue, RULES, facts, TODAY)
    assert set(gains) == set(RULES) - set(facts)
    assert all(gain >= 0 for gain in gains.values())


@given(catalogues, some_facts)
def test_what_no_product_looks_at_gains_nothing(catalogue: Catalogue, facts: dict[str, Any]) -> None:
    gains = information_gain(catalogue, RULES, facts, TODAY)
    assert gains["permission"] == 0
    assert gains.get("favourite_colour", 0) == 0


@given(
    catalogues, some_facts, st.sets(st.sampled_from(sorted(RULES))), st.sets(st.sampled_from(sorted(RULES)))
)
def test_what_is_known_was_asked_or_was_refused_is_never_asked(
    catalogue: Catalogue, facts: dict[str, Any], asked: set[str], refused: set[str]
) -> None:
    gains = information_gain(catalogue, RULES, facts, TODAY)
    following = order(RULES, facts, gains, asked=asked, refused=refused)
    assert not set(following) & (set(facts) | asked | refused | {"value_tier"})
    if facts.get("broadband") == "none":
        assert "broadband_price" not in following


@given(catalogues, some_facts)
def test_worthwhile_questions_follow_the_four_layers(catalogue: Catalogue, facts: dict[str, Any]) -> None:
    gains = information_gain(catalogue, RULES, facts, TODAY)
    worthwhile = [name for name in order(RULES, facts, gains) if gains[name] >= 0.05]
    layers = [LAYERS.index(RULES[name].layer) for name in worthwhile]
    assert layers == sorted(layers)
    for one, other in itertools.pairwise(worthwhile):
        same_need = RULES[one].layer == RULES[other].layer and RULES[one].need == RULES[other].need
        assert not same_need or gains[one] >= gains[other] - 1e-6


@given(catalogues, some_facts)
def test_the_shares_are_those_of_the_exact_recommendation(
    catalogue: Catalogue, facts: dict[str, Any]
) -> None:
    """Where everything is known, the quick reckoning and the exact one name the same product."""
    defaults = {name: each.likely[0].value for name, each in RULES.items() if each.likely}
    full = {**defaults, "tv_use": True, "port": True, **facts}
    best = next((offer for offer in recommend(catalogue, full, TODAY) if offer.recommended), None)
    shares = {key: share for key, share in best_shares(catalogue, RULES, full, TODAY).items() if share}
    assert shares == ({best.product: 1.0} if best else {})


@given(some_facts)
def test_order_of_dictionaries_changes_nothing(facts: dict[str, Any]) -> None:
    backwards = dict(reversed(RULES.items()))
    other = information_gain(RETENTION, backwards, dict(reversed(facts.items())), TODAY)
    assert other == information_gain(RETENTION, RULES, facts, TODAY)


def test_the_gain_of_a_fair_decision_is_one_bit() -> None:
    catalogue = Catalogue(
        products=(
            product("young", Charge(kind="same"), eligible=("age < 60",)),
            product("old", Charge(kind="same"), eligible=("age >= 60",)),
        )
    )
    rules = {"age": rule("age", likely={30: 1, 70: 1}), "city": rule("city", likely={"北京": 1, "上海": 1})}
    assert information_gain(catalogue, rules, {}, TODAY) == {"age": 1.0, "city": 0.0}
    assert best_shares(catalogue, rules, {}, TODAY) == {"young": 0.5, "old": 0.5}
    assert information_gain(catalogue, rules, {"age": 70}, TODAY) == {"city": 0.0}


def test_a_fact_without_likely_values_is_tried_on_both_sides_of_its_condition() -> None:
    catalogue = Catalogue(products=(product("tv", Charge(kind="same"), eligible=("tv_use == yes",)),))
    assert information_gain(catalogue, {"tv_use": rule("tv_use")}, {}, TODAY) == {"tv_use": 1.0}


def test_true_and_one_are_different_facts() -> None:
    catalogue = Catalogue(
        products=(product("few", Charge(kind="same"), eligible=("home_users <= 2", "tv_use != no")),)
    )
    rules = {"tv_use": rule("tv_use")}
    assert information_gain(catalogue, rules, {"home_users": True}, TODAY)["tv_use"] == 0
    assert information_gain(catalogue, rules, {"home_users": 1}, TODAY)["tv_use"] == 1


def test_a_price_is_asked_only_once_it_is_known_that_there_is_something_to_pay_for() -> None:
    rules = {
        "broadband": rule("broadband", kind="yes_no"),
        "broadband_price": rule("broadband_price", need=0.9),
    }
    assert order(rules, {}, {}) == ["broadband"]
    assert order(rules, {"broadband": True}, {}) == ["broadband_price"]
    assert order(rules, {"broadband": False}, {}) == []
    assert order(rules, {"broadband_price": 50}, {}) == []
    assert order(rules, {}, {}, asked=["broadband"]) == ["broadband_price"]


def test_what_the_talk_needs_counts_beside_what_decides() -> None:
    rules = {"broadband": rule("broadband", need=0.9), "tv_use": rule("tv_use", need=0.3)}
    assert order(rules, {}, {"tv_use": 0.1}) == ["broadband", "tv_use"]
    assert order(rules, {}, {"tv_use": 0.6}) == ["tv_use", "broadband"]


def test_a_question_that_decides_comes_before_an_earlier_layer_that_does_not() -> None:
    rules = {
        "permission": rule("permission", "permission", need=0.9),
        "colour": rule("colour", "facts", need=0.1),
        "name_use": rule("name_use", "facts", need=0.6),
        "leaving": rule("leaving", "problems", need=0.1),
    }
    gains = {"leaving": 0.4}
    assert order(rules, {}, gains) == ["permission", "name_use", "leaving", "colour"]
    assert order(rules, {}, gains, reached="problems") == ["leaving", "permission", "name_use", "colour"]


WIDE = Catalogue(
    products=tuple(
        product(
            f"p{n}",
            Charge(kind="at_least", yuan=Decimal(28 + 10 * n)),
            eligible=(f"f{n} >= {n % 3}",),
            prefer=(f"f{n + 8} == yes", f"f{(n + 3) % 8} >= 2", f"f{16 + n} != no"),
            replaces=("broadband_price",),
        )
        for n in range(8)
    ),
    guard=Guard(max_loss_percent=Decimal(20), unless=("leaving == yes",)),
)
WIDE_RULES = {
    f"f{n}": rule(f"f{n}", likely={0: 1, 1: 2, 2: 1} if n < 8 else {True: 1, False: 2}) for n in range(24)
} | {
    name: RULES[name]
    for name in ("monthly_bill", "broadband", "broadband_price", "leaving", "home_users", "port")
}


def test_many_unknown_facts_are_estimated_near_the_truth() -> None:
    """Too many to enumerate: shares come within a few hundredths of a large random sample."""
    shares = best_shares(WIDE, WIDE_RULES, {}, TODAY)
    draw = np.random.default_rng(5)
    counts: dict[str, int] = {}
    for _ in range(1500):
        facts = {}
        for name, each in WIDE_RULES.items():
            values = each.likely or (Likely(True, 1), Likely(False, 1))
            weights = np.array([item.weight for item in values])
            facts[name] = values[draw.choice(len(values), p=weights / weights.sum())].value
        best = next((offer for offer in recommend(WIDE, facts, TODAY) if offer.recommended), None)
        if best is not None:
            counts[best.product] = counts.get(best.product, 0) + 1
    for key, share in shares.items():
        assert abs(share - counts.get(key, 0) / 1500) < 0.06, key
    gains = information_gain(WIDE, WIDE_RULES, {}, TODAY)
    assert gains["home_users"] == gains["port"] == gains["leaving"] == 0
    assert gains["f8"] > 0


def test_what_only_the_agents_systems_show_is_taken_to_be_in_order() -> None:
    catalogue = Catalogue(products=(product("line", Charge(kind="same"), needs_check=("port == yes",)),))
    rules = {"port": rule("port", likely={True: 1, False: 1})}
    assert information_gain(catalogue, rules, {}, TODAY) == {"port": 0.0}
    assert best_shares(catalogue, rules, {}, TODAY) == {"line": 1.0}
    assert best_shares(catalogue, rules, {"port": False}, TODAY) == {}


def test_products_not_on_sale_decide_nothing() -> None:
    catalogue = Catalogue(
        products=(
            product("old", Charge(kind="same"), eligible=("tv_use == yes",), valid_to=date(2020, 1, 1)),
        )
    )
    assert information_gain(catalogue, {"tv_use": rule("tv_use")}, {}, TODAY) == {"tv_use": 0.0}
