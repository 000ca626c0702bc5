"""The media sockets of mod_audio_stream (`/freeswitch/stream`) and mod_audio_fork (`/freeswitch/fork`).

The first text is the metadata, then audio is binary.  A socket that breaks the order, names a line
that another socket has, or says nothing for FIRST_TEXT_S is closed, and no other socket notices.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
from http import HTTPStatus
from urllib.parse import parse_qs

from picows import WSCloseCode, WSUpgradeResponse, WSUpgradeResponseWithListener

from bot.phone.arrivals import Arrival, Arrived, Refusal
from bot.phone.freeswitch.frames_in import FramesIn, OddAudio
from bot.phone.freeswitch.leg import FreeSwitchLeg
from bot.phone.freeswitch.players import NoPlayer, Player, player_of
from bot.phone.freeswitch.stream_messages import BadMetadata, BadText, Metadata, metadata_of, played_mark
from bot.phone.freeswitch.switch import Switch
from bot.phone.media_server import BadMessage, Endpoint, MediaSocket, Upgrade

FIRST_TEXT_S = 5.0
EARLY_MESSAGES = 25
"""Audio before the metadata: the modules' threads race at the start, by a frame or two."""

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""RFC 9110, section 5.6.2."""

_log = logging.getLogger(__name__)


class FreeSwitchMedia:
    """Where the switch's media sockets arrive."""

    def __init__(self, switch: Switch, arrived: Arrived, refusal: Refusal = lambda: None) -> None:
        self.switch = switch
        self.arrived = arrived
        self._refusal = refusal

    @property
    def endpoints(self) -> dict[str, Endpoint]:
        """For the MediaServer."""
        return {f"/freeswitch/{self.switch.settings.module}": self.endpoint}

    def endpoint(self, request: Upgrade) -> MediaSocket | WSUpgradeResponseWithListener | HTTPStatus:
        """A socket for a request; 403 without the token, 503 where no line is taken or the event
        socket is down (nobody could hang up).

        mod_audio_fork offers a subprotocol, by default audio.drachtio.org, and is answered with it.
        """
        if self.switch.media_token is not None:
            query = parse_qs(request.path.partition(b"?")[2].decode("ascii", "replace"))
            token = query.get("token", [""])[0]
            if not hmac.compare_digest(token.encode(), self.switch.media_token.encode()):
                _log.warning("freeswitch: a media socket without the right token was refused")
                return HTTPStatus.FORBIDDEN
        why = "the event socket is down" if not self.switch.connected else self._refusal()
        if why is not None:
            _log.warning("freeswitch: a media socket was refused: %s", why)
            return HTTPStatus.SERVICE_UNAVAILABLE
        offered = request.headers.get("Sec-WebSocket-Protocol", "").partition(",")[0].strip()
        if not _TOKEN.fullmatch(offered):
            return FreeSwitchSocket(self)
        answer = WSUpgradeResponse.create_101_response({"Sec-WebSocket-Protocol": offered})
        return WSUpgradeResponseWithListener(answer, FreeSwitchSocket(self))


class FreeSwitchSocket(MediaSocket):
    """One line's media socket."""

    def __init__(self, media: FreeSwitchMedia) -> None:
        super().__init__()
        self._media = media
        self._leg: FreeSwitchLeg | None = None
        self._early: list[bytes] = []
        self._limit: asyncio.TimerHandle | None = None

    def opened(self) -> None:
        self._limit = asyncio.get_running_loop().call_later(FIRST_TEXT_S, self._said_nothing)

    def text(self, message: bytes) -> None:
        if self._leg is None:
            self._arrive(message)
            return
        try:
            mark = played_mark(message)
        except BadText as error:
            raise BadMessage(str(error)) from error
        if mark is not None:
            self._leg.mark_played(mark)

    def binary(self, message: bytes) -> None:
        leg = self._leg
        if leg is None:
            self._early.append(message)
            if len(self._early) > EARLY_MESSAGES:
                raise BadMessage("audio, and no metadata before it")
            return
        try:
            frames = self._frames.feed(message)
        except OddAudio as error:
            raise BadMessage(str(error), WSCloseCode.INVALID_TEXT) from error
        for frame in frames:
            leg.give(frame)

    def closed(self, why: str) -> None:
        """The modules close with 1000 when the channel ends, so that is the customer's hang-up."""
        if self._limit is not None:
            self._limit.cancel()
        if self._leg is None:
            return
        handshake = self.transport.close_handshake if self.transport is not None else None
        received = handshake.recv if handshake is not None else None
        polite = received is not None and received.code == WSCloseCode.OK
        self._leg.end("customer" if why == "line_lost" and polite else why)

    def _arrive(self, message: bytes) -> None:
        try:
            metadata = metadata_of(message)
        except BadMetadata as error:
            raise BadMessage(str(error)) from error
        switch, settings = self._media.switch, self._media.switch.settings
        stereo = (metadata.mix or settings.mix) == "stereo"
        player: Player = NoPlayer()
        if not stereo:
            player = player_of(
                settings,
                metadata.uuid,
                write_text=self.write_text,
                write_binary=self.write_binary,
                post=switch.post,
            )
        leg = FreeSwitchLeg(metadata.uuid, player, switch, self.close)
        if not switch.own(metadata.uuid, leg):
            raise BadMessage("a second media socket for one line", WSCloseCode.POLICY_VIOLATION)
        if self._limit is not None:
            self._limit.cancel()
        self._frames = FramesIn(
            rate_hz=settings.rate_hz, stereo=stereo, customer_left=settings.customer_channel == "left"
        )
        self._leg = leg
        self._media.arrived(_arrival(leg, metadata))
        for early in self._early:
            self.binary(early)
        self._early.clear()

    def _said_nothing(self) -> None:
        _log.warning("freeswitch: a media socket sent no metadata within %g s", FIRST_TEXT_S)
        self.close(WSCloseCode.PROTOCOL_ERROR, "no metadata")


def _arrival(leg: FreeSwitchLeg, metadata: Metadata) -> Arrival:
    return Arrival(
        leg=leg,
        provider="freeswitch",
        line_id=metadata.uuid,
        direction=metadata.direction,
        called=metadata.called,
        caller=metadata.caller,
        parameters=metadata.parameters,
    )
