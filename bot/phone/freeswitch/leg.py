"""A FreeSWITCH line as a PhoneLeg: audio by the module's socket, all else by the event socket.

A leg that ends hangs its channel up, whatever ended it, unless the line was given away: a line
whose media socket is gone would stay parked in silence.  A leg that only listens ends its own stream
and leaves the call alone.  One hang-up: what comes second does nothing.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from bot.call.ports import DtmfIn, HungUpIn, LegCapabilities, LegInput, MarkIn, Receive, TransferFailed
from bot.phone.freeswitch import commands
from bot.phone.freeswitch.commands import UnsafeValue
from bot.phone.freeswitch.esl import EslLost, EslRefused
from bot.phone.freeswitch.players import Player
from bot.phone.freeswitch.switch import Switch

LONGEST_BACKLOG = 500
"""Inputs kept until somebody listens: ten seconds of audio; the oldest go first."""

_log = logging.getLogger(__name__)


class FreeSwitchLeg:
    """One answered line."""

    capabilities: LegCapabilities

    def __init__(self, line_id: str, player: Player, switch: Switch, close: Callable[[], None]) -> None:
        """`close` closes the media socket."""
        self.line_id = line_id
        self._listens = player.capabilities.two_tracks
        self.capabilities = player.capabilities
        self._player, self._switch, self._close = player, switch, close
        self._receive: Receive | None = None
        self._backlog: deque[LegInput] = deque(maxlen=LONGEST_BACKLOG)
        self._ended = self._given_away = False

    # -- PhoneLeg

    def listen(self, receive: Receive) -> None:
        self._receive = receive
        while self._backlog:
            receive(self._backlog.popleft())

    def send(self, pcm: bytes) -> None:
        if not self._ended:
            self._player.send(pcm)

    def mark(self, name: str) -> None:
        if not self._ended:
            self._player.mark(name)

    def flush(self) -> None:
        if not self._ended:
            self._player.flush()

    def send_digits(self, digits: str) -> None:
        if self._ended or not digits:
            return
        try:
            self._switch.post(commands.send_digits(self.line_id, digits))
        except UnsafeValue as error:
            _log.warning("freeswitch: keys were not sent: %s", error)

    async def transfer(self, target: str) -> None:
        """Give the line to a number or extension of the dialplan (`uuid_transfer`)."""
        if self._ended:
            raise TransferFailed("the line is over")
        settings = self._switch.settings
        try:
            await self._switch.api(commands.transfer(self.line_id, target, settings.transfer_context))
        except (UnsafeValue, EslLost, EslRefused) as error:
            raise TransferFailed(f"FreeSWITCH did not transfer the line: {error}") from error
        self.give_away("transferred")

    async def hang_up(self, cause: str) -> None:
        self.end(cause)

    # -- told by the socket and the switch

    def give(self, item: LegInput) -> None:
        """Something came from the far end."""
        if not self._ended:
            self._pass_on(item)

    def key(self, digit: str) -> None:
        """A key was pressed."""
        self.give(DtmfIn(digit))

    def file_written(self, file: str, piece: int) -> None:
        """The module wrote a file for a piece that was sent."""
        if not self._ended:
            self._player.file_written(file, piece)

    def mark_played(self, name: str) -> None:
        """The module says that a mark was played."""
        if (mark := self._player.mark_played(name)) is not None:
            self.give(MarkIn(mark))

    def give_away(self, cause: str) -> None:
        """The line goes on without us: stop its media and end this leg, but do not hang up."""
        self._given_away = True
        self.end(cause)

    def end(self, cause: str) -> None:
        """This leg is over."""
        if self._ended:
            return
        self._ended = True
        self._player.close()
        self._switch.disown(self.line_id)
        if self._given_away or self._listens:
            self._switch.post(commands.stop_media(self._switch.settings, self.line_id))
        else:
            self._switch.kill(self.line_id)
        self._close()
        self._pass_on(HungUpIn(cause))

    def _pass_on(self, item: LegInput) -> None:
        if self._receive is not None:
            self._receive(item)
        else:
            self._backlog.append(item)
