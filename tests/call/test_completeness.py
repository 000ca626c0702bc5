"""Is the customer done?  Rules without a model, and the trained model."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.completeness import Completeness, dump, load, train

RULES = Completeness({})
LINES = [
    f"{who}{what}{end}"
    for who in ("", "我", "你们", "那个", "其实我")
    for what in (
        "不需要",
        "现在没空",
        "想换个套餐",
        "已经办过了",
        "用不上这个",
        "在开会呢",
        "信号不好",
        "考虑一下",
    )
    for end in ("", "啊", "吧", "了")
]


@pytest.mark.parametrize(
    "text",
    [
        "我想办但是",
        "我不要因为",
        "就是那个",
        "你把那个",
        "如果我以后不想用",
        "便宜是便宜",
        "我觉得",
        "how much is the",
    ],
)
def test_what_grammar_leaves_open_is_not_complete(text: str) -> None:
    assert RULES.probability(text, "open_question") < 0.1


@pytest.mark.parametrize("text", ["对", "好的", "嗯可以", "不要", "没有", "yes", "no thanks"])
def test_a_short_answer_to_a_yes_no_question_is_complete(text: str) -> None:
    assert RULES.probability(text, "offer") > 0.9


def test_digits_are_complete_when_they_are_there() -> None:
    line = "请说一下身份证的后四位"
    assert RULES.probability("三七二", "digits", line) < 0.1
    assert RULES.probability("三七二一", "digits", line) > 0.9
    assert RULES.probability("幺三八零零幺三八", "digits", "麻烦报一下手机号") < 0.1


def test_training_tells_whole_lines_from_their_beginnings() -> None:
    model = train(LINES)
    assert model.probability("我现在没空了") > model.probability("我现在没")
    assert model.probability("你们信号不好啊") > model.probability("你们信号")


def test_training_is_repeatable_and_survives_json() -> None:
    model = train(LINES)
    assert load(json.loads(json.dumps(dump(model)))) == model == train(LINES)


def test_too_few_lines_and_foreign_data_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 50"):
        train(["嗯"])
    with pytest.raises(ValueError, match="train the script again"):
        load({"kind": "other"})


@given(
    st.text(max_size=80),
    st.sampled_from(["offer", "digits", "time", "pitch", "open_question", "identity_check"]),
)
def test_any_text_has_a_probability(text: str, expects: str) -> None:
    assert 0.0 <= RULES.probability(text, expects) <= 1.0
