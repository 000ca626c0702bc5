"""Facts fill from speech and file, each with its evidence; a contradiction keeps what was before."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.hearing.facts import (
    FROM_FILE,
    Line,
    file_facts,
    from_line,
    known_fact,
    merged,
    plain,
    put_to_customer,
)
from assist.suggest.model import Fact
from bot.understanding.values import extract
from tests.assist.small_script import NOW, SMALL

RULES = SMALL.facts


def line(text: str, *acts: str) -> Line:
    return Line("u1", text, 1000, acts, tuple(dict(entity) for entity in extract(text, NOW)))


def told(text: str, *acts: str, asked: str | None = None, offered: Any = None) -> dict[str, Any]:
    return {fact.name: fact.value for fact in from_line(RULES, line(text, *acts), asked, offered or {})}


@pytest.mark.parametrize(
    ("text", "asked", "facts"),
    [
        ("话费每个月一百二", None, {"monthly_bill": 120}),
        ("一百二十八块钱吧", "monthly_bill", {"monthly_bill": 128}),
        ("128", "monthly_bill", {"monthly_bill": 128}),
        ("流量一个月用了30个G", None, {"data_used_gb": 30}),
        ("宽带一个月80块话费128块", None, {"broadband_price": 80, "monthly_bill": 128}),
        ("我想转网", None, {"leaving": True}),
        ("没想过", "leaving", {"leaving": False}),
        ("嗯嗯知道了", "monthly_bill", {}),
        ("我昨天打球了", None, {}),
        ("", "monthly_bill", {}),
    ],
)
def test_what_a_line_states(text, asked, facts):
    assert told(text, "inform", asked=asked) == facts


@pytest.mark.parametrize(("act", "value"), [("affirm", True), ("deny", False)])
def test_a_yes_or_no_answers_the_yes_no_question_that_was_asked(act, value):
    assert told("对", act, asked="owner") == {"owner": value}
    assert told("对", act) == {}


def test_what_the_agent_put_to_the_customer_and_they_agreed_to_counts_as_said():
    offered = put_to_customer(RULES, line("您一个月话费128块对吧"))
    assert offered == {"monthly_bill": 128}
    assert told("对", "affirm", asked="monthly_bill", offered=offered) == {"monthly_bill": 128}
    assert told("不是", "deny", asked="monthly_bill", offered=offered) == {}


def test_a_number_that_cannot_be_the_answer_is_not_taken():
    assert told("990000", "inform", asked="monthly_bill") == {}


def test_a_rough_figure_is_a_guess():
    [fact] = from_line(RULES, line("话费大概一百多吧", "inform"), "monthly_bill", {})
    assert fact.guessed
    [exact] = from_line(RULES, line("话费128块", "inform"), "monthly_bill", {})
    assert not exact.guessed


def test_every_fact_names_its_line_and_time():
    [fact] = from_line(RULES, line("话费128块", "inform"), None, {})
    assert (fact.source, fact.evidence, fact.at_ms) == ("speech", "u1", 1000)


def test_the_file_gives_its_facts_and_nothing_else():
    contact = {"monthly_bill": "128.5", "value_tier": "gold", "name": "张伟", "phone": "13800138000"}
    contact |= {"city": "", "family_numbers": ["a", "b"], "unknown_key": 1}
    facts = file_facts(contact, RULES, FROM_FILE)
    assert {name: fact.value for name, fact in facts.items()} == {
        "monthly_bill": 128.5, "value_tier": "gold", "family_numbers": 2,
    }  # fmt: skip
    assert facts["monthly_bill"].evidence == "contact.monthly_bill"


def fact(value: Any, source: Any = "speech", guessed: bool = False, was: Any = None) -> Fact:
    return Fact(name="monthly_bill", value=value, source=source, evidence="e", guessed=guessed, was=was)


def after(before: Fact, news: Fact) -> Fact:
    return merged({"monthly_bill": before}, [news])["monthly_bill"]


def test_a_contradiction_replaces_and_keeps_what_was():
    assert after(fact(99, "file"), fact(120)) == fact(120, was=99)
    assert after(fact(120, was=99), fact(130)) == fact(130, was=120)


def test_a_fact_of_the_file_that_is_said_becomes_a_said_one():
    assert after(fact(99, "file"), fact(Decimal("99.0"))).source == "speech"


def test_a_guess_close_to_what_is_known_changes_nothing():
    assert after(fact(128), fact(130, guessed=True)) == fact(128)
    assert after(fact(128), fact(200, guessed=True)).was == 128


def test_a_guess_that_is_confirmed_is_none_and_still_knows_what_it_contradicts():
    confirmed = after(fact(120, guessed=True, was=99), fact(120))
    assert (confirmed.guessed, confirmed.was) == (False, 99)


VALUES = st.one_of(st.integers(1, 500), st.sampled_from(["a", "b"]), st.booleans())


@given(st.lists(st.tuples(VALUES, st.booleans()), min_size=1, max_size=8))
def test_the_last_certain_word_holds_and_nothing_is_lost_without_trace(news):
    known: dict[str, Fact] = {}
    for value, guessed in news:
        before = known.get("monthly_bill")
        known = merged(known, [fact(value, guessed=guessed)])
        now = known["monthly_bill"]
        if not guessed:
            assert str(now.value) == str(value) or float(now.value) == float(value)
        if before is not None and now.value != before.value:
            assert now.was == before.value


def test_the_data_over_the_plan_follows():
    facts = {name: known_fact(name, gb, None) for name, gb in (("data_used_gb", 30), ("plan_data_gb", 20))}
    assert plain(facts)["over_gb"] == 10
    assert "over_gb" not in plain({"data_used_gb": facts["data_used_gb"]})


@given(st.text(max_size=60), st.sampled_from([None, *RULES]), st.sampled_from(["affirm", "deny", "inform"]))
def test_any_line_is_taken_and_only_facts_of_the_script_come_of_it(text, asked, act):
    for found in from_line(RULES, line(text, act), asked, {}):
        assert found.name in RULES and found.evidence == "u1"
