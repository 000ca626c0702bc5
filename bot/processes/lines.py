"""The lines of one voice process: every switch that its settings name, serving on one event loop.

Media WebSockets of all switches come in at one port (`listen`), AudioSocket at its own, TwiML,
callbacks and the browser page at a third (`web`).  More processes on the same machine may share the
first: the kernel spreads the sockets over them.
"""

from __future__ import annotations

import logging
import ssl

import msgspec
from aiohttp import web
from redis.asyncio import Redis

from bot.call.journal import CallFacts
from bot.phone.arrivals import Arrival
from bot.phone.browser.page_leg import PageLeg
from bot.phone.dialling import LineNews, Originator, Permits
from bot.phone.media_server import MediaServer
from bot.phone.settings import PhoneSettings
from bot.processes.assist_lines import AssistLines, assist_lines
from bot.processes.calls import Calls, Wishes
from bot.processes.inbound_calls import CallerBook, RoutedCalls
from bot.processes.line_calls import Inbound, LineCalls, OneScript, Versions
from bot.processes.load import LoadLimit
from bot.processes.people import People
from bot.processes.switches import Door, SwitchLines, switches
from bot.speech.tts_espeak import EspeakSettings, EspeakVoice

LARGEST_BODY = 64 * 1024
_log = logging.getLogger(__name__)


class LinesFailed(Exception):
    """The lines cannot serve; says why and what to do."""


class Lines:
    """All of them."""

    def __init__(
        self, redis: Redis, calls: Calls, brain: Versions, settings: PhoneSettings, most: int,
        inbound: Inbound | None = None, book: CallerBook | None = None, ears: str = "text",
        shared: bool = False,
    ) -> None:  # fmt: skip
        """`most`: calls at once.  `inbound`: who answers; default the routes of the settings, where
        there are any and a `book` of callers, else their one script.
        `ears`: the recogniser's name for the browser page, "text" for none.  `shared`: other voice
        processes of this machine listen at the same ports."""
        self.addresses: list[str] = []
        self.originators: list[Originator] = []
        self._settings, self._ears, self._shared = settings, ears, shared
        self._people = None if settings.transfer is None else People(settings.transfer, calls)
        self._with = calls.shared
        self._assist: AssistLines | None = None
        self._load = LoadLimit(
            calls.pacer, most, lambda: calls.count + self._calls.coming + self._between_people
        )
        answers: Inbound = inbound or OneScript(settings.script or "")
        if inbound is None and book is not None and settings.inbound.routes:
            voices = {"zh": calls.voice, "en": EspeakVoice(EspeakSettings(language="en"))}
            answers = RoutedCalls(settings, book, brain, voices)
        remember = book.remember if book is not None else None
        self._calls = LineCalls(redis, calls, brain, answers, wishes=self._wishes, remember=remember)
        self._switches: list[SwitchLines] = []
        self._media: MediaServer | None = None
        self._web: web.AppRunner | None = None

    async def start(self) -> None:
        """Serve; `addresses` then says where.  Raises LinesFailed."""
        settings = self._settings
        door = Door(
            self._arrived, self._load.refusal, Permits(settings.callers), _told,
            settings.ears == "script",
        )  # fmt: skip
        try:
            self._assist = assist_lines(self._with, settings.assist, settings.script)
            self._switches = switches(settings, door, self._ears, shared=self._shared)
            self.originators = [s.originator for s in self._switches if s.originator is not None]
            if self._people is not None:
                self._people.reach(next((s.agents for s in self._switches if s.agents is not None), None))
            if settings.listen is not None:
                await self._start_media(settings.listen)
            if settings.web is not None:
                await self._start_web(settings.web)
            for switch in self._switches:
                await switch.start()
        except (OSError, ValueError, KeyError) as error:
            await self.stop()
            raise LinesFailed(f"the lines cannot serve: {error}") from error

    def refuse(self) -> None:
        """Take no new calls."""
        self._load.close()

    async def stop(self) -> None:
        """Stop serving; calls have ended before."""
        self._load.close()
        if self._people is not None:
            await self._people.stop()
        if self._assist is not None:
            await self._assist.stop()
        if self._media is not None:
            await self._media.stop()
        if self._web is not None:
            await self._web.cleanup()
        for switch in self._switches:
            await switch.stop()
        await self._calls.stop()

    def _arrived(self, arrival: Arrival) -> None:
        """A line is up; on one with two tracks people talk, and nobody answers."""
        if arrival.leg.capabilities.two_tracks and self._assist is not None:
            self._assist.arrived(arrival)
        elif self._people is None or not self._people.take(arrival):
            self._calls.arrived(arrival)

    @property
    def _between_people(self) -> int:
        """How many calls go on between people."""
        joined = self._people.joined if self._people is not None else 0
        return joined + (self._assist.held if self._assist is not None else 0)

    def _wishes(self, arrival: Arrival, facts: CallFacts) -> Wishes:
        leg = arrival.leg
        return Wishes(
            shown=(lambda event: leg.show(msgspec.to_builtins(event))) if isinstance(leg, PageLeg) else None,
            transfer=self._people.give if self._people is not None else None,
            listen_for_machines=facts.direction == "outbound" and arrival.provider != "browser",
        )

    async def _start_media(self, listen: str) -> None:
        host, _, port = listen.rpartition(":")
        self._media = MediaServer({p: e for switch in self._switches for p, e in switch.endpoints.items()})
        bound = await self._media.start(host, int(port), _tls(self._settings), shared=self._shared)
        self.addresses.append(f"{host}:{bound}")

    async def _start_web(self, address: str) -> None:
        app = web.Application(client_max_size=LARGEST_BODY)
        for switch in self._switches:
            app.add_routes(switch.routes)
        self._web = web.AppRunner(app, access_log=None)
        await self._web.setup()
        host, _, port = address.rpartition(":")
        await web.TCPSite(self._web, host, int(port), reuse_port=self._shared).start()
        bound = self._web.addresses[0]
        self.addresses.append(f"{bound[0]}:{bound[1]}")


def _told(news: LineNews) -> None:
    _log.info("line %s is %s %s", news.line_id, news.state.name.lower(), news.cause or "")


def _tls(settings: PhoneSettings) -> ssl.SSLContext | None:
    if settings.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return context
