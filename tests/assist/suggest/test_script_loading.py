"""A script as advice reads it: the common part and its own, joined; what is wrong is told with its place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assist.loading import load_assist_script
from assist.suggest.script import AssistScript
from bot.dialogue.script_files import PROJECT, ScriptError

COMMON_DOMAIN = """\
version: "3.1"
responses:
  utter_bye:
  - text: "再见。"
    metadata: {card: action}
  utter_identity:
  - text: "我是{company}的。"
    metadata: {card: compliance, discloses: identity}
"""
DOMAIN = """\
version: "3.1"
responses:
  utter_bye:
  - text: "祝您生活愉快。"
    metadata: {card: action, when: ["monthly_bill >= 58"], rebuts: object_price, about: [押金]}
  - text: "直接再见。"
    condition: [{type: slot, name: customer_type, value: dominant}]
"""
COMMON_ASSIST = """\
facts:
- {name: monthly_bill, title: {zh: 月消费, en: bill}, layer: facts, kind: money}
- {name: owner, title: {zh: 机主, en: owner}, layer: permission, kind: yes_no}
must_say:
- {key: identity, title: {zh: 身份, en: identity}, node: utter_identity, words: [我是]}
must_not_say:
- {rule: guarantee, title: {zh: 保证, en: promise}, words: [保证]}
signals: {words: [怎么付]}
way_in: [先问好]
"""
ASSIST = """\
facts:
- {name: monthly_bill, title: {zh: 月话费, en: bill}, layer: facts, kind: money, unit: 元}
must_say:
- {key: price, title: {zh: 价格, en: price}, node: utter_bye, words: [每月]}
must_not_say:
- {rule: guarantee, title: {zh: 绝对化, en: promise}, words: [绝对]}
signals: {words: [什么时候装], acts: [ask_how_to]}
"""
CATALOGUE = """\
products:
- key: b58
  name: {zh: 融合58, en: Bundle 58}
  charge: {kind: at_least, yuan: 58}
  term_months: 12
  fab: {feature: 宽带, advantage: 合并, benefit: 省}
  say: ["好的。"]
  conditions: []
  eligible: [monthly_bill >= 58]
"""
SCRIPT = """\
name: small
version: "1"
title: {zh: 小, en: Small}
mode: assist
language: zh
company: {name: 华声通信, hotline: "10123", hotline_spoken: 幺零幺二三, sms_number: "10123"}
"""
BACKWARDS = "valid_from: 2026-02-01\n  valid_to: 2026-01-01\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "stories"
    for folder, files in {
        "common": {},
        "common_assist": {"domain": COMMON_DOMAIN, "assist": COMMON_ASSIST},
        "small": {"domain": DOMAIN, "assist": ASSIST, "catalogue": CATALOGUE, "script": SCRIPT},
    }.items():
        (made / folder).mkdir(parents=True)
        for name, text in files.items():
            (made / folder / f"{name}.yml").write_text(text, encoding="utf-8")
    shutil.copy(PROJECT / "stories" / "common" / "acts.yml", made / "common")
    return made


def load(root: Path) -> AssistScript:
    return load_assist_script("small", root)


def change(root: Path, name: str, before: str, after: str) -> None:
    path = root / "small" / f"{name}.yml"
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1
    path.write_text(text.replace(before, after), encoding="utf-8")


def test_the_script_s_own_entries_replace_the_common_ones_of_the_same_name(root):
    script = load(root)
    assert script.facts.keys() == {"monthly_bill", "owner"}
    assert script.facts["monthly_bill"].title.zh == "月话费"
    assert [item.key for item in script.must_say] == ["identity", "price"]
    assert [item.title.zh for item in script.must_not_say] == ["绝对化"]
    assert script.signals.words == ("怎么付", "什么时候装") and script.signals.acts == ("ask_how_to",)
    assert script.way_in == ("先问好",)
    assert script.catalogue.product("b58") is not None


def test_a_line_of_the_same_name_replaces_the_common_one_with_its_metadata(root):
    node = load(root).nodes["utter_bye"]
    assert [wording.text for wording in node.wordings] == ["祝您生活愉快。", "直接再见。"]
    assert node.wordings[1].slots == (("customer_type", "dominant"),)
    assert (node.rebuts, node.about) == (("object_price",), ("押金",))
    assert [str(condition) for condition in node.when] == ["monthly_bill >= 58"]


def test_one_name_counts_as_a_list_of_one(root):
    assert load(root).nodes["utter_identity"].discloses == ("identity",)


def test_the_company_s_figures_are_there_for_every_text(root):
    assert load(root).variables["company"] == "华声通信"
    assert load(root).variables["hotline_spoken"] == "幺零幺二三"


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [("assist", "月话费", "月费"), ("catalogue", "yuan: 58", "yuan: 68"), ("domain", "祝您", "祝大家")],
)
def test_any_change_of_its_files_is_another_version(root, name, before, after):
    version = load(root).version
    assert load(root).version == version
    change(root, name, before, after)
    assert load(root).version != version


@pytest.mark.parametrize(
    ("name", "before", "after", "line", "says"),
    [
        ("assist", "unit: 元", "units: 元", 2, "did you mean 'unit'"),
        ("assist", "words: [绝对]", 'words: ["绝对("]', 6, "no regular expression"),
        ("assist", "layer: facts", "layer: fact", 2, "layer"),
        ("domain", "monthly_bill >= 58", "monthly_bil >= 58", 3, "did you mean 'monthly_bill'"),
        ("domain", "card: action", "card: actoin", 3, "actoin"),
        ("catalogue", "bill >= 58]", "bill >= 58, monthly_bill < 30]", 9, "no customer can meet"),
        ("catalogue", "term_months: 12", f"{BACKWARDS}  term_months: 12", 2, "before"),
        ("catalogue", "kind: at_least", "kind: at_most", 4, "kind"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_file_line_and_remedy(root, name, before, after, line, says):
    change(root, name, before, after)
    with pytest.raises(ScriptError) as caught:
        load(root)
    message = str(caught.value)
    assert message.startswith(f"{root / 'small' / name}.yml:{line}:"), message
    assert says in message and "→" in message


def test_a_bot_s_script_is_advised_with_the_common_duties_and_asks_by_its_own_lines():
    script = load_assist_script("ringback", PROJECT / "stories")
    assert script.must_not_say and script.facts
    assert all(rule.ask is None for rule in script.facts.values())
    assert script.catalogue.products == ()


@pytest.mark.parametrize("name", ["bundle", "retention"])
def test_the_shipped_scripts_are_as_rich_as_the_business_wants(name):
    script = load_assist_script(name, PROJECT / "stories")
    asked = {node.asks for node in script.nodes.values() if node.card == "question"} & script.facts.keys()
    assert len(script.facts) >= 25 and len(asked) >= 20
    assert {rule.layer for rule in script.facts.values()} == {"permission", "facts", "problems", "solutions"}
    assert script.catalogue.products and script.must_say and script.must_not_say
    closing = {node.technique for node in script.nodes.values() if node.card == "close"}
    assert closing >= {"direct", "either_or"}
