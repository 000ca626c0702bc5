"""How soon a caller's voice is noticed while somebody else speaks, on real calls with two channels.

    python -m benchmarks.barge_in [--audio ../shared/audio] [--misses]

Each caller's channel is fed in frames of 20 ms at their due moments (virtual clock, the process's Pacer,
the arrival of frames against its ticks drawn at random) to our detector and VoiceGate, as the driver does.
Measured: the delay from the labelled onset of a barge-in to VoiceStarted, which lowers the bot's voice in
its very next frame (a line's own lead of up to 60 ms comes on top).  What stops the bot are words, and
these recordings come without them: nothing here tells whether the bot would rightly stop.

Conditions: the recording as it is, and with the agent's own voice as echo, ECHO_MS late and 30 or 20 dB
weaker.  Beside it a plain energy threshold with the same gate.  The labels come from an energy detector,
nobody checked them by hand: the baseline plays at home, weak speech between labels counts as a false
start, and a delay may be negative.  A false start is a VoiceStarted further than MARGIN_MS from all the
caller's labelled speech.  `by chance` is the recall of the same rule at random moments at which only the
agent speaks: a detector that echo sets off recalls everything, and its delay then tells nothing.
The last line is one JSON; exit 2 where the recordings are missing.
"""

from __future__ import annotations

import argparse
import asyncio
import audioop
import sys
import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks._real_calls import RealCall, Span, read_calls
from benchmarks._report import finish, interval, machine, percentiles
from bot.call.clock import run_virtual
from bot.call.pacer import Pacer
from bot.call.parameters import Parameters
from bot.call.pcm import frames
from bot.call.ports import FRAME_MS, SAMPLE_RATE_HZ, VoiceDetection
from bot.call.signals import VoiceStarted
from bot.call.voice_gate import VoiceGate
from bot.speech.vad_batch import SileroDetection

ECHOES_DB = (None, -30.0, -20.0)
EARLY_MS = 200
"""A voice that was found so long before a label, or less, is the labelled one."""
LATE_MS = 200
"""A voice that is found so long after the end of a label, or less, still is."""
MARGIN_MS = 300
THRESHOLDS_DBFS = (-45.0, -35.0)
DRAWS = 2000
"""Random moments for the recall by chance."""


class EnergyDetection:
    """The baseline: a frame above a fixed level is a voice (the VoiceDetection port)."""

    def __init__(self, threshold_dbfs: float) -> None:
        self._rms = 32768 * 10 ** (threshold_dbfs / 20)

    def open(self, found: Callable[[float], None]) -> EnergyStream:
        """A call's stream."""
        return EnergyStream(found, self._rms)

    def run(self) -> None:
        """All was found when it was fed."""


class EnergyStream:
    """One call's sound."""

    def __init__(self, found: Callable[[float], None], rms: float) -> None:
        self._found, self._rms = found, rms

    def feed(self, pcm: bytes) -> None:
        """20 ms of audio."""
        self._found(1.0 if audioop.rms(pcm, 2) >= self._rms else 0.0)

    def close(self) -> None:
        """Nothing is held."""


async def voices_of(sounds: Sequence[bytes], detection: VoiceDetection) -> list[list[Span]]:
    """When a voice was found in each of these lines: from VoiceStarted to VoiceStopped, ms of the line."""
    pacer, random = Pacer(detection.run), Random(0)
    found: list[list[Span]] = [[] for _ in sounds]
    lines = [
        _line(pcm, detection, pacer, random.uniform(0, FRAME_MS / 1000), spans)
        for pcm, spans in zip(sounds, found, strict=True)
    ]
    await asyncio.gather(*lines)
    return found


async def _line(
    pcm: bytes, detection: VoiceDetection, pacer: Pacer, phase_s: float, spans: list[Span]
) -> None:
    loop, gate, started = asyncio.get_running_loop(), VoiceGate(Parameters()), -1
    begun = loop.time() + phase_s

    def chance(value: float) -> None:
        nonlocal started
        now = round((loop.time() - begun) * 1000)
        change = gate.step(value, now)
        if isinstance(change, VoiceStarted):
            started = now
        elif change is not None:
            spans.append((started, now))
            started = -1

    stream = detection.open(chance)
    pacer.add(stream, lambda: None)
    end_ms = 0
    for frame in frames(pcm):
        end_ms += FRAME_MS
        await asyncio.sleep(begun + end_ms / 1000 - loop.time())
        stream.feed(frame)
    await asyncio.sleep(FRAME_MS / 1000)
    pacer.remove(stream)
    stream.close()
    if started >= 0:
        spans.append((started, end_ms))


@dataclass(slots=True)
class Score:
    """What one detector did in one condition."""

    hit: list[bool]
    delays_ms: list[int]
    already: int
    missed: list[str]
    false: int
    false_beside_agent: int
    silence_ms: int
    silence_beside_agent_ms: int
    by_chance: list[bool]

    def figures(self) -> dict[str, Any]:
        """Shares, ms, and false starts a minute."""
        hit = np.array(self.hit)
        return {
            "barge_ins": len(self.hit),
            "recall": round(float(hit.mean()), 3),
            "recall_95": interval(lambda rows: float(hit[rows].mean()), len(self.hit)),
            "by_chance": round(sum(self.by_chance) / max(1, len(self.by_chance)), 3),
            "already_on": self.already,
            "delay_ms": {**percentiles(self.delays_ms), "n": len(self.delays_ms)},
            "false_a_minute": round(60_000 * self.false / self.silence_ms, 2),
            "false_a_minute_while_agent_speaks": round(
                60_000 * self.false_beside_agent / self.silence_beside_agent_ms, 2
            ),
        }


def score(calls: Sequence[RealCall], found: Sequence[Sequence[Span]]) -> Score:
    """Compare with the labels."""
    total = Score([], [], 0, [], 0, 0, 0, 0, [])
    random = Random(0)
    lengths = [end - begin for call in calls for begin, end in call.barge_ins]
    for call, voices in zip(calls, found, strict=True):
        for begin, end in call.barge_ins:
            delay = _delay(voices, begin, end)
            total.hit.append(delay is not None)
            if delay is None:
                total.missed.append(f"{call.name} {begin / 1000:.2f}-{end / 1000:.2f} s")
            elif delay < -EARLY_MS:
                total.already += 1
            else:
                total.delays_ms.append(delay)
        quiet = _quiet(call)
        beside = quiet & _mask(call.agent_speaks, quiet.size, 0)
        starts = [begin for begin, _ in voices if begin < quiet.size]
        total.false += int(quiet[starts].sum())
        total.false_beside_agent += int(beside[starts].sum())
        total.silence_ms += int(quiet.sum())
        total.silence_beside_agent_ms += int(beside.sum())
        moments = np.flatnonzero(beside).tolist()
        for moment in random.choices(moments, k=DRAWS // len(calls)) if moments else ():
            total.by_chance.append(_delay(voices, moment, moment + random.choice(lengths)) is not None)
    return total


def _delay(voices: Sequence[Span], begin: int, end: int) -> int | None:
    """From the onset to the start of its voice; None where there is none.

    Under -EARLY_MS: no voice started, one was on already, from what came before.
    """
    fitting = [started - begin for started, stopped in voices if started <= end + LATE_MS and stopped > begin]
    return next((delay for delay in fitting if delay >= -EARLY_MS), fitting[0] if fitting else None)


def _quiet(call: RealCall) -> Any:
    """For each ms whether the caller says nothing, by the labels, and has not for MARGIN_MS."""
    return ~_mask(call.caller_speaks, len(call.caller) // 2 * 1000 // SAMPLE_RATE_HZ, MARGIN_MS)


def _mask(spans: Sequence[Span], size: int, margin_ms: int) -> Any:
    mask = np.zeros(size, dtype=bool)
    for begin, end in spans:
        mask[max(0, begin - margin_ms) : end + margin_ms] = True
    return mask


def _detectors() -> Iterator[tuple[str, VoiceDetection]]:
    yield "silero", SileroDetection()
    for threshold in THRESHOLDS_DBFS:
        yield f"energy {threshold:.0f} dBFS", EnergyDetection(threshold)


def _row(figures: dict[str, Any]) -> str:
    (low, high), delay = figures["recall_95"], figures["delay_ms"]
    delays = " / ".join(f"{delay[name]:.0f}" for name in ("p50", "p95", "p99")) if delay["n"] else "none"
    return (
        f"{figures['recall']:.3f} ({low:.3f}-{high:.3f}) {figures['by_chance']:9.3f}"
        f" {figures['already_on']:8}    {delays} ({delay['n']})     {figures['false_a_minute']},"
        f" {figures['false_a_minute_while_agent_speaks']}"
    )


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--audio", type=Path, default=Path("../shared/audio"), help="the recordings")
    parser.add_argument("--misses", action="store_true", help="print the barge-ins that were not noticed")
    options = parser.parse_args()
    try:
        calls = read_calls(options.audio)
    except (OSError, ValueError, KeyError, wave.Error) as error:
        print(
            f"barge_in: {error!s}: give the folder of the two-channel calls with --audio"
            f" / 没有录音：请用 --audio 指定双声道通话录音的目录",
            file=sys.stderr,
        )
        return 2
    print(f"machine: {machine()}")
    count = sum(len(call.barge_ins) for call in calls)
    print(f"{len(calls)} calls, {count} barge-ins; labels: an energy detector's, not checked by hand")
    print(f"{'':27}recall                    by       on    onset → start, ms     false starts a minute")
    print(
        f"{'detector':16} echo dB   (95 %)                chance  already    p50 / p95 / p99 (n)"
        "     all, while the agent speaks"
    )
    results: dict[str, dict[str, Any]] = {}
    for name, detection in _detectors():
        for echo_db in ECHOES_DB:
            found = run_virtual(voices_of([call.heard(echo_db) for call in calls], detection))
            result = score(calls, found)
            echo = "none" if echo_db is None else f"{echo_db:.0f}"
            results.setdefault(name, {})[echo] = result.figures()
            print(f"{name:16} {echo:>7}   {_row(result.figures())}")
            if options.misses:
                print("".join(f"  missed: {miss}\n" for miss in result.missed), end="")
    print("measured: voice onset → VoiceStarted (lowered voice); words, which stop the bot, are not")
    finish({"benchmark": "barge_in", "results": results})
    return 0


if __name__ == "__main__":
    sys.exit(main())
