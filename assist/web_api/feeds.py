"""The WebSockets: a call's feed, an agent's feed, the live calls of supervisors.

Handshake: exact origin (403), a ticket that is taken once (401), leave to watch the target (403, 404).
While open: whoever logs out, is shut out or loses the call is cut within seconds.

    close codes   4401 logged out or shut out   4403 the call is another's now   4404 no such call
                  4008 too slow: come back with `after`   1009 over 64 KiB   1012 this server stops
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import WSCloseCode, WSMsgType, web

from assist.auth.roles import Principal
from assist.auth.tickets import redeem
from assist.feed import AgentFeed, CallFeed, Client
from assist.feed_cursor import resume_point
from assist.web_api.bodies import MAX_BYTES
from assist.web_api.guard import FRESH, check_call, check_origin, forbidden, may
from assist.web_api.live import LiveRows
from assist.web_api.parts import DIRECTORY, HUB, REDIS
from assist.web_api.problems import Problem
from bot.bus.errors import BusError
from bot.bus.tasks import end

WATCH_S = 2.0
"""How often it is looked whether a client may still watch; users and calls are then 2 s old at most."""
LIVE_S = 0.5
CLOSE_S = 2.0
PING_S = 20.0
LOGGED_OUT, NOT_YOURS, UNKNOWN = 4401, 4403, 4404
MOST_OPEN = {"operator": 2000}
MOST_OPEN_OF_ONE = 40
"""So many feeds one person may have open; a machine by role."""
OPEN: web.AppKey[dict[web.WebSocketResponse, str]] = web.AppKey("open_feeds")
_log = logging.getLogger(__name__)


async def check_target(request: web.Request, principal: Principal, target: str) -> str:
    """The path of the WebSocket for a target that this principal may watch.

    Raises Problem: 422 no such kind of target, 403 not theirs, 404 no such call.
    """
    kind, _, name = target.partition(":")
    if kind == "call" and name:
        _reach(principal, "calls.read")
        await check_call(request, principal, "calls.read", name)
        return f"/api/calls/{name}/feed"
    if kind == "agent" and name:
        _reach(principal, "calls.read")
        if not may(request, principal, "calls.read", name):
            raise forbidden(principal, f"the feed of agent '{name}'")
        return f"/api/agents/{name}/feed"
    if target == "live":
        _reach(principal, "live")
        return "/api/live"
    detail = f"target '{target[:80]}' is none: it reads call:ID, agent:ID or live"
    raise Problem(422, "invalid", detail, field="target")


async def call_feed(request: web.Request) -> web.StreamResponse:
    """GET /api/calls/{call_id}/feed."""
    call_id = request.match_info["call_id"]
    after = _after(request, with_call=False)
    principal, client = await _admit(request, f"call:{call_id}")
    feed = CallFeed(request.app[REDIS], request.app[HUB], client, call_id)
    feed.start(after[1] if after else None)

    async def allowed() -> int:
        return await _may_still_read(request, principal, call_id)

    try:
        return await _serve(request, principal, client, feed.fetch, allowed)
    finally:
        feed.stop()


async def agent_feed(request: web.Request) -> web.StreamResponse:
    """GET /api/agents/{agent_id}/feed: whichever call that agent has."""
    agent_id = request.match_info["agent_id"]
    after = _after(request, with_call=True)
    principal, client = await _admit(request, f"agent:{agent_id}")
    feed = AgentFeed(request.app[REDIS], request.app[HUB], client, principal.tenant_id, agent_id)
    feed.start(after)

    async def allowed() -> int:
        if not may(request, principal, "calls.read", agent_id):
            return NOT_YOURS
        if feed.call is not None:
            meta = await request.app[FRESH].meta(request, feed.call.call_id)
            if meta is not None and meta.agent_id != agent_id:
                feed.disturbed()
        return 0

    try:
        return await _serve(request, principal, client, feed.fetch, allowed)
    finally:
        feed.stop()


async def live_feed(request: web.Request) -> web.StreamResponse:
    """GET /api/live: the rows of all live calls that the principal may watch, whenever one changes."""
    principal, client = await _admit(request, "live")

    def visible(agent_id: str) -> bool:
        return may(request, principal, "live", agent_id)

    rows = LiveRows(request.app[REDIS], client, principal.tenant_id, visible)

    async def allowed() -> int:
        rows.look()
        return 0

    return await _serve(request, principal, client, rows.fetch, allowed, LIVE_S)


async def close_all(app: web.Application) -> None:
    """This server stops: clients come back to another."""
    open_feeds: dict[web.WebSocketResponse, str] = app[OPEN]
    sockets = list(open_feeds)
    await asyncio.gather(*(socket.close(code=WSCloseCode.SERVICE_RESTART) for socket in sockets))


async def _admit(request: web.Request, target: str) -> tuple[Principal, Client]:
    """The handshake.  Raises Problem."""
    check_origin(request, required=False)
    ticket = await redeem(request.app[REDIS], request.query.get("ticket", ""))
    if ticket is None or ticket.target != target:
        detail = "the ticket is used, older than 60 s, or for something else: POST /api/feed-tickets"
        raise Problem(401, "bad_ticket", detail)
    check_origin(request, required=ticket.session is not None)
    asked = Principal(ticket.tenant_id, ticket.name, "", None, ticket.generation, ticket.session)
    directory = request.app[DIRECTORY]
    principal = directory.still(asked)
    if principal is None:
        await directory.look_again()
        principal = directory.still(asked)
    if principal is None:
        raise Problem(401, "not_logged_in", "log in again")
    await check_target(request, principal, target)
    have = sum(name == _key(principal) for name in request.app[OPEN].values())
    if have >= MOST_OPEN.get(principal.role, MOST_OPEN_OF_ONE):
        raise Problem(
            429, "too_many", f"{have} feeds are open already: close some", headers={"Retry-After": "5"}
        )
    socket = web.WebSocketResponse(max_msg_size=MAX_BYTES, heartbeat=PING_S, timeout=CLOSE_S, compress=False)
    if not socket.can_prepare(request).ok:
        raise Problem(426, "not_a_websocket", "this is a WebSocket", headers={"Upgrade": "websocket"})
    await socket.prepare(request)
    return principal, Client(socket)


async def _serve(
    request: web.Request,
    principal: Principal,
    client: Client,
    fetch: Callable[[], Awaitable[bool]],
    allowed: Callable[[], Awaitable[int]],
    watch_s: float | None = None,
) -> web.StreamResponse:
    """Until the client goes, is cut, or may no longer watch."""
    socket = client.socket
    request.app[OPEN][socket] = _key(principal)
    tasks: list[asyncio.Task[int]] = [
        asyncio.create_task(client.serve(fetch), name="feed"),
        asyncio.create_task(_watch(request, principal, allowed, watch_s or WATCH_S), name="watch feed"),
        asyncio.create_task(_read(socket), name="read feed"),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        request.app[OPEN].pop(socket, None)
        await end(*tasks)
    await _close(request, socket, max(task.result() for task in done))
    return socket


async def _read(socket: web.WebSocketResponse) -> int:
    """What the client sends is read and dropped; ends when it closes."""
    async for message in socket:
        if message.type == WSMsgType.ERROR:
            break
    return socket.close_code or 0


async def _watch(
    request: web.Request, principal: Principal, allowed: Callable[[], Awaitable[int]], watch_s: float
) -> int:
    """Ends with a close code when the client may no longer watch."""
    directory = request.app[DIRECTORY]
    while True:
        await asyncio.sleep(watch_s)
        now = directory.still(principal)
        if now is None or (now.role, now.team) != (principal.role, principal.team):
            return LOGGED_OUT
        try:
            if code := await allowed():
                return code
        except BusError as error:
            _log.warning("whose a call is cannot be looked up: %s", error)


async def _may_still_read(request: web.Request, principal: Principal, call_id: str) -> int:
    if principal.reach("calls.read") == "all":
        return 0
    meta = await request.app[FRESH].meta(request, call_id)
    if meta is not None and not may(request, principal, "calls.read", meta.agent_id):
        return NOT_YOURS
    return 0


async def _close(request: web.Request, socket: web.WebSocketResponse, code: int) -> None:
    """Say goodbye, but not for long; what the client does not read is thrown away."""
    transport = request.transport
    try:
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(CLOSE_S):
                # Not drained: where sending was given up, waiting for it raises at once.
                await socket.close(code=code or WSCloseCode.OK, drain=False)
    finally:
        if transport is not None:
            transport.abort()


def _after(request: web.Request, *, with_call: bool) -> tuple[str, int] | None:
    try:
        return resume_point(request.query.get("after"), with_call=with_call)
    except ValueError as error:
        raise Problem(400, "bad_cursor", str(error), field="after") from error


def _key(principal: Principal) -> str:
    return f"{principal.tenant_id}/{principal.name}"


def _reach(principal: Principal, permission: str) -> None:
    if principal.reach(permission) is None:
        raise forbidden(principal, permission)
