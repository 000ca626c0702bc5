"""What the script for the bundle must hold: facts, arguments, sums that agree with the catalogue, and law."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from assist.hearing.duties import forbidden, said_now
from assist.loading import load_assist_script
from assist.suggest.arithmetic import placeholders_of, reckon
from assist.suggest.conditions import holds_all
from assist.suggest.model import CUSTOMER_TYPES, LAYERS, MAX_CARD_CHARACTERS, FactValue
from assist.suggest.offers import recommend
from assist.suggest.script import Node, Wording
from assist.suggest.texts import fact_variables, filled, spoken
from bot.dialogue.linting import lint
from bot.understanding.acts import ACTS

SCRIPT = load_assist_script("bundle")
OWN = Path(__file__).resolve().parents[2] / "stories" / "bundle"
OWN_NODES = set(re.findall(r"^  (utter_\w+):$", (OWN / "domain.yml").read_text(), re.MULTILINE))
TODAY = date(2026, 11, 23)
REBUTTED = [act for act in ACTS if act.startswith("object_") and act not in ("object_busy", "object_unable")]
DUTIES = {"price", "term", "leaving_early", "cancel", "port", "devices", "one_line", "consent"}
CUSTOMER: dict[str, FactValue] = {
    "monthly_bill": 162.5, "broadband_price": 128, "broadband_months_left": 11, "family_numbers": 12,
    "home_users": 10, "tenure_months": 245, "data_used_gb": 124.5, "plan_data_gb": 100,
    "contract_end": "2027-12-31",
}  # fmt: skip
"""A customer with long figures."""


def figures(facts: dict[str, FactValue], key: str = "bundle58") -> dict[str, str]:
    product = SCRIPT.catalogue.product(key)
    assert product is not None
    sums = placeholders_of(product, reckon(product, facts), facts, TODAY)
    return {**SCRIPT.variables, **fact_variables(facts), **sums}


def wordings() -> list[tuple[Node, Wording]]:
    found = [(node, one) for node in SCRIPT.nodes.values() for one in node.wordings]
    for product in SCRIPT.catalogue.products:
        node = Node(name=product.key, wordings=tuple(Wording(text) for text in product.say), card="offer")
        found += [(node, one) for one in node.wordings]
    return found


def best(**facts: FactValue) -> str:
    return recommend(SCRIPT.catalogue, facts, TODAY)[0].product


# Facts and questions.


def test_at_least_25_facts_can_be_asked_and_every_layer_has_some() -> None:
    askable = [rule for rule in SCRIPT.facts.values() if rule.ask]
    layers = defaultdict(list)
    for rule in askable:
        layers[rule.layer].append(rule.name)
    assert len(askable) >= 25
    assert set(layers) == set(LAYERS) and all(len(names) >= 3 for names in layers.values())


def test_every_fact_is_asked_by_a_line_that_asks_it() -> None:
    asked_by = {rule.name: SCRIPT.nodes[rule.ask].asks for rule in SCRIPT.facts.values() if rule.ask}
    assert asked_by == {name: name for name in asked_by}


def test_every_question_of_the_script_fills_a_fact() -> None:
    questions = {node.asks for node in SCRIPT.nodes.values() if node.card == "question"}
    assert questions <= {None, *SCRIPT.facts}


def test_what_the_catalogue_weighs_can_be_asked() -> None:
    for product in SCRIPT.catalogue.products:
        weighed = {text.split()[0] for text in product.prefer} | set(product.replaces) | {"monthly_bill"}
        assert all(SCRIPT.facts[name].ask for name in weighed)
        assert all(SCRIPT.facts[name].likely for name in weighed & {"monthly_bill", "broadband_price"})


# Objections.


@pytest.mark.parametrize("act", REBUTTED)
def test_each_objection_has_four_techniques_and_a_wording_for_each_type(act: str) -> None:
    nodes = [node for node in SCRIPT.nodes.values() if act in node.rebuts]
    types = {value for node in nodes for one in node.wordings for slot, value in one.slots}
    assert len({node.technique for node in nodes}) >= 4
    assert types == set(CUSTOMER_TYPES)
    assert all(node.title and node.why for node in nodes)


@pytest.mark.parametrize(
    "act", ["object_price", "object_no_need", "object_already_have", "object_competitor"]
)
def test_money_objections_are_met_with_the_customers_own_figures(act: str) -> None:
    lines = [one.text for node in SCRIPT.nodes.values() if act in node.rebuts for one in node.wordings]
    assert any(re.search(r"\{(now|then|saving|broadband_price)\}", text) for text in lines)


def test_the_small_tier_is_no_argument_with_a_home_that_needs_the_wide_one() -> None:
    when = SCRIPT.nodes["utter_price_lower_tier"].when
    for needs in ({"heavy_use": True}, {"tv_use": True}, {"home_users": 5}):
        assert holds_all(when, {"home_users": 2, **needs}) is False


def test_no_one_who_says_the_net_is_slow_is_asked_whether_he_is_content() -> None:
    when = SCRIPT.nodes["utter_ask_satisfaction"].when
    assert holds_all(when, {"night_use": True}) is False
    assert holds_all(when, {"broadband_trouble": "断线"}) is False
    assert holds_all(when, {"broadband_trouble": "没毛病", "night_use": False, "broadband": True}) is True


def test_nobody_jokes_with_an_angry_customer() -> None:
    for node in SCRIPT.nodes.values():
        if node.technique == "humour":
            assert {"complain", "abuse", "object_bad_service"} <= set(node.avoid_after)
            assert "object_bad_service" not in node.rebuts


# Lines.


def test_every_line_fits_a_card_with_long_figures_in_it() -> None:
    for node, one in wordings():
        for key in ("bundle48", "bundle58"):
            text = filled(one, figures(CUSTOMER, key))
            assert text is not None and len(text) <= MAX_CARD_CHARACTERS, (node.name, text)


def test_every_line_can_be_said_while_nothing_is_known() -> None:
    silent = {
        name
        for name, node in SCRIPT.nodes.items()
        if spoken(node, SCRIPT.variables, {}) is None and node.card
    }
    assert silent == {"utter_close_time_limit"}  # true only where the months left are known


def test_every_line_has_a_wording_for_any_customer_and_no_text_stands_twice_in_it() -> None:
    for name, node in SCRIPT.nodes.items():
        texts = [one.text for one in node.wordings]
        assert not node.wordings[0].slots and len(texts) >= 2 and len(set(texts)) == len(texts), name


def test_our_own_lines_set_off_no_alarm() -> None:
    texts = [text for _, one in wordings() if (text := filled(one, figures(CUSTOMER)))]
    texts += [rule.say for rule in SCRIPT.must_not_say]
    alarms = [(text, alarm.rule) for text in texts for alarm in forbidden(SCRIPT, text, "u", 0, [])]
    assert alarms == []


def test_every_figure_written_into_a_line_is_the_catalogues() -> None:
    written = {"48", "58", "100", "300", "12", "24", "20", "5", "9"}
    worked_out = {"3", "60", "10"}  # 3 months left at 20 are 60; 58 less 48
    for node, one in wordings():
        if node.name in SCRIPT.nodes and node.name not in OWN_NODES:
            continue
        assert set(re.findall(r"\d+", re.sub(r"\{\w+\}", "", one.text))) <= written | worked_out, one.text


def test_a_line_that_discloses_says_so_in_every_wording() -> None:
    for node, one in wordings():
        for key in DUTIES & set(node.discloses):
            text = filled(one, figures(CUSTOMER)) or ""
            plain = [item.key for item in said_now(SCRIPT, text, (), ())]
            assert key in plain, (node.name, key, text)


def test_questions_about_the_product_have_answers_by_words() -> None:
    asked = [
        "网速有多快", "什么时候能装", "我们小区能装吗", "搬家怎么办", "能换档吗", "家里人怎么加",
        "电视能看吗", "原来的宽带怎么退", "号码变不变", "账单怎么看", "能取消吗", "违约金多少",
        "能开发票吗", "谁来装啊",
        "路由器要买吗", "我第二个号能用吗", "我妈的手机能加吗", "出国漫游呢", "要安装费吗", "光猫要还吗",
        "坏了找谁报修", "合约多久", "到期了怎么办", "打不到48怎么办", "要身份证吗", "送什么礼品", "没端口呢",
        "流量会变吗",
    ]  # fmt: skip
    answers = [node for node in SCRIPT.nodes.values() if node.card == "answer" and node.about]
    unanswered = [
        text for text in asked if not any(re.search(word, text) for n in answers for word in n.about)
    ]
    assert unanswered == []


# The catalogue: as in DOMAIN.md, and recommended by what the customer gains.


def test_the_tiers_are_those_of_the_operator() -> None:
    tiers = {
        item.key: (item.charge.kind, item.charge.yuan, item.term_months, item.leaving_early_yuan_per_month)
        for item in SCRIPT.catalogue.products
    }
    assert tiers == {
        "bundle48": ("at_least", Decimal(48), 12, Decimal(20)),
        "bundle58": ("at_least", Decimal(58), 24, Decimal(20)),
    }
    for item, parts in zip(
        SCRIPT.catalogue.products, (("100兆", "5个亲情号"), ("300兆", "9个亲情号", "电视盒子")), strict=True
    ):
        assert all(part in item.fab.feature for part in parts)
        assert len(item.fab.benefit) <= 24


@pytest.mark.parametrize(
    ("bill", "broadband", "now", "then", "saving"),
    [(62, 80, 142, 62, 80), (30, 80, 110, 48, 62), (48, 50, 98, 48, 50), (30, 10, 40, 48, -8)],
)
def test_the_sum_of_two_bills(bill: int, broadband: int, now: int, then: int, saving: int) -> None:
    product = SCRIPT.catalogue.product("bundle48")
    assert product is not None
    sums = reckon(product, {"monthly_bill": bill, "broadband_price": broadband})
    assert [sums.now, sums.then, sums.saving] == [Decimal(now), Decimal(then), Decimal(saving)]


def test_a_small_household_gets_the_short_tier_and_a_big_one_the_wide() -> None:
    paid: dict[str, FactValue] = {"monthly_bill": 62, "broadband_price": 80}
    assert best(**paid, home_users=2, tv_use=False) == "bundle48"
    assert best(**paid, term_wish="12") == "bundle48"
    assert best(**paid, home_users=5, tv_use=True, family_numbers=7) == "bundle58"
    assert best(**paid, heavy_use=True, work_from_home=True) == "bundle58"


def test_what_the_systems_show_rules_products_out() -> None:
    paid: dict[str, FactValue] = {"monthly_bill": 62, "broadband_price": 80, "tv_use": True, "home_users": 5}

    def sellable(**shown: FactValue) -> set[str]:
        offers = recommend(SCRIPT.catalogue, {**paid, **shown}, TODAY)
        return {offer.product for offer in offers if offer.recommended}

    assert sellable() == {"bundle48", "bundle58"}
    assert sellable(port_available=False) == sellable(line_on_number=True) == set()
    assert sellable(moving_soon=True) == {"bundle48"}


@pytest.mark.parametrize("bill", [58, 128, 5000])
def test_no_customer_who_pays_more_is_sold_down(bill: int) -> None:
    for offer in recommend(SCRIPT.catalogue, {"monthly_bill": bill, "broadband_price": 100}, TODAY):
        assert offer.arithmetic.then == bill


def test_the_files_of_the_bundle_have_no_fault() -> None:
    assert [str(fault) for fault in lint("bundle") if OWN in Path(fault.path).parents] == []
