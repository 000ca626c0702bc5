"""Other vendors' events in, our advice in another vendor's shape out (shapes: `assist.bridges`).

In: Amazon Contact Lens segments and AWS LCA events.  A START opens the call where the query names
script and agent (`?script=…&agent_id=…`).  Out: Google's HumanAgentAssistantEvent; back come its
AnswerRecords as feedback.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from assist.auth.roles import Principal
from assist.bridges import contact_lens, human_agent_assistant, lca
from assist.bridges.model import BridgeError, BridgeInput, Piece
from assist.feed_log import snapshot_of
from assist.web_api.bodies import answer, decode, read
from assist.web_api.calls import NewCall, open_call, since_start_ms
from assist.web_api.guard import call_of, check_call, forbidden, may, permitted
from assist.web_api.parts import CALLS, REDIS
from assist.web_api.problems import Problem
from assist.web_api.suggestions import Said, call_of_suggestion, record
from assist.web_api.utterances import Words, take_in

REMEMBERED = 1024
MAX_CARDS = 3
_objects: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])
_new_call = msgspec.json.Decoder(NewCall)


class Pending:
    """Pieces of lines that are not final yet, by call; the calls not heard of for longest are forgotten."""

    def __init__(self) -> None:
        self._pieces: OrderedDict[str, Mapping[str, tuple[Piece, ...]]] = OrderedDict()

    def of(self, call_id: str) -> Mapping[str, tuple[Piece, ...]]:
        """What is pending in the call."""
        return self._pieces.get(call_id, {})

    def keep(self, call_id: str, pieces: Mapping[str, tuple[Piece, ...]]) -> None:
        """What is pending now."""
        self._pieces.pop(call_id, None)
        if pieces:
            self._pieces[call_id] = pieces
            if len(self._pieces) > REMEMBERED:
                self._pieces.popitem(last=False)


PENDING: web.AppKey[Pending] = web.AppKey("pending", Pending)


async def from_contact_lens(request: web.Request) -> web.Response:
    """POST /api/bridges/contact-lens; `?call_id=` names the contact where the payload does not."""
    principal = await permitted(request, "calls.write")
    payload: dict[str, Any] = await read(request, _objects)
    pending, named = request.app[PENDING], request.query.get("call_id")
    contact = named or str(payload.get("ContactId"))
    try:
        said = contact_lens.utterances(payload, call_id=named, earlier=pending.of(contact))
    except BridgeError as error:
        raise _problem(error) from error
    response = await _take(request, principal, said)
    pending.keep(said.call_id, said.pending)
    return response


async def from_lca(request: web.Request) -> web.Response:
    """POST /api/bridges/lca."""
    principal = await permitted(request, "calls.write")
    payload: dict[str, Any] = await read(request, _objects)
    try:
        said = lca.utterances(payload)
    except BridgeError as error:
        raise _problem(error) from error
    return await _take(request, principal, said)


async def human_agent_assistant_event(request: web.Request) -> web.Response:
    """GET /api/calls/{call_id}/human-agent-assistant: the cards on the agent's screen now."""
    _, meta = await call_of(request, "calls.read")
    data, _ = await snapshot_of(request.app[REDIS], meta.call_id)
    snapshot = msgspec.json.decode(data)
    panel, cards = snapshot["panel"], snapshot["suggestions"]
    shown = [panel.get("card"), *panel.get("folded", [])]
    now = [cards[name] for name in shown if name in cards]
    call = {"call_id": meta.call_id, "tenant_id": meta.tenant_id, "agent_id": meta.agent_id}
    return answer(human_agent_assistant.event(call, now[:MAX_CARDS]))


async def answer_record(request: web.Request) -> web.Response:
    """POST /api/bridges/answer-records: feedback in Google's shape; 202."""
    principal = await permitted(request, "feedback")
    payload = await read(request, _objects)
    try:
        name = human_agent_assistant.feedback(payload).suggestion_id
        meta = await check_call(request, principal, "feedback", call_of_suggestion(name))
        started = datetime.fromisoformat(meta.started)
        said = human_agent_assistant.feedback(payload, call_started=started)
    except BridgeError as error:
        raise _problem(error) from error
    return await record(request, meta, name, Said(said.action, said.at_ms, said.text))


async def _take(request: web.Request, principal: Principal, said: BridgeInput) -> web.Response:
    call_id, calls = said.call_id, request.app[CALLS]
    if said.started and "script" in request.query:
        query = {"script": request.query["script"], "agent_id": request.query.get("agent_id", "")}
        new = decode(msgspec.json.encode(query | {"call_id": call_id}), _new_call)
        if not may(request, principal, "calls.open", new.agent_id):
            raise forbidden(principal, f"a call of agent '{new.agent_id}'")
        await open_call(request, principal.tenant_id, new)
    meta = await check_call(request, principal, "calls.write", call_id)
    posted = await take_in(request, call_id, _words(said))
    if said.ended:
        ends = [int(line["end_ms"]) for line in said.utterances]
        await calls.end(call_id, "system", max(ends, default=since_start_ms(meta)))
    taken = [{"seq": each.seq, "outcome": each.outcome} for each in posted]
    return answer({"call_id": call_id, "ended": said.ended, "taken": taken, "ignored": said.ignored}, 202)


def _words(said: BridgeInput) -> list[Words]:
    try:
        return msgspec.convert(said.utterances, list[Words])
    except msgspec.ValidationError as error:
        raise Problem(422, "invalid", f"an utterance of the payload: {error}", field="$") from error


def _problem(error: BridgeError) -> Problem:
    return Problem(422, "invalid", str(error), field=error.field)
