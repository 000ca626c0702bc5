"""The media socket that Twilio, or a clone, connects to: order of messages, one socket a call.

An upgrade with a wrong signature is refused with 403, one above the load limit with 503.  Messages
come as connected, start, then media, dtmf and mark, at last stop; a message out of order, or one that
does not fit, closes that socket alone and ends its call as `bad_data`.  Unknown events are counted
and ignored.  A second socket for a call that has one is closed with 1008 (a stream with both tracks
may stand beside the bot's own: it only listens).  No start within START_WITHIN_S: closed with 1002.
"""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus

from picows import WSCloseCode

from bot.phone.arrivals import Arrival, Arrived, Refusal
from bot.phone.media_server import BadMessage, Endpoint, MediaSocket, Upgrade
from bot.phone.twilio.leg import LineControl, TwilioLeg
from bot.phone.twilio.messages import (
    KEYS,
    TWILIO,
    AnyMark,
    AnyStart,
    Connected,
    Dialect,
    Dtmf,
    Media,
    Message,
    Opening,
    Reader,
    Stop,
    Track,
    Words,
)
from bot.phone.twilio.plivo import PLIVO
from bot.phone.twilio.settings import DialectName, TwilioSettings
from bot.phone.twilio.signature import HEADER, signed_upgrade
from bot.phone.twilio.telnyx import TELNYX, Reorder

START_WITHIN_S = 10.0
LARGEST_PAYLOAD = 8000
"""Bytes of mu-law in one message: a second, fifty times what Twilio sends."""

DIALECTS: dict[DialectName, Dialect] = {"twilio": TWILIO, "telnyx": TELNYX, "plivo": PLIVO}

_log = logging.getLogger(__name__)

_Key = tuple[str, bool]


class TwilioSocket(MediaSocket):
    """One stream from its first message to its last."""

    def __init__(
        self,
        dialect: Dialect,
        read: Reader,
        arrived: Arrived,
        live: set[_Key],
        *,
        words: bool,
        control: LineControl | None,
        start_within_s: float,
    ) -> None:
        super().__init__()
        self.ignored = 0
        self._dialect, self._arrived, self._live = dialect, arrived, live
        self._words, self._control, self._start_within_s = words, control, start_within_s
        self._read = read
        self._greeted = self._stopped = False
        self._key: _Key | None = None
        self._leg: TwilioLeg | None = None
        self._stream_id = ""
        self._tracks: tuple[Track, ...] = ()
        self._orders: dict[Track, Reorder] = {}
        self._too_late: asyncio.TimerHandle | None = None

    def opened(self) -> None:
        """The clock for the start message runs."""
        loop = asyncio.get_running_loop()
        self._too_late = loop.call_later(self._start_within_s, self._give_up)

    def text(self, message: bytes) -> None:
        """One message.  Raises BadMessage, and then the call is over."""
        try:
            event = self._read(message)
            if event is None:
                self.ignored += 1
            elif self._stopped:
                raise BadMessage("a message after stop")
            elif self._leg is None:
                self._begin(event)
            elif event.stream and event.stream != self._stream_id:
                raise BadMessage("a message of another stream")
            else:
                self._go_on(event, self._leg)
        except BadMessage:
            if self._leg is not None:
                self._leg.ended("bad_data")
            raise

    def closed(self, why: str) -> None:
        """The socket is gone; without a stop that is a lost line, except where no stop exists."""
        if self._too_late is not None:
            self._too_late.cancel()
        self._release()
        if self.ignored:
            _log.info("a media stream had %d messages of unknown kinds", self.ignored)
        if self._leg is not None:
            hung_up = why == "line_lost" and not self._dialect.says_stop
            self._leg.ended("customer" if hung_up else why)

    def _begin(self, event: Message) -> None:
        """connected, which some leave out, and start."""
        if isinstance(event, Connected) and not self._greeted:
            self._greeted = True
        elif isinstance(event, AnyStart):
            self._start(self._dialect.opening(event))
        else:
            raise BadMessage("a message before start, or a second connected")

    def _start(self, opening: Opening) -> None:
        key = opening.line_id, "outbound" in opening.tracks
        if key in self._live:
            raise BadMessage("this call has a socket already", WSCloseCode.POLICY_VIOLATION)
        self._live.add(key)
        self._key, self._stream_id, self._tracks = key, opening.stream_id, opening.tracks
        if self._too_late is not None:
            self._too_late.cancel()
        encoder = self._dialect.encoder(opening.stream_id)
        self._leg = TwilioLeg(self, encoder, opening, words=self._words, control=self._control)
        outbound = opening.parameters.get("direction") == "outbound"
        self._arrived(
            Arrival(
                leg=self._leg,
                provider="twilio",
                line_id=opening.line_id,
                direction="outbound" if outbound else "inbound",
                called=opening.called,
                caller=opening.caller,
                parameters=opening.parameters,
            )
        )

    def _go_on(self, event: Message, leg: TwilioLeg) -> None:
        if isinstance(event, Media):
            self._media(event, leg)
        elif isinstance(event, AnyMark):
            leg.played(event.named())
        elif isinstance(event, Dtmf):
            digit = event.dtmf.digit.upper()
            if digit not in KEYS:
                raise BadMessage("a key that no telephone has")
            leg.key(digit)
        elif isinstance(event, Words):
            self._words_said(event, leg)
        elif isinstance(event, Stop):
            self._stopped = True
            self._release()
            leg.ended("customer")
            self.close()
        else:
            raise BadMessage("a second connected or start")

    def _media(self, event: Media, leg: TwilioLeg) -> None:
        body = event.media
        if len(body.payload) > LARGEST_PAYLOAD:
            raise BadMessage("over a second of audio in one message", WSCloseCode.MESSAGE_TOO_BIG)
        if body.track not in self._tracks:
            self.ignored += 1
        elif self._dialect.ordered:
            leg.heard(body.payload, body.track)
        else:
            order = self._orders.setdefault(body.track, Reorder())
            for payload in order.push(body.chunk, body.payload):
                leg.heard(payload, body.track)

    def _words_said(self, event: Words, leg: TwilioLeg) -> None:
        if event.track in self._tracks:
            leg.said(event.text, event.final, event.track)
        else:
            self.ignored += 1

    def _release(self) -> None:
        """The call may have another socket now."""
        if self._key is not None:
            self._live.remove(self._key)
            self._key = None

    def _give_up(self) -> None:
        _log.warning("a media socket sent no start within %g s: closed", self._start_within_s)
        self.close(WSCloseCode.PROTOCOL_ERROR, "no start")


def twilio_endpoint(
    settings: TwilioSettings,
    token: str | None,
    arrived: Arrived,
    refuse: Refusal,
    *,
    words: bool = False,
    control: LineControl | None = None,
    start_within_s: float = START_WITHIN_S,
) -> Endpoint:
    """The endpoint for `settings.path` of the MediaServer.

    `token`: the account's auth token; None takes unsigned sockets.  `words`: the far end may deliver
    words.  `control`: the REST API, for transfers and a sure hang-up.
    """
    dialect = DIALECTS[settings.dialect]
    read = dialect.reader(words=words)
    live: set[_Key] = set()
    if token is None:
        _log.warning("media sockets at %s are not verified: keep strangers from the port", settings.path)

    def upgrade(request: Upgrade) -> MediaSocket | HTTPStatus:
        if token is not None and not signed_upgrade(token, settings.stream_url, request.headers.get(HEADER)):
            _log.warning("a media socket with a wrong signature was refused")
            return HTTPStatus.FORBIDDEN
        if (why := refuse()) is not None:
            _log.warning("a media socket was refused: %s", why)
            return HTTPStatus.SERVICE_UNAVAILABLE
        return TwilioSocket(
            dialect, read, arrived, live, words=words, control=control, start_within_s=start_within_s
        )

    return upgrade
