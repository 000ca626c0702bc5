"""Two lines joined: sound and keys go over in order, jitter and drift are evened out, one end ends both."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from itertools import pairwise
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.call.clock import run_virtual
from bot.call.pacer import Pacer
from bot.call.pcm import SILENT_FRAME
from bot.call.ports import AudioIn, HungUpIn, MarkIn, WordsIn
from bot.listening.ports import Heard, TrackIn
from bot.phone.bridge import MOST_WAITING, Bridge, Over
from tests.phone.scripted_leg import FRAME_S, ScriptedLeg, frame

T = TypeVar("T")


class Recording:
    """What would be recorded: (side, frame, at_ms)."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes, int]] = []

    def customer(self, pcm: bytes, at_ms: int) -> None:
        self.taken.append(("customer", pcm, at_ms))

    def bot(self, pcm: bytes, at_ms: int) -> None:
        self.taken.append(("agent", pcm, at_ms))


class Joined:
    """A bridge that runs."""

    def __init__(self, customer: ScriptedLeg, agent: ScriptedLeg, *, began_s: float | None = None) -> None:
        self.customer, self.agent, self.record, self.pacer = customer, agent, Recording(), Pacer()
        began = asyncio.get_running_loop().time() if began_s is None else began_s
        self.bridge = Bridge(customer, agent, self.pacer, began_s=began, record=self.record)
        customer.listen(self.bridge.from_customer)
        agent.listen(self.bridge.from_agent)
        self.bridge.start()
        self.over = asyncio.ensure_future(self.bridge.run())


def virtual(work: Coroutine[Any, Any, T]) -> T:
    return run_virtual(work)


def test_each_hears_the_other_in_order_and_nothing_of_himself() -> None:
    async def call() -> None:
        joined = Joined(ScriptedLeg(), ScriptedLeg())
        await asyncio.gather(joined.customer.talks(100), joined.agent.talks(100, first=500))
        await asyncio.sleep(0.1)
        assert joined.agent.heard() == list(range(100))
        assert joined.customer.heard() == list(range(500, 600))
        assert joined.agent.sent[0][1] is not SILENT_FRAME and len(joined.agent.sent) == 100
        joined.customer.leaves()
        assert await joined.over == Over("customer", "customer")

    virtual(call())


def test_a_frame_is_passed_on_within_two_ticks() -> None:
    async def call() -> None:
        loop = asyncio.get_running_loop()
        joined, began = Joined(ScriptedLeg(), ScriptedLeg()), loop.time()
        await joined.customer.talks(100)
        await asyncio.sleep(0.1)
        late = [at - began - count * FRAME_S for count, (at, _) in enumerate(joined.agent.sent)]
        assert max(late) <= 2 * FRAME_S + 1e-6
        joined.agent.leaves("agent")
        await joined.over

    virtual(call())


@pytest.mark.parametrize("continuous", [True, False])
def test_a_line_that_needs_a_frame_every_20_ms_gets_silence_where_there_is_none(continuous: bool) -> None:
    async def call() -> None:
        joined = Joined(ScriptedLeg(), ScriptedLeg(continuous=continuous))
        await asyncio.sleep(1.0)
        await joined.customer.talks(10)
        await asyncio.sleep(1.0)
        times = [at for at, _ in joined.agent.sent]
        if continuous:
            assert len(times) >= 105
            assert all(abs(b - a - FRAME_S) < 1e-6 for a, b in pairwise(times))
        else:
            assert len(times) == 10
        assert joined.agent.heard() == list(range(10))
        joined.agent.leaves("agent")
        await joined.over

    virtual(call())


@given(st.lists(st.integers(-9, 9), min_size=100, max_size=100))
def test_frames_that_jitter_by_half_a_tick_come_without_gap_loss_or_change_of_order(
    jitter: list[int],
) -> None:
    async def call() -> None:
        loop = asyncio.get_running_loop()
        joined, began = Joined(ScriptedLeg(), ScriptedLeg()), loop.time()
        for count, off_ms in enumerate(jitter):
            await asyncio.sleep(max(0.0, began + 0.02 + count * FRAME_S + off_ms / 1000 - loop.time()))
            joined.customer.says(AudioIn(frame(count)))
        await asyncio.sleep(0.1)
        assert joined.agent.heard() == list(range(100))
        times = [at for at, _ in joined.agent.sent]
        assert all(abs(b - a - FRAME_S) < 1e-6 for a, b in pairwise(times))
        joined.agent.leaves("agent")
        await joined.over

    virtual(call())


@pytest.mark.parametrize("rate", [0.98, 1.02])
def test_a_clock_that_is_two_percent_off_delays_no_word_by_more_than_200_ms(rate: float) -> None:
    async def call() -> None:
        loop = asyncio.get_running_loop()
        joined, began = Joined(ScriptedLeg(), ScriptedLeg(continuous=True)), loop.time()
        await joined.customer.talks(6000, every_s=FRAME_S / rate)
        heard = joined.agent.heard()
        assert heard == sorted(heard) and len(heard) >= 6000 * (0.97 if rate > 1 else 0.999)
        spoken = FRAME_S / rate
        late = [
            at - began - (int.from_bytes(pcm[:2], "little") - 1) * spoken
            for at, pcm in joined.agent.sent
            if pcm != SILENT_FRAME
        ]
        assert max(late) <= (MOST_WAITING + 1) * FRAME_S
        gaps = [b - a for a, b in pairwise(heard)]
        assert max(gaps) <= 2, "what a fast clock piles up goes a frame at a time, not a syllable"
        joined.agent.leaves("agent")
        await joined.over

    virtual(call())


def test_after_a_stall_the_newest_is_heard_not_what_piled_up() -> None:
    async def call() -> None:
        joined = Joined(ScriptedLeg(), ScriptedLeg())
        await joined.customer.talks(10)
        for count in range(10, 60):  # a second of sound at once
            joined.customer.says(AudioIn(frame(count)))
        await asyncio.sleep(0.5)
        heard = joined.agent.heard()
        assert heard[:8] == list(range(8)) and heard[-1] == 59 and len(heard) <= 10 + MOST_WAITING + 1
        joined.agent.leaves("agent")
        await joined.over

    virtual(call())


def test_keys_go_over_where_the_line_can_send_them_and_marks_never() -> None:
    async def call() -> None:
        joined = Joined(ScriptedLeg(dtmf_out=False), ScriptedLeg())
        for digit in "12#":
            joined.customer.presses(digit)
        joined.agent.presses("5")
        joined.customer.says(MarkIn("1.0"))
        assert joined.agent.digits == "12#" and joined.customer.digits == ""
        joined.customer.leaves()
        await joined.over

    virtual(call())


def test_what_was_still_to_be_heard_of_the_bot_is_dropped_at_the_start() -> None:
    async def call() -> None:
        joined = Joined(ScriptedLeg(), ScriptedLeg())
        assert (joined.customer.flushes, joined.agent.flushes) == (1, 0)
        joined.customer.leaves()
        await joined.over

    virtual(call())


@pytest.mark.parametrize("first", ["customer", "agent"])
def test_the_first_who_hangs_up_ends_the_other_once(first: str) -> None:
    async def call() -> None:
        customer, agent = ScriptedLeg(), ScriptedLeg()
        joined = Joined(customer, agent)
        one, other = (customer, agent) if first == "customer" else (agent, customer)
        one.leaves("line_lost")
        other.leaves("customer")  # at the same moment
        assert await joined.over == Over(first, "line_lost")  # type: ignore[arg-type]
        assert customer.hung_up == agent.hung_up == [first]
        assert joined.pacer.lines == 0
        sent = len(other.sent)
        joined.bridge.from_customer(AudioIn(frame(1)))
        await asyncio.sleep(0.1)
        assert len(other.sent) == sent

    virtual(call())


@pytest.mark.parametrize("how", ["stop", "cancel"])
def test_ended_from_here_both_lines_are_hung_up(how: str) -> None:
    async def call() -> None:
        joined = Joined(ScriptedLeg(), ScriptedLeg())
        await asyncio.sleep(0.1)
        if how == "stop":
            joined.bridge.stop("shutdown")
            assert await joined.over == Over("us", "shutdown")
        else:
            joined.over.cancel()
            await asyncio.gather(joined.over, return_exceptions=True)
        assert joined.customer.hung_up == joined.agent.hung_up == ["shutdown"]
        assert joined.pacer.lines == 0

    virtual(call())


def test_both_sides_are_recorded_at_their_time_on_the_joined_calls_clock() -> None:
    async def call() -> None:
        loop = asyncio.get_running_loop()
        joined = Joined(ScriptedLeg(), ScriptedLeg(), began_s=loop.time() - 3.0)
        await asyncio.sleep(1.0)
        joined.customer.says(AudioIn(frame(1)))
        joined.agent.says(AudioIn(frame(2)))
        assert joined.record.taken == [("customer", frame(1), 3980), ("agent", frame(2), 3980)]
        joined.agent.leaves("agent")
        await joined.over

    virtual(call())


def test_listeners_get_both_tracks_in_order_of_time_and_then_the_end() -> None:
    async def call() -> None:
        joined = Joined(ScriptedLeg(), ScriptedLeg())
        tracks = joined.bridge.tracks()
        await asyncio.gather(joined.customer.talks(5), joined.agent.talks(5, first=50))
        joined.agent.leaves("agent")
        await joined.over
        got = [item async for item in tracks]
        assert got[-1] == HungUpIn("agent")
        found = [item for item in got if isinstance(item, TrackIn)]
        assert [item.at_ms for item in found] == sorted(item.at_ms for item in found)
        for side, first in (("customer", 0), ("agent", 50)):
            frames = [frame(first + count) for count in range(5)]
            assert [item.pcm for item in found if item.side == side] == frames

    virtual(call())


def test_the_sound_of_a_line_that_brings_words_itself_is_not_recognised_besides() -> None:
    async def call() -> None:
        joined = Joined(ScriptedLeg(words=True), ScriptedLeg())
        tracks = joined.bridge.tracks()
        await asyncio.gather(joined.customer.talks(5), joined.agent.talks(5))
        joined.agent.leaves("agent")
        await joined.over
        sides = {item.side async for item in tracks if isinstance(item, TrackIn)}
        assert sides == {"agent"}

    virtual(call())


def test_words_of_the_lines_come_with_their_side_and_the_time_of_their_first_partial() -> None:
    async def call() -> None:
        joined = Joined(ScriptedLeg(words=True), ScriptedLeg())
        words = joined.bridge.words()
        await asyncio.sleep(1.0)
        joined.customer.says(WordsIn("太", False, "c7"))
        await asyncio.sleep(0.5)
        joined.customer.says(WordsIn("太贵了", True, "c7", 0.9))
        joined.agent.says(WordsIn("您说", True, "typed-1"))
        joined.customer.leaves()
        await joined.over
        assert [heard async for heard in words] == [
            Heard("customer", "customer-c7", "太", 1000, 1000, False),
            Heard("customer", "customer-c7", "太贵了", 1000, 1500, True, 0.9),
            Heard("agent", "agent-typed-1", "您说", 1500, 1500, True),
        ]

    virtual(call())


def test_two_utterances_without_a_name_are_two() -> None:
    async def call() -> None:
        joined = Joined(ScriptedLeg(words=True), ScriptedLeg())
        words = joined.bridge.words()
        for text in ("喂", "你好"):
            joined.customer.says(WordsIn(text, False))
            await asyncio.sleep(0.3)
            joined.customer.says(WordsIn(text, True))
            await asyncio.sleep(0.3)
        joined.customer.leaves()
        await joined.over
        names = [(heard.utterance_id, heard.final) async for heard in words]
        assert [final for _, final in names] == [False, True, False, True]
        assert names[0][0] == names[1][0] != names[2][0] == names[3][0]

    virtual(call())
