"""Ears by sherpa-onnx: a streaming zipformer transducer, Chinese and English, for production.

`huashu models pull zipformer-zh-en` fetches the model; the package is the extra `sherpa`.  Written
against sherpa-onnx 2.0 (`OnlineRecognizer.from_transducer`, `create_stream(hotwords)`); it resamples
8000 Hz to the model's 16,000 Hz itself.  What the script expects becomes hotwords of the next
utterance.  Decoding runs on one worker thread, off the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from bot.call.pcm import samples_of
from bot.call.ports import SAMPLE_RATE_HZ, RecogniserError, RecogniserStream, WordsIn
from bot.speech.models import model_folder

TAIL_MS = 400
"""Silence given after an utterance, so that the transducer's look-ahead comes out."""


class SherpaRecogniser:
    """The Recogniser port.  One model for all calls of the process."""

    def __init__(self, folder: Path | None = None, *, threads: int = 1) -> None:
        """Raises RecogniserError where the package or the model is missing; names the remedy."""
        self.name = "sherpa-onnx"
        self._folder = folder or model_folder("zipformer-zh-en")
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="sherpa")
        try:
            import sherpa_onnx
        except ImportError as error:
            raise RecogniserError(
                "sherpa-onnx is not installed: run `uv sync --extra sherpa` / 请运行 uv sync --extra sherpa"
            ) from error
        try:
            self._model: Any = sherpa_onnx.OnlineRecognizer.from_transducer(
                tokens=str(self._folder / "tokens.txt"),
                encoder=str(_network(self._folder, "encoder")),
                decoder=str(_network(self._folder, "decoder")),
                joiner=str(_network(self._folder, "joiner")),
                num_threads=threads,
                decoding_method="modified_beam_search",
                modeling_unit="cjkchar+bpe" if (self._folder / "bpe.vocab").is_file() else "cjkchar",
                bpe_vocab=str(self._folder / "bpe.vocab") if (self._folder / "bpe.vocab").is_file() else "",
            )
        except (RuntimeError, ValueError, AssertionError) as error:
            raise RecogniserError(
                f"sherpa-onnx cannot load the model in {self._folder} ({error}): "
                "pull it again / 请重新下载模型"
            ) from error

    async def open(self, call_id: str) -> RecogniserStream:
        """A stream for one call."""
        return SherpaStream(call_id, self._model, self._worker)


class SherpaStream:
    """One customer's side; the results arrive as the worker thread decodes."""

    def __init__(self, call_id: str, model: Any, worker: ThreadPoolExecutor) -> None:
        self._call_id, self._model, self._worker = call_id, model, worker
        self._results: asyncio.Queue[WordsIn | None] = asyncio.Queue()
        self._number, self._shown, self._hotwords = 1, "", ""
        self._stream: Any = model.create_stream()
        self._closed = False

    async def feed(self, pcm: bytes) -> None:
        """20 ms of audio."""
        if not self._closed:
            self._show(await self._run(self._decode, pcm), final=False)

    async def expect(self, phrases: Sequence[str]) -> None:
        """Hotwords for the utterances that follow; `{digits:4}` and the like are left out."""
        self._hotwords = "/".join(phrase for phrase in phrases if phrase and "{" not in phrase)

    async def end_utterance(self) -> None:
        """The final text now, "" where nothing was heard; the next sound begins a new utterance."""
        if self._closed:
            return
        tail = bytes(SAMPLE_RATE_HZ * 2 * TAIL_MS // 1000)
        self._show(await self._run(self._decode, tail), final=True)
        self._stream = (
            self._model.create_stream(self._hotwords) if self._hotwords else self._model.create_stream()
        )
        self._number, self._shown = self._number + 1, ""

    async def words(self) -> AsyncIterator[WordsIn]:
        """Partial and final texts as they come, until the stream is closed."""
        while (result := await self._results.get()) is not None:
            yield result

    async def close(self) -> None:
        """Free the stream; idempotent."""
        if not self._closed:
            self._closed = True
            self._results.put_nowait(None)

    def _show(self, text: str, *, final: bool) -> None:
        if final or (text and text != self._shown):
            self._results.put_nowait(WordsIn(text, final, f"{self._call_id}-{self._number}"))
            self._shown = text

    def _decode(self, pcm: bytes) -> str:
        self._stream.accept_waveform(SAMPLE_RATE_HZ, samples_of(pcm).astype(np.float32) / 32768.0)
        while self._model.is_ready(self._stream):
            self._model.decode_stream(self._stream)
        return str(self._model.get_result(self._stream)).strip()

    async def _run(self, work: Any, pcm: bytes) -> str:
        try:
            text: str = await asyncio.get_running_loop().run_in_executor(self._worker, work, pcm)
        except RuntimeError as error:
            raise RecogniserError(f"sherpa-onnx failed ({error})", retryable=True) from error
        return text


def _network(folder: Path, part: str) -> Path:
    """The file of one of the model's three networks: the 8-bit one where there is one."""
    found = sorted(folder.glob(f"{part}*.onnx"), key=lambda path: (".int8." not in path.name, path.name))
    if not found:
        raise RecogniserError(f"{folder} has no {part}*.onnx: pull the model again / 模型不完整，请重新下载")
    return found[0]
