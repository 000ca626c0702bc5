"""Sounds that tests share: a voice in this process, noise, recorded syllables where they are installed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from bot.call.pcm import pcm_of, samples_of
from bot.speech.tts_espeak import EspeakSettings, speak

MODELS = Path(os.environ.get("HUASHU_MODELS", Path(__file__).resolve().parents[3] / "shared" / "models"))
GCIN = Path(os.environ.get("HUASHU_GCIN", "/usr/share/gcin-voice/ogg"))


def said(text: str, **settings: object) -> bytes:
    return speak(text, EspeakSettings(**settings))  # type: ignore[arg-type]


def noisy(pcm: bytes, snr_db: float, seed: int = 0) -> bytes:
    """White noise `snr_db` under a voice of -20 dBFS."""
    samples = samples_of(pcm).astype(np.float64)
    noise = np.random.default_rng(seed).normal(size=samples.size) * 3277 / 10 ** (snr_db / 20)
    return pcm_of(samples + noise)
