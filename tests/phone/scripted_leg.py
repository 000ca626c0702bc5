"""A line whose far end the test plays: it says what it is told to, and keeps all that it is sent."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bot.call.pcm import SILENT_FRAME
from bot.call.ports import (
    AudioIn,
    DtmfIn,
    HungUpIn,
    LegCapabilities,
    LegInput,
    MarkIn,
    Receive,
    TransferFailed,
)

FRAME_S = 0.02


def frame(number: int) -> bytes:
    """A frame that can be told from others: all its samples are `number` + 1."""
    return (number + 1).to_bytes(2, "little") * 160


def number(pcm: bytes) -> int:
    """Which one it is; -1 for silence."""
    return int.from_bytes(pcm[:2], "little") - 1


class ScriptedLeg:
    """Implements PhoneLeg.  `sent`: (time, frame); `digits`; `hung_up`: causes, as often as it was asked."""

    def __init__(self, **capabilities: object) -> None:
        basis = LegCapabilities(flush=True, dtmf=True, dtmf_out=True, continuous=False)
        self.capabilities = replace(basis, **capabilities)  # type: ignore[arg-type]
        self.sent: list[tuple[float, bytes]] = []
        self.digits = ""
        self.flushes = 0
        self.hung_up: list[str] = []
        self.marks: list[str] = []
        self.transferred_to: str | None = None
        self.refuses_transfer = False
        self._receive: Receive | None = None
        self._over = False

    def listen(self, receive: Receive) -> None:
        assert self._receive is None, "a leg is listened to once"
        self._receive = receive

    def send(self, pcm: bytes) -> None:
        assert len(pcm) == 320
        self.sent.append((asyncio.get_running_loop().time(), pcm))

    def mark(self, name: str) -> None:
        self.marks.append(name)

    def flush(self) -> None:
        self.flushes += 1

    def send_digits(self, digits: str) -> None:
        self.digits += digits

    async def transfer(self, target: str) -> None:
        if self.refuses_transfer:
            raise TransferFailed("the switch refused")
        self.transferred_to = target
        self._end("transferred")

    async def hang_up(self, cause: str) -> None:
        self.hung_up.append(cause)
        self._end(cause)

    # -- the far end

    def says(self, item: LegInput) -> None:
        """It gives this, now."""
        assert self._receive is not None, "nobody listens"
        self._receive(item)

    def leaves(self, cause: str = "customer") -> None:
        """It hangs up."""
        self._end(cause)

    def plays_marks(self) -> None:
        """It has played what it was sent."""
        marks, self.marks = self.marks, []
        for name in marks:
            self.says(MarkIn(name))

    def presses(self, digit: str) -> None:
        self.says(DtmfIn(digit))

    async def talks(self, frames: int, *, every_s: float = FRAME_S, first: int = 0) -> None:
        """Numbered frames on absolute deadlines."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for count in range(frames):
            await asyncio.sleep(begun + count * every_s - loop.time())
            if self._over:
                return
            self.says(AudioIn(frame(first + count)))

    def heard(self) -> list[int]:
        """The numbers of the frames that it was sent, without silence."""
        return [number(pcm) for _, pcm in self.sent if pcm != SILENT_FRAME]

    def _end(self, cause: str) -> None:
        if not self._over:
            self._over = True
            if self._receive is not None:
                self._receive(HungUpIn(cause))
