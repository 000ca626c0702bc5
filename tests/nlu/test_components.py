"""What the NLU's components must do, asked through Rasa's graph after training and loading."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jieba
import numpy as np
import pytest

from bot.dialogue.components.tokenizer import LexiconError, TradeTokenizer, read_lexicon, segmenter

Parse = Callable[..., dict[str, Any]]


def names(parsed: dict[str, Any]) -> list[str]:
    return [act["name"] for act in parsed["acts"]]


@pytest.mark.parametrize(
    ("text", "act"),
    [("这个多少钱", "ask_price"), ("我现在没空", "object_busy"), ("不要不要", "decline_offer")],
)
def test_a_line_gets_its_act_in_rasas_shape(parse: Parse, text: str, act: str) -> None:
    parsed = parse(text)
    assert names(parsed) == [act]
    assert parsed["intent"]["name"] == act
    assert parsed["intent_ranking"][0] == parsed["intent"]
    assert 0 < parsed["intent"]["confidence"] <= 1
    assert sum(item["confidence"] for item in parsed["intent_ranking"]) == pytest.approx(1, abs=1e-6)


def test_homophones_keep_their_act(parse: Parse) -> None:
    for heard in ("才领是什么东西", "菜零是什么东西", "财龄是什么东西"):
        assert names(parse(heard)) == names(parse("彩铃是什么东西")) == ["ask_details"]


def test_spaces_fillers_and_full_width_change_nothing(parse: Parse) -> None:
    assert names(parse("多 少 钱")) == names(parse("呃，多少钱？")) == names(parse("多少钱")) == ["ask_price"]


def test_what_was_asked_before_decides_a_short_answer(parse: Parse) -> None:
    assert names(parse("对", after="yes_no_question")) == ["affirm"]
    assert names(parse("对", after="pitch")) == ["backchannel"]


def test_what_was_asked_before_does_not_outvote_words(parse: Parse) -> None:
    for after in ("yes_no_question", "pitch", "offer", None):
        assert names(parse("多少钱", after=after)) == ["ask_price"]


@pytest.mark.parametrize("text", ["好的,不过多少钱", "行,那多少钱"])
def test_a_line_may_carry_two_acts(parse: Parse, text: str) -> None:
    assert set(names(parse(text))) == {"accept_offer", "ask_price"}


@pytest.mark.parametrize("text", ["多少钱", "好的", "我在开会呢"])
def test_one_act_stays_one(parse: Parse, text: str) -> None:
    assert len(names(parse(text))) == 1


@pytest.mark.parametrize("text", ["", "   ", "😀😀👍", "……", "?!"])
def test_a_line_without_words_has_no_act(parse: Parse, text: str) -> None:
    parsed = parse(text)
    assert parsed["acts"] == [] and parsed["intent"]["confidence"] == 0


def test_ten_thousand_characters_are_read_like_any_line(parse: Parse) -> None:
    assert names(parse("多少钱啊" * 2500))[0] == "ask_price"


def test_values_become_entities(parse: Parse) -> None:
    entity = next(item for item in parse("一个月五块钱我不要")["entities"] if item["entity"] == "money")
    assert entity["value"] == "5"


def test_times_are_relative_to_the_callees_now(parse: Parse) -> None:
    parsed = parse("明天下午三点半再打", now="2026-11-22T10:00:00+08:00")
    assert "2026-11-23T15:30:00+08:00" in [item["value"] for item in parsed["entities"]]


def test_the_archive_holds_no_pickle_and_arrays_without_objects(archive: Path) -> None:
    arrays = 0
    with tarfile.open(archive) as opened:
        for member in opened.getmembers():
            assert not member.name.endswith((".pkl", ".pickle", ".skops", ".joblib"))
            if member.name.endswith(".npz"):
                content = opened.extractfile(member)
                assert content is not None
                with np.load(io.BytesIO(content.read()), allow_pickle=False) as stored:
                    arrays += len([stored[name] for name in stored.files])
    assert arrays >= 4


def test_the_lexicon_stays_out_of_the_global_jieba() -> None:
    cut = segmenter(["掌上营业厅旗舰版"])
    assert "掌上营业厅旗舰版" in [word.text for word in cut("打开掌上营业厅旗舰版")]
    assert "掌上营业厅旗舰版" not in jieba.lcut("打开掌上营业厅旗舰版")


def test_words_join_back_to_the_line() -> None:
    for text in ("我要办彩铃", "办 vip 会员10元的", "don't call me again", "<PHONE>是我的号"):
        assert segmenter()(text).text == text


def test_a_faulty_table_of_homophones_names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "homophones.tsv").write_text("# mistakes\n才领 彩铃\n", encoding="utf-8")
    with pytest.raises(LexiconError, match=r"homophones\.tsv:2"):
        read_lexicon(tmp_path)


def test_the_fingerprint_follows_the_lexicon(tmp_path: Path) -> None:
    (tmp_path / "trade.txt").write_text("彩铃\n", encoding="utf-8")
    before = TradeTokenizer.fingerprint_addon({"lexicon": str(tmp_path)})
    (tmp_path / "trade.txt").write_text("彩铃\n炫铃\n", encoding="utf-8")
    assert TradeTokenizer.fingerprint_addon({"lexicon": str(tmp_path)}) != before
