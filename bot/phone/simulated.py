"""A simulated phone leg: a persona who talks over real 8000 Hz frames, paced by the event loop's clock.

Every 20 ms one frame of the customer's side arrives, as from a real line, on a real loop in real
time, on a virtual loop (bot/call/clock.py) at once.  The bot's frames are played out one each 20 ms;
their energy is what the persona hears, and `bot_speaks(line)`, called by whoever plays a line as it
starts, tells the words.  With `words` the leg "hears text": the customer's words come as WordsIn
`lag_ms` behind the sound, one utterance for each stretch between pauses, as a recogniser gives them;
nothing in them tells whether the turn goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass

from bot.call.pcm import SILENT_FRAME, at_level, duration_ms, frames, level_dbfs, silence, trim
from bot.call.ports import (
    FRAME_MS,
    AudioIn,
    DtmfIn,
    HungUpIn,
    LegCapabilities,
    LegInput,
    Receive,
    TransferFailed,
    Voice,
    WordsIn,
)
from bot.call.spoken_time import moments
from bot.phone.behaviour import Act, Behaviour
from bot.phone.line_faults import SPEECH_DBFS, Line
from bot.phone.persona import Persona, all_lines, filled, stretches
from bot.turn import Line as SpokenLine

log = logging.getLogger(__name__)

AUDIBLE_DBFS = -46.0
PARTIAL_EVERY_MS = 100
KEY_EVERY_MS = 200
HANG_UP_AFTER_MS = 300
LONGEST_QUEUE = 50
"""More frames than this (1 s) waiting to be played mean that the sender does not pace itself."""

_BABBLE = "我跟你说啊，昨天我们一起去吃饭，人可多了，排了一个多小时的队，后来老王也来了，大家聊得挺高兴的。"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words between two pauses: the pause before them in ms, the text, its sound."""

    pause_ms: int
    text: str
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Said:
    """What the persona really said: when it began, the text without pause marks, the end of its sound."""

    at_ms: int
    text: str
    end_ms: int
    backchannel: bool = False


class SimulatedLeg:
    """The PhoneLeg port with a persona at the far end.

    `words`: deliver words as text; False: audio only, a recogniser must listen.
    """

    def __init__(self, persona: Persona, voice: Voice, *, words: bool, lag_ms: int = 200) -> None:
        self.capabilities = LegCapabilities(words=words, flush=True, dtmf=True)
        self.persona = persona
        self.said: list[Said] = []
        self._voice, self._lag_ms = voice, lag_ms
        self._behaviour = Behaviour(persona)
        self._sounds: dict[str, list[Stretch]] = {}
        self._line: Line | None = None
        self._playing: deque[bytes] = deque()
        self._to_play: deque[bytes] = deque()
        self._words: deque[tuple[int, WordsIn]] = deque()
        self._keys: deque[tuple[int, str]] = deque()
        self._now_ms = 0
        self._speaking = self._ended = False
        self._hang_up_at: tuple[int, str] | None = None
        self._utterances = 0
        self._warned = False
        self._talk: asyncio.Task[None] | None = None

    async def ring(self) -> None:
        """The time until the persona answers; its lines are rendered meanwhile.  Raises VoiceError."""
        loop = asyncio.get_running_loop()
        answered = loop.time() + self.persona.answer_ms / 1000
        await self.prepare()
        await asyncio.sleep(max(0.0, answered - loop.time()))

    async def prepare(self) -> None:
        """Render all that the persona may say; a second call does nothing.  Raises VoiceError."""
        if self._line is not None:
            return
        for line in all_lines(self.persona):
            text = filled(line, self.persona.contact)
            self._sounds[text] = [
                Stretch(pause_ms, words, await self._render(words)) for pause_ms, words in stretches(text)
            ]
        noise = self.persona.noise
        babble = await self._voice.synthesize(_BABBLE) if noise and noise.kind == "babble" else b""
        self._line = Line(self.persona.line, noise, self.persona.seed, babble)

    def listen(self, receive: Receive) -> None:
        """Give everything from the far end to `receive`, paced by the loop's clock."""
        self._talk = asyncio.create_task(self._run(receive), name=f"simulated {self.persona.name}")

    async def _run(self, receive: Receive) -> None:
        await self.prepare()
        loop = asyncio.get_running_loop()
        started = loop.time()
        ticks = 0
        while True:
            await asyncio.sleep(max(0.0, started + ticks * FRAME_MS / 1000 - loop.time()))
            self._now_ms = ticks * FRAME_MS
            for item in self._tick():
                receive(item)
            if self._hang_up_at is not None and self._now_ms >= self._hang_up_at[0]:
                self._ended = True
                receive(HungUpIn(self._hang_up_at[1]))
                return
            ticks += 1

    def send(self, pcm: bytes) -> None:
        """Play one frame; frames after the end are dropped, and the oldest where a second is waiting."""
        if self._ended:
            return
        self._to_play.extend(frames(pcm))
        while len(self._to_play) > LONGEST_QUEUE:
            self._to_play.popleft()
            if not self._warned:
                self._warned = True
                log.warning("simulated leg: over 1 s of frames queued; the sender must send one each 20 ms")

    def flush(self) -> None:
        """Drop what was sent and not yet played."""
        self._to_play.clear()

    def mark(self, name: str) -> None:
        """This line has no marks."""

    def send_digits(self, digits: str) -> None:
        """The persona pays no heed to keys."""

    async def transfer(self, target: str) -> None:
        """There is no switch behind this line."""
        raise TransferFailed("a simulated line cannot be transferred")

    async def hang_up(self, cause: str) -> None:
        """End the leg at the next frame; a second call does nothing."""
        if self._hang_up_at is None or self._hang_up_at[0] > self._now_ms:
            self._hang_up_at = (self._now_ms, cause)

    def bot_speaks(self, line: SpokenLine) -> None:
        """Side channel of the simulation: the bot begins this line now, its sound follows."""
        self._behaviour.bot_line(self._now_ms, line.text)

    async def _render(self, words: str) -> bytes:
        return at_level(trim(await self._voice.synthesize(words)), SPEECH_DBFS) if words else b""

    def _tick(self) -> list[LegInput]:
        bot_frame = self._to_play.popleft() if self._to_play else SILENT_FRAME
        if bot_frame != SILENT_FRAME and level_dbfs(bot_frame) > AUDIBLE_DBFS:
            self._behaviour.bot_sound(self._now_ms, FRAME_MS)
        if self._speaking and not self._playing:
            self._speaking = False
            self._behaviour.finished_speaking(self._now_ms)
        limits = [(self.persona.limit_ms, "limit"), (self.persona.line.cut_ms, "line_cut")]
        for limit_ms, cause in limits:
            if limit_ms is not None and self._now_ms >= limit_ms and self._hang_up_at is None:
                self._hang_up_at = (self._now_ms, cause)
        if self._hang_up_at is None and (act := self._behaviour.tick(self._now_ms)) is not None:
            self._begin(act)
        assert self._line is not None
        frame = self._line.carry(self._playing.popleft() if self._playing else SILENT_FRAME, bot_frame)
        items: list[LegInput] = [] if frame is None else [AudioIn(frame)]
        while self._words and self._words[0][0] <= self._now_ms:
            items.append(self._words.popleft()[1])
        while self._keys and self._keys[0][0] <= self._now_ms:
            items.append(DtmfIn(self._keys.popleft()[1]))
        return items

    def _begin(self, act: Act) -> None:
        end_ms = self._now_ms
        if act.text:
            end_ms = self._say(act)
        for number, key in enumerate(act.dtmf):
            self._keys.append((end_ms + number * KEY_EVERY_MS, key))
            end_ms += KEY_EVERY_MS
        if act.hang_up:
            wait_ms = max(HANG_UP_AFTER_MS, self._lag_ms + FRAME_MS) if act.text else 0
            self._hang_up_at = (end_ms + wait_ms, "customer")

    def _say(self, act: Act) -> int:
        """Queue the sound and the words of a text; the moment when its sound ends."""
        parts = self._sounds[act.text]
        sound = b"".join(silence(part.pause_ms) + part.pcm for part in parts)
        self._playing.extend(frames(sound))
        self._speaking = True
        at_ms = self._now_ms
        for part in parts:
            at_ms += part.pause_ms
            if self.capabilities.words and part.text:
                self._queue_words(part, at_ms)
            at_ms += duration_ms(part.pcm)
        self.said.append(Said(self._now_ms, "".join(part.text for part in parts), at_ms, act.backchannel))
        return at_ms

    def _queue_words(self, part: Stretch, begin_ms: int) -> None:
        self._utterances += 1
        name = f"c{self._utterances}"
        length_ms = duration_ms(part.pcm)
        ends = moments(part.text, length_ms)
        whole, shown = _unmarked(part.text), ""
        for step_ms in range(PARTIAL_EVERY_MS, length_ms, PARTIAL_EVERY_MS):
            text = _unmarked(part.text[: sum(1 for end in ends if end <= step_ms)])
            if text not in (shown, whole):
                self._words.append((begin_ms + step_ms + self._lag_ms, WordsIn(text, False, name)))
                shown = text
        self._words.append((begin_ms + length_ms + self._lag_ms, WordsIn(whole, True, name)))


def _unmarked(text: str) -> str:
    """Recognisers print no punctuation."""
    return "".join(c for c in text if c.isalnum() or c in " '").strip()
