"""Every fault of an assist script is found, in its place, with its remedy; sound scripts have no errors."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assist.linting import lint_assist
from bot.dialogue.faults import Fault
from bot.dialogue.script_files import PROJECT, find_script, script_names

DOMAIN = """\
version: "3.1"
responses:
  utter_ask_bill:
  - text: "您一个月话费大概多少钱?"
    metadata: {card: question, stage: discovery, asks: monthly_bill, title: 月话费}
  - text: "直接说,一个月多少?"
    condition: [{type: slot, name: customer_type, value: dominant}]
  utter_say_price:
  - text: "每月最低消费五十八块。"
    metadata: {card: compliance, discloses: [price]}
  utter_anchor:
  - text: "现在{now}块,以后{then}块,省{saving}块。"
    metadata: {card: rebuttal, rebuts: object_price, technique: price_anchor, avoid_after: [object_unable]}
  - text: "合起来反而省了。"
  utter_fee:
  - text: "没有初装费。"
    metadata: {card: answer, answers: ask_condition, when: [broadband == no], product: b58}
"""
ASSIST = """\
facts:
- name: monthly_bill
  title: {zh: 月消费, en: bill}
  layer: facts
  kind: money
  ask: utter_ask_bill
  likely: [{value: 49, weight: 3}, {value: 129, weight: 1}]
- name: value_tier
  title: {zh: 等级, en: tier}
  layer: facts
  kind: choice
  choices: {gold: [金卡], silver: [银卡]}
must_say:
- key: price
  title: {zh: 价格, en: price}
  node: utter_say_price
  words: ['最低.{0,6}块']
must_not_say:
- rule: guarantee
  title: {zh: 保证, en: promise}
  words: [保证]
  unless: [不能保证]
  say: 我更正一下。
signals: {acts: [ask_how_to], words: [怎么付]}
"""
CATALOGUE = """\
guard: {max_loss_percent: 10, unless: [leaving == yes]}
products:
- key: b58
  name: {zh: 融合58, en: Bundle 58}
  charge: {kind: share, percent: 70}
  term_months: 12
  fab: {feature: 宽带, advantage: 合并, benefit: 省}
  say: ["换{product}每月{then}块。"]
  conditions: []
  eligible: [value_tier == gold]
"""
SCRIPT = """\
name: small
version: "1"
title: {zh: 小, en: Small}
mode: assist
language: zh
company: {name: 华声通信, hotline: "10123", hotline_spoken: 幺零幺二三, sms_number: "10123"}
"""
WARNINGS = {"W512", "W514"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "stories"
    (root / "common").mkdir(parents=True)
    shutil.copy(PROJECT / "stories" / "common" / "acts.yml", root / "common")
    made = root / "small"
    made.mkdir()
    for name, text in (("domain", DOMAIN), ("assist", ASSIST), ("catalogue", CATALOGUE), ("script", SCRIPT)):
        (made / f"{name}.yml").write_text(text, encoding="utf-8")
    return made


def faults(folder: Path) -> list[Fault]:
    return lint_assist(find_script(folder.name, folder.parent))


def errors(folder: Path) -> list[Fault]:
    return [fault for fault in faults(folder) if fault.is_error]


def change(folder: Path, name: str, before: str, after: str) -> int:
    """Change a file in one place; the line where it stands."""
    path = folder / f"{name}.yml"
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, before
    path.write_text(text.replace(before, after), encoding="utf-8")
    return text[: text.index(before)].count("\n") + 1


def test_a_sound_script_has_no_errors(folder):
    assert errors(folder) == []


@pytest.mark.parametrize(
    ("name", "before", "after", "code", "says"),
    [
        ("assist", "kind: money", "kind: mony", "E500", "mony"),
        ("assist", "unless: [不能", "unles: [不能", "E500", "did you mean 'unless'"),
        ("assist", "['最低.{0,6}块']", "['最低(']", "E500", "regular expression"),
        ("domain", "[broadband == no]", "[brodband == no]", "E500", "did you mean 'broadband'"),
        ("catalogue", "value_tier == gold", "value_tier => gold", "E500", "condition"),
        ("domain", "省{saving}块", "省{savings}块", "E501", "did you mean 'saving'"),
        ("catalogue", "每月{then}块", "每月{than}块", "E501", "did you mean 'then'"),
        ("domain", "没有初装费。", "没有初装费。" * 7, "E502", "42 characters"),
        ("domain", "现在{now}块", "现在" * 16 + "{now}块", "E502", "when filled in"),
        ("assist", "say: 我更正一下。", "say: " + "我更正一下。" * 7, "E502", "42 characters"),
        ("domain", "asks: monthly_bill", "asks: monthly_bil", "E503", "did you mean 'monthly_bill'"),
        ("assist", "ask: utter_ask_bill", "ask: utter_ask_bil", "E504", "did you mean 'utter_ask_bill'"),
        ("assist", "node: utter_say_price", "node: utter_say_prise", "E505", "mean 'utter_say_price'"),
        ("domain", "合起来反而省了。", "保证省。", "E506", "「保证」"),
        ("catalogue", "每月{then}块。", "保证{then}块。", "E506", "guarantee"),
        ("domain", "rebuts: object_price", "rebuts: object_prise", "E507", "did you mean 'object_price'"),
        ("domain", "answers: ask_condition", "answers: ask_conditions", "E507", "mean 'ask_condition'"),
        ("domain", "[object_unable]", "[objekt_unable]", "E507", "did you mean 'object_unable'"),
        ("assist", "[ask_how_to]", "[ask_how]", "E507", "signals"),
        ("domain", "technique: price_anchor", "technique: anchor", "E508", "technique"),
        ("domain", "stage: discovery", "stage: discovry", "E509", "did you mean 'discovery'"),
        ("assist", "  node: utter_say", "  by: detail\n  node: utter_say", "E509", "did you mean 'details'"),
        ("domain", "value: dominant", "value: dominent", "E510", "did you mean 'dominant'"),
        ("domain", "name: customer_type", "name: customer_typ", "E510", "did you mean 'customer_type'"),
        ("domain", "product: b58", "product: b85", "E511", "did you mean 'b58'"),
        ("catalogue", "value_tier == gold", "value_tier == golden", "E511", "never 'golden'"),
        ("catalogue", '["换{product}每月{then}块。"]', "[]", "E511", "no words"),
        ("assist", "{value: 129, weight: 1}", "{value: 129, weight: 0}", "E513", "weight 0"),
        ("assist", "{value: 129, weight: 1}", "{value: viel, weight: 1}", "E513", "never 'viel'"),
    ],
)
def test_each_fault_is_found_in_its_file_and_says_the_remedy(folder, name, before, after, code, says):
    line = change(folder, name, before, after)
    [fault] = errors(folder)
    assert fault.code == code
    assert says in str(fault)
    assert fault.path == folder / f"{name}.yml"
    assert line - 6 <= fault.line <= line, str(fault)


def test_a_question_of_a_fact_asks_that_fact(folder):
    change(folder, "domain", "asks: monthly_bill, ", "")
    [fault] = errors(folder)
    assert (fault.code, fault.path.name, fault.line) == ("E504", "assist.yml", 2)
    assert "asks nothing" in fault.message


def test_a_product_that_the_guard_always_holds_back_is_a_fault(folder):
    change(folder, "catalogue", ", unless: [leaving == yes]", "")
    [fault] = errors(folder)
    assert (fault.code, fault.path.name, fault.line) == ("E511", "catalogue.yml", 3)
    assert "gives up 30 %" in fault.message


def test_what_makes_words_harmless_makes_our_lines_harmless(folder):
    change(folder, "domain", "合起来反而省了。", "价格不能保证一直这样。")
    assert errors(folder) == []


def test_thin_objections_are_warned_of_until_they_have_four_techniques(folder):
    def thin() -> list[str]:
        return [fault.message for fault in faults(folder) if fault.code == "W512"]

    assert any("'object_price' has 1 techniques" in message for message in thin())
    assert not any("object_busy" in message or "object_unable" in message for message in thin())
    with (folder / "domain.yml").open("a", encoding="utf-8") as file:
        for technique in ("empathy", "guide", "trial"):
            file.write(f'  utter_{technique}:\n  - text: "好。"\n')
            file.write(f"    metadata: {{card: rebuttal, rebuts: object_price, technique: {technique}}}\n")
    assert not any("object_price" in message for message in thin())


def test_a_card_that_needs_figures_nobody_may_know_is_warned_of(folder):
    assert not any(fault.code == "W514" for fault in faults(folder))
    change(folder, "domain", '  - text: "合起来反而省了。"\n', "")
    [warning] = [fault for fault in faults(folder) if fault.code == "W514"]
    assert "utter_anchor" in warning.message and not warning.is_error


def test_no_file_of_any_content_breaks_the_check(folder):
    for text in ("", "[]", "facts: 3", "facts:\n- x", "\t", "products: []", "responses: {a: b}"):
        for name in ("assist", "catalogue"):
            (folder / f"{name}.yml").write_text(text, encoding="utf-8")
            faults(folder)


@pytest.mark.parametrize("name", script_names(PROJECT / "stories"))
def test_the_scripts_that_are_shipped_have_no_errors(name):
    found = lint_assist(find_script(name, PROJECT / "stories"))
    assert [str(fault) for fault in found if fault.is_error] == []
    assert {fault.code for fault in found} <= WARNINGS
