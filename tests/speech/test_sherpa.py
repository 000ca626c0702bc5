"""The sherpa-onnx adapters: what is missing is named, and what they call exists where it is installed."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import Path

import pytest

from bot.call.ports import RecogniserError, VoiceError
from bot.speech.asr_sherpa import SherpaRecogniser, _network
from bot.speech.providers import open_recogniser, open_voice
from bot.speech.tts_sherpa import SherpaVoice

installed = importlib.util.find_spec("sherpa_onnx") is not None


def test_without_the_package_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sherpa_onnx", None)
    with pytest.raises(RecogniserError, match="uv sync --extra sherpa"):
        SherpaRecogniser(tmp_path)
    with pytest.raises(VoiceError, match="uv sync --extra sherpa"):
        SherpaVoice(tmp_path)


def test_without_the_model_the_command_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUASHU_MODELS", str(tmp_path))
    with pytest.raises(RecogniserError, match="huashu models pull zipformer-zh-en"):
        open_recogniser("sherpa")
    with pytest.raises(VoiceError, match="huashu models pull melo-zh-en"):
        open_voice("sherpa")


def test_an_unknown_provider_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RecogniserError, match="there are pocketsphinx, sherpa"):
        open_recogniser("whisper")
    with pytest.raises(VoiceError, match="there are espeak, sherpa"):
        open_voice("parrot")


def test_the_small_network_is_taken_where_there_are_two(tmp_path: Path) -> None:
    for name in ("encoder-epoch-99.onnx", "encoder-epoch-99.int8.onnx", "decoder-epoch-99.onnx"):
        (tmp_path / name).touch()
    assert _network(tmp_path, "encoder").name == "encoder-epoch-99.int8.onnx"
    assert _network(tmp_path, "decoder").name == "decoder-epoch-99.onnx"
    with pytest.raises(RecogniserError, match="has no joiner"):
        _network(tmp_path, "joiner")


@pytest.mark.skipif(not installed, reason="sherpa-onnx is not installed (extra `sherpa`)")
def test_the_installed_sherpa_onnx_has_what_is_called() -> None:
    import sherpa_onnx

    known = inspect.signature(sherpa_onnx.OnlineRecognizer.from_transducer).parameters
    asked = {
        "tokens",
        "encoder",
        "decoder",
        "joiner",
        "num_threads",
        "decoding_method",
        "modeling_unit",
        "bpe_vocab",
    }
    assert asked <= set(known)
    for method in ("create_stream", "is_ready", "decode_stream", "get_result"):
        assert hasattr(sherpa_onnx.OnlineRecognizer, method)
    vits = sherpa_onnx.OfflineTtsVitsModelConfig(model="m", lexicon="", tokens="t", dict_dir="")
    config = sherpa_onnx.OfflineTtsConfig(
        model=sherpa_onnx.OfflineTtsModelConfig(vits=vits, num_threads=1), rule_fsts=""
    )
    assert not config.validate()
