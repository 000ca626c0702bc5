"""The transcripts of benchmarks/assist_quality: every mark names something that exists."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from assist.loading import load_assist_script
from assist.suggest.model import CARD_KINDS, STAGES
from benchmarks.assist_quality import HERE, NONE, SPOKEN_FACTS, Right, Tally, Transcript, judge_card
from bot.typed_yaml import load_typed
from bot.understanding.acts import ACTS

load = cache(load_assist_script)
FILES = sorted(HERE.glob("*.yml"))
TECHNIQUES = {
    "empathy", "price_anchor", "shift_focus", "social_proof", "authority", "pre_empt", "guide", "humour",
    "trial",
}  # fmt: skip


def test_there_are_twenty_or_more_and_nearly_half_are_held_out() -> None:
    held_out = [path for path in FILES if path.stem.startswith("h")]
    assert len(FILES) >= 20
    assert 0.4 <= len(held_out) / len(FILES) <= 0.6


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_mark_names_something_that_exists(path: Path) -> None:
    transcript = load_typed(path, Transcript)
    script = load(transcript.script)
    facts = SPOKEN_FACTS | set(script.facts) | {"complaints", "occupation", "monthly_fee_ringback"}
    products = {product.key for product in script.catalogue.products}
    assert {*transcript.facts, *transcript.may} <= facts
    for turn in transcript.turns:
        assert (turn.a is None) != (turn.c is None)
        if turn.right is None:
            continue
        right = turn.right
        assert {*right.kinds, *right.forbid} <= {*CARD_KINDS, NONE}
        assert not set(right.kinds) & set(right.forbid)
        assert set(right.stage) <= set(STAGES)
        assert set(right.technique) <= TECHNIQUES
        assert set(right.product) <= products
        assert set(right.facts) <= facts
        assert set(right.asks) <= facts
        assert not right.alarm or turn.a is not None
        assert set(right.done) <= {item.key for item in script.must_say}
        if isinstance(right.objection, (str, tuple)):
            named = right.objection if isinstance(right.objection, tuple) else (right.objection,)
            assert set(named) - {None} <= set(ACTS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_transcript_is_a_whole_call_with_marks_on_it(path: Path) -> None:
    transcript = load_typed(path, Transcript)
    assert 8 <= len(transcript.turns) <= 25
    assert sum(turn.right is not None for turn in transcript.turns) >= 4


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_fact_marked_at_a_turn_is_among_those_of_the_call(path: Path) -> None:
    transcript = load_typed(path, Transcript)
    at_turns = {name for turn in transcript.turns if turn.right for name in turn.right.facts}
    assert at_turns <= {*transcript.facts, *transcript.may}


QUESTION = {"kind": "question", "asks": "home_users", "text": "家里几口人?"}
ANSWER = {"kind": "answer", "text": "三百兆,一家人够用。"}
REBUTTAL = {"kind": "rebuttal", "technique": "empathy", "text": "理解您。"}


@pytest.mark.parametrize(
    ("right", "card", "hit"),
    [
        (Right(kinds=("question",)), QUESTION, True),
        (Right(kinds=("question",), asks=("tv_use",)), QUESTION, False),
        (Right(kinds=("answer", "question"), asks=("home_users",)), QUESTION, True),
        (Right(kinds=("question",)), None, False),
        (Right(kinds=("none",)), None, True),
        (Right(kinds=("none",)), QUESTION, False),
        (Right(forbid=("question",)), QUESTION, False),
        (Right(forbid=("offer",)), None, True),
        (Right(kinds=("answer",), words=("300", "三百")), ANSWER, True),
        (Right(kinds=("answer",), words=("搬家",)), ANSWER, False),
        (Right(kinds=("rebuttal",), technique=("authority",)), REBUTTAL, False),
        (Right(kinds=("rebuttal",), technique=("authority", "empathy")), REBUTTAL, True),
        (Right(kinds=("rebuttal",), words=("搬家",)), REBUTTAL, True),
    ],
)
def test_a_card_is_right_by_kind_and_by_what_it_holds(
    right: Right, card: dict[str, Any] | None, hit: bool
) -> None:
    tally = Tally()
    judge_card(right, card, "here", tally)
    assert list(tally.hits.values()) == [[hit]]
    assert len(tally.errors) == (not hit)
