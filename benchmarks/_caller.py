"""A caller for measuring turn-taking: speaks known sounds on his own sample clock, hears the bot's frames.

His words come as text behind the sound by a declared lag: partials growing word by word, and a final
at the end of each stretch between pauses, which tells nothing about whether the turn goes on.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bot.call.pcm import SILENT_FRAME, frames, pad_to_frames, samples_of, silence, trim
from bot.call.ports import (
    FRAME_MS,
    AudioIn,
    HungUpIn,
    LegCapabilities,
    Receive,
    TransferFailed,
    Voice,
    WordsIn,
)
from bot.call.spoken_time import weights

LAG_MS = 200
_WORDS = re.compile(r"[\u3400-\u9fff]|[^\u3400-\u9fff\s]+\s*")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words spoken without a pause: their sound (ends with its last audible sample), the pause before."""

    text: str
    pcm: bytes
    pause_ms: int = 0


@dataclass(frozen=True, slots=True)
class Spoken:
    """When a turn was spoken, seconds of the loop's clock; `words` holds (text so far, arrival)."""

    begin_s: float
    end_s: float
    words: tuple[tuple[str, float], ...]


async def sound_of(voice: Voice, text: str) -> bytes:
    """The sound of some words, from its first to its last audible sample."""
    return trim(await voice.synthesize(text), keep_ms=0)


class CallerLeg:
    """The PhoneLeg port with a measuring caller at the far end."""

    capabilities = LegCapabilities(words=True, flush=True)

    def __init__(self) -> None:
        self.levels: deque[tuple[float, float]] = deque(maxlen=3000)  # (seconds, RMS) of the bot's frames
        self.ended = asyncio.Event()
        self._frames: deque[bytes] = deque()
        self._words: deque[tuple[float, WordsIn]] = deque()
        self._utterances = 0
        self._tick_s = 0.0
        self._hung_up = ""
        self._sounded_s = -1.0
        self._waiters: list[_Waiter] = []
        self._talk: asyncio.Task[None] | None = None

    def listen(self, receive: Receive) -> None:
        """Give the caller's side to `receive`, one frame each 20 ms of the loop's clock."""
        self._talk = asyncio.create_task(self._run(receive))

    async def _run(self, receive: Receive) -> None:
        loop = asyncio.get_running_loop()
        started, ticks = loop.time(), 0
        while not self._hung_up:
            self._tick_s = started + ticks * FRAME_MS / 1000
            await asyncio.sleep(max(0.0, self._tick_s - loop.time()))
            # a frame arrives when its last sample was spoken
            receive(AudioIn(self._frames.popleft() if self._frames else SILENT_FRAME))
            while self._words and self._words[0][0] <= self._tick_s:
                receive(self._words.popleft()[1])
            ticks += 1
        receive(HungUpIn(self._hung_up))

    def send(self, pcm: bytes) -> None:
        """A frame of the bot: its level is noted."""
        level = (
            0.0 if pcm == SILENT_FRAME else float(np.sqrt(np.mean(samples_of(pcm).astype(np.float64) ** 2)))
        )
        at = asyncio.get_running_loop().time()
        self.levels.append((at, level))
        if level > 0:
            self._sounded_s = at
        for waiter in self._waiters:
            if not waiter.found.done() and waiter.wanted(at, level):
                waiter.found.set_result(at)

    def flush(self) -> None:
        """Nothing waits here."""

    def mark(self, name: str) -> None:
        """There are no marks here."""

    def send_digits(self, digits: str) -> None:
        """The caller pays no heed to keys."""

    async def transfer(self, target: str) -> None:
        """There is no switch here."""
        raise TransferFailed("a measuring caller cannot be transferred")

    async def hang_up(self, cause: str) -> None:
        """End of the call."""
        self._hung_up = self._hung_up or cause
        self.ended.set()

    def speak(self, stretches: list[Stretch]) -> Spoken:
        """Say this from the next frame on."""
        begin = self._tick_s  # the first sample is spoken one frame before its frame arrives
        arrivals: list[tuple[str, float]] = []
        at = begin
        said = ""
        for part in stretches:
            sound = pad_to_frames(silence(part.pause_ms) + part.pcm)
            at_end = at + part.pause_ms / 1000 + len(part.pcm) / 16000
            self._utterances += 1
            for text, end_s in _moments(part, at + part.pause_ms / 1000):
                due = end_s + LAG_MS / 1000
                final = text == part.text
                self._words.append((due, WordsIn(text, final, f"s{self._utterances}")))
                arrivals.append((said + text, due))
            said += part.text
            self._frames.extend(frames(sound))
            at += len(sound) / 16000
        return Spoken(begin, at_end, tuple(arrivals))

    async def until(self, moment_s: float) -> None:
        """Wait for a moment of the loop's clock."""
        await asyncio.sleep(max(0.0, moment_s - asyncio.get_running_loop().time()))

    async def bot_quiet(self, ms: int, longest_s: float = 20.0) -> bool:
        """Wait until the bot has sounded and then been silent for `ms`; False where it never sounds."""
        loop = asyncio.get_running_loop()
        began, give_up = loop.time() - ms / 1000, loop.time() + longest_s
        while loop.time() < give_up and not self.ended.is_set():
            quiet_s = loop.time() - self._sounded_s
            if self._sounded_s >= began and quiet_s >= ms / 1000:
                return True
            await asyncio.sleep(0.1 if self._sounded_s < began else max(0.001, ms / 1000 - quiet_s))
        return False

    async def first(
        self, after_s: float, sounding: bool, longest_s: float, below: float = 0.0
    ) -> float | None:
        """When the bot first sounds (or is at most as loud as `below`) after a moment; None: not at all."""

        def wanted(at: float, level: float) -> bool:
            return at >= after_s and (level > 0 if sounding else level <= below)

        recent = itertools.takewhile(lambda noted: noted[0] >= after_s, reversed(self.levels))
        found = [at for at, level in recent if wanted(at, level)]
        if found:
            return found[-1]
        waiter = _Waiter(wanted, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        left_s = max(0.0, after_s + longest_s - asyncio.get_running_loop().time())
        try:
            return await asyncio.wait_for(waiter.found, left_s)
        except TimeoutError:
            return None
        finally:
            self._waiters.remove(waiter)


@dataclass(slots=True, eq=False)
class _Waiter:
    """Waits for a frame of the bot."""

    wanted: Callable[[float, float], bool]
    found: asyncio.Future[float]


def _moments(part: Stretch, begin_s: float) -> list[tuple[str, float]]:
    """(text so far, when its sound ended), word by word."""
    length = len(part.pcm) / 16000
    weight = weights(part.text)
    total = sum(weight) or 1.0
    found: list[tuple[str, float]] = []
    for word in _WORDS.finditer(part.text):
        found.append((part.text[: word.end()].rstrip(), begin_s + length * sum(weight[: word.end()]) / total))
    if not found or found[-1][0] != part.text:
        found.append((part.text, begin_s + length))
    return [*found[:-1], (part.text, begin_s + length)]
