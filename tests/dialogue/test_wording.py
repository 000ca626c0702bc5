"""The choice of wordings: seeded, no repeats while another is left, never against its needs."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue.importer import inherit_metadata
from bot.dialogue.running import RunningTurn
from bot.dialogue.wording import LineError, Wording, fill


def responses(*variations: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return {"utter_x": inherit_metadata(list(variations))}


def turn(seed: int = 0) -> RunningTurn:
    return RunningTurn(seed=seed, said={})


@given(seed=st.integers(0, 2**40), count=st.integers(1, 6))
def test_no_wording_returns_while_another_is_left(seed: int, count: int) -> None:
    wording = Wording(responses(*({"text": f"line {number}"} for number in range(count))))
    running = turn(seed)
    said = [wording._choose("utter_x", {}, running, {})["text"] for _ in range(count)]
    assert len(set(said)) == count


@given(seed=st.integers(0, 2**40), count=st.integers(2, 5), rounds=st.integers(2, 12))
def test_never_the_same_sentence_twice_running(seed: int, count: int, rounds: int) -> None:
    wording = Wording(responses(*({"text": f"line {number}"} for number in range(count))))
    running = turn(seed)
    said = [wording._choose("utter_x", {}, running, {})["text"] for _ in range(rounds)]
    assert all(one != other for one, other in itertools.pairwise(said))


@given(seed=st.integers(0, 2**40))
def test_the_same_seed_gives_the_same_wordings(seed: int) -> None:
    wording = Wording(responses({"text": "a"}, {"text": "b"}, {"text": "c"}))
    one, other = turn(seed), turn(seed)
    for _ in range(5):
        first = wording._choose("utter_x", {}, one, {})["text"]
        assert first == wording._choose("utter_x", {}, other, {})["text"]


@given(seed=st.integers(0, 2**40))
def test_a_wording_with_needs_stays_closed_until_they_hold(seed: int) -> None:
    wording = Wording(
        responses({"text": "plain"}, {"text": "account", "metadata": {"needs": ["name_confirmed"]}})
    )
    for slots in ({}, {"name_confirmed": False}, {"name_confirmed": None}):
        running = turn(seed)
        assert {wording._choose("utter_x", slots, running, {})["text"] for _ in range(4)} == {"plain"}
    running = turn(seed)
    slots = {"name_confirmed": True}
    assert {wording._choose("utter_x", slots, running, {})["text"] for _ in range(2)} == {"plain", "account"}


def test_nothing_open_is_an_error_that_names_the_line() -> None:
    wording = Wording(responses({"text": "account", "metadata": {"needs": ["name_confirmed"]}}))
    with pytest.raises(LineError, match="utter_x"):
        wording._choose("utter_x", {}, turn(), {})


def test_a_variable_without_a_value_is_named() -> None:
    with pytest.raises(LineError, match="monthly_fee"):
        fill("每月{monthly_fee}元", {"monthly_fee": None}, "utter_offer")


def test_variables_become_parts_for_splicing() -> None:
    wording = Wording(responses({"text": "请问是{title}吗?"}))
    message = wording._choose("utter_x", {"title": "张先生"}, turn(), {})
    assert message["parts"] == [("请问是", None), ("张先生", "title"), ("吗?", None)]
    assert "".join(text for text, _ in message["parts"]) == message["text"]


def test_what_a_customer_says_is_never_a_template() -> None:
    assert fill("好的{name}", {"name": "{price}", "price": "30"}) == "好的{price}"


def test_variations_inherit_the_first_ones_metadata() -> None:
    first, second = inherit_metadata(
        [
            {"text": "a", "metadata": {"stage": "intent", "technique": "anchor"}},
            {"text": "b", "metadata": {"technique": "humour"}},
        ]
    )
    assert second["metadata"] == {"stage": "intent", "technique": "humour", "variant": 1}
    assert first["metadata"]["variant"] == 0
