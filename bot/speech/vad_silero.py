"""Voice detection by silero, the 16,000 Hz model through onnxruntime: some 110 µs for 32 ms of sound.

The model (package silero-vad, MIT, whose own code needs torch and is not imported) takes windows of
512 samples after 64 samples of context; frames of 160 samples at 8000 Hz are gathered until 32 ms are
there, so an answer is at most 32 ms old, and every sample is given twice.  The same network at 8000 Hz
missed half of the callers' interruptions in real calls (14 of 31 found, against 26;
benchmarks/barge_in.py).  Frames of quiet cost nothing (vad_levels).
Interface: the VoiceDetector port.
"""

from __future__ import annotations

import audioop
import importlib.util
import os
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bot.call.pcm import samples_of
from bot.call.ports import SAMPLE_RATE_HZ, SpeechError
from bot.speech.vad_levels import Levels

WINDOW_MS = 32



class Network(Protocol):
    """A silero network with its state: takes float samples in [-1, 1] at 8000 Hz, 32 ms at a time."""

    def window(self, samples: NDArray[np.float32]) -> float:
        """The chance of a voice in these 256 samples."""
        ...

    def rest(self) -> None:
        """Quiet follows that the network will not be given."""
        ...


class SileroDetector:
    """One call's detector; keeps state, so never share it between calls."""

    def __init__(self, network: Network | None = None) -> None:
        self._network = network or open_network()
        self._waiting = np.zeros(0, dtype=np.float32)
        self._last = 0.0
        self._levels = Levels()

    def probability(self, pcm: bytes) -> float:
        """Chance from 0 to 1 that the newest 20 ms frame holds a voice.  Odd lengths lose half a sample."""
        whole = pcm if len(pcm) % 2 == 0 else pcm[:-1]
        if self._levels.hear(audioop.rms(whole, 2)):
            self._network.rest()
            self._waiting, self._last = self._waiting[:0], 0.0
        if self._levels.resting:
            return 0.0
        fresh = samples_of(pcm).astype(np.float32) / np.float32(32768.0)
        self._waiting = np.concatenate((self._waiting, fresh))
        size = SAMPLE_RATE_HZ * WINDOW_MS // 1000
        while self._waiting.size >= size:
            self._last = self._network.window(self._waiting[:size])
            self._waiting = self._waiting[size:]
        return 0.0 if self._levels.hushed else self._last


def open_network() -> Network:
    """A silero network with a state of its own.

    Raises SpeechError naming the remedy where the model is not there.
    """
    return OnnxNetwork()


def silero_session() -> Any:
    """The onnxruntime session of the model, one for the process.

    Raises SpeechError naming the remedy where the model is not there.
    """
    model = _onnx_model()
    if model is None:
        raise SpeechError(
            "no voice detection: install it with `uv sync`, or set HUASHU_SILERO to silero_vad.onnx"
            " / 没有语音检测组件，请运行 uv sync"
        )
    return _session(str(model))


MODEL_HZ = 16_000
CONTEXT = 64
"""Samples of the window before that the network wants in front of each window."""


class OnnxNetwork:
    """silero_vad.onnx at 16,000 Hz."""

    def __init__(self) -> None:
        self._session = silero_session()
        self._rate = np.array(MODEL_HZ, dtype=np.int64)
        self._state = np.zeros((2, 1, 128), dtype=np.float32)
        self.rest()

    def rest(self) -> None:
        """Quiet follows that is not given: the state stays, for a network that begins anew hears late."""
        self._context = np.zeros(CONTEXT, dtype=np.float32)

    def window(self, samples: NDArray[np.float32]) -> float:
        """The chance of a voice in these 256 samples."""
        doubled = np.repeat(samples, 2)
        sound = np.concatenate((self._context, doubled))[np.newaxis, :]
        chance, self._state = self._session.run(
            None, {"input": sound, "state": self._state, "sr": self._rate}
        )
        self._context = doubled[-CONTEXT:]
        return float(chance[0, 0])


def _onnx_model() -> Path | None:
    """Where the package silero-vad keeps its model, found without importing the package (torch)."""
    named = os.environ.get("HUASHU_SILERO")
    if named:
        if not Path(named).is_file():
            raise SpeechError(
                f"HUASHU_SILERO names {named}, which is no file; unset it or give silero_vad.onnx"
            )
        return Path(named)
    spec = importlib.util.find_spec("silero_vad")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        model = Path(folder) / "data" / "silero_vad.onnx"
        if model.is_file():
            return model
    return None


@cache
def _session(model: str) -> Any:
    """One session for all calls of a process: it keeps no state of its own."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
