"""A voice by sherpa-onnx: vits-melo-tts-zh_en or another VITS model, for production.

`huashu models pull melo-zh-en` fetches the model; the package is the extra `sherpa`.  Written
against sherpa-onnx 2.0 (`OfflineTts.generate(text, sid, speed)`).  Synthesis takes a tenth of the
time it sounds, on one worker thread; soxr HQ brings the sound to 8000 Hz.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from bot.call.pcm import at_level, pcm_of, trim
from bot.call.ports import SAMPLE_RATE_HZ, RecogniserError, VoiceError
from bot.speech.models import model_folder

SPEECH_DBFS = -20.0
_RULES = ("phone.fst", "date.fst", "number.fst", "new_heteronym.fst")


class SherpaVoice:
    """The Voice port.  `speaker` is the model's speaker number, `speed` 1.0 its own pace."""

    def __init__(
        self, folder: Path | None = None, *, speaker: int = 0, speed: float = 1.0, threads: int = 1
    ) -> None:
        """Raises VoiceError where the package or the model is missing; names the remedy."""
        try:
            self._folder = folder or model_folder("melo-zh-en")
        except RecogniserError as error:
            raise VoiceError(str(error)) from error
        self.name = f"sherpa-onnx:{self._folder.name}:{speaker}:{speed}"
        self._speaker, self._speed = speaker, speed
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="sherpa-voice")
        self._model = _load(self._folder, threads)

    async def synthesize(self, text: str) -> bytes:
        """`text` as PCM 8000 Hz; b"" where nothing can be said.  Raises VoiceError where the model fails."""
        if not any(character.isalnum() for character in text):
            return b""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, self._say, text)
        except RuntimeError as error:
            raise VoiceError(f"sherpa-onnx failed ({error})", retryable=True) from error

    def _say(self, text: str) -> bytes:
        made = self._model.generate(text, sid=self._speaker, speed=self._speed)
        samples = np.asarray(made.samples, dtype=np.float32)
        if not samples.size:
            raise VoiceError(f"the model in {self._folder} made no sound of {len(text)} characters")
        return at_level(
            trim(pcm_of(soxr.resample(samples, made.sample_rate, SAMPLE_RATE_HZ, quality="HQ") * 32767.0)),
            SPEECH_DBFS,
        )


def _load(folder: Path, threads: int) -> Any:
    try:
        import sherpa_onnx
    except ImportError as error:
        raise VoiceError(
            "sherpa-onnx is not installed: run `uv sync --extra sherpa` / 请运行 uv sync --extra sherpa"
        ) from error
    models = sorted(folder.glob("*.onnx"))
    if not models:
        raise VoiceError(f"{folder} has no .onnx model: pull it again / 模型不完整，请重新下载")
    rules = [str(folder / name) for name in _RULES if (folder / name).is_file()]
    lexicon, words = folder / "lexicon.txt", folder / "dict"
    config = sherpa_onnx.OfflineTtsConfig(
        model=sherpa_onnx.OfflineTtsModelConfig(
            vits=sherpa_onnx.OfflineTtsVitsModelConfig(
                model=str(models[0]),
                lexicon=str(lexicon) if lexicon.is_file() else "",
                tokens=str(folder / "tokens.txt"),
                dict_dir=str(words) if words.is_dir() else "",
            ),
            num_threads=threads,
        ),
        rule_fsts=",".join(rules),
    )
    if not config.validate():
        raise VoiceError(f"sherpa-onnx does not accept the model in {folder}: pull it again / 请重新下载模型")
    return sherpa_onnx.OfflineTts(config)
