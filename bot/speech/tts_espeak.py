"""A synthetic voice: espeak-ng 1.52 as the package espeakng-loader brings it, called through ctypes.

Mandarin (`cmn`) and English (`en`).  espeak-ng's library keeps global state and speaks for one
caller at a time, so one lock in the process guards it; a sentence takes about a thousandth of the
time it sounds.  Its 22,050 Hz are brought to 8000 Hz by soxr HQ.  espeak-ng is GPLv3 and stays an
optional package of its own, loaded at run time.  Source: espeak-ng's speak_lib.h.
"""

from __future__ import annotations

import _ctypes
import asyncio
import ctypes
import re
import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import soxr

from bot.call.pcm import at_level, pcm_of, trim
from bot.call.ports import SAMPLE_RATE_HZ, VoiceError

REMEDY = (
    "install it with `uv sync`, or `pip install espeakng-loader`"
    " / 请运行 uv sync 安装语音合成组件 espeakng-loader"
)
SPEECH_DBFS = -20.0
"""How loud a voice is: an ordinary level on a telephone line."""

_OUTPUT_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_POSITION_CHARACTER = 1
_CHARS_UTF8 = 1
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_HALF_WIDTH = dict(zip(",?!;:", "，？！；：", strict=True))
_MARK = re.compile(r"(?<!\d)[,?!;:]|[,?!;:](?!\d)")
_YUAN_BEFORE = re.compile(r"[¥￥]\s*(\d+(?:\.\d+)?)")
_CODE = re.compile(r"(?<![\d.])(?:0\d+|\d{7,})(?![\d.])")
_CODE_AFTER = re.compile(r"((?:尾号|后四位|号码|密码|工号)[是为:：\s]{0,2})(\d{3,})")
_MEGABYTES = re.compile(r"(\d)\s*(?:MB|M|兆)(?![A-Za-z])")
_GIGABYTES = re.compile(r"(\d)\s*(?:GB|G)(?![A-Za-z])")
_DIGITS = dict(zip("0123456789", "零幺二三四五六七八九", strict=True))


@dataclass(frozen=True, slots=True)
class EspeakSettings:
    """How the voice sounds.

    `speed` in espeak's words a minute (80-450; 200 is some 5 hanzi a second), `pitch` and
    `intonation` 0-99, `variant` one of espeak's voice variants (f2, m3 …) or "".
    """

    language: str = "cmn"
    speed: int = 200
    pitch: int = 50
    intonation: int = 50
    variant: str = ""

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("speed", self.speed, 80, 450),
            ("pitch", self.pitch, 0, 99),
            ("intonation", self.intonation, 0, 99),
        ):
            if not low <= value <= high:
                raise VoiceError(f"espeak {name} is {value}; it must lie between {low} and {high}")


class EspeakVoice:
    """The Voice port over espeak-ng.  `inline` speaks on the caller's thread (virtual clocks, tests)."""

    def __init__(self, settings: EspeakSettings | None = None, *, inline: bool = False) -> None:
        self.settings = settings or EspeakSettings()
        self._inline = inline
        s = self.settings
        self.name = (
            f"espeak-ng:{s.language}{'+' + s.variant if s.variant else ''}:{s.speed}:{s.pitch}:{s.intonation}"
        )

    async def synthesize(self, text: str) -> bytes:
        """`text` as PCM 8000 Hz at SPEECH_DBFS, without silence at its ends; b"" where nothing can be said.

        Raises VoiceError where espeak-ng is missing, has no such voice, or fails.
        """
        if self._inline:
            return speak(text, self.settings)
        return await asyncio.to_thread(speak, text, self.settings)


def speak(text: str, settings: EspeakSettings) -> bytes:
    """The same as EspeakVoice.synthesize, on this thread."""
    spoken = as_spoken(text) if settings.language == "cmn" else text
    if not any(character.isalnum() for character in spoken):
        return b""
    samples, rate_hz = _library().say(spoken, settings)
    if not samples.size:
        raise VoiceError(f"espeak-ng made no sound of {len(text)} characters; are they {settings.language}?")
    return at_level(trim(pcm_of(soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ, quality="HQ"))), SPEECH_DBFS)


def as_spoken(text: str) -> str:
    """`text` as it should be read aloud: money, data volumes, codes digit by digit, full-width marks
    (espeak pauses at those only)."""
    text = _YUAN_BEFORE.sub(r"\1元", text)
    text = _CODE_AFTER.sub(lambda match: match.group(1) + _one_by_one(match.group(2)), text)
    text = _CODE.sub(lambda match: _one_by_one(match.group()), text)
    text = _MEGABYTES.sub(r"\1兆", text)
    text = _GIGABYTES.sub(r"\1个G", text)
    return _MARK.sub(lambda match: _HALF_WIDTH[match.group()], text)


def _one_by_one(digits: str) -> str:
    return "".join(_DIGITS[digit] for digit in digits)


class _Library:
    """The shared library, loaded anew for each text (1 ms): the synthesiser's phase and noise carry
    over from one text to the next, and the same text must be the same sound.  Safe from any thread.
    """

    def __init__(self, path: str, data_path: str) -> None:
        self._lock = threading.Lock()
        self._path, self._data_path = path, data_path.encode()
        self._pieces: list[bytes] = []
        callback_type = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
        )
        self._callback = callback_type(self._take)  # must outlive the library's use of it
        with self._lock:
            self._unload(self._load()[0])  # fails here, not in mid-call

    def say(self, text: str, settings: EspeakSettings) -> tuple[np.ndarray[Any, np.dtype[np.int16]], int]:
        """Samples and their rate in Hz."""
        voice = settings.language + (f"+{settings.variant}" if settings.variant else "")
        data = text.encode("utf-8")
        with self._lock:
            library, rate_hz = self._load()
            try:
                if library.espeak_SetVoiceByName(voice.encode()) != 0:
                    raise VoiceError(
                        f"espeak-ng has no voice '{voice}'; take cmn or en, and a variant such as f2"
                    )
                for parameter, value in (
                    (_RATE, settings.speed), (_VOLUME, 100),
                    (_PITCH, settings.pitch), (_RANGE, settings.intonation),
                ):  # fmt: skip
                    library.espeak_SetParameter(parameter, value, 0)
                failed = library.espeak_Synth(
                    data, len(data) + 1, 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None
                )
                sound = b"".join(self._pieces)
            finally:
                self._pieces.clear()
                self._unload(library)
        if failed:
            raise VoiceError(f"espeak-ng failed with code {failed}", retryable=True)
        return np.frombuffer(sound, dtype=np.int16), rate_hz

    def _take(self, samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            self._pieces.append(ctypes.string_at(samples, count * 2))
        return 0

    def _load(self) -> tuple[ctypes.CDLL, int]:
        library = ctypes.CDLL(self._path)
        library.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
        library.espeak_Synth.argtypes = [
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int,
            ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip
        rate_hz = int(library.espeak_Initialize(_OUTPUT_SYNCHRONOUS, 0, self._data_path, _DONT_EXIT))
        if rate_hz <= 0:
            raise VoiceError(f"espeak-ng found no data in {self._data_path.decode()}; {REMEDY}")
        library.espeak_SetSynthCallback(self._callback)
        return library, rate_hz

    def _unload(self, library: ctypes.CDLL) -> None:
        library.espeak_Terminate()
        close = getattr(_ctypes, "dlclose", None) or _ctypes.FreeLibrary  # type: ignore[attr-defined]
        close(library._handle)


_opening = threading.Lock()


def _library() -> _Library:
    """The one library of this process; two threads that ask first at once get the same."""
    with _opening:
        return _opened()


@cache
def _opened() -> _Library:
    try:
        import espeakng_loader

        return _Library(espeakng_loader.get_library_path(), espeakng_loader.get_data_path())
    except (ImportError, RuntimeError, OSError) as error:
        raise VoiceError(f"the espeak-ng voice cannot be loaded ({error}): {REMEDY}") from error
