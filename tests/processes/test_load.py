"""The load limit: full is full, late is full, and neither lasts longer than its cause."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.call.clock import run_virtual
from bot.call.pacer import Pacer
from bot.processes.load import LATE_MS, LoadLimit


class FakePacer:
    """As much of a Pacer as is watched."""

    def __init__(self) -> None:
        self.lines = 1
        self.tick: Callable[[float], None] = lambda late_ms: None

    def watch(self, watch: Callable[[float], None]) -> None:
        self.tick = watch


def limit(most: int = 10, held: int = 1) -> tuple[LoadLimit, FakePacer, list[int]]:
    pacer, calls = FakePacer(), [held]
    return LoadLimit(cast(Pacer, pacer), most, lambda: calls[0]), pacer, calls


def test_as_many_as_may_be_and_not_one_more() -> None:
    load, _, calls = limit(most=10, held=9)
    assert load.refusal() is None
    calls[0] = 10
    assert load.refusal() == "10 calls are held, and no more may be"
    calls[0] = 9
    assert load.refusal() is None


def test_one_late_tick_in_a_second_is_no_load() -> None:
    load, pacer, _ = limit()
    for _ in range(10):
        pacer.tick(60)
        for _ in range(49):
            pacer.tick(0.5)
        assert load.refusal() is None


def test_lines_that_are_served_late_all_the_time_leave_no_room_until_they_are_not() -> None:
    load, pacer, _ = limit()
    for _ in range(100):
        pacer.tick(LATE_MS + 5)
    assert "late" in str(load.refusal())
    for _ in range(100):
        pacer.tick(0.5)
    assert load.refusal() is None


def test_a_stall_is_over_when_its_calls_are() -> None:
    """Without lines nothing ticks: a process must not refuse for ever what it could hold."""
    load, pacer, calls = limit()
    pacer.tick(2000)
    assert load.refusal() is not None
    pacer.lines, calls[0] = 0, 0
    assert load.refusal() is None


def test_one_that_stops_takes_nothing_whatever_room_there_is() -> None:
    load, _, calls = limit(held=0)
    load.close()
    assert load.refusal() == "this process is stopping"
    calls[0] = 0
    assert load.refusal() is not None


@given(st.lists(st.floats(0, 100_000), max_size=200))
def test_ticks_in_time_always_make_room_again(late: list[float]) -> None:
    load, pacer, _ = limit()
    for each in late:
        pacer.tick(each)
    for _ in range(400):
        pacer.tick(0.0)
    assert load.refusal() is None


@pytest.mark.parametrize("stall_s", [0.0, 2.0])
def test_it_watches_a_real_pacer(stall_s: float) -> None:
    async def main() -> None:
        import asyncio

        pacer = Pacer()
        load = LoadLimit(pacer, 10, lambda: pacer.lines)
        pacer.add("call", lambda: None)
        await asyncio.sleep(1)
        loop = asyncio.get_running_loop()
        loop._jumping.now += stall_s  # type: ignore[attr-defined]
        await asyncio.sleep(0.03)
        assert (load.refusal() is not None) == (stall_s > 0)
        pacer.remove("call")
        assert load.refusal() is None

    run_virtual(main())
