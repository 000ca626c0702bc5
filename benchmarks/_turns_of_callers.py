"""What fake callers say: turns with pauses and lines spoken into the bot's, as sound and as timed words.

Sounds are espeak's, at 8 kHz, encoded once to the base64 mu-law that goes on the wire.  The recogniser's
words grow word by word and come LAG_MS behind the sound; a final at each pause, which tells nothing about
whether the turn goes on.  Offsets are seconds from the first sample.
Read from turn_utterances.tsv and barge_in_lines.tsv, whose heads explain their columns.
"""

from __future__ import annotations

import audioop
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from benchmarks._play_out import AUDIBLE
from bot.call.pcm import frames, pad_to_frames, silence, trim
from bot.call.ports import FRAME_BYTES, SAMPLE_RATE_HZ
from bot.call.spoken_time import weights
from bot.speech.tts_espeak import EspeakSettings, speak

LAG_MS = 200
PAUSED = 0.2
"""So many turns hold a pause, where there is one that can."""
_HERE = Path(__file__).parent
_WORDS = re.compile(r"[\u3400-\u9fff]|[^\u3400-\u9fff\s]+\s*")
_HANZI = re.compile("[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Speech:
    """One utterance ready to be sent: base64 frames; `sound_s` to its last sample; `words` are
    (offset in seconds with the lag, text so far of this stretch, final), `heard` all of the text so far."""

    text: str
    frames: tuple[bytes, ...]
    sound_s: float
    words: tuple[tuple[float, str, bool], ...]
    heard: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Utterance:
    """A turn: what it answers, and its stretches between possible pauses."""

    expects: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BargeIn:
    """What is said while the bot speaks; `decides`: the words up to which a person would know."""

    interrupts: bool
    text: str
    decides: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the bot says: its sound (PCM 8 kHz), and the RMS of its frames from the first audible on."""

    text: str
    expects: str
    pcm: bytes
    levels: tuple[float, ...]

    @property
    def frames(self) -> int:
        """Its length in frames of 20 ms."""
        return len(self.pcm) // FRAME_BYTES

    @property
    def sound_s(self) -> float:
        """From its first to its last audible frame."""
        return max(i for i, level in enumerate(self.levels) if level > AUDIBLE) * 0.02 + 0.02

    @property
    def longest_pause_s(self) -> float:
        """The longest quiet inside it."""
        longest = quiet = 0
        for level in self.levels:
            quiet = 0 if level > AUDIBLE else quiet + 1
            longest = max(longest, quiet)
        return longest * 0.02


def prompt_of(text: str, expects: str) -> Prompt:
    """A prompt in the bot's voice."""
    pcm = pad_to_frames(speak(text, EspeakSettings()))
    levels = [float(audioop.rms(audioop.ulaw2lin(audioop.lin2ulaw(frame, 2), 2), 2)) for frame in frames(pcm)]
    first = next(i for i, level in enumerate(levels) if level > AUDIBLE)
    return Prompt(text, expects, pcm, tuple(levels[first:]))


def speech_of(parts: Sequence[str], pauses_ms: Sequence[int] = ()) -> Speech:
    """Stretches with the pauses between them."""
    sound = b""
    words: list[tuple[float, str, bool]] = []
    heard: list[tuple[float, str]] = []
    said = ""
    for number, text in enumerate(parts):
        sound += silence(pauses_ms[number - 1]) if number else b""
        begin_s = len(sound) / 2 / SAMPLE_RATE_HZ
        stretch = sound_of(text)
        sound += stretch
        for so_far, offset_s in _moments(text, len(stretch) / 2 / SAMPLE_RATE_HZ):
            due_s = begin_s + offset_s + LAG_MS / 1000
            words.append((due_s, so_far, so_far == text))
            heard.append((due_s, joined((said, so_far))))
        said = joined((said, text))
    encoded = tuple(binascii.b2a_base64(audioop.lin2ulaw(frame, 2), newline=False) for frame in frames(sound))
    return Speech(said, encoded, len(sound) / 2 / SAMPLE_RATE_HZ, tuple(words), tuple(heard))


@cache
def sound_of(text: str) -> bytes:
    """The caller's voice, from its first to its last audible sample."""
    language = "cmn" if _HANZI.search(text) else "en"
    return trim(speak(text, EspeakSettings(language=language, variant="f2")), keep_ms=0)


def decided_s(speech: Speech, decides: str) -> float:
    """The offset at which the words that decide have come."""
    wanted = _plain(decides)
    return next(at for at, text in speech.heard if _plain(text).startswith(wanted))


class Answers:
    """Utterances by what they answer, dealt evenly; one turn in five has a pause of 300-1200 ms."""

    def __init__(self, utterances: Sequence[Utterance], random: Random) -> None:
        self._random = random
        self._decks: dict[tuple[str, bool], list[Utterance]] = {}
        self._all = utterances

    def to(self, expects: str) -> tuple[Speech, bool]:
        """An answer, and whether it holds a pause."""
        paused = self._random.random() < PAUSED
        chosen = self._deal(expects, paused)
        if not paused or len(chosen.parts) < 2:
            return speech_of([joined(chosen.parts)]), False
        pauses = [self._random.randint(300, 1200) for _ in chosen.parts[1:]]
        return speech_of(chosen.parts, pauses), True

    def _deal(self, expects: str, paused: bool) -> Utterance:
        deck = self._decks.setdefault((expects, paused), [])
        if not deck:
            fitting = [u for u in self._all if u.expects == expects]
            deck += [u for u in fitting if len(u.parts) > 1] if paused else fitting
            deck += fitting if not deck else []
            self._random.shuffle(deck)
        return deck.pop()


def joined(parts: tuple[str, ...]) -> str:
    """The stretches in one breath."""
    return ("" if any(_HANZI.search(part) for part in parts) else " ").join(filter(None, parts))


def read_utterances(name: str = "turn_utterances.tsv") -> list[Utterance]:
    """The turns of a file."""
    rows = [line.split("\t") for line in _lines(name)]
    return [Utterance(row[0], tuple(re.split("[|/]", row[1]))) for row in rows]


def read_barge_in(name: str = "barge_in_lines.tsv") -> list[BargeIn]:
    """The lines that are said while the bot speaks."""
    rows = [line.split("\t") for line in _lines(name)]
    return [BargeIn(row[0] == "interruption", row[1], row[-1]) for row in rows]


def _lines(name: str) -> list[str]:
    text = (_HERE / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _plain(text: str) -> str:
    return text.replace(" ", "").lower()


def _moments(text: str, length_s: float) -> list[tuple[str, float]]:
    """(text so far, when its sound is over), word by word; the last is the whole text."""
    weight = weights(text)
    total = sum(weight) or 1.0
    found = [
        (text[: word.end()].rstrip(), length_s * sum(weight[: word.end()]) / total)
        for word in _WORDS.finditer(text)
    ]
    return [*(moment for moment in found if moment[0] != text), (text, length_s)]
