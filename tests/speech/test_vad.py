"""silero at 8000 Hz finds voices, and neither silence nor noise, in frames of 20 ms."""

from __future__ import annotations

import importlib.util

import pytest

from bot.call.pcm import frames, silence
from bot.call.ports import SpeechError
from bot.speech import vad_silero
from bot.speech.vad_silero import Network, SileroDetector
from tests.speech.sounds import noisy, said

LINE = "您好，我想问一下，这个业务多少钱一个月？我现在不太方便，你下午再打过来吧。"


@pytest.fixture
def network() -> Network:
    return vad_silero.open_network()


def _chances(network: Network, pcm: bytes) -> list[float]:
    detector = SileroDetector(network)
    return [detector.probability(frame) for frame in frames(pcm)]


@pytest.mark.parametrize("snr_db", [40.0, 20.0, 10.0])
def test_a_voice_is_found_and_the_quiet_around_it_is_not(network: Network, snr_db: float) -> None:
    chances = _chances(network, noisy(silence(1000) + said(LINE) + silence(1000), snr_db))
    voice, before, after = chances[50:-50], chances[:50], chances[-35:]
    assert sum(chance >= 0.5 for chance in voice) / len(voice) > 0.8
    assert sum(chance >= 0.5 for chance in before + after) <= 2


def test_the_start_of_a_voice_is_found_within_100_ms(network: Network) -> None:
    chances = _chances(network, noisy(silence(1000) + said(LINE), 30.0))
    onset_ms = next(i for i, chance in enumerate(chances) if chance >= 0.5) * 20 - 1000
    assert 0 <= onset_ms <= 100


def test_digital_silence_is_no_voice_and_ends_one(network: Network) -> None:
    assert set(_chances(network, silence(500))) == {0.0}
    assert _chances(network, said(LINE) + silence(600))[-1] == 0.0


def test_odd_and_short_frames_do_no_harm(network: Network) -> None:
    detector = SileroDetector(network)
    for frame in frames(said("你说吧")):
        assert 0.0 <= detector.probability(frame[:-1]) <= 1.0
    assert 0.0 <= detector.probability(b"\x01") <= 1.0


def test_without_a_package_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.delenv("HUASHU_SILERO", raising=False)
    with pytest.raises(SpeechError, match="uv sync"):
        SileroDetector()
