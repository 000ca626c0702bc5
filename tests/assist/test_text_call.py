"""A call held in text, as the evaluation command holds it: CONTRACT's answer after every line."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assist.text_call import AssistedScript, TextAssist
from bot.dialogue.version import ScriptVersion
from tests.assist.small_script import NOW

SUGGESTION_KEYS = {
    "id", "call_id", "kind", "text", "title", "why", "evidence", "node", "asks", "objection", "technique",
    "score", "rank", "ttl_ms", "pinned", "t_utterance_end_ms", "t_sent_ms", "supersedes",
}  # fmt: skip


@pytest.fixture(scope="module")
def loaded(ringback: ScriptVersion) -> AssistedScript:
    """A bot's script, followed by a person: what a call handed over gets."""
    return AssistedScript(ringback)


def call(loaded: AssistedScript, **contact: Any) -> TextAssist:
    return TextAssist(loaded, {"name": "张伟", "monthly_fee_ringback": 5, **contact}, now=NOW)


def test_every_answer_has_the_contract_s_keys_and_is_json(loaded):
    assist = call(loaded)
    lines = [("agent", "您好,请问是张先生吗?"), ("customer", "是我,你说"), ("customer", "太贵了吧")]
    for party, text in lines:
        answer = assist.line(party, text)
        assert {"suggestions", "facts", "stage", "objection"} <= answer.keys()
        assert json.loads(json.dumps(answer)) is not None
        for number, card in enumerate(answer["suggestions"], start=1):
            assert card.keys() >= SUGGESTION_KEYS
            assert card["rank"] == number and len(card["text"]) <= 40
    assert answer["objection"] == "object_price"


def test_a_bot_s_script_advises_the_person_who_takes_the_call(loaded):
    assist = call(loaded)
    assist.line("agent", "您好,请问是张先生吗?")
    assist.line("customer", "是我")
    cards = assist.line("customer", "太贵了,能不能便宜点")["suggestions"]
    assert "rebuttal" in {card["kind"] for card in cards}
    assert all("语音助手" not in card["text"] and "机器人" not in card["text"] for card in cards)


def test_the_customer_s_name_is_masked_before_anything_is_kept(loaded):
    assist = call(loaded)
    assist.line("customer", "我是张伟,我的电话是13800138000")
    [line] = assist.shadow.picture.said
    assert "张伟" not in line.text and "13800138000" not in line.text


def test_time_passes_as_lines_are_spoken_and_every_utterance_has_its_own_id(loaded):
    assist = call(loaded)
    for text in ("喂", "你是谁啊", "什么事"):
        assist.line("customer", text)
    said = assist.shadow.picture.said
    assert len({line.utterance_id for line in said}) == 3
    for before, after in pairwise(said):
        assert before.begin_ms < before.end_ms < after.begin_ms


LINES = st.lists(
    st.tuples(
        st.sampled_from(["agent", "customer"]),
        st.one_of(
            st.sampled_from(["太贵了", "您好,我是华声通信的", "不需要", "嗯", "多少钱", "别打了", "行办吧"]),
            st.text(max_size=30),
        ),
    ),
    max_size=6,
)


@given(LINES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_same_call_again_gets_the_same_answers(loaded, lines):
    once, again = call(loaded), call(loaded)
    for party, text in lines:
        assert once.line(party, text) == again.line(party, text)
