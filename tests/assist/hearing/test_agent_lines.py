"""What an agent's words amount to: the script's line, the fact asked, what is expected of the customer."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.hearing.agent_lines import SPOKEN, AgentLines, expectation, is_question
from tests.assist.small_script import LINES, SMALL, node


@pytest.mark.parametrize("name", sorted(SMALL.nodes))
def test_every_line_said_as_written_is_recognised_first(name):
    for wording in SMALL.nodes[name].wordings:
        if "{" not in wording.text:
            assert LINES.understand(wording.text).nodes[:1] == (name,), wording.text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("哎您好我这边是华声通信的客户经理啊", "utter_identity"),
        ("那个就是说您一个月话费大概多少钱呢", "utter_ask_bill"),
        ("好的,谁都想省钱,您的想法我理解的", "utter_price_empathy"),
        ("您现在一个月一百二十八块,合起来反而省二十三块", "utter_price_anchor"),
        ("嗯对,没有初装费的,光猫免费用,押金也不用", "utter_answer_fee"),
    ],
)
def test_a_line_in_the_agent_s_own_words_or_with_figures_is_recognised(text, name):
    assert name in LINES.understand(text).nodes


def test_a_line_with_the_company_s_name_in_it_is_recognised():
    lines = (node("utter_identity", "您好,我是{company}的。"), node("utter_bye", "祝您生活愉快。"))
    script = msgspec.structs.replace(
        SMALL, nodes={one.name: one for one in lines}, variables={"company": "华声通信"}
    )
    assert AgentLines(script).understand("您好,我是华声通信的。").nodes == ("utter_identity",)


@pytest.mark.parametrize("text", ["嗯", "好的", "今天天气真不错啊", "您吃了吗", "", "。。。", "😀" * 30])
def test_small_talk_is_no_line(text):
    assert LINES.understand(text).nodes == ()


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("您一个月话费大概多少钱?", "monthly_bill"),
        ("那流量呢,一个月用多少", "data_used_gb"),
        ("家里宽带一年交多少?", "broadband_price"),
        ("您话费还挺高的", None),
        ("您方便吗", None),
    ],
)
def test_the_fact_that_is_asked(text, fact):
    assert LINES.understand(text).asks == fact


@pytest.mark.parametrize(
    ("text", "expects"),
    [
        ("您好,请问是张先生吗?", "identity_check"),
        ("那我现在给您办上,好吗?", "offer"),
        ("您一个月话费多少钱?", "open_question"),
        ("您现在方便吗", "yes_no_question"),
        ("我们这个套餐很划算。", "pitch"),
        ("您话费多少?我给您看看方案。", "pitch"),
        ("", "pitch"),
    ],
)
def test_what_the_last_words_expect(text, expects):
    assert expectation(text) == expects


def test_a_card_read_aloud_is_like_itself_and_unlike_others():
    card = "算下来一天不到两块钱,全家都能用。"
    assert LINES.likeness(card, card) > 0.99
    assert LINES.likeness("算下来呢一天不到两块钱,全家都可以用", card) >= SPOKEN
    assert LINES.likeness("您家里宽带是哪家的", card) < SPOKEN


@given(st.text(max_size=80), st.text(max_size=40))
def test_any_words_can_be_compared(text, card):
    meaning = LINES.understand(text)
    assert len(meaning.nodes) <= 3
    assert meaning.asks is None or meaning.asks in SMALL.facts
    assert -1e-9 <= LINES.likeness(text, card) <= 1 + 1e-9
    assert meaning.expects in {"identity_check", "offer", "open_question", "yes_no_question", "pitch"}
    assert isinstance(is_question(text), bool)


def test_a_question_for_the_name_is_one_whatever_the_form_of_address():
    from assist.hearing.agent_lines import expectation

    for words in ("喂您好请问是吴叔叔吗", "您好请问是王阿姨吧", "请问您是李先生本人吗"):
        assert expectation(words) == "identity_check"
    assert expectation("是不是月底总不够用吗") != "identity_check"
