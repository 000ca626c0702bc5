"""Which recognisers and voices there are, by name; each provider is imported only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.call.ports import Recogniser, RecogniserError, Voice, VoiceError


def _pocketsphinx(language: str, phrases: Sequence[str]) -> Recogniser:
    from bot.speech.asr_pocketsphinx import PocketsphinxRecogniser

    return PocketsphinxRecogniser(language, phrases=phrases)


def _sherpa(language: str, phrases: Sequence[str]) -> Recogniser:
    from bot.speech.asr_sherpa import SherpaRecogniser

    return SherpaRecogniser()


def _espeak() -> Voice:
    from bot.speech.tts_espeak import EspeakVoice

    return EspeakVoice()


def _sherpa_voice() -> Voice:
    from bot.speech.tts_sherpa import SherpaVoice

    return SherpaVoice()


RECOGNISERS: dict[str, Callable[[str, Sequence[str]], Recogniser]] = {
    "pocketsphinx": _pocketsphinx,
    "sherpa": _sherpa,
}
VOICES: dict[str, Callable[[], Voice]] = {"espeak": _espeak, "sherpa": _sherpa_voice}


def open_recogniser(name: str, language: str = "zh", phrases: Sequence[str] = ()) -> Recogniser:
    """The recogniser of that name.

    `phrases` are heard in every state, by those with a closed grammar.  Raises RecogniserError for
    an unknown name, a missing package or a missing model.
    """
    if name not in RECOGNISERS:
        raise RecogniserError(f"no recogniser is called '{name}'; there are {', '.join(RECOGNISERS)}")
    return RECOGNISERS[name](language, phrases)


def open_voice(name: str) -> Voice:
    """The voice of that name.  Raises VoiceError for an unknown name, a missing package or model."""
    if name not in VOICES:
        raise VoiceError(f"no voice is called '{name}'; there are {', '.join(VOICES)}")
    return VOICES[name]()
