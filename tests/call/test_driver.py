"""Whole calls on a virtual clock: frames, voice, words, a brain, a log; no time passes."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable

import pytest

from bot import events as ev
from bot.call.adapters import Adapters
from bot.call.clock import run_virtual
from bot.call.driver import CallDriver
from bot.call.pacer import Pacer
from bot.call.pcm import SILENT_FRAME, level_dbfs
from bot.call.ports import (
    AudioIn,
    HungUpIn,
    LegCapabilities,
    Receive,
    TransferFailed,
    VoiceError,
    WordsIn,
)
from bot.call.session import CallSession
from bot.turn import Line, Reply, TurnRequest
from tests.call.one_call import FACTS, GOODBYE, QUESTION, STORY, UNSURE, P, reply

LOUD = (b"\x00\x20" * 80) + (b"\x00\xe0" * 80)
FRAME_S = 0.02


class Loudness:
    """Voice detection for tests: a frame that is not silent is a voice."""

    def open(self, found: Callable[[float], None]) -> Loudness.Stream:
        return Loudness.Stream(found)

    def run(self) -> None:
        pass

    class Stream:
        def __init__(self, found: Callable[[float], None]) -> None:
            self._found = found

        def feed(self, pcm: bytes) -> None:
            self._found(0.0 if pcm == SILENT_FRAME else 1.0)

        def close(self) -> None:
            pass


class Leg:
    """A far end that speaks and hangs up at given frames, and keeps the frames it is sent."""

    capabilities = LegCapabilities(words=True, flush=True)

    def __init__(self, voice: list[range], words: dict[int, WordsIn], hangs_up_at: int | None = None) -> None:
        self.heard: list[tuple[float, bytes]] = []
        self.hung_up: list[str] = []
        self._voice, self._words, self._hangs_up_at = voice, words, hangs_up_at

    def listen(self, receive: Receive) -> None:
        self._talk = asyncio.create_task(self._run(receive))

    async def _run(self, receive: Receive) -> None:
        loop = asyncio.get_running_loop()
        tick = 0
        while not self.hung_up:
            if tick == self._hangs_up_at:
                break
            await asyncio.sleep(max(0.0, (tick + 1) * FRAME_S - loop.time()))
            receive(AudioIn(LOUD if any(tick in span for span in self._voice) else SILENT_FRAME))
            if tick in self._words:
                receive(self._words[tick])
            tick += 1
        receive(HungUpIn("customer"))

    def send(self, pcm: bytes) -> None:
        self.heard.append((asyncio.get_running_loop().time(), pcm))

    def flush(self) -> None:
        pass

    def mark(self, name: str) -> None:
        pass

    def send_digits(self, digits: str) -> None:
        pass

    async def transfer(self, target: str) -> None:
        raise TransferFailed("no switch")

    async def hang_up(self, cause: str) -> None:
        self.hung_up.append(cause)


class Brain:
    """Answers the turns with the given replies, after 10 ms; keeps the requests."""

    def __init__(self, *replies: Reply) -> None:
        self.asked: list[TurnRequest] = []
        self._replies = {r.turn: r for r in replies}

    async def ask(self, request: TurnRequest) -> Reply:
        await asyncio.sleep(0.01)
        if request.speculative:
            raise TimeoutError
        self.asked.append(request)
        return self._replies[request.turn]


class Prompts:
    """Every character takes 100 ms."""

    async def audio(self, line: Line) -> bytes:
        return LOUD * (5 * len(line.text))


class Log:
    def __init__(self, fails_at: int = -1) -> None:
        self.events: list[ev.AnyEvent] = []
        self._fails_at = fails_at

    async def append(self, event: ev.AnyEvent) -> int:
        if len(self.events) == self._fails_at:
            raise OSError("disk full")
        self.events.append(event)
        return len(self.events)


def carry(leg: Leg, brain: Brain, log: Log, prompts: Prompts | None = None) -> ev.CallEnded:
    adapters = Adapters(
        leg=leg, brain=brain, prompts=prompts or Prompts(), voices=Loudness(), pacer=Pacer(), log=log
    )

    async def call() -> ev.CallEnded:
        return await CallDriver("c1", CallSession(FACTS, P, UNSURE), adapters, P).run()

    return run_virtual(call())


def test_a_call_from_the_answer_to_the_goodbye() -> None:
    # the question is 12 characters: 1.2 s; the customer answers from 2.0 s to 2.4 s
    leg = Leg([range(100, 120)], {129: WordsIn("不要", True)})
    brain = Brain(reply(1, QUESTION), reply(2, GOODBYE, ended=True, disposition="declined"))
    log = Log()
    ended = carry(leg, brain, log)
    assert (ended.by, ended.disposition) == ("bot", "declined")
    assert [(r.kind, r.text) for r in brain.asked] == [("open", None), ("say", "不要")]
    assert brain.asked[1].heard is not None and brain.asked[1].heard[0].finished
    assert [type(e).__name__ for e in log.events] == [
        "CallStarted",
        "CallAnswered",
        "ReplyEvent",
        "SpeechStarted",
        "Playback",
        "SpeechEnded",
        "SpeechStarted",
        "SpeechEnded",
        "UtterancePartial",
        "UtteranceFinal",
        "ReplyEvent",
        "SpeechStarted",
        "Playback",
        "SpeechEnded",
        "CallEnded",
    ]
    assert leg.hung_up == ["normal"]
    assert [e.at_ms for e in log.events] == sorted(e.at_ms for e in log.events)


def test_the_first_sound_comes_within_60_ms_of_the_words_that_complete_the_turn() -> None:
    leg = Leg([range(100, 120)], {129: WordsIn("不要", True)})
    brain = Brain(reply(1, QUESTION), reply(2, GOODBYE, ended=True, disposition="declined"))
    carry(leg, brain, Log())
    stopped_s = 120 * FRAME_S
    answer = next(at for at, pcm in leg.heard if pcm != SILENT_FRAME and at > stopped_s)
    assert answer - stopped_s <= 0.26


def test_frames_go_out_every_20_ms_whatever_happens() -> None:
    leg = Leg([range(100, 120)], {129: WordsIn("不要", True)})
    brain = Brain(reply(1, QUESTION), reply(2, GOODBYE, ended=True, disposition="declined"))
    carry(leg, brain, Log())
    times = [at for at, _ in leg.heard]
    assert all(abs(b - a - FRAME_S) < 1e-6 for a, b in itertools.pairwise(times))


def test_an_interruption_lowers_then_silences_and_the_log_says_how_much_was_heard() -> None:
    leg = Leg(
        [range(50, 100)], {75: WordsIn("等一下我问你", False), 109: WordsIn("等一下我问你多少钱", True)}, 200
    )
    brain = Brain(reply(1, STORY), reply(2, QUESTION))
    log = Log()
    carry(leg, brain, log)
    loud = {round(at / FRAME_S): level_dbfs(pcm) for at, pcm in leg.heard}
    assert loud[49] - 11 > loud[56] > -40, "lowered after the first sound"
    words_at = round(76 * FRAME_S * 1000)
    story = next(e for e in log.events if isinstance(e, ev.Playback))
    assert story.outcome == "interrupted" and abs(story.heard_ms - words_at) <= 60
    after = [pcm for at, pcm in leg.heard if 76 * FRAME_S + 0.03 < at < 109 * FRAME_S]
    assert set(after) == {SILENT_FRAME}


def test_a_voice_that_fails_ends_the_call() -> None:
    class Dumb(Prompts):
        async def audio(self, line: Line) -> bytes:
            raise VoiceError("no voice")

    ended = carry(Leg([], {}), Brain(reply(1, STORY)), Log(), Dumb())
    assert (ended.cause, ended.disposition) == ("voice_failed", "failed")


def test_a_log_that_fails_ends_the_call_and_is_raised() -> None:
    leg = Leg([], {})
    with pytest.raises(OSError, match="disk full"):
        carry(leg, Brain(reply(1, STORY)), Log(fails_at=3))
    assert leg.hung_up


def test_a_far_end_that_is_gone_ends_the_call() -> None:
    log = Log()
    ended = carry(Leg([], {}, hangs_up_at=40), Brain(reply(1, STORY)), log)
    assert (ended.by, ended.disposition) == ("customer", "hung_up")
    assert isinstance(log.events[-1], ev.CallEnded)


def test_virtual_time_jumps_to_the_next_timer() -> None:
    async def hour() -> float:
        loop = asyncio.get_running_loop()
        order: deque[str] = deque()
        loop.call_later(20, order.append, "second")
        loop.call_later(10, order.append, "first")
        await asyncio.sleep(3600)
        assert list(order) == ["first", "second"]
        return loop.time()

    assert run_virtual(hour()) == pytest.approx(3600)
