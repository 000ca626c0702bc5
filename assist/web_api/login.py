"""Logging in and out of the pages; who is logged in.

Passwords are checked one at a time in a thread, so that a flood of log-ins costs one core at most;
failures are limited by address and name; an unknown name costs as much time as a wrong password.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import cache

import msgspec
from aiohttp import web

from assist.auth.passwords import hash_password, verify_password
from assist.auth.roles import PERMISSIONS, Principal
from assist.auth.sessions import (
    COOKIE,
    SESSION_S,
    csrf_token,
    drop_cookie,
    new_session_id,
    session_hash,
    set_cookie,
)
from assist.web_api.bodies import answer, read
from assist.web_api.guard import address_of, authenticate, check_origin
from assist.web_api.parts import DATABASE, DIRECTORY, LOGIN_LIMITS, SETTINGS
from assist.web_api.problems import Problem
from bot.store.users import User, WebSession, find_user

MAX_WAITING = 64
"""So many log-ins wait for their password to be checked; more are told to come back."""


class Checks:
    """Checks passwords, one at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0

    async def right(self, password: str, user: User | None) -> bool:
        """Whether it is the user's.  Raises Problem (503) where too many wait."""
        if self._waiting >= MAX_WAITING:
            raise Problem(
                503, "unavailable", "many people log in now: try again", headers={"Retry-After": "3"}
            )

        def check() -> bool:
            return verify_password(password, user.password if user is not None else _nobodys_hash())

        self._waiting += 1
        try:
            async with self._turn:
                same = await asyncio.to_thread(check)
        finally:
            self._waiting -= 1
        return same and user is not None and not user.disabled


@cache
def _nobodys_hash() -> str:
    """What the password of an unknown name is checked against."""
    return hash_password("nobody has this password")


CHECKS: web.AppKey[Checks] = web.AppKey("checks", Checks)


class Credentials(msgspec.Struct, frozen=True):
    """Name and password."""

    name: str
    password: str
    tenant_id: str = "default"


_decoder = msgspec.json.Decoder(Credentials)


async def check_credentials(request: web.Request, said: Credentials) -> User:
    """The user who has this name and password.

    Raises Problem: 401 wrong (which of the two is not said), 429 too many failures.
    """
    address, limits = address_of(request), request.app[LOGIN_LIMITS]
    name = f"{said.tenant_id}/{said.name}"
    if wait := await limits.wait_s(address, name):
        detail = f"too many failed log-ins: try again in {wait} s"
        raise Problem(429, "too_many", detail, headers={"Retry-After": str(wait)})
    database = request.app[DATABASE]

    def find() -> User | None:
        with database.read() as connection:
            return find_user(connection, said.tenant_id, said.name)

    user = await asyncio.to_thread(find) if len(said.name) <= 64 else None
    if not await request.app[CHECKS].right(said.password[:1000], user) or user is None:
        await limits.failed(address, name)
        raise Problem(401, "wrong_credentials", "name or password is wrong")
    await limits.succeeded(address, name)
    await request.app[DIRECTORY].refresh()
    return user


async def log_in(request: web.Request) -> web.Response:
    """POST /api/login: a session in a cookie, and who that is."""
    check_origin(request, required=False)
    user = await check_credentials(request, await read(request, _decoder))
    session_id = new_session_id()
    directory = request.app[DIRECTORY]
    ends = directory.now() + timedelta(seconds=SESSION_S)
    session = WebSession(user.tenant_id, session_hash(session_id), user.name, ends)
    await directory.begin_session(session)
    principal = directory.of_session(session.id_hash)
    if principal is None:
        raise Problem(401, "wrong_credentials", "name or password is wrong")
    response = answer(_me(request, principal))
    set_cookie(response, session_id)
    return response


async def log_out(request: web.Request) -> web.Response:
    """POST /api/logout: the session ends everywhere."""
    principal = await authenticate(request)
    if principal.session is None:
        raise Problem(422, "no_session", f"only a browser logs out: there is no cookie {COOKIE}")
    await request.app[DIRECTORY].end_session(principal.session)
    response = web.Response(status=204)
    drop_cookie(response)
    return response


async def who_am_i(request: web.Request) -> web.Response:
    """GET /api/me: who asks, and for browsers the CSRF token of their session."""
    return answer(_me(request, await authenticate(request)))


def _me(request: web.Request, principal: Principal) -> dict[str, object]:
    token = None
    if principal.session is not None:
        token = csrf_token(request.app[SETTINGS].secret, principal.session)
    return {
        "name": principal.name, "role": principal.role, "tenant_id": principal.tenant_id,
        "team": principal.team, "permissions": sorted(PERMISSIONS[principal.role]), "csrf_token": token,
    }  # fmt: skip
