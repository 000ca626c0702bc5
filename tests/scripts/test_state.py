"""What the steering state must be, whatever happens in a call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.state import (
    Said,
    Stock,
    as_slots,
    asked_after,
    from_slots,
    read_back,
    resume,
    take_stock,
)
from bot.understanding.acts import ACTS, PSEUDO_ACTS


@dataclass(frozen=True)
class Line:
    metadata: dict[str, Any] = field(default_factory=dict)
    finished: bool = True
    begun: bool = True
    node: str = "utter_x"


def line(*, finished: bool = True, begun: bool = True, **metadata: Any) -> Line:
    return Line(metadata, finished, begun)


QUESTIONS = [
    "name",
    "permission",
    "offer",
    "reason",
    "concern",
    "id",
    "owner",
    "order",
    "callback_time",
    "person",
]
TERMS = ["identity", "price", "term", "cancel", "order_question", "robot", "purpose"]
lines = st.builds(
    Line,
    st.fixed_dictionaries(
        {},
        optional={
            "asks": st.sampled_from(QUESTIONS),
            "discloses": st.lists(st.sampled_from(TERMS), max_size=3),
            "rebuts": st.just("object_price"),
        },
    ),
    st.booleans(),
    st.booleans(),
)
said = st.builds(
    Said,
    st.sampled_from([*ACTS, *PSEUDO_ACTS]),
    st.lists(st.sampled_from(sorted(ACTS)), max_size=2),
    st.one_of(st.none(), st.sampled_from(["1234", "9999", "12", "0001234"])),
    st.booleans(),
)
turns = st.lists(st.tuples(st.lists(lines, max_size=3), said), max_size=12)


def after(*steps: tuple[list[Line], Said], id_last4: str | None = "1234") -> Stock:
    stock = Stock()
    for heard, words in steps:
        stock = take_stock(stock, heard, words, id_last4=id_last4)
    return stock


@given(turns)
def test_state_survives_its_slots(steps: list[tuple[list[Line], Said]]) -> None:
    stock = after(*steps)
    assert from_slots(as_slots(stock)) == stock


@given(turns)
def test_no_argument_after_two_and_none_once_refused(steps: list[tuple[list[Line], Said]]) -> None:
    stock = Stock()
    for heard, words in steps:
        before = stock
        stock = take_stock(stock, heard, words, id_last4="1234")
        assert stock.rebuttals >= before.rebuttals and stock.refusals >= before.refusals
        assert not (stock.may_rebut and (stock.rebuttals >= 2 or stock.selling_over))
        assert not (stock.may_clarify and (stock.refusals != 1 or before.refusals or stock.selling_over))
        assert stock.selling_over or not before.selling_over


@given(turns)
def test_terms_count_as_heard_only_when_every_part_was_heard_to_its_end(
    steps: list[tuple[list[Line], Said]],
) -> None:
    finished = {
        what
        for heard, _ in steps
        for one in heard
        if one.begun and one.finished
        for what in one.metadata.get("discloses", ())
    }
    stock = after(*steps)
    assert stock.disclosed == finished
    assert (stock.terms_heard == "all") == (
        finished >= {"identity", "price", "term", "cancel", "order_question"}
    )


@given(turns)
def test_identity_passes_only_by_the_right_digits_or_the_owners_yes(
    steps: list[tuple[list[Line], Said]],
) -> None:
    stock = after(*steps)
    if stock.id_check == "pass":
        assert any(
            (words.digits or "").endswith("1234") or "affirm" in (words.act, *words.acts)
            for _, words in steps
        )
    assert stock.wrong_ids <= 2


@given(turns)
def test_a_name_is_confirmed_only_by_a_yes(steps: list[tuple[list[Line], Said]]) -> None:
    if after(*steps).name_confirmed:
        assert any("affirm" in (words.act, *words.acts) for _, words in steps)


@given(turns)
def test_there_is_always_a_way_back(steps: list[tuple[list[Line], Said]]) -> None:
    assert all(name.startswith("utter_") for name in resume(after(*steps)))
    assert resume(after(*steps))


def test_a_question_counts_once_any_of_it_was_heard() -> None:
    heard = [
        line(asks="name"),
        line(asks="offer", finished=False),
        line(asks="order", begun=False, finished=False),
    ]
    assert asked_after("none", heard) == "offer"
    assert after((heard, Said("unsure"))).asked == "offer"


def test_a_yes_with_a_question_confirms_the_name() -> None:
    stock = after(([line(asks="name")], Said("ask_identity", ["affirm", "ask_identity"])))
    assert stock.name_confirmed and stock.pending == "permission"


@pytest.mark.parametrize(
    ("given_digits", "outcome"),
    [
        (["1234"], "pass"),
        (["9999"], "retry"),
        (["9999", "1234"], "pass"),
        (["9999", "8888"], "fail"),
        (["12"], "none"),
    ],
)
def test_digits_get_one_more_try(given_digits: list[str], outcome: str) -> None:
    stock = after(*[([line(asks="id")], Said("inform", ["inform"], digits)) for digits in given_digits])
    assert stock.id_check == outcome


def test_a_wrong_try_is_not_held_against_the_next_words() -> None:
    stock = after(([line(asks="id")], Said("inform", [], "9999")), ([], Said("ask_purpose")))
    assert stock.id_check == "none" and stock.wrong_ids == 1


def test_a_passed_check_is_not_undone() -> None:
    stock = after(([line(asks="id")], Said("inform", [], "1234")), ([], Said("inform", [], "9999")))
    assert stock.id_check == "pass" and stock.pending == "order"


def test_first_refusal_may_be_clarified_and_the_second_ends_the_selling() -> None:
    first = take_stock(Stock(), [line(asks="offer")], Said("decline_offer"), id_last4=None)
    assert first.may_clarify and not first.selling_over
    second = take_stock(first, [line(asks="reason")], Said("decline_offer"), id_last4=None)
    assert second.selling_over and not second.may_clarify and not second.may_rebut


def test_a_refusal_after_an_argument_is_not_clarified() -> None:
    heard = [line(rebuts="object_price"), line(asks="offer")]
    assert not take_stock(Stock(), heard, Said("decline_offer"), id_last4=None).may_clarify


def test_the_rule_profile_may_forbid_clarifying() -> None:
    stock = take_stock(Stock(), [line(asks="offer")], Said("deny"), id_last4=None, clarify_refusal=False)
    assert stock.refusals == 1 and not stock.may_clarify


def test_no_need_after_a_refusal_is_a_second_refusal_unless_we_asked_why() -> None:
    refused = take_stock(Stock(), [line(asks="offer")], Said("decline_offer"), id_last4=None)
    assert take_stock(refused, [line(asks="offer")], Said("object_no_need"), id_last4=None).selling_over
    assert take_stock(refused, [line(asks="reason")], Said("object_no_need"), id_last4=None).may_rebut


def test_no_thanks_to_a_callback_refuses_no_offer() -> None:
    assert (
        take_stock(Stock(), [line(asks="callback_time")], Said("decline_offer"), id_last4=None).refusals == 0
    )


def test_do_not_call_ends_the_selling_at_once() -> None:
    assert take_stock(Stock(), [], Said("request_dnc"), id_last4=None).selling_over


def test_patience_counts_running_silences_and_running_misses_apart() -> None:
    stock = after(([], Said("silence")), ([], Said("no_match")), ([], Said("silence")), ([], Said("silence")))
    assert (stock.silences, stock.misses) == (2, 1)
    assert after(([], Said("out_of_scope")), ([], Said("affirm"))).misses == 0


@pytest.mark.parametrize(
    ("disclosed", "heard", "missing"),
    [
        ([], "none", 3),
        (["identity", "price"], "none", 3),
        (["identity", "price", "term"], "price", 2),
        (["identity", "price", "term", "cancel"], "terms", 0),
        (["identity", "price", "term", "cancel", "order_question"], "all", 0),
    ],
)
def test_what_was_cut_off_is_read_again(disclosed: list[str], heard: str, missing: int) -> None:
    stock = take_stock(Stock(), [line(discloses=disclosed)], Said("affirm"), id_last4=None)
    assert stock.terms_heard == heard
    assert len(read_back(heard)) == missing


def test_taking_it_while_giving_reasons_answers_the_offer_but_never_the_order() -> None:
    offer = after(
        ([line(asks="offer")], Said("decline_offer")), ([line(asks="reason")], Said("accept_offer"))
    )
    assert offer.asked == "offer"
    order = after(
        ([line(asks="order")], Said("decline_offer")), ([line(asks="reason")], Said("accept_offer"))
    )
    assert order.asked == "reason"
