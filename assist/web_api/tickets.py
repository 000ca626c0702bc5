"""POST /api/feed-tickets: a one-time ticket for a WebSocket."""

from __future__ import annotations

import msgspec
from aiohttp import web

from assist.auth.tickets import TTL_S, issue
from assist.web_api.bodies import CallId, Name, answer, decode
from assist.web_api.feeds import check_target
from assist.web_api.guard import authenticate
from assist.web_api.parts import REDIS
from assist.web_api.problems import Problem


class TicketRequest(msgspec.Struct, frozen=True):
    """What to watch: `target` is `call:ID`, `agent:ID` or `live`; or one of the two ids alone."""

    target: str | None = None
    call_id: CallId | None = None
    agent_id: Name | None = None


_decoder = msgspec.json.Decoder(TicketRequest)


async def make(request: web.Request) -> web.Response:
    """A ticket for a target that the principal may watch; 201."""
    principal = await authenticate(request)
    said = decode(await request.read() or b"{}", _decoder)
    targets = [said.target] if said.target is not None else []
    targets += [f"call:{said.call_id}"] if said.call_id is not None else []
    targets += [f"agent:{said.agent_id}"] if said.agent_id is not None else []
    if len(targets) != 1:
        detail = "say what to watch: `target` as call:ID, agent:ID or live, or `call_id`, or `agent_id`"
        raise Problem(422, "invalid", detail, field="target")
    [target] = targets
    path = await check_target(request, principal, target)
    ticket = await issue(request.app[REDIS], principal, target)
    return answer({"ticket": ticket, "expires_in_s": TTL_S, "path": f"{path}?ticket={ticket}"}, 201)
