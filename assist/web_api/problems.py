"""Errors as RFC 9457 problem+json: what, where, what to do; with a code that pages can translate."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from bot.bus.errors import BusError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_log = logging.getLogger(__name__)


class Problem(Exception):
    """An answer other than success.  `code` is stable; `field` names what in the request is wrong."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.headers = dict(headers or {})
        self.more = more | ({"field": field} if field is not None else {})

    def response(self) -> web.Response:
        """The answer."""
        body = {
            "type": f"urn:huashu:problem:{self.code}", "title": self.code.replace("_", " "),
            "status": self.status, "code": self.code, "detail": self.detail, **self.more,
        }  # fmt: skip
        return web.Response(
            body=msgspec.json.encode(body), status=self.status, content_type="application/problem+json",
            headers=self.headers,
        )  # fmt: skip


def unknown_call(call_id: str) -> Problem:
    """There is no such call (of this tenant)."""
    return Problem(404, "unknown_call", f"no call '{call_id}': it never was, or is long over")


def not_yours(call_id: str) -> Problem:
    """The call is another agent's."""
    return Problem(403, "not_yours", f"call '{call_id}' is another agent's")


def call_ended(call_id: str) -> Problem:
    """Nothing can be added to the call."""
    return Problem(409, "call_ended", f"call '{call_id}' has ended: nothing more can be added to it")


def busy(seconds: float) -> Problem:
    """Too often."""
    after = str(max(1, round(seconds)))
    return Problem(
        429, "too_many", f"too many requests: try again in {after} s", headers={"Retry-After": after}
    )


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every failure is an answer that says what to do; what we did not foresee is logged."""
    try:
        return await handler(request)
    except Problem as problem:
        return problem.response()
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _of_http(request, error)
    except (BusError, SQLAlchemyError) as error:
        _log.error("%s %s: %s", request.method, request.path, error)
        where = "Redis" if isinstance(error, BusError) else "the database"
        detail = f"{where} does not answer: try again"
        return Problem(503, "unavailable", detail, headers={"Retry-After": "1"}).response()
    except Exception:
        _log.exception("%s %s failed", request.method, request.path)
        return Problem(500, "failed", "this server made a mistake; its log says which").response()


def _of_http(request: web.Request, error: web.HTTPException) -> web.Response:
    match error:
        case web.HTTPRequestEntityTooLarge():
            return Problem(413, "too_large", "a request may have 64 KiB: send less at once").response()
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            detail = f"{request.path} knows {allowed}"
            return Problem(405, "wrong_method", detail, headers={"Allow": allowed}).response()
        case web.HTTPNotFound():
            return Problem(
                404, "not_found", f"nothing is at {request.path}: see /api/openapi.json"
            ).response()
    return Problem(error.status, "refused", error.reason).response()
