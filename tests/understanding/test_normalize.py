"""Cleaning and folding: what recognisers do to Chinese on the phone, undone."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.understanding.normalize import KEPT_LIMIT, clean, fold

PHONE_ALPHABET = "对对我嗯嗯呃啊呀哎额那个这知道了喂谢不是要好的一二三十百0123, ，。?!<ID>abum hé"
LINES = st.one_of(st.text(max_size=60), st.text(PHONE_ALPHABET, max_size=40))


@given(LINES)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(LINES)
@example("那个啊那个")
@example("uh um 嗯,啊")
@example("a,a b")
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(LINES)
def test_folding_needs_no_cleaning_before_it(text: str) -> None:
    assert fold(clean(text)) == fold(text)


@given(LINES)
def test_nothing_invisible_survives(text: str) -> None:
    assert not [char for char in clean(text) if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co"}]


@given(LINES)
def test_a_line_with_words_never_folds_to_nothing(text: str) -> None:
    if any(char.isalnum() for char in clean(text)):
        assert fold(text)


@given(st.text(min_size=1, max_size=50))
def test_ten_thousand_characters_keep_five_hundred_at_most(text: str) -> None:
    flood = (text * 10_000)[:10_000]
    assert len(clean(flood)) <= KEPT_LIMIT
    assert clean(clean(flood)) == clean(flood)


def test_a_placeholder_that_the_limit_cuts_goes_whole() -> None:
    assert clean("啊" * (KEPT_LIMIT - 3) + "<PHONE>") == "啊" * (KEPT_LIMIT - 3)


@pytest.mark.parametrize("unit", ["对", "知道了", "喂", "你好吗我很好", "a", " ", "嗯", "\u0301", "9", "<"])
def test_a_flood_of_one_unit_is_handled(unit: str) -> None:
    flood = unit * (10_000 // len(unit))
    assert len(clean(flood)) <= KEPT_LIMIT
    assert fold(fold(flood)) == fold(flood)


@pytest.mark.parametrize(
    ("given_text", "cleaned"),
    [
        ("你 好 我 不 需 要", "你好我不需要"),
        ("５Ｇ 套餐，多少钱？", "5g套餐,多少钱?"),
        ("尾号 1 2 3 4", "尾号1 2 3 4"),
        ("ok 好 的", "ok好的"),
        ("I'm  NOT interested", "i'm not interested"),
        ("不\u200b要\u202e打\ufeff了", "不要打了"),
        ("行\n\t行", "行行"),
        ("我叫<NAME>,电话<PHONE>", "我叫<NAME>,电话<PHONE>"),
        ("😀", "😀"),
        ("", ""),
        (" \u3000 ", ""),
    ],
)
def test_one_spelling(given_text: str, cleaned: str) -> None:
    assert clean(given_text) == cleaned


@pytest.mark.parametrize(
    ("given_text", "folded"),
    [
        ("对对对", "对"),
        ("知道了知道了", "知道了"),
        ("我我我没有啊", "我没有"),
        ("对,对,对,好的呀", "对好的"),
        ("呃,那个,多少钱啊", "多少钱"),
        ("那个多少钱", "那个多少钱"),
        ("不用了不用了 谢谢谢谢", "不用了谢谢"),
        ("no no no thank you", "no thank you"),
        ("um i uh don't need it", "i don't need it"),
        ("uh-huh", "uh-huh"),
        ("uh huh", "uh huh"),
        ("余额多少", "余额多少"),  # 额 is a filler only where it stands alone
        ("干嘛的", "干嘛的"),
        ("算啦", "算啦"),
        ("唔要", "唔要"),  # Cantonese: do not want
    ],
)
def test_what_carries_no_meaning_goes(given_text: str, folded: str) -> None:
    assert fold(given_text) == folded


@pytest.mark.parametrize("only", ["嗯", "啊", "哦", "呃", "喂", "那个", "额", "嗯啊", "um"])
def test_a_filler_alone_stays(only: str) -> None:
    assert fold(only) == only


def test_many_fillers_alone_become_one() -> None:
    assert fold("嗯嗯嗯嗯") == fold("嗯,嗯。") == "嗯"


def test_hello_and_can_you_hear_me_stay_apart() -> None:
    assert fold("喂") == "喂"
    assert fold("喂喂") == fold("喂喂喂喂") == "喂喂"


def test_numbers_never_collapse() -> None:
    assert fold("幺幺零零") == "幺幺零零"
    assert fold("一百一百") == "一百一百"
    assert fold("8888") == "8888"
