"""Which act steers: precedence over all pairs, and the cases it was written for."""

from __future__ import annotations

from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.acts import (
    ACTS,
    NO_DECIDES,
    OBJECTIONS,
    PRECEDENCE,
    PSEUDO_ACTS,
    QUESTIONS,
    YES,
    steering_act,
)

ASKED = [None, "name", "permission", "offer", "clarify", "id", "owner", "order", "callback_time", "question"]
TIME = {"entity": "datetime", "value": "2026-11-23T15:00:00+08:00"}
DIGITS = {"entity": "digits", "value": "1234"}


def acts(*names: str, confidence: float = 0.5) -> list[dict[str, object]]:
    return [{"name": name, "confidence": confidence} for name in names]


def test_the_contract_has_49_acts_and_each_has_exactly_one_row() -> None:
    rows = [act for _, row in PRECEDENCE for act in row]
    assert len(ACTS) == len(set(rows)) == len(rows) == 49
    assert set(rows) == set(ACTS)
    assert len(QUESTIONS) == 15
    assert len(OBJECTIONS) == 11
    assert not set(PSEUDO_ACTS) & set(ACTS)


@pytest.mark.parametrize("asked", ASKED)
def test_a_yes_with_any_question_or_objection_or_no_is_never_consent(asked: str | None) -> None:
    against = QUESTIONS | OBJECTIONS | {"deny", "decline_offer", "unsure", "hold_on", "goodbye", "complain"}
    for yes, other, entities in product(YES, against, ([], [TIME], [DIGITS])):
        for pair in ((yes, other), (other, yes)):
            for confident in (0.01, 0.99):
                given_acts = [
                    {"name": pair[0], "confidence": confident},
                    {"name": pair[1], "confidence": 1 - confident},
                ]
                assert steering_act(given_acts, entities, asked) not in YES


@pytest.mark.parametrize("asked", ASKED)
def test_a_wish_not_to_be_called_and_an_inability_win_over_everything(asked: str | None) -> None:
    for other in ACTS:
        assert steering_act(acts(other, "request_dnc"), [TIME, DIGITS], asked) == "request_dnc"
        if other != "request_dnc":
            assert steering_act(acts(other, "object_unable"), [TIME, DIGITS], asked) == "object_unable"


@pytest.mark.parametrize("asked", ASKED)
def test_an_outright_refusal_wins_over_every_question_and_every_yes(asked: str | None) -> None:
    for other in (QUESTIONS - {"ask_human"}) | (OBJECTIONS - {"object_unable"}) | YES | {"request_callback"}:
        assert steering_act(acts(other, "decline_offer"), [], asked) == "decline_offer"


@pytest.mark.parametrize("asked", sorted(NO_DECIDES))
def test_a_bare_no_where_it_decides_is_not_lost_behind_a_question(asked: str) -> None:
    for other in (QUESTIONS - {"ask_human"}) | YES:
        assert steering_act(acts(other, "deny"), [], asked) == "deny"


def test_a_no_to_any_questions_gives_way_to_the_question() -> None:
    assert steering_act(acts("deny", "ask_price"), [], "question") == "ask_price"  # 没有,多少钱


@given(
    st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.floats(0, 1)), min_size=1, max_size=3),
    st.sampled_from(ASKED),
    st.sampled_from([[], [TIME], [DIGITS]]),
)
def test_the_order_of_the_acts_matters_only_in_a_tie(
    named: list[tuple[str, float]], asked: str | None, entities: list[dict[str, object]]
) -> None:
    row = {act: number for number, (_, members) in enumerate(PRECEDENCE) for act in members}
    results = {
        steering_act([{"name": n, "confidence": c} for n, c in order], entities, asked)
        for order in permutations(named)
    }
    if len(results) > 1:  # a tie: same row, same confidence
        confidences = {c for n, c in named if n in results}
        assert len({row[n] for n in results}) == 1 and len(confidences) < len([n for n, _ in named])
    assert results <= {n for n, _ in named} | {"inform"}


@pytest.mark.parametrize("weak", ["backchannel", "greet", "thank", "chitchat"])
def test_noises_and_courtesies_lose_to_all_else(weak: str) -> None:
    courtesies = {"backchannel", "greet", "thank", "chitchat"}
    for other in set(ACTS) - courtesies:
        assert steering_act([*acts(weak, confidence=0.99), *acts(other, confidence=0.01)]) == other


@pytest.mark.parametrize(
    ("line", "names", "entities", "asked", "steers"),
    [
        ("好的,不过多少钱", ["affirm", "ask_price"], [], "offer", "ask_price"),
        ("行行行,太贵了吧", ["accept_offer", "object_price"], [], "order", "object_price"),
        ("不要了,多少钱啊", ["decline_offer", "ask_price"], [], "offer", "decline_offer"),
        ("算了,以后再说吧", ["decline_offer", "request_callback"], [], "offer", "decline_offer"),
        ("开车呢,晚点打", ["object_unable", "request_callback"], [], "permission", "object_unable"),
        (
            "忙着呢明天下午三点打吧",
            ["object_busy", "request_callback"],
            [TIME],
            "permission",
            "request_callback",
        ),
        ("对,幺二三四", ["affirm", "inform"], [DIGITS], "id", "inform"),
        ("对,幺二三四", ["affirm"], [DIGITS], "id", "inform"),
        ("幺二三四,要这个干嘛", ["inform", "ask_purpose"], [DIGITS], "id", "ask_purpose"),
        ("不行,明天吧", ["deny"], [TIME], "callback_time", "inform"),
        ("好,下个月", ["affirm"], [TIME], "question", "affirm"),
        ("你是机器人吧,骗子", ["ask_robot", "object_distrust"], [], "permission", "ask_robot"),
        ("太贵了,能退吗", ["object_price", "ask_cancel"], [], "offer", "object_price"),
        ("好的好的再见", ["affirm", "goodbye"], [], "order", "goodbye"),
        ("不需要,再见", ["object_no_need", "goodbye"], [], "offer", "object_no_need"),
        ("滚,别再打了", ["abuse", "request_dnc"], [], None, "request_dnc"),
        ("他不在,你哪位", ["relative_or_other", "ask_identity"], [], "name", "relative_or_other"),
        ("你好,是我", ["greet", "affirm"], [], "name", "affirm"),
        ("", [], [], "offer", "out_of_scope"),
        ("尾号一二三四", [], [DIGITS], "id", "inform"),
    ],
)
def test_lines_as_people_say_them(
    line: str, names: list[str], entities: list[dict[str, object]], asked: str | None, steers: str
) -> None:
    assert steering_act(acts(*names), entities, asked) == steers, line


def test_within_a_row_the_more_confident_act_wins() -> None:
    two = [{"name": "ask_price", "confidence": 0.3}, {"name": "ask_cancel", "confidence": 0.6}]
    assert steering_act(two) == steering_act(two[::-1]) == "ask_cancel"


def test_a_name_that_is_no_customer_act_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown act 'ask_weather'"):
        steering_act(acts("affirm", "ask_weather"))
