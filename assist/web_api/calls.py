"""Assisted calls: begin one, list them, see one, its customer; end one."""

from __future__ import annotations

import asyncio
import difflib
import secrets
import time
from datetime import datetime
from typing import Any, Literal

import msgspec
from aiohttp import web

from assist.feed_log import snapshot_of
from assist.web_api.bodies import CallId, Milliseconds, Name, answer, decode, raw_answer, read
from assist.web_api.guard import call_of, forbidden, may, permitted
from assist.web_api.parts import CALLS, DATABASE, REDIS, SCRIPTS
from assist.web_api.problems import Problem, unknown_call
from bot.bus.assisted import CallMeta, NoWorker, OpenCall
from bot.bus.handed_over import NotHandedOver, handed_over
from bot.bus.log import EventLog
from bot.events import AnyEvent, Disposition
from bot.store.calls import archived_events
from bot.store.database import Database


class NewCall(msgspec.Struct, frozen=True):
    """CONTRACT, POST /api/calls; `call_id`: the telephone system's own, else one is made; `from_call`:
    the bot's call that is handed over, with all that was said and known."""

    script: str
    agent_id: Name
    direction: Literal["outbound", "inbound"] = "outbound"
    contact: dict[str, Any] = {}
    call_id: CallId | None = None
    from_call: CallId | None = None


class EndOfCall(msgspec.Struct, frozen=True):
    """Who ended it and when, on the call's own clock (default: now)."""

    by: Literal["customer", "agent", "system"] = "agent"
    at_ms: Milliseconds | None = None
    disposition: Disposition | None = None


_new_decoder = msgspec.json.Decoder(NewCall)
_end_decoder = msgspec.json.Decoder(EndOfCall)


async def begin(request: web.Request) -> web.Response:
    """POST /api/calls: 201; 200 where a call of that id is there already."""
    principal = await permitted(request, "calls.open")
    said = await read(request, _new_decoder)
    if not may(request, principal, "calls.open", said.agent_id):
        raise forbidden(principal, f"a call of agent '{said.agent_id}'")
    meta, new = await open_call(request, principal.tenant_id, said)
    return answer(_shown(meta), 201 if new else 200)


async def open_call(request: web.Request, tenant_id: str, said: NewCall) -> tuple[CallMeta, bool]:
    """The call, and whether it is new.

    Raises Problem: 409 the id is taken by another, 422 an unknown script, 503 nobody serves it.
    """
    calls = request.app[CALLS]
    if said.call_id is not None and (there := await calls.fresh_meta(said.call_id)) is not None:
        same = (there.tenant_id, there.agent_id, there.script) == (tenant_id, said.agent_id, said.script)
        if not same:
            raise Problem(409, "id_taken", f"another call has the id '{said.call_id}'", field="call_id")
        return there, False
    _check_script(request, said.script)
    call_id = said.call_id or f"c{secrets.token_hex(10)}"
    at = datetime.now().astimezone().isoformat(timespec="milliseconds")
    call = OpenCall(
        call_id=call_id, tenant_id=tenant_id, script=said.script, agent_id=said.agent_id,
        direction=said.direction, contact=said.contact, at=at,
    )  # fmt: skip
    if said.from_call is not None:
        events = await _log_of(request, tenant_id, said.from_call)
        try:
            call = handed_over(
                events,
                call_id=call_id,
                script=said.script,
                agent_id=said.agent_id,
                contact=said.contact,
                at=at,
            )
        except NotHandedOver as error:
            raise Problem(422, "not_handed_over", str(error), field="from_call") from error
    try:
        return await calls.open(call), True
    except NoWorker as error:
        raise Problem(503, "no_worker", str(error), headers={"Retry-After": "2"}) from error


async def _log_of(request: web.Request, tenant_id: str, call_id: str) -> list[AnyEvent]:
    """The events of a bot's call, live or archived.  Raises Problem (404)."""
    events = await EventLog(request.app[REDIS]).read(call_id)
    if not events:
        events = await asyncio.to_thread(_archived, request.app[DATABASE], tenant_id, call_id)
    if not events or events[0].tenant_id != tenant_id:
        raise unknown_call(call_id)
    return events


def _archived(database: Database, tenant_id: str, call_id: str) -> list[AnyEvent]:
    with database.read() as connection:
        return archived_events(connection, tenant_id, call_id)


async def list_all(request: web.Request) -> web.Response:
    """GET /api/calls: the live calls that the principal may read."""
    principal = await permitted(request, "calls.read")
    rows = await request.app[CALLS].live(principal.tenant_id)
    shown = [
        row
        for row in rows
        if may(request, principal, "calls.read", str(msgspec.json.decode(row).get("agent_id")))
    ]
    return raw_answer(b'{"calls":[' + b",".join(shown) + b"]}")


async def see(request: web.Request) -> web.Response:
    """GET /api/calls/{call_id}: the snapshot."""
    _, meta = await call_of(request, "calls.read")
    snapshot, _ = await snapshot_of(request.app[REDIS], meta.call_id)
    return raw_answer(snapshot)


async def customer(request: web.Request) -> web.Response:
    """GET /api/calls/{call_id}/customer: the customer's file, unmasked."""
    _, meta = await call_of(request, "customer")
    contact = await request.app[CALLS].contact(meta.call_id)
    if contact is None:
        raise Problem(404, "customer_gone", f"the customer's file of call '{meta.call_id}' is no longer kept")
    return answer({"call_id": meta.call_id, "contact": contact})


async def end(request: web.Request) -> web.Response:
    """POST /api/calls/{call_id}/end: 202; a second time changes nothing."""
    _, meta = await call_of(request, "calls.write")
    said = decode(await request.read() or b"{}", _end_decoder)
    at_ms = since_start_ms(meta) if said.at_ms is None else said.at_ms
    posted = await request.app[CALLS].end(meta.call_id, said.by, at_ms, said.disposition)
    if posted.outcome == "unknown":
        raise unknown_call(meta.call_id)
    return answer({"call_id": meta.call_id, "outcome": posted.outcome}, 202)


def since_start_ms(meta: CallMeta) -> int:
    """Milliseconds since the call began, by wall time."""
    return max(0, int(time.time() * 1000) - meta.started_ms)


def _check_script(request: web.Request, script: str) -> None:
    known = request.app[SCRIPTS].names()
    if script not in known:
        near = difflib.get_close_matches(script, known, n=1)
        remedy = f"did you mean '{near[0]}'?" if near else f"scripts here: {', '.join(known) or 'none'}"
        raise Problem(422, "unknown_script", f"no script '{script[:80]}' → {remedy}", field="script")


def _shown(meta: CallMeta) -> dict[str, Any]:
    return {
        "call_id": meta.call_id, "agent_id": meta.agent_id, "script": meta.script,
        "script_version": meta.script_version, "direction": meta.direction, "started": meta.started,
        "feed": f"/api/calls/{meta.call_id}/feed",
    }  # fmt: skip
