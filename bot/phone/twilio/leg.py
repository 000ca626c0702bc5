"""The PhoneLeg on a Twilio media stream, or a clone's.

Audio goes out as mu-law the moment it is given, 20 ms ahead at most; marks come back when it has been
played.  Marks are numbered on the wire: those that `clear` sends back unplayed are no longer known by
then, and a mark that was played proves all before it.  A stream with both tracks (assist) is for
listening only: Twilio breaks off a one-way stream to which something is sent (error 31924).
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Literal, Protocol

from picows import WSCloseCode

from bot.call.ports import (
    FRAME_BYTES,
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
from bot.phone.codecs import pcm_to_ulaw, ulaw_to_pcm
from bot.phone.dialling import DialFailed
from bot.phone.twilio.messages import Encoder, Opening, Track

LEAD_MS = 20
ULAW_FRAME_BYTES = FRAME_BYTES // 2
LONGEST_WAIT = 1500
"""Inputs (30 s of audio) that are kept until somebody listens; then the oldest is dropped."""
MOST_MARKS = 1000
"""Marks that a far end may leave unanswered; then the oldest is forgotten."""

_log = logging.getLogger(__name__)


class Wire(Protocol):
    """The media socket as the leg needs it."""

    def write_text(self, message: bytes) -> None: ...
    def close(self, code: WSCloseCode = ..., reason: str = ...) -> None: ...


class LineControl(Protocol):
    """What REST can do to a call that is up.  Both raise DialFailed."""

    async def end(self, line_id: str) -> None: ...
    async def transfer(self, line_id: str, target: str, caller_id: str | None) -> None: ...


class TwilioLeg:
    """One line; `opening` tells which.  The socket calls heard, key, played, said and ended."""

    def __init__(
        self, wire: Wire, encoder: Encoder, opening: Opening, *, words: bool, control: LineControl | None
    ) -> None:
        both = "outbound" in opening.tracks
        self.capabilities = LegCapabilities(
            words=words,
            marks=not both,
            flush=not both,
            two_tracks=both,
            dtmf=True,
            dtmf_out=not both and encoder.digits("0") is not None,
            transfer=not both and control is not None,
            continuous=False,
            lead_ms=0 if both else LEAD_MS,
        )
        self._wire, self._encoder, self._opening = wire, encoder, opening
        self._control = None if both else control
        self._mute = both
        self._waiting: deque[LegInput] = deque(maxlen=LONGEST_WAIT)
        self._receive: Receive = self._waiting.append
        self._listened = self._ended = self._transferring = False
        self._ended_meanwhile: str | None = None
        self._rests: dict[Track, bytes] = {}
        self._marks: dict[str, str] = {}
        self._marked = 0
        self._utterances: dict[Track, int] = {}

    # -- the PhoneLeg port

    def listen(self, receive: Receive) -> None:
        """From now on `receive` gets everything; what waited comes first."""
        if self._listened:
            raise RuntimeError("a leg is listened to once only")
        self._listened = True
        while self._waiting:
            receive(self._waiting.popleft())
        if not self._ended:
            self._receive = receive

    def send(self, pcm: bytes) -> None:
        """Play one frame after those sent before."""
        if not self._mute:
            self._wire.write_text(self._encoder.media(pcm_to_ulaw(pcm)))

    def mark(self, name: str) -> None:
        """MarkIn(name) once all that was sent so far has been played."""
        if self._mute:
            return
        self._marked += 1
        number = str(self._marked)
        self._marks[number] = name
        if len(self._marks) > MOST_MARKS:
            del self._marks[next(iter(self._marks))]
        self._wire.write_text(self._encoder.mark(number))

    def flush(self) -> None:
        """Drop what was sent and not yet played, its marks as well."""
        if not self._mute:
            self._marks.clear()
            self._wire.write_text(self._encoder.clear())

    def send_digits(self, digits: str) -> None:
        """Send keys, where the provider's stream can."""
        message = None if self._mute else self._encoder.digits(digits)
        if message is not None:
            self._wire.write_text(message)

    async def transfer(self, target: str) -> None:
        """Give the call away for good.  Raises TransferFailed; the call then goes on here."""
        if self._control is None:
            raise TransferFailed("this line cannot be transferred: the REST API is not configured")
        if self._ended:
            raise TransferFailed("the call is over")
        if self._transferring:
            raise TransferFailed("the call is being transferred already")
        opening = self._opening
        outbound = opening.parameters.get("direction") == "outbound"
        self._transferring = True
        try:
            await self._control.transfer(opening.line_id, target, opening.caller if outbound else None)
        except (DialFailed, ValueError) as error:
            self._transferring = False
            if self._ended_meanwhile is not None:
                self.ended(self._ended_meanwhile)
            raise TransferFailed(str(error)) from error
        self._transferring = False
        self.ended("transferred")
        self._wire.close()

    async def hang_up(self, cause: str) -> None:
        """End the call, or on a line with two tracks only the listening."""
        if self._ended:
            return
        self._transferring = False
        self.ended(cause)
        self._wire.close()
        if self._control is not None:
            try:
                await self._control.end(self._opening.line_id)
            except DialFailed as error:
                # Twilio ends the call by itself when the stream is gone and no verb follows.
                _log.warning("a call was not ended by REST: %s", error)

    # -- from the socket

    def heard(self, ulaw: bytes, track: Track) -> None:
        """Audio of a track, of any length: cut into frames, what is left over waits for more."""
        side: Literal["customer", "agent"] = "customer" if track == "inbound" else "agent"
        rest = self._rests.get(track)
        if rest:
            ulaw = rest + ulaw
        if len(ulaw) == ULAW_FRAME_BYTES:
            if rest:
                self._rests[track] = b""
            self._receive(AudioIn(ulaw_to_pcm(ulaw), side))
            return
        whole = len(ulaw) // ULAW_FRAME_BYTES * ULAW_FRAME_BYTES
        self._rests[track] = ulaw[whole:]
        pcm = ulaw_to_pcm(ulaw[:whole])
        for start in range(0, len(pcm), FRAME_BYTES):
            self._receive(AudioIn(pcm[start : start + FRAME_BYTES], side))

    def key(self, digit: str) -> None:
        """A key, checked."""
        self._receive(DtmfIn(digit))

    def played(self, number: str) -> None:
        """A mark came back: it and those before it were played.  One that is not known was flushed."""
        if number not in self._marks:
            return
        for sent in list(self._marks):
            self._receive(MarkIn(self._marks.pop(sent)))
            if sent == number:
                return

    def said(self, text: str, final: bool, track: Track = "inbound") -> None:
        """Words of simulated people."""
        side: Literal["customer", "agent"] = "customer" if track == "inbound" else "agent"
        number = self._utterances.get(track, 1)
        self._receive(WordsIn(text, final, f"{side[0]}{number}", side=side))
        self._utterances[track] = number + final

    def ended(self, cause: str) -> None:
        """The line is gone; told once.  A transfer ends the stream before REST tells how it went."""
        if self._ended:
            return
        if self._transferring:
            self._mute, self._ended_meanwhile = True, self._ended_meanwhile or cause
            return
        self._ended = self._mute = True
        self._marks.clear()
        receive, self._receive = self._receive, _nothing
        receive(HungUpIn(cause))


def _nothing(item: LegInput) -> None:
    """After the last input."""
