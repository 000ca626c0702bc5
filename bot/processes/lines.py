"""The lines of one voice process: every switch that its settings name, serving on one event loop.

Media WebSockets of all switches come in at one port (`listen`), AudioSocket at its own, TwiML,
callbacks and the browser page at a third (`web`).  More processes on the same machine may share the
first: the kernel spreads the sockets over them.
"""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Mapping

import msgspec
from aiohttp import web
from redis.asyncio import Redis

from bot.phone.arrivals import Arrival
from bot.phone.asterisk.audiosocket import AudioSocketServer
from bot.phone.asterisk.media_endpoint import MediaEndpoint
from bot.phone.browser.app import talk_routes
from bot.phone.browser.page_leg import PageLeg
from bot.phone.browser.settings import ScriptChoice
from bot.phone.dialling import LineHistory, LineNews
from bot.phone.freeswitch.media import FreeSwitchMedia
from bot.phone.freeswitch.switch import Switch
from bot.phone.media_server import Endpoint, MediaServer
from bot.phone.settings import PhoneSettings
from bot.phone.twilio.server import twilio_endpoint
from bot.phone.twilio.status import routes as twilio_routes
from bot.processes.calls import Calls, Wishes
from bot.processes.line_calls import Inbound, LineCalls, OneScript, Versions
from bot.processes.load import LoadLimit

LARGEST_BODY = 64 * 1024
_log = logging.getLogger(__name__)


class LinesFailed(Exception):
    """The lines cannot serve; says why and what to do."""


class Lines:
    """All of them."""

    def __init__(
        self, redis: Redis, calls: Calls, brain: Versions, settings: PhoneSettings, most: int,
        inbound: Inbound | None = None,
    ) -> None:  # fmt: skip
        """`most`: calls at once.  `inbound`: who answers; default the one script of the settings."""
        self.addresses: list[str] = []
        self._settings = settings
        self._load = LoadLimit(calls.pacer, most, lambda: len(calls.held))
        answers = inbound or OneScript(settings.script or "")
        self._calls = LineCalls(redis, calls, brain, answers, wishes=_wishes)
        self._media: MediaServer | None = None
        self._audiosocket: AudioSocketServer | None = None
        self._web: web.AppRunner | None = None
        self._switch: Switch | None = None

    async def start(self) -> None:
        """Serve; `addresses` then says where.  Raises LinesFailed."""
        try:
            if self._settings.listen is not None:
                await self._start_media(self._settings.listen)
            if self._settings.web is not None:
                await self._start_web(self._settings.web)
        except (OSError, ValueError, KeyError) as error:
            await self.stop()
            raise LinesFailed(f"the lines cannot serve: {error}") from error

    def refuse(self) -> None:
        """Take no new calls."""
        self._load.close()

    async def stop(self) -> None:
        """Stop serving."""
        self._load.close()
        if self._media is not None:
            await self._media.stop()
        if self._audiosocket is not None:
            await self._audiosocket.stop()
        if self._web is not None:
            await self._web.cleanup()
        if self._switch is not None:
            await self._switch.stop()
        await self._calls.stop()

    async def _start_media(self, listen: str) -> None:
        host, _, port = listen.rpartition(":")
        self._media = MediaServer(self._endpoints())
        bound = await self._media.start(host, int(port), _tls(self._settings))
        self.addresses.append(f"{host}:{bound}")
        asterisk = self._settings.asterisk
        if asterisk is not None and asterisk.audiosocket is not None:
            self._audiosocket = AudioSocketServer(
                self._calls.arrived, self._load.refusal, asterisk.audiosocket
            )
            await self._audiosocket.start()
        if self._switch is not None:
            self._switch.start()

    def _endpoints(self) -> Mapping[str, Endpoint]:
        settings, arrived, refusal = self._settings, self._calls.arrived, self._load.refusal
        found: dict[str, Endpoint] = {}
        if settings.twilio is not None:
            token = settings.twilio.auth_token(os.environ)
            found[settings.twilio.path] = twilio_endpoint(
                settings.twilio, token, arrived, refusal, words=settings.ears == "script"
            )
        if settings.asterisk is not None and settings.asterisk.media is not None:
            found["/asterisk/media"] = MediaEndpoint(arrived, refusal, settings.asterisk.media)
        if settings.freeswitch is not None:
            self._switch = Switch.of_environment(settings.freeswitch)
            found.update(FreeSwitchMedia(self._switch, arrived, refusal).endpoints)
        return found

    async def _start_web(self, address: str) -> None:
        settings = self._settings
        app = web.Application(client_max_size=LARGEST_BODY)
        if settings.browser is not None:
            scripts = [ScriptChoice(name=settings.script, zh=settings.script, en=settings.script)] if (
                settings.script
            ) else []
            app.add_routes(
                talk_routes(self._calls.arrived, self._load.refusal, settings.browser, scripts=scripts)
            )
        if settings.twilio is not None and (token := settings.twilio.auth_token(os.environ)) is not None:
            history = LineHistory(_told)
            app.add_routes(twilio_routes(settings.twilio, token, history, self._load.refusal))
        self._web = web.AppRunner(app, access_log=None)
        await self._web.setup()
        host, _, port = address.rpartition(":")
        await web.TCPSite(self._web, host, int(port)).start()
        bound = self._web.addresses[0]
        self.addresses.append(f"{bound[0]}:{bound[1]}")


def _wishes(arrival: Arrival) -> Wishes:
    leg = arrival.leg
    if isinstance(leg, PageLeg):
        return Wishes(shown=lambda event: leg.show(msgspec.to_builtins(event)))
    return Wishes(listen_for_machines=arrival.direction == "outbound")


def _told(news: LineNews) -> None:
    _log.info("line %s is %s %s", news.line_id, news.state.name.lower(), news.cause or "")


def _tls(settings: PhoneSettings) -> ssl.SSLContext | None:
    if settings.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return context
