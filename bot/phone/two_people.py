"""A simulated call between two people: a conversation spoken by two voices, on a line with two tracks.

Paced by the event loop's clock, real or virtual.  `tracks()` gives the sound of both sides, `heard()`
the words as a recogniser with perfect ears and the given slips would give them: partial texts three
a second while the sound runs, the final text when the quiet after it has told its end.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from bot.call.pcm import BYTES_PER_MS, SILENT_FRAME, at_level, duration_ms, frames, silence, trim
from bot.call.ports import FRAME_BYTES, FRAME_MS, HungUpIn, Voice
from bot.call.spoken_time import moments
from bot.listening.ports import SIDES, Heard, Side, TrackIn
from bot.phone.conversation import Conversation
from bot.phone.line_faults import SPEECH_DBFS, Line
from bot.phone.persona import LineFaults, stretches

PARTIAL_EVERY_MS = 333
WORDS_LAG_MS = 200
FINAL_LAG_MS = 400
"""The quiet that ends an utterance (350 ms) and the recogniser's work."""

HANG_UP_AFTER_MS = 900


@dataclass(frozen=True, slots=True)
class Spoken:
    """Words between two pauses: which line of the conversation, when, what a recogniser makes of them."""

    line: int
    side: Side
    utterance_id: str
    heard: str
    begin_ms: int
    pcm: bytes = field(repr=False)

    @property
    def end_ms(self) -> int:
        """When its sound is over."""
        return self.begin_ms + duration_ms(self.pcm)


class TwoPeople:
    """One conversation, spoken.  `prepare` first."""

    def __init__(self, conversation: Conversation, agent: Voice, customer: Voice) -> None:
        self.conversation = conversation
        self.spoken: list[Spoken] = []
        self._voices: dict[Side, Voice] = {"agent": agent, "customer": customer}

    @property
    def duration_ms(self) -> int:
        """From the first sound to the hang-up."""
        return max(part.end_ms for part in self.spoken) + HANG_UP_AFTER_MS

    def line_at(self, side: Side, begin_ms: int, end_ms: int) -> int | None:
        """Which line of the conversation that side spoke in this time; None where it was silent."""
        shared = [
            (min(part.end_ms, end_ms) - max(part.begin_ms, begin_ms), part.line)
            for part in self.spoken
            if part.side == side and part.begin_ms < end_ms and begin_ms < part.end_ms
        ]
        return max(shared)[1] if shared else None

    async def prepare(self) -> None:
        """Have both voices say everything; a second call does nothing.  Raises VoiceError."""
        if self.spoken:
            return
        said: list[Spoken] = []
        before_ms = 0
        for number, line in enumerate(self.conversation.lines):
            at_ms = max(0, before_ms - line.overlap_ms) if line.overlap_ms else before_ms + line.after_ms
            at_ms = max(at_ms, _free_ms(said, line.side))
            parts = list(zip(stretches(line.text), stretches(line.heard_text), strict=True))
            for place, ((pause_ms, text), (_, heard)) in enumerate(parts):
                at_ms += pause_ms
                if not text:
                    continue
                pcm = at_level(trim(await self._voices[line.side].synthesize(text)), SPEECH_DBFS)
                name = f"{line.side[0]}{number + 1}.{place + 1}"
                said.append(Spoken(number, line.side, name, unmarked(heard), at_ms, pcm))
                at_ms += duration_ms(pcm)
            before_ms = max(before_ms, at_ms)
        self.spoken = said

    def phrases(self, side: Side) -> list[str]:
        """All that this side says, whole and by clauses, for recognisers with a closed grammar."""
        found: dict[str, None] = {}
        for line in self.conversation.lines:
            if line.side == side:
                for _, text in stretches(line.text):
                    found.update(dict.fromkeys((unmarked(text), *_clauses(text))))
        return [phrase for phrase in found if phrase]

    def track(self, side: Side) -> bytes:
        """The whole sound of one side, from 0 ms to the hang-up."""
        sound = bytearray(silence(self.duration_ms))
        for part in self.spoken:
            if part.side == side:
                start = part.begin_ms * BYTES_PER_MS
                sound[start : start + len(part.pcm)] = part.pcm
        return bytes(sound)

    async def tracks(self) -> AsyncIterator[TrackIn | HungUpIn]:
        """Both sides' frames as they sound, over a telephone line; ends after HungUpIn."""
        await self.prepare()
        lines = {side: Line(LineFaults(), None, seed=1) for side in SIDES}
        rows: dict[Side, Iterator[bytes]] = {side: frames(self.track(side)) for side in SIDES}
        started = asyncio.get_running_loop().time()
        for tick in itertools.count(1):
            at_ms = tick * FRAME_MS
            await _until(started, at_ms)
            if at_ms > self.duration_ms:
                yield HungUpIn(self.conversation.end)
                return
            for side in SIDES:
                frame = lines[side].carry(next(rows[side], SILENT_FRAME), SILENT_FRAME)
                assert frame is not None and len(frame) == FRAME_BYTES  # this line loses nothing
                yield TrackIn(side, frame, at_ms)

    async def heard(self) -> AsyncIterator[Heard]:
        """The words of both sides as they are recognised; ends with the call."""
        await self.prepare()
        started = asyncio.get_running_loop().time()
        for at_ms, words in self.timeline():
            await _until(started, at_ms)
            yield words
        await _until(started, self.duration_ms)

    def timeline(self) -> list[tuple[int, Heard]]:
        """(moment, words) in order of time."""
        found = [item for part in self.spoken for item in _words(part)]
        return sorted(found, key=lambda item: item[0])


def unmarked(text: str) -> str:
    """Recognisers print no punctuation."""
    return "".join(c for c in text if c.isalnum() or c in " '").strip()


def _words(part: Spoken) -> list[tuple[int, Heard]]:
    length_ms = part.end_ms - part.begin_ms
    ends, shown = moments(part.heard, length_ms), ""
    found = []
    for step_ms in range(PARTIAL_EVERY_MS, length_ms, PARTIAL_EVERY_MS):
        text = part.heard[: sum(1 for end in ends if end <= step_ms)].strip()
        if text and text != shown:
            shown = text
            now_ms = part.begin_ms + step_ms
            words = Heard(part.side, part.utterance_id, text, part.begin_ms, now_ms, False)
            found.append((now_ms + WORDS_LAG_MS, words))
    last = Heard(part.side, part.utterance_id, part.heard, part.begin_ms, part.end_ms, True, 0.9)
    return [*found, (part.end_ms + FINAL_LAG_MS, last)]


def _clauses(text: str) -> list[str]:
    """The pieces between marks, where a speaker may pause for long enough to end an utterance."""
    pieces = "".join(c if c.isalnum() or c in " '" else "\n" for c in text).split("\n")
    return [piece.strip() for piece in pieces if len(piece.strip()) > 1]


def _free_ms(said: list[Spoken], side: Side) -> int:
    """Nobody speaks over himself."""
    return max((part.end_ms for part in said if part.side == side), default=0)


async def _until(started: float, at_ms: int) -> None:
    await asyncio.sleep(max(0.0, started + at_ms / 1000 - asyncio.get_running_loop().time()))
