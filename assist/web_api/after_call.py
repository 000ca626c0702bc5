"""The form after a call: saved by its agent or a supervisor, and read again.

Free text is masked before it is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from aiohttp import web

from assist.web_api.bodies import ShortText, answer, read, visible
from assist.web_api.guard import call_of
from assist.web_api.parts import CALLS, DATABASE
from assist.web_api.problems import Problem
from bot.events import Disposition
from bot.store.after_call import find_form, save_form
from bot.understanding.masking import mask

Lines = Annotated[list[Annotated[str, msgspec.Meta(max_length=2000)]], msgspec.Meta(max_length=50)]


class FollowUp(msgspec.Struct, frozen=True):
    """When to call again (ISO 8601 with offset), and about what."""

    at: str | None = None
    about: ShortText | None = None


class Form(msgspec.Struct, frozen=True):
    """What came of the call."""

    summary: Lines
    disposition: Disposition
    grade: Literal["A", "B", "C", "D", "E"] | None = None
    reasons: Lines = []
    follow_up: FollowUp | None = None
    notes: Annotated[str, msgspec.Meta(max_length=2000)] | None = None


_decoder = msgspec.json.Decoder(Form)


async def save(request: web.Request) -> web.Response:
    """POST /api/calls/{call_id}/after-call: the form as it is kept; a later one replaces it."""
    principal, meta = await call_of(request, "after_call")
    said = await read(request, _decoder)
    contact = await request.app[CALLS].contact(meta.call_id) or {}
    kept = msgspec.to_builtins(masked(said, [str(contact["name"])] if contact.get("name") else []))
    database = request.app[DATABASE]

    def write() -> None:
        with database.write() as connection:
            whose, by = (meta.tenant_id, meta.call_id, meta.agent_id), principal.name
            save_form(connection, *whose, kept, by, datetime.now(UTC))

    await asyncio.to_thread(write)
    return answer({"call_id": meta.call_id, "form": kept})


async def see(request: web.Request) -> web.Response:
    """GET /api/calls/{call_id}/after-call: the form as it was saved; 404 where none was."""
    _, meta = await call_of(request, "after_call")
    database = request.app[DATABASE]

    def look() -> dict[str, object] | None:
        with database.read() as connection:
            return find_form(connection, meta.tenant_id, meta.call_id)

    form = await asyncio.to_thread(look)
    if form is None:
        raise Problem(404, "no_form", f"no form of call '{meta.call_id}' was saved")
    return answer({"call_id": meta.call_id, "form": form})


def masked(form: Form, names: Sequence[str]) -> Form:
    """The form without personal data in its texts.  Raises Problem where its time is none."""

    def text(value: str) -> str:
        return mask(visible(value), names)

    follow_up = form.follow_up
    if follow_up is not None:
        about = text(follow_up.about) if follow_up.about else None
        follow_up = FollowUp(_moment(follow_up.at), about)
    return Form(
        [text(line) for line in form.summary], form.disposition, form.grade,
        [text(line) for line in form.reasons], follow_up, text(form.notes) if form.notes else None,
    )  # fmt: skip


def _moment(at: str | None) -> str | None:
    if not at:
        return None
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        detail = "follow_up.at is no time: 2026-11-23T10:00:00+08:00 is"
        raise Problem(422, "invalid", detail, field="follow_up.at") from error
    if moment.tzinfo is None:
        detail = "follow_up.at has no offset: 2026-11-23T10:00:00+08:00 has"
        raise Problem(422, "invalid", detail, field="follow_up.at")
    return moment.isoformat()
