"""The words of a card: the customer's figures, the customer's type, never a hole, never too long."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.suggest.model import MAX_CARD_CHARACTERS
from assist.suggest.script import Node, Wording
from assist.suggest.texts import fact_variables, filled, spoken

LINE = Node(
    name="n",
    wordings=(
        Wording("平常的说法。"),
        Wording("您每月{now}块,省{saving}块。"),
        Wording("直接省{saving}块。", (("customer_type", "dominant"),)),
        Wording("慢慢来。", (("customer_type", "patient"),)),
    ),
)
FIGURES = {"now": "128", "saving": "23"}


@pytest.mark.parametrize(
    ("variables", "kind", "expected"),
    [
        ({}, None, "平常的说法。"),
        ({"now": "128"}, None, "平常的说法。"),
        (FIGURES, None, "您每月128块,省23块。"),
        (FIGURES, "dominant", "直接省23块。"),
        ({}, "dominant", "平常的说法。"),
        (FIGURES, "patient", "慢慢来。"),
        (FIGURES, "exact", "您每月128块,省23块。"),
    ],
)
def test_the_wording_that_fits_the_customer_is_said(variables, kind, expected):
    assert spoken(LINE, variables, {"customer_type": kind}) == expected


def test_a_text_that_was_shown_is_not_said_again():
    used: set[str] = set()
    said = []
    while (text := spoken(LINE, FIGURES, {"customer_type": "dominant"}, used)) is not None:
        used.add(text)
        said.append(text)
    assert said == ["直接省23块。", "您每月128块,省23块。", "平常的说法。"]


def test_a_line_for_one_reason_alone_is_not_said_for_another():
    line = Node(name="n", wordings=(Wording("信号的事我来办。", (("reason_to_leave", "signal"),)),))
    assert spoken(line, {}, {"reason_to_leave": "signal"}) == "信号的事我来办。"
    assert spoken(line, {}, {"reason_to_leave": "price"}) is None
    assert spoken(line, {}, {}) is None


@given(st.lists(st.sampled_from("一二三四五六七八。,!?"), max_size=120).map("".join), st.integers(8, 60))
def test_no_text_is_longer_than_allowed_and_none_is_torn(text, longest):
    shown = spoken(Node(name="n", wordings=(Wording(text),)), {}, {}, longest=longest)
    if len(text) <= longest:
        assert shown == text
    elif shown is not None:
        assert len(shown) <= longest and text.startswith(shown)
        assert (text + "。")[len(shown)] in "。,!?" or shown[-1] in "。!?"


@given(st.dictionaries(st.sampled_from(["now", "saving", "x"]), st.text(max_size=5)))
def test_a_card_has_no_hole_in_it(variables):
    shown = filled(LINE.wordings[1], variables)
    assert (shown is None) == (not {"now", "saving"} <= variables.keys())
    if shown is not None:
        assert shown == f"您每月{variables['now']}块,省{variables['saving']}块。"


def test_figures_are_spoken_without_idle_digits():
    facts = {"a": Decimal("18.40"), "b": 128.0, "c": 100, "d": True, "e": "中国电信", "f": ""}
    facts["g"] = Decimal("1E+2")
    assert fact_variables(facts) == {"a": "18.4", "b": "128", "c": "100", "e": "中国电信", "g": "100"}


def test_an_answer_too_long_to_be_spoken_in_a_sentence_is_no_figure():
    assert fact_variables({"reason": "说" * 17}) == {}


def test_the_limit_is_that_of_the_contract():
    assert MAX_CARD_CHARACTERS == 40
