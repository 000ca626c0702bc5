"""Lines become sound once; recordings come first while they say what the line says; memory is bounded."""

from __future__ import annotations

import asyncio
import logging
import wave
from pathlib import Path

import numpy as np
import pytest

from bot.call.designer_audio import DesignerAudio, RecordingError, read_recording, splice
from bot.call.pcm import duration_ms, level_dbfs, pcm_of, samples_of, silence
from bot.call.ports import FRAME_BYTES, VoiceError
from bot.call.prompts import LinePrompts
from bot.turn import Line, Part
from tests.speech.sounds import said

OFFER = Line(
    node="utter_offer",
    text="现在一次交30块用一年",
    parts=(Part(text="现在一次交"), Part(text="30", variable="price"), Part(text="块用一年")),
)
HELLO = Line(node="utter_hello", text="您好，打扰了。", parts=(Part(text="您好，打扰了。"),))


class CountingVoice:
    """espeak, counting what it is asked; yields once so that requests overlap."""

    def __init__(self, name: str = "counting") -> None:
        self.name = name
        self.asked: list[str] = []

    async def synthesize(self, text: str) -> bytes:
        self.asked.append(text)
        await asyncio.sleep(0)
        return said(text)


class BrokenVoice:
    name = "broken"

    async def synthesize(self, text: str) -> bytes:
        raise VoiceError("no sound", retryable=True)


def record(path: Path, text: str, *, rate_hz: int = 16000, level: int = 4000, channels: int = 2) -> None:
    """A designer's recording: a tone between silences, stereo, louder or softer than a prompt should be."""
    tone = np.sin(np.arange(rate_hz) * 2 * np.pi * 440 / rate_hz) * level
    sound = np.concatenate((np.zeros(rate_hz // 2), tone, np.zeros(rate_hz // 2)))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(pcm_of(np.repeat(sound, channels)))
    path.with_suffix(".txt").write_text(text, encoding="utf-8")


def test_a_line_is_whole_frames_of_the_voice() -> None:
    sound = asyncio.run(LinePrompts(CountingVoice()).audio(HELLO))
    assert len(sound) % FRAME_BYTES == 0
    assert sound.startswith(said(HELLO.text))


def test_many_at_once_and_later_ones_render_once() -> None:
    async def scenario() -> list[str]:
        voice = CountingVoice()
        prompts = LinePrompts(voice)
        sounds = await asyncio.gather(*(prompts.audio(HELLO) for _ in range(20)))
        assert len(set(sounds)) == 1
        await prompts.audio(HELLO)
        return voice.asked

    assert asyncio.run(scenario()) == [HELLO.text]


def test_one_who_gives_up_does_not_take_the_sound_from_the_others() -> None:
    async def scenario() -> bytes:
        prompts = LinePrompts(CountingVoice())
        first, second = (asyncio.ensure_future(prompts.audio(HELLO)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert asyncio.run(scenario())


def test_what_was_said_before_is_on_disk_but_nothing_with_a_variable(tmp_path: Path) -> None:
    async def scenario(voice: CountingVoice) -> None:
        await LinePrompts(voice, folder=tmp_path).prepare([HELLO, OFFER])

    first, second, other = CountingVoice(), CountingVoice(), CountingVoice("another")
    asyncio.run(scenario(first))
    asyncio.run(scenario(second))
    asyncio.run(scenario(other))
    assert first.asked == [HELLO.text, OFFER.text]
    assert second.asked == [OFFER.text]
    assert other.asked == [HELLO.text, OFFER.text]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_sound_cut_short_on_disk_is_made_again(tmp_path: Path) -> None:
    asyncio.run(LinePrompts(CountingVoice(), folder=tmp_path).audio(HELLO))
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:777])
    assert asyncio.run(LinePrompts(CountingVoice(), folder=tmp_path).audio(HELLO)) == whole


def test_memory_is_bounded_and_forgets_the_oldest() -> None:
    async def scenario() -> list[str]:
        voice = CountingVoice()
        prompts = LinePrompts(voice, memory_bytes=len(said("一二三四")) * 2)
        lines = [Line(node=f"n{i}", text=text) for i, text in enumerate(("一二三四", "五六七八", "九零一二"))]
        for line in lines:
            await prompts.audio(line)
        await prompts.audio(lines[2])
        await prompts.audio(lines[0])
        return voice.asked

    assert asyncio.run(scenario()) == ["一二三四", "五六七八", "九零一二", "一二三四"]


def test_a_voice_that_fails_says_so_and_is_asked_again() -> None:
    async def scenario() -> None:
        prompts = LinePrompts(BrokenVoice())
        for _ in range(2):
            with pytest.raises(VoiceError, match="no sound"):
                await prompts.audio(HELLO)

    asyncio.run(scenario())


def test_a_recording_is_preferred_brought_to_8_khz_and_the_common_level(tmp_path: Path) -> None:
    record(tmp_path / "utter_hello.0.wav", "您好,打扰了")
    voice = CountingVoice()
    sound = asyncio.run(LinePrompts(voice, recordings=DesignerAudio(tmp_path)).audio(HELLO))
    assert voice.asked == []
    assert abs(duration_ms(sound) - 1040) <= 40  # a second of tone; the silence around it is trimmed
    assert level_dbfs(sound) == pytest.approx(-20, abs=1)
    spectrum = np.abs(np.fft.rfft(samples_of(sound).astype(float)))
    assert abs(np.argmax(spectrum) * 8000 / len(samples_of(sound)) - 440) < 5


@pytest.mark.parametrize("spoken", ["您好，打扰您了", None])
def test_a_recording_that_says_something_else_is_not_used_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, spoken: str | None
) -> None:
    record(tmp_path / "utter_hello.0.wav", spoken or "")
    if spoken is None:
        (tmp_path / "utter_hello.0.txt").unlink()
    voice = CountingVoice()
    with caplog.at_level(logging.WARNING):
        asyncio.run(LinePrompts(voice, recordings=DesignerAudio(tmp_path)).audio(HELLO))
    assert voice.asked == [HELLO.text]
    assert "utter_hello.0.wav is not used" in caplog.text


def test_recorded_parts_are_joined_with_the_spoken_variable(tmp_path: Path) -> None:
    record(tmp_path / "utter_offer.0.0.wav", "现在一次交", level=1000)
    record(tmp_path / "utter_offer.0.2.wav", "块用一年", level=20000)
    voice = CountingVoice()
    sound = asyncio.run(LinePrompts(voice, recordings=DesignerAudio(tmp_path)).audio(OFFER))
    assert voice.asked == ["30"]
    assert abs(duration_ms(sound) - (1040 * 2 + duration_ms(said("30")))) < 80
    first, last = sound[3200:12800], sound[-12800:-3200]
    assert abs(level_dbfs(first) - level_dbfs(last)) < 1.0


def test_where_one_part_is_not_recorded_the_voice_says_all(tmp_path: Path) -> None:
    record(tmp_path / "utter_offer.0.0.wav", "现在一次交")
    voice = CountingVoice()
    asyncio.run(LinePrompts(voice, recordings=DesignerAudio(tmp_path)).audio(OFFER))
    assert voice.asked == [OFFER.text]


def test_a_broken_recording_is_named_and_the_voice_says_the_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record(tmp_path / "utter_hello.0.wav", HELLO.text, level=0)
    voice = CountingVoice()
    asyncio.run(LinePrompts(voice, recordings=DesignerAudio(tmp_path)).audio(HELLO))
    assert voice.asked == [HELLO.text]
    assert "utter_hello.0.wav: nothing but silence" in caplog.text


def test_what_is_no_sound_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(b"hello")
    with pytest.raises(RecordingError, match=r"x\.wav: no readable sound"):
        read_recording(tmp_path / "x.wav")


def test_a_changed_recording_is_a_new_sound(tmp_path: Path) -> None:
    async def scenario() -> tuple[bytes, bytes]:
        prompts = LinePrompts(CountingVoice(), recordings=DesignerAudio(tmp_path))
        record(tmp_path / "utter_hello.0.wav", HELLO.text)
        before = await prompts.audio(HELLO)
        record(tmp_path / "utter_hello.0.wav", HELLO.text, rate_hz=8000, channels=1)
        return before, await prompts.audio(HELLO)

    before, after = asyncio.run(scenario())
    assert before != after


def test_a_join_does_not_click() -> None:
    """Cross-fading leaves no jump between two tones that a hard cut would have."""
    tones = [pcm_of(np.cos(np.arange(4000) * 0.11) * 8000), pcm_of(-np.cos(np.arange(4000) * 0.11) * 8000)]
    jump = np.abs(np.diff(samples_of(splice(tones)).astype(int))).max()
    assert jump < 8000 * 0.11 * 1.6


def test_nothing_to_splice_is_no_sound() -> None:
    assert splice([silence(100), b""]) == b""
