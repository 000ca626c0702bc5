"""Conditions: read as written, true, false or unknown, and refused where nobody could meet them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.suggest.conditions import (
    Condition,
    ConditionError,
    as_number,
    check_possible,
    holds_all,
    parse_condition,
)

numbers = st.decimals(min_value=-9999, max_value=9999, places=2)
values = numbers | st.booleans() | st.sampled_from(["rival", "none", "移动"])


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    """Any condition that can be written."""
    value = draw(values)
    ordered = (">=", "<=", ">", "<") if isinstance(value, Decimal) else ()
    return Condition(
        draw(st.sampled_from(["bill", "broadband"])), draw(st.sampled_from(("==", "!=", *ordered))), value
    )


@given(conditions())
def test_a_condition_reads_back_as_it_is_written(condition: Condition) -> None:
    assert parse_condition(str(condition)) == condition


@given(conditions(), st.none() | values)
def test_unknown_exactly_where_the_fact_is_not_known(condition: Condition, known: Any) -> None:
    held = condition.holds({condition.fact: known})
    if known is None:
        assert held is None
    elif held is None:
        assert condition.op not in ("==", "!=") and as_number(known) is None


@given(conditions(), values)
def test_equal_and_unequal_are_opposites(condition: Condition, known: Any) -> None:
    equal = Condition(condition.fact, "==", condition.value).holds({condition.fact: known})
    assert equal is not Condition(condition.fact, "!=", condition.value).holds({condition.fact: known})


@given(
    st.lists(conditions(), min_size=1, max_size=4),
    st.fixed_dictionaries({"bill": values, "broadband": values}),
)
def test_what_some_customer_meets_is_never_called_impossible(
    several: list[Condition], facts: dict[str, Any]
) -> None:
    if holds_all(several, facts):
        check_possible(several)


@pytest.mark.parametrize(
    ("text", "facts", "held"),
    [
        ("monthly_bill >= 58", {"monthly_bill": "58.0"}, True),
        ("monthly_bill >= 58", {"monthly_bill": 57.99}, False),
        ("monthly_bill >= 58", {"monthly_bill": "不知道"}, None),
        ("monthly_bill >= 58", {}, None),
        ("broadband = none", {"broadband": "none"}, True),
        ("broadband != none", {"broadband": "rival"}, True),
        ("tv_use == yes", {"tv_use": True}, True),
        ("tv_use == yes", {"tv_use": "true"}, True),
        ("tv_use == no", {"tv_use": True}, False),
        ("home_users == 3", {"home_users": "3"}, True),
        ("home_users == 1", {"home_users": True}, False),
    ],
)
def test_what_a_condition_says_of_a_customer(text: str, facts: dict[str, Any], held: bool | None) -> None:
    assert parse_condition(text).holds(facts) is held


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("bill", "is no condition → write it as"),
        ("bill >= lots", "compares numbers → use == or !="),
        ("monthly_bil >= 5", "did you mean 'monthly_bill'?"),
        ("colour == red", "facts: broadband, monthly_bill"),
        ("", "is no condition"),
    ],
)
def test_a_faulty_condition_is_refused_with_its_remedy(text: str, says: str) -> None:
    known = ["monthly_bill", "broadband"] if "==" in text or "monthly" in text else None
    with pytest.raises(ConditionError, match=says.replace("?", r"\?")):
        parse_condition(text, known)


@pytest.mark.parametrize(
    "texts",
    [
        ("bill >= 58", "bill < 48"),
        ("bill > 58", "bill <= 58"),
        ("broadband == none", "broadband == rival"),
        ("tv_use == yes", "tv_use == no"),
        ("bill == 5", "bill != 5"),
    ],
)
def test_conditions_that_nobody_can_meet_are_refused(texts: tuple[str, ...]) -> None:
    with pytest.raises(ConditionError, match=r"no customer can meet .* → correct one"):
        check_possible([parse_condition(text) for text in texts])


def test_false_beats_unknown() -> None:
    several = [parse_condition("bill >= 58"), parse_condition("tv_use == yes")]
    assert holds_all(several, {"tv_use": False}) is False
    assert holds_all(several, {"tv_use": True}) is None
    assert holds_all(several, {"tv_use": True, "bill": 60}) is True
    assert holds_all([], {}) is True
