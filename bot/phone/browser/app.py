"""The web routes of the browser's lines: two pages, their files, tickets, and the lines themselves.

    GET  /talk /softphone /talk/static/…     the pages
    GET  /talk/scripts                       what can be called, which ears there are
    POST /talk/tickets                       a ticket for one line
    GET  /talk/socket                        a line as a WebSocket
    POST /talk/offer                         a line as WebRTC

Errors are JSON {"error", "detail"}.  Statuses: 403 another site, or no ticket for everyone; 413, 400 and
422 bad offers; 501 no WebRTC here; 503 no new line now.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from aiohttp import WSCloseCode, WSMsgType, web

from bot.phone.arrivals import Arrival, Arrived, Refusal
from bot.phone.browser.access import Ticket, Tickets, own_origin
from bot.phone.browser.messages import Hello, PageFault, decode_hello, decode_offer, encode
from bot.phone.browser.page_leg import PageLeg, Renew
from bot.phone.browser.pcm_socket import LARGEST_MESSAGE, BrowserLeg, new_socket
from bot.phone.browser.settings import TEXT_EARS, BrowserSettings

PAGES = Path(__file__).parent / "page"
NO_TICKET = 4401
HELLO_S = 10.0
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cache-Control": "no-store",
}
_BAD_TICKET = "the ticket is used, too old or none of ours"
_log = logging.getLogger(__name__)


def talk_routes(
    arrived: Arrived,
    refuse: Refusal,
    settings: BrowserSettings,
    *,
    tickets: Tickets | None = None,
) -> list[web.RouteDef]:
    """The routes, for an aiohttp application, made on a running loop.

    `tickets`: given where others hand them out too (to agents, for their softphones).
    """
    loop = asyncio.get_running_loop()
    door = tickets or Tickets(loop.time, good_for_s=settings.ticket_s)
    return _Lines(arrived, refuse, settings, door).routes()


class _Lines:
    """The handlers and what they share."""

    def __init__(
        self, arrived: Arrived, refuse: Refusal, settings: BrowserSettings, tickets: Tickets
    ) -> None:
        self._arrived = arrived
        self._refuse = refuse
        self._settings = settings
        self._tickets = tickets
        self._webrtc = settings.webrtc and find_spec("aiortc") is not None
        self._open: set[PageLeg] = set()
        self._files = {path.name: path for path in PAGES.iterdir() if path.suffix in TYPES}
        self._offered = encode(
            {
                "scripts": settings.scripts,
                "ears": settings.ears,
                "webrtc": self._webrtc,
                "open_to": settings.open_to,
            }
        )

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get("/talk", self.page),
            web.get("/softphone", self.page),
            web.get("/talk/static/{name}", self.file),
            web.get("/talk/scripts", self.scripts),
            web.post("/talk/tickets", self.ticket),
            web.get("/talk/socket", self.socket),
            web.post("/talk/offer", self.offer),
        ]

    async def page(self, request: web.Request) -> web.StreamResponse:
        """GET /talk and /softphone."""
        path = PAGES / f"{request.path.strip('/')}.html"
        return web.FileResponse(path, headers={**HEADERS, "Content-Type": "text/html; charset=utf-8"})

    async def file(self, request: web.Request) -> web.StreamResponse:
        """GET /talk/static/NAME: only what lies in the folder of the pages."""
        path = self._files.get(request.match_info["name"])
        if path is None:
            return _problem(404, "not_found", "no such file")
        kind = f"{TYPES[path.suffix]}; charset=utf-8"
        return web.FileResponse(path, headers={**HEADERS, "Content-Type": kind})

    async def scripts(self, _request: web.Request) -> web.Response:
        """GET /talk/scripts."""
        return web.Response(text=self._offered, content_type="application/json", headers=HEADERS)

    async def ticket(self, request: web.Request) -> web.Response:
        """POST /talk/tickets: for a caller's line, where these are open to all."""
        if (wrong := self._wrong_origin(request) or self._full()) is not None:
            return wrong
        if self._settings.open_to != "all":
            return _problem(403, "by_ticket_only", "this line is opened by a ticket that somebody gives you")
        secret = self._tickets.issue(Ticket(kind="talk"))
        return web.json_response({"ticket": secret}, headers=HEADERS)

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """GET /talk/socket: one line, as long as it is open."""
        if (wrong := self._wrong_origin(request) or self._full()) is not None:
            return wrong
        socket = new_socket()
        await socket.prepare(request)
        try:
            async with asyncio.timeout(HELLO_S):
                message = await socket.receive()
            if message.type is not WSMsgType.TEXT:
                raise PageFault("the first message is a Hello, as text")
            hello = decode_hello(message.data)
        except (PageFault, TimeoutError) as fault:
            return await _turn_away(
                socket, WSCloseCode.POLICY_VIOLATION, "bad_data", str(fault) or "no Hello"
            )
        ticket = self._tickets.redeem(hello.ticket, hello.kind)
        if ticket is None:
            return await _turn_away(socket, NO_TICKET, "refused", _BAD_TICKET)
        leg = BrowserLeg(hello, words=self._hears_text(hello), renew=self._renewal(ticket))
        self._open.add(leg)
        try:
            await socket.send_str(encode({"ready": {"words": leg.capabilities.words}}))
            self._arrived(_arrival(leg, hello, ticket))
            await leg.serve(socket, request.transport)
        except ConnectionError:
            await leg.hang_up("line_lost")
        finally:
            self._open.discard(leg)
        return socket

    async def offer(self, request: web.Request) -> web.Response:
        """POST /talk/offer: the answer's SDP; the line arrives when it is connected."""
        if (wrong := self._wrong_origin(request) or self._full()) is not None:
            return wrong
        if not self._webrtc:
            return _problem(501, "no_webrtc", "WebRTC is not offered here → uv sync --extra webrtc")
        if request.content_length is None or request.content_length > LARGEST_MESSAGE:
            return _problem(413, "too_large", "an offer has a Content-Length of 64 KiB at most")
        try:
            offer = decode_offer(await request.read())
        except PageFault as fault:
            return _problem(400, "bad_offer", str(fault))
        ticket = self._tickets.redeem(offer.ticket, offer.kind)
        if ticket is None:
            return _problem(403, "refused", _BAD_TICKET)
        from bot.phone.browser.webrtc import WebRtcLeg

        leg = WebRtcLeg(
            offer, words=self._hears_text(offer), ice_servers=self._settings.ice_servers,
            renew=self._renewal(ticket),
        )  # fmt: skip
        leg.when_closed(lambda: self._open.discard(leg))
        self._open.add(leg)
        try:
            sdp = await leg.answer(offer, lambda: self._arrived(_arrival(leg, offer, ticket)))
        except PageFault as fault:
            return _problem(422, "bad_offer", str(fault))
        return web.json_response({"sdp": sdp, "words": leg.capabilities.words}, headers=HEADERS)

    def _hears_text(self, hello: Hello) -> bool:
        return hello.kind == "talk" and (self._settings.ears == TEXT_EARS or hello.ears == "text")

    def _renewal(self, ticket: Ticket) -> Renew | None:
        return (lambda: self._tickets.issue(ticket)) if ticket.kind == "softphone" else None

    def _wrong_origin(self, request: web.Request) -> web.Response | None:
        if own_origin(request.headers.get("Origin"), request.host, self._settings.origins):
            return None
        detail = "not an origin of these pages → name it in `browser: {origins: […]}` of phones.yml"
        return _problem(403, "wrong_origin", detail)

    def _full(self) -> web.Response | None:
        why = self._refuse()
        if why is None and len(self._open) >= self._settings.most_lines:
            why = f"{self._settings.most_lines} lines are open, no more are taken"
        return None if why is None else _problem(503, "refused", why)


def _arrival(leg: PageLeg, hello: Hello, ticket: Ticket) -> Arrival:
    """What the page sends along cannot say who it is: that is the ticket's."""
    own = {"kind": ticket.kind, **({"agent_id": ticket.agent_id} if ticket.agent_id else {})}
    sent = {key: value for key, value in hello.parameters.items() if key not in ("kind", "agent_id")}
    return Arrival(leg, "browser", uuid.uuid4().hex, "outbound", parameters={**sent, **own})


async def _turn_away(
    socket: web.WebSocketResponse, code: int, cause: str, detail: str
) -> web.WebSocketResponse:
    _log.warning("a page's line is not opened: %s", detail)
    with suppress(ConnectionError):
        await socket.send_str(encode({"end": {"cause": cause, "detail": detail}}))
        await socket.close(code=code)
    return socket


def _problem(status: int, error: str, detail: str) -> web.Response:
    return web.json_response({"error": error, "detail": detail}, status=status, headers=HEADERS)
