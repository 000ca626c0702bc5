"""What a call learns of its timing stays within bounds, follows what is seen, and is forgotten again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.call.pace import LONGEST_LAG_MS, PAUSES_COUNT_FROM_MS, SEEN_LAGS, Pace
from bot.call.parameters import Parameters

P = Parameters()
lags = st.lists(st.integers(-5000, 5000), max_size=20)


def seen(*behind_ms: int) -> Pace:
    pace = Pace(P)
    for each in behind_ms:
        pace.words_came(each)
    return pace


def test_before_anything_is_seen_the_parameters_hold() -> None:
    pace = Pace(P)
    assert (pace.lag_ms, pace.extra_ms) == (P.words_lag_ms, 0)


def test_one_or_two_quick_words_do_not_make_the_bot_hasty() -> None:
    assert seen(60).lag_ms == P.words_lag_ms
    assert seen(60, 80).lag_ms == P.words_lag_ms
    assert seen(60, 80, 70).lag_ms == P.least_lag_ms


def test_one_slow_word_makes_it_careful_at_once() -> None:
    assert seen(400).lag_ms == 400
    assert seen(60, 80, 400).lag_ms == 400 + P.lag_margin_ms


def test_a_slow_word_is_forgotten_when_enough_quick_ones_came_after() -> None:
    assert seen(500, *[150] * (SEEN_LAGS - 1)).lag_ms == 500 + P.lag_margin_ms
    assert seen(500, *[150] * SEEN_LAGS).lag_ms == 150 + P.lag_margin_ms


@given(lags)
def test_no_lag_makes_it_hasty_or_wait_for_ever(behind: list[int]) -> None:
    pace = seen(*behind)
    assert P.least_lag_ms <= pace.lag_ms <= LONGEST_LAG_MS
    taken = [each for each in behind if 0 <= each <= LONGEST_LAG_MS][-SEEN_LAGS:]
    if taken:
        assert pace.lag_ms >= min(LONGEST_LAG_MS, max(taken)), "never less than the slowest of late"


def turns(*longest_pause_ms: int) -> Pace:
    pace = Pace(P)
    for pause in longest_pause_ms:
        pace.paused(pause)
        pace.turn_over()
    return pace


@given(st.lists(st.integers(0, 100_000), max_size=20))
def test_patience_has_a_bound_and_is_never_negative(pauses: list[int]) -> None:
    assert 0 <= turns(*pauses).extra_ms <= P.most_patience_ms


def test_a_breath_is_no_pause_and_anybody_pauses_once() -> None:
    assert turns(*[PAUSES_COUNT_FROM_MS] * 10).extra_ms == 0
    assert turns(600).extra_ms == 0


def test_who_pauses_in_one_turn_after_another_is_waited_for() -> None:
    found = [turns(*[800] * n).extra_ms for n in range(1, 8)]
    assert found == sorted(found) and found[-1] > 200


def test_patience_goes_when_the_pauses_do() -> None:
    found = [turns(*[800] * 5, *[0] * n).extra_ms for n in range(6)]
    assert found == sorted(found, reverse=True) and found[0] > found[-1] == 0


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_a_longer_pause_never_makes_it_less_patient(one: int, other: int) -> None:
    assert turns(500, 500, max(one, other)).extra_ms >= turns(500, 500, min(one, other)).extra_ms
