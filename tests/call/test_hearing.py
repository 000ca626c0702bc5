"""One call's ears: frames in order and none waited for, bounded, and a failure told once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

import pytest

from bot import events as ev
from bot.call.adapters import Adapters
from bot.call.clock import run_virtual
from bot.call.driver import CallDriver
from bot.call.hearing import MOST_BEHIND_MS, Ears
from bot.call.pacer import Pacer
from bot.call.parameters import Parameters
from bot.call.ports import FRAME_MS, LegCapabilities, RecogniserError, WordsIn
from bot.call.session import CallSession
from bot.turn import Reply
from tests.call.one_call import FACTS, QUESTION, UNSURE, P, reply
from tests.call.test_driver import Brain, Leg, Log, Loudness, Prompts

FRAME = b"\x01\x00" * 160


class Stream:
    """A recogniser's stream.  `lag_s`: it takes so long for each frame; `fails`: raised at such a frame."""

    def __init__(self, lag_s: float = 0.0, fails: dict[int, Exception] | None = None) -> None:
        self.took: list[object] = []
        self.closed = 0
        self.says: asyncio.Queue[WordsIn | Exception | None] = asyncio.Queue()
        self._lag_s, self._fails = lag_s, fails or {}

    async def feed(self, pcm: bytes) -> None:
        await asyncio.sleep(self._lag_s)
        if (fault := self._fails.get(len(self.took))) is not None:
            raise fault
        self.took.append(pcm)

    async def expect(self, phrases: Sequence[str]) -> None:
        self.took.append(tuple(phrases))

    async def end_utterance(self) -> None:
        self.took.append("end")

    async def words(self) -> AsyncIterator[WordsIn]:
        while (said := await self.says.get()) is not None:
            if isinstance(said, Exception):
                raise said
            yield said

    async def close(self) -> None:
        self.closed += 1


class Heard:
    def __init__(self) -> None:
        self.words: list[WordsIn] = []
        self.failed: list[RecogniserError] = []


def ears(stream: Stream) -> tuple[Ears, Heard]:
    heard = Heard()
    return Ears(stream, heard.words.append, heard.failed.append), heard


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    run_virtual(main())


def test_all_goes_to_the_recogniser_in_the_order_it_came() -> None:
    async def main() -> None:
        stream = Stream()
        listening, heard = ears(stream)
        listening.feed(FRAME)
        listening.expect(["好的"])
        listening.feed(FRAME)
        listening.end_utterance()
        await asyncio.sleep(0.1)
        assert stream.took == [FRAME, ("好的",), FRAME, "end"]
        assert (listening.behind_ms, heard.failed) == (0, [])
        await listening.close()

    run(main)


def test_a_frame_never_waits_for_the_recogniser_and_how_far_it_is_behind_is_told() -> None:
    async def main() -> None:
        stream = Stream(lag_s=1.0)
        listening, _ = ears(stream)
        for _ in range(50):
            listening.feed(FRAME)
        assert listening.behind_ms == 1000
        await asyncio.sleep(0.5)
        assert listening.behind_ms == 1000 - FRAME_MS
        await listening.close()

    run(main)


def test_one_too_far_behind_has_failed_and_is_told_once() -> None:
    async def main() -> None:
        listening, heard = ears(Stream(lag_s=3600))
        for _ in range(MOST_BEHIND_MS // FRAME_MS):
            listening.feed(FRAME)
        await asyncio.sleep(0)
        assert heard.failed == []
        for _ in range(50):
            listening.feed(FRAME)
        assert len(heard.failed) == 1 and heard.failed[0].retryable
        assert "behind" in str(heard.failed[0])
        await listening.close()

    run(main)


FAULTS: list[Exception] = [RecogniserError("gone"), ConnectionResetError("reset"), ValueError("bug")]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_stream_that_takes_no_more_is_told_once_whatever_it_raises(fault: Exception) -> None:
    async def main() -> None:
        listening, heard = ears(Stream(fails={2: fault}))
        for _ in range(10):
            listening.feed(FRAME)
            await asyncio.sleep(0.02)
        assert len(heard.failed) == 1 and str(fault) in str(heard.failed[0])
        await listening.close()

    run(main)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_stream_that_gives_no_more_is_told_once_whatever_it_raises(fault: Exception) -> None:
    async def main() -> None:
        stream = Stream()
        listening, heard = ears(stream)
        stream.says.put_nowait(WordsIn("好", False))
        stream.says.put_nowait(fault)
        await asyncio.sleep(0.1)
        assert [words.text for words in heard.words] == ["好"]
        assert len(heard.failed) == 1 and str(fault) in str(heard.failed[0])
        await listening.close()

    run(main)


def test_words_that_end_while_the_call_goes_on_are_a_failure() -> None:
    async def main() -> None:
        stream = Stream()
        listening, heard = ears(stream)
        stream.says.put_nowait(None)
        await asyncio.sleep(0.1)
        assert len(heard.failed) == 1
        await listening.close()

    run(main)


def test_closed_ears_are_silent_and_close_their_stream() -> None:
    async def main() -> None:
        stream = Stream()
        listening, heard = ears(stream)
        await listening.close()
        stream.says.put_nowait(WordsIn("好", True))
        for _ in range(MOST_BEHIND_MS // FRAME_MS + 10):
            listening.feed(FRAME)
        await asyncio.sleep(0.1)
        await listening.close()
        assert (heard.words, heard.failed, stream.took) == ([], [], [])
        assert stream.closed >= 1

    run(main)


# -- in a call


class Recogniser:
    name = "test"

    def __init__(self, stream: Stream) -> None:
        self.stream = stream

    async def open(self, call_id: str) -> Stream:
        return self.stream


class Deaf(Leg):
    """A line that delivers no words."""

    capabilities = LegCapabilities(flush=True)


def carry(stream: Stream, leg: Leg, *replies: Reply, parameters: Parameters = P) -> tuple[ev.CallEnded, Log]:
    log = Log()

    async def call() -> ev.CallEnded:
        adapters = Adapters(
            leg=leg, brain=Brain(*replies), prompts=Prompts(), voices=Loudness(), pacer=Pacer(), log=log,
            recogniser=Recogniser(stream),
        )  # fmt: skip
        session = CallSession(FACTS, parameters, UNSURE, final_on_demand=True)
        return await CallDriver("c1", session, adapters, parameters).run()

    return run_virtual(call()), log


@pytest.mark.parametrize("fault", FAULTS)
def test_a_call_whose_ears_fail_ends_politely(fault: Exception) -> None:
    leg = Deaf([range(100, 120)], {}, hangs_up_at=3000)
    ended, _ = carry(Stream(fails={60: fault}), leg, reply(1, QUESTION))
    assert (ended.cause, leg.hung_up) == ("ears_failed", ["ears_failed"])
    assert ended.at_ms < MOST_BEHIND_MS, "at once"


def test_a_call_whose_ears_fall_behind_ends_politely_and_not_before_ten_seconds() -> None:
    leg = Deaf([range(100, 120)], {}, hangs_up_at=3000)
    ended, log = carry(Stream(lag_s=3600), leg, reply(1, QUESTION))
    assert ended.cause == "ears_failed"
    assert ended.at_ms > MOST_BEHIND_MS
    said = [e.node for e in log.events if isinstance(e, ev.Playback)]
    assert said[0] == QUESTION.node and said[-1] == "apology"
    assert "filler" in said, "meanwhile he was not left in silence"


def test_a_fault_in_what_words_lead_to_ends_the_call() -> None:
    """Not a call that is deaf for ever and knows nothing of it."""

    class Breaks(CallSession):
        def handle(self, signal: Any) -> Any:
            if type(signal).__name__ == "Words":
                raise RuntimeError("a bug in the session")
            return super().handle(signal)

    stream, leg = Stream(), Deaf([range(100, 120)], {}, hangs_up_at=500)

    async def call() -> None:
        adapters = Adapters(
            leg=leg, brain=Brain(reply(1, QUESTION)), prompts=Prompts(), voices=Loudness(), pacer=Pacer(),
            log=Log(), recogniser=Recogniser(stream),
        )  # fmt: skip
        stream.says.put_nowait(WordsIn("好", True))
        await CallDriver("c1", Breaks(FACTS, P, UNSURE), adapters, P).run()

    with pytest.raises(RuntimeError, match="a bug in the session"):
        run_virtual(call())
    assert leg.hung_up == ["fault"]


def test_a_fault_in_what_a_timer_leads_to_ends_the_call() -> None:
    class Breaks(CallSession):
        def handle(self, signal: Any) -> Any:
            if type(signal).__name__ == "TimerFired":
                raise RuntimeError("a bug in the session")
            return super().handle(signal)

    leg = Leg([], {}, hangs_up_at=1000)

    async def call() -> None:
        adapters = Adapters(
            leg=leg, brain=Brain(reply(1, QUESTION)), prompts=Prompts(), voices=Loudness(), pacer=Pacer(),
            log=Log(),
        )  # fmt: skip
        await CallDriver("c1", Breaks(FACTS, P, UNSURE), adapters, P).run()

    with pytest.raises(RuntimeError, match="a bug in the session"):
        run_virtual(call())
    assert leg.hung_up == ["fault"]
