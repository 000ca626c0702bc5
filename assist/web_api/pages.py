"""The pages: HTML with a fresh nonce.  Whoever is not logged in is sent to the log-in."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from aiohttp import web

from assist.web_api.guard import of_browser
from assist.web_api.headers import nonce_of
from assist.web_api.parts import SETTINGS

HOMES = {"agent": "/agent", "supervisor": "/supervisor"}
"""role → its page; other roles have none yet and see the log-in page, which says so."""


async def home(request: web.Request) -> web.StreamResponse:
    """GET /: to the page of one's role."""
    principal = await of_browser(request)
    raise web.HTTPFound(HOMES.get(principal.role, "/login") if principal else "/login")


async def login_page(request: web.Request) -> web.StreamResponse:
    """GET /login."""
    return _page(request, "login")


async def agent_page(request: web.Request) -> web.StreamResponse:
    """GET /agent."""
    return await _own_page(request, "agent")


async def supervisor_page(request: web.Request) -> web.StreamResponse:
    """GET /supervisor."""
    return await _own_page(request, "supervisor")


async def _own_page(request: web.Request, role: str) -> web.StreamResponse:
    principal = await of_browser(request)
    if principal is None:
        raise web.HTTPFound("/login")
    if principal.role != role:
        raise web.HTTPFound(HOMES.get(principal.role, "/login"))
    return _page(request, role)


def _page(request: web.Request, name: str) -> web.Response:
    path = request.app[SETTINGS].pages / f"{name}.html"
    html = _read(path, path.stat().st_mtime_ns).replace("{nonce}", nonce_of(request))
    return web.Response(text=html, content_type="text/html", charset="utf-8")


@lru_cache(maxsize=16)
def _read(path: Path, _changed_ns: int) -> str:
    return path.read_text("utf-8")
