"""What keeping customers rests on: the facts heard from them, and what each tier may be given."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from itertools import product

import pytest

from assist.hearing.facts import Line, from_line
from assist.hearing.tone import leaving_words
from assist.loading import load_assist_script
from assist.suggest.arithmetic import reckon
from assist.suggest.model import LAYERS, FactValue
from assist.suggest.offers import recommend
from bot.understanding.values import extract

SCRIPT = load_assist_script("retention")
TODAY = date(2026, 11, 23)
NOW = datetime.fromisoformat("2026-11-23T10:00:00+08:00")
PRODUCTS = {item.key: item for item in SCRIPT.catalogue.products}
TIERS = {
    "diamond": {"diamond_70"},
    "gold": {"gold_80", "gold_20gb"},
    "silver": {"silver_10yuan", "silver_10gb"},
    "standard": {"standard_fit", "standard_keep8", "standard_suspend5"},
}
LEAVING: dict[str, FactValue] = {"monthly_bill": 128, "data_used_gb": 30, "leaving": True}


def offered(**facts: FactValue) -> list[str]:
    return [offer.product for offer in recommend(SCRIPT.catalogue, facts, TODAY) if offer.recommended]


def heard(text: str, asked: str | None = None, act: str = "inform") -> dict[str, FactValue]:
    line = Line("u1", text, 0, (act,), tuple(extract(text, NOW)))
    return {fact.name: fact.value for fact in from_line(SCRIPT.facts, line, asked, {})}


# Facts and questions.


def test_at_least_25_facts_can_be_asked_and_every_layer_has_some() -> None:
    askable = [rule for rule in SCRIPT.facts.values() if rule.ask]
    assert len(askable) >= 25
    assert {rule.layer for rule in askable} == set(LAYERS)


def test_every_fact_is_asked_by_a_line_that_asks_it_and_every_question_fills_a_fact() -> None:
    for rule in SCRIPT.facts.values():
        if rule.ask:
            assert SCRIPT.nodes[rule.ask].asks == rule.name
    assert {node.asks for node in SCRIPT.nodes.values() if node.asks} <= set(SCRIPT.facts)


def test_the_reason_is_the_problem_that_matters_most() -> None:
    problems = [rule for rule in SCRIPT.facts.values() if rule.layer == "problems"]
    assert max(problems, key=lambda rule: rule.need).name == "reason_to_leave"


@pytest.mark.parametrize(
    ("text", "asked", "fact", "value"),
    [
        ("你们这个太贵了", None, "reason_to_leave", "price"),
        ("家里信号老是不好", None, "reason_to_leave", "signal"),
        ("型号太差了打不通", None, "reason_to_leave", "signal"),
        ("打了三次电话都没人管", None, "reason_to_leave", "service"),
        ("上网慢得要死老转圈", None, "reason_to_leave", "speed"),
        ("我搬到外地去了", None, "reason_to_leave", "moving"),
        ("移动那边送手机呢", None, "reason_to_leave", "rival_gift"),
        ("合约到期了不想再绑", None, "reason_to_leave", "contract"),
        ("我两张卡用不过来", None, "reason_to_leave", "double_number"),
        ("你们乱扣我钱", None, "reason_to_leave", "billing"),
        ("就是流量老不够用", None, "reason_to_leave", "data"),
        ("贵呗", "reason_to_leave", "reason_to_leave", "price"),
        ("我想携号转网", None, "leaving", True),
        ("我要写号转网", None, "leaving", True),
        ("我想把这个号销号", None, "leaving", True),
        ("那我不转了", None, "leaving", False),
        ("就是问问 还没想好", "leaving", "leaving", False),
        ("这个号基本不用 就收个验证码", None, "keep_number_only", True),
        ("天天用呢", "keep_number_only", "keep_number_only", False),
        ("我出国半年用不上", None, "away_for_a_while", True),
        ("流量老是不够", None, "data_need", "more"),
        ("流量根本用不完", None, "data_need", "less"),
        ("移动那边一个月才五十九", None, "rival_price", 59),
        ("移动那边一个月才九十九 还给我四十个G", None, "rival_data_gb", 40),
        ("移动那边一个月才九十九 还给我四十个G", None, "rival_price", 99),
        ("我套餐里带三十个G", None, "plan_data_gb", 30),
        ("四十个G我就用十来个 白花钱", None, "data_used_gb", 10),
        ("四十个G我就用十来个 白花钱", None, "plan_data_gb", 40),
        ("我在高铁上老断", None, "usage_place", "路上"),
        ("报修两回了都没解决", None, "reason_to_leave", "service"),
        ("没开过的业务也扣费", None, "reason_to_leave", "billing"),
        ("现在主要用另外那张卡", None, "reason_to_leave", "double_number"),
        ("公司把我调到上海了", None, "reason_to_leave", "moving"),
        ("月租太高了不值", None, "reason_to_leave", "price"),
        ("我得问问家里人", None, "decider", "家人"),
        ("家里 我住地下一层 微信都发不出去", None, "usage_place", "地下"),
        ("家里 我住地下一层 微信都发不出去", None, "reason_to_leave", "signal"),
        ("电话打得少", None, "call_need", "less"),
        ("人家电信同样的才九十九", None, "rival_offer", "更便宜"),
        ("联通那边送手机", None, "rival_offer", "送手机"),
        ("我都准备换联通了", None, "leaving", True),
        ("没啥不满意的", None, "satisfaction", "满意"),
        ("真是服了你们", None, "satisfaction", "不满意"),
        ("里面才有十个G 我用了二十个G", None, "data_used_gb", 20),
        ("一个月话费一百二十八", None, "monthly_bill", 128),
        ("给我打折吧 流量够了", "give_preference", "give_preference", "discount"),
        ("多给点流量", "give_preference", "give_preference", "data"),
        ("还有一张电信的卡 两张卡", None, "second_number", True),
    ],
)
def test_facts_are_heard_as_people_say_them(
    text: str, asked: str | None, fact: str, value: FactValue
) -> None:
    assert heard(text, asked).get(fact) == value


def test_only_who_hardly_uses_the_number_is_asked_whether_to_keep_it_alone() -> None:
    for name in ("keep_number_only", "away_for_a_while"):
        when = [str(condition) for condition in SCRIPT.nodes[SCRIPT.facts[name].ask or ""].when]
        assert when == ["value_tier == standard", "data_used_gb <= 1"]


def test_a_rivals_data_is_not_taken_for_the_customers_own() -> None:
    assert "plan_data_gb" not in heard("移动那边一个月才九十九 还给我四十个G")
    assert "plan_data_gb" not in heard("联通给我打六折")


def test_nobody_is_asked_whether_they_are_leaving() -> None:
    assert SCRIPT.facts["leaving"].ask is None and SCRIPT.facts["port_checked"].ask is None


@pytest.mark.parametrize(
    "text", ["嗯好的", "你说吧", "喂你好", "信号还可以挺好的", "我考虑考虑", "服务挺好的"]
)
def test_no_reason_is_read_out_of_words_that_give_none(text: str) -> None:
    assert not {"reason_to_leave", "leaving"} & set(heard(text))


@pytest.mark.parametrize(
    "text", ["我想写号转网", "怎么要授权码啊", "帮我销号", "我换成电信得了", "合约到期我就不续了"]
)
def test_words_of_leaving_are_heard(text: str) -> None:
    assert leaving_words(SCRIPT, text)


# The catalogue: as in DOMAIN.md.


def test_each_tier_has_what_the_operator_gives_and_no_more() -> None:
    given = {
        item.key: (item.charge.kind, str(item.charge.percent), str(item.charge.yuan))
        for item in PRODUCTS.values()
    }
    assert given == {
        "diamond_70": ("share", "70", "0"), "gold_80": ("share", "80", "0"),
        "gold_20gb": ("same", "100", "0"), "silver_10yuan": ("less", "100", "10"),
        "silver_10gb": ("same", "100", "0"),
        "standard_fit": ("usage", "100", "19"), "standard_keep8": ("fixed", "100", "8"),
        "standard_suspend5": ("fixed", "100", "5"),
    }  # fmt: skip


def test_a_benefit_binds_for_12_months_at_10_a_month_left_and_keeping_the_number_for_none() -> None:
    for item in PRODUCTS.values():
        bound = (item.term_months, int(item.leaving_early_yuan_per_month))
        assert bound == ((0, 0) if item.charge.kind == "fixed" else (12, 10)), item.key


@pytest.mark.parametrize("tier", TIERS)
def test_nobody_is_recommended_anything_above_the_tier(tier: str) -> None:
    options: dict[str, tuple[FactValue, ...]] = {
        "leaving": (True, False), "data_need": ("more", "less"), "keep_number_only": (True, False),
        "away_for_a_while": (True, False), "reason_to_leave": ("price", "signal"), "monthly_bill": (19, 199),
    }  # fmt: skip
    for values in product(*options.values()):
        facts = dict(zip(options, values, strict=True))
        assert set(offered(value_tier=tier, data_used_gb=10, **facts)) <= TIERS[tier], facts


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("bill", [39, 128, 5000])
def test_no_discount_for_a_customer_who_is_not_leaving(tier: str, bill: int) -> None:
    for offer in recommend(
        SCRIPT.catalogue,
        {"value_tier": tier, "monthly_bill": bill, "data_used_gb": 3, "leaving": False},
        TODAY,
    ):
        assert not offer.recommended or offer.arithmetic.then == bill


def test_what_a_leaving_customer_is_given_first() -> None:
    price: dict[str, FactValue] = {"reason_to_leave": "price", "data_need": "less"}
    data: dict[str, FactValue] = {"reason_to_leave": "data", "data_need": "more"}
    stays: dict[str, FactValue] = {"keep_number_only": False, "away_for_a_while": False}
    assert offered(value_tier="diamond", **LEAVING)[0] == "diamond_70"
    assert offered(value_tier="gold", **LEAVING, **price)[0] == "gold_80"
    assert offered(value_tier="gold", **LEAVING, **data)[0] == "gold_20gb"
    assert offered(value_tier="silver", **LEAVING, **price)[0] == "silver_10yuan"
    assert offered(value_tier="silver", **LEAVING, **data)[0] == "silver_10gb"
    assert offered(value_tier="standard", **LEAVING, **price, **stays)[0] == "standard_fit"
    assert offered(value_tier="standard", **LEAVING, keep_number_only=True, away_for_a_while=False) == [
        "standard_keep8"
    ]
    assert offered(value_tier="standard", **LEAVING, keep_number_only=False, away_for_a_while=True)[0] == (
        "standard_suspend5"
    )


def test_the_number_is_kept_for_8_or_5_only_for_those_who_leave_and_hardly_use_it() -> None:
    for facts in product((True, False), repeat=3):
        leaving, only_number, away = facts
        found = offered(
            value_tier="standard", monthly_bill=59, data_used_gb=2, leaving=leaving,
            keep_number_only=only_number, away_for_a_while=away,
        )  # fmt: skip
        assert ("standard_keep8" in found) == (leaving and only_number)
        assert ("standard_suspend5" in found) == (leaving and away)


@pytest.mark.parametrize(
    ("key", "bill", "then"),
    [
        ("diamond_70", 199, "139.3"), ("gold_80", 128, "102.4"), ("silver_10yuan", 59, "49"),
        ("standard_fit", 59, "31"),
    ],
)  # fmt: skip
def test_the_sums_of_the_tiers(key: str, bill: int, then: str) -> None:
    sums = reckon(PRODUCTS[key], {"monthly_bill": bill, "data_used_gb": 12})
    assert (sums.then, sums.saving) == (Decimal(then), bill - Decimal(then))


def test_a_line_of_one_product_states_its_own_figures() -> None:
    stated = {
        "diamond_70": "七折", "gold_80": "八折", "gold_20gb": "20个G", "silver_10yuan": "十块",
        "silver_10gb": "10个G", "standard_keep8": "八块", "standard_suspend5": "五块",
    }  # fmt: skip
    for key, word in stated.items():
        for text in PRODUCTS[key].say:
            assert not any(other in text for other in stated.values() if other != word), text
        assert any(word in text for text in PRODUCTS[key].say)


def test_a_lower_plan_is_never_a_dearer_one() -> None:
    for reason in ("price", "data"):
        dearer = offered(
            value_tier="standard", monthly_bill=29, data_used_gb=12, leaving=True, reason_to_leave=reason,
            data_need="less", keep_number_only=False, away_for_a_while=False,
        )  # fmt: skip
        assert dearer == []
