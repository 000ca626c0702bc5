"""The order of messages on sockets whose network does not matter: none is given."""

from __future__ import annotations

import json

import pytest

from bot.call.ports import HungUpIn, LegInput
from bot.phone.arrivals import Arrival
from bot.phone.media_server import BadMessage
from bot.phone.twilio.messages import TWILIO
from bot.phone.twilio.server import TwilioSocket

STOP = b'{"event":"stop"}'
MEDIA = b'{"event":"media","media":{"payload":"AAAA"}}'


class Sockets:
    """Several sockets of one endpoint."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self._live: set[tuple[str, bool]] = set()

    def open(self) -> TwilioSocket:
        return TwilioSocket(
            TWILIO,
            TWILIO.reader(words=False),
            self.arrivals.append,
            self._live,
            words=False,
            control=None,
            start_within_s=60,
        )

    def started(self, stream_id: str) -> TwilioSocket:
        found = self.open()
        body = {"streamSid": stream_id, "callSid": "CA1"}
        found.text(json.dumps({"event": "start", "streamSid": stream_id, "start": body}).encode())
        return found


@pytest.mark.parametrize(
    "after", [MEDIA, STOP, b'{"event":"connected"}', b'{"event":"mark","mark":{"name":"1"}}']
)
def test_after_stop_nothing_may_come(after: bytes) -> None:
    socket = Sockets().started("MZ1")
    socket.text(MEDIA)
    socket.text(STOP)
    with pytest.raises(BadMessage):
        socket.text(after)


def test_a_call_is_told_of_bad_data_at_once_though_its_socket_may_close_late() -> None:
    sockets = Sockets()
    socket = sockets.started("MZ1")
    told: list[LegInput] = []
    sockets.arrivals[0].leg.listen(told.append)
    with pytest.raises(BadMessage):
        socket.text(b"[]")
    assert told == [HungUpIn("bad_data")]
    socket.closed("line_lost")
    assert len(told) == 1


def test_a_stop_frees_the_calls_place_once_though_its_socket_may_close_late() -> None:
    sockets = Sockets()
    first = sockets.started("MZ1")
    first.text(STOP)
    second = sockets.started("MZ2")
    first.closed("line_lost")
    with pytest.raises(BadMessage, match="socket already"):
        sockets.started("MZ3")
    second.closed("line_lost")
    sockets.started("MZ4")
    assert len(sockets.arrivals) == 3
