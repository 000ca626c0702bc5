"""What the lines for keeping customers must hold: arguments, answers, the way out, must and must not."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from assist.hearing.duties import forbidden, said_now
from assist.loading import load_assist_script
from assist.suggest.arithmetic import placeholders_of, reckon
from assist.suggest.model import CUSTOMER_TYPES, MAX_CARD_CHARACTERS, FactValue
from assist.suggest.script import Node, Wording
from assist.suggest.texts import fact_variables, filled, spoken
from bot.dialogue.linting import lint
from bot.understanding.acts import ACTS

SCRIPT = load_assist_script("retention")
OWN = Path(__file__).resolve().parents[2] / "stories" / "retention"
TODAY = date(2026, 11, 23)
PRODUCTS = {item.key: item for item in SCRIPT.catalogue.products}
REBUTTED = [act for act in ACTS if act.startswith("object_") and act not in ("object_busy", "object_unable")]
DUTIES = {"price", "term", "leaving_early", "cancel", "rights", "consent"}
CUSTOMER: dict[str, FactValue] = {
    "monthly_bill": 162.5, "data_used_gb": 124.5, "plan_data_gb": 100, "tenure_months": 245,
    "contract_end": "2027-12-31", "family_numbers": 12, "rival_price": 128.5,
}  # fmt: skip
"""A customer with long figures."""


def figures(key: str) -> dict[str, str]:
    sums = placeholders_of(PRODUCTS[key], reckon(PRODUCTS[key], CUSTOMER), CUSTOMER, TODAY)
    return {**SCRIPT.variables, **fact_variables(CUSTOMER), **sums}


def wordings() -> list[tuple[Node, Wording]]:
    found = [(node, one) for node in SCRIPT.nodes.values() for one in node.wordings]
    for item in PRODUCTS.values():
        node = Node(name=item.key, wordings=tuple(Wording(text) for text in item.say), card="offer")
        found += [(node, one) for one in node.wordings]
    return found


def own_wordings() -> list[tuple[Node, Wording]]:
    own = set(re.findall(r"^  (utter_\w+):", (OWN / "domain.yml").read_text(), re.MULTILINE))
    return [(node, one) for node, one in wordings() if node.name in own or node.name in PRODUCTS]


def rules_broken(text: str) -> list[str]:
    return [alarm.rule for alarm in forbidden(SCRIPT, text, "u", 0, [])]


# Objections.


@pytest.mark.parametrize("act", REBUTTED)
def test_each_objection_has_four_techniques_and_a_wording_for_each_type(act: str) -> None:
    nodes = [node for node in SCRIPT.nodes.values() if act in node.rebuts]
    slots = {pair for node in nodes for one in node.wordings for pair in one.slots}
    types = {value for slot, value in slots if slot == "customer_type"}
    assert len({node.technique for node in nodes}) >= 4
    assert types == set(CUSTOMER_TYPES)
    assert all(node.card == "rebuttal" and node.title and node.why for node in nodes)


@pytest.mark.parametrize(
    "act",
    [
        "object_price", "object_no_need", "object_already_have", "object_competitor", "object_decider",
        "object_think_over",
    ],
)  # fmt: skip
def test_objections_about_money_are_met_with_the_customers_own_figures(act: str) -> None:
    lines = [one.text for node in SCRIPT.nodes.values() if act in node.rebuts for one in node.wordings]
    assert any("{now}" in text or "{saving}" in text or "{then}" in text for text in lines)


def test_nobody_jokes_with_an_angry_customer() -> None:
    for node in SCRIPT.nodes.values():
        if node.technique == "humour":
            assert {"complain", "abuse", "object_bad_service"} <= set(node.avoid_after)


def test_empathy_and_remedy_have_words_for_every_reason() -> None:
    reasons = set(SCRIPT.facts["reason_to_leave"].choices)
    for name in ("utter_empathy", "utter_solve"):
        slots = {pair for one in SCRIPT.nodes[name].wordings for pair in one.slots}
        assert {value for slot, value in slots if slot == "reason_to_leave"} == reasons


# Lines.


def test_a_closing_line_that_names_a_gift_is_for_its_tier_only() -> None:
    words = {"七折": "diamond", "八折": "gold", "20个G": "gold", "返十块": "silver", "10个G": "silver"}
    for node, one in own_wordings():
        if node.card == "close":
            for word, tier in words.items():
                if word in one.text:
                    assert [str(item) for item in node.when][:1] == [f"value_tier == {tier}"], one.text


def test_every_line_fits_a_card_with_long_figures_in_it() -> None:
    for node, one in wordings():
        for key in PRODUCTS:
            text = filled(one, figures(key))
            assert text is None or len(text) <= MAX_CARD_CHARACTERS, (node.name, text)


def test_every_placeholder_gets_a_figure_from_some_product_or_fact() -> None:
    known = {name for key in PRODUCTS for name in figures(key)}
    used = {name for _, one in wordings() for name in re.findall(r"\{(\w+)\}", one.text)}
    assert used <= known


def test_a_line_that_sets_now_against_then_names_the_saving_unless_its_product_always_saves() -> None:
    for node, one in wordings():
        item = PRODUCTS.get(node.name)
        saves = item is not None and item.charge.kind in ("share", "less")
        if "{now}" in one.text and "{then}" in one.text and not saves:
            assert "{saving" in one.text, one.text


def test_every_line_can_be_said_while_nothing_is_known() -> None:
    silent = {name for name, node in SCRIPT.nodes.items() if spoken(node, SCRIPT.variables, {}) is None}
    assert silent == {"utter_say_price"}  # a price is a figure


def test_our_own_lines_set_off_no_alarm() -> None:
    for key in PRODUCTS:
        for node, one in wordings():
            text = filled(one, figures(key))
            assert text is None or rules_broken(text) == [], (node.name, text)


def test_every_line_of_one_node_differs() -> None:
    for name, node in SCRIPT.nodes.items():
        texts = [one.text for one in node.wordings]
        assert len(texts) >= 2 and len(set(texts)) == len(texts), name
        assert len(node.title) <= 8 and len(node.why) <= 24


def test_a_line_that_must_be_said_is_heard_as_that_in_every_wording() -> None:
    for item in SCRIPT.must_say:
        node = SCRIPT.nodes[item.node]
        assert item.key in node.discloses
        for one in node.wordings:
            text = filled(one, figures("gold_80")) or ""
            assert item.key in [said.key for said in said_now(SCRIPT, text, (), ())], (item.key, text)


def test_every_duty_is_known_to_be_said() -> None:
    assert {item.key for item in SCRIPT.must_say} == {"identity", "recording", *DUTIES}


@pytest.mark.parametrize(
    "text",
    [
        "我想携号转网怎么弄", "能不能转网", "转网要钱吗", "号码会不会变", "转走以后有什么影响",
        "授权码怎么要", "现在解约要赔多少违约金", "合约什么时候到期", "优惠签多久", "返的话费什么时候到账",
        "送的流量用不完怎么办", "打折怎么算", "到期以后会不会涨", "我就留个号多少钱", "能不能先停机",
        "怎么销号", "宽带能退吗", "我投诉处理到哪了", "几天能答复", "信号能修好吗", "网速怎么这么慢",
        "多扣的钱退给我吗", "为什么这个月扣这么多", "凭什么别人有优惠", "还能再便宜点吗",
        "能换低一点的套餐吗", "能过户吗", "副卡怎么办", "搬家了号怎么办", "能开发票吗", "余额能退吗",
        "办了以后还能转网吗", "为什么给我打电话",
    ],
)  # fmt: skip
def test_questions_have_an_answer_by_their_words(text: str) -> None:
    answers = [node for node in SCRIPT.nodes.values() if node.card == "answer"]
    assert any(re.search(word, text) for node in answers for word in node.about)


def test_every_question_act_has_an_answer() -> None:
    answered = {act for node in SCRIPT.nodes.values() for act in node.answers}
    assert answered >= {act for act in ACTS if act.startswith("ask_")}


# Number portability is told, never hindered.


def test_how_to_port_out_names_both_messages_and_the_shop() -> None:
    told = {
        name: " ".join(one.text for one in SCRIPT.nodes[name].wordings)
        for name in ("utter_port_out_how", "utter_port_out_code", "utter_port_out_shop")
    }
    assert "CXXZ" in told["utter_port_out_how"] and "{hotline_spoken}" in told["utter_port_out_how"]
    assert "SQXZ" in told["utter_port_out_code"] and "授权码" in told["utter_port_out_code"]
    assert "授权码" in told["utter_port_out_shop"] and "身份证" in told["utter_port_out_shop"]


@pytest.mark.parametrize("text", ["我想携号转网怎么弄", "我要写号转网", "怎么转到移动去", "携转怎么办"])
def test_who_asks_how_to_port_gets_the_first_step(text: str) -> None:
    assert any(re.search(word, text) for word in SCRIPT.nodes["utter_port_out_how"].about)


# What must be said, what must not.


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("price", "那以后您每月是一百零二块四"), ("price", "给您每月加20个G话费还是128"),
        ("price", "每月返您十块"), ("price", "账单就按八折收"), ("price", "保号就是八块钱"),
        ("term", "这个优惠签十二个月"), ("term", "有效期一年"), ("term", "保号没有合约"),
        ("leaving_early", "提前退的话剩一个月要付十块"), ("leaving_early", "违约金就是剩一个月十块钱"),
        ("cancel", "想退打幺零幺二三就行"), ("cancel", "打我们客服热线取消就可以"),
        ("rights", "办了也不影响您投诉"), ("rights", "办了您照样能转网"), ("consent", "您确认要办吗"),
        ("consent", "您同意的话我登记"),
    ],
)  # fmt: skip
def test_agents_say_it_in_their_own_words(key: str, text: str) -> None:
    assert key in [item.key for item in said_now(SCRIPT, text, (), ())]


@pytest.mark.parametrize("text", ["您用了几年了", "我给您查一下工单", "您是哪里不满意", "那边给您多少钱"])
def test_other_talk_discloses_nothing(text: str) -> None:
    assert not DUTIES & {item.key for item in said_now(SCRIPT, text, (), ())}


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("above_tier", "我给您打五折"), ("above_tier", "每月送您一百个G"), ("above_tier", "给您免半年月租"),
        ("above_tier", "我送您一部手机"), ("above_tier", "流量不限量"),
        ("private_deal", "我私下给您办一个"), ("private_deal", "我帮您特批"),
        ("hinder_port", "携号转网办不了"), ("hinder_port", "不让转走的"), ("hinder_port", "转网要交手续费"),
        ("hinder_port", "先续一年才能给您转"), ("hinder_port", "授权码先不给您"),
        ("hinder_port", "转网特别麻烦号就没了"), ("term_hidden", "这个没有合约的"),
        ("term_hidden", "随时可以退不收钱"), ("signal_promise", "信号明天就好"),
        ("signal_promise", "以后不会断了"), ("rights_waived", "办了就不能再投诉了"),
        ("rights_waived", "您撤了投诉我才给您办"), ("blaming", "是您自己没看合同"),
        ("running_down", "移动的信号很差"), ("threat", "不续就给您停机"), ("guarantee", "保证给您修好"),
    ],
)  # fmt: skip
def test_what_must_not_be_said_is_heard(rule: str, text: str) -> None:
    assert rule in rules_broken(text)


@pytest.mark.parametrize(
    "text",
    [
        "五折我给不了您", "您说那边送手机是吧", "我没权限特批", "我们不会拦您转网", "转网不收手续费",
        "保号没有合约", "您原来的合约没有违约金", "信号修好不敢说死,先测", "办了也能投诉",
        "您的合约到期了,可以转", "入网满120天就能转", "不是您的问题",
    ],
)  # fmt: skip
def test_honest_words_set_off_no_alarm(text: str) -> None:
    assert rules_broken(text) == []


def test_the_files_of_retention_and_what_it_shares_have_no_fault() -> None:
    assert [str(fault) for fault in lint("retention")] == []
