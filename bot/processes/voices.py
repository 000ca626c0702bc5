"""The local voices that simulated people speak with."""

from __future__ import annotations

from bot.phone.persona import VoiceStyle
from bot.speech.tts_espeak import EspeakSettings, EspeakVoice


def voice_of(style: VoiceStyle) -> EspeakVoice:
    """The local voice that speaks in a style."""
    return EspeakVoice(
        EspeakSettings(language=style.language, speed=style.speed, pitch=style.pitch, variant=style.variant)
    )
