"""The after-call form: how it ended, the tier with reasons, who calls again, all from what was said."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.suggest.after_call import after_call, disposition_of
from assist.suggest.model import CheckItem, Fact
from bot.events import DISPOSITIONS, Disposition
from bot.understanding.acts import ACTS
from tests.assist.small_script import NOW, picture


@pytest.mark.parametrize(
    ("fields", "how"),
    [
        ({"seen_acts": {"request_dnc"}, "accepted": True}, "do_not_call"),
        ({"seen_acts": {"wrong_person"}}, "wrong_person"),
        ({"accepted": True, "pitched": {"b48"}}, "accepted"),
        ({"accepted": True, "over": True, "refusals": 2}, "declined"),
        ({"seen_acts": {"request_callback"}}, "callback"),
        ({"objection": "object_busy"}, "callback"),
        ({"objection": "object_think_over"}, "callback"),
        ({"refusals": 1}, "declined"),
        ({"objection": "object_price"}, "declined"),
        ({}, "hung_up"),
    ],
)
def test_how_a_call_ended_follows_from_what_was_said(fields, how):
    assert disposition_of(picture(**fields)) == how


def test_what_the_agent_says_of_the_end_counts_more():
    assert after_call(picture(), NOW, "transferred")["disposition"] == "transferred"


def test_the_form_says_what_the_customer_told_in_words_not_in_code():
    made = picture(pitched={"b48"}, seen_acts={"object_price"}, accepted=True)
    made.facts = {
        "monthly_bill": Fact(name="monthly_bill", value=120, source="speech", evidence="u1"),
        "leaving": Fact(name="leaving", value=True, source="speech", evidence="u2"),
        "data_used_gb": Fact(name="data_used_gb", value=30, source="file", evidence="contact"),
    }
    form = after_call(made, NOW)
    told = "客户说到:月消费 120元、要离网 是"
    assert form["summary"] == [told, "介绍了:融合48", "异议:嫌贵", "客户同意办理"]
    assert form["facts"] == {"leaving": True, "monthly_bill": 120}
    assert (form["disposition"], form["grade"]) == ("accepted", "A")
    assert form["reasons"]


def test_who_refused_for_good_is_never_called_again():
    for fields in ({"seen_acts": {"request_dnc"}}, {"seen_acts": {"wrong_person"}}, {"over": True}):
        assert after_call(picture(**fields), NOW)["follow_up"] is None


def test_the_follow_up_lies_after_the_call_and_says_about_what():
    form = after_call(picture(objection="object_decider", pitched={"b48"}, seen_acts={"object_decider"}), NOW)
    assert form["disposition"] == "callback"
    assert datetime.fromisoformat(form["follow_up"]["at"]) >= NOW + timedelta(days=1)
    assert form["follow_up"]["about"] == "问问家人商量得怎么样"


def test_what_should_have_been_said_and_was_not_is_named():
    made = picture()
    made.checklist = {
        "a": CheckItem(key="a", title="身份", text="", due=True),
        "b": CheckItem(key="b", title="价格", text="", due=True, at_ms=3),
        "c": CheckItem(key="c", title="怎么退", text=""),
    }
    assert after_call(made, NOW)["missing"] == ["身份"]


@given(
    st.sets(st.sampled_from(sorted(ACTS))),
    st.sampled_from([None, "object_price", "object_busy", "object_decider"]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 2),
    st.sampled_from([None, *get_args(Disposition)]),
)
def test_every_form_is_complete_and_in_the_contract_s_words(acts, objection, accepted, over, refusals, said):
    made = picture(seen_acts=acts, objection=objection, accepted=accepted, over=over, refusals=refusals)
    form = after_call(made, NOW, said)
    assert form["disposition"] in DISPOSITIONS
    assert form["grade"] in "ABCDE" and form["reasons"] and form["summary"]
    assert form["follow_up"] is None or {"at", "about"} == form["follow_up"].keys()
    if "request_dnc" in acts and said is None:
        assert form["follow_up"] is None
