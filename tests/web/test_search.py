"""Looking up lines of a script by words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assist.web_api.search import Line, ScriptSearch, best, lines_of
from bot.dialogue.script_files import ScriptError

LINES = [
    Line("utter_price", "每月58元,流量和宽带都在里面。", "价格", "客户问价", ("多少钱", "资费")),
    Line("utter_cancel", "随时可以取消,次月生效。", "怎么退", "", ("退订", "取消")),
    Line("utter_speed", "宽带是300兆光纤。", "网速"),
]


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("多少钱", "utter_price"),
        ("怎么取消", "utter_cancel"),
        ("退订", "utter_cancel"),
        ("网速", "utter_speed"),
        ("300 兆", "utter_speed"),
        ("宽带", "utter_price"),
    ],
)
def test_the_line_that_is_meant_comes_first(words: str, first: str) -> None:
    assert best(LINES, words)[0].node == first


@pytest.mark.parametrize("words", ["", "  ", "?!", "天气怎么样啊今天", "\u200b"])
def test_what_no_line_is_about_finds_nothing(words: str) -> None:
    assert best(LINES, words) == []


def test_only_cards_that_can_be_said_as_they_stand_are_found() -> None:
    card = {"card": "answer", "title": "价格", "about": "多少钱"}
    found = lines_of(
        {
            "utter_a": [{"text": "每月{now}元", "metadata": card}, {"text": "每月几十块"}],
            "utter_b": [{"text": "只有{now}", "metadata": card}],
            "utter_c": [{"text": "没有卡片"}],
            "utter_d": [{"text": "给支配型", "condition": [{}], "metadata": card}, {"text": "给所有人"}],
            "utter_e": None,
            "utter_f": ["text"],
        }
    )
    assert [(line.node, line.text) for line in found] == [("utter_a", "每月几十块"), ("utter_d", "给所有人")]
    assert found[0].about == ("多少钱",)


def domain(text: str) -> str:
    return f"responses:\n  utter_a:\n  - text: {text}\n    metadata: {{card: answer, title: 价格}}\n"


def test_a_file_that_changes_is_read_again_and_a_broken_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bundle" / "domain.yml"
    path.parent.mkdir()
    search = ScriptSearch(tmp_path)
    for number, text in enumerate(("每月58元", "每月68元")):
        path.write_text(domain(text), "utf-8")
        os.utime(path, ns=(number, number))
        assert [line["text"] for line in search.search("bundle", "价格")] == [text]
    path.write_text("responses: [", "utf-8")
    with pytest.raises(ScriptError, match=r"domain\.yml"):
        search.search("bundle", "价格")
