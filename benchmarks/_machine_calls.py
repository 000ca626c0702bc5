"""Recordings of who answers a call: espeak's voices, tones by formula, the telephone line's faults.

A line of benchmarks/answering_lines.tsv becomes the far end's sound (PCM 16-bit 8 kHz), its words
with the moment at which a recogniser would deliver them (LAG_MS behind the sound), and where the
greeting ended.  Chance comes from the line's number, so each run hears the same.
"""

from __future__ import annotations

import itertools
import json
import re
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.call.pcm import at_level, pcm_of, samples_of
from bot.call.spoken_time import moments
from bot.phone.codecs import alaw_to_pcm, pcm_to_alaw, pcm_to_ulaw, ulaw_to_pcm
from bot.speech.tts_espeak import EspeakSettings, speak

RATE_HZ = 8000
LAG_MS = 200
AFTER_MS = 7000  # the line stays open so long after the last sound
OPENING_MS = 10_000
LINES = Path(__file__).parent / "answering_lines.tsv"
_TOKEN = re.compile(r"\{([a-z]+[a-z-]*?)-?(\d+)?(?:-(\d+))?\}")
_PART = re.compile(r"(\{[^}]*\})")
_WORD = re.compile(r"[\u3400-\u9fff]|[A-Za-z']+|\d+")
_VOICES = (
    ("f2", 200, 55),
    ("m3", 190, 45),
    ("f4", 230, 60),
    ("m1", 175, 40),
    ("f5", 215, 80),
    ("m7", 250, 50),
)
Sound = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Said:
    """Words as a recogniser delivers them at `at_ms`."""

    at_ms: int
    text: str
    final: bool


@dataclass(frozen=True, slots=True)
class Recording:
    """One far end.  `greeting_ms`: when its first speech (or row of tones) ended: what follows a
    {pause} of a second or a beep does not belong to it."""

    name: str
    split: str
    kind: str
    reason: str
    pcm: bytes
    words: tuple[Said, ...]
    greeting_ms: int


def recordings(conditions: int) -> Iterator[Recording]:
    """Each line of the file on so many telephone lines."""
    rows = [row.split("\t") for row in LINES.read_text().splitlines() if row and not row.startswith("#")]
    for number, (split, kind, reason, language, script) in enumerate(rows):
        for condition in range(conditions):
            seed = number * 10 + condition
            yield _record(f"{number}.{condition} {script}", split, kind, reason, language, script, seed)


def openings(folder: Path) -> Iterator[Recording]:
    """Live people of real calls: what follows each beginning of speech, ten seconds of it."""
    for segments in sorted(folder.glob("call*_segments.json")):
        call = json.loads(segments.read_text())
        for side in ("caller", "agent"):
            path = next(folder.glob(f"*_{call['call']}_*_{side}.wav"))
            with wave.open(str(path)) as file:
                pcm = file.readframes(file.getnframes())
            for begin in _apart(call[side]):
                start = max(0, int((begin - 0.3) * RATE_HZ)) * 2
                sound = pcm[start : start + OPENING_MS * RATE_HZ // 1000 * 2]
                yield Recording(f"{path.stem} {begin:.1f} s", "real", "person", "", sound, (), OPENING_MS)


def _apart(segments: list[list[float]]) -> Iterator[float]:
    """Beginnings of speech after a pause of half a second."""
    ended = -1.0
    for begin, end in segments:
        if begin - ended >= 0.5:
            yield begin
        ended = max(ended, end)


def _record(
    name: str, split: str, kind: str, reason: str, language: str, script: str, seed: int
) -> Recording:
    draw = np.random.default_rng(seed)
    variant, speed, pitch = _VOICES[seed % len(_VOICES)]
    voice = EspeakSettings(language, speed, pitch, variant=variant)
    pieces: list[Sound] = [np.zeros(int(RATE_HZ * draw.uniform(0.3, 1.4)))]
    words: list[Said] = []
    greeting_ms, ended = 0, False
    for part in _PART.split(script):
        at_ms = sum(piece.size for piece in pieces) * 1000 // RATE_HZ
        token = _TOKEN.fullmatch(part)
        if token is not None:
            sound, ended = _token(token, draw), ended or _ends_greeting(token, greeting_ms)
            spoken = token[1] in ("busy-cn", "busy-us", "reorder-us", "fax")
        elif part.strip():
            sound = samples_of(speak(part, voice)).astype(np.float64)
            length_ms = sound.size * 1000 // RATE_HZ
            words += _words(part, at_ms, length_ms)
            spoken = True
        else:
            continue
        pieces.append(sound)
        if spoken and not ended:
            greeting_ms = at_ms + sound.size * 1000 // RATE_HZ
    pieces.append(np.zeros(AFTER_MS * RATE_HZ // 1000))
    return Recording(
        name,
        split,
        kind,
        reason,
        _line(np.concatenate(pieces), draw, quiet=seed % 2 == 0),
        tuple(words),
        greeting_ms,
    )


def _ends_greeting(token: re.Match[str], greeting_ms: int) -> bool:
    return greeting_ms > 0 and (token[1] == "beep" or (token[1] == "p" and int(token[2]) >= 1000))


def _words(text: str, at_ms: int, length_ms: int) -> list[Said]:
    """The text growing word by word; the final one with the last word."""
    ends = moments(text, length_ms)
    grown = [
        Said(at_ms + ends[word.end() - 1] + LAG_MS, text[: word.end()], False)
        for word in _WORD.finditer(text)
    ]
    return [*grown[:-1], Said(at_ms + length_ms + LAG_MS, text, True)]


# -- sounds


def _token(token: re.Match[str], draw: np.random.Generator) -> Sound:
    name, first, second = token[1], int(token[2] or 0), int(token[3] or 0)
    if name == "p":
        return np.zeros(first * RATE_HZ // 1000)
    if name == "beep":
        return tone(second, first)
    if name == "dtmf":
        return tone(120, 697 if first == 1 else 770, 1209 if first == 1 else 1336)
    return _SOUNDS[name](draw)


def tone(length_ms: int, *hz: float, level: float = 0.25) -> Sound:
    """So many sines at once, with edges of 5 ms."""
    time = np.arange(length_ms * RATE_HZ // 1000) / RATE_HZ
    edge = np.minimum(1.0, np.minimum(time, time[::-1]) / 0.005) if time.size else time
    sound: Sound = sum((np.sin(2 * np.pi * f * time) for f in hz), np.zeros(time.size))
    return sound * edge * level * 32767 / max(1, len(hz))


def _cycles(times: int, on_ms: int, off_ms: int, *hz: float) -> Sound:
    return np.concatenate([np.r_[tone(on_ms, *hz), np.zeros(off_ms * RATE_HZ // 1000)] for _ in range(times)])


def _sliding(hz: Sound, level: Sound) -> Sound:
    return np.sin(2 * np.pi * np.cumsum(hz) / RATE_HZ) * level * 32767


def _whistle(draw: np.random.Generator) -> Sound:
    """One note held for 1.2 s by a mouth: pitch and level wander by a few per cent."""
    size = int(1.2 * RATE_HZ)
    wander = np.interp(np.arange(size), np.linspace(0, size, 13), draw.normal(0, 1, 13))
    breath = np.interp(np.arange(size), np.linspace(0, size, 13), draw.normal(0, 0.12, 13))
    edge = np.minimum(1.0, np.minimum(np.arange(size), np.arange(size)[::-1]) / 640)
    return _sliding(draw.uniform(900, 1080) * (1 + 0.015 * wander), 0.2 * (1 + breath) * edge)


def _flute(draw: np.random.Generator) -> Sound:
    """Four notes with vibrato and a weak second harmonic."""
    notes = []
    for semitone in draw.choice([0, 2, 4, 5, 7, 9], 4, replace=False):
        time = np.arange(int(0.5 * RATE_HZ)) / RATE_HZ
        hz = 587 * 2 ** (semitone / 12) * (1 + 0.006 * np.sin(2 * np.pi * 5 * time))
        edge = np.minimum(1.0, np.minimum(time, time[::-1]) / 0.04)
        notes.append(_sliding(hz, 0.2 * edge) + _sliding(2 * hz, 0.03 * edge))
    return np.concatenate(notes)


def _music(draw: np.random.Generator) -> Sound:
    """Three seconds of chords, plucked."""
    chords = []
    for root in draw.choice([220, 262, 330, 392, 440], 6):
        time = np.arange(RATE_HZ // 2) / RATE_HZ
        sines = sum(np.sin(2 * np.pi * root * k * time) / i for i, k in enumerate((1, 1.26, 1.5, 2), 1))
        chords.append(np.asarray(sines) * np.exp(-3 * time) * 0.15 * 32767)
    return np.concatenate(chords)


def _sit(lengths: tuple[int, int, int], hz: tuple[float, float, float]) -> Sound:
    tones = [tone(length, f) for length, f in zip(lengths, hz, strict=True)]
    return np.concatenate([*tones, np.zeros(RATE_HZ * 3 // 10)])


_SOUNDS: dict[str, Callable[[np.random.Generator], Sound]] = {
    "sit-vacant": lambda _: _sit((380, 274, 380), (985.2, 1370.6, 1776.7)),
    "sit-itu": lambda _: _sit((330, 330, 330), (950.0, 1400.0, 1800.0)),
    "busy-cn": lambda _: _cycles(14, 350, 350, 450.0),
    "busy-us": lambda _: _cycles(10, 500, 500, 480.0, 620.0),
    "reorder-us": lambda _: _cycles(20, 250, 250, 480.0, 620.0),
    "fax": lambda _: tone(3300, 2100.0),
    "waiting": lambda _: tone(400, 450.0, level=0.1),
    "reverse": lambda _: _cycles(4, 500, 500, 1000.0),
    "whistle": _whistle,
    "flute": _flute,
    "music": _music,
}


def _line(sound: Sound, draw: np.random.Generator, *, quiet: bool) -> bytes:
    """Level -10 to -35 dBFS, noise of the room, 300-3400 Hz, G.711, comfort noise.

    Lines of even number are quiet (35 to 45 dB over the noise), the others noisy (10 to 30 dB).
    """
    level = float(draw.uniform(-35, -10))
    loud = samples_of(at_level(pcm_of(sound[np.abs(sound) > 200]), level)).astype(np.float64)
    before = sound[np.abs(sound) > 200]
    gain = np.sqrt(np.mean(loud**2) / np.mean(before**2)) if before.size else 1.0
    below = draw.uniform(35, 45) if quiet else draw.uniform(10, 30)
    noise = _noise(sound.size, int(draw.integers(0, 3)), draw)
    noise *= 32768 * 10 ** ((level - below) / 20) / np.sqrt(np.mean(noise**2))
    mixed = sound * gain + noise + draw.normal(0, 32768 * 10 ** (-62 / 20), sound.size)
    spectrum = np.fft.rfft(mixed)
    hz = np.fft.rfftfreq(mixed.size, 1 / RATE_HZ)
    spectrum[(hz < 300) | (hz > 3400)] = 0
    pcm = pcm_of(np.fft.irfft(spectrum, mixed.size))
    return ulaw_to_pcm(pcm_to_ulaw(pcm)) if draw.random() < 0.5 else alaw_to_pcm(pcm_to_alaw(pcm))


def _noise(size: int, colour: int, draw: np.random.Generator) -> Sound:
    """White, falling (a street, a car) or voices of others (a television)."""
    white = draw.normal(0, 1, size)
    if colour == 0:
        return white
    if colour == 1:
        return np.convolve(white, np.exp(-np.arange(40) / 6), "same")
    voices = [samples_of(speak(text, EspeakSettings("cmn", 210, 50))) for text in _TELEVISION]
    loop = np.resize(np.concatenate(voices).astype(np.float64), size)
    return loop + np.roll(loop, RATE_HZ * 2) + 0.05 * np.std(loop) * white


_TELEVISION = ("今天白天晴转多云，最高气温二十六度。", "观众朋友们晚上好，欢迎收看今天的节目。")


def frame_times(pcm: bytes) -> Iterator[tuple[int, bytes]]:
    """Each whole frame of 20 ms, and when it ended."""
    for number, start in zip(itertools.count(1), range(0, len(pcm) - 319, 320), strict=False):
        yield number * 20, pcm[start : start + 320]
