"""One call on a chan_websocket connection, whichever side opened it.

Nothing can be said before MEDIA_START names the format; sound that came before it is kept.  Marks come
back when what was before them was played, flush drops it, XOFF and XON are obeyed (media_outflow).
The format is the channel's; here it is 320 bytes at 8000 Hz.  connect_media raises MediaFailed.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable

from picows import WSCloseCode, WSError, ws_connect

from bot.call.ports import AudioIn, DtmfIn, LegCapabilities, MarkIn, Receive, TransferFailed
from bot.phone.asterisk import media_messages as messages
from bot.phone.asterisk.media_inbox import Inbox
from bot.phone.asterisk.media_outflow import FORMATS, FormatRefused, Outflow
from bot.phone.asterisk.settings import MediaSettings
from bot.phone.codecs import alaw_to_pcm, ulaw_to_pcm
from bot.phone.media_server import LARGEST_MESSAGE, BadMessage, MediaSocket
from bot.phone.resampling import ToLine
from bot.understanding.masking import mask

SUBPROTOCOL = "media"
GOODBYE_S = 1.0
"""After our HANGUP Asterisk has so long to close the socket."""

_DECODERS = {"ulaw": ulaw_to_pcm, "alaw": alaw_to_pcm}
_KEYS = frozenset("0123456789*#ABCD")

_log = logging.getLogger(__name__)


class MediaFailed(Exception):
    """No media could be had from Asterisk; says why."""


class MediaLeg(MediaSocket):
    """A PhoneLeg over chan_websocket."""

    capabilities = LegCapabilities(marks=True, flush=True, dtmf=True, continuous=False, lead_ms=20)

    def __init__(
        self,
        settings: MediaSettings,
        started: Callable[[MediaLeg], None],
        gone: Callable[[MediaLeg], None],
    ) -> None:
        """`started`: MEDIA_START has come (`start` is set).  `gone`: the socket is closed; always called
        once, also where it never started."""
        super().__init__()
        self.start: messages.MediaStart | None = None
        self.unknown_events = 0
        self._settings = settings
        self._started = started
        self._gone = gone
        self._inbox = Inbox()
        self._outflow: Outflow | None = None
        self._incoming: ToLine | None = None
        self._decode: Callable[[bytes], bytes] | None = None
        self._early: list[bytes] = []
        self._early_bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def ended(self) -> bool:
        """The end is known; nothing more comes or goes."""
        return self._inbox.ended

    # -- PhoneLeg

    def listen(self, receive: Receive) -> None:
        self._inbox.listen(receive)

    def send(self, pcm: bytes) -> None:
        if self._outflow is not None and not self._inbox.ended and pcm:
            self._outflow.send(pcm)

    def mark(self, name: str) -> None:
        if self._outflow is not None and not self._inbox.ended:
            self._outflow.mark(name)

    def flush(self) -> None:
        if self._outflow is not None and not self._inbox.ended:
            self._outflow.flush()

    def send_digits(self, digits: str) -> None:
        """chan_websocket takes no keys; ARI does."""

    async def transfer(self, target: str) -> None:
        raise TransferFailed("a media WebSocket alone cannot transfer a call; ARI can")

    async def hang_up(self, cause: str) -> None:
        self.finish(cause)

    def finish(self, cause: str) -> None:
        """Hang the channel up; Asterisk then closes the socket, or it is closed here after GOODBYE_S."""
        if not self._inbox.end(cause):
            return
        self._stop_timer()
        if self.start is None:
            self.close()
            return
        self.write_text(messages.command("HANGUP", as_json=self.start.as_json))
        asyncio.get_running_loop().call_later(GOODBYE_S, self.close)

    # -- MediaSocket

    def opened(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._settings.start_s, self._no_start)

    def text(self, message: bytes) -> None:
        if self._inbox.ended:
            return
        try:
            event = messages.parse_event(message)
        except messages.BadEvent as bad:
            raise BadMessage(str(bad), WSCloseCode.POLICY_VIOLATION) from bad
        if isinstance(event, messages.MediaStart):
            self._begin(event)
        elif event is None:
            self.unknown_events += 1
        elif self._outflow is None:
            raise BadMessage(f"{type(event).__name__} before MEDIA_START")
        else:
            self._take(event, self._outflow)

    def binary(self, message: bytes) -> None:
        if self._inbox.ended:
            return
        if self._incoming is None:
            self._early.append(message)
            self._early_bytes += len(message)
            while self._early_bytes > LARGEST_MESSAGE:
                self._early_bytes -= len(self._early.pop(0))
            return
        if self._decode is not None:
            message = self._decode(message)
        elif len(message) % 2:
            raise BadMessage(f"sound of {len(message)} bytes, which is half a sample")
        if message:
            for pcm in self._incoming.take(message):
                self._inbox.put(AudioIn(pcm))

    def close(self, code: WSCloseCode = WSCloseCode.OK, reason: str = "") -> None:
        """Close politely; a far end that does not read is cut off after GOODBYE_S."""
        super().close(code, reason)
        transport = self.transport
        if transport is not None and not transport.is_disconnected:
            asyncio.get_running_loop().call_later(GOODBYE_S, transport.disconnect, False)

    def closed(self, why: str) -> None:
        """A channel that hangs up closes with 1000: the customer's end, not a lost line."""
        self._stop_timer()
        handshake = self.transport.close_handshake if self.transport is not None else None
        said = handshake.recv if handshake is not None else None
        if why == "line_lost" and said is not None and said.code == WSCloseCode.OK:
            why = "customer"
        self._inbox.end(why)
        self._gone(self)

    def _begin(self, start: messages.MediaStart) -> None:
        if self.start is not None:
            raise BadMessage("a second MEDIA_START")
        self._stop_timer()
        self.start = start
        try:
            self._outflow = Outflow(start, self.write_binary, self.write_text)
        except FormatRefused as refused:
            _log.warning("a media WebSocket is refused: %s", refused)
            self.finish("refused")
            return
        self._incoming = ToLine(FORMATS[start.format].rate_hz)
        self._decode = _DECODERS.get(start.format)
        early, self._early = self._early, []
        for message in early:
            self.binary(message)
        self._started(self)

    def _take(self, event: messages.Event, outflow: Outflow) -> None:
        match event:
            case messages.MarkProcessed(correlation_id=number):
                name = outflow.processed(number)
                if name is not None:
                    self._inbox.put(MarkIn(name))
            case messages.DtmfEnd(digit=digit):
                if digit.upper() in _KEYS:
                    self._inbox.put(DtmfIn(digit.upper()))
            case messages.MediaXoff():
                _log.warning("Asterisk's queue of a media WebSocket is full (XOFF)")
                outflow.stop()
            case messages.MediaXon():
                outflow.go_on()
            case messages.MediaError(text=text):
                _log.warning("Asterisk on a media WebSocket: %s", mask(text[:200]))

    def _no_start(self) -> None:
        _log.warning("a media WebSocket said no MEDIA_START in %.1f s: closed", self._settings.start_s)
        self._inbox.end("bad_data")
        self.close(WSCloseCode.POLICY_VIOLATION, "no MEDIA_START")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


async def connect_media(url: str, settings: MediaSettings, tls: ssl.SSLContext | None = None) -> MediaLeg:
    """Connect to a channel that waits for it, ws://HOST:PORT/media/<MEDIA_WEBSOCKET_CONNECTION_ID>.

    The leg has started: its `start` names the channel.  Raises MediaFailed (404 there: no such channel;
    409: another socket has it).
    """
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def done(leg: MediaLeg) -> None:
        if not ready.done():
            ready.set_result(None)

    leg = MediaLeg(settings, done, done)
    try:
        await ws_connect(
            lambda: leg,
            url,
            ssl_context=tls,
            websocket_handshake_timeout=settings.start_s,
            max_frame_size=LARGEST_MESSAGE,
            extra_headers={"Sec-WebSocket-Protocol": SUBPROTOCOL},
        )
    except (WSError, OSError, TimeoutError) as error:
        raise MediaFailed(f"no media WebSocket from Asterisk: {error}") from error
    try:
        await ready
    except asyncio.CancelledError:
        leg.finish("cancelled")
        raise
    if leg.start is None or leg.ended:
        raise MediaFailed("Asterisk's media WebSocket did not start a channel that can be spoken to")
    return leg
