"""A listener brings every final text to the bus once, the newest partial where the bus is slow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from bot.bus.assisted import Posted, Utterance
from bot.bus.errors import BusDown
from bot.call.clock import run_virtual
from bot.call.ports import HungUpIn
from bot.listening.ports import Heard, TrackIn
from bot.listening.two_ears import TwoEars
from bot.processes.listener import CallGone, Listener, listen
from bot.speech.vad_silero import SileroDetector
from tests.listening.test_two_ears import Stream, Streams, WordsIn, sound


class Bus:
    """Takes what it is given; `slow_s` for each post; refuses the posts whose numbers are in `down`."""

    def __init__(self, slow_s: float = 0.0, down: Sequence[int] = (), outcome: str = "new") -> None:
        self.taken: list[Utterance] = []
        self.posts = 0
        self._slow_s, self._down, self._outcome = slow_s, down, outcome

    async def post(self, call_id: str, utterances: Sequence[Utterance]) -> list[Posted]:
        self.posts += 1
        number = self.posts
        await asyncio.sleep(self._slow_s)
        if number in self._down:
            raise BusDown("Redis does not answer")
        self.taken += utterances
        return [Posted(self._outcome, 1) for _ in utterances]  # type: ignore[arg-type]


def words(text: str, final: bool = False, name: str = "c1") -> Heard:
    return Heard("customer", name, text, 0, 100, final)


async def coming(*items: Heard, every_s: float = 0.1) -> AsyncIterator[Heard]:
    for item in items:
        await asyncio.sleep(every_s)
        yield item


def test_words_go_on_as_they_come_with_their_side_and_times() -> None:
    bus = Bus()
    heard = Heard("agent", "a7", "您好", 120, 900, True, 0.7)
    run_virtual(Listener(bus, "call-1").pass_on(coming(words("太"), words("太贵"), heard)))
    assert [one.text for one in bus.taken] == ["太", "太贵", "您好"]
    assert bus.taken[-1] == Utterance(
        utterance_id="a7", party="agent", text="您好", begin_ms=120, end_ms=900, final=True,
        asr_confidence=0.7,
    )  # fmt: skip


def test_a_slow_bus_gets_the_newest_partial_and_every_final_text() -> None:
    bus = Bus(slow_s=1.0)
    said = [
        words("太"),
        words("太贵"),
        words("太贵了", True),
        words("不", name="c2"),
        words("不要", True, "c2"),
    ]
    run_virtual(Listener(bus, "call-1").pass_on(coming(*said)))
    assert [one.text for one in bus.taken] == ["太", "太贵了", "不要"]


def test_what_may_not_have_arrived_is_sent_again() -> None:
    bus = Bus(down=(1, 2))
    run_virtual(Listener(bus, "call-1", retry_s=0.5).pass_on(coming(words("太贵了", True))))
    assert [one.text for one in bus.taken] == ["太贵了"]
    assert bus.posts == 3


@pytest.mark.parametrize("outcome", ["ended", "unknown"])
def test_a_call_that_takes_no_words_ends_the_listening(outcome: str) -> None:
    bus = Bus(outcome=outcome)
    endless = coming(*[words("喂", True, f"c{number}") for number in range(1000)])
    with pytest.raises(CallGone, match=outcome):
        run_virtual(Listener(bus, "call-1").pass_on(endless))
    assert bus.posts == 1


class Leg:
    """A line with two tracks that hangs up."""

    async def tracks(self) -> AsyncIterator[TrackIn | HungUpIn]:
        for track in sound("customer"):
            await asyncio.sleep(0.02)
            yield track
        yield HungUpIn("customer")


def test_sound_of_a_line_becomes_words_on_the_bus() -> None:
    bus = Bus()
    streams = Streams(customer=Stream(lambda: WordsIn("你好", True)), agent=Stream(lambda: None))
    ears = TwoEars("call-1", streams, SileroDetector)
    assert run_virtual(listen(Leg(), ears, Listener(bus, "call-1"))) == "customer"
    assert [(one.party, one.text, one.final) for one in bus.taken] == [("customer", "你好", True)]


def test_the_line_is_let_go_when_the_call_has_ended() -> None:
    bus = Bus(outcome="ended")
    streams = Streams(customer=Stream(lambda: WordsIn("你好", True)), agent=Stream(lambda: None))
    with pytest.raises(CallGone):
        run_virtual(listen(Leg(), TwoEars("call-1", streams, SileroDetector), Listener(bus, "call-1")))
