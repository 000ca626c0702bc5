"""espeak-ng speaks Mandarin at 8000 Hz, reads numbers properly, and says clearly when it cannot."""

from __future__ import annotations

import asyncio
import sys

import numpy as np
import pytest

from bot.call.pcm import duration_ms, level_dbfs, samples_of
from bot.call.ports import VoiceError
from bot.speech import tts_espeak
from bot.speech.tts_espeak import EspeakSettings, EspeakVoice, as_spoken
from tests.speech.sounds import said


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("尾号0527", "尾号零五二七"),
        ("身份证后四位是1234", "身份证后四位是幺二三四"),
        ("打13800138000", "打幺三八零零幺三八零零零"),
        ("一次交30块", "一次交30块"),
        ("¥30", "30元"),
        ("送500MB流量", "送500兆流量"),
        ("您好,在吗?", "您好，在吗？"),
        ("3:30", "3:30"),
        ("每月12.5元", "每月12.5元"),
    ],
)
def test_what_is_written_is_read_as_people_say_it(written: str, spoken: str) -> None:
    assert as_spoken(written) == spoken


def test_the_sound_is_8_khz_telephone_level_and_without_silent_ends() -> None:
    pcm = said("您好，请问是张先生吗？")
    assert 1800 < duration_ms(pcm) < 3200
    assert level_dbfs(pcm) == pytest.approx(tts_espeak.SPEECH_DBFS, abs=0.5)
    assert level_dbfs(pcm[:960]) > -60
    assert level_dbfs(pcm[-960:]) > -60


def test_nothing_above_4_khz_folds_back() -> None:
    """A resampler without a filter would fill the top of the band; soxr leaves it empty."""
    spectrum = np.abs(np.fft.rfft(samples_of(said("四是四，十是十，西施死时四十四")).astype(float))) ** 2
    edge = int(len(spectrum) * 3950 / 4000)
    assert spectrum[edge:].sum() < spectrum.sum() * 1e-4


def test_speed_and_pitch_tell_voices_apart() -> None:
    assert duration_ms(said("一年三十块钱", speed=150)) > duration_ms(said("一年三十块钱", speed=220)) * 1.2
    assert said("一年三十块钱", pitch=20) != said("一年三十块钱", pitch=80)
    assert said("一年三十块钱", variant="f2") != said("一年三十块钱")


def test_the_same_text_is_the_same_sound_from_many_tasks_at_once() -> None:
    async def many() -> set[bytes]:
        voice = EspeakVoice()
        texts = ["好的", "不用了", "多少钱"] * 8
        sounds = await asyncio.gather(*(voice.synthesize(text) for text in texts))
        return set(sounds)

    assert asyncio.run(many()) == {said("好的"), said("不用了"), said("多少钱")}


def test_marks_and_emoji_alone_are_no_sound() -> None:
    assert said("…… 😀 ！") == b""


def test_english_has_its_own_voice() -> None:
    assert duration_ms(said("how much is it", language="en")) > 400


def test_an_unknown_voice_and_a_bad_speed_are_refused_by_name() -> None:
    with pytest.raises(VoiceError, match="no voice 'xx-none"):
        said("好", language="xx-none")
    with pytest.raises(VoiceError, match="speed is 9999"):
        EspeakSettings(speed=9999)


def test_a_missing_package_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    tts_espeak._opened.cache_clear()
    try:
        with pytest.raises(VoiceError, match="uv sync"):
            said("好")
    finally:
        tts_espeak._opened.cache_clear()
