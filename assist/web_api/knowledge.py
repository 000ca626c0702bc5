"""GET /api/knowledge?call=ID&q=WORDS: lines of the call's script that answer the words."""

from __future__ import annotations

import asyncio

from aiohttp import web

from assist.web_api.bodies import answer, visible
from assist.web_api.guard import check_call, permitted
from assist.web_api.parts import SCRIPTS
from assist.web_api.problems import Problem
from bot.dialogue.script_files import ScriptError

MAX_WORDS = 100


async def search(request: web.Request) -> web.Response:
    """`results`: node, title, text, why; best first."""
    principal = await permitted(request, "knowledge")
    call_id, words = request.query.get("call", ""), visible(request.query.get("q", "")).strip()
    if not call_id:
        raise Problem(422, "invalid", "say for which call: ?call=ID&q=WORDS", field="call")
    meta = await check_call(request, principal, "knowledge", call_id)
    if not words or len(words) > MAX_WORDS:
        detail = f"q has {len(words)} characters: 1 to {MAX_WORDS} are searched for"
        raise Problem(422, "invalid", detail, field="q")
    try:
        found = await asyncio.to_thread(request.app[SCRIPTS].search, meta.script, words)
    except ScriptError as error:
        raise Problem(503, "unavailable", f"the script cannot be read: {error}") from error
    return answer({"results": found})
