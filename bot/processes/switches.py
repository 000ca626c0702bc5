"""The switches that a voice process's settings name, each joined from its adapter's parts.

Each gives media endpoints for the one media port, routes for the one web port, and an originator where
it can place calls; `start` and `stop` hold its own connections.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import aiohttp
import msgspec
from aiohttp import web

from bot.call.ports import PhoneLeg
from bot.phone.arrivals import Arrival, Arrived, Refusal
from bot.phone.asterisk.ari_assist import Announced
from bot.phone.asterisk.ari_switch import AriSwitch
from bot.phone.asterisk.audiosocket import AudioSocketServer
from bot.phone.asterisk.media_endpoint import MediaEndpoint
from bot.phone.asterisk.media_leg import connect_media
from bot.phone.asterisk.settings import MediaSettings
from bot.phone.browser.access import Tickets
from bot.phone.browser.app import talk_routes
from bot.phone.browser.settings import TEXT_EARS, BrowserSettings, ScriptChoice
from bot.phone.dialling import LineHistory, News, Originator, Permits
from bot.phone.freeswitch.media import FreeSwitchMedia
from bot.phone.freeswitch.origination import FreeSwitchOriginator
from bot.phone.freeswitch.settings import FreeSwitchSettings
from bot.phone.freeswitch.switch import Switch as EventSocket
from bot.phone.freeswitch.transfer import WarmTransfer
from bot.phone.media_server import Endpoint
from bot.phone.settings import AsteriskSettings, PhoneSettings, TransferSettings
from bot.phone.twilio.rest import TwilioOriginator
from bot.phone.twilio.server import twilio_endpoint
from bot.phone.twilio.settings import TwilioSettings
from bot.phone.twilio.status import routes as twilio_routes
from bot.phone.two_tracks import Source
from bot.processes.extensions import AgentArrivals, RingsAgents
from bot.processes.softphone_tickets import ticket_routes


@dataclass(frozen=True, slots=True)
class Door:
    """What every switch is given: where calls go, who may be called, whom news is told."""

    arrived: Arrived
    refusal: Refusal
    permits: Permits
    news: News
    words: bool  # the lines deliver the words themselves

    @staticmethod
    def now() -> datetime:
        """The wall clock."""
        return datetime.now(UTC)


class SwitchLines(Protocol):
    """One switch's lines."""

    originator: Originator | None
    agents: RingsAgents | None

    @property
    def endpoints(self) -> Mapping[str, Endpoint]: ...

    @property
    def routes(self) -> Sequence[web.RouteDef]: ...

    async def start(self) -> None:
        """Raises OSError where a port is taken."""
        ...

    async def stop(self) -> None: ...


class TwilioLines:
    """Twilio, or one that speaks as it does."""

    agents: RingsAgents | None = None

    def __init__(self, settings: TwilioSettings, door: Door) -> None:
        """On a running loop.  Raises ValueError where a variable with a secret is not set."""
        self._settings, self._door = settings, door
        self._token = settings.auth_token(os.environ)
        self._session: aiohttp.ClientSession | None = None
        self._rest: TwilioOriginator | None = None
        if self._token is not None and settings.account_sid:
            self._session = aiohttp.ClientSession()
            self._rest = TwilioOriginator(settings, self._token, door.permits, self._session, now=Door.now)
        self.originator: Originator | None = self._rest

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """Its media sockets."""
        endpoint = twilio_endpoint(
            self._settings, self._token, self._door.arrived, self._door.refusal,
            words=self._door.words, control=self._rest,
        )  # fmt: skip
        return {self._settings.path: endpoint}

    @property
    def routes(self) -> list[web.RouteDef]:
        """TwiML for inbound calls, status callbacks; none without a token, for they must be verified."""
        if self._token is None:
            return []
        return twilio_routes(self._settings, self._token, LineHistory(self._door.news), self._door.refusal)

    async def start(self) -> None:
        """There is nothing to connect."""

    async def stop(self) -> None:
        """Close the connections of the REST API."""
        if self._session is not None:
            await self._session.close()


class AsteriskLines:
    """One Asterisk: AudioSocket, WebSocket media, ARI."""

    routes: Sequence[web.RouteDef] = ()

    def __init__(
        self, settings: AsteriskSettings, door: Door, *, shared: bool, tls: ssl.SSLContext | None = None
    ) -> None:
        """Raises KeyError where the variable with ARI's password is not set."""
        self._settings, self._door = settings, door
        self._ari: AriSwitch | None = None
        if settings.ari is not None:
            media = settings.media or MediaSettings()
            self._ari = AriSwitch(
                settings.ari, media, os.environ[settings.ari.password_env],
                arrived=Announced(self._both_sides, door.arrived).arrived,
                refuse=door.refusal, news=door.news, permits=door.permits,
                now=Door.now, connect_media=lambda url: connect_media(url, media, tls),
            )  # fmt: skip
        self.originator: Originator | None = self._ari.originator if self._ari is not None else None
        self.agents: RingsAgents | None = _AriAgents(self._ari) if self._ari is not None else None
        self._audiosocket: AudioSocketServer | None = None
        if settings.audiosocket is not None:
            # calls that come by ARI are answered already: none of them is refused for load here
            refusal: Refusal = door.refusal if self._ari is None else _never
            self._audiosocket = AudioSocketServer(
                self._offered, refusal, settings.audiosocket, shared=shared
            )

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """Its media sockets, where it connects to us."""
        if self._settings.media is None:
            return {}
        door = self._door
        return {"/asterisk/media": MediaEndpoint(door.arrived, door.refusal, self._settings.media)}

    async def start(self) -> None:
        """Listen for AudioSocket, connect to ARI."""
        if self._audiosocket is not None:
            await self._audiosocket.start()
        if self._ari is not None:
            await self._ari.start()

    async def stop(self) -> None:
        """Close both; calls have ended before."""
        if self._ari is not None:
            await self._ari.stop()
        if self._audiosocket is not None:
            await self._audiosocket.stop()

    async def _both_sides(self, channel_id: str) -> Source:
        """Both sides of a channel, for assist.  Raises SnoopFailed."""
        assert self._ari is not None
        return await self._ari.snoop.open(channel_id)

    def _offered(self, arrival: Arrival) -> None:
        if self._ari is None or not self._ari.media.take(arrival):
            self._door.arrived(arrival)


class _AriAgents:
    """Agents' extensions, rung by ARI."""

    def __init__(self, ari: AriSwitch) -> None:
        self._ari = ari

    async def ring_agent(self, extension: str, shown: str) -> PhoneLeg:
        """RingsAgents."""
        return await self._ari.transfers.call_agent(extension, caller=shown)


class FreeSwitchLines:
    """One FreeSWITCH."""

    routes: Sequence[web.RouteDef] = ()

    def __init__(self, settings: FreeSwitchSettings, door: Door) -> None:
        """Raises KeyError where a variable with a secret is not set."""
        self._switch = EventSocket.of_environment(settings)
        self._door = door
        self._agents = AgentArrivals(WarmTransfer(self._switch), self._switch.kill)
        self.agents: RingsAgents | None = self._agents
        self._media = FreeSwitchMedia(self._switch, self._offered, door.refusal)
        self.originator: Originator | None = FreeSwitchOriginator(
            self._switch, door.permits, door.news, Door.now
        )

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """Its media sockets."""
        return self._media.endpoints

    async def start(self) -> None:
        """Connect to its event socket; it goes on trying."""
        self._switch.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._switch.stop()

    def _offered(self, arrival: Arrival) -> None:
        if not self._agents.take(arrival):
            self._door.arrived(arrival)


class BrowserLines:
    """The page to talk from a browser, and the agents' softphones."""

    originator: Originator | None = None
    agents: RingsAgents | None = None
    endpoints: Mapping[str, Endpoint] = {}

    def __init__(
        self, settings: BrowserSettings, door: Door, script: str | None, ears: str,
        transfer: TransferSettings | None = None,
    ) -> None:  # fmt: skip
        """`script`: offered where the settings offer none.  `ears`: the recogniser's name.  `transfer`: how
        agents come to their softphones."""
        offered = settings.scripts
        if not offered and script:
            offered = (ScriptChoice(name=script, zh=script, en=script),)
        named = ears if settings.ears == TEXT_EARS else settings.ears
        self._settings = msgspec.structs.replace(settings, ears=named, scripts=offered)
        self._door, self._transfer = door, transfer

    @property
    def routes(self) -> list[web.RouteDef]:
        """The page, its socket, WebRTC; the agents' tickets.

        Raises KeyError or ValueError where the variable with the agents' secret is not set."""
        tickets = Tickets(asyncio.get_running_loop().time, good_for_s=self._settings.ticket_s)
        own = ticket_routes(tickets, self._transfer) if self._transfer is not None else []
        return talk_routes(self._door.arrived, self._door.refusal, self._settings, tickets=tickets) + own

    async def start(self) -> None:
        """There is nothing to connect."""

    async def stop(self) -> None:
        """There is nothing to close."""


def switches(settings: PhoneSettings, door: Door, ears: str, *, shared: bool) -> list[SwitchLines]:
    """All that the settings name.  `ears`: the recogniser's name for the browser page, "text" for none.
    `shared`: other processes listen at the same ports.

    Raises KeyError or ValueError, naming the variable, where a secret is not in the environment.
    """
    found: list[SwitchLines] = []
    if settings.twilio is not None:
        found.append(TwilioLines(settings.twilio, door))
    if settings.asterisk is not None:
        found.append(AsteriskLines(settings.asterisk, door, shared=shared))
    if settings.freeswitch is not None:
        found.append(FreeSwitchLines(settings.freeswitch, door))
    if settings.browser is not None:
        found.append(BrowserLines(settings.browser, door, settings.script, ears, settings.transfer))
    return found


def _never() -> str | None:
    return None
