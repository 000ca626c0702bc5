"""HumanAgentAssistantEvent out, answerRecords back: the shapes of the proto, the id there and back again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.bridges.human_agent_assistant import event, feedback
from assist.bridges.model import BridgeError, Feedback

FIXTURES = Path(__file__).parent / "fixtures"
CALL = {"call_id": "c-9", "tenant_id": "default", "agent_id": "a-7"}
CONVERSATION = "projects/default/conversations/c-9"


def recorded(name: str) -> Any:
    """A fixture."""
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


def records(sent: dict[str, Any]) -> list[str]:
    """The answer records that an event names."""
    named = []
    for result in sent["suggestionResults"]:
        for answer in result.get("suggestFaqAnswersResponse", {}).get("faqAnswers", []):
            named.append(answer["answerRecord"])
        for answer in result.get("generateSuggestionsResponse", {}).get("generatorSuggestionAnswers", []):
            named.append(answer["answerRecord"])
    return named


def test_a_rebuttal_is_coaching_with_what_to_do_why_and_what_to_say():
    sent = event(CALL, recorded("suggestions"))
    assert sent["conversation"] == CONVERSATION
    assert sent["participant"] == f"{CONVERSATION}/participants/a-7"
    assert sent["suggestionResults"][0] == {
        "generateSuggestionsResponse": {
            "generatorSuggestionAnswers": [
                {
                    "generatorSuggestion": {
                        "agentCoachingSuggestion": {
                            "applicableInstructions": [
                                {
                                    "displayName": "价格锚点",
                                    "condition": "客户说太贵",
                                    "agentAction": "价格锚点",
                                }
                            ],
                            "agentActionSuggestions": [{"agentAction": "价格锚点"}],
                            "sampleResponses": [{"responseText": "一天一块六,换来全家打电话不要钱"}],
                        }
                    },
                    "sourceGenerator": "projects/default/generators/huashu-rebuttal",
                    "answerRecord": "projects/default/answerRecords/s-1",
                }
            ],
            "latestMessage": f"{CONVERSATION}/messages/u-5",
        }
    }


def test_an_answer_is_an_faq_answer():
    result = event(CALL, recorded("suggestions"))["suggestionResults"][1]
    assert result == {
        "suggestFaqAnswersResponse": {
            "faqAnswers": [
                {
                    "answer": "一个月四十八块,含一百兆宽带",
                    "confidence": 0.71,
                    "question": "一个月多少钱",
                    "metadata": {"node": "utter_price", "why": "客户问价格"},
                    "answerRecord": "projects/default/answerRecords/s-2",
                }
            ],
            "latestMessage": f"{CONVERSATION}/messages/u-3",
        }
    }


def test_an_action_is_done_not_said():
    result = event(CALL, recorded("suggestions"))["suggestionResults"][2]
    (answer,) = result["generateSuggestionsResponse"]["generatorSuggestionAnswers"]
    coaching = answer["generatorSuggestion"]["agentCoachingSuggestion"]
    assert coaching["agentActionSuggestions"] == [{"agentAction": "查端口"}]
    assert "sampleResponses" not in coaching
    assert "latestMessage" not in result["generateSuggestionsResponse"]


def test_no_cards_is_an_event_without_results():
    assert event({"call_id": "c-9"}, [])["suggestionResults"] == []


@pytest.mark.parametrize("case", recorded("answer_records"))
def test_recorded_feedback_becomes_ours(case):
    given_feedback = feedback(case["record"])
    assert [given_feedback.suggestion_id, given_feedback.action] == case["expect"]


def test_every_card_comes_back_under_its_own_id():
    cards = recorded("suggestions")
    for card, record in zip(cards, records(event(CALL, cards)), strict=True):
        back = feedback({"name": record, "answerFeedback": {"clicked": True}})
        assert back == Feedback(suggestion_id=card["id"], action="used")


PRINTABLE = st.text(min_size=1, max_size=30).filter(lambda text: text.isprintable() and text.strip())


@given(PRINTABLE, PRINTABLE, PRINTABLE)
def test_any_id_survives_the_way_there_and_back(suggestion_id, call_id, tenant_id):
    call = {"call_id": call_id, "tenant_id": tenant_id}
    (record,) = records(event(call, [{"id": suggestion_id, "kind": "answer", "text": "好"}]))
    if len(record) <= 256:
        assert (
            feedback({"name": record, "answerFeedback": {"displayed": True}}).suggestion_id == suggestion_id
        )


def test_the_vendors_time_becomes_the_calls_own_clock():
    record = recorded("answer_records")[0]["record"]
    started = datetime(2026, 11, 22, 2, 0, 0, tzinfo=UTC)
    assert feedback(record, call_started=started).at_ms == 8340
    assert feedback(record).at_ms is None
    late = datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)
    assert feedback(record, call_started=late).at_ms == 0
    shown = recorded("answer_records")[1]["record"]
    assert feedback(shown, call_started=started).at_ms == 5000
    shown["answerFeedback"]["displayTime"] = "2026-11-22T10:00:06+08:00"
    assert feedback(shown, call_started=started).at_ms == 6000


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ([], "payload"),
        ({"answerFeedback": {"clicked": True}}, "name"),
        ({"name": "projects/p/answers/s-1", "answerFeedback": {"clicked": True}}, "name"),
        ({"name": "projects/p/answerRecords/s-1"}, "answerFeedback"),
        ({"name": "projects/p/answerRecords/s-1", "answerFeedback": {}}, "answerFeedback"),
        (
            {"name": "projects/p/answerRecords/s-1", "answerFeedback": {"clicked": "yes"}},
            "answerFeedback.clicked",
        ),
        (
            {"name": "projects/p/answerRecords/s-1", "answerFeedback": {"correctnessLevel": "SO_SO"}},
            "answerFeedback.correctnessLevel",
        ),
        (
            {"name": "projects/p/answerRecords/s", "answerFeedback": {"clicked": True, "clickTime": "now"}},
            "answerFeedback.clickTime",
        ),
        (
            {
                "name": "projects/p/answerRecords/s",
                "answerFeedback": {"clicked": True, "clickTime": "2026-13-99T99:00:00Z"},
            },
            "answerFeedback.clickTime",
        ),
    ],
)
def test_feedback_that_says_nothing_usable_names_the_field(record, field):
    with pytest.raises(BridgeError) as caught:
        feedback(record, call_started=datetime(2026, 11, 22, tzinfo=UTC))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("card", "field"),
    [
        ({"kind": "answer", "text": "好"}, "suggestions[0].id"),
        ({"id": "s", "kind": "poem", "text": "好"}, "suggestions[0].kind"),
        ({"id": "s", "kind": "answer"}, "suggestions[0].text"),
        ({"id": "s", "kind": "answer", "text": "好", "score": float("nan")}, "suggestions[0].score"),
        ({"id": "s", "kind": "close", "text": "好", "evidence": "u-1"}, "suggestions[0].evidence"),
        ({"id": "s", "kind": "close", "text": "好", "evidence": [3]}, "suggestions[0].evidence.0"),
        ("card", "suggestions[0]"),
    ],
)
def test_a_card_out_of_shape_names_its_field(card, field):
    with pytest.raises(BridgeError) as caught:
        event(CALL, [card])
    assert caught.value.field == field
