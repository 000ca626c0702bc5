"""POST /api/suggestions/{suggestion_id}/feedback: what the agent did with a card."""

from __future__ import annotations

from typing import Annotated

import msgspec
from aiohttp import web

from assist.suggest.model import FeedbackAction
from assist.web_api.bodies import Milliseconds, answer, read, visible
from assist.web_api.calls import since_start_ms
from assist.web_api.guard import check_call, permitted
from assist.web_api.parts import CALLS
from assist.web_api.problems import Problem, call_ended, unknown_call
from bot.bus.assisted import CallMeta


class Said(msgspec.Struct, frozen=True):
    """CONTRACT, Feedback; `at_ms` by default now."""

    action: FeedbackAction
    at_ms: Milliseconds | None = None
    text: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    suggestion_id: str | None = None


_decoder = msgspec.json.Decoder(Said)


async def feedback(request: web.Request) -> web.Response:
    """202 with the event's `seq`."""
    suggestion_id = request.match_info["suggestion_id"]
    principal = await permitted(request, "feedback")
    meta = await check_call(request, principal, "feedback", call_of_suggestion(suggestion_id))
    said = await read(request, _decoder)
    if said.suggestion_id not in (None, suggestion_id):
        detail = "suggestion_id in the body is another than in the path"
        raise Problem(422, "invalid", detail, field="suggestion_id")
    return await record(request, meta, suggestion_id, said)


def call_of_suggestion(suggestion_id: str) -> str:
    """The call that a card belongs to: its id reads `CALL_ID.n`.  Raises Problem (404)."""
    call_id, dot, number = suggestion_id.rpartition(".")
    if not (dot and call_id and number.isalnum()):
        raise Problem(404, "unknown_suggestion", f"no card '{suggestion_id[:100]}': an id reads CALL_ID.n")
    return call_id


async def record(request: web.Request, meta: CallMeta, suggestion_id: str, said: Said) -> web.Response:
    """Into the call's log.  Raises Problem: 404, 409 where the call has ended."""
    at_ms = since_start_ms(meta) if said.at_ms is None else said.at_ms
    text = visible(said.text) if said.text else None
    posted = await request.app[CALLS].feedback(meta.call_id, suggestion_id, said.action, at_ms, text)
    if posted.outcome == "ended":
        raise call_ended(meta.call_id)
    if posted.outcome == "unknown":
        raise unknown_call(meta.call_id)
    return answer({"seq": posted.seq, "outcome": posted.outcome}, 202)
