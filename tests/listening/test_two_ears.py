"""Two ears on two tracks: real frames through voice detection and a recogniser; each side by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from assist.suggest.model import CARD_KINDS
from bot.call.clock import run_virtual
from bot.call.pcm import SILENT_FRAME, frames, silence
from bot.call.ports import FRAME_MS, Recogniser, RecogniserError, RecogniserStream, WordsIn
from bot.events import DISPOSITIONS
from bot.listening.ports import Heard, Side, TrackIn
from bot.listening.two_ears import TwoEars
from bot.phone.conversation import load_conversation
from bot.phone.two_people import TwoPeople
from bot.speech.asr_pocketsphinx import PocketsphinxRecogniser
from bot.speech.tts_espeak import EspeakSettings, EspeakVoice
from bot.speech.vad_silero import SileroDetector
from tests.speech.sounds import MODELS, said
from tests.speech.test_pocketsphinx import needs_mandarin

TWO = """
name: two
zh: 两个人
en: two people
script: bundle
contact: {name: 张伟}
lines:
  - {agent: "您好，请问现在方便吗", after_ms: 600}
  - {customer: "我现在不太方便，你有什么事"}
  - {agent: "给您介绍一下新的套餐", overlap_ms: 900}
  - {customer: "太贵了，我不需要", overlap_ms: 700}
"""


async def hear(people: TwoPeople, recogniser: Recogniser) -> list[Heard]:
    ears = TwoEars("call-1", recogniser, SileroDetector)
    await ears.open()
    for side in ("agent", "customer"):
        await ears.expect(side, people.phrases(side))
    async for track in people.tracks():
        if isinstance(track, TrackIn):
            await ears.feed(track)
    await ears.close()
    return [heard async for heard in ears.heard()]


@pytest.mark.speech
@needs_mandarin
def test_both_sides_are_heard_apart_though_they_speak_at_once(tmp_path: Path) -> None:
    (tmp_path / "two.yml").write_text(TWO, encoding="utf-8")
    conversation = load_conversation(tmp_path / "two.yml", CARD_KINDS, DISPOSITIONS)
    voices = [
        EspeakVoice(EspeakSettings(speed=180, pitch=pitch, variant=variant), inline=True)
        for pitch, variant in ((60, ""), (40, ""))
    ]
    people = TwoPeople(conversation, *voices)
    heard = run_virtual(hear(people, PocketsphinxRecogniser("zh", folder=MODELS / "pocketsphinx-zh-tdt-8k")))
    finals = [words for words in heard if words.final]
    for side in ("agent", "customer"):
        text = "".join(words.text for words in finals if words.side == side)
        said_here = "".join(part.heard for part in people.spoken if part.side == side)
        assert text == said_here, "a side is heard as it speaks, whatever the other says meanwhile"
        spans = [(part.begin_ms, part.end_ms) for part in people.spoken if part.side == side]
        for words in finals:
            if words.side == side:
                assert any(
                    begin - 200 <= words.begin_ms and words.end_ms <= end + 300 for begin, end in spans
                )
    assert any(not words.final for words in heard)
    overlapping = [
        (one, other)
        for one in finals
        for other in finals
        if one.side != other.side and one.begin_ms < other.end_ms and other.begin_ms < one.end_ms
    ]
    assert overlapping, "they do speak at once"


class Stream:
    """A recogniser's stream that does as it is told."""

    def __init__(self, answer: Callable[[], WordsIn | None]) -> None:
        self.fed = 0
        self.closed = 0
        self._answer = answer
        self._words: asyncio.Queue[WordsIn | None] = asyncio.Queue()

    async def feed(self, pcm: bytes) -> None:
        self.fed += 1

    async def expect(self, phrases: Sequence[str]) -> None: ...

    async def end_utterance(self) -> None:
        if (words := self._answer()) is not None:
            self._words.put_nowait(words)

    async def words(self) -> AsyncIterator[WordsIn]:
        while (words := await self._words.get()) is not None:
            yield words

    async def close(self) -> None:
        self.closed += 1
        self._words.put_nowait(None)


class Streams:
    """A recogniser whose streams are given, by side."""

    name = "given"

    def __init__(self, **streams: RecogniserStream) -> None:
        self.streams = streams

    async def open(self, call_id: str) -> RecogniserStream:
        return self.streams[call_id.rpartition("-")[2]]


class Broken(Stream):
    async def feed(self, pcm: bytes) -> None:
        raise RecogniserError("the model is gone", retryable=True)


def sound(side: Side) -> list[TrackIn]:
    pcm = silence(400) + said("你好，请问你是哪位") + silence(800)
    return [TrackIn(side, frame, (n + 1) * FRAME_MS) for n, frame in enumerate(frames(pcm))]


async def heard_of(streams: Streams, tracks: Sequence[TrackIn]) -> list[Heard]:
    ears = TwoEars("call-1", streams, SileroDetector)
    await ears.open()
    for track in tracks:
        await ears.feed(track)
        await asyncio.sleep(0)
    await ears.close()
    return [heard async for heard in ears.heard()]


def test_a_side_that_goes_deaf_is_named_once_and_the_other_is_heard(
    caplog: pytest.LogCaptureFixture,
) -> None:
    good, broken = Stream(lambda: WordsIn("你好", True)), Broken(lambda: None)
    tracks = [*sound("agent"), *sound("customer")]
    with caplog.at_level(logging.ERROR):
        heard = run_virtual(heard_of(Streams(customer=good, agent=broken), tracks))
    assert [(words.side, words.text) for words in heard] == [("customer", "你好")]
    assert [record.getMessage() for record in caplog.records if "agent" in record.getMessage()] == [
        "call call-1: the agent is not heard any more: the model is gone"
    ]
    assert good.closed == broken.closed == 1


def test_last_words_that_never_come_do_not_hold_the_call_up() -> None:
    silent = Stream(lambda: None)
    tracks = sound("customer")[:-40]
    assert run_virtual(heard_of(Streams(customer=silent, agent=Stream(lambda: None)), tracks)) == []
    assert silent.closed == 1


def test_silence_on_both_sides_asks_the_recogniser_for_nothing() -> None:
    asked = []
    streams = {side: Stream(lambda: asked.append(1)) for side in ("agent", "customer")}  # type: ignore[func-returns-value]
    tracks = [TrackIn(side, SILENT_FRAME, at) for at in range(20, 3000, 20) for side in ("agent", "customer")]  # type: ignore[arg-type]
    assert run_virtual(heard_of(Streams(**streams), tracks)) == []
    assert asked == []
    assert all(stream.fed == 149 for stream in streams.values())
