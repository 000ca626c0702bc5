"""What the lines of all pages share, whatever carries the sound: order of input, the end, the messages.

A softphone's leg waits until `ring` finds its agent: its sound counts from the answer on.  After the
end a caller's page stays for a moment, so that it learns how the call ended.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from bot.call.ports import (
    AudioIn,
    DtmfIn,
    HungUpIn,
    LegCapabilities,
    LegInput,
    MarkIn,
    Receive,
    TransferFailed,
    WordsIn,
)
from bot.phone.browser.access import Kind
from bot.phone.browser.allowance import Allowance
from bot.phone.browser.messages import PageFault, PageSays, typed_line

LINGER_S = 3.0
"""So long the page stays after the end, for the events that tell how the call ended."""

MOST_WAITING = 500
"""Inputs kept until somebody listens: ten seconds of sound; of more the oldest is dropped."""

SOUND_BURST_S = 2.0
MESSAGES_A_SECOND = 50.0

Renew = Callable[[], str]


class PageLeg(ABC):
    """One page's line.  A subclass carries the sound, `_tell` and `_close`."""

    capabilities: LegCapabilities

    def __init__(self, kind: Kind, renew: Renew | None = None) -> None:
        """`renew` makes the ticket with which a softphone comes back for its next call."""
        now_s = asyncio.get_running_loop().time()
        self.kind = kind
        self.ended = False
        self._renew = renew
        self._up = kind == "talk"
        self._receive: Receive | None = None
        self._waiting: deque[LegInput] = deque(maxlen=MOST_WAITING)
        self._marks: dict[str, str] = {}
        self._marked = 0
        self._typed = 0
        self._answer: asyncio.Future[bool] | None = None
        self._outcome_shown = False
        self._linger: asyncio.TimerHandle | None = None
        self._sound_left = Allowance(
            "sound (seconds)", a_second=1.05, burst=SOUND_BURST_S, now_s=now_s
        )  # a sound card's clock may be fast
        self._messages_left = Allowance(
            "messages", a_second=MESSAGES_A_SECOND, burst=2 * MESSAGES_A_SECOND, now_s=now_s
        )

    @abstractmethod
    def send(self, pcm: bytes) -> None:
        """As in PhoneLeg."""

    @abstractmethod
    def flush(self) -> None:
        """As in PhoneLeg."""

    @abstractmethod
    def _tell(self, message: Mapping[str, Any]) -> None:
        """A message to the page, after those before; on a page that is gone nothing."""

    @abstractmethod
    def _close(self) -> None:
        """Let go of the page, after what was told; idempotent."""

    def listen(self, receive: Receive) -> None:
        """From now on `receive` gets everything from the page, what came before first."""
        assert self._receive is None, "a leg is listened to once"
        self._receive = receive
        while self._waiting:
            receive(self._waiting.popleft())

    def mark(self, name: str) -> None:
        """MarkIn(name) once the page has played what was sent so far."""
        if not self.ended:
            self._marked += 1
            self._marks[f"{self._marked}"] = name
            self._tell({"mark": f"{self._marked}"})

    def send_digits(self, digits: str) -> None:
        """Nothing is sent: a page has no use for keys, and `dtmf_out` is not among the capabilities."""
        return

    async def transfer(self, target: str) -> None:
        """A page cannot be given to a number: raises TransferFailed."""
        raise TransferFailed("a web page's line has no number to be given to: bridge it instead")

    async def hang_up(self, cause: str) -> None:
        """End the leg; a second call does nothing."""
        self._end(cause)

    def show(self, event: Mapping[str, Any]) -> None:
        """Show the page a call event (CONTRACT, masked); the last it may see is call.ended."""
        if self.kind != "talk" or self._outcome_shown:
            return
        self._tell({"event": event})
        if event.get("kind") == "call.ended":
            self._outcome_shown = True
            if self.ended:
                self._close()

    async def ring(self, caller: str, seconds: float = 30.0) -> bool:
        """Ring a softphone; whether its agent answered in time.  `caller`: who calls, masked, for the eye.

        An agent who declines ends the leg.  Not while it rings or talks: ValueError.
        """
        if self.kind != "softphone" or self._up or self._answer is not None:
            raise ValueError("only a softphone that waits can ring")
        if self.ended:
            return False
        self._answer = asyncio.get_running_loop().create_future()
        self._tell({"ring": {"caller": caller}})
        try:
            async with asyncio.timeout(seconds):
                return await self._answer
        except TimeoutError:
            self._tell({"ring": None})
            return False
        except asyncio.CancelledError:
            self._tell({"ring": None})
            raise
        finally:
            self._answer = None

    # -- from the page

    def _sound(self, frames: list[bytes], seconds: float) -> None:
        """Sound of `seconds` came, and these frames are whole.  Raises PageFault."""
        self._sound_left.use(seconds, asyncio.get_running_loop().time())
        if self._up:
            for frame in frames:
                self._deliver(AudioIn(frame))

    def _said(self, said: PageSays) -> None:
        """A message came.  Raises PageFault."""
        self._messages_left.use(1, asyncio.get_running_loop().time())
        if said.played is not None:
            if (name := self._marks.pop(said.played, None)) is not None:  # else it was flushed meanwhile
                self._deliver(MarkIn(name))
        elif said.digit is not None:
            self._deliver(DtmfIn(said.digit))
        elif said.say is not None:
            if text := typed_line(said.say):
                self._typed += 1
                self._deliver(WordsIn(text, True, f"typed-{self._typed}", 1.0, typed=True))
        elif said.answer:
            if self._answer is None or self._answer.done():
                return  # it stopped ringing in this moment
            self._up = True
            self._answer.set_result(True)
        elif said.hang_up:
            self._end("agent" if self.kind == "softphone" else "customer")

    def _broke(self, fault: PageFault) -> None:
        """The page broke the protocol."""
        self._end("bad_data", str(fault))

    def _deliver(self, item: LegInput) -> None:
        if self.ended and not isinstance(item, HungUpIn):
            return
        if self._receive is None:
            self._waiting.append(item)
        else:
            self._receive(item)

    def _end(self, cause: str, detail: str = "") -> None:
        """The one end of the line, whatever comes first; a second does nothing."""
        if self.ended:
            return
        end: dict[str, str] = {"cause": cause}
        if detail:
            end["detail"] = detail
        if self._renew is not None and cause not in ("bad_data", "line_lost", "fault"):
            end["ticket"] = self._renew()
        self._tell({"end": end})
        self.ended = True
        self._marks.clear()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(False)
        self._deliver(HungUpIn(cause))
        if self.kind == "softphone" or self._outcome_shown or cause in ("bad_data", "line_lost", "fault"):
            self._close()
        else:
            self._linger = asyncio.get_running_loop().call_later(LINGER_S, self._close)

    def _gone(self) -> None:
        """The page is gone: nothing more can be told."""
        self._end("line_lost")
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None
        self._close()
