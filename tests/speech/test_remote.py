"""Ears and a voice across a process boundary: the same words, one stream's fault is not another's."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from aiohttp import web

from bot.call.pcm import frames, silence
from bot.call.ports import RecogniserError, RecogniserStream, VoiceError, WordsIn
from bot.processes.recogniser import RecogniserServer
from bot.speech.remote import RemoteRecogniser, RemoteVoice
from bot.speech.tts_espeak import EspeakVoice
from tests.speech.sounds import MODELS, said
from tests.speech.test_pocketsphinx import needs_mandarin

ROOT = Path(__file__).resolve().parents[2]


class EchoRecogniser:
    """Says how much it heard and what it was told to expect; fails where it is fed the byte 255."""

    name = "echo"

    async def open(self, call_id: str) -> RecogniserStream:
        return EchoStream(call_id)


class EchoStream:
    def __init__(self, call_id: str) -> None:
        self._id, self._bytes, self._expected = call_id, 0, ""
        self._queue: asyncio.Queue[WordsIn | None] = asyncio.Queue()

    async def feed(self, pcm: bytes) -> None:
        if pcm[:1] == b"\xff":
            raise RecogniserError("the model broke", retryable=True)
        self._bytes += len(pcm)
        self._queue.put_nowait(WordsIn(f"{self._bytes}", False, self._id, 0.5))

    async def expect(self, phrases: Sequence[str]) -> None:
        self._expected = "|".join(phrases)

    async def end_utterance(self) -> None:
        self._queue.put_nowait(WordsIn(f"{self._bytes} {self._expected}", True, self._id))

    async def words(self) -> AsyncIterator[WordsIn]:
        while (item := await self._queue.get()) is not None:
            yield item

    async def close(self) -> None:
        self._queue.put_nowait(None)


def serving(work: Callable[[str], Awaitable[None]]) -> None:
    async def scenario() -> None:
        server = RecogniserServer({"zh": EchoRecogniser()}, EspeakVoice())
        runner = web.AppRunner(server.application())
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            await work(f"127.0.0.1:{runner.addresses[0][1]}")
        finally:
            await runner.cleanup()

    asyncio.run(scenario())


def test_frames_go_there_and_words_come_back_in_order() -> None:
    async def work(address: str) -> None:
        ears = RemoteRecogniser(address)
        stream = await ears.open("c-1")
        await stream.expect(["同意", "不要"])
        for _ in range(3):
            await stream.feed(silence(20))
        await stream.end_utterance()
        got = []
        async for words in stream.words():
            got.append(words)
            if words.final:
                await stream.close()
        await ears.close()
        assert got == [
            WordsIn("320", False, "c-1", 0.5), WordsIn("640", False, "c-1", 0.5),
            WordsIn("960", False, "c-1", 0.5), WordsIn("960 同意|不要", True, "c-1"),
        ]  # fmt: skip

    serving(work)


def test_a_fault_in_one_stream_is_told_there_and_leaves_the_other_alone() -> None:
    async def work(address: str) -> None:
        ears = RemoteRecogniser(address)
        bad, good = await ears.open("bad"), await ears.open("good")
        await bad.feed(b"\xff" * 320)
        with pytest.raises(RecogniserError, match="the model broke") as caught:
            async for _ in bad.words():
                pass
        assert caught.value.retryable
        await good.feed(silence(20))
        assert (await anext(aiter(good.words()))).text == "320"
        await ears.close()

    serving(work)


def test_a_language_it_does_not_know_is_refused_by_name() -> None:
    async def work(address: str) -> None:
        ears = RemoteRecogniser(address, "en")
        stream = await ears.open("c")
        with pytest.raises(RecogniserError, match="recognises zh, not en"):
            await anext(aiter(stream.words()))
        await ears.close()

    serving(work)


def test_the_voice_is_the_same_there_as_here() -> None:
    async def work(address: str) -> None:
        voice = RemoteVoice(address, "espeak")
        assert await voice.synthesize("您好") == said("您好")
        with pytest.raises(VoiceError, match="over 2000"):
            await voice.synthesize("好" * 2001)
        await voice.close()

    serving(work)


def test_nobody_there_names_the_command_and_may_be_tried_again() -> None:
    async def scenario() -> None:
        ears, voice = RemoteRecogniser("127.0.0.1:9"), RemoteVoice("127.0.0.1:9", "espeak")
        with pytest.raises(RecogniserError, match=r"python -m bot\.processes\.recogniser") as caught:
            await ears.open("c")
        assert caught.value.retryable
        with pytest.raises(VoiceError) as spoken:
            await voice.synthesize("好")
        assert spoken.value.retryable
        await ears.close()
        await voice.close()

    asyncio.run(scenario())


@pytest.mark.speech
@needs_mandarin
def test_the_process_says_ready_hears_mandarin_and_stops_when_asked() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.processes.recogniser", "--listen", "127.0.0.1:0"],
        cwd=ROOT, env={**os.environ, "HUASHU_MODELS": str(MODELS)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        address = process.stdout.readline().removeprefix("ready ").strip()

        async def hear() -> str:
            ears = RemoteRecogniser(address)
            stream = await ears.open("c-9")
            await stream.expect(["同意办理", "我不需要", "你是机器人吗"])
            for frame in frames(silence(300) + said("同意办理") + silence(300)):
                await stream.feed(frame)
            await stream.end_utterance()
            async for words in stream.words():
                if words.final:
                    await ears.close()
                    return words.text
            return ""

        assert asyncio.run(hear()) == "同意办理"
    finally:
        process.terminate()
    assert process.wait(10) == 0


def test_a_missing_model_ends_the_process_with_the_remedy(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot.processes.recogniser", "--listen", "127.0.0.1:0"],
        cwd=ROOT, env={**os.environ, "HUASHU_MODELS": str(tmp_path)},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "huashu models pull pocketsphinx-zh" in done.stderr
    assert done.stdout == ""
