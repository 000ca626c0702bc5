"""Where a call stands, by what was done in it; and the slots that this gives the policies."""

from __future__ import annotations

import pytest

from assist.suggest.model import LAYERS
from assist.suggest.stage import layer_of, slots_of, stage_of
from tests.assist.small_script import SMALL, customer_said, picture


@pytest.mark.parametrize(
    ("fields", "stage"),
    [
        ({}, "opening"),
        ({"asked": {"owner": 0}}, "opening"),
        ({"asked": {"owner": 0, "monthly_bill": 1}}, "discovery"),
        ({"asked": {"monthly_bill": 1}, "pitched": {"b48"}}, "introduction"),
        ({"pitched": {"b48"}, "signals": ["怎么付"]}, "intent"),
        ({"pitched": {"b48"}, "expects": "offer"}, "intent"),
        ({"pitched": {"b48"}, "accepted": True}, "details"),
        ({"pitched": {"b48"}, "accepted": True, "objection": "object_price"}, "objections"),
        ({"objection": "object_price", "over": True}, "closing"),
        ({"acts": ("thank", "goodbye")}, "closing"),
    ],
)
def test_the_stage_is_the_furthest_that_holds_now(fields, stage):
    assert stage_of(picture(**fields)) == stage


def test_a_fact_from_the_file_alone_does_not_leave_the_opening():
    assert stage_of(picture(contact={"monthly_bill": 99})) == "opening"


def test_the_layer_never_goes_back():
    for number, layer in enumerate(LAYERS):
        for asked in ({}, {"owner": 0}, {"monthly_bill": 0}, {"leaving": 0}):
            reached = layer_of(picture(layer=layer, asked=asked))
            assert LAYERS.index(reached) >= number
            for name in asked:
                assert LAYERS.index(reached) >= LAYERS.index(SMALL.facts[name].layer)


@pytest.mark.parametrize(
    ("fields", "phase"),
    [
        ({"layer": "permission"}, "opening"),
        ({"layer": "facts"}, "facts"),
        ({"layer": "problems"}, "problems"),
        ({"layer": "facts", "stage": "introduction", "pitched": {"b48"}}, "solution"),
        ({"layer": "facts", "stage": "details"}, "closing"),
    ],
)
def test_the_phase_follows_the_layer_until_a_product_is_named(fields, phase):
    assert slots_of(picture(**fields), ready=False)["phase"] == phase


def test_the_slots_say_whether_one_may_argue_whether_there_is_interest_and_whether_it_is_over():
    open_ = picture(customer_said("太贵了", "object_price"), objection="object_price", signals=["怎么付"])
    assert slots_of(open_, ready=True) == {
        "phase": "opening", "may_rebut": True, "ready": True, "buying": True, "refused": False,
        "customer_type": None,
    }  # fmt: skip
    open_.rebutted = {"object_price": ["a", "b"]}
    assert slots_of(open_, ready=True)["may_rebut"] is False
    assert slots_of(picture(over=True), ready=True)["refused"] is True
    assert slots_of(picture(over=True), ready=True)["may_rebut"] is False
