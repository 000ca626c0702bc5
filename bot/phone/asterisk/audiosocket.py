"""The AudioSocket server: Asterisk connects for each call, says its UUID, then sends sound.

One TCP connection is one call; what is wrong with one ends that one alone.  Who is on the line is not
said here: the UUID is looked up by whoever takes the Arrival.  Sound is 8000 Hz from the dialplan's
application, any rate of AUDIO_RATES from the channel driver.
"""

from __future__ import annotations

import asyncio
import logging
from typing import cast
from uuid import UUID

from bot.phone.arrivals import Arrival, Arrived, Refusal
from bot.phone.asterisk.audiosocket_frames import HANG_UP, KIND_UUID, BadFrame, FrameParser
from bot.phone.asterisk.audiosocket_leg import GOODBYE_S, AudioSocketLeg
from bot.phone.asterisk.settings import AudioSocketSettings

MOST_UNNAMED = 256
"""Connections at once that have not said their UUID yet; more are closed."""

_log = logging.getLogger(__name__)


class AudioSocketServer:
    """Listens for Asterisk."""

    def __init__(
        self, arrived: Arrived, refuse: Refusal, settings: AudioSocketSettings, *, shared: bool = False
    ) -> None:
        """`shared`: other processes of this machine may listen at the same port."""
        self._shared = shared
        self.arrived = arrived
        self.refuse = refuse
        self.settings = settings
        self.lines: dict[str, AudioSocketLeg] = {}
        self.unnamed = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen at the settings' host and port; the port (of use where that is 0).  Raises OSError."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self),
            self.settings.host,
            self.settings.port,
            reuse_address=True,
            reuse_port=self._shared,
            backlog=1024,
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Take no new connections; those that are open stay with their calls."""
        if self._server is not None:
            self._server.close()
            self._server = None


class _Connection(asyncio.Protocol):
    """One connection: nameless until its UUID has come, then a leg's."""

    def __init__(self, server: AudioSocketServer) -> None:
        self._server = server
        self._parser = FrameParser()
        self._leg: AudioSocketLeg | None = None
        self._line_id: str | None = None
        self._heard = False
        self._refused = False
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it
        self._server.unnamed += 1
        if self._server.unnamed > MOST_UNNAMED:
            _log.warning("over %d AudioSocket connections that said no UUID: one is closed", MOST_UNNAMED)
            self._transport.abort()
            return
        self._start_timer(self._server.settings.first_message_s)

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        self._heard = True
        try:
            for kind, payload in self._parser.feed(data):
                if self._leg is not None:
                    self._leg.take(kind, payload)
                elif kind == KIND_UUID:
                    self._named(str(UUID(bytes=payload)))
                else:
                    raise BadFrame(f"the first message is of type 0x{kind:02x}, not the UUID")
                if self._over:
                    return
        except BadFrame as bad:
            self._give_up(str(bad), "bad_data")
        except Exception:
            _log.exception("an AudioSocket connection broke")
            self._give_up("our fault", "fault")

    def eof_received(self) -> None:
        """Asterisk closes without a word when the channel hangs up; in mid-frame it was cut."""
        if self._leg is not None:
            self._leg.far_end_gone("line_lost" if self._parser.mid_frame else "customer")

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._leg is None:
            self._server.unnamed -= 1
            return
        self._leg.far_end_gone("line_lost")
        if self._line_id is not None:
            del self._server.lines[self._line_id]

    @property
    def _over(self) -> bool:
        return self._refused or (self._leg is not None and self._leg.ended)

    def _named(self, line_id: str) -> None:
        if line_id in self._server.lines:
            self._give_up(f"the UUID {line_id} has a connection already")
            return
        why = self._server.refuse()
        if why is not None:
            self._give_up(why)
            return
        leg = AudioSocketLeg(self._transport)
        self._leg, self._line_id = leg, line_id
        self._server.unnamed -= 1
        self._server.lines[line_id] = leg
        self._start_timer(self._server.settings.idle_s)
        self._server.arrived(Arrival(leg, "audiosocket", line_id))

    def _start_timer(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._heard = False
        self._timer = asyncio.get_running_loop().call_later(seconds, self._time_up)

    def _time_up(self) -> None:
        """Nothing said who it is in time, or nothing came for a whole idle time."""
        if self._leg is None:
            self._give_up("no UUID in time")
        elif self._heard:
            self._start_timer(self._server.settings.idle_s)
        else:
            self._give_up(f"nothing came for {self._server.settings.idle_s} s", "line_lost")

    def _give_up(self, why: str, cause: str = "refused") -> None:
        """End this connection politely: Asterisk reads a hang-up, not a broken line, and then closes."""
        if self._leg is None:
            _log.warning("an AudioSocket connection is refused: %s", why)
            self._refused = True
            self._transport.write(HANG_UP)
            asyncio.get_running_loop().call_later(GOODBYE_S, self._transport.abort)
        elif not self._leg.ended:
            _log.warning("an AudioSocket call is ended (%s): %s", cause, why)
            self._leg.finish(cause)
