"""Which words stop the bot: on lines that were tuned on, on lines kept apart, and rules.

The lines kept apart (`held`): in interrupt_lines they were seen once (2 of 60 false stops, 1 of 76
missed), mended since, and guard against relapse.  In interrupt_lines_more only their numbers were
looked at: 13 of 72 false stops and 1 of 95 missed before the tuned half was worked on, 1 and 0 after.
interrupt_growing: `decides` is the beginning at which a person would know, null where none does.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.interrupts import judge
from bot.understanding.listening_words import NOISES_ZH

STORY = "这次是个优惠,原来一年60,现在一次交30块就可以用一年"


def rows_of(name: str) -> list[dict[str, Any]]:
    text = (Path(__file__).parent / f"{name}.jsonl").read_text("utf-8")
    return [json.loads(row) for row in text.splitlines()]


ROWS = {name: rows_of(name) for name in ("interrupt_lines", "interrupt_lines_more")}


@pytest.mark.parametrize("split", ["tune", "held"])
@pytest.mark.parametrize("name", list(ROWS))
def test_false_stops_and_missed_interruptions_stay_under_3_percent(name: str, split: str) -> None:
    wrong: Counter[bool] = Counter()
    count: Counter[bool] = Counter()
    for row in ROWS[name]:
        if row["split"] == split:
            count[row["stop"]] += 1
            wrong[row["stop"]] += judge(row["bot_line"], row["text"], row["expects"]).stop != row["stop"]
    assert min(count.values()) >= 50
    assert wrong[False] / count[False] < 0.03, "false stops on backchannels"
    assert wrong[True] / count[True] < 0.03, "missed interruptions"


@pytest.mark.parametrize("row", rows_of("interrupt_growing"), ids=lambda row: row["text"])
def test_a_growing_text_stops_the_bot_at_the_word_that_decides_and_not_before(row: dict[str, Any]) -> None:
    text = row["text"].lower()
    words = [] if re.search("[\u3400-\u9fff]", text) else text.split()
    partials = [" ".join(words[: n + 1]) for n in range(len(words))]
    for partial in partials or [text[: n + 1] for n in range(len(text))]:
        decided = row["decides"] is not None and partial.startswith(row["decides"])
        assert judge(STORY, partial, settled=False).stop == decided, partial


@pytest.mark.parametrize("text", ["不", "等", "没", "原来", "多", "no", "wh"])
def test_a_word_that_may_still_become_another_waits(text: str) -> None:
    assert not judge("", text, settled=False).stop


@pytest.mark.parametrize("text", ["不用", "等一下", "没兴趣", "多少", "wait", "who"])
def test_words_that_decide_do_not_wait(text: str) -> None:
    assert judge("", text, settled=False).stop


def test_yes_after_a_yes_no_question_is_an_answer_and_in_a_story_is_not() -> None:
    assert judge("您看可以吗", "对", "yes_no").stop
    assert not judge("一年只要30块", "对", "none").stop


def test_a_verdict_after_an_open_question_is_an_answer_and_a_nod_is_not() -> None:
    assert judge("您平时用得怎么样呢", "还行", "open").stop
    assert not judge("您平时用得怎么样呢", "嗯嗯", "open").stop


@pytest.mark.parametrize(
    "text",
    ["现在一次交30块", "现在一次交三十块", "原来一年六十现在一次叫三十块"],
    ids=["as written", "in words", "misheard"],
)
def test_the_bots_own_words_coming_back_do_not_stop_it(text: str) -> None:
    assert not judge("原来一年60,现在一次交30块", text).stop


def test_talk_to_someone_beside_the_phone_stops_the_bot() -> None:
    for text in ("你等一下我接个电话", "宝宝别闹", "honey can you get the door"):
        assert judge(STORY, text).stop, text


def test_an_unknown_expectation_is_refused() -> None:
    with pytest.raises(ValueError, match="must be yes_no, open or none"):
        judge("", "嗯", "maybe")


@given(
    st.lists(
        st.sampled_from(sorted(NOISES_ZH - {"喂", "好", "行", "得", "成", "中", "对", "可以"})),
        min_size=1,
        max_size=3,
    )
)
def test_noises_said_again_and_again_stay_noises(noises: list[str]) -> None:
    assert not judge("", "嗯".join(noises)).stop


@given(st.text(max_size=60), st.sampled_from(["yes_no", "open", "none"]), st.booleans())
def test_any_text_is_judged_and_the_score_agrees(text: str, expects: str, settled: bool) -> None:
    verdict = judge("您好", text, expects, settled=settled)
    assert 0 <= verdict.score <= 1 and verdict.stop == (verdict.score > 0.5)
