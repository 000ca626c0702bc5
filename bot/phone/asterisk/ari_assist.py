"""Calls between people on an Asterisk, heard by assist: the dialplan announces one, both sides are opened.

A short channel comes into our application with `snoop=ID`, the id of the customer's channel, and what
else is known of the call (`agent_id`, `called`, `caller`, `direction`, `contact`).  It is hung up; the
customer's channel is listened to where it is, and becomes an Arrival with two tracks.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable

from bot.phone.arrivals import Arrival, Arrived
from bot.phone.asterisk.ari_snoop import SnoopFailed
from bot.phone.two_tracks import OverheardLeg, Source

_CHANNEL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,149}")
_log = logging.getLogger(__name__)


class Announced:
    """Stands before `arrived`: takes announcements, passes all else on."""

    def __init__(self, open_both: Callable[[str], Awaitable[Source]], arrived: Arrived) -> None:
        """`open_both`: AriSnoop.open; raises SnoopFailed."""
        self._open_both, self._passed_on = open_both, arrived
        self._tasks: set[asyncio.Task[None]] = set()

    def arrived(self, arrival: Arrival) -> None:
        """A line of ARI is up."""
        channel_id = arrival.parameters.get("snoop")
        if channel_id is None:
            self._passed_on(arrival)
            return
        task = asyncio.create_task(self._open(arrival, channel_id), name="snoop")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open(self, announcing: Arrival, channel_id: str) -> None:
        await announcing.leg.hang_up("normal")
        if not _CHANNEL_ID.fullmatch(channel_id):
            _log.error("a call to listen to was announced with what is no channel id")
            return
        try:
            source = await self._open_both(channel_id)
        except SnoopFailed as error:
            _log.error("a call that was announced is not listened to: %s", error)
            return
        given = {name: value for name, value in announcing.parameters.items() if name != "snoop"}
        self._passed_on(
            Arrival(
                leg=OverheardLeg(source),
                provider="ari",
                line_id=channel_id,
                direction="outbound" if given.get("direction") == "outbound" else "inbound",
                called=given.get("called"),
                caller=given.get("caller"),
                parameters=given,
            )
        )
