"""The event WebSocket of one Asterisk: kept open, opened again with growing pauses when it is lost.

Each time it is up, `opened` is awaited before the first event is handed on, so that whoever listens
can look up what happened while it was away.  Asterisk gives an application's events to one socket:
each voice process needs an application name of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import aiohttp

from bot.phone.asterisk.ari_client import AriClient, AriFault
from bot.phone.asterisk.ari_messages import ApplicationReplaced, BadEvent, Event, event_of

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 10.0
HEARTBEAT_S = 10.0
LARGEST_EVENT = 1024 * 1024

_log = logging.getLogger(__name__)


class AriEvents:
    """Reads the events of our application."""

    def __init__(
        self,
        client: AriClient,
        receive: Callable[[Event], None],
        opened: Callable[[], Awaitable[None]],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`receive` is called on the event loop.  `opened` may raise AriFault: the
        socket is then opened again."""
        self._client = client
        self._receive = receive
        self._opened = opened
        self._pause = pause
        self._task: asyncio.Task[None] | None = None
        self.connected = asyncio.Event()

    def start(self) -> None:
        """Connect, and stay so, in the background; `connected` tells."""
        self._task = asyncio.create_task(self._run(), name="ari-events")

    async def stop(self) -> None:
        """Close for good."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        pause = FIRST_PAUSE_S
        while True:
            try:
                replaced = await self._listen()
                pause = LONGEST_PAUSE_S if replaced else FIRST_PAUSE_S
            except (aiohttp.ClientError, AriFault, OSError, TimeoutError) as error:
                _log.warning("no events from Asterisk (%s): trying again in %.1f s", _why(error), pause)
            finally:
                self.connected.clear()
            await self._pause(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _listen(self) -> bool:
        """Until the socket is lost; True where another took our application's name."""
        settings = self._client.settings
        address = settings.url.rstrip("/") + "/events"
        async with self._client.session.ws_connect(
            address,
            params={"app": settings.app},
            heartbeat=HEARTBEAT_S,
            max_msg_size=LARGEST_EVENT,
        ) as socket:
            await self._opened()
            self.connected.set()
            _log.info("the events of application %s come in", settings.app)
            async for message in socket:
                if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    continue
                try:
                    event = event_of(message.data)
                except BadEvent:
                    _log.warning("an event of Asterisk that cannot be read is left out")
                    continue
                if isinstance(event, ApplicationReplaced):
                    _log.error(
                        "another process took the events of application %s: give each voice process "
                        "an `app` of its own in phones.yml",
                        settings.app,
                    )
                    return True
                if event is not None:
                    self._give(event)
            _log.warning("the event socket of Asterisk was closed (%s)", socket.close_code)
        return False

    def _give(self, event: Event) -> None:
        """What breaks in one call must not cost the others their events."""
        try:
            self._receive(event)
        except Exception:
            _log.exception("an event of Asterisk broke a call (%s)", type(event).__name__)


def _why(error: Exception) -> str:
    """Why there is no socket, without addresses and credentials."""
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"HTTP {error.status}" + (": check user and password" if error.status in (401, 403) else "")
    return type(error).__name__ if not isinstance(error, AriFault) else str(error)
