"""How a line of a dialogue is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue.next_action.lines import fields, flow_of, grams, name_words, situation
from bot.dialogue.next_action.reply_texts import TemplateActions, TextActions, conversations
from bot.dialogue.next_action.slots import SlotTagger
from tests.next_action.dialogues import flow, lines, talk


def test_fields_of_a_result_keep_equals_signs_in_values() -> None:
    assert fields("[RESULT] APIName = a ; Message = x = y") == {"APIName": "a", "Message": "x = y"}


def test_names_split_at_underscores_and_capitals() -> None:
    assert name_words("ask_departure_time") == ["ask", "departure", "time"]
    assert name_words("DepartureTime") == ["departure", "time"]


def test_chinese_is_compared_by_characters_and_pairs() -> None:
    assert grams("多少钱") == {"多", "少", "钱", "多少", "少钱"}


def test_histories_of_one_dialogue_make_its_whole_text_once() -> None:
    """Each history shows at most eight turns; together they give every turn once."""
    whole = conversations(talk("taxi", 0))[0]
    assert [text for party, text in whole if party == "customer"] == [
        "Hi there", "I need a taxi", "the airport", "3 pm", "Thank you", "No, bye",
    ]  # fmt: skip


def test_a_text_seen_in_training_names_its_action() -> None:
    actions = TextActions(lines("taxi"))
    assert actions("is there ANYTHING else that I can do for you?") == "anything_else"
    assert actions("something new") is None


def test_a_filled_template_names_its_node_and_free_text_none() -> None:
    actions = TemplateActions(flow("taxi"))
    assert actions("Great, your taxi is booked for Rome.") == "taxi_inform_booked"
    assert actions("The weather is fine today") is None
    assert actions('[QUERY] City = "Rome"') == "query"


def test_the_situation_knows_who_spoke_last_and_what_the_system_said() -> None:
    told = talk("taxi", 1)[2]
    now = situation(told.history, told.prev_action, TemplateActions(flow("taxi")))
    assert now.last == "result"
    assert now.result["Message"] == "success"
    assert now.chain[-2:] == ("hello", "query")


@given(st.lists(st.tuples(st.sampled_from(["agent", "customer"]), st.text()), max_size=12), st.text())
def test_any_history_can_be_read(history: list[tuple[str, str]], previous: str) -> None:
    now = situation(history, previous, TemplateActions(flow("taxi")))
    assert len(now.chain) >= 3
    assert len(now.customer) == sum(
        party == "customer" and not text.startswith("[RESULT]") for party, text in history
    )


def test_the_tagger_learns_facts_from_the_queries_that_follow() -> None:
    tagger = SlotTagger(lines("taxi", "pizza", count=36))
    chance = dict(zip(tagger.names, tagger.given(["I want olives on it"]), strict=False))
    assert chance["Topping"] > 0.5 > chance["Destination"]


def test_no_queries_no_facts() -> None:
    tagger = SlotTagger([])
    assert tagger.names == []
    assert tagger.given(["hello"]).size == 0


@pytest.mark.parametrize("data", [{}, {"replies": {"a": 1}}, {"replies": {}, "graph": {"a": [1]}}])
def test_a_faulty_flow_is_refused_by_name(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        flow_of(data)
