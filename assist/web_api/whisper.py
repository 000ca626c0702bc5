"""POST /api/calls/{call_id}/whisper: a supervisor's card for the agent."""

from __future__ import annotations

import secrets
from typing import Annotated

import msgspec
from aiohttp import web

from assist.suggest.model import MAX_CARD_CHARACTERS
from assist.web_api.bodies import answer, read, visible
from assist.web_api.guard import call_of
from assist.web_api.parts import CALLS
from assist.web_api.problems import Problem, call_ended, unknown_call


class Whisper(msgspec.Struct, frozen=True):
    """What to tell the agent, short enough for a card."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_CARD_CHARACTERS)]


_decoder = msgspec.json.Decoder(Whisper)


async def whisper(request: web.Request) -> web.Response:
    """202 with the card's id and `seq`."""
    principal, meta = await call_of(request, "whisper")
    text = visible((await read(request, _decoder)).text).strip()
    if not text:
        raise Problem(422, "invalid", "the text has no visible character", field="text")
    number = secrets.token_hex(4)
    posted = await request.app[CALLS].whisper(meta.call_id, text, principal.name, number)
    if posted.outcome == "ended":
        raise call_ended(meta.call_id)
    if posted.outcome == "unknown":
        raise unknown_call(meta.call_id)
    return answer({"suggestion_id": f"{meta.call_id}.w{number}", "seq": posted.seq}, 202)
