"""Who asks, and whether they may: bearer tokens of machines, cookies of browsers, calls and their agents.

A write with a cookie needs the session's CSRF token and, where the browser names one, an origin of
ours.  Whose a call is, is at most FRESH_S old.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict

from aiohttp import web

from assist.auth.roles import Principal
from assist.auth.sessions import COOKIE, CSRF_HEADER, is_csrf_token, session_hash
from assist.auth.tokens import BadToken, Claims, read_token
from assist.web_api.parts import BUCKETS, CALLS, DIRECTORY, SETTINGS
from assist.web_api.problems import Problem, busy, not_yours, unknown_call
from bot.bus.assisted import CallMeta

FRESH_S = 1.0
REMEMBERED = 1024
SAFE = ("GET", "HEAD", "OPTIONS")


class Tokens:
    """Tokens that were checked once are not checked again (their user still is)."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Claims] = OrderedDict()

    def read(self, key: bytes, token: str) -> Claims:
        """What the token says.  Raises BadToken."""
        claims = self._known.get(token)
        if claims is None:
            claims = self._known[token] = read_token(key, token)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return claims


TOKENS: web.AppKey[Tokens] = web.AppKey("tokens", Tokens)


async def authenticate(request: web.Request) -> Principal:
    """Who asks.  Raises Problem: 401 nobody we know, 403 not from our pages, 429 too often."""
    said = request.headers.get("Authorization")
    principal = await _by_token(request, said) if said else await _by_cookie(request)
    wait = request.app[BUCKETS].take(
        f"{principal.tenant_id}/{principal.name}", principal.role, asyncio.get_running_loop().time()
    )
    if wait:
        raise busy(wait)
    return principal


async def permitted(request: web.Request, permission: str) -> Principal:
    """Who asks, where their role may do this at all.  Raises Problem (403 where it may not)."""
    principal = await authenticate(request)
    if principal.reach(permission) is None:
        raise forbidden(principal, permission)
    return principal


async def call_of(request: web.Request, permission: str) -> tuple[Principal, CallMeta]:
    """Who asks, and the call of the path, where they may do this with it.

    Raises Problem: 404 no such call of this tenant, 403 another agent's.
    """
    principal = await permitted(request, permission)
    return principal, await check_call(request, principal, permission, request.match_info["call_id"])


async def check_call(request: web.Request, principal: Principal, permission: str, call_id: str) -> CallMeta:
    """The call, where this principal may do this with it.  Raises Problem."""
    calls = request.app[CALLS]
    if principal.reach(permission) == "all":
        meta = await calls.meta(call_id)
    else:
        meta = await request.app[FRESH].meta(request, call_id)
    if meta is None or meta.tenant_id != principal.tenant_id:
        raise unknown_call(call_id)
    if not may(request, principal, permission, meta.agent_id):
        raise not_yours(call_id)
    return meta


def may(request: web.Request, principal: Principal, permission: str, agent_id: str) -> bool:
    """Whether they may do this with calls of that agent."""
    team = request.app[DIRECTORY].team_of(principal.tenant_id, agent_id)
    return principal.may(permission, agent_id, team)


def forbidden(principal: Principal, permission: str) -> Problem:
    """The role may not do this."""
    return Problem(403, "forbidden", f"the role {principal.role} may not do this ({permission})")


def check_origin(request: web.Request, required: bool) -> None:
    """Raises Problem (403) where the browser comes from another site, or does not say and must."""
    origin = request.headers.get("Origin")
    if origin is None and not required:
        return
    if origin not in request.app[SETTINGS].origins:
        shown = "no origin" if origin is None else f"the origin '{origin[:100]}'"
        raise Problem(403, "wrong_origin", f"{shown} is not one of this server's: start it with --origin")


def address_of(request: web.Request) -> str:
    """The client's address: behind a proxy, the one that the proxy has seen."""
    if request.app[SETTINGS].behind_proxy:
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if forwarded:
            return forwarded[:64]
    return request.remote or "unknown"


class FreshMetas:
    """Whose calls are, FRESH_S old at most."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, tuple[float, CallMeta | None]] = OrderedDict()

    async def meta(self, request: web.Request, call_id: str) -> CallMeta | None:
        """Who holds the call; None: no such call.  Raises BusDown."""
        now = time.monotonic()
        at, meta = self._seen.get(call_id, (-FRESH_S, None))
        if now - at >= FRESH_S:
            meta = await request.app[CALLS].fresh_meta(call_id)
            self._seen[call_id] = (now, meta)
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return meta


FRESH: web.AppKey[FreshMetas] = web.AppKey("fresh", FreshMetas)


async def _by_token(request: web.Request, said: str) -> Principal:
    kind, _, token = said.partition(" ")
    directory = request.app[DIRECTORY]
    try:
        if kind.casefold() != "bearer":
            raise BadToken("the header Authorization reads `Bearer TOKEN`")
        claims = request.app[TOKENS].read(request.app[SETTINGS].secret, token.strip())
        try:
            return directory.of_claims(claims)
        except BadToken:
            await directory.look_again()
            return directory.of_claims(claims)
    except BadToken as error:
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        raise Problem(401, "bad_token", str(error), headers=challenge) from error


async def _by_cookie(request: web.Request) -> Principal:
    principal = await of_browser(request)
    if principal is None:
        challenge = {"WWW-Authenticate": "Bearer"}
        raise Problem(401, "not_logged_in", "log in, or send a bearer token", headers=challenge)
    if request.method not in SAFE:
        check_origin(request, required=False)
        shown = request.headers.get(CSRF_HEADER)
        if not is_csrf_token(request.app[SETTINGS].secret, principal.session or "", shown):
            raise Problem(403, "csrf", f"the header {CSRF_HEADER} is missing or wrong: GET /api/me gives it")
    return principal


async def of_browser(request: web.Request) -> Principal | None:
    """Whose the browser's session is, None where it has none that holds."""
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return None
    directory, id_hash = request.app[DIRECTORY], session_hash(cookie)
    principal = directory.of_session(id_hash)
    if principal is None:
        await directory.look_again()
        principal = directory.of_session(id_hash)
    return principal
