"""What all assisted scripts share must hold: an answer to every act, lines fit to be said, words heard."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from assist.hearing.duties import forbidden, said_now
from assist.hearing.tone import strongest_type, type_points
from assist.loading import load_assist_script
from assist.suggest.model import CARD_KINDS, CUSTOMER_TYPES, MAX_CARD_CHARACTERS, STAGES
from assist.suggest.texts import filled
from bot.typed_yaml import read_yaml
from bot.understanding.acts import ACTS, PSEUDO_ACTS

FOLDER = Path(__file__).resolve().parents[2] / "stories" / "common_assist"
DOMAIN: dict[str, Any] = read_yaml(FOLDER / "domain.yml")
RULES: list[dict[str, Any]] = read_yaml(FOLDER / "rules.yml")["rules"]
RETENTION = load_assist_script("retention")
SHARED = {name: RETENTION.nodes[name] for name in DOMAIN["responses"]}
STATES = [
    dict(zip(("phase", "may_rebut", "ready", "buying", "refused"), values, strict=True))
    for values in product(DOMAIN["slots"]["phase"]["values"], *[(True, False)] * 4)
]
ADVICE = set(DOMAIN["actions"])


def conditions(rule: dict[str, Any]) -> dict[str, Any]:
    parts = [one for part in rule.get("condition") or () for one in part["slot_was_set"]]
    return {name: value for part in parts for name, value in part.items()}


def steps(act: str, state: dict[str, Any]) -> list[str]:
    """What the rule with the most conditions says: the one that is taken."""
    fitting = [
        (conditions(rule), [step["action"] for step in rule["steps"][1:]])
        for rule in RULES
        if rule["steps"][0]["intent"] == act
        and all(state[name] == value for name, value in conditions(rule).items())
    ]
    return max(fitting, key=lambda item: len(item[0]))[1]


def test_every_act_has_a_rule_without_condition() -> None:
    answered = [rule["steps"][0]["intent"] for rule in RULES if not rule.get("condition")]
    assert sorted(answered) == sorted({*ACTS, *PSEUDO_ACTS})


@pytest.mark.parametrize("act", [*ACTS, *PSEUDO_ACTS])
def test_of_the_rules_that_fit_a_state_one_includes_all_others(act: str) -> None:
    mine = [conditions(rule).items() for rule in RULES if rule["steps"][0]["intent"] == act]
    for state in STATES:
        fitting = [items for items in mine if items <= state.items()]
        widest = max(fitting, key=len)
        assert all(items <= widest for items in fitting), (act, state)


def test_rules_name_only_advice_and_lines_that_exist() -> None:
    named = {step["action"] for rule in RULES for step in rule["steps"][1:]}
    assert named <= {*ADVICE, *DOMAIN["responses"]}
    assert named >= ADVICE


def test_after_a_refusal_nothing_is_sold_or_argued() -> None:
    for act in ACTS:
        for state in STATES:
            if state["refused"] and not state["may_rebut"] and act != "accept_offer":
                assert not {"advise_offer", "advise_close", "advise_rebuttal"} & set(steps(act, state)), act


def test_nothing_is_offered_in_the_opening() -> None:
    for act in ("affirm", "inform", "unsure", "hurry_up", "greet", "silence", "deny"):
        for state in STATES:
            if state["phase"] == "opening":
                assert "advise_offer" not in steps(act, state), (act, state)


def test_an_acceptance_is_met_with_what_must_be_said_first() -> None:
    assert all(steps("accept_offer", state)[0] == "advise_must_say" for state in STATES)


@pytest.mark.parametrize(
    ("act", "line"),
    [
        ("request_dnc", "utter_do_not_call"), ("wrong_person", "utter_wrong_person"),
        ("object_unable", "utter_unable"), ("object_busy", "utter_busy"),
        ("relative_or_other", "utter_relative"), ("goodbye", "utter_goodbye"),
        ("ask_robot", "utter_not_robot"),
    ],
)  # fmt: skip
def test_what_stops_the_talk_does_so_in_every_state(act: str, line: str) -> None:
    assert all(steps(act, state) == [line] for state in STATES)


def test_one_clarifying_question_and_no_second() -> None:
    for state in STATES:
        wanted = "utter_respect_no" if state["refused"] else "utter_ask_again_short"
        assert steps("decline_offer", state) == [wanted]


def test_an_objection_is_argued_with_exactly_while_that_is_allowed() -> None:
    for act in ACTS:
        if act.startswith("object_") and act not in ("object_busy", "object_unable"):
            for state in STATES:
                assert ("advise_rebuttal" in steps(act, state)) is state["may_rebut"]


def test_steering_slots_are_finite_and_never_preset() -> None:
    for name, slot in DOMAIN["slots"].items():
        assert "initial_value" not in slot, name
        if slot.get("influence_conversation", True):
            assert slot["type"] in ("bool", "categorical"), name


# Lines.


@pytest.mark.parametrize("name", sorted(DOMAIN["responses"]))
def test_a_shared_line_is_a_card_with_title_and_reason_and_words_for_anybody(name: str) -> None:
    node = SHARED[name]
    assert node.card in CARD_KINDS and node.stage in (None, *STAGES)
    assert 0 < len(node.title) <= 8 and 0 < len(node.why) <= 24
    texts = [one.text for one in node.wordings]
    assert len(texts) >= 2 and len(set(texts)) == len(texts)
    plain = [one for one in node.wordings if not one.slots and filled(one, RETENTION.variables) is not None]
    assert plain, "no wording can be said while nothing is known"
    for one in node.wordings:
        assert all(value in CUSTOMER_TYPES for slot, value in one.slots if slot == "customer_type")


def test_no_shared_line_names_the_customer_or_sets_off_an_alarm() -> None:
    figures = {**RETENTION.variables, "monthly_bill": "162.5", "data_used_gb": "124.5"}
    for name, variations in DOMAIN["responses"].items():
        for one in variations:
            text = one["text"]
            for variable in re.findall(r"\{(\w+)\}", text):
                text = text.replace(f"{{{variable}}}", figures[variable])
            assert len(text) <= MAX_CARD_CHARACTERS, text
            assert not re.search(r"先生|女士|小姐", text)
            assert forbidden(RETENTION, text, "u", 0, []) == [], (name, text)


def test_questions_fill_facts_and_facts_are_asked_by_their_question() -> None:
    asked = {node.asks for node in SHARED.values() if node.asks}
    assert asked <= set(RETENTION.facts)
    shared_facts = read_yaml(FOLDER / "assist.yml")["facts"]
    for fact in shared_facts:
        if fact.get("ask"):
            assert DOMAIN["responses"][fact["ask"]][0]["metadata"]["asks"] == fact["name"]


def test_a_correction_is_a_card_and_harmless_itself() -> None:
    for rule in RETENTION.must_not_say:
        assert 0 < len(rule.say) <= MAX_CARD_CHARACTERS
        assert forbidden(RETENTION, rule.say, "u", 0, []) == [], rule.rule


# What must be said, and what must not, in the agent's own words.


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("identity", "您好我这边是华声通信的客户经理"),
        ("identity", "这里是通信公司客服的"),
        ("recording", "跟您说一下咱们这个电话有录音"),
        ("recording", "本次通话会被录音"),
    ],
)
def test_agents_disclose_in_their_own_words(key: str, text: str) -> None:
    assert key in [item.key for item in said_now(RETENTION, text, (), ())]


@pytest.mark.parametrize("text", ["您好请问是机主本人吗", "我们的通话就到这里", "录一下您的地址"])
def test_other_words_disclose_nothing(text: str) -> None:
    assert not {"identity", "recording"} & {item.key for item in said_now(RETENTION, text, (), ())}


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("guarantee", "我给您打包票"), ("guarantee", "这个绝对划算"), ("guarantee", "肯定不会多扣您的"),
        ("forever", "这个价终身不变"), ("superlative", "我们这个全网最低"),
        ("threat", "不续的话就给您停机了"), ("threat", "会影响您的征信"), ("pressing", "您今天必须定下来"),
        ("pressing", "为什么不办啊"), ("false_deadline", "今天是最后一天了"),
        ("false_deadline", "名额有限啊"), ("running_down", "电信那信号不行"),
        ("running_down", "他们都是忽悠人的"), ("asks_secret", "您把验证码告诉我"),
        ("asks_secret", "报一下您的身份证号码"), ("denies_recording", "咱们没有录音您放心"),
        ("false_identity", "我是工信部的"), ("order_without_consent", "已经给您开通了"),
        ("free_trap", "这个白送给您"),
    ],
)  # fmt: skip
def test_what_must_not_be_said_is_heard(rule: str, text: str) -> None:
    assert rule in [alarm.rule for alarm in forbidden(RETENTION, text, "u", 0, [])]


@pytest.mark.parametrize(
    "text",
    [
        "这个我不能保证", "不敢说绝对好", "您刚才说移动信号不好是吧", "验证码千万别告诉任何人",
        "不办也不会给您停机", "必须机主本人来办", "不是最便宜的,但适合您", "您身份证后四位是多少",
        "不用着急办", "没有什么最后期限",
    ],
)  # fmt: skip
def test_honest_words_set_off_no_alarm(text: str) -> None:
    assert [alarm.rule for alarm in forbidden(RETENTION, text, "u", 0, [])] == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("talker", "哈哈我跟你说我朋友也是这样"), ("dominant", "别绕了直接说多少钱"),
        ("exact", "具体怎么算的你给我算一下明细"), ("patient", "不着急你慢慢说我不太懂"),
    ],
)  # fmt: skip
def test_customer_types_show_in_their_words(kind: str, text: str) -> None:
    assert strongest_type(type_points(RETENTION.types, text)) == kind
