"""What goes to chan_websocket and when: whole frames, marks by number, nothing while it says XOFF.

PURE: writes through the two functions it is given.  Asterisk (f0c1c1a, channels/chan_websocket.c)
drops a frame's remainder, drops media over 1000 queued frames, and forgets marks without a word when
it flushes; here remainders wait or are filled up, what is held back while it says XOFF fits when it says
XON, and a flush forgets the marks on this side too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from bot.phone.asterisk.media_audio import Outgoing
from bot.phone.asterisk.media_messages import MediaStart, command
from bot.phone.codecs import pcm_to_alaw, pcm_to_ulaw

MOST_HELD = 100
"""Messages kept while Asterisk says XOFF (two seconds); XON comes below 800, so these fit."""

LARGEST_FRAME = 7680
"""Bytes of 20 ms at 192 kHz: no format has a longer frame."""

Write = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class LineFormat:
    """A codec of Asterisk: samples a second, and how PCM becomes its bytes (None: it is PCM)."""

    rate_hz: int
    encode: Callable[[bytes], bytes] | None = None


FORMATS = {
    "slin": LineFormat(8000),
    "slin12": LineFormat(12000),
    "slin16": LineFormat(16000),
    "slin24": LineFormat(24000),
    "slin32": LineFormat(32000),
    "slin44": LineFormat(44100),
    "slin48": LineFormat(48000),
    "slin96": LineFormat(96000),
    "slin192": LineFormat(192000),
    "ulaw": LineFormat(8000, pcm_to_ulaw),
    "alaw": LineFormat(8000, pcm_to_alaw),
}


class FormatRefused(ValueError):
    """The channel's media cannot be spoken here; says what to change."""


class Outflow:
    """The sending side of one channel."""

    def __init__(self, start: MediaStart, media: Write, text: Write) -> None:
        """`media` sends a binary message, `text` a command.  Raises FormatRefused."""
        line = FORMATS.get(start.format)
        if line is None:
            raise FormatRefused(f"no codec for {start.format!r}; dial the WebSocket channel with c(slin)")
        unit = start.optimal_frame_size * (2 if line.encode else 1)
        if not 0 < unit <= LARGEST_FRAME or unit % 2:
            raise FormatRefused(
                f"frames of {start.optimal_frame_size} bytes of {start.format}; "
                "dial the WebSocket channel without p (pass-through has no marks and no flush)"
            )
        self._outgoing = Outgoing(line.rate_hz, unit)
        self._encode = line.encode
        self._media = media
        self._text = text
        self._json = start.as_json
        self._flush = (
            command("FLUSH_MEDIA", as_json=self._json),
            command("CONTINUE_MEDIA", as_json=self._json),
        )
        self._marks: dict[str, str] = {}
        self._numbered = 0
        self._stopped = False
        self._held: deque[tuple[Write, bytes]] = deque()
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """Marks that have not come back."""
        return len(self._marks)

    def send(self, pcm: bytes) -> None:
        """Our frame of 320 bytes, after those before it."""
        sound = self._outgoing.feed(pcm)
        if sound:
            self._put(self._media, self._encode(sound) if self._encode else sound)

    def mark(self, name: str) -> None:
        """Ask to be told when all before this has been played."""
        rest = self._outgoing.finish()
        if rest:
            self._put(self._media, self._encode(rest) if self._encode else rest)
        self._numbered += 1
        number = f"m{self._numbered}"
        self._marks[number] = name
        self._put(self._text, command("MARK_MEDIA", correlation_id=number, as_json=self._json))

    def flush(self) -> None:
        """Drop all that was not played, here and there; marks with it.  Never waits for XON."""
        self._outgoing.clear()
        self._held.clear()
        self._marks.clear()
        for text in self._flush:
            self._text(text)

    def processed(self, number: str) -> str | None:
        """The name of a mark that came back; None for one that a flush forgot, or nobody set."""
        return self._marks.pop(number, None)

    def stop(self) -> None:
        """XOFF."""
        self._stopped = True

    def go_on(self) -> None:
        """XON: first what was held."""
        self._stopped = False
        while self._held:
            write, message = self._held.popleft()
            write(message)

    def _put(self, write: Write, message: bytes) -> None:
        if not self._stopped:
            write(message)
            return
        self._held.append((write, message))
        if len(self._held) > MOST_HELD:
            self._drop_oldest_sound()

    def _drop_oldest_sound(self) -> None:
        """Marks stay: what waits for them would wait for ever."""
        for index, (write, _) in enumerate(self._held):
            if write == self._media:
                del self._held[index]
                self.dropped += 1
                return
