"""Security headers of every answer.  Pages carry a nonce for their style; scripts are files of ours."""

from __future__ import annotations

import secrets

from aiohttp import web

from assist.web_api.parts import SETTINGS

NONCE: web.RequestKey[str] = web.RequestKey("csp_nonce", str)


def policy(nonce: str) -> str:
    """The Content-Security-Policy (COMPLIANCE, Security)."""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
        "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def nonce_of(request: web.Request) -> str:
    """A fresh nonce for this answer, for a page."""
    request[NONCE] = secrets.token_urlsafe(16)
    return request[NONCE]


_NO_PAGE = policy(secrets.token_urlsafe(16))
"""For answers that are no page: they hold no style that a nonce could let in."""


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put them on (a signal handler: it sees failures too)."""
    headers = response.headers
    headers["Content-Security-Policy"] = policy(request[NONCE]) if NONCE in request else _NO_PAGE
    headers["Server"] = "huashu"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers.setdefault("Cache-Control", "no-store")
    if request.app[SETTINGS].secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
