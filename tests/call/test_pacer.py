"""One clock for all lines: none is another's concern, deadlines are absolute, stalls are not made up for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from bot.call.clock import run_virtual
from bot.call.pacer import STALL_MS, Pacer


def run(main: Callable[[], Any]) -> Any:
    return run_virtual(main())


class Ticks:
    """A line that keeps when it was served."""

    def __init__(self) -> None:
        self.at_ms: list[int] = []

    def __call__(self) -> None:
        self.at_ms.append(round(asyncio.get_running_loop().time() * 1000))


def stalls(pacer: Pacer, *pairs: tuple[int, float]) -> None:
    """The process is stopped for so many ms at these ticks: the virtual clock jumps on."""
    loop: Any = asyncio.get_running_loop()
    at = dict(pairs)
    count = 0

    def stall() -> None:
        nonlocal count
        count += 1
        loop._jumping.now += at.get(count, 0) / 1000

    pacer.add("stall", stall)


def test_every_line_is_served_every_20_ms_from_the_moment_it_is_there() -> None:
    async def main() -> None:
        pacer, one, other = Pacer(), Ticks(), Ticks()
        pacer.add(1, one)
        await asyncio.sleep(0.05)
        pacer.add(2, other)
        await asyncio.sleep(0.06)
        assert one.at_ms == [0, 20, 40, 60, 80, 100]
        assert other.at_ms == [60, 80, 100]

    run(main)


def test_ten_minutes_later_the_ticks_lie_where_they_should() -> None:
    async def main() -> None:
        pacer, ticks = Pacer(), Ticks()
        pacer.add(1, ticks)
        await asyncio.sleep(600.01)
        assert ticks.at_ms == list(range(0, 600_001, 20))

    run(main)


def test_a_late_tick_does_not_shift_those_after_it() -> None:
    async def main() -> None:
        pacer, ticks = Pacer(), Ticks()
        late: list[float] = []
        pacer.watch(late.append)
        pacer.add(1, ticks)
        stalls(pacer, (3, 33))
        await asyncio.sleep(0.19)
        assert ticks.at_ms[:3] == [0, 20, 40]
        assert ticks.at_ms[3:] == [73, 80, 100, 120, 140, 160, 180]
        assert late[3] == pytest.approx(13)

    run(main)


def test_after_a_stall_the_missed_ticks_are_not_made_up_for(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        pacer, ticks = Pacer(), Ticks()
        late: list[float] = []
        pacer.watch(late.append)
        pacer.add(1, ticks)
        stalls(pacer, (3, 1000))
        await asyncio.sleep(1.13)
        assert ticks.at_ms == [0, 20, 40, 1040, 1060, 1080, 1100, 1120]
        assert max(late) == pytest.approx(980) and late[-1] == pytest.approx(0)

    with caplog.at_level(logging.WARNING):
        run(main)
    assert "980 ms late" in caplog.text and STALL_MS < 980


def test_a_line_that_fails_does_not_touch_the_others(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        pacer, before, after = Pacer(), Ticks(), Ticks()

        def fails() -> None:
            raise RuntimeError("a line's bug")

        pacer.add(1, before)
        pacer.add(2, fails)
        pacer.add(3, after)
        await asyncio.sleep(0.19)
        assert before.at_ms == after.at_ms == list(range(0, 181, 20))

    run(main)
    assert "a line's bug" in caplog.text


def test_what_fails_for_all_lines_together_does_not_stop_their_clock(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        def fails() -> None:
            raise RuntimeError("no voice detection")

        pacer, ticks = Pacer(fails), Ticks()
        pacer.add(1, ticks)
        await asyncio.sleep(0.19)
        assert ticks.at_ms == list(range(0, 181, 20))

    run(main)
    assert "no voice detection" in caplog.text


def test_a_line_that_leaves_is_not_served_in_that_very_tick() -> None:
    """One line's tick may end another's call."""

    async def main() -> None:
        pacer, ticks = Pacer(), Ticks()
        pacer.add(1, lambda: pacer.remove(2))
        pacer.add(2, ticks)
        await asyncio.sleep(0.1)
        assert ticks.at_ms == []
        pacer.remove(2)
        assert pacer.lines == 1

    run(main)


def test_a_line_that_comes_in_a_tick_is_served_from_the_next_one() -> None:
    async def main() -> None:
        pacer, ticks = Pacer(), Ticks()
        pacer.add(1, lambda: pacer.add(2, ticks))
        await asyncio.sleep(0.05)
        assert ticks.at_ms == [20, 40]

    run(main)


def test_without_lines_it_rests_and_begins_afresh_with_the_next_one() -> None:
    async def main() -> None:
        late: list[float] = []
        pacer, ticks = Pacer(), Ticks()
        pacer.watch(late.append)
        pacer.add(1, ticks)
        await asyncio.sleep(0.05)
        pacer.remove(1)
        await asyncio.sleep(3600)
        assert len(late) == 3, "nothing ticks for nobody"
        pacer.add(2, ticks)
        await asyncio.sleep(0.05)
        assert len(ticks.at_ms) == 6
        assert late == pytest.approx([0] * 6), "an hour without lines is no stall"

    run(main)


def test_what_is_done_for_all_comes_before_the_lines() -> None:
    async def main() -> None:
        order: list[str] = []
        pacer = Pacer(lambda: order.append("all"))
        pacer.add(1, lambda: order.append("one"))
        pacer.add(2, lambda: order.append("other"))
        await asyncio.sleep(0.03)
        assert order == ["all", "one", "other"] * 2

    run(main)
