"""What the agent's page shows, as plain JSON; and that changes are whole parts, only those that differ."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from assist.panel import changed, panel_of, plain_value
from assist.suggest.model import Alarm, Fact, Suggestion
from assist.suggest.pace import Screen
from assist.suggest.situation import situation
from tests.assist.small_script import NOW, SMALL, picture

PANEL_KEYS = {
    "stage", "objection", "card", "folded", "facts", "checklist", "alarms", "offers", "talk", "customer_type",
    "signals", "way_in",
}  # fmt: skip
PARTS = st.dictionaries(st.sampled_from("abc"), st.lists(st.integers(0, 2), max_size=2))


def test_the_panel_is_json_and_has_all_its_parts():
    made = picture(contact={"monthly_bill": 129.5, "broadband_price": 80})
    made.facts["leaving"] = Fact(name="leaving", value=True, source="speech", evidence="u1", was=False)
    made.alarms = [Alarm(rule="r", words="保证", utterance_id="u1", at_ms=5, title="绝对化", remedy="更正")]
    panel = panel_of(made, situation(made, NOW.date()), Screen())
    assert panel.keys() == PANEL_KEYS
    assert msgspec.json.decode(msgspec.json.encode(panel)) == panel
    rows = {row["name"]: row for row in panel["facts"]}
    assert rows.keys() == SMALL.facts.keys()
    assert (rows["monthly_bill"]["value"], rows["monthly_bill"]["source"]) == (129.5, "file")
    assert [rows["leaving"][key] for key in ("value", "was", "evidence")] == [True, False, "u1"]
    assert rows["data_used_gb"]["value"] is None
    assert panel["alarms"][0]["words"] == "保证"
    assert [offer["rank"] for offer in panel["offers"]] == [1, 2]


def test_exactly_one_unknown_fact_is_marked_as_the_next_and_none_once_it_is_over():
    made = picture()
    rows = panel_of(made, situation(made, NOW.date()), Screen())["facts"]
    [marked] = [row for row in rows if row["next"]]
    assert marked["value"] is None
    made.over = True
    assert not any(row["next"] for row in panel_of(made, situation(made, NOW.date()), Screen())["facts"])


def test_the_cards_are_named_by_their_ids():
    screen = Screen()
    screen.show([Suggestion(id=name, call_id="c", kind="answer", text=name) for name in "xyz"], 0)
    made = picture()
    panel = panel_of(made, situation(made, NOW.date()), screen)
    assert (panel["card"], panel["folded"]) == ("x", ["y", "z"])


def test_the_share_of_talk_is_unknown_before_a_word_and_the_customer_s_after():
    made = picture()
    assert panel_of(made, situation(made, NOW.date()), Screen())["talk"]["share"] is None
    made.customer_ms, made.agent_ms = 3000, 1000
    assert panel_of(made, situation(made, NOW.date()), Screen())["talk"]["share"] == 0.75


@given(PARTS, PARTS)
def test_changes_are_just_what_makes_the_one_the_other(before, after):
    changes = changed(before, after)
    assert {**{key: before[key] for key in before if key in after}, **changes} == after
    assert all(key not in before or before[key] != value for key, value in changes.items())


def test_a_value_is_shown_as_json_knows_it():
    assert plain_value(Decimal("1.5")) == 1.5
    assert plain_value("gold") == "gold" and plain_value(True) is True
