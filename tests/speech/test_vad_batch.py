"""Voice detection for many calls at once finds in each what a detector of its own would."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bot.call.designer_audio import read_recording
from bot.call.parameters import Parameters
from bot.call.pcm import frames, pcm_of, silence
from bot.call.ports import SpeechError
from bot.call.signals import VoiceStarted
from bot.call.voice_gate import VoiceGate
from bot.speech import vad_silero
from bot.speech.vad_batch import SileroDetection
from bot.speech.vad_silero import SileroDetector
from tests.speech.sounds import noisy, said

AUDIO = Path(os.environ.get("HUASHU_AUDIO", Path(__file__).resolve().parents[3] / "shared" / "audio"))
LINE = "您好，我想问一下，这个业务多少钱一个月？"
SOUNDS: dict[str, Callable[[], bytes]] = {
    "a voice on a quiet line": lambda: silence(300) + said(LINE) + silence(400) + said("好的") + silence(300),
    "a voice in noise": lambda: noisy(silence(600) + said("How much is it?", language="en"), 15.0),
    "noise alone": lambda: noisy(silence(1500), 25.0),
    "silence": lambda: silence(1000),
    "clipped": lambda: pcm_of(np.clip(np.frombuffer(said(LINE), "<i2").astype(float) * 20, -32768, 32767)),
}


def alone(pcm: bytes) -> list[float]:
    detector = SileroDetector()
    return [detector.probability(frame) for frame in frames(pcm)]


def together(*sounds: bytes, late: dict[int, int] | None = None) -> list[list[float]]:
    """Each call's findings; `late`: ticks by call after which its first frame comes."""
    detection = SileroDetection()
    found: list[list[float]] = [[] for _ in sounds]
    streams = [detection.open(each.append) for each in found]
    cut = [list(frames(pcm)) for pcm in sounds]
    begins = late or {}
    for tick in range(max(len(each) + begins.get(n, 0) for n, each in enumerate(cut))):
        for number, stream in enumerate(streams):
            at = tick - begins.get(number, 0)
            if 0 <= at < len(cut[number]):
                stream.feed(cut[number][at])
        detection.run()
    return found


@pytest.mark.parametrize("name", SOUNDS)
def test_one_call_is_found_as_a_detector_of_its_own_finds_it(name: str) -> None:
    pcm = SOUNDS[name]()
    [found] = together(pcm)
    assert found == pytest.approx(alone(pcm), abs=1e-4)


def test_calls_side_by_side_do_not_hear_each_other() -> None:
    sounds = [make() for make in SOUNDS.values()]
    late = {number: 7 * number for number in range(len(sounds))}
    for pcm, found in zip(sounds, together(*sounds, late=late), strict=True):
        assert found == pytest.approx(alone(pcm), abs=1e-3)


@pytest.mark.skipif(not AUDIO.is_dir(), reason="recorded calls: set HUASHU_AUDIO to their folder")
@pytest.mark.parametrize("name", ["Auto_Repairs_40_UTC_caller", "Auto_Repairs_49_UTC_caller"])
def test_people_on_a_telephone_start_and_stop_where_they_did(name: str) -> None:
    pcm = read_recording(AUDIO / f"{name}.wav")[: 2 * 8000 * 40]
    parameters = Parameters()

    def changes(chances: list[float]) -> list[tuple[bool, int]]:
        gate = VoiceGate(parameters)
        found = [gate.step(chance, 20 * (n + 1)) for n, chance in enumerate(chances)]
        return [(isinstance(f, VoiceStarted), f.since_ms) for f in found if f is not None]

    batch, _ = together(pcm, said(LINE), late={1: 100})
    assert changes(batch) == changes(alone(pcm)) != []


def test_every_frame_has_one_finding_whatever_comes_between_two_runs() -> None:
    """A switch that bunches its frames: none, three, one of them between two ticks."""
    detection = SileroDetection()
    found: list[float] = []
    stream = detection.open(found.append)
    fed = 0
    for number, frame in enumerate(frames(noisy(said(LINE), 30.0))):
        stream.feed(frame)
        fed += 1
        if number % 4 in (0, 3):
            detection.run()
            assert len(found) == fed
    detection.run()
    assert len(found) == fed
    assert max(found) > 0.9


def test_a_quiet_line_costs_no_run_of_the_network() -> None:
    class Counting:
        runs = 0

        def run(self, *given: object) -> object:
            self.runs += 1
            raise AssertionError("silence reached the network")

    detection = SileroDetection()
    detection._session = Counting()
    found: list[float] = []
    stream = detection.open(found.append)
    for frame in frames(silence(1000)):
        stream.feed(frame)
        detection.run()
    assert found == [0.0] * 50


def test_after_a_pause_the_next_words_are_heard_and_nothing_is_heard_before_them() -> None:
    pcm = said(LINE) + silence(600)
    (found,) = together(pcm + said("好的"))
    after = len(pcm) // 320
    assert set(found[after - 10 : after]) == {0.0}
    assert max(found[after:]) > 0.5


def test_a_closed_stream_is_told_nothing_more_and_the_others_are() -> None:
    detection = SileroDetection()
    gone: list[float] = []
    stays: list[float] = []
    leaving, staying = detection.open(gone.append), detection.open(stays.append)
    sound = list(frames(said(LINE)))
    for number, frame in enumerate(sound):
        leaving.feed(frame)
        staying.feed(frame)
        if number == 20:
            leaving.close()
            leaving.close()
        detection.run()
    assert (len(gone), len(stays)) == (20, len(sound))
    assert stays == pytest.approx(alone(said(LINE)), abs=1e-3)


def test_a_call_that_ends_by_what_was_found_leaves_the_others_their_findings() -> None:
    """A finding may end a call, and so close its stream, in the middle of a run."""
    detection = SileroDetection()
    first: list[float] = []
    second: list[float] = []

    def found(chance: float) -> None:
        first.append(chance)
        one.close()
        other.close()

    one, other = detection.open(found), detection.open(second.append)
    for frame in list(frames(said("好的")))[5:8]:
        one.feed(frame)
        other.feed(frame)
    detection.run()
    assert (len(first), second) == (1, [])


def test_odd_empty_and_long_frames_do_no_harm() -> None:
    detection = SileroDetection()
    found: list[float] = []
    other: list[float] = []
    stream, beside = detection.open(found.append), detection.open(other.append)
    sound = list(frames(said("你说吧")))
    for frame in sound:
        for odd in (frame[:-1], b"", b"\x01", frame * 40):
            stream.feed(odd)
        beside.feed(frame)
        detection.run()
    assert len(found) == 4 * len(sound)
    assert all(0.0 <= chance <= 1.0 for chance in found)
    assert other == pytest.approx(alone(said("你说吧")), abs=1e-3)


def test_without_a_model_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(vad_silero, "_onnx_model", lambda: None)
    with pytest.raises(SpeechError, match="uv sync"):
        SileroDetection()
    monkeypatch.undo()
    monkeypatch.setenv("HUASHU_SILERO", str(tmp_path / "no.onnx"))
    with pytest.raises(SpeechError, match=r"no\.onnx"):
        SileroDetection()
