"""Is the customer done?  Rules without a model, and the trained model."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.end_of_turn import Turn, chances_of, read_turns, training_lines
from bot.understanding.completeness import Completeness, dump, load, train
from bot.understanding.completeness_lexicon import tagged
from bot.understanding.completeness_rules import digits_in

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


SMALL = train(LINES)


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
    assert RULES.probability("后四位是三七二", "digits", line) < 0.1
    assert RULES.probability("three seven two one", "digits", line) > 0.9


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("后四位是九零五七", 4),
        ("三幺二x", 4),
        ("it's nine nine zero three", 4),
        ("你等一下", 0),
        ("one second please", 0),
    ],
)
def test_only_dictated_digits_are_counted(text: str, count: int) -> None:
    assert digits_in(text) == count


def test_the_longest_word_is_read_and_open_words_run_together() -> None:
    assert tagged("我想问一下") == (("我", "pron"), ("想问一下", "say"))
    assert tagged("李建国") == (("李建国", "x"),)
    assert [tag for _, tag in tagged("it depends on the price")] == ["obj", "x", "prep", "det", "x"]


@pytest.fixture(scope="module")
def model() -> Completeness:
    """Trained as a script's is, from the shared lines."""
    return train(training_lines())


def held_out() -> list[Turn]:
    return read_turns("end_of_turn.tsv")[1::2]


def test_pauses_in_held_out_turns_look_less_complete_than_their_ends(model: Completeness) -> None:
    turns = held_out()
    chances = chances_of(model.probability, turns)
    ends = sorted(chance[-1] for chance in chances)
    threshold = ends[len(ends) // 10]  # nine turns of ten end above
    within = [
        chance[place]
        for turn, chance in zip(turns, chances, strict=True)
        for place, mark in enumerate(turn.marks)
        if mark == "|"
    ]
    assert len(turns) > 200
    assert sum(chance < threshold for chance in within) / len(within) > 0.88


def test_the_probability_is_calibrated_where_one_held_out_turn_in_five_pauses(model: Completeness) -> None:
    turns = held_out()
    paused = sum(bool(turn.marks) for turn in turns)
    likely: list[tuple[float, float]] = []  # of the texts above and below: weight of ends, of all
    for low, high in ((0.0, 0.5), (0.9, 1.01)):
        done = both = 0.0
        for turn, chance in zip(turns, chances_of(model.probability, turns), strict=True):
            for place, p in enumerate(chance):
                weight = 1 / len(turns) if place == len(turn.marks) else 0.2 / paused
                if low <= p < high:
                    both += weight
                    done += weight * (place == len(turn.marks))
        likely.append((done, both))
    (few, below), (most, above) = likely
    assert few / below < 0.4
    assert most / above > 0.93


def test_what_was_asked_matters(model: Completeness) -> None:
    assert model.probability("明天下午", "time") > 0.8 > model.probability("明天下午", "offer")
    assert model.probability("对", "identity_check") > 0.8


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("我想问一下", "我想问一下怎么收费"),
        ("你们那个客服", "你们那个客服打不通"),
        ("如果不好用", "如果不好用能退吗"),
        ("i was wondering if", "i was wondering if you have something cheaper"),
        ("my bill was", "my bill was too high"),
    ],
)
def test_a_turn_is_likelier_done_at_its_end_than_where_it_pauses(
    model: Completeness, before: str, after: str
) -> None:
    assert model.probability(before) < 0.5 < 0.8 < model.probability(after)


def test_training_tells_whole_lines_from_their_beginnings() -> None:
    assert SMALL.probability("我现在没空了") > SMALL.probability("我现在没")
    assert SMALL.probability("你们信号不好啊") > SMALL.probability("你们信号")


def test_training_is_repeatable_and_survives_json() -> None:
    assert load(json.loads(json.dumps(dump(SMALL)))) == SMALL == train(LINES)


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
    assert 0.0 <= SMALL.probability(text, expects) <= 1.0
