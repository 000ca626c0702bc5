"""Asterisk connects to us: the /asterisk/media endpoint of a MediaServer.

websocket_client.conf there names our address, `protocols = media`, and a user and password, which come
as HTTP Basic (RFC 7617).  A channel that is spoken to already keeps its socket; a second one is closed.
"""

from __future__ import annotations

import binascii
import hmac
import logging
from http import HTTPStatus
from urllib.parse import parse_qsl

from picows import WSCloseCode, WSUpgradeResponse, WSUpgradeResponseWithListener

from bot.phone.arrivals import Arrival, Arrived, Refusal
from bot.phone.asterisk.media_leg import SUBPROTOCOL, MediaLeg
from bot.phone.asterisk.settings import MediaSettings
from bot.phone.media_server import MediaSocket, Upgrade

MOST_PARAMETERS = 50

_log = logging.getLogger(__name__)


class MediaEndpoint:
    """Makes a MediaLeg of each upgrade, and an Arrival (provider "ari") of each MEDIA_START.

    The Arrival's line_id is the channel id (the connection id where Asterisk names none); its parameters
    are the channel's variables, what v(...) of the dial string put into the address, `connection_id`
    and `channel`.
    """

    def __init__(
        self,
        arrived: Arrived,
        refuse: Refusal,
        settings: MediaSettings,
        authorization: tuple[str, str] | None = None,
    ) -> None:
        """`authorization`: user and password that Asterisk must give; None asks for none."""
        self._arrived = arrived
        self._refuse = refuse
        self._settings = settings
        self._expected: bytes | None = None
        if authorization is not None:
            pair = ":".join(authorization).encode()
            self._expected = b"Basic " + binascii.b2a_base64(pair, newline=False)
        self.lines: dict[str, MediaLeg] = {}

    def __call__(self, request: Upgrade) -> MediaSocket | WSUpgradeResponseWithListener | HTTPStatus:
        """The upgrade's leg, or the status that refuses: 400, 401, 503."""
        given = request.headers.get("authorization", "").encode("utf-8", "replace")
        if self._expected is not None and not hmac.compare_digest(given, self._expected):
            _log.warning("a media WebSocket without the user and password of Asterisk is refused")
            return HTTPStatus.UNAUTHORIZED
        try:
            query = request.path.partition(b"?")[2].decode("ascii")
            parameters = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_PARAMETERS))
        except ValueError:
            return HTTPStatus.BAD_REQUEST
        offered = [
            p.strip() for p in request.headers.get("sec-websocket-protocol", "").split(",") if p.strip()
        ]
        if offered and SUBPROTOCOL not in offered:
            return HTTPStatus.BAD_REQUEST
        why = self._refuse()
        if why is not None:
            _log.warning("a media WebSocket is refused: %s", why)
            return HTTPStatus.SERVICE_UNAVAILABLE
        leg = MediaLeg(self._settings, lambda leg: self._started(leg, parameters), self._gone)
        answer = {"Sec-WebSocket-Protocol": SUBPROTOCOL} if offered else None
        return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(answer), leg)

    def _started(self, leg: MediaLeg, parameters: dict[str, str]) -> None:
        start = leg.start
        assert start is not None
        if start.channel_id in self.lines:
            _log.warning("a second media WebSocket of one channel is closed")
            leg.close(WSCloseCode.POLICY_VIOLATION, "this channel has a socket already")
            return
        self.lines[start.channel_id] = leg
        told = {"connection_id": start.connection_id, "channel": start.channel}
        self._arrived(
            Arrival(leg, "ari", start.channel_id, parameters={**start.variables, **parameters, **told})
        )

    def _gone(self, leg: MediaLeg) -> None:
        if leg.start is not None and self.lines.get(leg.start.channel_id) is leg:
            del self.lines[leg.start.channel_id]
