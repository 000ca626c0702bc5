"""A voice process as in service, with a dialogue and a recogniser of a few fixed words; run as a program.

    python -m tests.whole.line_process --redis URL --database URL --phones phones.yml

The dialogue: asks; to 再见 it says goodbye and hangs up (declined), to anything else it asks on; the
second time in a row that nobody says a word, or none can be understood, it gives up (no_answer).
The recogniser: a short sound is 好的, one over a second 再见, one that never stops nothing.  Waits are short.
"""

from __future__ import annotations

import argparse
import asyncio
import audioop
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from bot.bus import connect
from bot.call.parameters import Parameters
from bot.call.ports import WordsIn
from bot.phone.settings import read_phones
from bot.processes import child
from bot.processes.voice import VoiceProcess
from bot.store.database import Database
from bot.turn import Line, Reply, TurnRequest

SCRIPT, VERSION = "ringback", "scripted"
GREETING, GOODBYE = "您好,请问您现在方便吗?", "好的,再见。"
LOUD_RMS = 300
QUIET_FRAMES = 15
LONG_FRAMES = 50


class Dialogue:
    """What is said, by what was said."""

    def __init__(self) -> None:
        self._in_vain: Counter[str] = Counter()

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def version(self, script: str) -> str | None:
        return VERSION if script == SCRIPT else None

    async def ask(self, request: TurnRequest) -> Reply:
        if request.kind in ("silence", "no_match") and not request.speculative:
            self._in_vain[request.call_id] += 1
        elif not request.speculative:
            self._in_vain[request.call_id] = 0
        ends = "再见" in (request.text or "") or self._in_vain[request.call_id] > 1
        text = GREETING if request.kind == "open" else GOODBYE if ends else "好的,那您听我说。"
        disposition = "no_answer" if request.kind in ("silence", "no_match") else "declined"
        return Reply(
            call_id=request.call_id, turn=request.turn, node="line",
            lines=(Line(node="line", text=text, interruptible=not ends),), expects="yes_no_question",
            ended=ends, disposition=disposition if ends else None,
            speculation="ready" if request.speculative else None,
        )  # fmt: skip


class Ears:
    """Takes the length of a sound for a word."""

    name = "length"

    async def open(self, call_id: str) -> Ears.Stream:
        return Ears.Stream()

    class Stream:
        def __init__(self) -> None:
            self._loud = self._quiet = 0
            self._said: asyncio.Queue[str | None] = asyncio.Queue()

        async def feed(self, pcm: bytes) -> None:
            if audioop.rms(pcm, 2) >= LOUD_RMS:
                self._loud, self._quiet = self._loud + 1, 0
                return
            self._quiet += 1
            if self._loud and self._quiet == QUIET_FRAMES:
                self._said.put_nowait("再见" if self._loud >= LONG_FRAMES else "好的")
                self._loud = 0

        async def expect(self, phrases: Sequence[str]) -> None: ...

        async def end_utterance(self) -> None: ...

        async def words(self) -> AsyncIterator[WordsIn]:
            while (text := await self._said.get()) is not None:
                yield WordsIn(text, True)

        async def close(self) -> None:
            self._said.put_nowait(None)


async def main(options: argparse.Namespace, stop: asyncio.Event) -> None:
    """Serve until stopped."""
    redis, database = connect(options.redis), Database.open(options.database)
    voice = VoiceProcess(
        redis, "voice-1", database, recogniser=Ears(), calls=40, phones=read_phones(options.phones),
        brain=Dialogue(),
    )  # fmt: skip
    voice.calls.shared.parameters = Parameters(silence_ms=3000, endless_voice_ms=1500, noise_ms=1000)
    try:
        await voice.start()
        assert voice.lines is not None
        child.ready(*voice.lines.addresses)
        await voice.serve(stop)
    finally:
        database.close()
        await redis.aclose()


if __name__ == "__main__":
    parser = child.arguments(__doc__ or "")
    parser.add_argument("--phones", type=Path, required=True)
    arguments = parser.parse_args()
    child.run(lambda stop: main(arguments, stop))
