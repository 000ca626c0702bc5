"""Softphone tickets for agents, given to whoever holds the secret: the agents' desk, after its own log-in.

    POST /softphone/tickets {"agent_id": "li"}, Authorization: Bearer SECRET
    → {"ticket": "…", "page": "/softphone#ticket=…"}

401 for another secret, 400 for a body that is none.  The secret itself never leaves the environment.
"""

from __future__ import annotations

import hmac
import os

import msgspec
from aiohttp import web

from bot.phone.browser.access import Ticket, Tickets
from bot.phone.settings import TransferSettings


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    agent_id: str


_asked = msgspec.json.Decoder(_Asked)


def ticket_routes(tickets: Tickets, settings: TransferSettings) -> list[web.RouteDef]:
    """POST /softphone/tickets {"agent_id"} with `Authorization: Bearer SECRET` → {"ticket", "page"}.

    None where the settings name no secret.  Raises KeyError or ValueError where its variable is not set.
    """
    if settings.tickets_env is None:
        return []
    if not (secret := os.environ[settings.tickets_env]):
        raise ValueError(f"the variable {settings.tickets_env} is empty → transfer.tickets_env")

    async def ticket(request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), secret.encode()):
            return web.json_response({"error": "unauthorized"}, status=401)
        try:
            made = tickets.issue(
                Ticket(kind="softphone", agent_id=_asked.decode(await request.read()).agent_id)
            )
        except (ValueError, RecursionError) as error:
            return web.json_response({"error": "bad_request", "detail": str(error)[:200]}, status=400)
        page = f"/softphone#ticket={made}"
        return web.json_response({"ticket": made, "page": page}, headers={"Cache-Control": "no-store"})

    return [web.post("/softphone/tickets", ticket)]
