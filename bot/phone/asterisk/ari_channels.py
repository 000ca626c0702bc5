"""The channels of one Asterisk that concern us, kept from its events; what became of dialled ones.

Events may come in any order, twice, or be lost with the socket: a channel's state only rises, its
end is told once, and `look_again` compares all with what the switch has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from bot.phone.asterisk import ari_messages as said
from bot.phone.asterisk.ari_messages import Channel, Event, StasisStart
from bot.phone.dialling import Cause, LineHistory, LineNews, LineState

REMEMBERED = 10_000
"""Outcomes kept of lines that are over."""


class AriChannel:
    """One channel.  `there`: the switch is known to have made it.  `started`: done once it is in our
    application.  `gone`: done at the first sign of its end, with the switch's cause (0: not known).
    Neither ever fails."""

    def __init__(self, channel_id: str, *, dialled: bool) -> None:
        loop = asyncio.get_running_loop()
        self.id = channel_id
        self.dialled = dialled
        self.there = False
        self.answered = False
        self.cancelled = False
        self.dialstatus = ""
        self.started: asyncio.Future[None] = loop.create_future()
        self.gone: asyncio.Future[int] = loop.create_future()
        self.pressed: Callable[[str], None] = _nobody

    def outcome(self) -> Cause:
        """Why it ended; call once it is gone."""
        return said.cause_of(
            self.gone.result(), answered=self.answered, cancelled=self.cancelled, dialstatus=self.dialstatus
        )

    async def wait_started(self, seconds: float) -> bool:
        """True once in our application; False where it ended first or took longer."""
        await asyncio.wait((self.started, self.gone), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return self.started.done() and not self.gone.done()


class AriChannels:
    """All channels that we made or were given."""

    def __init__(
        self, app: str, history: LineHistory, came: Callable[[AriChannel, Channel, list[str]], None]
    ) -> None:
        """`history` gets the news of dialled lines.  `came` gets each channel that came into our
        application, dialled by us or not made in this process, once, with its arguments; those that
        somebody waits for (media, agents, snoops) it does not."""
        self._app = app
        self._history = history
        self._came = came
        self._live: dict[str, AriChannel] = {}
        self._over: dict[str, Cause | None] = {}

    def make(self, channel_id: str, *, dialled: bool = False) -> AriChannel:
        """Watch a channel that is about to be made (or was given); the one there is, if there is."""
        channel = self._live.get(channel_id)
        if channel is None:
            channel = self._live[channel_id] = AriChannel(channel_id, dialled=dialled)
        return channel

    def confirm(self, channel: AriChannel) -> None:
        """The switch has it."""
        if not channel.there:
            channel.there = True
            if channel.dialled:
                self._history.take(LineNews(channel.id, LineState.SENT))

    def adopt(self, channel_id: str) -> AriChannel:
        """Watch a channel that is in our application already."""
        channel = self.make(channel_id)
        self.confirm(channel)
        self._rise(channel, LineState.ANSWERED)
        if not channel.started.done():
            channel.started.set_result(None)
        return channel

    def forget(self, channel_id: str) -> None:
        """A channel that never came to be; one that did stays."""
        channel = self._live.get(channel_id)
        if channel is not None and not channel.there:
            del self._live[channel_id]

    def get(self, channel_id: str) -> AriChannel | None:
        """A live channel."""
        return self._live.get(channel_id)

    def there(self) -> Iterable[AriChannel]:
        """All live channels that the switch is known to have."""
        return tuple(channel for channel in self._live.values() if channel.there)

    def knows(self, channel_id: str) -> bool:
        """Is or was there such a channel in this process?"""
        return channel_id in self._live or channel_id in self._over

    def is_over(self, channel_id: str) -> bool:
        """Did it end while we knew it?"""
        return channel_id in self._over and channel_id not in self._live

    def outcome(self, channel_id: str) -> Cause | None:
        """Of a line that is over; None where it is not, or how it ended was missed."""
        return self._over.get(channel_id)

    def take(self, event: Event) -> None:
        """One event of the switch."""
        if isinstance(event, said.Dial):
            channel = self._live.get(event.peer.id)
            if channel is not None:
                self.confirm(channel)
                self._dialling(channel, event.dialstatus)
            return
        if not isinstance(event, said.ChannelEvent):
            return
        channel = self._live.get(event.channel.id)
        if channel is None:
            if isinstance(event, StasisStart) and event.channel.id not in self._over:
                self._stranger(event.channel, event.args)
            return
        self.confirm(channel)
        match event:
            case StasisStart():
                self._in_application(channel, event.channel, event.args)
            case said.ChannelStateChange():
                self._rise(channel, said.line_state(event.channel.state))
            case said.ChannelDtmfReceived():
                channel.pressed(event.digit)
            case said.ChannelHangupRequest():
                self._leaving(channel, event.cause)
            case said.StasisEnd():
                self._leaving(channel, said.NO_CAUSE)
            case said.ChannelDestroyed():
                self._ended(channel, event.cause)

    def look_again(self, there: Iterable[Channel], before: Iterable[AriChannel]) -> None:
        """Events were missed: `there` are the channels of the switch now, `before` those that were
        there when it was asked."""
        found = {channel.id: channel for channel in there}
        for channel in before:
            now = found.get(channel.id)
            if now is None:
                self._ended(channel, None)
                continue
            self._rise(channel, said.line_state(now.state))
            args = said.in_application(now, self._app)
            if args is not None:
                self._in_application(channel, now, args)
        for stranger in found.values():
            args = said.in_application(stranger, self._app)
            if args is not None and stranger.id not in self._live and stranger.id not in self._over:
                self._stranger(stranger, args)

    # -- one channel

    def _stranger(self, shown: Channel, args: list[str]) -> None:
        self._came(self.adopt(shown.id), shown, args)

    def _dialling(self, channel: AriChannel, status: str) -> None:
        channel.dialstatus = status
        if status == "RINGING":
            self._rise(channel, LineState.RINGING)
        elif status == "ANSWER":
            self._rise(channel, LineState.ANSWERED)

    def _in_application(self, channel: AriChannel, shown: Channel, args: list[str]) -> None:
        self._rise(channel, LineState.ANSWERED)
        if not channel.started.done():
            channel.started.set_result(None)
            if channel.dialled:
                self._came(channel, shown, args)

    def _rise(self, channel: AriChannel, state: LineState) -> None:
        channel.answered = channel.answered or state == LineState.ANSWERED
        if channel.dialled:
            self._history.take(LineNews(channel.id, state))

    def _leaving(self, channel: AriChannel, cause: int) -> None:
        if not channel.gone.done():
            channel.gone.set_result(cause)

    def _ended(self, channel: AriChannel, cause: int | None) -> None:
        """The end; `cause` None where it was missed."""
        early = channel.gone.result() if channel.gone.done() else said.NO_CAUSE
        self._leaving(channel, cause or said.NO_CAUSE)
        self._live.pop(channel.id, None)
        outcome: Cause | None = None
        if cause is not None or early or channel.cancelled or said.is_end(channel.dialstatus):
            outcome = said.cause_of(
                cause or early,
                answered=channel.answered,
                cancelled=channel.cancelled,
                dialstatus=channel.dialstatus,
            )
        self._over[channel.id] = outcome
        while len(self._over) > REMEMBERED:
            del self._over[next(iter(self._over))]
        if channel.dialled:
            self._history.take(LineNews(channel.id, LineState.ENDED, outcome))


def _nobody(digit: str) -> None:
    """Keys of a channel that nobody listens to."""
